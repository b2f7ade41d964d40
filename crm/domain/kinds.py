"""The titles an enterprise can hold, the rungs of the ladder and the words for their states."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of title: its identifier in data, its names on screen and its seal."""

    code: str
    name: str
    short: str
    seal: str
    rung_class: str


CQ_TECH = "cq_tech"
TECH_SME = "tech_sme"
INNOVATIVE_SME = "innovative_sme"
TECH_INNOVATIVE_SME = "tech_innovative_sme"
HNTE = "hnte"
SRDI = "srdi"
LITTLE_GIANT = "little_giant"

# In the order of the ladder: seals are always printed in this order.
KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(CQ_TECH, "科技型企业（市库）", "市库科技型", "科", "r1"),
        Kind(TECH_SME, "科技型中小企业", "国家科小", "小", "r1"),
        Kind(INNOVATIVE_SME, "创新型中小企业", "创新型", "创", "r0"),
        Kind(TECH_INNOVATIVE_SME, "科技和创新型中小企业", "科技和创新型", "双", "r1"),
        Kind(HNTE, "高新技术企业", "高企", "高", "r3"),
        Kind(SRDI, "专精特新中小企业", "专精特新", "专", "r4"),
        Kind(LITTLE_GIANT, "专精特新“小巨人”企业", "小巨人", "巨", "r4"),
    )
}

# The pool is a management list and no title; it has a seal of its own on the board.
POOL = "pool"
POOL_KIND = Kind(POOL, "高新技术企业培育库", "培育库", "库", "r2")

RUNGS: tuple[str, ...] = ("普通", "科技型", "培育库", "高企", "专精特新")
RUNG_NAMES: tuple[str, ...] = ("普通", "科技型", "高新技术企业培育库", "高新技术企业", "专精特新")

# Title states in the words of the contract; the order is that of attention on a list.
STATES: dict[str, str] = {
    "valid": "有效",
    "expiring": "临近到期",
    "awaiting_update": "待更新（衔接期）",
    "renewing": "重新认定中",
    # The certificate has ended, the year's last announcement has not come and no application is known.
    "expired_unverified": "到期待核实",
    "lapsed_unrenewed": "期满未续",
    "revoked": "取消/撤销",
    "relocated": "整体迁移",
}

# With one of these states a title still carries its enterprise on the rung.
HELD_STATES = frozenset({"valid", "expiring", "awaiting_update", "renewing"})
