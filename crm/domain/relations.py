"""Relations between enterprises: what the other one is to this one, and what this one is to the other."""

# Two files that look like one firm and are none: decided by the office, so that nobody is asked about the pair again.
DISTINCT = "distinct"
# What the other enterprise is to this one, and the word for the same relation seen from its side.
KINDS: dict[str, str] = {
    "branch": "分支机构",
    "parent": "母公司（总公司）",
    "common_control": "同一控制",
    "merged_from": "合并前企业",
    "split_from": "分立前企业",
    "predecessor": "个转企前身",
    DISTINCT: "不是同一家（已核实）",
}
SEEN_FROM_THE_OTHER: dict[str, str] = {
    "branch": "总公司",
    "parent": "子公司（分支机构）",
    "common_control": "同一控制",
    "merged_from": "合并后企业",
    "split_from": "分立后企业",
    "predecessor": "个转企后企业",
    DISTINCT: "不是同一家（已核实）",
}
# Seen from the other side it is this kind; the others have a kind of their own on one side only.
REVERSED = {"branch": "parent", "parent": "branch", "common_control": "common_control", DISTINCT: DISTINCT}
# What a person who keeps an enterprise's file enters of it.
ENTERED: dict[str, str] = {kind: word for kind, word in KINDS.items() if kind != DISTINCT}
