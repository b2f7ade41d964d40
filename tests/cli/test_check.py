"""`check` says what is wrong in sentences, and nothing when nothing is."""

import json
import os
from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import update

from crm.extensions import db
from crm.store import file_store
from crm.store.enterprises import Affiliation
from crm.store.jobs import Heartbeat
from crm.store.messages import Message
from crm.store.obligations import Obligation
from crm.store.qualifications import Qualification
from crm.store.standings import SearchText, Spell, Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.users import User
from tests.builders import NOW, make_enterprise, make_user
from tests.walls import two_districts


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(NOW, tick=True):
        yield


def run(app, *arguments):
    return app.test_cli_runner().invoke(args=["check", *arguments])


def problems(app, *arguments) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in json.loads(run(app, "--json", *arguments).stdout)["problems"]:
        found.setdefault(problem["what"], []).append(problem["sentence"])
    return found


def healthy(app) -> None:
    """Somebody is administrator, the scheduler is alive; only the mail server of a test is missing."""
    make_user("boss", "admin")
    with unit_of_work() as work:
        work.add(Heartbeat(name="scheduler", seen_at=NOW))


def test_a_healthy_place_lacks_its_mail_server_only(app):
    healthy(app)
    make_enterprise(titles=[("hnte", NOW.date().replace(year=2024), NOW.date().replace(year=2027))])

    found = problems(app, "--all")

    assert set(found) == {"mail"}
    assert "SMTP_URL" in found["mail"][0]


def test_every_district_of_the_walls_is_in_order(app):
    two_districts()
    healthy(app)

    found = problems(app, "--all")

    assert set(found) == {"mail"}
    assert any("1" in sentence or "2 messages" in sentence for sentence in found["mail"])


def test_the_exit_code_says_whether_anything_is_wrong(sqlite_app, monkeypatch):
    healthy(sqlite_app)
    wrong = run(sqlite_app)
    monkeypatch.setattr("crm.cli.check._mail", lambda: iter(()))

    right = run(sqlite_app)

    assert (wrong.exit_code, right.exit_code) == (1, 0)
    assert right.stdout.startswith("Nothing is wrong")


@pytest.mark.parametrize(
    ("model", "values", "what"),
    [
        (Standing, {"rung": 4}, "standing"),
        (Spell, {"kind": "srdi"}, "spell"),
        (SearchText, {"haystack": "x"}, "search"),
        (Obligation, {"due_at": NOW}, "obligation"),
    ],
    ids=["standing", "spell", "search text", "obligation"],
)
def test_a_projection_that_differs_from_the_facts_is_named(app, model, values, what):
    healthy(app)
    # A certificate that ended this month: its renewal is in hand.
    enterprise_id = make_enterprise(
        titles=[("hnte", NOW.date().replace(year=2023, day=28), NOW.date().replace(day=27))]
    )
    with unit_of_work() as work:
        changed = work.execute(update(model).where(model.enterprise_id == enterprise_id).values(values)).rowcount

    found = problems(app, "--all")

    assert changed >= 1
    assert [s for s in found["projections"] if f"stored {what} of 1" in s and str(enterprise_id) in s]


def test_a_standing_that_is_lost_is_counted(app):
    healthy(app)
    enterprise_id = make_enterprise()
    with unit_of_work() as work:
        work.delete(work.get(SearchText, enterprise_id))
        work.delete(work.get(Standing, enterprise_id))

    assert "1 enterprises have no standing" in problems(app)["projections"][0]


def test_standings_of_a_day_to_come_are_named_and_computed_back(app):
    healthy(app)
    make_enterprise()
    runner = app.test_cli_runner()
    runner.invoke(args=["jobs", "run", "recompute", "--on", "2030-01-01"])

    ahead = problems(app, "--all")["projections"]
    runner.invoke(args=["jobs", "run", "recompute"])

    assert len(ahead) == 1
    assert "1 enterprises were computed for a day that has not come (up to 2030-01-01)" in ahead[0]
    assert "`jobs run recompute`" in ahead[0]
    assert "projections" not in problems(app, "--all")


def test_missing_damaged_and_stray_files_are_told_apart(sqlite_app):
    healthy(sqlite_app)
    kept = {name: file_store.keep(name.encode()) for name in ("gone", "torn", "fine")}
    with unit_of_work():
        ids = {name: file_store.record(one, name=name, purpose="import", at=NOW).id for name, one in kept.items()}
    file_store.path_of(kept["gone"].sha256).unlink()
    torn = file_store.path_of(kept["torn"].sha256)
    torn.chmod(0o600)
    torn.write_bytes(b"other")
    stray: Path = file_store.folder() / "ab" / ("ab" + "0" * 62)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    half = file_store.folder() / "incoming-abc"
    half.write_bytes(b"half")
    foreign = file_store.folder() / "ab" / ("ab" + "1" * 62)
    foreign.write_bytes(b"of another database")
    for place, at in ((stray, NOW), (half, NOW), (foreign, NOW - timedelta(days=400))):
        os.utime(place, (at.timestamp() + 60, at.timestamp() + 60))

    with time_machine.travel(NOW + timedelta(days=2), tick=True):
        said = problems(sqlite_app, "--all")["files"]

    assert [sentence.split(" ")[0] for sentence in said] == ["1"] * 5
    assert f"ids {ids['gone']})" in said[0]
    assert f"ids {ids['torn']})" in said[1]
    assert "belong to no record" in said[2]
    assert "`jobs run prune`" in said[2]
    assert "cut short" in said[3]
    assert "older than this database" in said[4]


def test_an_upload_that_is_still_going_on_is_nothing_wrong(sqlite_app):
    healthy(sqlite_app)
    kept = file_store.keep(b"a record will follow")
    half = file_store.folder() / "incoming-abc"
    half.write_bytes(b"half")
    for place in (file_store.path_of(kept.sha256), half):
        os.utime(place, (NOW.timestamp() + 60, NOW.timestamp() + 60))

    with time_machine.travel(NOW + timedelta(hours=20), tick=True):
        found = problems(sqlite_app)

    assert "files" not in found


def test_an_unknown_year_of_holidays_is_named(sqlite_app):
    healthy(sqlite_app)

    with time_machine.travel(NOW.replace(year=2039), tick=False):
        said = problems(sqlite_app)["holidays"]

    assert "2039" in said[0]


def test_a_silent_scheduler_is_named_with_its_last_moment(sqlite_app):
    make_user("boss", "admin")
    never = problems(sqlite_app)["scheduler"][0]
    with unit_of_work() as work:
        work.add(Heartbeat(name="scheduler", seen_at=NOW - timedelta(hours=3)))

    silent = problems(sqlite_app)["scheduler"][0]

    assert "never run" in never
    assert "2026-11-22 23:00" in silent


def test_a_message_that_nobody_knows_the_fate_of_is_named(sqlite_app):
    own, _foreign = two_districts()
    with unit_of_work() as work:
        work.get(Message, own.ids["message"]).state = "failed"

    said = problems(sqlite_app)["mail"]

    assert any("1 messages may or may not have been sent" in sentence for sentence in said)
    assert any("1 messages could not be sent" in sentence for sentence in said)


def test_a_place_without_administrator_says_how_to_make_one(sqlite_app):
    assert "user add" in problems(sqlite_app)["accounts"][0]


def test_a_row_that_points_at_nothing_is_named(sqlite_app):
    healthy(sqlite_app)
    db.session.remove()
    import sqlite3

    raw = sqlite3.connect(db.engine.url.database)
    raw.execute("INSERT INTO window (region_id, kind, year, batch, status) VALUES (999999, 'hnte', 2026, '', 'closed')")
    raw.commit()
    raw.close()

    assert "1 rows of window" in problems(sqlite_app)["foreign_keys"][0]


def test_another_schema_is_the_only_thing_said(sqlite_app):
    with unit_of_work() as work:
        work.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    result = run(sqlite_app)

    assert result.exit_code == 1
    assert len(result.stdout.strip().splitlines()) == 1
    assert "newer version" in result.stdout


def test_a_place_taken_twice_and_a_person_who_is_gone_are_named(app):
    healthy(app)
    gone = make_user("xianghe", "case_manager", name="向禾").user_id
    firm = make_enterprise(manager=gone, titles=[("srdi", date(2025, 7, 1), date(2028, 6, 30))])
    with unit_of_work() as work:
        work.add(Affiliation(enterprise_id=firm, kind="status", value="active"))
        work.add(Affiliation(enterprise_id=firm, kind="status", value="lost"))
        work.add(Qualification(enterprise_id=firm, kind="srdi", valid_from=date(2025, 7, 1), recorded_at=NOW))
        work.execute(update(User).where(User.id == gone).values(deleted=True))

    found = problems(app)

    assert found["dangling"] == [f"1 enterprises have a manager that was withdrawn (ids {firm}); choose another."]
    assert found["doubles"] == [
        f"1 enterprises have two affiliations of one kind in force (ids {firm}).",
        f"1 enterprises have two records of one title (ids {firm}); correct one of them.",
    ]
