"""`due` and `digest`: the shapes of product.md, other days without writing, exit codes."""

import json
from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import func, select

from crm.extensions import db
from crm.store.messages import Message
from crm.store.standings import Standing
from tests.builders import NOW, make_enterprise
from tests.jobs.week import make_week


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


def run(app, *args: str):
    return app.test_cli_runner().invoke(args=list(args))


def report(app, *args: str) -> dict:
    result = run(app, *args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def messages() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Message))


def test_due_lists_what_is_due_nearest_first(app):
    make_week()

    listed = report(app, "due")

    assert listed["on"] == "2026-11-23"
    assert [(item["name"], item["state"], item["owner"]) for item in listed["items"]] == [
        ("重庆宁谷生物科技有限公司", "overdue", "向禾"),
        ("巫溪县云脊矿业有限公司", "overdue", "陈述"),
        ("巫溪县青禾食品有限责任公司", "urgent", "向禾"),
    ]
    first = listed["items"][0]
    assert set(first) == {"credit_code", "name", "kind", "period", "opens_on", "due_at", "state", "owner", "reason"}
    assert (first["kind"], first["due_at"]) == ("next_step", "2026-11-20T23:59:59+08:00")


def test_due_of_another_day_judges_that_day_and_writes_nothing(sqlite_app):
    make_week()

    listed = report(sqlite_app, "due", "--on", "2026-12-07")

    db.session.rollback()
    assert [item["state"] for item in listed["items"]] == ["overdue"] * 3
    assert set(db.session.scalars(select(Standing.computed_on))) == {date(2026, 11, 23)}


def test_due_within_days_keeps_what_is_late(sqlite_app):
    make_week()

    names = [item["name"] for item in report(sqlite_app, "due", "--days", "2")["items"]]

    assert names == ["重庆宁谷生物科技有限公司", "巫溪县云脊矿业有限公司"]


def test_due_today_recomputes_what_the_night_did_not(sqlite_app, clock):
    make_enterprise(titles=[("hnte", date(2023, 11, 25), date(2026, 11, 24))])
    clock.move_to("2027-01-20T02:00:00Z")

    report(sqlite_app, "due")

    db.session.rollback()
    assert db.session.scalar(select(Standing.computed_on)) == date(2027, 1, 20)


def test_due_in_words_ends_with_the_count(sqlite_app):
    make_week()

    result = run(sqlite_app, "due")

    assert result.stdout.splitlines()[0].startswith("11-20 24:00  逾期  重庆宁谷生物科技有限公司  下一步  向禾")
    assert result.stdout.splitlines()[-1] == "2026-11-23：3 项"


def test_digest_queues_once_and_says_where_each_stands(app):
    make_week()

    first = report(app, "digest")
    again = report(app, "digest")

    assert {key: first[key] for key in ("on", "week", "queued", "already", "sent", "failed", "uncertain")} == {
        "on": "2026-11-23",
        "week": "2026-W48",
        "queued": 5,
        "already": 0,
        "sent": 0,
        "failed": 0,
        "uncertain": 0,
    }
    assert [(person["login"], person["state"]) for person in first["people"]] == [
        ("xianghe", "queued"),
        ("chenshu", "queued"),
        ("liwen", "queued"),
        ("zhouyuan", "queued"),
        ("fenghuang", "queued"),
    ]
    assert (again["queued"], again["already"], messages()) == (0, 5, 5)


def test_a_week_without_a_working_day_is_said_to_be_off(sqlite_app, clock):
    make_week()
    clock.move_to(datetime(2026, 2, 18, 2, 0, tzinfo=UTC))

    said = run(sqlite_app, "digest").stdout
    states = {person["state"] for person in report(sqlite_app, "digest")["people"]}

    assert "本周全周放假，没有工作日" in said and "还没到第一个工作日" not in said
    assert ("week_off" in states, "not_yet" in states) == (True, False)


def test_digest_can_send_at_once(sqlite_app):
    make_week()

    sent = report(sqlite_app, "digest", "--send")

    files = list((sqlite_app.config["SETTINGS"].instance_dir / "outbox").iterdir())
    assert (sent["queued"], sent["sent"], len(files)) == (5, 5, 5)


def test_digest_preview_prints_and_queues_nothing(sqlite_app):
    make_week()

    whole = report(sqlite_app, "digest", "--preview", "--on", "2026-12-07")
    one = run(sqlite_app, "digest", "--preview", "--user", "xianghe")

    assert (whole["week"], whole["queued"], len(whole["people"])) == ("2026-W50", 0, 5)
    assert whole["people"][0]["subject"] == "本周提醒（第 50 周）：2 项逾期"
    assert one.stdout.splitlines()[:2] == ["===== 向禾（xianghe）", "本周提醒（第 48 周）：1 项逾期，1 项 7 天内到期"]
    assert messages() == 0


@pytest.mark.parametrize(
    ("args", "code"),
    [
        pytest.param(("digest", "--preview", "--user", "nobody"), 1, id="an unknown login is refused"),
        pytest.param(("digest", "--preview", "--send"), 2, id="a preview cannot be sent"),
        pytest.param(("digest", "--user", "xianghe"), 2, id="a user goes with a preview"),
        pytest.param(("due", "--on", "23.11.2026"), 2, id="a day is written year first"),
        pytest.param(("due", "--days", "-1"), 2, id="days are not negative"),
    ],
)
def test_what_cannot_be_done_ends_with_its_code(sqlite_app, args, code):
    assert run(sqlite_app, *args).exit_code == code


def test_an_empty_database_has_nothing_due_and_nobody_to_write_to(sqlite_app):
    assert report(sqlite_app, "due")["items"] == []
    assert report(sqlite_app, "digest")["people"] == []


def test_digest_does_not_call_sent_what_lies_in_a_folder(sqlite_app):
    make_week()

    said = run(sqlite_app, "digest", "--send").stdout

    assert "已发 0，已写成文件、未寄出 5，未发出 0" in said
    assert "向禾  已写成文件，未寄出" in said
