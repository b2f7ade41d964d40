"""Changes as plain values: what an action hands to the writer, and how edits merge."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
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
    the stored value is neither what the editor saw nor what the editor wants; one that the editor left as it was seen
    is no edit, so theirs stands. product.md, What always holds 5.
    """
    values = {name: value for name, value in update.values.items() if current[name] != value}
    if update.version is None or update.version == current_version:
        return values, {}
    seen = update.seen
    if seen is None:
        return {}, {name: (None, current[name], value) for name, value in values.items()}
    values = {name: value for name, value in values.items() if name not in seen or seen[name] != value}
    clashes = {
        name: (seen.get(name), current[name], value)
        for name, value in values.items()
        if name not in seen or current[name] != seen[name]
    }
    return {name: value for name, value in values.items() if name not in clashes}, clashes
