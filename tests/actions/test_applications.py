"""Applications: entered once per title and year, edited beside their stage."""

from datetime import date

import pytest
from sqlalchemy import select

from crm.actions.application_steps import step
from crm.actions.applications import add_application, edit_application, problems
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.store.applications import Application, applications_of
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.windows import Window
from tests.builders import TODAY, act, county, make_enterprise, make_user


def add(enterprise_id: int, **more) -> int:
    values = {"kind": "hnte", "year": 2026, "stage": "网上申报", **more}
    with unit_of_work():
        return add_application(enterprise_id, **values, act=act()).ids["application"]


def window_id(year: int) -> int:
    query = select(Window.id).where(Window.kind == "hnte", Window.year == year, Window.batch == "第三批")
    return db.session.scalar(query)


def test_an_application_in_hand_keeps_an_expired_certificate_in_renewal(app):
    enterprise_id = make_enterprise(titles=[("hnte", date(2023, 10, 16), date(2026, 10, 15))])
    before = db.session.get(Standing, enterprise_id).hnte

    add(enterprise_id)
    db.session.expire_all()

    assert (before, db.session.get(Standing, enterprise_id).hnte) == ("expired_unverified", "renewing")


def test_the_same_title_and_year_is_in_hand_once(app):
    enterprise_id = make_enterprise()
    application_id = add(enterprise_id)

    with pytest.raises(Refused) as refusal:
        add(enterprise_id)
    with unit_of_work():
        step(application_id, "withdrawn", happened_on=TODAY, reason="改报明年", version=1, act=act())
    add(enterprise_id)

    assert refusal.value.message == "2026 年的这项申报已在办（网上申报）。改那一条的环节。"
    stages = [(a.stage, a.outcome) for a in applications_of(enterprise_id)]
    assert stages == [("网上申报", None), ("网上申报", "withdrawn")]


def test_note_window_and_term_are_edited_beside_the_stage(app):
    application_id = add(make_enterprise(), stage_on=date(2026, 7, 20))

    with unit_of_work():
        values = {"note": "材料齐了", "window_id": window_id(2026), "stage_due_on": date(2026, 8, 20)}
        edit_application(application_id, values, version=1, act=act())

    row = db.session.get(Application, application_id)
    assert (row.note, row.window_id, row.stage_due_on) == ("材料齐了", window_id(2026), date(2026, 8, 20))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("window_id", lambda: window_id(2027), id="a window of another year"),
        pytest.param("stage_due_on", lambda: date(2026, 7, 1), id="a term before the stage began"),
        pytest.param("note", lambda: "很" * 501, id="a note of 501 characters"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_beside_its_field(sqlite_app, field, value):
    application_id = add(make_enterprise(), stage_on=date(2026, 7, 20))

    with pytest.raises(InvalidInput) as refusal, unit_of_work():
        edit_application(application_id, {field: value()}, version=1, act=act())

    assert list(refusal.value.problems) == [field]


def test_who_may_not_edit_is_refused_and_a_stranger_finds_nothing(app):
    leader = make_user("liaoheng", "leader")
    stranger = make_user("tingyu", "bureau", region=county("500299"))
    application_id = add(make_enterprise())

    with pytest.raises(NotAllowed), unit_of_work():
        edit_application(application_id, {"note": "看过"}, version=1, act=act(leader))
    with pytest.raises(NotFound), unit_of_work():
        edit_application(application_id, {"note": "看过"}, version=1, act=act(stranger))


@pytest.mark.parametrize(
    ("more", "field"),
    [
        pytest.param({"kind": "nobel"}, "kind", id="no such title"),
        pytest.param({"year": None}, "year", id="no year"),
        pytest.param({"year": 2099}, "year", id="a year far off"),
        pytest.param({"stage": " "}, "stage", id="no stage"),
        pytest.param({"stage": "很" * 41}, "stage", id="a stage of 41 characters"),
        pytest.param({"stage_on": date(2026, 12, 1)}, "stage_on", id="a day to come"),
        pytest.param({"note": "很" * 501}, "note", id="a note of 501 characters"),
    ],
)
def test_an_impossible_application_is_refused_beside_its_field(more, field):
    values = {"kind": "hnte", "year": 2026, "stage": "辅导", "stage_on": None, "note": None, **more}

    assert list(problems(**values, today=TODAY)) == [field]
