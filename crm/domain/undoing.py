"""What an undo may take back: the last-writer rule, and what hangs together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, int]

# Fields by which one record makes way for another: given back only while nothing stands in its place.
MADE_WAY = frozenset({"ends_on", "superseded_at", "superseded_by_id", "deleted", "visit_plan_id"})
# What belongs to a record itself and came with it: {noun: (field, noun of the whole)}; it stays with a whole that is
# kept. Titles, figures and services are facts of their own.
PARTS = {
    "affiliation": ("enterprise_id", "enterprise"),
    "application_step": ("application_id", "application"),
    "enterprise_alias": ("enterprise_id", "enterprise"),
    "grant": ("user_id", "user"),
    "service_log_enterprise": ("service_log_id", "service_log"),
    "collection_enterprise": ("collection_id", "collection"),
}
# Parts without which the whole is nothing: one that somebody worked on since keeps its whole.
KEEPS_WHOLE = frozenset({"collection_enterprise"})


@dataclass(frozen=True)
class Logged:
    """One change as the history holds it, with values still in their JSON form; ``is_undo``: made by an undo."""

    id: int
    change_set_id: int
    noun: str
    record_id: int
    op: str  # create, update
    fields: Mapping[str, Any]
    who: str = ""
    is_undo: bool = False

    @property
    def key(self) -> Key:
        return self.noun, self.record_id

    def after(self, name: str) -> Any:
        """The value of a field after this change; a creation that says nothing of it left it empty."""
        if self.op == "create":
            return self.fields.get(name, False if name == "deleted" else None)
        return self.fields[name][1]


@dataclass(frozen=True)
class Kept:
    """Something an undo leaves as it is, and why.

    "edited": somebody wrote it since; "children": something was hung on it since; "replaced": something else stands in
    its place now.
    """

    noun: str
    record_id: int
    field: str | None
    why: str
    who: str


@dataclass(frozen=True)
class UndoPlan:
    """``restore`` are {(noun, id): {field: JSON value}}; ``withdraw`` are creations to be withdrawn."""

    restore: dict[Key, dict[str, Any]]
    withdraw: list[Key]
    kept: list[Kept] = field(default_factory=list)

    @property
    def nothing_to_do(self) -> bool:
        return not self.restore and not self.withdraw


def written_since(own: Sequence[Logged], later: Iterable[Logged]) -> dict[Key, dict[str, Logged]]:
    """{record: {field: its last later change}} of what no longer is as the change set left it.

    A later change that was itself taken back leaves nothing behind: its undo gave the field the value back that the
    change set had written, so two corrections can be undone one after the other.
    """
    mine = {change.key: change for change in own}
    last: dict[Key, dict[str, Logged]] = {}
    for change in later:
        for name in change.fields:
            last.setdefault(change.key, {})[name] = change
    since: dict[Key, dict[str, Logged]] = {}
    for key, fields in last.items():
        left = mine[key]
        for name, change in fields.items():
            known = left.op == "create" or name in left.fields
            if not (change.is_undo and known and change.after(name) == left.after(name)):
                since.setdefault(key, {})[name] = change
    return since


def plan_undo(
    own: Sequence[Logged],
    later: Iterable[Logged],
    children: Iterable[tuple[Key, Logged]],
    live: Mapping[Key, bool],
    replaced: Mapping[Key, str] | None = None,
) -> UndoPlan:
    """Decide the undo of one change set by the last-writer rule. product.md, What always holds 4.

    ``own`` are its changes, ``later`` the later changes of the same records, ``children`` later creations that point
    at a record it created ((noun, id) of the parent, the child's change), ``live`` whether each record it created is
    not withdrawn, ``replaced`` {record: who} where another record stands in the place of one that made way. A field is
    restored only if no later change touched it, and a record comes back only into a free place; a creation is
    withdrawn only if nobody edited it or hung something on it since.
    """
    since = written_since(own, later)
    hung_on = dict(children)
    replaced = replaced or {}
    created = {change.key: change for change in own if change.op == "create"}
    renamed = {c.record_id for c in own if c.op == "update" and c.noun == "enterprise" and "name" in c.fields}
    stays: dict[Key, Kept] = {}
    for key in created:
        if not live.get(key, False):
            continue
        if key in since:
            stays[key] = Kept(*key, None, "edited", _last(since[key]).who)
        elif key in hung_on:
            stays[key] = Kept(*key, None, "children", hung_on[key].who)
    for part in [one for one in stays.values() if one.noun in KEEPS_WHOLE]:
        name, whole = PARTS[part.noun]
        key = (whole, created[part.noun, part.record_id].fields.get(name, 0))
        if key in created:
            stays.setdefault(key, Kept(*key, None, "children", part.who))
    plan = UndoPlan({}, [], list(stays.values()))
    for key, change in created.items():
        if live.get(key, False) and key not in stays and not _stays_with(change, stays, renamed, since):
            plan.withdraw.append(key)
    for change in own:
        if change.op == "update" and change.key not in created:
            _restore(change, since.get(change.key, {}), replaced.get(change.key), plan)
    _leave_what_has_a_successor(own, plan)
    return plan


def _last(fields: Mapping[str, Logged]) -> Logged:
    return max(fields.values(), key=lambda change: change.id)


def _stays_with(
    change: Logged, stays: Mapping[Key, Kept], renamed: set[int], since: Mapping[Key, Mapping[str, Logged]]
) -> bool:
    """Whether a creation is part of something that is kept: a record, a name (its 曾用名), a stage gone on from."""
    if change.noun not in PARTS:
        return False
    name, whole = PARTS[change.noun]
    owner = change.fields.get(name)
    if (whole, owner) in stays:
        return True
    if change.noun == "application_step":
        # The story keeps the step that later ones were taken from.
        written = since.get((whole, owner), {}) if isinstance(owner, int) else {}
        return bool({"stage_code", "outcome"} & written.keys())
    return change.noun == "enterprise_alias" and owner in renamed and "name" in since.get(("enterprise", owner), {})


def _restore(change: Logged, since: Mapping[str, Logged], replaced_by: str | None, plan: UndoPlan) -> None:
    blocked = replaced_by is not None and MADE_WAY & change.fields.keys() - since.keys()
    if blocked:
        plan.kept.append(Kept(*change.key, None, "replaced", replaced_by or ""))
    for name, (before, _after) in change.fields.items():
        if name in since:
            plan.kept.append(Kept(*change.key, name, "edited", since[name].who))
        elif not (blocked and name in MADE_WAY):
            plan.restore.setdefault(change.key, {})[name] = before


def _leave_what_has_a_successor(own: Sequence[Logged], plan: UndoPlan) -> None:
    """A withdrawn title is not brought back while the one it had corrected is left as somebody made it since."""
    for change in own:
        if change.op != "update" or "superseded_by_id" not in change.fields:
            continue
        if "superseded_by_id" in plan.restore.get(change.key, {}):
            continue
        for record_id in change.fields["superseded_by_id"]:
            corrected = (change.noun, record_id)
            if record_id is not None and "deleted" in plan.restore.get(corrected, {}):
                del plan.restore[corrected]
