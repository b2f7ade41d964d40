"""Static files travel packed and are not sent twice."""

import gzip


def test_a_style_sheet_is_packed_for_a_browser_that_takes_it(sqlite_app):
    client = sqlite_app.test_client()
    plain = client.get("/static/css/tokens.css", buffered=True)
    packed = client.get("/static/css/tokens.css", headers={"Accept-Encoding": "gzip"}, buffered=True)

    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data) / 3


def test_an_unchanged_file_is_not_sent_again(sqlite_app):
    client = sqlite_app.test_client()
    etag = client.get("/static/css/tokens.css", headers={"Accept-Encoding": "gzip"}, buffered=True).headers["ETag"]

    again = client.get(
        "/static/css/tokens.css", headers={"Accept-Encoding": "gzip", "If-None-Match": etag}, buffered=True
    )

    assert (again.status_code, again.data) == (304, b"")


def test_nothing_outside_the_folder_is_served(sqlite_app):
    assert sqlite_app.test_client().get("/static/../app.py").status_code == 404
