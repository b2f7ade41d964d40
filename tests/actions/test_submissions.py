"""报送 on both databases: frozen as it went, the city's answer moves the applications, only changes go up again."""

import io
from datetime import date, timedelta

import openpyxl
import pytest
from docx import Document
from sqlalchemy import func, select

from crm.actions import review_documents as documents
from crm.actions import submissions as deeds
from crm.actions.changes import undo
from crm.actions.enterprises import edit_enterprise
from crm.domain import reviews
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound, Refused
from crm.domain.submissions import match_results, rows_of_text
from crm.extensions import db
from crm.store import file_store, review_lists
from crm.store.access_log import AccessLog
from crm.store.applications import Application, steps_of
from crm.store.enterprises import Enterprise
from crm.store.files import StoredFile
from crm.store.qualifications import Qualification
from crm.store.submissions import Submission, lines_of
from crm.store.unit_of_work import unit_of_work
from tests.builders import NOW, OTHER, TODAY, act, county, make_enterprise, make_user
from tests.reviewing import make_window, queue, recommend

FRIDAY = date(2026, 11, 27)
DECEMBER = date(2026, 12, 18)
LATER = NOW + timedelta(days=25)


def on_friday(viewer):
    return act(viewer, now=NOW + timedelta(days=4), on=FRIDAY)


def in_december(viewer):
    return act(viewer, now=LATER, on=DECEMBER)


def rendered(window, lines, by, *, changes_only=False) -> list[deeds.KeptFile]:
    """The files as the page makes them."""
    changes = {line.application_id: line.change for line in lines if line.change}
    rows = review_lists.some([line.application_id for line in lines], by.viewer)
    firms = documents.firms_of([rows[line.application_id] for line in lines], year=2026, changes=changes, act=by)
    counts = review_lists.counts(window, county().id, by.viewer)
    found = []
    for code in documents.DOCUMENTS:
        for fmt in documents.FORMATS:
            layout = documents.layout_of(code, window.kind)
            made = documents.render(
                layout, fmt, firms, window, county().id, counts=counts, changes=changes_only, act=by
            )
            found.append(deeds.KeptFile(made.title, made.name, file_store.keep(made.content)))
    return found


def send(window_id: int, by, *, changes_only=False, lines=None, **more) -> int:
    window = queue(window_id, by.viewer)
    going = deeds.lines_to_send(window, county().id, by.viewer, changes_only=changes_only)
    files = rendered(window, going, by, changes_only=changes_only)
    with unit_of_work():
        written = deeds.record_submission(
            window,
            county().id,
            lines=lines if lines is not None else going,
            files=files,
            changes_only=changes_only,
            submitted_on=None,
            signed_by="廖衡",
            act=by,
            **more,
        )
    return written.ids["submission"]


def answer(submission_id: int, by, *results: tuple[str, str | None], on=DECEMBER, enters="publicity"):
    lines = lines_of(submission_id)
    stated = [
        deeds.Stated(line.id, result, reason, line.version)
        for line, (result, reason) in zip(lines, results, strict=True)
    ]
    with unit_of_work():
        return deeds.record_results(submission_id, stated, result_on=on, enters=enters, act=by)


def stages(*ids: int) -> list[tuple[str | None, str | None]]:
    db.session.expire_all()
    return [(row.stage_code, row.outcome) for row in (db.session.get(Application, i) for i in ids)]


def test_a_submission_keeps_its_lines_and_files_although_the_list_changes(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        firm = make_enterprise("巫溪县青禾食品有限责任公司")
        one = recommend(window_id, enterprise_id=firm)
        submission_id = send(window_id, on_friday(bureau))
        before = {
            stored.sha256: file_store.bytes_of(stored).read_bytes() for _, stored in deeds.files_of(submission_id)
        }

        with unit_of_work():
            edit_enterprise(
                firm,
                {"name": "巫溪县青禾农业有限责任公司"},
                version=db.session.get(Enterprise, firm).version,
                act=in_december(bureau),
            )

        (line,) = lines_of(submission_id)
        assert (line.name, line.position, line.change) == ("巫溪县青禾食品有限责任公司", 1, None)
        assert len(before) == 4
        for _, stored in deeds.files_of(submission_id):
            assert file_store.bytes_of(stored).read_bytes() == before[stored.sha256]
        assert stages(one) == [("city_review", None)]


def test_what_stands_on_paper_is_what_the_queue_counts(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        for name in ("甲", "乙", "丙"):
            recommend(window_id, name=f"巫溪县{name}食品有限公司")
        window = queue(window_id, bureau)
        rows = review_lists.every(reviews.RECOMMENDED, window, county().id, bureau)
        counts = review_lists.counts(window, county().id, bureau)

        firms = documents.firms_of(rows, year=2026, act=act(bureau))

        for code in documents.DOCUMENTS:
            word = documents.export(code, "docx", firms, window, county().id, counts=counts, act=act(bureau))
            excel = documents.export(code, "xlsx", firms, window, county().id, counts=counts, act=act(bureau))
            table = Document(io.BytesIO(word.content)).tables[0]
            sheet = openpyxl.load_workbook(io.BytesIO(excel.content)).active
            names = [row[1] for row in sheet.iter_rows(min_row=4, values_only=True) if row[1]]
            assert len(table.rows) - 1 == len(names) == counts[reviews.RECOMMENDED] == 3
            assert [row.cells[1].text for row in table.rows[1:]] == names
            assert sheet.cell(sheet.max_row, 1).value.startswith("注：tanyue 于 2026-11-23 10:00 导出，共 3 行")
        assert db.session.scalar(select(func.count()).select_from(AccessLog).where(AccessLog.what == "export")) == 4


def test_figures_and_contacts_stay_out_for_whom_may_not_read_them(app):
    with app.app_context():
        owner = make_user("xianghe", "case_manager")
        window_id = make_window()
        recommend(window_id, name="巫溪县甲食品有限公司", contact_phone="13800000001")
        mine = make_enterprise("巫溪县乙食品有限公司", manager=owner.user_id, contact_phone="13800000002")
        recommend(window_id, enterprise_id=mine)
        window = queue(window_id, owner)
        rows = review_lists.every(reviews.RECOMMENDED, window, county().id, owner)

        firms = documents.firms_of(rows, year=2026, act=act(owner))
        made = documents.render(
            documents.layout_of("summary", "hnte"), "docx", firms, window, county().id, counts={}, act=act(owner)
        )

        assert [firm.figures for firm in firms] == [None, None]
        assert [("confidential" in firm.classes) for firm in firms] == [False, True]
        text = " ".join(c.text for row in Document(io.BytesIO(made.content)).tables[0].rows for c in row.cells)
        assert "13800000002" in text


def test_files_that_no_longer_match_the_list_are_not_recorded(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        recommend(window_id)
        window = queue(window_id, bureau)
        old = deeds.lines_to_send(window, county().id, bureau, changes_only=False)
        recommend(window_id)

        with pytest.raises(Refused, match="名单刚有变化"):
            send(window_id, on_friday(bureau), lines=old)

        assert db.session.scalar(select(func.count()).select_from(Submission)) == 0
        assert db.session.scalar(select(func.count()).select_from(StoredFile)) == 0


def test_an_empty_list_a_missing_signature_and_a_day_to_come_are_refused(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()

        with pytest.raises(Refused, match="还没有推荐的企业"):
            send(window_id, on_friday(bureau))
        recommend(window_id)
        window = queue(window_id, bureau)
        with pytest.raises(InvalidInput) as refused, unit_of_work():
            deeds.record_submission(
                window,
                county().id,
                lines=[],
                files=[],
                changes_only=False,
                submitted_on=DECEMBER,
                signed_by=" ",
                act=on_friday(bureau),
            )

        assert list(refused.value.problems) == ["submitted_on", "signed_by"]


def test_only_the_bureau_of_the_region_reports_upward(app):
    with app.app_context():
        manager = make_user("xianghe", "case_manager")
        stranger = make_user("tingyu", "bureau", region=county(OTHER))
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        recommend(window_id)

        with pytest.raises(NotAllowed):
            send(window_id, on_friday(manager))
        submission_id = send(window_id, on_friday(bureau))
        with pytest.raises(NotFound):
            answer(submission_id, in_december(stranger), ("passed", None))
        with pytest.raises(NotAllowed):
            answer(submission_id, in_december(manager), ("passed", None))


def test_the_citys_answer_moves_each_application_and_records_no_title(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        ids = [recommend(window_id, name=f"巫溪县{name}食品有限公司") for name in ("安", "白", "曹")]
        submission_id = send(window_id, on_friday(bureau))

        answer(
            submission_id,
            in_december(bureau),
            ("passed", None),
            ("returned", "审计报告缺 2025 年度"),
            ("failed", "研发费用归集不实"),
        )

        assert stages(*ids) == [("publicity", None), ("returned", None), ("city_review", "failed")]
        assert steps_of(ids[1])[-1].reason == "审计报告缺 2025 年度"
        assert db.session.scalar(select(func.count()).select_from(Qualification)) == 0
        assert [line.name for line in deeds.unrecorded_titles(submission_id)] == ["巫溪县安食品有限公司"]


def test_one_undo_takes_the_whole_answer_back(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        one = recommend(window_id)
        submission_id = send(window_id, on_friday(bureau))
        written = answer(submission_id, in_december(bureau), ("passed", None), enters="announced")
        assert stages(one) == [("announced", None)]

        with unit_of_work():
            undo(written.change_set_id, act=in_december(bureau))

        assert stages(one) == [("city_review", None)]
        assert lines_of(submission_id)[0].result is None


def test_an_answer_is_all_or_nothing_and_names_the_firm(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        ids = [recommend(window_id, name=f"巫溪县{name}食品有限公司") for name in ("安", "白")]
        submission_id = send(window_id, on_friday(bureau))

        with pytest.raises(InvalidInput) as refused:
            answer(submission_id, in_december(bureau), ("passed", None), ("failed", " "))
        with pytest.raises(InvalidInput) as early:
            answer(submission_id, in_december(bureau), ("passed", None), ("passed", None), on=TODAY)

        assert list(refused.value.problems.values()) == [
            "巫溪县白食品有限公司：退回和未通过写明原因；市里没有说明就写“未说明”。"
        ]
        assert list(early.value.problems) == ["result_on"]
        assert stages(*ids) == [("city_review", None)] * 2


def test_a_result_somebody_recorded_meanwhile_is_not_overwritten(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        recommend(window_id, name="巫溪县安食品有限公司")
        submission_id = send(window_id, on_friday(bureau))
        (line,) = lines_of(submission_id)
        old = line.version
        answer(submission_id, in_december(bureau), ("passed", None))

        with pytest.raises(Conflict, match="巫溪县安食品有限公司的结果刚被别人登记过"), unit_of_work():
            deeds.record_results(
                submission_id,
                [deeds.Stated(line.id, "failed", "未说明", old)],
                result_on=DECEMBER,
                act=in_december(bureau),
            )


def test_another_reason_for_the_same_result_is_not_overwritten_either(sqlite_app):
    with sqlite_app.app_context():
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        recommend(window_id, name="巫溪县安食品有限公司")
        submission_id = send(window_id, on_friday(bureau))
        (line,) = lines_of(submission_id)
        old = line.version
        answer(submission_id, in_december(bureau), ("returned", "缺审计报告"))

        with pytest.raises(Conflict, match="巫溪县安食品有限公司的结果刚被别人登记过"), unit_of_work():
            deeds.record_results(
                submission_id,
                [deeds.Stated(line.id, "returned", "缺查新报告", old)],
                result_on=DECEMBER,
                act=in_december(bureau),
            )

        assert lines_of(submission_id)[0].result_reason == "缺审计报告"


def test_a_second_submission_lists_only_what_changed(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        recommend(window_id, name="巫溪县安食品有限公司")
        send(window_id, on_friday(bureau))
        recommend(window_id, name="巫溪县白食品有限公司")

        second = send(window_id, on_friday(bureau), changes_only=True)

        assert [(line.name, line.change) for line in lines_of(second)] == [("巫溪县白食品有限公司", "added")]
        with pytest.raises(Refused, match="没有与上次不同"):
            send(window_id, on_friday(bureau), changes_only=True)


def test_the_citys_list_finds_a_firm_by_the_name_it_went_by_and_by_todays(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        firm = make_enterprise("巫溪县青禾食品有限责任公司")
        recommend(window_id, enterprise_id=firm)
        submission_id = send(window_id, on_friday(bureau))
        with unit_of_work():
            edit_enterprise(
                firm,
                {"name": "巫溪县青禾农业有限责任公司"},
                version=db.session.get(Enterprise, firm).version,
                act=in_december(bureau),
            )

        named = deeds.named_lines(submission_id)

        for name in ("巫溪县青禾食品有限责任公司", "巫溪县青禾农业有限责任公司"):
            assert len(match_results(rows_of_text(name), named).answers) == 1


def test_a_submission_is_taken_back_with_the_steps_it_took(app):
    with app.app_context():
        bureau = make_user("tanyue", "bureau")
        window_id = make_window()
        one = recommend(window_id)
        by = on_friday(bureau)
        window = queue(window_id, bureau)
        lines = deeds.lines_to_send(window, county().id, bureau, changes_only=False)
        with unit_of_work():
            written = deeds.record_submission(
                window,
                county().id,
                lines=lines,
                files=[],
                changes_only=False,
                submitted_on=None,
                signed_by="廖衡",
                act=by,
            )

        with unit_of_work():
            undo(written.change_set_id, act=by)

        assert stages(one) == [("recommended", None)]
        assert review_lists.submission_count(bureau) == 0
        assert deeds.last_sent(queue(window_id, bureau), county().id) == {}
