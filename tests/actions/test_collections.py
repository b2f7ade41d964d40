"""采集: enterprises are asked for exactly what blocks a judgement, and what they answer comes back judged."""

import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from crm.actions.changes import preview_undo, undo
from crm.actions.collection_answers import answer_sheet, authorise, readable_questions
from crm.actions.collection_plans import plan
from crm.actions.collection_returns import start_returns
from crm.actions.collection_sheets import archive, questionnaires, workbook
from crm.actions.collections import (
    add_enterprises,
    ask,
    close_collection,
    edit_collection,
    excuse,
    open_collection,
    remind,
    sheets_of,
)
from crm.actions.figures import record_figures
from crm.actions.import_answers import decide_rows
from crm.actions.imports import confirm
from crm.domain.collections import question, stamp_of
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.jobs import imports as work
from crm.sheets.bundles import BundleRefused, bundle
from crm.store import file_store
from crm.store.collections import Collection, CollectionEnterprise
from crm.store.figures import Figures
from crm.store.imports import ImportBatch, ImportRow
from crm.store.intellectual_property import ip_of
from crm.store.scope import visible_enterprise
from crm.store.unit_of_work import unit_of_work
from tests.builders import OTHER, TODAY, act, county, make_enterprise, make_user, township

HEAD = {"title": "2026 年高企数据采集", "year": 2025, "due_on": date(2026, 12, 10)}
SALES, RD, STAFF = "figures.2025.sales", "figures.2025.rd_expense_hnte", "figures.2025.staff_count"
CLEAN = "figures.2025.had_env_violation"


def opened(*enterprise_ids: int, paths=(SALES, STAFF, CLEAN), by=None, **head) -> int:
    with unit_of_work():
        asked = {enterprise_id: list(paths) for enterprise_id in enterprise_ids}
        return open_collection({**HEAD, **head}, asked, act=act(by)).ids["collection"]


def the_sheet(collection_id: int, enterprise_id: int) -> CollectionEnterprise:
    db.session.expire_all()
    return next(one for one in sheets_of(collection_id) if one.enterprise_id == enterprise_id)


def figures_of(enterprise_id: int) -> Figures | None:
    db.session.expire_all()
    return db.session.query(Figures).filter_by(enterprise_id=enterprise_id, year=2025, deleted=False).one_or_none()


def filled(collection_id: int, sheet: CollectionEnterprise, answers: dict[str, object], **cells) -> bytes:
    """The sheet that went out, filled in as an office program would and sent back."""
    row = db.session.get(Collection, collection_id)
    book = load_workbook(io.BytesIO(workbook(row, [sheet], viewer=act().viewer)))
    page = book.worksheets[0]
    for line in page.iter_rows():
        path = line[8].value if len(line) > 8 else None
        if path in answers:
            line[4].value = answers[path]
        for label, text in cells.items():
            if line[0].value == label:
                line[2].value = text
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def brought(collection_id: int, *files: tuple[str, bytes], by=None, sealed: bool = False) -> ImportBatch:
    """Files come in and are previewed."""
    content, count = bundle(files)
    kept = file_store.keep(content)
    with unit_of_work():
        batch_id = start_returns(kept, collection_id=collection_id, count=count, sealed=sealed, act=act(by))
    work.preview(work.InProcess(), {"batch": batch_id})
    return db.session.get(ImportBatch, batch_id)


def written(batch: ImportBatch, *, good: bool = False, by=None) -> ImportBatch:
    batch_id = batch.id
    with unit_of_work():
        confirm(batch_id, good_rows_only=good, act=act(by))
    work.commit(work.InProcess(), {"batch": batch_id})
    db.session.expire_all()
    return db.session.get(ImportBatch, batch_id)


def said(batch: ImportBatch) -> list[tuple[str, int, str, str]]:
    """Every problem of a batch: outcome, row, what stands in the cell, the sentence."""
    rows = db.session.query(ImportRow).filter_by(batch_id=batch.id).order_by(ImportRow.id)
    return [(row.outcome, p["row"], p["value"], p["message"]) for row in rows for p in row.problems or []]


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_exactly_what_blocks_the_judgements_is_asked(app):
    known = {"staff_count": 30, "sales": Decimal("1000000")}
    enterprise_id = make_enterprise(subject_type="company")
    with unit_of_work():
        record_figures(enterprise_id, 2025, known, act=act())

    [one] = plan([enterprise_id], ["tech_sme"], on=TODAY, viewer=act().viewer)

    asked = {question(path).field.code for path in one.asked if path.startswith("figures.")}
    assert "total_assets" in asked and "rd_expense_deduction" in asked
    assert not asked & {"staff_count", "sales", "revenue", "tax_paid", "innovation_score"}


def test_what_the_enterprise_cannot_tell_is_named_and_not_asked(app):
    enterprise_id = make_enterprise()

    [one] = plan([enterprise_id], ["tech_sme"], on=TODAY, viewer=act().viewer)

    assert "存续状态" in one.elsewhere
    assert not any("status" in path for path in one.asked)


def test_a_fact_another_open_collection_waits_for_is_not_asked_twice(app):
    enterprise_id = make_enterprise()
    first = opened(enterprise_id, paths=[SALES])

    [one] = plan([enterprise_id], [], [SALES, STAFF], on=TODAY, viewer=act().viewer)
    with unit_of_work():
        close_collection(first, act=act())
    [later] = plan([enterprise_id], [], [SALES, STAFF], on=TODAY, viewer=act().viewer)

    assert (one.asked, one.waiting) == ((STAFF,), ((HEAD["title"], 1),))
    assert set(later.asked) == {SALES, STAFF}


def test_what_became_known_is_left_out_and_nothing_left_is_refused(app):
    enterprise_id = make_enterprise()
    with unit_of_work():
        record_figures(
            enterprise_id, 2025, {"sales": Decimal("5"), "staff_count": 0, "had_env_violation": False}, act=act()
        )

    with pytest.raises(Refused, match="没有要问的"):
        opened(enterprise_id)


def test_a_case_manager_asks_only_the_own_enterprises(app):
    manager = make_user("xianghe", "case_manager")
    own, other = make_enterprise("甲有限公司", manager=manager.user_id), make_enterprise("乙有限公司")

    found = {one.enterprise_id: one for one in plan([own, other], [], [SALES], on=TODAY, viewer=manager)}
    collection_id = opened(own, other, by=manager)

    assert found[own].asked == (SALES,)
    assert other not in found or found[other].refusal
    assert [sheet.enterprise_id for sheet in sheets_of(collection_id)] == [own]


def test_a_collection_of_two_districts_is_refused(app):
    here, there = make_enterprise(), make_enterprise("云顶食品有限公司", region=county(OTHER))

    with pytest.raises(Refused, match="不在同一个区县"):
        opened(here, there)


@pytest.mark.parametrize(
    ("head", "field"),
    [
        pytest.param({"title": " "}, "title", id="without a name"),
        pytest.param({"due_on": date(2026, 11, 1)}, "due_on", id="due in the past"),
        pytest.param({"year": 1980}, "year", id="of another age"),
        pytest.param({"note": "说" * 501}, "note", id="with a novel"),
    ],
)
def test_a_collection_that_cannot_be_is_refused_beside_its_field(sqlite_app, head, field):
    with pytest.raises(InvalidInput) as refusal:
        opened(make_enterprise(), **head)

    assert list(refusal.value.problems) == [field]


# --- typed in --------------------------------------------------------------------------------------------------------


def test_answers_typed_in_are_written_and_the_sheet_is_back_when_nothing_is_open(app):
    enterprise_id = make_enterprise()
    collection_id = opened(enterprise_id)
    sheet_id = the_sheet(collection_id, enterprise_id).id

    with unit_of_work():
        answer_sheet(sheet_id, {SALES: Decimal("0"), STAFF: 12}, seen={}, act=act())
    half = the_sheet(collection_id, enterprise_id).returned_on
    with unit_of_work():
        answer_sheet(sheet_id, {CLEAN: False}, seen={}, act=act())

    row = figures_of(enterprise_id)
    assert (row.sales, row.staff_count, row.had_env_violation) == (Decimal("0.00"), 12, False)
    assert (half, the_sheet(collection_id, enterprise_id).returned_on) == (None, TODAY)


def test_only_what_is_asked_is_written(app):
    enterprise_id = make_enterprise()
    collection_id = opened(enterprise_id, paths=[SALES])

    with unit_of_work():
        answer_sheet(
            the_sheet(collection_id, enterprise_id).id,
            {SALES: Decimal("1"), "figures.2025.net_profit": Decimal("9"), "enterprise.name": "翻墙"},
            seen={},
            act=act(),
        )

    assert figures_of(enterprise_id).net_profit is None


def test_a_fact_that_somebody_else_entered_meanwhile_asks(app):
    enterprise_id = make_enterprise()
    collection_id = opened(enterprise_id)
    with unit_of_work():
        record_figures(enterprise_id, 2025, {"staff_count": 40}, act=act())

    with pytest.raises(Conflict) as clash, unit_of_work():
        answer_sheet(the_sheet(collection_id, enterprise_id).id, {STAFF: 41}, seen={STAFF: None}, act=act())

    assert clash.value.theirs == {STAFF: (None, 40, 41)}


def test_a_township_fills_what_its_enterprises_are_asked_and_reads_no_other_figure(app):
    place = township()
    officer = make_user("zhen", "township", region=place)
    enterprise_id = make_enterprise(township=place.id)
    with unit_of_work():
        record_figures(enterprise_id, 2025, {"revenue": Decimal("7777")}, act=act())
    collection_id = opened(enterprise_id, paths=[SALES, STAFF])
    sheet_id = the_sheet(collection_id, enterprise_id).id
    _, standing = visible_enterprise(enterprise_id, officer)

    with unit_of_work():
        answer_sheet(sheet_id, {STAFF: 8}, seen={}, act=act(officer))
    reads = readable_questions([SALES, STAFF, "figures.2025.revenue"], officer, standing)
    with unit_of_work():
        close_collection(collection_id, act=act())

    assert figures_of(enterprise_id).staff_count == 8
    assert reads == {SALES, STAFF}
    assert readable_questions([SALES, STAFF], officer, standing) == frozenset()
    with pytest.raises(NotAllowed):
        record_figures(enterprise_id, 2025, {"staff_count": 9}, act=act(officer))


def test_a_township_neither_sees_nor_fills_the_sheet_of_the_next_township(app):
    officer = make_user("zhen", "township", region=township())
    enterprise_id = make_enterprise(township=township("宁厂镇").id)
    collection_id = opened(enterprise_id)

    with pytest.raises(NotFound), unit_of_work():
        answer_sheet(the_sheet(collection_id, enterprise_id).id, {STAFF: 8}, seen={}, act=act(officer))
    assert sheets_of(collection_id, officer) == []


def test_a_department_sees_no_collection(app):
    liaison = make_user("jingxin", "unit")
    collection_id = opened(make_enterprise())

    with pytest.raises(NotFound):
        edit_collection(collection_id, {"title": "别的"}, version=1, act=act(liaison))
    assert sheets_of(collection_id, liaison) == []


# --- signed, excused, reminded, closed -------------------------------------------------------------------------------


def test_a_sealed_sheet_confirms_what_still_stands_as_the_enterprise_said_it(app):
    enterprise_id = make_enterprise()
    collection_id = opened(enterprise_id)
    sheet_id = the_sheet(collection_id, enterprise_id).id
    with unit_of_work():
        answer_sheet(sheet_id, {SALES: Decimal("100"), STAFF: 12, CLEAN: False}, seen={}, act=act())
    with unit_of_work():
        record_figures(enterprise_id, 2025, {"staff_count": 13}, act=act())

    with unit_of_work():
        authorise(sheet_id, by="李厂长", on=date(2026, 11, 20), act=act())

    confirmed = figures_of(enterprise_id).confirmed
    assert set(confirmed) == {"sales", "had_env_violation"}
    assert confirmed["sales"] == {"by": "李厂长", "at": "2026-11-20", "collection": collection_id}
    assert the_sheet(collection_id, enterprise_id).authorised_by == "李厂长"


@pytest.mark.parametrize(
    ("by", "on", "field"),
    [
        pytest.param("", date(2026, 11, 20), "authorised_by", id="nobody"),
        pytest.param("李", None, "authorised_on", id="no day"),
        pytest.param("李", date(2026, 12, 1), "authorised_on", id="tomorrow"),
    ],
)
def test_a_signature_that_is_not_whole_is_refused(sqlite_app, by, on, field):
    enterprise_id = make_enterprise()
    sheet_id = the_sheet(opened(enterprise_id), enterprise_id).id

    with pytest.raises(InvalidInput) as refusal, unit_of_work():
        authorise(sheet_id, by=by, on=on, act=act())

    assert list(refusal.value.problems) == [field]


def test_who_is_excused_is_neither_reminded_nor_waited_for(app):
    first, second = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    collection_id = opened(first, second)
    with unit_of_work():
        excuse(the_sheet(collection_id, first).id, "已停产", act=act())

    with unit_of_work():
        remind(collection_id, act=act())

    assert the_sheet(collection_id, first).reminded_on is None
    assert the_sheet(collection_id, second).reminded_on == TODAY
    with pytest.raises(Refused, match="免填"), unit_of_work():
        answer_sheet(the_sheet(collection_id, first).id, {STAFF: 8}, seen={}, act=act())


def test_nothing_comes_into_a_closed_collection_until_it_is_opened_again(app):
    enterprise_id = make_enterprise()
    collection_id = opened(enterprise_id)
    sheet_id = the_sheet(collection_id, enterprise_id).id
    with unit_of_work():
        close_collection(collection_id, act=act())

    with pytest.raises(Refused, match="已结束"), unit_of_work():
        answer_sheet(sheet_id, {STAFF: 8}, seen={}, act=act())
    with unit_of_work():
        close_collection(collection_id, reopen=True, act=act())
    with unit_of_work():
        answer_sheet(sheet_id, {STAFF: 8}, seen={}, act=act())

    assert figures_of(enterprise_id).staff_count == 8


def test_questions_are_changed_by_hand_and_enterprises_added(app):
    first, second = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    collection_id = opened(first)
    with unit_of_work():
        ask(the_sheet(collection_id, first).id, [RD], version=1, act=act())
    with pytest.raises(Refused):
        add_enterprises(collection_id, [first], act=act())

    assert the_sheet(collection_id, first).questions == [RD]
    with pytest.raises(Refused, match="至少问一项"):
        ask(the_sheet(collection_id, first).id, ["figures.2025.revenue_of_the_moon"], version=2, act=act())
    assert second


# --- sheets that go out and come back --------------------------------------------------------------------------------


def test_a_sheet_is_prefilled_with_what_is_known_and_the_reader_may_see(app):
    manager, colleague = make_user("xianghe", "case_manager"), make_user("leader", "leader")
    enterprise_id = make_enterprise(manager=manager.user_id, contact_name="陈述", contact_phone="13800000000")
    collection_id = opened(enterprise_id)
    with unit_of_work():
        record_figures(enterprise_id, 2025, {"sales": Decimal("1234500")}, act=act())
    row, sheet = db.session.get(Collection, collection_id), the_sheet(collection_id, enterprise_id)

    [(_, page)] = questionnaires(row, [sheet], viewer=colleague)

    assert dict(page.facts)["联系人"] == "陈述"
    assert {line.label: line.value for line in page.lines}["销售收入"] == "123.45"
    assert page.stamp == stamp_of(collection_id, sheet.id, enterprise_id)


def test_text_that_looks_like_a_formula_stays_text(sqlite_app):
    enterprise_id = make_enterprise('=HYPERLINK("http://x")有限公司', contact_name="+cmd")
    collection_id = opened(enterprise_id, title="@采集")
    row, sheet = db.session.get(Collection, collection_id), the_sheet(collection_id, enterprise_id)

    page = load_workbook(io.BytesIO(workbook(row, [sheet], viewer=act().viewer))).worksheets[0]

    assert [cell.coordinate for line in page.iter_rows() for cell in line if cell.data_type == "f"] == []
    assert page["E7"].number_format == "@"


def test_returned_sheets_are_recognised_by_their_stamp_and_written_as_one_change_set(app):
    first, second = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    collection_id = opened(first, second)
    files = [
        ("随便叫什么.xlsx", filled(collection_id, the_sheet(collection_id, second), {SALES: "1,234.5", CLEAN: "否"})),
        ("a.xlsx", filled(collection_id, the_sheet(collection_id, first), {SALES: "0", STAFF: "12人"})),
    ]

    batch = written(brought(collection_id, *files))

    assert batch.state == "done"
    assert (figures_of(first).sales, figures_of(first).staff_count) == (Decimal("0.00"), 12)
    assert (figures_of(second).sales, figures_of(second).had_env_violation) == (Decimal("12345000.00"), False)
    assert the_sheet(collection_id, first).returned_how == "sheet"
    with unit_of_work():
        undo(batch.change_set_id, act=act())
    assert figures_of(first) is None and the_sheet(collection_id, first).returned_on is None
    assert db.session.get(ImportBatch, batch.id).state == "undone"


def test_a_signed_batch_confirms_and_authorises(app):
    enterprise_id = make_enterprise()
    collection_id = opened(enterprise_id)
    signed = {"法定代表人或授权人签字": "王厂长", "签字日期": "2026-11-20"}
    content = filled(collection_id, the_sheet(collection_id, enterprise_id), {STAFF: "7"}, **signed)

    written(brought(collection_id, ("a.xlsx", content), sealed=True))

    assert figures_of(enterprise_id).confirmed["staff_count"]["by"] == "王厂长"
    assert the_sheet(collection_id, enterprise_id).authorised_on == date(2026, 11, 20)


def test_what_was_filled_meanwhile_asks_and_the_answer_is_kept_beside_it(app):
    enterprise_id = make_enterprise()
    collection_id = opened(enterprise_id)
    content = filled(collection_id, the_sheet(collection_id, enterprise_id), {STAFF: "12", SALES: "5"})
    with unit_of_work():
        record_figures(enterprise_id, 2025, {"staff_count": 40}, act=act())
    batch = brought(collection_id, ("a.xlsx", content))

    asking = db.session.query(ImportRow).filter_by(batch_id=batch.id, outcome="conflict").one()
    diff = asking.diff
    with unit_of_work():
        decide_rows(batch.id, {asking.id: "file"}, act=act())
    work.preview(work.InProcess(), {"batch": batch.id})
    written(db.session.get(ImportBatch, batch.id))

    assert diff == {STAFF: [40, 12]}
    assert figures_of(enterprise_id).staff_count == 12


def test_a_wrong_cell_is_named_with_its_row_and_the_rest_can_be_taken(app):
    enterprise_id = make_enterprise()
    collection_id = opened(enterprise_id)
    content = filled(collection_id, the_sheet(collection_id, enterprise_id), {STAFF: "十来个", SALES: "5"})
    batch = brought(collection_id, ("甲.xlsx", content))

    told = said(batch)
    with pytest.raises(Refused, match="写不进去"), unit_of_work():
        confirm(batch.id, good_rows_only=False, act=act())
    written(batch, good=True)

    assert [(outcome, value) for outcome, _, value, _ in told] == [("error", "十来个")]
    assert "人" in told[0][3] or "数" in told[0][3]
    assert (figures_of(enterprise_id).sales, figures_of(enterprise_id).staff_count) == (Decimal("50000.00"), None)


def mended(content: bytes, old: str, new: str) -> bytes:
    book = load_workbook(io.BytesIO(content))
    for line in book.worksheets[0].iter_rows():
        for cell in line:
            if isinstance(cell.value, str) and old in cell.value:
                cell.value = cell.value.replace(old, new)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_sheets_that_are_not_what_they_say_are_each_named(app):
    first, second = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    collection_id = opened(first, second)
    other_id = opened(first, paths=[RD], title="另一次")
    one, two = the_sheet(collection_id, first), the_sheet(collection_id, second)
    good = filled(collection_id, one, {STAFF: "1"})
    stamp = stamp_of(collection_id, one.id, first)
    of_second = stamp_of(collection_id, two.id, second)
    cases = {
        "空.xlsx": filled(collection_id, two, {}),
        "改号.xlsx": mended(good, stamp, stamp[:-1] + ("0" if stamp[-1] != "0" else "1")),
        "乱号.xlsx": mended(good, stamp, "CJ1-乱"),
        "别家.xlsx": mended(good, stamp, of_second),
        "别次.xlsx": filled(other_id, the_sheet(other_id, first), {RD: "1"}),
        "不是表.xlsx": b"not a workbook at all \x00\x01",
        "扫描.pdf": b"%PDF-1.4 scan",
        "好.xlsx": good,
        "又一份.xlsx": good,
    }

    batch = brought(collection_id, *cases.items())

    rows = db.session.query(ImportRow).filter_by(batch_id=batch.id, noun="collection_enterprise").order_by(ImportRow.id)
    told = {row.sheet: (row.outcome, row.problems[0]["code"] if row.problems else "") for row in rows}
    assert told == {
        "空.xlsx": ("error", "empty"),
        "改号.xlsx": ("error", "stamp_mended"),
        "乱号.xlsx": ("error", "stamp_mended"),
        "别家.xlsx": ("error", "other_firm"),
        "别次.xlsx": ("unmatched", "other_collection"),
        "不是表.xlsx": ("error", "not_a_spreadsheet"),
        "扫描.pdf": ("error", "not_a_spreadsheet"),
        "好.xlsx": ("new", ""),
        "又一份.xlsx": ("duplicate", "duplicate"),
    }


def test_the_undo_of_opening_leaves_a_collection_that_is_being_answered(app):
    first, second = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    with unit_of_work():
        made = open_collection(HEAD, {first: [STAFF], second: [STAFF]}, act=act())
    with unit_of_work():
        answer_sheet(the_sheet(made.ids["collection"], first).id, {STAFF: 3}, seen={}, act=act())

    seen = preview_undo(made.change_set_id, viewer=act().viewer)

    assert seen.withdraw == []
    assert {(kept.noun, kept.why) for kept in seen.kept} == {
        ("collection", "children"),
        ("collection_enterprise", "edited"),
    }


def test_an_archive_of_a_hundred_sheets_comes_back(sqlite_app):
    ids = [make_enterprise(f"巫溪第{n}食品有限公司") for n in range(100)]
    collection_id = opened(*ids, paths=[STAFF])
    row, sheets = db.session.get(Collection, collection_id), sheets_of(collection_id)

    packed = archive(row, sheets, viewer=act().viewer)
    batch = brought(collection_id, ("回表.zip", packed))

    assert batch.summary["rows"] == 100
    assert batch.summary["error"] == 100  # nobody filled anything in


def test_the_register_of_ip_comes_back_line_by_line(app):
    enterprise_id = make_enterprise()
    collection_id = opened(enterprise_id, paths=["ip.list", STAFF])
    book = load_workbook(io.BytesIO(filled(collection_id, the_sheet(collection_id, enterprise_id), {STAFF: "3"})))
    page = book.worksheets[0]
    [first, second, *_] = [line for line in page.iter_rows() if line[8].value == "ip."]
    for cell, text in zip(
        first[1:8], ("一种烘干机", "实用新型", "2022-03-01", "ZL2022", "2032-02-28", "是", "否"), strict=True
    ):
        cell.value = text
    second[1].value = "没有写种类的"
    target = io.BytesIO()
    book.save(target)

    batch = written(brought(collection_id, ("a.xlsx", target.getvalue())), good=True)

    [piece] = ip_of(enterprise_id)
    assert (piece.name, piece.kind, piece.supports_main_product, piece.disputed) == (
        "一种烘干机",
        "utility_model",
        True,
        False,
    )
    assert [message for outcome, _, _, message in said(batch) if outcome == "error"] == ["选种类。"]


def test_an_archive_that_cannot_be_opened_is_one_sentence():
    with pytest.raises(BundleRefused, match="没有选文件"):
        bundle([])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive_:
        archive_.writestr("甲/表.xlsx", b"x" * 100)
    broken = packed.getvalue().replace(b"x" * 100, b"y" * 100)

    with pytest.raises(BundleRefused, match="已损坏"):
        bundle([("a.zip", broken)])
    content, count = bundle([("a.zip", packed.getvalue()), ("表.xlsx", b"z")])

    assert (count, zipfile.ZipFile(io.BytesIO(content)).namelist()) == (2, ["表.xlsx", "（2）表.xlsx"])
