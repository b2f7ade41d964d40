import json
import shutil
from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from crm.cli.demo_filling import fill
from crm.cli.demo_shapes import COUNTY, SECOND
from crm.cli.demo_world import make_world
from crm.extensions import db
from crm.store import projections
from crm.store.applications import Application
from crm.store.changes import Change, ChangeSet
from crm.store.dictionaries import DictionaryEntry
from crm.store.enterprises import Affiliation, Enterprise
from crm.store.obligations import Obligation, ObligationOutcome
from crm.store.passwords import password_matches
from crm.store.qualifications import Qualification
from crm.store.regions import Region, region_by_code
from crm.store.service_logs import ServiceLog
from crm.store.settings import Setting
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.users import Credential, User, user_by_login, viewer_of
from tests.conftest import build, settings_for

ON = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def filled(sqlite_template, tmp_path_factory):
    """A county filled once, and its world; each test that asks for ``county`` works on a copy."""
    folder = tmp_path_factory.mktemp("county")
    shutil.copy(sqlite_template / "crm.db", folder / "crm.db")
    world = make_world(7, ON)
    app = build(settings_for(folder))
    with app.app_context():
        with unit_of_work():
            fill(world, password_hash="-", now=NOW, tz=ZoneInfo("Asia/Shanghai"))
        db.session.remove()
        db.engine.dispose()
    return folder, world


@pytest.fixture
def county(filled, sqlite_settings):
    folder, world = filled
    shutil.copy(folder / "crm.db", sqlite_settings.instance_dir / "crm.db")
    return world


def test_demo_prints_every_login_and_that_all_is_invented(sqlite_app):
    result = sqlite_app.test_cli_runner().invoke(args=["demo", "--seed", "3", "--on", "2026-11-23", "--size", "60"])

    assert result.exit_code == 0, result.output
    assert "全部虚构" in result.output
    assert all(login in result.output for login in ("xianghe", "tanyue", "qindi", "zoucheng", "siqi"))


def test_demo_reports_one_json_object_whose_password_opens_the_accounts(sqlite_app):
    result = sqlite_app.test_cli_runner().invoke(
        args=["demo", "--seed", "3", "--on", "2026-11-23", "--size", "60", "--json"]
    )

    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    db.session.rollback()
    user = user_by_login(report["users"][0]["login"])
    assert report["enterprises"] == 60
    assert password_matches(db.session.get(Credential, user.id).password_hash, report["password"])


def test_demo_refuses_a_database_that_has_enterprises(county, sqlite_app):
    before = db.session.scalar(select(func.count()).select_from(ChangeSet))

    result = sqlite_app.test_cli_runner().invoke(args=["demo", "--seed", "3"])

    assert result.exit_code == 1
    assert "enterprises already" in result.stderr
    assert db.session.scalar(select(func.count()).select_from(ChangeSet)) == before


def test_a_day_that_is_none_is_a_wrong_call(sqlite_app):
    result = sqlite_app.test_cli_runner().invoke(args=["demo", "--seed", "3", "--on", "2026-13-45"])

    assert result.exit_code == 2


def test_every_enterprise_stands_where_the_world_put_it(county, sqlite_app):
    names = {one.fields["name"]: one.rung for one in county.enterprises}

    stored = dict(
        db.session.execute(
            select(Enterprise.name, Standing.rung).join(Standing, Standing.enterprise_id == Enterprise.id)
        ).all()
    )

    assert stored == names


def test_stored_projections_are_those_of_the_day(county, sqlite_app):
    ids = projections.all_ids()
    computed = projections.compute(ids, at=NOW)

    stored = {row.enterprise_id: row for row in db.session.scalars(select(Standing))}
    assert len(stored) == len(computed["standing"]) == 320
    for row in computed["standing"]:
        assert {name: getattr(stored[row["enterprise_id"]], name) for name in row} == row


def test_both_districts_have_their_people_and_enterprises(county, sqlite_app):
    query = select(Region.code, func.count()).join(Enterprise, Enterprise.region_id == Region.id).group_by(Region.code)

    assert dict(db.session.execute(query).all()) == {COUNTY: 300, SECOND: 20}
    second = viewer_of(user_by_login("tingyu"), ON)
    assert second.grants[0].county_ids == {region_by_code(SECOND).id}


def test_the_words_of_the_second_district_do_not_name_the_first(county, sqlite_app):
    query = select(DictionaryEntry).join(Region, Region.id == DictionaryEntry.region_id).where(Region.code == SECOND)
    entries = list(db.session.scalars(query))

    assert len(entries) > 15
    assert [one.label for one in entries if "巫溪" in "".join([one.label, *(one.aliases or ())])] == []


def test_titles_are_recorded_near_their_announcement(county, sqlite_app):
    late = [
        (recorded_at.date() - announced_on).days
        for recorded_at, announced_on in db.session.execute(
            select(Qualification.recorded_at, Qualification.announced_on)
        )
        if announced_on is not None and announced_on > date(2023, 1, 1)
    ]

    assert len(late) > 100
    assert min(late) >= 0
    assert max(late) <= 21


def test_nothing_is_recorded_after_the_day_and_the_history_runs_forward(county, sqlite_app):
    moments = list(
        db.session.scalars(
            select(ChangeSet.recorded_at)
            .where(ChangeSet.door == "demo", ChangeSet.user_id.is_not(None))
            .order_by(ChangeSet.id)
        )
    )

    assert moments == sorted(moments)
    assert moments[-1] <= NOW
    assert (moments[-1] - moments[0]).days > 3 * 365


def test_logs_are_entered_by_their_authors(county, sqlite_app):
    query = (
        select(ServiceLog.author_id, ChangeSet.user_id)
        .join(Change, (Change.noun == "service_log") & (Change.record_id == ServiceLog.id))
        .join(ChangeSet, ChangeSet.id == Change.change_set_id)
    )
    pairs = db.session.execute(query).all()

    assert len(pairs) == len(county.logs)
    assert all(author == who for author, who in pairs)


def test_some_reports_are_filed_some_missed_and_some_untold(county, sqlite_app):
    query = select(Obligation.state, ObligationOutcome.outcome).outerjoin(
        ObligationOutcome,
        (ObligationOutcome.enterprise_id == Obligation.enterprise_id)
        & (ObligationOutcome.kind == Obligation.kind)
        & (ObligationOutcome.period == Obligation.period),
    )
    shown = set(db.session.execute(query.where(Obligation.kind == "hnte_annual_report")).all())

    assert {("done", "done"), ("lapsed", "missed"), ("lapsed", None)} <= shown


def test_some_steps_that_are_still_ahead_were_given_to_a_colleague(county, sqlite_app):
    given = list(db.session.scalars(select(ObligationOutcome).where(ObligationOutcome.outcome == "assigned")))

    assert len(given) == 3
    for said in given:
        due = db.session.scalar(
            select(Obligation).where(
                Obligation.enterprise_id == said.enterprise_id,
                Obligation.kind == said.kind,
                Obligation.period == said.period,
            )
        )
        standing = db.session.get(Standing, said.enterprise_id)
        assert due.state in ("upcoming", "open", "urgent") and due.owner_id == said.assignee_id != standing.manager_id


def test_settled_steps_are_no_longer_due(county, sqlite_app):
    settled = sum(len(log.enterprises) for log in county.logs if log.done_on and "next_step" in log.fields)
    of_steps = select(ObligationOutcome).where(ObligationOutcome.kind == "next_step")
    outcomes = list(db.session.scalars(of_steps.where(ObligationOutcome.outcome == "done")))

    assert len(outcomes) == settled
    open_periods = set(
        db.session.execute(
            select(Obligation.enterprise_id, Obligation.period).where(
                Obligation.kind == "next_step", Obligation.state.in_(("open", "urgent", "overdue"))
            )
        )
    )
    assert open_periods
    assert not open_periods & {(one.enterprise_id, one.period) for one in outcomes}


def test_whoever_renews_has_an_application_in_hand(county, sqlite_app):
    renewing = set(db.session.scalars(select(Standing.enterprise_id).where(Standing.hnte == "renewing")))
    in_hand = set(db.session.scalars(select(Application.enterprise_id).where(Application.outcome.is_(None))))

    assert renewing
    assert renewing <= in_hand


def test_affiliations_have_the_dates_of_the_world(county, sqlite_app):
    told = Counter((a.kind, a.starts_on, a.ends_on) for one in county.enterprises for a in one.affiliations)

    stored = Counter(db.session.execute(select(Affiliation.kind, Affiliation.starts_on, Affiliation.ends_on)))

    assert stored == told


def test_who_left_is_inactive_and_her_enterprises_were_handed_over(county, sqlite_app):
    gone = user_by_login("xugui")

    assert gone.active is False
    assert db.session.scalar(select(func.count()).select_from(Standing).where(Standing.manager_id == gone.id)) == 0
    assert db.session.scalar(select(ChangeSet.id).where(ChangeSet.action == "hand_over")) is not None


def test_pages_are_told_that_the_data_is_invented(county, sqlite_app):
    assert list(db.session.scalars(select(Setting.value).where(Setting.key == "demo_notice"))) == [True]


def test_a_fill_that_fails_leaves_nothing(sqlite_app):
    class Stop(Exception):
        pass

    with pytest.raises(Stop), unit_of_work():
        fill(make_world(7, ON, 60), password_hash="-", now=NOW, tz=ZoneInfo("Asia/Shanghai"))
        raise Stop

    assert db.session.scalar(select(func.count()).select_from(Enterprise)) == 0
    assert db.session.scalar(select(func.count()).select_from(User)) == 0


@pytest.mark.parametrize("on", [date(2027, 1, 1), date(2028, 2, 29)], ids=str)
def test_a_county_can_be_filled_on_any_day(on, sqlite_app):
    at = datetime(on.year, on.month, on.day, 2, tzinfo=UTC)

    with unit_of_work():
        filled = fill(make_world(5, on, 80), password_hash="-", now=at, tz=ZoneInfo("Asia/Shanghai"))

    assert filled.enterprises == 80
