"""Relations between enterprises: what the other one is to this one, and what this one is to the other."""

# What the other enterprise is to this one, and the word for the same relation seen from its side.
KINDS: dict[str, str] = {
    "branch": "分支机构",
    "parent": "母公司（总公司）",
    "common_control": "同一控制",
    "merged_from": "合并前企业",
    "split_from": "分立前企业",
    "predecessor": "个转企前身",
}
SEEN_FROM_THE_OTHER: dict[str, str] = {
    "branch": "总公司",
    "parent": "子公司（分支机构）",
    "common_control": "同一控制",
    "merged_from": "合并后企业",
    "split_from": "分立后企业",
    "predecessor": "个转企后企业",
}
# Seen from the other side it is this kind; the others have a kind of their own on one side only.
REVERSED = {"branch": "parent", "parent": "branch", "common_control": "common_control"}
