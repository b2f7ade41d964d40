"""Applications as a plain list: entered once, moved in words, settled with an outcome."""

from datetime import date

import pytest

from crm.actions.applications import add_application, move_application, problems
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.store.applications import Application, applications_of
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from tests.builders import TODAY, act, county, make_enterprise, make_user


def add(enterprise_id: int, **more) -> int:
    values = {"kind": "hnte", "year": 2026, "stage": "网上申报", **more}
    with unit_of_work():
        return add_application(enterprise_id, **values, act=act()).ids["application"]


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
        move_application(application_id, stage="组织评审", outcome="failed", version=1, act=act())
    add(enterprise_id)

    assert refusal.value.message == "2026 年的这项申报已在办（网上申报）。改那一条的环节。"
    stages = [(a.stage, a.outcome) for a in applications_of(enterprise_id)]
    assert stages == [("网上申报", None), ("组织评审", "failed")]


def test_a_stage_is_said_in_words_with_its_day(app):
    application_id = add(make_enterprise())

    with unit_of_work():
        move_application(application_id, stage=" 区县初审 ", stage_on=date(2026, 11, 20), version=1, act=act())

    row = db.session.get(Application, application_id)
    assert (row.stage, row.stage_on, row.outcome) == ("区县初审", date(2026, 11, 20), None)


def test_who_may_not_edit_is_refused_and_a_stranger_finds_nothing(app):
    leader = make_user("liaoheng", "leader")
    stranger = make_user("tingyu", "bureau", region=county("500299"))
    application_id = add(make_enterprise())

    with pytest.raises(NotAllowed), unit_of_work():
        move_application(application_id, stage="公示", version=1, act=act(leader))
    with pytest.raises(NotFound), unit_of_work():
        move_application(application_id, stage="公示", version=1, act=act(stranger))


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


def test_an_unknown_outcome_is_refused(sqlite_app):
    application_id = add(make_enterprise())

    with pytest.raises(InvalidInput), unit_of_work():
        move_application(application_id, stage="公示", outcome="won", version=1, act=act())
