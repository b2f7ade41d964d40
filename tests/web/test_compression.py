"""Pages travel packed to whoever takes it, and stay as they are to everybody else."""

import gzip

PACKED = {"Accept-Encoding": "gzip, br"}


def test_a_page_is_packed_for_a_browser_that_takes_it(sqlite_app):
    client = sqlite_app.test_client()
    plain = client.get("/sign-in")
    packed = client.get("/sign-in", headers=PACKED)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "<h1>" in gzip.decompress(packed.data).decode()
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    assert all("Accept-Encoding" in answer.headers["Vary"] for answer in (plain, packed))


def test_a_page_for_somebody_else_is_as_it_was(sqlite_app):
    plain = sqlite_app.test_client().get("/sign-in", headers={"Accept-Encoding": "identity"})

    assert "Content-Encoding" not in plain.headers
    assert plain.text.startswith("<!doctype html>")


def test_the_page_of_a_fault_is_packed_and_keeps_its_headers(sqlite_app):
    answer = sqlite_app.test_client().get("/nowhere", headers=PACKED | {"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Retarget"]) == (404, "body")
    assert gzip.decompress(answer.data).startswith(b"<!doctype html>")
