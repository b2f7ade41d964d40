"""合并重复企业: two files of one firm become one, field by field; nothing is lost and everything can be taken back."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.actions.enterprises import OWN_FIELDS
from crm.actions.enterprises import problems as enterprise_problems
from crm.actions.figures import CODES as FIGURE_CODES
from crm.actions.qualifications import FACT_FIELDS
from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.codes import normalise_code
from crm.domain.fields import AFFILIATIONS, fields_of
from crm.domain.merging import BOTH, LEFT, RIGHT, Span, choice_of, filled_from, fuller, spans_that_give_way
from crm.domain.names import normalise_name
from crm.domain.periods import TitleFact
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.title_problems import overlaps
from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import policy
from crm.store import merges
from crm.store.enterprises import FORMER_NAME, OLD_NUMBER, Enterprise
from crm.store.scope import visible_enterprise
from crm.store.writer import Written, write

# What a record has beside its content; the rest may fill the blanks of the one that stays.
_OWN_COLUMNS = ("id", "version", "deleted", "enterprise_id")
# Fields whose two texts may both stay, one under the other.
JOINED = frozenset({f.code for f in fields_of("enterprise") if f.type == "long_text"})
# A merge decides about these itself; the others give way by their place alone.
_DECIDED = frozenset({"figures", "affiliation"})


@dataclass(frozen=True)
class Pair:
    """One thing that stands on both sides: its key among the choices, both values, and whether they are equal."""

    key: str
    code: str
    left: Any
    right: Any
    year: int | None = None

    @property
    def same(self) -> bool:
        return bool(self.left == self.right)


@dataclass(frozen=True)
class Rival:
    """Two records that cannot both be one enterprise's (titles of a kind that overlap): one has to be chosen."""

    key: str
    noun: str
    left: Mapping[str, Any]
    right: Mapping[str, Any]


@dataclass
class Merge:
    """What merging ``right`` into ``left`` means, before anybody chose: reads only."""

    left: Enterprise
    right: Enterprise
    fields: list[Pair] = field(default_factory=list)
    affiliations: list[Pair] = field(default_factory=list)
    figures: list[Pair] = field(default_factory=list)
    rivals: list[Rival] = field(default_factory=list)
    # {noun: how many live records go over}, and the records of one place of which the fuller one stays.
    moving: dict[str, int] = field(default_factory=dict)
    twice: dict[str, int] = field(default_factory=dict)
    fingerprint: str = ""
    rows: tuple[dict[str, list[dict[str, Any]]], dict[str, list[dict[str, Any]]]] = ({}, {})


def plan_merge(left_id: int, right_id: int, *, viewer: Viewer, lock: bool = False) -> Merge:
    """Both files side by side: ``left`` is the one that stays. Raises NotFound, NotAllowed, Refused."""
    left, standing = visible_enterprise(left_id, viewer)
    right, other = visible_enterprise(right_id, viewer)
    for region_id in (standing.region_id, other.region_id):
        require(viewer.has_in(region_id, *OFFICE), "合并企业")
    if left_id == right_id:
        raise Refused("这是同一家企业。选另一家来合并。")
    if left.region_id != right.region_id:
        raise Refused("两家不在同一个区县，不能合并。迁移过来的，在归属里登记迁入、迁出。")
    plan = Merge(left, right)
    plan.rows = merges.rows_of(left_id, lock=lock), merges.rows_of(right_id, lock=lock)
    plan.fingerprint = _fingerprint(plan)
    plan.fields = [
        Pair(f"enterprise.{f.code}", f.code, getattr(left, f.code), getattr(right, f.code))
        for f in fields_of("enterprise")
        if f.code in OWN_FIELDS
    ]
    plan.affiliations = _affiliation_pairs(plan)
    plan.figures = _figure_pairs(plan)
    plan.rivals = [*_title_rivals(plan), *_pool_rivals(plan)]
    rival_ids = {(one.noun, one.right["id"]) for one in plan.rivals}
    for noun, rows in plan.rows[1].items():
        live = [row for row in rows if not row["deleted"] and (noun, row["id"]) not in rival_ids]
        doubles = _doubles(noun, _live(plan.rows[0], noun), live) if noun not in _DECIDED else []
        if live:
            plan.moving[noun] = len(live)
        if doubles:
            plan.twice[noun] = len(doubles)
    return plan


def merge_enterprises(
    left_id: int, right_id: int, choices: Mapping[str, str], *, fingerprint: str, act: Act
) -> Written:
    """Merge ``right`` into ``left``: the one change set by which everything of it becomes the other's.

    ``choices`` are {key of a pair or rival: left, right or both}; pairs without one keep what the left side knows,
    rivals must be chosen. ``fingerprint`` is that of the plan the person looked at. The right one is withdrawn and
    points at the left one; its name and code stay as aliases. Raises NotFound, NotAllowed, InvalidInput by key,
    Refused when anything of the two was changed since.
    """
    plan = plan_merge(left_id, right_id, viewer=act.viewer, lock=True)
    if plan.fingerprint != fingerprint:
        raise Refused("两家的资料刚有改动，下面是最新的。核对后再合并。")
    undecided = {
        one.key: "两条只能留一条，选一条。" for one in plan.rivals if choices.get(one.key) not in (LEFT, RIGHT)
    }
    if undecided:
        raise InvalidInput(undecided)
    changes = _Changes(plan, choices, act)
    return write(changes.all(), act=act, action="merge_enterprises", region_id=plan.left.region_id)


def _fingerprint(plan: Merge) -> str:
    told = [("enterprise", one.id, one.version) for one in (plan.left, plan.right)]
    for rows in plan.rows:
        told += [(noun, row["id"], row["version"]) for noun, some in rows.items() for row in some]
    return hashlib.sha256(repr(sorted(told)).encode()).hexdigest()[:32]


def _live(rows: Mapping[str, list[dict[str, Any]]], noun: str) -> list[dict[str, Any]]:
    return [row for row in rows.get(noun, ()) if not row["deleted"]]


# --- what stands on both sides ---------------------------------------------------------------------------------------


def _open(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["kind"]: row for row in rows if row["ends_on"] is None}


def _said(row: dict[str, Any] | None) -> Any:
    if row is None:
        return None
    if row["ref_id"] is not None:
        return row["ref_id"]
    return row["value"] == "yes" if row["value"] in ("yes", "no") else row["value"]


def _affiliation_pairs(plan: Merge) -> list[Pair]:
    left, right = (_open(_live(rows, "affiliation")) for rows in plan.rows)
    return [
        Pair(f"affiliation.{kind}", kind, _said(left.get(kind)), _said(right.get(kind)))
        for kind in AFFILIATIONS
        if kind in left or kind in right
    ]


def _figure_pairs(plan: Merge) -> list[Pair]:
    """Of the years that both sides have: each field that either of them knows."""
    left, right = ({row["year"]: row for row in _live(rows, "figures")} for rows in plan.rows)
    return [
        Pair(f"figures.{year}.{code}", code, left[year][code], right[year][code], year)
        for year in sorted(left.keys() & right.keys(), reverse=True)
        for code in FIGURE_CODES
        if left[year][code] is not None or right[year][code] is not None
    ]


def _title_rivals(plan: Merge) -> list[Rival]:
    left, right = (
        [(row, _fact(row)) for row in _live(rows, "qualification") if row["superseded_at"] is None]
        for rows in plan.rows
    )
    return [
        Rival(f"qualification.{mine['id']}.{theirs['id']}", "qualification", mine, theirs)
        for mine, fact in left
        for theirs, other in right
        if overlaps(fact, other, policy.ladder.terms)
    ]


def _fact(row: Mapping[str, Any]) -> TitleFact:
    return TitleFact(id=row["id"], **{name: row[name] for name in FACT_FIELDS})


def _pool_rivals(plan: Merge) -> list[Rival]:
    """An enterprise is proposed for the pool or in it once at a time."""
    left, right = (
        [row for row in _live(rows, "pool_membership") if row["left_on"] is None and row["declined_on"] is None]
        for rows in plan.rows
    )
    return [
        Rival(f"pool_membership.{mine['id']}.{theirs['id']}", "pool_membership", mine, theirs)
        for mine in left
        for theirs in right
    ]


def _place(noun: str, row: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """What makes a record the only one of its place at an enterprise; None where there may be many."""
    if noun == "intellectual_property":
        number = normalise_code(row["number"] or "")
        return (number,) if number else None
    if noun == "relation":
        return (row["kind"], row["other_id"] or normalise_name(row["other_name"] or ""), row["starts_on"])
    names = merges.place_of(noun)
    return tuple(row[name] for name in names) if names else None


def _doubles(
    noun: str, left: Sequence[dict[str, Any]], right: Sequence[dict[str, Any]]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The pairs of records of one place, one of each side."""
    taken = {place: row for row in left if (place := _place(noun, row)) is not None}
    return [
        (taken[place], row)
        for row in right
        # A relation between the two stands on both sides and is one record.
        if (place := _place(noun, row)) in taken and place is not None and taken[place]["id"] != row["id"]
    ]


# --- the changes -----------------------------------------------------------------------------------------------------


class _Changes:
    """The updates of a merge, gathered by record, so that each is written once."""

    def __init__(self, plan: Merge, choices: Mapping[str, str], act: Act) -> None:
        self.plan, self.choices, self.act = plan, choices, act
        self.left_id, self.right_id = plan.left.id, plan.right.id
        self.values: dict[tuple[str, int], dict[str, Any]] = {}
        self.versions: dict[tuple[str, int], int] = {}
        self.creates: list[Create] = []
        # {(noun, id of a record that gives way): id of the one that stays}
        self.gave_way: dict[tuple[str, int], int] = {}

    def all(self) -> list[Create | Update]:
        own = self._own_fields()
        self._affiliations()
        self._figures()
        for one in self.plan.rivals:
            kept, dropped = (one.left, one.right) if self.choices[one.key] == LEFT else (one.right, one.left)
            self._drop(one.noun, kept, dropped)
        for noun in self.plan.rows[1]:
            if noun not in _DECIDED:
                self._of_one_place(noun)
        self._relations_between()
        self._repoint()
        self._hang_over()
        self._aliases(own)
        updates = [
            Update(noun, record_id, values, self.versions.get((noun, record_id)))
            for (noun, record_id), values in self.values.items()
            if values
        ]
        withdrawn = Update(
            "enterprise", self.right_id, {"deleted": True, "merged_into_id": self.left_id}, self.plan.right.version
        )
        return [withdrawn, *updates, *self.creates]

    def _set(self, noun: str, row: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        self.values.setdefault((noun, row["id"]), {}).update(values)
        self.versions[noun, row["id"]] = row["version"]

    def _drop(self, noun: str, kept: Mapping[str, Any], dropped: Mapping[str, Any]) -> None:
        """The record that stays takes what it leaves blank from the one that gives way; that one stays where it was."""
        blanks = filled_from(kept, dropped, (*_OWN_COLUMNS, "recorded_at", "ended_on", "end_reason"))
        if noun in ("qualification", "pool_membership"):
            # A title is what an announcement says of it: two certificates are not mixed into a third.
            blanks = {}
        if blanks:
            self._set(noun, kept, blanks)
        self._set(noun, dropped, {"deleted": True})
        self.gave_way[noun, dropped["id"]] = kept["id"]

    def _own_fields(self) -> dict[str, Any]:
        """What the enterprise that stays is called and says after the merge."""
        values: dict[str, Any] = {}
        for pair in self.plan.fields:
            chosen = choice_of(self.choices, pair.key, pair.left, pair.right)
            if chosen == BOTH and pair.code in JOINED and pair.left and pair.right:
                values[pair.code] = f"{pair.left}\n{pair.right}"
            elif chosen == RIGHT and pair.left != pair.right:
                values[pair.code] = pair.right
        if "credit_code" in values:
            values["code_reason"] = self.plan.right.code_reason
        wrong = enterprise_problems(
            {"name": values.get("name", self.plan.left.name), **values}, today=self.act.effective_on
        )
        too_long = {f.code: f for f in fields_of("enterprise") if f.length}
        wrong |= {
            code: f"{too_long[code].label}两段合起来有 {len(text)} 个字，最多 {too_long[code].length} 个。选一段。"
            for code, text in values.items()
            if code in too_long and isinstance(text, str) and len(text) > (too_long[code].length or 0)
        }
        if wrong:
            raise InvalidInput({f"enterprise.{code}": sentence for code, sentence in wrong.items()})
        if values:
            self._set("enterprise", {"id": self.left_id, "version": self.plan.left.version}, values)
        return values

    def _affiliations(self) -> None:
        """Per kind the chosen side's days stay; of the other side what does not overlap them."""
        sides = [_live(rows, "affiliation") for rows in self.plan.rows]
        for kind in {row["kind"] for side in sides for row in side}:
            left, right = ([row for row in side if row["kind"] == kind] for side in sides)
            chosen = choice_of(
                self.choices, f"affiliation.{kind}", _said(_open(left).get(kind)), _said(_open(right).get(kind))
            )
            kept, others = (right, left) if chosen == RIGHT else (left, right)
            spans = [Span(row["id"], row["starts_on"], row["ends_on"]) for row in kept]
            gone = spans_that_give_way(spans, [Span(r["id"], r["starts_on"], r["ends_on"]) for r in others])
            for row in others:
                if row["id"] in gone:
                    self._set("affiliation", row, {"deleted": True})
                    self.gave_way["affiliation", row["id"]] = kept[-1]["id"]

    def _figures(self) -> None:
        """Years of both sides become one row: field by field as chosen, with the confirmation that goes with it."""
        left, right = ({row["year"]: row for row in _live(rows, "figures")} for rows in self.plan.rows)
        for year in left.keys() & right.keys():
            mine, theirs = left[year], right[year]
            values = {}
            confirmed = dict(mine["confirmed"] or {})
            for code in FIGURE_CODES:
                chosen = choice_of(self.choices, f"figures.{year}.{code}", mine[code], theirs[code])
                said = (theirs["confirmed"] or {}).get(code)
                if chosen == RIGHT and mine[code] != theirs[code]:
                    values[code] = theirs[code]
                    confirmed.pop(code, None)
                    if said is not None:
                        confirmed[code] = said
                elif said is not None and mine[code] == theirs[code]:
                    confirmed.setdefault(code, said)
            if confirmed != (mine["confirmed"] or {}):
                values["confirmed"] = confirmed or None
            if values:
                self._set("figures", mine, values)
            self._set("figures", theirs, {"deleted": True})
            self.gave_way["figures", theirs["id"]] = mine["id"]

    def _of_one_place(self, noun: str) -> None:
        gone = {record_id for name, record_id in self.gave_way if name == noun}
        left, right = ([row for row in _live(rows, noun) if row["id"] not in gone] for rows in self.plan.rows)
        for mine, theirs in _doubles(noun, left, right):
            kept, dropped = (mine, theirs) if fuller(mine, theirs) == LEFT else (theirs, mine)
            self._drop(noun, kept, dropped)

    def _relations_between(self) -> None:
        """A relation between the two says nothing of one enterprise."""
        for rows in self.plan.rows:
            for row in _live(rows, "relation"):
                if {row["enterprise_id"], row["other_id"]} == {self.left_id, self.right_id}:
                    self._set("relation", row, {"deleted": True})
                    self.gave_way["relation", row["id"]] = 0

    def _repoint(self) -> None:
        for noun, rows in self.plan.rows[1].items():
            for row in rows:
                if (noun, row["id"]) not in self.gave_way:
                    self._set(noun, row, merges.repointed(noun, row, self.right_id, self.left_id))

    def _hang_over(self) -> None:
        """What hung on a record that gave way hangs on the one that stays."""
        for noun in {noun for noun, _ in self.gave_way}:
            kept = {old: new for (name, old), new in self.gave_way.items() if name == noun and new}
            for name, row, column in merges.hanging_on(noun, sorted(kept)):
                if (name, row["id"]) not in self.gave_way:
                    self._set(name, row, {column: kept[row[column]]})

    def _aliases(self, own: Mapping[str, Any]) -> None:
        """Both names and both codes are found from now on: what the file is not called stays as an alias."""
        name, code = own.get("name", self.plan.left.name), own.get("credit_code", self.plan.left.credit_code)
        known = {(row["kind"], row["value_key"]) for rows in self.plan.rows for row in _live(rows, "enterprise_alias")}
        wanted = [(FORMER_NAME, one.name, normalise_name(one.name)) for one in (self.plan.left, self.plan.right)]
        wanted += [
            (OLD_NUMBER, one.credit_code, one.credit_code)
            for one in (self.plan.left, self.plan.right)
            if one.credit_code
        ]
        known |= {(FORMER_NAME, normalise_name(name)), (OLD_NUMBER, code or "")}
        for kind, value, key in wanted:
            if (kind, key) in known:
                continue
            known.add((kind, key))
            self.creates.append(
                Create(
                    "enterprise_alias",
                    {"enterprise_id": self.left_id, "kind": kind, "value": value, "value_key": key, "until_on": None},
                )
            )
