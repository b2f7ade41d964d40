"""A day at the shell: any that the product can reckon with, and a sentence about every other."""

import click
import pytest
import time_machine

from tests.builders import NOW
from tests.jobs.week import make_week


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


CALLS = {
    "due": ["due", "--days", "3660"],
    "digest": ["digest"],
    "digest preview": ["digest", "--preview"],
    "recompute": ["jobs", "run", "recompute"],
    "put_back": ["jobs", "run", "put_back_lost_jobs"],
    "prune": ["jobs", "run", "prune"],
    "assess": ["assess"],
    "rules show": ["rules", "show", "tech_sme"],
    "export": ["export", "generic", "-o", "out.xlsx"],
    "demo": ["demo", "--seed", "1"],
}


def takes_a_day(command: click.Command, name: str = "") -> list[str]:
    if isinstance(command, click.Group):
        return [found for sub, one in command.commands.items() for found in takes_a_day(one, f"{name} {sub}".strip())]
    return [name] if any("--on" in option.opts for option in command.params) else []


def test_every_command_that_takes_a_day_is_tried_here(sqlite_app):
    tried = {" ".join(word for word in call if not word.startswith("-")) for call in CALLS.values()}

    assert [name for name in takes_a_day(sqlite_app.cli) if not any(one.startswith(name) for one in tried)] == []


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2100-01-01", "2026-02-30", "tomorrow"])
def test_a_day_nobody_can_reckon_with_exits_with_2(sqlite_app, call, day):
    result = sqlite_app.test_cli_runner().invoke(args=[*CALLS[call], "--on", day])

    said = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert (result.exit_code, result.stdout, len(said)) == (2, "", 1)
    assert day in said[0]


@pytest.mark.parametrize("call", [call for call in CALLS if call != "demo"])
@pytest.mark.parametrize("day", ["1949-01-01", "2099-12-31"])
def test_the_first_and_the_last_day_can_be_reckoned_with(sqlite_app, call, day, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_week()

    result = sqlite_app.test_cli_runner().invoke(args=[*CALLS[call], "--on", day])

    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (0, 1)
    assert "Traceback" not in result.output
