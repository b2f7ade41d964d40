"""Pages travel packed: a list of fifty firms is a tenth of its size, which is what one bar of signal can carry."""

import gzip

from flask import Flask, Response, request

# Below this a packed page is no smaller on the wire: it fits into one packet either way.
SMALLEST = 1400
# Beyond it a page gains nothing that a first visit could feel; it costs about a millisecond for a long list.
LEVEL = 6
PACKED = frozenset({"text/html", "application/json", "text/plain", "text/calendar"})


def install(app: Flask) -> None:
    """Attach it before everything that looks into an answer: what is attached first runs last."""
    app.after_request(_pack)


def _pack(response: Response) -> Response:
    """The answer, packed when the browser takes gzip and it is a page and not a file or a stream.

    What could be guessed from the length of a packed page is the token against forged requests, and that is signed
    anew for every page.
    """
    if response.mimetype not in PACKED or response.direct_passthrough or response.is_streamed:
        return response
    if "Content-Encoding" in response.headers or response.status_code in (204, 304):
        return response
    response.vary.add("Accept-Encoding")
    if "gzip" not in request.accept_encodings:
        return response
    data = response.get_data()
    if len(data) < SMALLEST:
        return response
    response.set_data(gzip.compress(data, compresslevel=LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    return response
