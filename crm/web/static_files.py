"""Static files, compressed once: the built ones have a .gz beside them, our own few are packed on first use."""

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request, send_from_directory

from crm.web.doors import ANYBODY, open_to

COMPRESSIBLE = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def install(app: Flask) -> None:
    """Replace Flask's own view of /static."""
    app.view_functions["static"] = static


@open_to(ANYBODY)
def static(filename: str) -> Response:
    """A file of crm/static; packed when the browser takes gzip, with the validators of the file itself."""
    folder = Path(current_app.static_folder or "")
    answer = send_from_directory(folder, filename, conditional=True)
    suffix = Path(filename).suffix
    if suffix not in COMPRESSIBLE or "gzip" not in request.headers.get("Accept-Encoding", ""):
        return answer
    answer.headers.add("Vary", "Accept-Encoding")
    if answer.status_code != 200:
        return answer
    file = folder / filename
    packed = Response(_packed(str(file), file.stat().st_mtime_ns), mimetype=COMPRESSIBLE[suffix])
    for name in ("ETag", "Last-Modified", "Cache-Control", "Date", "Vary"):
        if name in answer.headers:
            packed.headers[name] = answer.headers[name]
    packed.headers["Content-Encoding"] = "gzip"
    answer.close()
    return packed


@lru_cache(maxsize=64)
def _packed(path: str, _changed: int) -> bytes:
    built = Path(path + ".gz")
    if built.exists():
        return built.read_bytes()
    return gzip.compress(Path(path).read_bytes(), compresslevel=9, mtime=0)
