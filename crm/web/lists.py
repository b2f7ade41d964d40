"""What every list with columns and orders understands of its address, and the addresses it makes of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from crm.domain.viewers import PUBLIC
from crm.store.orders import MOST_KEYS, Order

# More columns than this nobody sees side by side, and an address stays short.
MOST_COLUMNS = 16


class ColumnOf(Protocol):
    """What a list says of one of its columns: its key in addresses, its head, its order key, who reads it."""

    @property
    def key(self) -> str: ...
    @property
    def head(self) -> str: ...
    @property
    def sort(self) -> str | None: ...
    @property
    def cls(self) -> str: ...


@dataclass(frozen=True)
class Column:
    """One column of a list that is no declared field: ``kind`` is its type in a file."""

    key: str
    head: str
    usual: bool = False
    sort: str | None = None
    cls: str = PUBLIC
    kind: str = "text"


def by_key(*columns: Column) -> dict[str, Column]:
    """The columns of a list in the order in which they are offered."""
    return {column.key: column for column in columns}


C = TypeVar("C", bound=ColumnOf)


def offered(columns: Mapping[str, C], *, public_only: bool = False) -> dict[str, C]:
    """The columns somebody may choose."""
    return {key: column for key, column in columns.items() if not public_only or column.cls == PUBLIC}


def chosen(keys: Sequence[str], known: Collection[str], usual: tuple[str, ...]) -> tuple[str, ...]:
    """The columns an address asks for, in its order; the usual ones when it asks for none that exists."""
    return tuple(dict.fromkeys(key for key in keys if key in known))[:MOST_COLUMNS] or usual


def said_order(order: Order) -> str:
    """An order as it stands in an address: township,-due."""
    return ",".join(f"-{key}" if descending else key for key, descending in order)


def read_order(texts: Sequence[str], known: Collection[str]) -> Order:
    """The order an address asks for; keys that are none, and those beyond MOST_KEYS, are left out."""
    found: dict[str, bool] = {}
    for part in ",".join(texts)[:200].split(","):
        key = part.strip().lstrip("-")
        if key in known and key not in found and len(found) < MOST_KEYS:
            found[key] = part.strip().startswith("-")
    return tuple(found.items())


def order_in_words(order: Order, heads: Mapping[str, str]) -> str:
    """按 乡镇（考核） 升序、下一到期 降序."""
    return "按 " + "、".join(f"{heads[key]} {'降序' if down else '升序'}" for key, down in order)


@dataclass(frozen=True)
class Shaped:
    """What an address asks of a list: order, columns and page, beside the arguments it keeps in every link."""

    order: Order
    columns: tuple[str, ...]
    number: int
    args: dict[str, Any]

    def query(self, **changes: Any) -> str:
        """The address with some arguments changed (None drops one); a new filter begins at page 1."""
        args = {**self.args, "page": None, **changes}
        lists = {key: value if isinstance(value, list | tuple) else [value] for key, value in args.items()}
        flat = [(key, one) for key, values in lists.items() for one in values if one not in (None, "", [])]
        return "?" + urlencode(flat)

    @property
    def narrowing(self) -> str:
        """The part of the address that says which rows, without order, columns and page."""
        return self.query(sort=None, columns=None, saved=None)[1:]

    @property
    def shape(self) -> str:
        """Everything a saved view keeps: filter, columns and order."""
        return self.query(saved=None)[1:]

    @property
    def cleared(self) -> str:
        """The address without any filter; columns and order stay."""
        return self.query(**{name: None for name in self.args if name not in ("sort", "columns")})

    def sorted_by(self, key: str) -> bool | None:
        """Whether the list goes from the last to the first by a key; None when the key does not order it."""
        return dict(self.order).get(key)

    def rank(self, key: str) -> int:
        """The place of a key among those in force, from 1."""
        return [k for k, _ in self.order].index(key) + 1

    def sort_href(self, key: str) -> str:
        """The address with this order alone; pressed again, the other way round."""
        turned = self.order[0][0] == key and not self.order[0][1]
        return self.query(sort=said_order(((key, turned),)))

    def also_sort_href(self, key: str) -> str:
        """The address with this key behind those in force (at most MOST_KEYS); one that is in force turns round."""
        known = dict(self.order)
        if key in known:
            order = tuple((k, not down if k == key else down) for k, down in self.order)
        else:
            order = (*self.order[: MOST_KEYS - 1], (key, False))
        return self.query(sort=said_order(order))
