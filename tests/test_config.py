"""Infrastructure settings: a wrong value of any of them stops the start with one sentence that names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from huey import MemoryHuey

from crm.config import NAMES, ROOT, SettingsError, load_settings
from crm.extensions import db
from tests.conftest import build, settings_for

WRONG = {
    "HOST": ["no host", "局域网", "http://127.0.0.1", "a..b", "[::1]", "127.0.0.1:8000"],
    "PORT": ["eighty", "0", "65536", "-1", "80.5", " 80"],
    "INSTANCE_DIR": ["/proc/nowhere", "/dev/null/instance", "/dev/null"],
    "DATABASE_URL": [
        "mysql://u:p@h/db",
        "crm.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "postgresql://u:p@h:notaport/db",
        "postgresql://u:p@h:99999/db",
        "postgresql://u:p@h",
        "postgresql://",
    ],
    "SECRET_KEY": ["abc", "x" * 31],
    "SMTP_URL": [
        "mail.example.cn",
        "http://h",
        "smtp://",
        "smtp://h:abc",
        "smtp://h:99999",
        "smtp://h:0",
        "smtp://h?starttls=maybe",
        "smtp://h?starttls",
        "smtp://h?startls=1",
        "smtp://h?starttls=1&starttls=0",
        "smtp://h?starttls=1&timeout=5",
        "smtps://h?starttls=1",
        "smtp://u:p#w@h",
        "smtp://u:p/w@h",
        "smtp://h/inbox",
        "smtp://a b",
        "smtp://邮局",
        "smtp://[::1",
    ],
    "MAIL_FROM": [
        "nonsense",
        "科技局",
        "科技局@kjj.example",
        "a@b",
        "a@b.cn, c@d.cn",
        "a b@c.cn",
        "@b.cn",
        "a@",
        "局 <局>",
    ],
    "PUBLIC_URL": [
        "nonsense",
        "ftp://x",
        "https://",
        "http://h:abc",
        "http://h:70000",
        "http://u:p@h",
        "http://h?x=1",
        "http://h#top",
        "http://a b",
    ],
    "WEB_WORKERS": ["0", "many", "65"],
    "JOB_WORKERS": ["0", "1.5", "-2"],
    "TZ_NAME": ["Peking", "Asia", "../etc/passwd", "UTC+8"],
    "DEMO": ["maybe", "关", "2", "none", "nope"],
}

RIGHT = {
    "HOST": ["127.0.0.1", "0.0.0.0", "::1", "localhost", "crm.example.gov.cn"],
    "PORT": ["1", "8000", "65535"],
    "DATABASE_URL": ["postgresql://u:p%40w@h:5432/db", "postgres://h/db", "postgresql:///db", "sqlite:////srv/crm.db"],
    "SECRET_KEY": ["x" * 32],
    "SMTP_URL": [
        "smtp://h",
        "smtp://h/",
        "smtp://user:p%23w@mail.example.cn:587?starttls=1",
        "smtp://h?starttls=no",
        "smtp://10.0.0.1:25",
        "smtp://[::1]:25",
        "smtps://u:p@h",
        "smtps://h?starttls=0",
    ],
    "MAIL_FROM": ["no-reply@localhost", "kjj@cqwx.gov.cn", "科技局 <kjj@cqwx.gov.cn>", "<kjj@cqwx.gov.cn>"],
    "PUBLIC_URL": ["http://127.0.0.1:8000", "https://crm.example.gov.cn/", "http://[::1]:8000", "https://h/crm"],
    "WEB_WORKERS": ["1", "64"],
    "JOB_WORKERS": ["1", "64"],
    "TZ_NAME": ["Asia/Shanghai", "Asia/Urumqi", "UTC"],
    "DEMO": ["0", "1", "yes", "no", "true", "False", "ON", "off"],
}


def cases(book: dict[str, list[str]]) -> list:
    return [pytest.param(name, value, id=f"{name}={value[:40]}") for name, values in book.items() for value in values]


def loaded(folder: Path, **environ: str):
    return load_settings({"INSTANCE_DIR": str(folder), **environ})


def test_every_setting_has_a_wrong_value_here():
    assert list(WRONG) == list(NAMES)


@pytest.mark.parametrize(("name", "value"), cases(WRONG))
def test_a_wrong_value_is_one_sentence_that_names_the_setting(tmp_path, name, value):
    with pytest.raises(SettingsError) as refusal:
        loaded(**{"folder": tmp_path, name: value})

    said = str(refusal.value)
    assert name in said
    assert said.endswith(".")
    assert "\n" not in said


@pytest.mark.parametrize(("name", "value"), cases(RIGHT))
def test_a_right_value_is_taken(tmp_path, name, value):
    settings = loaded(**{"folder": tmp_path, name: value})

    assert getattr(settings, name.lower()) is not None


@pytest.mark.parametrize(
    ("value", "meaning"), [("on", True), ("1", True), ("Yes", True), ("off", False), ("no", False)]
)
def test_yes_and_no_may_be_said_in_several_ways(tmp_path, value, meaning):
    assert loaded(tmp_path, DEMO=value).demo is meaning


@pytest.mark.parametrize("name", [name for name in NAMES if name != "INSTANCE_DIR"])
def test_an_empty_value_counts_as_not_set(tmp_path, name):
    assert loaded(tmp_path, **{name: ""}) == loaded(tmp_path)


def test_the_file_of_the_instance_is_read_and_checked_like_the_environment(tmp_path):
    (tmp_path / "config.py").write_text("PORT = 8080\nDEMO = False\nSMTP_URL = None\n")
    read = loaded(tmp_path)
    (tmp_path / "config.py").write_text("DEMO = 'maybe'\n")

    with pytest.raises(SettingsError, match="DEMO"):
        loaded(tmp_path)
    assert (read.port, read.demo, read.smtp_url) == (8080, False, None)
    assert loaded(tmp_path, DEMO="0").demo is False


@pytest.mark.parametrize("text", ["PORT = ", "raise ValueError('two\\nlines')", "INSTANCE_DIR = '/srv/crm'"])
def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path, text):
    (tmp_path / "config.py").write_text(text)

    with pytest.raises(SettingsError, match=r"config\.py") as refusal:
        loaded(tmp_path)

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("spoil", ["folder", "short", "bytes"])
def test_a_key_that_cannot_be_kept_or_read_is_one_sentence(tmp_path, spoil):
    file = tmp_path / "secret_key"
    if spoil == "folder":
        file.mkdir()
    else:
        file.write_bytes(b"abc" if spoil == "short" else b"\xff" * 48)

    with pytest.raises(SettingsError, match="secret_key") as refusal:
        loaded(tmp_path)

    assert "\n" not in str(refusal.value)


def test_the_usual_address_of_an_ipv6_host_can_be_opened(tmp_path):
    assert loaded(tmp_path, HOST="::1").public_url == "http://[::1]:8000"


# --- a database that does not answer -------------------------------------------------------------------------------

# Port 1 answers nobody.
UNREACHABLE = {
    "no server": ("postgresql://crm:geheim@127.0.0.1:1/crm", "127.0.0.1:1/crm"),
    "no such host": ("postgresql://crm:geheim@no.such.host.invalid/crm", "no.such.host.invalid"),
    "no folder": ("sqlite:////nowhere/at/all/crm.db", "/nowhere/at/all"),
    "a folder instead of a file": ("sqlite:////tmp", "/tmp"),
}


@pytest.fixture(params=UNREACHABLE, ids=lambda name: name.replace(" ", "_"))
def unreachable(request):
    return UNREACHABLE[request.param]


def said_once(stderr: str, mark: str) -> bool:
    return len(stderr.splitlines()) == 1 and mark in stderr and "geheim" not in stderr and "DATABASE_URL" in stderr


@pytest.mark.parametrize("command", [["init"], ["user", "passwd", "lina"], ["jobs", "list"], ["demo", "--seed", "1"]])
def test_a_command_without_its_database_says_so_in_one_sentence(tmp_path, unreachable, command):
    url, mark = unreachable
    app = build(settings_for(tmp_path, url), HUEY=MemoryHuey("tests"))

    result = app.test_cli_runner().invoke(args=command)

    assert result.exit_code == 1
    assert said_once(result.stderr, mark), result.output
    with app.app_context():
        db.engine.dispose()


def test_a_check_without_its_database_says_only_that(tmp_path, unreachable):
    url, mark = unreachable
    app = build(settings_for(tmp_path, url), HUEY=MemoryHuey("tests"))

    result = app.test_cli_runner().invoke(args=["check"])

    assert (result.exit_code, result.stderr) == (1, "")
    assert said_once(result.stdout, mark)
    with app.app_context():
        db.engine.dispose()


def test_a_database_that_nobody_made_is_named(tmp_path, postgres_server):
    app = build(settings_for(tmp_path, f"{postgres_server}/nobody_made_it"), HUEY=MemoryHuey("tests"))

    result = app.test_cli_runner().invoke(args=["init"])

    assert result.exit_code == 1
    assert said_once(result.stderr, 'database "nobody_made_it" does not exist')
    with app.app_context():
        db.engine.dispose()


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "crm.db").write_bytes(b"not a database at all, but long enough to be looked at" * 40)
    app = build(settings_for(tmp_path), HUEY=MemoryHuey("tests"))

    result = app.test_cli_runner().invoke(args=["init"])

    assert result.exit_code == 1
    assert said_once(result.stderr, "crm.db")
    with app.app_context():
        db.engine.dispose()


STARTS = {
    "supervise": [str(ROOT / "scripts" / "supervise.py"), "--check-only"],
    "first_run": [str(ROOT / "scripts" / "first_run.py")],
    "web": ["-c", "import wsgi"],
    "flask": ["-m", "flask", "--app", "wsgi", "init"],
}


def started(how: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in NAMES}
    return subprocess.run(
        [sys.executable, *STARTS[how]],
        cwd=ROOT,
        env={**clean, "INSTANCE_DIR": str(folder), "PORT": "18953", **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("how", STARTS)
def test_every_way_to_start_refuses_a_wrong_value_in_one_sentence(tmp_path, how):
    done = started(how, tmp_path, SMTP_URL="smtp://h?startls=1")

    assert done.returncode != 0
    assert [line for line in done.stderr.splitlines() if "SMTP_URL" in line] == done.stderr.splitlines()
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("how", STARTS)
def test_every_way_to_start_names_a_database_that_does_not_answer(tmp_path, how):
    done = started(how, tmp_path, DATABASE_URL="postgresql://crm:geheim@127.0.0.1:1/crm")

    assert done.returncode != 0
    assert said_once(done.stderr, "127.0.0.1:1/crm"), done.stderr


def test_looking_for_the_database_makes_none(tmp_path):
    done = started("supervise", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "crm.db").exists()
