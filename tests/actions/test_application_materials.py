"""Materials of an application: recorded, waived, received together, carried over once confirmed, taken back."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from crm.actions.application_materials import (
    Piece,
    carry_materials,
    checklist_of,
    receive_materials,
    record_material,
    take_back_material,
    waive_material,
)
from crm.actions.application_objections import edit_objection, raise_objection
from crm.actions.application_steps import moving, step
from crm.actions.applications import add_application
from crm.actions.attachments import Upload
from crm.actions.changes import undo
from crm.domain.materials import judge
from crm.domain.refusals import Conflict, InvalidInput, NotFound, Refused
from crm.extensions import db
from crm.store import file_store
from crm.store.applications import ApplicationObjection, evidence_of, former_evidence, materials_of
from crm.store.attachments import Attachment
from crm.store.obligations import Obligation
from crm.store.unit_of_work import unit_of_work
from tests.builders import TODAY, act, make_enterprise

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"


def apply(enterprise_id=None, **more) -> int:
    enterprise_id = enterprise_id or make_enterprise()
    values = {"kind": "hnte", "year": 2026, "stage": "coaching", "stage_on": date(2026, 3, 2), **more}
    with unit_of_work():
        return add_application(enterprise_id, **values, act=act()).ids["application"]


def put(application_id, item, **more):
    with unit_of_work():
        return record_material(application_id, Piece(item, **more), act=act())


def state_of(application_id):
    found = moving(application_id, act())
    row = found.application
    former = former_evidence(row.enterprise_id, application_id)
    checklist = checklist_of(row.kind, row.year, found.window)
    states = judge(checklist, evidence_of([application_id])[application_id], former, year=row.year, on=TODAY)
    return {one.item.code: one for one in states}


def refused(deed, *arguments, **more) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refusal, unit_of_work():
        deed(*arguments, **more, act=act())
    return refusal.value.problems


def test_a_material_is_there_with_its_file_which_hangs_on_the_application(app):
    application_id = apply()
    upload = Upload(file_store.keep(PDF), "审计.pdf")

    put(application_id, "audit", dated_on=date(2026, 2, 20), upload=upload)

    one = state_of(application_id)["audit"]
    [hung] = db.session.scalars(select(Attachment).where(Attachment.record_id == application_id))
    assert (one.state, one.evidence.stored_file_id) == ("present", hung.stored_file_id)
    assert (hung.noun, hung.title, hung.confidential) == ("application", "近三年财务会计报告（审计报告）", True)


def test_evidence_of_the_last_cycle_and_expired_evidence_are_refused_with_the_day_that_would_be_right(sqlite_app):
    application_id = apply()

    old = refused(record_material, application_id, Piece("special_audit", dated_on=date(2025, 4, 1)))
    undated = refused(record_material, application_id, Piece("special_audit"))
    expired = refused(record_material, application_id, Piece("licence", expires_on=TODAY - timedelta(days=1)))
    upside_down = refused(record_material, application_id, Piece("licence", date(2026, 5, 1), date(2026, 4, 1)))

    assert old == {
        "dated_on": "《专项审计（鉴证）报告》日期 2025-04-01 属于上一个周期，2026 年申报要 2026-01-01 以后的。"
        "让企业出新的；确实不用交，改登记免交。"
    }
    assert undated == {"dated_on": "填《专项审计（鉴证）报告》的日期：2026 年申报要 2026-01-01 以后的。"}
    assert expired == {"expires_on": "有效期到 2026-11-22，已过，不能算已有。换新的再登记。"}
    assert list(upside_down) == ["expires_on"]
    assert list(refused(record_material, application_id, Piece("moon"))) == ["item"]
    assert materials_of(application_id) == []


def test_a_waiver_needs_its_reason_and_a_later_word_replaces_it(app):
    application_id = apply()

    assert list(refused(waive_material, application_id, "transfer", reason=" ")) == ["waived_reason"]
    with unit_of_work():
        waive_material(application_id, "transfer", reason="转化在集团名下", act=act())
    assert state_of(application_id)["transfer"].why == "转化在集团名下"
    put(application_id, "transfer", version=1)

    assert state_of(application_id)["transfer"].state == "present"
    assert [(row.item, row.waived_reason) for row in materials_of(application_id)] == [("transfer", None)]


def test_two_people_recording_the_same_item_are_shown_each_other(sqlite_app):
    application_id = apply()
    put(application_id, "licence")

    with pytest.raises(Conflict) as clash, unit_of_work():
        waive_material(application_id, "licence", reason="不用", act=act())
    assert clash.value.theirs == {"licence": (None, "已有", "免交")}


def test_several_are_received_at_once_and_one_that_needs_its_date_stops_all(app):
    application_id = apply()

    wrong = refused(receive_materials, application_id, ["licence", "staff"], dated_on=None)
    with unit_of_work():
        receive_materials(application_id, ["licence", "staff"], dated_on=date(2026, 3, 1), act=act())

    assert list(wrong) == ["dated_on"]
    assert [state_of(application_id)[item].state for item in ("licence", "staff")] == ["present", "present"]


def test_last_years_piece_is_offered_and_counts_after_it_was_confirmed(app):
    enterprise_id = make_enterprise()
    former = apply(enterprise_id, year=2025, stage="certified", stage_on=date(2025, 12, 1))
    put(former, "audit", dated_on=date(2025, 2, 20), upload=Upload(file_store.keep(PDF), "审计.pdf"))
    put(former, "licence", expires_on=TODAY + timedelta(days=3))
    application_id = apply(enterprise_id)
    offer = state_of(application_id)["audit"].offer

    with unit_of_work():
        carry_materials(application_id, {"audit": offer.material_id}, act=act())

    one = state_of(application_id)["audit"]
    assert (offer.year, one.state, one.evidence.from_material_id) == (2025, "present", offer.material_id)
    assert one.evidence.stored_file_id == offer.stored_file_id
    assert one.evidence.note == "沿用 2025 年申报的，2026-11-23 测试 核对"


def test_only_what_is_offered_can_be_carried_over(sqlite_app):
    enterprise_id = make_enterprise()
    former = apply(enterprise_id, year=2025, stage="certified", stage_on=date(2025, 12, 1))
    put(former, "licence", expires_on=TODAY)
    elsewhere = apply(year=2025)
    put(elsewhere, "licence")
    application_id = apply(enterprise_id)
    [licence] = materials_of(former)
    [strange] = materials_of(elsewhere)
    tomorrow = act(on=TODAY + timedelta(days=1))

    with (
        pytest.raises(Refused, match=r"2025 年的《营业执照.*不能沿用：有效期到 2026-11-23"),
        unit_of_work(),
    ):
        carry_materials(application_id, {"licence": licence.id}, act=tomorrow)
    with pytest.raises(NotFound), unit_of_work():
        carry_materials(application_id, {"licence": strange.id}, act=act())
    with pytest.raises(NotFound), unit_of_work():
        carry_materials(application_id, {"audit": licence.id}, act=act())


def test_what_was_taken_back_is_missing_again_and_an_ended_application_takes_nothing(app):
    application_id = apply()
    put(application_id, "licence")
    with unit_of_work():
        take_back_material(application_id, "licence", version=1, act=act())
    assert state_of(application_id)["licence"].state == "missing"

    with unit_of_work():
        step(application_id, "withdrawn", happened_on=TODAY, reason="明年再报", version=1, act=act())
    with pytest.raises(Refused, match="已撤回，材料不再登记"):
        put(application_id, "licence")


def test_evidence_and_stage_make_their_obligations_with_the_write_and_lose_them_with_the_undo(app):
    application_id = apply(stage="returned", stage_on=date(2026, 11, 20))
    written = put(application_id, "licence", expires_on=TODAY + timedelta(days=20))

    def kinds():
        return sorted(db.session.scalars(select(Obligation.kind)))

    assert kinds() == ["evidence_expiry"]
    with unit_of_work():
        undo(written.change_set_id, act=act())
    assert kinds() == []


# --- objections ------------------------------------------------------------------------------------------------------


def test_an_objection_is_raised_during_publicity_and_closed_with_its_record(app):
    application_id = apply(stage="publicity", stage_on=date(2026, 11, 10))
    with unit_of_work():
        written = raise_objection(
            application_id,
            {"raised_on": date(2026, 11, 12), "raised_by": "来信", "text": "专利非本企业所有"},
            act=act(),
        )
    objection_id = written.ids["objection"]
    unrecorded = refused(edit_objection, objection_id, {"closed_on": date(2026, 11, 18)}, version=1)
    early = refused(edit_objection, objection_id, {"closed_on": date(2026, 11, 1), "record": "核查"}, version=1)
    with unit_of_work():
        edit_objection(
            objection_id,
            {"record": "专利已转让登记，异议不成立", "closed_on": date(2026, 11, 18)},
            version=1,
            act=act(),
        )

    row = db.session.get(ApplicationObjection, objection_id)
    assert (list(unrecorded), list(early)) == (["record"], ["closed_on"])
    assert (row.text, row.record, row.upheld, row.closed_on) == (
        "专利非本企业所有",
        "专利已转让登记，异议不成立",
        False,
        date(2026, 11, 18),
    )


def test_outside_publicity_there_is_nothing_to_object_to(sqlite_app):
    application_id = apply()

    with pytest.raises(Refused, match="现在是“辅导”，公示期间才登记异议"), unit_of_work():
        raise_objection(application_id, {"text": "不实"}, act=act())
