"""How many tabs stand in one row above a page: the rest are behind 更多."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Tab = TypeVar("Tab")

# A ninth no longer fits beside the others on 1366 px, and nobody reads a row of more.
IN_A_ROW = 8


def in_a_row(
    every: Sequence[Tab], is_open: Callable[[Tab], bool], *, room: int = IN_A_ROW
) -> tuple[list[Tab], list[Tab]]:
    """The tabs that have room and those behind 更多; the open one is always in the row."""
    shown, rest = list(every[:room]), list(every[room:])
    hidden = [tab for tab in rest if is_open(tab)]
    if hidden:
        rest = [shown.pop(), *(tab for tab in rest if not is_open(tab))]
        shown += hidden
    return shown, rest
