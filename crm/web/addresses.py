"""What an address and a form may carry into the application: numbers a database can hold, texts without NUL."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask, Request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.routing import IntegerConverter, PathConverter, UnicodeConverter

# Eighteen digits fit into the widest whole number of both databases, which is enough for rows that grow for ever.
ID_DIGITS = 18
LARGEST_ID = 10**ID_DIGITS - 1
# The widest of their ordinary columns: versions, years, counts, and the places and people that a standing repeats.
LARGEST_COUNT = 2**31 - 1
# Beyond it a list of a million rows has ended; the rows before a page are counted, so it must not be any number.
LAST_PAGE = 100_000


def whole(text: str | None, *, largest: int = LARGEST_ID) -> int | None:
    """The whole number a text is, from 0 to ``largest``; None for anything else."""
    text = (text or "").strip()
    # Python would read thousands of digits, and ² counts as one to it.
    if not (text.isascii() and text.isdigit() and len(text) <= ID_DIGITS):
        return None
    number = int(text)
    return number if number <= largest else None


def wholes(texts: Iterable[str], *, largest: int = LARGEST_ID) -> list[int]:
    """The whole numbers among some texts, such as the ids a form sends; what somebody made up is left out."""
    return [number for text in texts if (number := whole(text, largest=largest)) is not None]


def count_in(text: str | None) -> int | None:
    """How many somebody typed, 1,200 as well as 1200; None for what is no number."""
    return whole((text or "").replace(",", ""), largest=LARGEST_COUNT)


def version_in(text: str | None) -> int:
    """The version of a record as a form carries it along; 0, which no stored record has, for anything else."""
    return whole(text, largest=LARGEST_COUNT) or 0


def page_number(args: Mapping[str, str]) -> int:
    """The page of a list an address asks for; the first when it asks for none."""
    return min(max(whole(args.get("page")) or 1, 1), LAST_PAGE)


class RowId(IntegerConverter):
    """A part of an address that is the number of a row; a number no row can have leads nowhere (404)."""

    regex = f"[0-9]{{1,{ID_DIGITS}}}"


class Part(UnicodeConverter):
    """A part of an address that is a word; with a NUL in it, which PostgreSQL cannot be asked for, it leads nowhere."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.regex = self.regex.replace("[^/]", "[^/\\x00]")


class Path(PathConverter):
    regex = "[^/\\x00][^\\x00]*?"


class Texts(ImmutableMultiDict):
    """Arguments and fields without NUL characters: nobody types them, and PostgreSQL keeps none."""

    def __init__(self, mapping: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        given = MultiDict(mapping)
        super().__init__([(_plain(name), _plain(value)) for name, value in given.items(multi=True)])


def _plain(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value


class Asked(Request):
    """A request whose arguments and form fields are Texts."""

    parameter_storage_class = Texts


def install(app: Flask) -> None:
    """Before the first route is made."""
    app.request_class = Asked
    app.url_map.converters = {**app.url_map.converters, "int": RowId, "default": Part, "string": Part, "path": Path}
