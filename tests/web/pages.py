"""A page as a browser holds it: what a form of it would send, and the table of a conflict."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit


@dataclass
class _Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Forms with the fields a browser would send, and rows of tables as plain text."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.rows: list[list[str]] = []
        self.radios: set[str] = set()
        self._open: _Form | None = None
        self._area: str | None = None
        self._select: str | None = None
        self._cell = False

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        name, value = given.get("name"), given.get("value")
        if tag == "form":
            self._open = _Form(given.get("action") or "")
            self.forms.append(self._open)
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self._cell = True
            if self.rows:
                self.rows[-1].append("")
        if self._open is None or not name:
            if tag == "option" and self._select and self._open is not None:
                known = self._open.fields
                if "selected" in given or self._select not in known:
                    known[self._select] = value or ""
            return
        if tag == "textarea":
            self._area = name
            self._open.fields[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "input":
            kind = given.get("type", "text")
            if kind == "radio":
                self.radios.add(name)
            if kind not in ("checkbox", "radio", "submit", "file") or (kind != "file" and "checked" in given):
                self._open.fields[name] = value or ""

    def handle_endtag(self, tag):
        if tag == "form":
            self._open = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None
        elif tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data):
        if self._area is not None and self._open is not None:
            self._open.fields[self._area] += data
        elif self._cell and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def form_on(page: str, path: str) -> dict[str, str]:
    """What the form of a page that goes to this path (or, without an action, to the page itself) would send."""
    forms = [form for form in _read(page).forms if urlsplit(form.action).path in (path, "")]
    # The header of every page has forms of its own, which name where they go.
    found = [form for form in forms if urlsplit(form.action).path == path] or forms
    assert found, f"no form that goes to {path}"
    return dict(found[-1].fields)


def conflicts_on(page: str) -> list[list[str]]:
    """The rows of the table of a conflict: field, before, theirs, mine."""
    reader = _read(page)
    heads = [
        n
        for n, row in enumerate(reader.rows)
        if [cell.strip() for cell in row[:4]] == ["字段", "原来", "现在库里", "我填的"]
    ]
    if not heads:
        return []
    rows = reader.rows[heads[0] + 1 : heads[0] + 1 + sum(name.startswith("pick_") for name in reader.radios)]
    return [[cell.strip() for cell in row[:4]] for row in rows]
