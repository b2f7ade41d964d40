"""What people say about an obligation: done, waived, postponed, taken back; who may, and what is refused."""

from datetime import UTC, date, datetime, timedelta

import pytest

from crm.actions.changes import undo
from crm.actions.enterprises import edit_enterprise
from crm.actions.obligations import miss, postpone, settle, take_back, waive
from crm.actions.service_logs import log_service
from crm.domain.refusals import AlreadyDone, InvalidInput, NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.store.file_store import keep
from crm.store.files import StoredFile
from crm.store.obligation_lists import outcome_of
from crm.store.obligations import obligations_of
from crm.store.projections import refresh
from crm.store.unit_of_work import unit_of_work
from tests.builders import NOW, OTHER, TODAY, act, county, make_enterprise, make_user, township

HNTE = ("hnte", date(2024, 11, 20), date(2027, 11, 19))
PDF = b"%PDF-1.7\n" + b"0" * 200


def promise(enterprise_id: int, *, due_on: date = TODAY + timedelta(days=3), by=None) -> str:
    """A next step promised by the machine or a viewer; returns its period."""
    values = {
        "happened_on": date(2026, 11, 2),
        "kind": "visit",
        "text": "看了车间。",
        "next_step": "送立项书模板",
        "next_step_on": due_on,
    }
    with unit_of_work():
        written = log_service([enterprise_id], values, act=act(by))
    return str(written.ids["service_log"])


def done(enterprise_id: int, period: str, **more):
    with unit_of_work():
        return settle(enterprise_id, "next_step", period, act=more.pop("by", None) or act(), **more)


def state_of(enterprise_id: int) -> list[str]:
    return [item.state for item in obligations_of(enterprise_id)]


def test_a_settled_obligation_is_done_and_undo_opens_it_again(app):
    enterprise_id = make_enterprise()
    period = promise(enterprise_id)
    assert state_of(enterprise_id) == ["urgent"]

    written = done(enterprise_id, period, note="已送到")
    assert state_of(enterprise_id) == ["done"]

    with unit_of_work():
        undo(written.change_set_id, act=act())
    assert state_of(enterprise_id) == ["urgent"]


def reports(enterprise_id: int) -> dict[str, tuple[str, str]]:
    return {
        item.period: (item.state, item.reason)
        for item in obligations_of(enterprise_id)
        if item.kind == "hnte_annual_report"
    }


def of_report(deed, enterprise_id: int, period: str, **more):
    with unit_of_work():
        return deed(enterprise_id, "hnte_annual_report", period, act=more.pop("by", None) or act(), **more)


def test_a_report_filed_before_the_library_began_is_recorded_with_its_day(app):
    enterprise_id = make_enterprise(titles=[HNTE])
    assert reports(enterprise_id)["2025"][0] == "lapsed"

    of_report(settle, enterprise_id, "2025", done_on=date(2026, 5, 20), note="补记")

    outcome = outcome_of(enterprise_id, "hnte_annual_report", "2025")
    assert (reports(enterprise_id)["2025"][0], outcome.on) == ("done", date(2026, 5, 20))


def test_reports_that_were_missed_count_towards_losing_the_title(app):
    enterprise_id = make_enterprise(titles=[HNTE])
    at = datetime(2027, 4, 20, 2, 0, tzinfo=UTC)

    of_report(miss, enterprise_id, "2025", note="电话核实")
    with unit_of_work():
        refresh([enterprise_id], at=at)

    state, reason = reports(enterprise_id)["2026"]
    assert (reports(enterprise_id)["2025"][0], state) == ("lapsed", "open")
    assert reason.startswith("有效期内已缺报 1 次（2025 年度），再缺一次即取消高企资格")
    with unit_of_work():
        take_back(enterprise_id, "hnte_annual_report", "2025", act=act())
    assert outcome_of(enterprise_id, "hnte_annual_report", "2025") is None


@pytest.mark.parametrize(
    ("deed", "kind", "more", "sentence"),
    [
        (miss, "next_step", {}, "这种事项没有“未报”。"),
        (miss, "hnte_annual_report", {"due": True}, "还没到截止时间，不能登记未报。"),
        (settle, "hnte_annual_report", {"done_on": date(2026, 11, 24)}, "不在 2026-04-01 到今天之间"),
        (settle, "hnte_annual_report", {"done_on": date(2026, 3, 1)}, "不在 2026-04-01 到今天之间"),
    ],
    ids=["a promise", "before it is due", "a day to come", "before it opened"],
)
def test_what_cannot_have_been_is_refused(sqlite_app, deed, kind, more, sentence):
    enterprise_id = make_enterprise(titles=[HNTE])
    period = "2025"
    when = act()
    if kind == "next_step":
        period = promise(enterprise_id)
    if more.pop("due", False):
        when = act(now=datetime(2026, 4, 10, 2, 0, tzinfo=UTC), on=date(2026, 4, 10))
        with unit_of_work():
            refresh([enterprise_id], at=when.recorded_at)

    with pytest.raises(Refused) as refusal, unit_of_work():
        deed(enterprise_id, kind, period, act=when, **more)

    told = [refusal.value.message, *getattr(refusal.value, "fields", {}).values()]
    assert any(sentence in words for words in told)


def test_titles_of_a_firm_that_is_struck_off_ask_nothing_until_it_turns_out_to_live(app):
    enterprise_id = make_enterprise(titles=[HNTE], status="active")
    promise(enterprise_id)
    before = [item.kind for item in obligations_of(enterprise_id)]

    with unit_of_work():
        written = edit_enterprise(enterprise_id, {"status": "deregistered"}, version=1, act=act())
    gone = [item.kind for item in obligations_of(enterprise_id)]
    with unit_of_work():
        undo(written.change_set_id, act=act())

    assert ("hnte_annual_report" in before, gone) == (True, ["next_step"])
    assert [item.kind for item in obligations_of(enterprise_id)] == before


def test_a_receipt_is_kept_with_the_outcome(app):
    enterprise_id = make_enterprise()
    period = promise(enterprise_id)

    done(enterprise_id, period, note=" 传了回执 ", receipt=keep(PDF), receipt_name="回执.pdf")

    outcome = outcome_of(enterprise_id, "next_step", period)
    stored = db.session.get(StoredFile, outcome.stored_file_id)
    assert (outcome.outcome, outcome.note, outcome.on) == ("done", "传了回执", TODAY)
    assert (stored.name, stored.media_type, stored.purpose, stored.enterprise_id) == (
        "回执.pdf",
        "application/pdf",
        "evidence",
        enterprise_id,
    )


def test_a_receipt_that_is_no_document_is_refused_and_nothing_is_written(app):
    enterprise_id = make_enterprise()
    period = promise(enterprise_id)

    with pytest.raises(InvalidInput) as caught:
        done(enterprise_id, period, receipt=keep(b"MZ\x00\x90" * 40), receipt_name="回执.exe")

    assert caught.value.problems == {"receipt": "回执读不出是什么文件。换成 PDF、图片、Word 或 Excel。"}
    assert state_of(enterprise_id) == ["urgent"]
    assert db.session.query(StoredFile).count() == 0


def test_a_postponed_obligation_moves_and_keeps_its_old_deadline_in_words(app):
    enterprise_id = make_enterprise()
    period = promise(enterprise_id, due_on=TODAY - timedelta(days=2))
    assert state_of(enterprise_id) == ["overdue"]

    with unit_of_work():
        postpone(enterprise_id, "next_step", period, to=date(2026, 12, 20), act=act())

    [item] = obligations_of(enterprise_id)
    assert (item.state, item.due_at.date()) == ("open", date(2026, 12, 20))
    assert "已改期，原期限 2026-11-21" in item.reason


def test_taking_back_a_settled_postponed_obligation_leaves_it_postponed(app):
    enterprise_id = make_enterprise()
    period = promise(enterprise_id)
    with unit_of_work():
        postpone(enterprise_id, "next_step", period, to=date(2026, 12, 20), act=act())
    done(enterprise_id, period)

    with unit_of_work():
        take_back(enterprise_id, "next_step", period, act=act())

    [item] = obligations_of(enterprise_id)
    assert (item.state, item.due_at.date()) == ("open", date(2026, 12, 20))


def test_taking_back_a_waiver_opens_the_obligation_and_it_can_be_waived_again(app):
    enterprise_id = make_enterprise()
    period = promise(enterprise_id)
    for reason in ("企业已停产", "确认停产"):
        with unit_of_work():
            waive(enterprise_id, "next_step", period, reason=reason, act=act())
        assert state_of(enterprise_id) == ["waived"]
        with unit_of_work():
            take_back(enterprise_id, "next_step", period, act=act())
        assert state_of(enterprise_id) == ["urgent"]


def test_a_waiver_needs_its_reason(app):
    enterprise_id = make_enterprise()
    period = promise(enterprise_id)

    with pytest.raises(InvalidInput) as caught, unit_of_work():
        waive(enterprise_id, "next_step", period, reason="  ", act=act())

    assert caught.value.problems == {"reason": "写明为什么免办。"}


@pytest.mark.parametrize("to", [TODAY - timedelta(days=1), date(2036, 1, 1)], ids=["yesterday", "ten years on"])
def test_an_obligation_is_not_postponed_to_a_senseless_day(app, to):
    enterprise_id = make_enterprise()
    period = promise(enterprise_id)

    with pytest.raises(InvalidInput) as caught, unit_of_work():
        postpone(enterprise_id, "next_step", period, to=to, act=act())

    assert list(caught.value.problems) == ["to"]


def test_the_same_key_settles_once_and_another_key_is_told_so(app):
    enterprise_id = make_enterprise()
    period = promise(enterprise_id)
    first = done(enterprise_id, period, by=act(request_key="k1"))

    with pytest.raises(AlreadyDone) as caught:
        done(enterprise_id, period, by=act(request_key="k1"))
    with pytest.raises(Refused) as refused:
        done(enterprise_id, period, by=act(request_key="k2"))

    assert caught.value.change_set_id == first.change_set_id
    assert refused.value.message == "这件事项已经办结或免办。要改，先取回。"


def test_the_case_manager_may_and_a_colleague_who_sees_it_may_not(app):
    owner, colleague = make_user("owner", "case_manager"), make_user("colleague", "case_manager")
    enterprise_id = make_enterprise(manager=owner.user_id)
    period = promise(enterprise_id)

    with pytest.raises(NotAllowed):
        done(enterprise_id, period, by=act(colleague))
    done(enterprise_id, period, by=act(owner))

    assert state_of(enterprise_id) == ["done"]


def test_a_promise_is_kept_by_who_made_it_after_the_enterprise_went_to_a_colleague(app):
    before, after = make_user("before", "case_manager"), make_user("after", "case_manager")
    enterprise_id = make_enterprise(manager=before.user_id)
    period = promise(enterprise_id, by=before)
    with unit_of_work():
        edit_enterprise(enterprise_id, {"manager": after.user_id}, version=1, act=act())

    done(enterprise_id, period, by=act(before))

    assert state_of(enterprise_id) == ["done"]


def test_a_township_settles_what_it_promised_itself_and_nothing_else(app):
    town = make_user("town", "township", region=township("凤凰镇"))
    enterprise_id = make_enterprise(township=township("凤凰镇").id)
    others = promise(enterprise_id)
    own = promise(enterprise_id, by=town)

    with pytest.raises(NotAllowed):
        done(enterprise_id, others, by=act(town))
    done(enterprise_id, own, by=act(town))

    assert sorted(state_of(enterprise_id)) == ["done", "urgent"]


def test_another_districts_obligation_reads_as_not_there(app):
    stranger = make_user("stranger", "bureau", region=county(OTHER))
    enterprise_id = make_enterprise()
    period = promise(enterprise_id)

    with pytest.raises(NotFound):
        done(enterprise_id, period, by=act(stranger))


def test_a_department_does_not_see_a_next_step(app):
    unit = make_user("unit", "unit")
    enterprise_id = make_enterprise()
    period = promise(enterprise_id)

    with pytest.raises(NotFound):
        done(enterprise_id, period, by=act(unit))


def test_what_has_lapsed_cannot_be_waived(app):
    enterprise_id = make_enterprise(titles=[HNTE])
    lapsed = [item for item in obligations_of(enterprise_id) if item.state == "lapsed"]
    assert {item.kind for item in lapsed} == {"hnte_annual_report"}

    with pytest.raises(Refused) as caught, unit_of_work():
        waive(enterprise_id, lapsed[0].kind, lapsed[0].period, reason="不需要", act=act(now=NOW))

    assert caught.value.message == "这件事项已过期，不能再办。"
