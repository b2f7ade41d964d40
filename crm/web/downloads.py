"""A file made for one request, sent under its name; what every list that goes out keeps to."""

from collections.abc import Callable
from io import BytesIO

from flask import Response, request, send_file

from crm.domain.media_types import CSV, DOCX, XLSX, ZIP
from crm.web.doors import viewer
from crm.web.sign_in import proof

# As many rows of a list as one file holds: they are written in about the time a person waits.
MOST_ROWS = 100_000

# Said by us: what a machine knows of endings differs, and some call a workbook a stream of bytes.
_TYPES = {"xlsx": XLSX, "docx": DOCX, "csv": CSV, "zip": ZIP}


def as_download(content: bytes, name: str) -> Response:
    """Send what was made; the ending of its name says what it is."""
    mimetype = _TYPES[name.rpartition(".")[2]]
    return send_file(BytesIO(content), mimetype=mimetype, as_attachment=True, download_name=name)


def format_asked() -> str:
    """Excel unless the address asks for CSV."""
    return "csv" if request.args.get("format") == "csv" else "xlsx"


def left_out(total: int, unit: str) -> str:
    """What a file of a list does not hold, in one clause beside its filter; "" when it holds all of it."""
    beyond = total - MOST_ROWS
    return f"另有 {beyond:,} {unit}没有导出，先筛选再导" if beyond > 0 else ""


def offered(total: int, unit: str) -> str:
    """What the link to a file of a list says of it, before anybody presses it."""
    beyond = total - MOST_ROWS
    return f"导出前 {MOST_ROWS:,} {unit}，另有 {beyond:,} {unit}先筛选再导" if beyond > 0 else f"导出 {total:,} {unit}"


def asks_first(rows: int, every: Callable[[], int], what: str):
    """The page that asks who sits there, where a file would hold everything of a region; None: it may go out.

    ``every`` counts the list without its filter. An unlocked screen of who answers for a region is not enough for that;
    others take away at most what is theirs.
    """
    if not rows or not viewer().has("bureau", "leader", "admin") or proof.is_proved() or rows != every():
        return None
    return proof.ask_again(what)
