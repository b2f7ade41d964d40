"""A file made for one request, sent under its name."""

from io import BytesIO

from flask import Response, request, send_file

from crm.domain.media_types import CSV, DOCX, XLSX, ZIP

# Said by us: what a machine knows of endings differs, and some call a workbook a stream of bytes.
_TYPES = {"xlsx": XLSX, "docx": DOCX, "csv": CSV, "zip": ZIP}


def as_download(content: bytes, name: str) -> Response:
    """Send what was made; the ending of its name says what it is."""
    mimetype = _TYPES[name.rpartition(".")[2]]
    return send_file(BytesIO(content), mimetype=mimetype, as_attachment=True, download_name=name)


def format_asked() -> str:
    """Excel unless the address asks for CSV."""
    return "csv" if request.args.get("format") == "csv" else "xlsx"
