"""What an address of the queue asks for, and addresses that ask for something else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from werkzeug.datastructures import MultiDict

from crm.domain import reviews
from crm.web.addresses import page_number, whole

# Beside the parts of a window's queue: what has no window.
LOOSE = "loose"


@dataclass(frozen=True)
class Asked:
    """One view of the queue: region and window (None: the usual ones), a part, a page, the opened application."""

    region: int | None
    window: int | None
    shown: str
    number: int
    open: int | None

    @property
    def _kept(self) -> dict[str, Any]:
        shown = None if self.shown == reviews.WAITING else self.shown
        page = self.number if self.number > 1 else None
        return {"region": self.region, "window": self.window, "shown": shown, "page": page, "open": self.open}

    def query(self, **changed: Any) -> str:
        """The same view with something else asked for; another part or window begins at its first page, closed."""
        kept = self._kept | {"page": None, "open": None} | changed
        return _query(kept)

    def same(self, **changed: Any) -> str:
        """The same page, with another application open or none."""
        return _query(self._kept | {"open": None} | changed)


def _query(args: Mapping[str, Any]) -> str:
    said = urlencode({name: value for name, value in args.items() if value not in (None, "")})
    return f"?{said}" if said else ""


def read(args: MultiDict) -> Asked:
    """What the arguments of an address ask for; nonsense asks for the usual."""
    shown = args.get("shown", "")
    return Asked(
        region=whole(args.get("region")),
        window=whole(args.get("window")),
        shown=shown if shown in (*reviews.BUCKETS, LOOSE) else reviews.WAITING,
        number=page_number(args),
        open=whole(args.get("open")),
    )


def read_path(path: str) -> Asked:
    """The view a form was opened from, by the address it carries."""
    return read(MultiDict(parse_qsl(urlsplit(path).query)))
