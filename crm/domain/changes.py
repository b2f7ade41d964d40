"""Changes as plain values: what an action hands to the writer, how edits merge, and what an undo may restore."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Ref:
    """Stands for the id of a record that the same write creates under this key."""

    key: Hashable


@dataclass(frozen=True)
class Create:
    """A new record of a noun; ``key`` lets other changes of the same write point at it with Ref(key)."""

    noun: str
    values: Mapping[str, Any]
    key: Hashable = None


@dataclass(frozen=True)
class Update:
    """New values for some fields of a record.

    ``version`` is the version the editor saw (None: the action has just read it under the lock). ``seen`` are the
    values the editor saw: with them, edits of different fields merge although the version moved on.
    """

    noun: str
    id: int
    values: Mapping[str, Any]
    version: int | None = None
    seen: Mapping[str, Any] | None = None


def withdraw(noun: str, record_id: int, version: int | None = None) -> Update:
    """Soft deletion: an ordinary change of the field ``deleted``, so it has a history and can be undone."""
    return Update(noun, record_id, {"deleted": True}, version)


def merge(
    update: Update, current: Mapping[str, Any], current_version: int
) -> tuple[dict[str, Any], dict[str, tuple[Any, Any, Any]]]:
    """What of an update can be written over the current row, and what clashes.

    Returns ({field: value to write}, {field: (before, theirs, mine)}). A field clashes when the version moved on and
    the stored value is neither what the editor saw nor what the editor wants. product.md, What always holds 5.
    """
    values = {name: value for name, value in update.values.items() if current[name] != value}
    if update.version is None or update.version == current_version:
        return values, {}
    seen = update.seen
    if seen is None:
        return {}, {name: (None, current[name], value) for name, value in values.items()}
    clashes = {
        name: (seen.get(name), current[name], value)
        for name, value in values.items()
        if name not in seen or current[name] != seen[name]
    }
    return {name: value for name, value in values.items() if name not in clashes}, clashes


@dataclass(frozen=True)
class Logged:
    """One change as the history holds it, with values still in their JSON form."""

    id: int
    change_set_id: int
    noun: str
    record_id: int
    op: str  # create, update
    fields: Mapping[str, Any]
    who: str = ""


@dataclass(frozen=True)
class Kept:
    """Something an undo leaves as it is, and why: a later edit of a field, or a later child of a creation."""

    noun: str
    record_id: int
    field: str | None
    why: str  # "edited", "children"
    who: str


@dataclass(frozen=True)
class UndoPlan:
    """``restore`` are {(noun, id): {field: JSON value}}; ``withdraw`` are creations to be withdrawn."""

    restore: dict[tuple[str, int], dict[str, Any]]
    withdraw: list[tuple[str, int]]
    kept: list[Kept] = field(default_factory=list)

    @property
    def nothing_to_do(self) -> bool:
        return not self.restore and not self.withdraw


def plan_undo(
    own: Sequence[Logged],
    later: Iterable[Logged],
    children: Iterable[tuple[tuple[str, int], Logged]],
    live: Mapping[tuple[str, int], bool],
) -> UndoPlan:
    """Decide the undo of one change set by the last-writer rule.

    ``own`` are its changes, ``later`` the later changes of the same records, ``children`` later creations that point
    at a record it created ((noun, id) of the parent, the child's change), ``live`` whether each record it created is
    not withdrawn. A field is restored only if no later change touched it; a creation is withdrawn only if nobody
    edited it or hung something on it since. product.md, What always holds 4.
    """
    last_writer: dict[tuple[str, int], dict[str, Logged]] = {}
    edited: dict[tuple[str, int], Logged] = {}
    for change in later:
        record = (change.noun, change.record_id)
        fields = last_writer.setdefault(record, {})
        for name in change.fields:
            fields[name] = change
        edited[record] = change
    hung_on: dict[tuple[str, int], Logged] = dict(children)
    plan = UndoPlan({}, [], [])
    created = {(change.noun, change.record_id) for change in own if change.op == "create"}
    for change in own:
        record = (change.noun, change.record_id)
        if change.op == "create":
            if not live.get(record, False):
                continue
            if record in edited:
                plan.kept.append(Kept(*record, None, "edited", edited[record].who))
            elif record in hung_on:
                plan.kept.append(Kept(*record, None, "children", hung_on[record].who))
            else:
                plan.withdraw.append(record)
            continue
        if record in created:
            continue
        for name, (before, _after) in change.fields.items():
            writer = last_writer.get(record, {}).get(name)
            if writer is not None:
                plan.kept.append(Kept(*record, name, "edited", writer.who))
            else:
                plan.restore.setdefault(record, {})[name] = before
    return plan
