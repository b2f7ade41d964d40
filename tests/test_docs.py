"""The documents tell the truth: every command, script, setting and route they name exists."""

import re
from pathlib import Path

import pytest

from crm.config import NAMES, ROOT

DOCS = ("README.md", "README.zh-CN.md", "docs/operations.md", "docs/architecture.md", "docs/performance.md")


@pytest.fixture(params=DOCS)
def document(request) -> str:
    return (ROOT / request.param).read_text()


def test_every_command_named_exists(document, sqlite_app):
    named = {tuple(m.split()) for m in re.findall(r"flask --app wsgi ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)", document)}

    for words in named:
        command = sqlite_app.cli
        for word in words:
            found = getattr(command, "commands", {}).get(word)
            if found is None:
                assert command is not sqlite_app.cli, f"no command {' '.join(words)}"
                break
            command = found


def test_every_script_named_exists(document):
    for name in re.findall(r"\bscripts/([a-z_]+(?:\.py)?)\b", document):
        assert (ROOT / "scripts" / name).exists(), f"scripts/{name}"


def test_every_setting_named_exists(document, request):
    if "architecture" in request.node.callspec.params["document"]:
        return  # its capitals are SQL; the settings stand in the other documents
    for name in re.findall(r"`([A-Z][A-Z_]{3,})(?:=[^`]*)?`", document):
        assert name in NAMES or name in (
            "DATE",
            "FILE",
            "LOGIN",
            "BATCH",
            "PROFILE",
            "CODE",
            "KIND",
            "MIT",
            "BENCH_DIR",
            "SSL_CERT_FILE",  # OpenSSL's own, tried in tests/mail/test_encryption.py
        ), name


def test_every_route_named_exists(document, sqlite_app):
    adapter = sqlite_app.url_map.bind("localhost")
    for path in re.findall(r"`(?:GET )?(/[a-z][a-z/-]*)`", document):
        assert adapter.allowed_methods(path), path


def test_every_picture_and_file_linked_exists(document, request):
    folder = Path(ROOT / request.node.callspec.params["document"]).parent
    for target in re.findall(r"\]\((?!http)([^)#]+)", document):
        assert (folder / target).exists(), target


def test_every_setting_is_documented_for_operators():
    operations = (ROOT / "docs/operations.md").read_text()

    assert [name for name in NAMES if f"`{name}`" not in operations] == []
