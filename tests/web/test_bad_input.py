"""Bad input, item by item: one clear sentence, the right status or exit code, nothing lost and nothing half written.

Most items are proved where they belong; PROVED_BY says where, and the tests below add what was missing there.
"""

import ast
import html
import io
import json
import sqlite3
import tracemalloc
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import psycopg
import pytest
from huey import MemoryHuey

from crm.app import MAX_UPLOAD
from crm.domain.codes import make_code
from crm.extensions import db
from crm.jobs import imports as work
from crm.store.enterprises import Enterprise
from crm.web.sign_in.sessions import IDLE
from tests.builders import OTHER, PASSWORD, county, make_enterprise, make_user
from tests.conftest import build
from tests.faults.wholeness import counts
from tests.sheets.sheet_samples import ole
from tests.web.conftest import csrf_of, post, sign_in
from tests.web.test_enterprise_file import shown
from tests.workbooks import workbook

TESTS = Path(__file__).resolve().parents[1]
HERE = "web/test_bad_input.py"
# item → file under tests/ and the tests in it
PROVED_BY: dict[str, dict[str, list[str]]] = {
    "wrong password": {
        "web/test_sign_in.py": [
            "test_a_wrong_password_is_one_sentence_that_does_not_say_which_was_wrong",
            "test_the_login_is_kept_and_the_password_is_not",
            "test_guessing_is_slowed_in_the_database_and_time_opens_the_door_again",
        ],
    },
    "expired session with a half-filled form": {
        "web/test_sign_in.py": [
            "test_a_form_sent_after_the_session_ended_is_saved_after_signing_in",
            "test_a_kept_form_survives_a_mistyped_password",
            "test_a_form_without_its_token_comes_back_filled_in",
        ],
        HERE: ["test_a_visit_typed_over_lunch_is_saved_after_signing_in"],
    },
    "double submit": {
        "web/test_visits.py": ["test_pressing_save_twice_writes_one_event"],
        "web/test_enterprise_file.py": ["test_pressing_twice_saves_once"],
        "faults/test_side_by_side.py": ["test_pressing_at_the_same_instant_is_one_record_and_two_imports_are_right"],
        HERE: ["test_a_second_press_succeeds_where_the_first_one_took_the_code"],
    },
    "no file": {
        "web/test_imports.py": ["test_no_file_is_said_beside_the_field"],
        "cli/test_sheets.py": ["test_a_missing_file_exits_with_2"],
        HERE: ["test_an_unusable_file_ends_its_batch_with_a_sentence"],
    },
    "not a spreadsheet": {
        "web/test_imports.py": ["test_a_file_that_is_no_spreadsheet_ends_with_a_sentence"],
        "cli/test_sheets.py": ["test_a_call_or_file_that_cannot_be_understood_exits_with_2"],
        "sheets/test_prescan.py": ["test_what_is_no_sheet_is_told_apart_whatever_its_name"],
    },
    "encrypted file": {
        "actions/test_imports.py": ["test_an_encrypted_workbook_is_refused_with_what_to_do"],
        HERE: ["test_an_unusable_file_ends_its_batch_with_a_sentence", "test_an_unusable_file_ends_a_command_with_2"],
    },
    "file of 200 MB": {
        "web/test_imports.py": ["test_a_file_of_200_mb_is_refused_in_chinese_before_it_is_read"],
        "sheets/test_prescan.py": ["test_a_file_over_fifty_megabytes_is_refused_before_it_is_opened"],
        HERE: ["test_200_mb_are_never_held_in_memory", "test_an_unusable_file_ends_a_command_with_2"],
    },
    "no header": {
        "actions/test_imports.py": ["test_a_list_without_header_or_without_keys_says_so"],
        "cli/test_sheets.py": ["test_a_call_or_file_that_cannot_be_understood_exits_with_2"],
        HERE: ["test_an_unusable_file_ends_its_batch_with_a_sentence"],
    },
    "no codes": {
        "actions/test_imports.py": ["test_an_enterprise_is_found_by_code_old_number_and_exact_name_of_now_or_before"],
        HERE: ["test_a_list_without_codes_comes_in_by_name_once"],
    },
    "two rows with one code": {
        "actions/test_imports.py": ["test_two_rows_of_one_enterprise_are_told_even_when_one_knows_only_the_name"],
        HERE: ["test_every_bad_row_is_told_with_its_code_and_nothing_is_written"],
    },
    "code typed as a number": {
        "domain/test_codecs.py": ["test_a_code_that_came_as_a_number_is_refused_because_digits_may_be_lost"],
        HERE: ["test_every_bad_row_is_told_with_its_code_and_nothing_is_written"],
    },
    "date in 1900 or 2099": {
        "actions/test_imports.py": ["test_a_bad_cell_is_named_with_its_place_and_what_to_do"],
        HERE: [
            "test_a_form_with_an_impossible_day_keeps_everything_typed",
            "test_every_bad_row_is_told_with_its_code_and_nothing_is_written",
        ],
    },
    "negative head count": {
        "web/test_enterprise_file.py": ["test_a_figure_that_is_none_is_refused_beside_its_field"],
        "actions/test_imports.py": ["test_a_negative_head_count_and_a_year_to_come_are_told_together"],
        HERE: ["test_every_bad_row_is_told_with_its_code_and_nothing_is_written"],
    },
    "title that ends before it begins": {
        "web/test_enterprise_file.py": ["test_a_title_that_cannot_be_is_refused_beside_its_field"],
        "actions/test_imports.py": ["test_a_title_that_ends_before_it_begins_is_an_error_with_a_sentence"],
        HERE: ["test_every_bad_row_is_told_with_its_code_and_nothing_is_written"],
    },
    "overlapping titles of one kind": {
        "web/test_enterprise_file.py": ["test_a_title_that_cannot_be_is_refused_beside_its_field"],
        "actions/test_imports.py": ["test_overlapping_titles_of_one_kind_are_an_error_with_a_sentence"],
        HERE: ["test_every_bad_row_is_told_with_its_code_and_nothing_is_written"],
    },
    "name of 300 characters": {
        "web/test_enterprise_file.py": ["test_a_name_of_300_characters_is_refused_in_one_sentence"],
        "sheets/test_typed_rows.py": ["test_a_name_of_three_hundred_characters_is_refused"],
        HERE: ["test_every_bad_row_is_told_with_its_code_and_nothing_is_written"],
    },
    "another district's row": {
        "actions/test_imports.py": [
            "test_a_code_of_the_next_district_is_an_error_in_neutral_words",
            "test_the_area_column_says_whether_a_row_is_ours",
            "test_rows_of_other_districts_do_not_stop_all_or_nothing",
        ],
        "web/test_imports.py": ["test_another_districts_batch_reads_as_not_there"],
        HERE: ["test_a_bureaus_file_with_a_row_of_the_next_district_says_nothing_about_it"],
    },
    "missing mail server": {
        "mail/test_send.py": ["test_nobody_listening_is_tried_again"],
        "jobs/test_sending.py": [
            "test_a_missing_server_is_tried_five_times_with_growing_pauses",
            "test_without_a_server_each_message_is_a_file",
        ],
        "web/test_desk.py": ["test_a_silent_scheduler_and_a_missing_mail_server_are_told_to_who_can_mend_it"],
    },
    "full disk": {
        "faults/test_full_disk.py": [
            "test_a_form_met_by_a_full_disk_is_kept_and_saved_once_there_is_room",
            "test_an_upload_that_finds_no_room_leaves_no_file_and_no_batch",
            "test_an_import_that_finds_no_room_is_absent_says_so_and_is_written_later",
            "test_a_command_on_a_full_disk_says_so_and_leaves_with_1",
        ],
        "mail/test_send.py": ["test_a_full_disk_leaves_no_half_file"],
        "cli/test_database.py": ["test_without_room_for_the_backup_nothing_is_migrated"],
    },
    "locked database": {
        "web/test_frame.py": ["test_a_form_met_by_a_real_lock_is_saved_when_sent_again"],
        "browser/test_busy.py": [
            "test_a_visit_met_by_a_lock_is_sent_again_by_itself_and_saved_once",
            "test_a_lock_that_stays_is_told_and_left_to_the_person",
        ],
        HERE: ["test_a_locked_database_gives_a_form_back_and_ends_a_command_with_1"],
    },
}
VISIT = {"kind": "visit", "text": "新烘干线 6 月投产，研发费用只归集了两个项目。", "happened_on": "2026-11-20"}


@cache
def _tests_in(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("item", PROVED_BY)
def test_every_item_is_proved_by_tests_that_exist(item):
    named = [(file, name) for file, names in PROVED_BY[item].items() for name in names]

    assert [f"{file}::{name}" for file, name in named if name not in _tests_in(file)] == []
    assert named


@pytest.fixture
def client(sqlite_app):
    make_user("tan", "bureau", name="谭越")
    client = sqlite_app.test_client()
    sign_in(client, "tan")
    return client


@pytest.fixture
def run(sqlite_app):
    runner = sqlite_app.test_cli_runner()

    def invoke(*arguments):
        result = runner.invoke(args=[str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


# --- forms ----------------------------------------------------------------------------------------------------------


def test_a_visit_typed_over_lunch_is_saved_after_signing_in(app, monday):
    make_user("tan", "bureau", name="谭越")
    client, firm = app.test_client(), make_enterprise()
    sign_in(client, "tan")
    visit = {**VISIT, "enterprises": firm, "request_key": "lunch", "csrf_token": csrf_of(client, "/account")}
    before = counts()
    monday.shift(IDLE + timedelta(minutes=5))

    asked = client.post("/visits/new", data=visit)
    unsaved = counts()
    signed_in = client.post("/sign-in", data=shown(asked.text) | {"login": "tan", "password": PASSWORD})
    saved = client.post("/visits/new", data=shown(signed_in.text))

    assert (asked.status_code, signed_in.status_code, saved.status_code) == (401, 200, 302)
    assert "登录已过期。你填的内容还在，登录后接着保存。" in asked.text
    assert VISIT["text"] in html.unescape(asked.text)
    assert unsaved == before
    assert counts()["service_log"] == before["service_log"] + 1


def test_a_second_press_succeeds_where_the_first_one_took_the_code(client):
    data = {**shown(client.get("/enterprises/new").text), "name": "巫溪县青禾食品有限公司", "credit_code": make_code(1)}

    first = client.post("/enterprises/new", data=data)
    written = counts()
    second = client.post("/enterprises/new", data=data)

    assert (first.status_code, second.status_code) == (302, 302)
    assert counts() == written


@pytest.mark.parametrize("day", ["1900-01-01", "2099-01-01"])
def test_a_form_with_an_impossible_day_keeps_everything_typed(client, day):
    firm = make_enterprise()
    before = counts()

    typed = {**VISIT, "happened_on": day, "enterprises": firm, "next_step": "送立项书模板"}
    answer = post(client, "/visits/new", typed)

    kept = shown(answer.text)
    assert answer.status_code == 422
    assert "多半是" in answer.text
    assert (kept["text"], kept["happened_on"], kept["next_step"]) == (VISIT["text"], day, "送立项书模板")
    assert f'name="enterprises" value="{firm}"' in answer.text
    assert counts() == before


@pytest.fixture
def impatient(settings):
    """The application on both databases, which waits a fifth of a second for a lock."""
    application = build(settings, BUSY_SECONDS=0.2, HUEY=MemoryHuey("tests", immediate=False))
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


def test_a_locked_database_gives_a_form_back_and_ends_a_command_with_1(impatient, settings, tmp_path):
    make_user("tan", "bureau", name="谭越")
    client, firm = impatient.test_client(), make_enterprise()
    sign_in(client, "tan")
    visit = {**VISIT, "enterprises": firm, "request_key": "lock", "csrf_token": csrf_of(client, "/account")}
    file = tmp_path / "台账.xlsx"
    file.write_bytes(workbook({"企业": [["企业名称"], ["巫溪县青禾食品有限公司"]]}))
    before = counts()
    db.session.remove()

    with _somebody_writing(settings):
        answer = client.post("/visits/new", data=visit)
        command = impatient.test_cli_runner().invoke(args=["import", str(file)])
    unsaved = counts()
    saved = client.post("/visits/new", data=shown(answer.text) | {"csrf_token": visit["csrf_token"]})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert "还没有保存，填过的内容都在。" in answer.text
    assert (shown(answer.text)["text"], shown(answer.text)["request_key"]) == (VISIT["text"], "lock")
    assert command.exit_code == 1
    assert "Another process holds the database; nothing was written." in command.stderr
    assert unsaved == before
    assert (saved.status_code, counts()["service_log"]) == (302, before["service_log"] + 1)


@contextmanager
def _somebody_writing(settings):
    """Another connection that keeps every writer out until the block ends."""
    url = settings.database_url
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
    else:
        connection = psycopg.connect(url.replace("+psycopg", ""))
        connection.execute("LOCK TABLE change_set, stored_file IN SHARE ROW EXCLUSIVE MODE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


# --- files ----------------------------------------------------------------------------------------------------------


def _unusable(kind: str, folder: Path) -> bytes:
    return {
        "of no bytes": b"",
        "encrypted": ole(folder / "e.xlsx", "EncryptedPackage", b"secret" * 2000).read_bytes(),
        "without header": workbook({"表一": [["甲", "乙"], ["丙", "丁"]]}),
        "without a column that says who": workbook({"表一": [["联系人", "联系电话"], ["谭越", "13800000000"]]}),
    }[kind]


SENTENCES = {
    "of no bytes": "这份文件是空的，一个字节也没有。重新导出或另存后再传。",
    "encrypted": "这份文件有密码，打不开。在 Excel 里去掉密码再传。",
    "without header": "工作表“表一”里找不到表头。",
    "without a column that says who": "工作表“表一”的表头里没有“企业名称”或“统一社会信用代码”",
}


@pytest.mark.parametrize("kind", SENTENCES)
def test_an_unusable_file_ends_its_batch_with_a_sentence(client, tmp_path, kind):
    before = counts()

    sent = {"file": (io.BytesIO(_unusable(kind, tmp_path)), "台账.xlsx")}
    uploaded = post(client, "/imports", sent, content_type="multipart/form-data")
    db.session.rollback()
    work.preview(work.InProcess(), {"batch": int(uploaded.location.rsplit("/", 1)[1])})
    page = client.get(uploaded.location)

    assert (uploaded.status_code, page.status_code) == (302, 200)
    assert SENTENCES[kind] in html.unescape(page.text)
    assert counts() == before


@pytest.mark.parametrize("kind", [*SENTENCES, "of 200 MB"])
def test_an_unusable_file_ends_a_command_with_2(run, tmp_path, kind):
    file = tmp_path / "台账.xlsx"
    if kind == "of 200 MB":
        with file.open("wb") as sparse:
            sparse.truncate(200 * 1024 * 1024)
    else:
        file.write_bytes(_unusable(kind, tmp_path))
    before = counts()

    result = run("import", file, "--json")

    assert (result.exit_code, result.stdout) == (2, "")
    assert SENTENCES.get(kind, "这份文件有 200 MB，超过 50 MB。拆成几份再传。") in result.stderr
    assert counts() == before


class _Endless(io.RawIOBase):
    """A request body of 200 MB that remembers how much of it was asked for."""

    def __init__(self) -> None:
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.xlsx"\r\n\r\n'
        self.head, self.left, self.taken = head, 200 * 1024 * 1024, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        count = min(len(buffer), self.left)
        buffer[:count] = (self.head + bytes(count))[:count]
        self.head = self.head[count:]
        self.left -= count
        self.taken += count
        return count


@pytest.mark.parametrize("announced", [True, False], ids=["its length is announced", "it comes in chunks"])
def test_200_mb_are_never_held_in_memory(client, announced):
    body = _Endless()
    told = {"CONTENT_LENGTH": str(body.left)} if announced else {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    headers = {"Content-Type": "multipart/form-data; boundary=x", "X-CSRFToken": csrf_of(client, "/imports")}
    before = counts()

    tracemalloc.start()
    answer = client.post("/imports", headers=headers, environ_overrides={"wsgi.input": body, **told})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (answer.status_code, "文件太大，收不下" in answer.text) == (413, True)
    assert body.taken <= (0 if announced else MAX_UPLOAD + 1024 * 1024)
    assert peak < 16 * 1024 * 1024
    assert counts() == before


# --- rows -----------------------------------------------------------------------------------------------------------


def test_a_list_without_codes_comes_in_by_name_once(run, tmp_path):
    file = tmp_path / "台账.xlsx"
    rows = [["企业名称", "联系人"], ["巫溪县甲食品有限公司", "李娜"], ["巫溪县乙食品有限公司", "王芳"]]
    file.write_bytes(workbook({"企业": rows}))

    first = json.loads(run("import", file, "--json").stdout)
    second = json.loads(run("import", file, "--json").stdout)

    assert (first["new"], second["new"], second["same"]) == (2, 0, 2)
    assert counts()["enterprise"] == 2


def test_every_bad_row_is_told_with_its_code_and_nothing_is_written(run, tmp_path):
    held = [("hnte", date(2024, 11, 28), date(2027, 11, 27))]
    make_enterprise("巫溪县青禾食品有限责任公司", code=make_code(1), titles=held)
    titles = [
        ["统一社会信用代码", "资格种类", "有效期起", "有效期止"],
        [make_code(1), "专精特新", date(2025, 1, 1), date(2024, 1, 1)],
        [make_code(1), "高企", date(2025, 6, 1), date(2028, 5, 31)],
    ]
    firms = [
        ["企业名称", "统一社会信用代码", "成立日期"],
        ["巫溪县甲食品有限公司", make_code(2), date(2019, 1, 1)],
        ["巫溪县甲食品有限公司", make_code(2), date(2019, 1, 1)],
        ["巫溪县丙食品有限公司", 915002380000000000, None],
        ["巫溪县丁食品有限公司", None, "1900-01-01"],
        ["巫溪县戊食品有限公司", None, "2099-01-01"],
        ["长" * 300, None, None],
    ]
    figures = [["统一社会信用代码", "年度", "从业人员"], [make_code(1), 2025, -3]]
    file = tmp_path / "台账.xlsx"
    file.write_bytes(workbook({"企业": firms, "认定资格": titles, "年度指标": figures}))
    before = counts()

    result = run("import", file, "--json")

    report = json.loads(result.stdout)
    said = {(p["sheet"], p["row"]): (p["code"], p["message"]) for p in report["problems"] if p["severity"] == "error"}
    assert result.exit_code == 1
    assert (report["rows"], report["new"], report["duplicate"], report["error"]) == (9, 1, 1, 7)
    assert sorted(said) == [
        *[("企业", row) for row in (3, 4, 5, 6, 7)],
        ("年度指标", 2),
        *[("认定资格", row) for row in (2, 3)],
    ]
    assert all(message.endswith("。") for _, message in said.values())
    assert "首尾几位可能已经丢失" in said[("企业", 4)][1]
    assert "有效期止 2024-01-01 早于有效期起 2025-01-01" in said[("认定资格", 2)][1]
    assert "重叠" in said[("认定资格", 3)][1]
    assert "从业人员不会小于 0" in said[("年度指标", 2)][1]
    assert "120 个字" in said[("企业", 7)][1]
    assert counts() == before


def test_a_bureaus_file_with_a_row_of_the_next_district_says_nothing_about_it(client, tmp_path):
    make_enterprise("云台区秘密食品有限公司", code=make_code(9), region=county(OTHER), contact_name="云台联系人")
    rows = [["企业名称", "统一社会信用代码", "联系人"], ["巫溪县不知情有限公司", make_code(9), "谭越"]]
    before = counts()

    sent = {"file": (io.BytesIO(workbook({"企业": rows})), "台账.xlsx")}
    uploaded = post(client, "/imports", sent, content_type="multipart/form-data")
    batch_id = int(uploaded.location.rsplit("/", 1)[1])
    db.session.rollback()
    work.preview(work.InProcess(), {"batch": batch_id})
    page = client.get(f"/imports/{batch_id}").text
    refused = post(client, f"/imports/{batch_id}/confirm", {"mode": "all"})

    assert "这一行不能写入：代码或名称可能有误，也可能不归你管。" in page
    assert "秘密" not in page
    assert "云台" not in page
    assert refused.status_code == 409
    assert counts() == before
    assert db.session.query(Enterprise).filter_by(name="巫溪县不知情有限公司").count() == 0
