"""Service logs: one event for many enterprises, its true day and author, the next step."""

from datetime import date

import pytest
from sqlalchemy import select

from crm.actions.changes import undo
from crm.actions.service_logs import authors, log_service, problems
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound
from crm.extensions import db
from crm.store.obligations import obligations_of
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise, logs_of
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user, township

VISIT = {"happened_on": date(2026, 11, 2), "kind": "visit", "text": "看了车间，问了研发费用归集。"}


def log(ids, values=VISIT, **more):
    with unit_of_work():
        return log_service(ids, values, act=more.pop("act", act()), **more)


def test_one_event_is_linked_to_every_enterprise(app):
    ids = [make_enterprise(f"巫溪县第{n}食品有限公司") for n in "一二三"]

    log([*ids, ids[0]])

    assert len(list(db.session.scalars(select(ServiceLog)))) == 1
    assert [len(logs_of(i)) for i in ids] == [1, 1, 1]
    assert len(list(db.session.scalars(select(ServiceLogEnterprise)))) == 3


def test_a_past_day_is_kept_and_becomes_the_last_contact(app):
    enterprise_id = make_enterprise()

    log([enterprise_id])

    assert db.session.get(Standing, enterprise_id).last_contact_on == date(2026, 11, 2)


def test_the_author_is_the_viewer_unless_another_is_named(app):
    lin, tan = make_user("lin", "case_manager", name="林晓"), make_user("tan", "bureau", name="谭越")
    enterprise_id = make_enterprise(manager=lin.user_id)

    log([enterprise_id], act=act(lin))
    log([enterprise_id], {**VISIT, "text": "二"}, author_id=lin.user_id, act=act(tan))
    log([enterprise_id], {**VISIT, "text": "三", "author_name": "乡镇老周"}, act=act(tan))

    said = {row.text: (row.author_name, row.author_id) for row in logs_of(enterprise_id)}
    assert said == {VISIT["text"]: ("林晓", lin.user_id), "二": ("林晓", lin.user_id), "三": ("乡镇老周", None)}


def test_a_name_that_two_users_share_is_nobodys(app):
    make_user("a", "case_manager", name="张伟")
    make_user("b", "township", name="张伟", region=township())
    only = make_user("c", "bureau", name="谭越")

    assert authors(county().id) == {"谭越": only.user_id}


def test_a_next_step_becomes_an_obligation_and_undo_takes_it_back(app):
    enterprise_id = make_enterprise()
    written = log([enterprise_id], {**VISIT, "next_step": "送材料清单", "next_step_on": date(2026, 12, 1)})
    assert [item.kind for item in obligations_of(enterprise_id)] == ["next_step"]

    with unit_of_work():
        undo(written.change_set_id, act=act())

    assert obligations_of(enterprise_id) == []
    assert logs_of(enterprise_id) == []


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({**VISIT, "happened_on": date(2026, 11, 24)}, {"happened_on": "日期 2026-11-24 还没到。改成实际发生的日期。"}),
        ({**VISIT, "text": "  "}, {"text": "写一两句内容。"}),
        ({"text": "电话"}, {"happened_on": "填发生的日期。", "kind": "选服务方式。"}),
        ({**VISIT, "next_step_on": date(2026, 12, 1)}, {"next_step": "填了期限，还缺下一步做什么。补上，或清空期限。"}),
        (
            {**VISIT, "next_step": "回访", "next_step_on": date(2026, 11, 1)},
            {"next_step_on": "下一步期限 2026-11-01 早于发生日期 2026-11-02。改正其中一个。"},
        ),
    ],
    ids=["tomorrow", "no text", "all at once", "a day for nothing", "due before it happened"],
)
def test_what_is_wrong_is_said_beside_its_field(values, wrong):
    assert problems(values, today=TODAY) == wrong


def test_an_event_without_enterprises_is_refused(app):
    with pytest.raises(InvalidInput) as caught:
        log([])

    assert caught.value.problems == {"enterprises": "选至少一家企业。"}


def test_a_township_logs_for_its_own_enterprises_only(app):
    town = make_user("town", "township", region=township("凤凰镇"))
    here = make_enterprise("巫溪县此处食品有限公司", township=township("凤凰镇").id)
    elsewhere = make_enterprise("巫溪县别处食品有限公司", township=township("古路镇").id)

    log([here], act=act(town))

    with pytest.raises(NotFound):
        log([here, elsewhere], act=act(town))
    assert len(logs_of(here)) == 1


def test_seeing_a_colleagues_enterprise_is_no_right_to_log_for_it(app):
    own, colleague = make_user("own", "case_manager"), make_user("colleague", "case_manager")
    enterprise_id = make_enterprise(manager=own.user_id)

    with pytest.raises(NotAllowed):
        log([enterprise_id], act=act(colleague))


def test_another_districts_enterprise_reads_as_not_there(app):
    stranger = make_user("stranger", "bureau", region=county(OTHER))

    with pytest.raises(NotFound):
        log([make_enterprise()], act=act(stranger))
