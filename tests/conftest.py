"""Databases and the cast for every test: a migrated SQLite file or a PostgreSQL template, copied per test."""

import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from crm.app import create_app
from crm.config import load_settings
from crm.domain.acts import Act
from crm.domain.viewers import the_machine
from crm.extensions import db
from tests.another_day import sitecustomize  # noqa: F401 (a run with CRM_TEST_DAYS is on another day)

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # a Monday, ten in the morning in 巫溪
TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def no_outside_network(monkeypatch):
    """Nothing in a test may leave this machine."""
    real = socket.socket.connect

    def connect(self, address):
        host = address[0] if isinstance(address, tuple) else ""
        if host and host not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a test tried to reach {host}")
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


def settings_for(folder: Path, database_url: str = ""):
    """Infrastructure settings of a test: its own instance folder, no mail server, no demo."""
    return load_settings(
        {"INSTANCE_DIR": str(folder), "DATABASE_URL": database_url, "DEMO": "0", "SECRET_KEY": "t" * 48}
    )


def build(settings, **overrides):
    return create_app(settings, TESTING=True, BUSY_SECONDS=overrides.pop("BUSY_SECONDS", 5.0), **overrides)


def initialise(settings) -> None:
    """Migrate an empty database and load the places every installation starts with."""
    from crm.actions.places import load_places
    from crm.store.migrating import migrate
    from crm.store.unit_of_work import unit_of_work

    app = build(settings)
    with app.app_context():
        migrate()
        with unit_of_work():
            load_places(act=Act(the_machine("测试"), "cli", NOW, TODAY))
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    initialise(settings_for(folder))
    return folder


@pytest.fixture(scope="session")
def postgres_server():
    """A throw-away cluster of Debian's PostgreSQL on a free port, gone with the session."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert found, "PostgreSQL is not installed: apt-get install postgresql (scripts/test does it when it may)"
    bin_dir = found[-1].parent
    # Not among pytest's own folders: another test run makes those private to root, and the server dies of it.
    folder = Path(tempfile.mkdtemp(prefix="crm-test-postgres-"))
    data = folder / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root.
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": "/"}
    subprocess.run(
        [*as_user, bin_dir / "initdb", "-D", data, "-U", "crm", "-A", "trust", "-E", "UTF8", "--locale=C"],
        check=True,
        **quiet,
    )
    careless = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    options = f"-p {port} -h 127.0.0.1 -k {folder} {careless} -c max_connections=60"
    subprocess.run(
        [*as_user, bin_dir / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start"],
        check=True,
        **quiet,
    )
    url = f"postgresql://crm@127.0.0.1:{port}"
    yield url
    subprocess.run([*as_user, bin_dir / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=False, **quiet)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_server, tmp_path_factory) -> str:
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_crm")
    initialise(settings_for(tmp_path_factory.mktemp("pgtemplate"), f"{postgres_server}/template_crm"))
    return "template_crm"


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests; two Playwrights at once would disturb each other."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "Chromium is not installed: apt-get install chromium (scripts/test does it when it may)"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request, tmp_path):
    """Settings of a fresh, migrated database with places; once for each kind of database."""
    return fresh_settings(request.param, request, tmp_path)


@pytest.fixture
def sqlite_settings(request, tmp_path):
    return fresh_settings("sqlite", request, tmp_path)


_made = 0


def fresh_settings(kind: str, request, tmp_path: Path):
    global _made
    if kind == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        shutil.copy(template / "crm.db", tmp_path / "crm.db")
        return settings_for(tmp_path)
    server = request.getfixturevalue("postgres_server")
    template_name = request.getfixturevalue("postgres_template")
    _made += 1
    name = f"test_{_made}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_name}")
    request.addfinalizer(lambda: _drop(server, name))
    return settings_for(tmp_path, f"{server}/{name}")


def _drop(server: str, name: str) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def app(settings):
    """The application on a fresh database, inside its context."""
    yield from _running(settings)


@pytest.fixture
def sqlite_app(sqlite_settings):
    yield from _running(sqlite_settings)


def _running(settings):
    from huey import MemoryHuey

    application = build(replace(settings), HUEY=MemoryHuey("tests", immediate=False))
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()
