"""Orders of lists: up to three keys, what is blank last in both directions and on both databases."""

from collections.abc import Collection, Mapping
from typing import Any

# (key of the list's sorts, whether from the last to the first)
Order = tuple[tuple[str, bool], ...]

# More keys than this nobody reads off a list any more.
MOST_KEYS = 3


def directions(order: Order, sorts: Mapping[str, Any], *, never_blank: Collection[str] = ()) -> list[Any]:
    """An order as the parts of ORDER BY; ``sorts`` are the columns behind the keys.

    Where nothing is blank an index can give the order, if one does not ask where the blanks go.
    """
    said = []
    for key, descending in order:
        one = sorts[key].desc() if descending else sorts[key].asc()
        said.append(one if key in never_blank else one.nulls_last())
    return said
