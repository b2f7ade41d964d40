"""The materials checklist of an application: what is asked, what is there, how complete that is, and what to tell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from crm.domain.periods import Citation, holds_on

PRESENT, EXPIRED, WAIVED, MISSING = "present", "expired", "waived", "missing"
MATERIAL_STATES: dict[str, str] = {PRESENT: "已有", EXPIRED: "过期", WAIVED: "免交", MISSING: "缺"}


@dataclass(frozen=True)
class Item:
    """One material of a checklist.

    ``fresh_from``: (years before the application's year, month, day) before which evidence belongs to a former cycle
    and does not count; None: it may be of any age. ``carries``: a former cycle's piece is offered, to be confirmed
    after ``check``.
    """

    code: str
    name: str
    required: bool = True
    note: str = ""
    fresh_from: tuple[int, int, int] | None = None
    carries: bool = True
    check: str = ""

    def earliest(self, year: int) -> date | None:
        """The first day of evidence that counts for an application of a year."""
        if self.fresh_from is None:
            return None
        back, month, day = self.fresh_from
        return date(year - back, month, day)


@dataclass(frozen=True)
class Checklist:
    """The materials of one or more kinds, in force from–to."""

    kinds: tuple[str, ...]
    items: tuple[Item, ...]
    valid_from: date
    valid_to: date | None
    citation: Citation
    by_code: dict[str, Item] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_code", {item.code: item for item in self.items})


@dataclass(frozen=True)
class Checklists:
    """All checklists, found by kind and day; ``names`` says every item ever asked, the latest word for each."""

    entries: tuple[Checklist, ...]
    names: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", {item.code: item.name for one in self.entries for item in one.items})

    def of(self, kind: str, on: date) -> Checklist | None:
        """The checklist of a kind in force on a day; None when nothing was asked then."""
        for entry in self.entries:
            if kind in entry.kinds and holds_on(entry, on):
                return entry
        return None


@dataclass(frozen=True)
class Evidence:
    """What is recorded of one item: present with its dates, or waived with a reason. ``year`` is its application's."""

    item: str
    state: str
    year: int
    dated_on: date | None = None
    expires_on: date | None = None
    waived_reason: str | None = None
    note: str | None = None
    material_id: int = 0
    stored_file_id: int | None = None
    from_material_id: int | None = None


@dataclass(frozen=True)
class ItemState:
    """One item as it stands on a day: its state, why, its evidence, and what of a former cycle is offered for it."""

    item: Item
    state: str
    why: str = ""
    evidence: Evidence | None = None
    offer: Evidence | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more is asked for it."""
        return self.state in (PRESENT, WAIVED)


def why_not(item: Item, evidence: Evidence, year: int, on: date) -> str:
    """Why a piece of evidence does not count for an application of a year on a day; empty when it does."""
    if evidence.expires_on is not None and evidence.expires_on < on:
        return f"有效期到 {evidence.expires_on}，已过"
    earliest = item.earliest(year)
    if earliest is not None and evidence.dated_on is not None and evidence.dated_on < earliest:
        return f"日期 {evidence.dated_on}，{year} 年申报要 {earliest} 以后的"
    return ""


def judge(
    checklist: Checklist, evidence: Iterable[Evidence], former: Iterable[Evidence], *, year: int, on: date
) -> list[ItemState]:
    """Every item of a checklist as it stands on a day, in its order.

    ``evidence`` is this application's own; ``former`` that of the enterprise's other applications, newest first. A
    former piece is only ever offered: it counts once somebody has confirmed it for this cycle, and never expired.
    """
    own = {one.item: one for one in evidence}
    offered: dict[str, Evidence] = {}
    for one in former:
        item = checklist.by_code.get(one.item)
        if item is not None and item.carries and one.state == PRESENT and not why_not(item, one, year, on):
            offered.setdefault(one.item, one)
    found = []
    for item in checklist.items:
        mine = own.get(item.code)
        if mine is None:
            found.append(ItemState(item, MISSING, offer=offered.get(item.code)))
        elif mine.state == WAIVED:
            found.append(ItemState(item, WAIVED, mine.waived_reason or "", mine))
        elif reason := why_not(item, mine, year, on):
            found.append(ItemState(item, EXPIRED, reason, mine, offered.get(item.code)))
        else:
            found.append(ItemState(item, PRESENT, evidence=mine))
    return found


@dataclass(frozen=True)
class Completeness:
    """How much of what is required is there: ``present`` and ``waived`` of it; the rest is missing or expired."""

    required: int
    present: int
    waived: int
    expired: int

    @property
    def missing(self) -> int:
        """Required items that are neither there nor waived, the expired ones among them."""
        return self.required - self.present - self.waived

    @property
    def percent(self) -> int:
        """Whole per cent, rounded down, so that 100 means all of it."""
        return (self.present + self.waived) * 100 // self.required if self.required else 100

    @property
    def words(self) -> str:
        """必交 11 项：已有 8 项，免交 1 项，缺 2 项（其中过期 1 项）。"""
        if not self.required:
            return "没有必交材料。"
        said = [f"已有 {self.present} 项"]
        if self.waived:
            said.append(f"免交 {self.waived} 项")
        expired = f"（其中过期 {self.expired} 项）" if self.expired else ""
        said.append(f"缺 {self.missing} 项{expired}" if self.missing else "齐了")
        return f"必交 {self.required} 项：{'，'.join(said)}。"


def completeness(states: Iterable[ItemState]) -> Completeness:
    """The count over the required items alone; what is asked 有则提供 neither adds nor takes away."""
    counts = {PRESENT: 0, WAIVED: 0, EXPIRED: 0, MISSING: 0}
    for one in states:
        if one.item.required:
            counts[one.state] += 1
    return Completeness(sum(counts.values()), counts[PRESENT], counts[WAIVED], counts[EXPIRED])


def missing_sentences(states: Iterable[ItemState]) -> list[str]:
    """What the 一次性告知 names: one sentence per required item that is missing or expired."""
    found = []
    for one in states:
        if not one.item.required or one.done:
            continue
        note = f"（{one.item.note}）" if one.item.note else ""
        if one.state == EXPIRED:
            found.append(f"{one.item.name}{note}：{one.why}，须换新的。")
        else:
            found.append(f"{one.item.name}{note}。")
    return found


def notice_text(
    name: str, title: str, cycle: str, sentences: Sequence[str], *, mend_by: str, office: str, on: str
) -> str:
    """The 一次性告知 as text to paste: everything that is missing, once, and by when. ``mend_by`` may be empty."""
    if not sentences:
        return f"{name}：\n贵单位申报 {cycle}{title}的必交材料已齐。\n\n{office}\n{on}".strip()
    listed = "\n".join(f"{n}. {sentence}" for n, sentence in enumerate(sentences, 1))
    space = "" if mend_by.endswith("日") else " "
    until = f"须于 {mend_by}{space}前补齐" if mend_by else "须尽快补齐"
    return (
        f"{name}：\n贵单位申报 {cycle}{title}，经核对材料还缺以下 {len(sentences)} 项，现一次性告知：\n{listed}\n"
        f"{until}，交{office or '科技局'}。以上为一次性告知，补齐后不再另提材料要求。\n\n{office}\n{on}"
    ).strip()
