"""Files on a record: taken by their bytes, refused with a sentence, shown safely, seen by whom the record is for."""

import io
import struct
import zlib

import pytest
from sqlalchemy import select

from crm.actions.attachments import NOUNS
from crm.domain.changes import Create, Ref
from crm.extensions import db
from crm.store import file_store
from crm.store.access_log import AccessLog
from crm.store.attachment_lists import of_enterprise
from crm.store.attachments import Attachment
from crm.store.files import StoredFile
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import TODAY, act, county, make_enterprise, make_user, township
from tests.walls import two_districts
from tests.web.conftest import csrf_of, post, sign_in

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 60
EXE = b"MZ\x90\x00" + b"\x00" * 100
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\x00\xff\xff\xff"))
        + chunk(b"IEND", b"")
    )


def files(*pairs: tuple[bytes, str]) -> list:
    return [(io.BytesIO(content), name) for content, name in pairs]


@pytest.fixture
def manager(sqlite_app):
    return make_user("xianghe", "case_manager", name="向禾")


@pytest.fixture
def client(sqlite_app, manager):
    client = sqlite_app.test_client()
    sign_in(client, "xianghe")
    return client


@pytest.fixture
def firm(manager):
    return make_enterprise(manager=manager.user_id, township=township().id)


def bring(client, firm: int, *pairs: tuple[bytes, str], **more):
    return post(client, f"/attachments/on/enterprise/{firm}", {"files": files(*pairs), **more})


def only() -> Attachment:
    return db.session.scalars(select(Attachment)).one()


def test_files_are_kept_listed_and_taken_back(client, firm, manager):
    answer = bring(client, firm, (PDF, "审计报告.pdf"), (png(), "厂房.png"), request_key="k1", dated_on="2026-11-01")

    assert answer.status_code == 302
    assert [(one.title, one.media_type, str(one.dated_on)) for one in of_enterprise(firm, manager)] == [
        ("厂房.png", "image/png", "2026-11-01"),
        ("审计报告.pdf", "application/pdf", "2026-11-01"),
    ]
    page = client.get(answer.location).text
    assert "已添加 2 份附件。" in page
    post(client, page[page.index("/changes/") : page.index("/undo", page.index("/changes/")) + 5])
    assert of_enterprise(firm, manager) == []


def test_pressing_twice_keeps_one(client, firm):
    for _ in range(2):
        bring(client, firm, (PDF, "审计报告.pdf"), request_key="same")

    assert db.session.query(Attachment).count() == 1


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (EXE, "合同.pdf", "“合同.pdf”是程序文件，不收，改了名字也不收。"),
        (SVG, "徽标.svg", "“徽标.svg”是 SVG 图形，里面可以带脚本，不收。另存为 PNG 或 PDF 再传。"),
        (SVG, "徽标.txt", "“徽标.txt”是 SVG 图形，里面可以带脚本，不收。另存为 PNG 或 PDF 再传。"),
        (b"<!DOCTYPE html><p>x", "页.txt", "“页.txt”是网页文件，里面可以带脚本，不收。打印成 PDF 再传。"),
        (b"del /q *", "清理.bat", "“清理.bat”是文本，但名字不是 .txt 或 .csv 结尾，没有收。"),
        (b"", "空.pdf", "“空.pdf”是空文件，没有收。核对后重传。"),
        (b"\x00\x01\x02", "谜.bin", "“谜.bin”读不出是什么文件，没有收。可收 PDF、OFD、照片"),
    ],
    ids=["renamed program", "svg", "svg as text", "html", "batch file", "empty", "unknown"],
)
def test_what_is_not_taken_gets_one_sentence_and_what_was_typed_stays(client, firm, content, name, sentence):
    answer = bring(client, firm, (content, name), note="盖章件第 3 页")

    assert answer.status_code == 422
    assert sentence in answer.text
    assert "盖章件第 3 页" in answer.text
    assert db.session.query(Attachment).count() == 0


def test_a_photo_of_40_mb_is_named_and_what_was_typed_stays(client, firm):
    token = csrf_of(client, "/account")
    # Spelled out: the test client's own way of sending large forms leaves a temporary file open.
    parts = [("csrf_token", token), ("note", "车间照片")]
    body = b"".join(f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in parts)
    body += '--x\r\nContent-Disposition: form-data; name="files"; filename="大照片.jpg"\r\n\r\n'.encode()
    body += JPEG + b"\x00" * (40 * 1024 * 1024) + b"\r\n--x--\r\n"

    answer = client.post(
        f"/attachments/on/enterprise/{firm}", data=body, content_type="multipart/form-data; boundary=x", buffered=True
    )

    assert answer.status_code == 422
    assert "“大照片.jpg”有 40.0 MB，超过 20 MB，没有收。压缩或拆开再传。" in answer.text
    assert "车间照片" in answer.text
    assert list(file_store.folder().rglob("*")) == []


def test_the_good_ones_are_kept_beside_a_refused_one(client, firm):
    answer = bring(client, firm, (PDF, "审计报告.pdf"), (EXE, "照片.jpg"))

    assert only().title == "审计报告.pdf"
    assert "“照片.jpg”是程序文件" in client.get(answer.location).text


def test_a_name_gets_the_ending_of_what_the_file_is(client, firm):
    bring(client, firm, (PDF, "章程.exe"))

    assert db.session.get(StoredFile, only().stored_file_id).name == "章程.exe.pdf"


def test_a_picture_is_shown_without_anything_of_its_own_and_a_pdf_in_a_frame_of_ours(client, firm):
    bring(client, firm, (png(), "厂房.png"))
    bring(client, firm, (PDF, "审计报告.pdf"))
    bring(client, firm, (b"a,b\n1,2\n", "表.csv"))
    picture, pdf, table = db.session.scalars(select(Attachment.id).order_by(Attachment.id))

    answers = [client.get(f"/attachments/{i}/inline", buffered=True) for i in (picture, pdf, table)]

    assert [answer.status_code for answer in answers] == [200, 200, 404]
    assert answers[0].headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answers[1].headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert {answer.headers["X-Content-Type-Options"] for answer in answers} == {"nosniff"}
    assert "frame-ancestors 'none'" in client.get(f"/attachments/{pdf}").headers["Content-Security-Policy"]
    assert f'src="/attachments/{picture}/inline"' in client.get(f"/attachments/{picture}").text


def test_looking_and_downloading_are_put_on_record(client, firm):
    bring(client, firm, (PDF, "审计报告.pdf"))
    number = only().id

    client.get(f"/attachments/{number}/inline", buffered=True)
    answer = client.get(f"/attachments/{number}/file", buffered=True)

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.data == PDF
    noted = db.session.execute(select(AccessLog.what, AccessLog.subject).order_by(AccessLog.id)).all()
    assert [tuple(row) for row in noted if row.what in ("preview", "download")] == [
        ("preview", "审计报告.pdf"),
        ("download", "审计报告.pdf"),
    ]


def test_a_file_with_figures_is_for_those_who_read_figures(sqlite_app, client, firm):
    make_user("tang", "township", region=township())
    bring(client, firm, (PDF, "审计报告.pdf"), confidential="1")
    bring(client, firm, (png(), "厂房.png"))
    secret, plain = db.session.scalars(select(Attachment.id).order_by(Attachment.id))
    official = sqlite_app.test_client()
    sign_in(official, "tang")

    seen = [
        official.get(f"/attachments/{i}{tail}", buffered=True).status_code
        for i in (secret, plain)
        for tail in ("", "/file")
    ]

    assert seen == [404, 404, 200, 200]
    assert "审计报告" not in official.get(f"/attachments/on/enterprise/{firm}").text
    assert post(official, f"/attachments/{plain}/withdraw").status_code == 403


def test_a_file_on_an_application_stays_among_the_figures(sqlite_app):
    own, _ = two_districts()
    client = sqlite_app.test_client()
    sign_in(client, f"case_manager-{own.code}")
    post(client, f"/attachments/on/application/{own.ids['application']}", {"files": files((PDF, "审计报告.pdf"))})
    [row] = db.session.scalars(select(Attachment).where(Attachment.noun == "application"))
    seen = '{"title": "审计报告.pdf", "dated_on": "", "note": "", "confidential": "1"}'
    shown = {"version": "1", "seen": seen, "title": "审计报告.pdf"}

    opened = post(client, f"/attachments/{row.id}/edit", {**shown, "note": ""})
    kept = post(client, f"/attachments/{row.id}/edit", {**shown, "note": "缺第 4 页", "confidential": "1"})

    assert (opened.status_code, kept.status_code) == (422, 302)
    assert "不能去掉这个勾" in opened.text
    db.session.expire_all()
    assert (row.confidential, row.note) == (True, "缺第 4 页")


def test_a_colleague_may_look_and_not_touch(sqlite_app, client, firm):
    make_user("liu", "leader")
    bring(client, firm, (PDF, "审计报告.pdf"))
    leader = sqlite_app.test_client()
    sign_in(leader, "liu")

    assert leader.get(f"/attachments/{only().id}").status_code == 200
    assert bring(leader, firm, (PDF, "另一份.pdf")).status_code == 403
    assert leader.get(f"/attachments/{only().id}/edit").status_code == 403


def test_two_who_change_what_is_said_of_a_file_are_shown_each_other(client, firm):
    bring(client, firm, (PDF, "审计报告.pdf"))
    url = f"/attachments/{only().id}/edit"
    seen = '{"title": "审计报告.pdf", "dated_on": "", "note": "", "confidential": ""}'
    shown = {"version": "1", "seen": seen}

    first = post(client, url, {**shown, "title": "2025 年审计报告", "note": ""})
    other_field = post(client, url, {**shown, "title": "审计报告.pdf", "note": "缺第 4 页"})
    same_field = post(client, url, {**shown, "title": "审计", "note": ""})

    assert (first.status_code, other_field.status_code, same_field.status_code) == (302, 302, 409)
    assert "2025 年审计报告" in same_field.text
    assert (only().title, only().note) == ("2025 年审计报告", "缺第 4 页")


def test_files_hang_on_every_noun_they_may_hang_on(sqlite_app):
    """What the generated test of the walls cannot ask: the other nouns than the enterprise."""
    own, foreign = two_districts()
    client = sqlite_app.test_client()
    sign_in(client, f"case_manager-{own.code}")

    def opened(district):
        return [client.get(f"/attachments/on/{noun}/{district.ids[noun]}").status_code for noun in NOUNS]

    assert (opened(own), opened(foreign)) == ([200] * len(NOUNS), [404] * len(NOUNS))
    brought = [
        post(client, f"/attachments/on/{noun}/{own.ids[noun]}", {"files": files((PDF, f"{noun}.pdf"))})
        for noun in NOUNS
    ]
    assert [answer.status_code for answer in brought] == [302] * len(NOUNS)
    assert client.get(f"/attachments/on/user/{own.ids['user']}").status_code == 404


def test_what_hangs_on_an_event_may_be_created_with_it(sqlite_app, manager, firm):
    kept = file_store.keep(PDF)
    with unit_of_work():
        stored = file_store.record(kept, name="a.pdf", purpose="attachment", at=act().recorded_at)
        hung = {"stored_file_id": stored.id, "noun": "service_log", "region_id": county().id}
        event = {"region_id": county().id, "happened_on": TODAY, "kind": "visit", "text": "看了车间"}
        written = write(
            [
                Create("attachment", {**hung, "record_id": Ref("log")}, "file"),
                Create("service_log", event, "log"),
                Create("service_log_enterprise", {"service_log_id": Ref("log"), "enterprise_id": firm}),
            ],
            act=act(),
            action="test",
        )

    assert only().record_id == written.ids["log"]
    assert [one.id for one in of_enterprise(firm, manager)] == [written.ids["file"]]
