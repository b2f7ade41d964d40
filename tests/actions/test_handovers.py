"""交接: everything of one person goes to others in one act, is undone in one, and the history keeps the old name."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from crm.actions import handovers
from crm.actions.accounts import edit_user
from crm.actions.changes import undo
from crm.actions.enterprises import edit_enterprise
from crm.actions.handovers import Wish
from crm.actions.obligations import assign
from crm.domain.changes import Create, Ref
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.store.changes import ChangeSet
from crm.store.collections import Collection
from crm.store.comments import Notice
from crm.store.enterprises import affiliations_of
from crm.store.handovers import in_hand
from crm.store.messages import Message
from crm.store.obligations import Obligation
from crm.store.service_logs import ServiceLog
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.visit_plans import VisitPlan, VisitPlanEnterprise
from crm.store.writer import write
from tests.builders import NOW, OTHER, TODAY, act, county, make_enterprise, make_user, township
from tests.jobs.test_sending import same_as_kept


@pytest.fixture
def cast(app):
    """向禾 leaves; 陈述 and 谭越 stay; 冉主任 of the bureau hands over."""
    return {
        "leaver": make_user("xianghe", "case_manager", name="向禾"),
        "chen": make_user("chenshu", "case_manager", name="陈述"),
        "tan": make_user("tanyue", "case_manager", name="谭越"),
        "office": make_user("ran", "bureau", name="冉主任"),
    }


def firms_of(viewer, n: int = 3, place: str = "凤凰镇") -> list[int]:
    return [
        make_enterprise(f"巫溪县{place}第{i}食品有限公司", manager=viewer.user_id, township=township(place).id)
        for i in range(n)
    ]


def made(*creates: Create) -> dict:
    with unit_of_work():
        return dict(write(creates, act=act(), action="test", region_id=county().id).ids)


def promise(author, enterprise_id: int, text: str = "送研发费用归集的表样") -> int:
    """A next step that waits, promised at an enterprise."""
    ids = made(
        Create(
            "service_log",
            {
                "region_id": county().id,
                "author_id": author.user_id,
                "author_name": author.name,
                "happened_on": TODAY - timedelta(days=5),
                "kind": "visit",
                "text": "到厂里看了生产线",
                "next_step": text,
                "next_step_on": TODAY + timedelta(days=10),
            },
            "log",
        ),
        Create("service_log_enterprise", {"service_log_id": Ref("log"), "enterprise_id": enterprise_id}),
    )
    return ids["log"]


def given(cast, *receivers: str, note: str = "", **more):
    """Preview and hand over, as the page does."""
    wish = Wish(cast["leaver"].user_id, tuple(cast[name].user_id for name in receivers), note=note, **more)
    prepared = handovers.prepare(wish, viewer=cast["office"], on=TODAY, now=NOW, period="press")
    db.session.rollback()
    typed = prepared.planned.firm_count
    with unit_of_work():
        return handovers.hand_over(
            prepared, seen=prepared.planned.fingerprint, typed=typed, act=act(cast["office"], request_key="press")
        )


def managers() -> dict[int, int | None]:
    db.session.expire_all()
    return dict(db.session.execute(select(Standing.enterprise_id, Standing.manager_id)).all())


def test_all_enterprises_go_to_the_receiver_and_the_history_keeps_the_old_name(cast):
    ids = firms_of(cast["leaver"])

    given(cast, "chen")

    assert managers() == dict.fromkeys(ids, cast["chen"].user_id)
    kept = {a.ref_id: (a.starts_on, a.ends_on) for a in affiliations_of(ids[0]) if a.kind == "manager"}
    assert kept == {
        cast["leaver"].user_id: (None, TODAY - timedelta(days=1)),
        cast["chen"].user_id: (TODAY, None),
    }


def test_two_receivers_get_whole_townships(cast):
    here, there = firms_of(cast["leaver"], 3), firms_of(cast["leaver"], 2, "红池坝镇")

    given(cast, "chen", "tan")

    now = managers()
    assert {now[i] for i in here} == {cast["chen"].user_id}
    assert {now[i] for i in there} == {cast["tan"].user_id}


def test_promised_steps_go_along_and_the_event_keeps_its_author(cast):
    [firm] = firms_of(cast["leaver"], 1)
    log_id = promise(cast["leaver"], firm)

    given(cast, "chen")

    log = db.session.get(ServiceLog, log_id)
    owner = db.session.scalar(select(Obligation.owner_id).where(Obligation.kind == "next_step"))
    assert (log.author_id, log.step_owner_id, owner) == (
        cast["leaver"].user_id,
        cast["chen"].user_id,
        cast["chen"].user_id,
    )


def test_a_promise_at_a_colleagues_enterprise_does_not_stay_behind(cast):
    [firm] = firms_of(cast["tan"], 1)
    log_id = promise(cast["leaver"], firm)

    given(cast, "chen")

    assert db.session.get(ServiceLog, log_id).step_owner_id == cast["chen"].user_id
    assert managers() == {firm: cast["tan"].user_id}


def test_what_the_person_was_given_to_do_goes_back_to_whose_the_enterprise_is(cast):
    firms_of(cast["leaver"], 1)
    [other] = firms_of(cast["tan"], 1, "红池坝镇")
    key = (other, "next_step", str(promise(cast["tan"], other)))
    with unit_of_work():
        assign(*key, to=cast["leaver"].user_id, act=act(cast["office"]))
    owner = select(Obligation.owner_id).where(Obligation.enterprise_id == other, Obligation.kind == "next_step")
    assert db.session.scalar(owner) == cast["leaver"].user_id

    written = given(cast, "chen")

    db.session.expire_all()
    assert db.session.scalar(owner) != cast["leaver"].user_id
    with unit_of_work():
        undo(written.change_set_id, act=act(cast["office"]))
    assert db.session.scalar(owner) == cast["leaver"].user_id


def test_plans_of_this_quarter_and_open_collections_go_along(cast):
    [firm] = firms_of(cast["leaver"], 1)
    plan = {"user_id": cast["leaver"].user_id, "region_id": county().id, "year": 2026, "quarter": 4}
    ids = made(
        Create("visit_plan", plan, "plan"),
        Create("visit_plan_enterprise", {"visit_plan_id": Ref("plan"), "enterprise_id": firm}, "entry"),
        Create("visit_plan", {**plan, "quarter": 2}, "past"),
        Create("visit_plan_enterprise", {"visit_plan_id": Ref("past"), "enterprise_id": firm}, "done"),
        Create(
            "collection",
            {"region_id": county().id, "owner_id": cast["leaver"].user_id, "title": "年报缺项", "year": 2025},
            "asked",
        ),
    )

    given(cast, "chen")

    moved = db.session.get(VisitPlanEnterprise, ids["entry"]).visit_plan_id
    assert db.session.get(VisitPlan, moved).user_id == cast["chen"].user_id
    assert db.session.get(VisitPlanEnterprise, ids["done"]).visit_plan_id == ids["past"]
    assert db.session.get(Collection, ids["asked"]).owner_id == cast["chen"].user_id


def test_an_undo_gives_everything_back(cast):
    here, there = firms_of(cast["leaver"], 2), firms_of(cast["leaver"], 2, "红池坝镇")
    log_id = promise(cast["leaver"], here[0])
    plan = {"user_id": cast["leaver"].user_id, "region_id": county().id, "year": 2026, "quarter": 4}
    ids = made(
        Create("visit_plan", plan, "plan"),
        Create("visit_plan_enterprise", {"visit_plan_id": Ref("plan"), "enterprise_id": there[0]}, "entry"),
    )
    before = managers()
    written = given(cast, "chen", "tan")

    with unit_of_work():
        result = undo(written.change_set_id, act=act(cast["office"]))

    assert result.kept == []
    assert managers() == before
    assert db.session.get(ServiceLog, log_id).step_owner_id is None
    assert db.session.get(VisitPlanEnterprise, ids["entry"]).visit_plan_id == ids["plan"]
    live = db.session.scalars(select(VisitPlan.user_id).where(~VisitPlan.deleted)).all()
    assert live == [cast["leaver"].user_id]


def test_an_undo_keeps_what_was_given_on_since(cast):
    first, second = firms_of(cast["leaver"], 2)
    written = given(cast, "chen")
    onward = Wish(cast["chen"].user_id, (cast["tan"].user_id,), stay=frozenset({second}))
    prepared = handovers.prepare(onward, viewer=cast["office"], on=TODAY, now=NOW, period="on")
    db.session.rollback()
    with unit_of_work():
        handovers.hand_over(prepared, seen=prepared.planned.fingerprint, act=act(cast["office"]))

    with unit_of_work():
        result = undo(written.change_set_id, act=act(cast["office"]))

    assert managers() == {first: cast["tan"].user_id, second: cast["leaver"].user_id}
    assert {kept.noun for kept in result.kept} == {"affiliation"}


def test_the_receivers_get_a_notice_and_a_mail_with_the_note(cast):
    firms_of(cast["leaver"], 2)

    given(cast, "chen", note="调离，材料在柜子里")

    notice = db.session.scalar(select(Notice))
    mail = db.session.scalar(select(Message))
    assert (notice.user_id, notice.text) == (cast["chen"].user_id, "把向禾的 2 家企业交接给你：调离，材料在柜子里")
    assert (mail.recipient, mail.state, mail.subject) == (
        "chenshu@example.org",
        "queued",
        "交接给你：向禾的 2 家企业",
    )
    assert "调离，材料在柜子里" in mail.text


def test_the_undo_tells_the_receivers_and_stops_a_mail_that_still_waits(cast):
    firms_of(cast["leaver"], 1)
    written = given(cast, "chen")

    with unit_of_work():
        undo(written.change_set_id, act=act(cast["office"]))

    assert [notice.text for notice in db.session.scalars(select(Notice).order_by(Notice.id))] == [
        "把向禾的 1 家企业交接给你",
        "撤销了这次交接：向禾的 1 家企业交接给你",
    ]
    assert db.session.scalar(select(Message.state)) == "cancelled"


def test_the_note_stands_in_the_history(cast):
    firms_of(cast["leaver"], 1)

    written = given(cast, "chen", "tan", note="产假")

    change_set = db.session.get(ChangeSet, written.change_set_id)
    assert (change_set.action, change_set.reason) == ("hand_over", "向禾 交接给 陈述、谭越：产假")


def test_somebody_without_a_grant_there_is_refused_with_one_sentence(cast):
    firms_of(cast["leaver"], 2)
    cast["leader"] = make_user("fangju", "leader", name="方局")

    with pytest.raises(Refused) as refusal:
        given(cast, "leader")

    assert refusal.value.message == "方局在巫溪县没有服务专员授权，接不了。先由系统管理员授权，或换一名接手人。"
    assert set(managers().values()) == {cast["leaver"].user_id}


def test_a_grant_that_has_ended_counts_as_none(cast):
    firms_of(cast["leaver"], 1)
    cast["gone"] = make_user("gone", "case_manager", name="已离任", valid_to=TODAY - timedelta(days=1))

    with pytest.raises(Refused, match="已离任在巫溪县没有服务专员授权"):
        given(cast, "gone")


def test_a_stranger_of_another_district_is_refused_without_a_name(cast):
    firms_of(cast["leaver"], 1)
    cast["stranger"] = make_user("far", "case_manager", name="外区专员", region=county(OTHER))

    with pytest.raises(Refused) as refusal:
        given(cast, "stranger")

    assert "外区专员" not in refusal.value.message


def test_a_closed_account_and_the_person_itself_take_nothing_over(cast):
    firms_of(cast["leaver"], 1)
    with unit_of_work():
        edit_user(cast["tan"].user_id, {"active": False}, version=1, act=act())

    for name, said in (("tan", "已停用"), ("leaver", "自己不能是接手人")):
        with pytest.raises(Refused, match=said):
            given(cast, name)


def test_what_changed_since_the_preview_stops_the_hand_over(cast):
    firms_of(cast["leaver"], 1)
    wish = Wish(cast["leaver"].user_id, (cast["chen"].user_id,))
    prepared = handovers.prepare(wish, viewer=cast["office"], on=TODAY, now=NOW, period="p")
    db.session.rollback()
    firms_of(cast["leaver"], 1, "红池坝镇")

    with pytest.raises(Conflict, match="现在是2 家企业"), unit_of_work():
        handovers.hand_over(prepared, seen=prepared.planned.fingerprint, act=act(cast["office"]))


def test_above_fifty_the_number_is_typed(cast, monkeypatch):
    monkeypatch.setattr("crm.domain.typed_counts.TYPED_ABOVE", 2)
    firms_of(cast["leaver"], 3)
    wish = Wish(cast["leaver"].user_id, (cast["chen"].user_id,))
    prepared = handovers.prepare(wish, viewer=cast["office"], on=TODAY, now=NOW, period="p")
    db.session.rollback()

    for typed in (None, 2):
        with pytest.raises(InvalidInput) as refusal, unit_of_work():
            handovers.hand_over(prepared, seen=prepared.planned.fingerprint, typed=typed, act=act(cast["office"]))
        assert refusal.value.problems == {"typed": "要交接 3 家：照着填 3，再按一次。"}
    with unit_of_work():
        handovers.hand_over(prepared, seen=prepared.planned.fingerprint, typed=3, act=act(cast["office"]))
    assert set(managers().values()) == {cast["chen"].user_id}


def test_what_stays_stays_with_its_steps(cast):
    first, second = firms_of(cast["leaver"], 2)
    staying, going = promise(cast["leaver"], first), promise(cast["leaver"], second)

    given(cast, "chen", stay=frozenset({first}))

    assert managers() == {first: cast["leaver"].user_id, second: cast["chen"].user_id}
    owners = [db.session.get(ServiceLog, log_id).step_owner_id for log_id in (staying, going)]
    assert owners == [None, cast["chen"].user_id]


def test_only_the_office_hands_over_and_only_its_own_districts_people(cast):
    firms_of(cast["leaver"], 1)
    far = make_user("far-office", "bureau", name="外区科室", region=county(OTHER))
    wish = Wish(cast["leaver"].user_id, (cast["chen"].user_id,))

    with pytest.raises(NotAllowed):
        handovers.plan(wish, viewer=cast["chen"], on=TODAY, now=NOW)
    with pytest.raises(NotFound):
        handovers.plan(wish, viewer=far, on=TODAY, now=NOW)


def test_what_hangs_on_enterprises_of_another_district_is_not_counted(cast):
    [near] = firms_of(cast["leaver"], 1)
    far = make_enterprise("外区甲食品有限公司", region=county(OTHER), manager=cast["leaver"].user_id)
    for firm, region in ((near, county()), (far, county(OTHER))):
        asked = {"raised_on": TODAY, "category": "talent", "text": "缺检验员", "region_id": region.id}
        made(Create("request", {**asked, "enterprise_id": firm}))

    has = in_hand(cast["leaver"].user_id, cast["office"], on=TODAY, until=NOW)

    assert [firm.enterprise_id for firm in has.firms] == [near]
    assert has.requests == {near: 1}


def test_whoever_has_nothing_hands_nothing_over(cast):
    with pytest.raises(Refused, match="向禾手上没有企业和任务"):
        given(cast, "chen")


def test_the_receiver_may_act_on_the_enterprises_at_once(cast):
    [firm] = firms_of(cast["leaver"], 1)

    given(cast, "chen")

    with unit_of_work():
        edit_enterprise(firm, {"contact_name": "新联系人"}, version=1, act=act(cast["chen"], on=date(2026, 11, 24)))
    with pytest.raises(NotAllowed), unit_of_work():
        edit_enterprise(firm, {"contact_name": "旧人"}, version=2, act=act(cast["leaver"]))


def test_the_mail_reads_as_it_is_kept(cast):
    here, _ = firms_of(cast["leaver"], 1), firms_of(cast["leaver"], 1, "红池坝镇")
    promise(cast["leaver"], here[0])

    given(cast, "chen", note="调离，材料在柜子里")

    same_as_kept("handover.txt", db.session.scalar(select(Message.text)))
