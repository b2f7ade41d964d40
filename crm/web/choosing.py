"""What is chosen in a list: rows ticked by their keys, or all of a filter with the count that was seen."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

from flask import request

from crm.domain.refusals import Refused
from crm.web.addresses import Texts, whole

# More than these are not ticked by hand; somebody who means so many means a filter.
MOST_TICKED = 5_000
# An address that our lists make is never longer.
MOST_ADDRESS = 8_000

# What a form calls a row: an id, or several parts.
K = TypeVar("K", bound=int | tuple[Any, ...])


@dataclass(frozen=True)
class Selection(Generic[K]):
    """The chosen rows in the order of the list, and what has to be sent again to mean the same ones.

    ``asked`` is the list it was chosen in; ``expected`` the count that was seen when ``all`` of it were chosen, and
    ``left_out`` those unticked again.
    """

    ids: tuple[int, ...]
    keys: tuple[K, ...]
    asked: Any
    all: bool
    expected: int
    left_out: tuple[K, ...]

    @property
    def carried(self) -> dict[str, str]:
        """The fields of a form that chooses the same ones again."""
        if self.all:
            chosen = {"all": "1", "expected": str(self.expected), "left_out": _said(self.left_out)}
        else:
            chosen = {"ids": _said(self.keys)}
        return chosen | {"asked": self.asked.query(page=None)[1:]}

    @property
    def back(self) -> str:
        """The list it was chosen in, with its filter, columns and order."""
        return self.asked.query(page=None)


@dataclass(frozen=True)
class Kind(Generic[K]):
    """A list in which rows are chosen: what its rows are called and counted in, and how they are found.

    ``read`` reads keys out of a form's texts; ``everything`` are the ids that a list's filter finds; ``ids_of`` are
    those of keys in the order of the list, as far as the viewer may see them; ``keys_of`` is its inverse.
    """

    noun: str
    unit: str
    read: Callable[[str], tuple[K, ...]]
    everything: Callable[[Any], Sequence[int]]
    ids_of: Callable[[tuple[K, ...], Any], Sequence[int]]
    keys_of: Callable[[tuple[int, ...]], tuple[K, ...]]
    without: Callable[[tuple[K, ...]], Collection[int]]


def address_in_form() -> Texts:
    """The address of the list in which it was chosen, carried along in the form."""
    return Texts(parse_qsl(request.form.get("asked", "")[:MOST_ADDRESS]))


def choose(kind: Kind[K], asked: Any) -> Selection[K]:
    """What the form of this request chooses.

    “All” means exactly those that the filter finds now, and only while they are as many as the person saw. Raises
    Refused with both numbers when they are not, and when nothing was chosen.
    """
    form, unit = request.form, kind.unit
    every = form.get("all") == "1"
    left_out: tuple[K, ...] = ()
    if every:
        found = kind.everything(asked)
        expected = whole(form.get("expected")) or 0
        if len(found) != expected:
            raise Refused(f"选中时这个筛选有 {expected:,} {unit}，现在是 {len(found):,} {unit}。看过名单再选一次。")
        left_out = kind.read(form.get("left_out", ""))
        gone = kind.without(left_out)
        ids = tuple(i for i in found if i not in gone)
    else:
        ticked = kind.read(",".join([form.get("ids", ""), *form.getlist("pick")]))
        if len(ticked) > MOST_TICKED:
            raise Refused(f"一次最多逐个选 {MOST_TICKED:,} {unit}。用筛选加“选中全部”。")
        ids = tuple(kind.ids_of(ticked, asked))
        expected = len(ids)
    if not ids:
        raise Refused(f"没有选中{kind.noun}。先在名单里选。")
    return Selection(ids, kind.keys_of(ids), asked, every, expected, left_out)


def _said(keys: Sequence[K]) -> str:
    return ",".join(":".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in keys)
