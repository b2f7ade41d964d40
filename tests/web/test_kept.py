"""A form that could not be saved yet comes back in words: each value under the label it was typed under."""

from datetime import timedelta

import pytest

from crm.web.kept import kept_lines
from crm.web.sign_in.sessions import IDLE
from tests.builders import PASSWORD, make_user
from tests.web.conftest import csrf_of, sign_in
from tests.web.test_sign_in import hidden_fields

VISIT = {
    "request_key": ["k1"],
    "back": ["/due?month=late"],
    "enterprises": ["3", "4"],
    "kind": ["phone"],
    "text": ["新烘干线\n下月投产"],
    "next_step": ["送表样"],
    "next_step_on": ["2026-12-01"],
}


@pytest.mark.parametrize(
    ("kept", "target", "lines"),
    [
        (
            VISIT,
            "/visits/new",
            [
                ("企业", "2 家"),
                ("方式", "电话"),
                ("内容", "新烘干线\n下月投产"),
                ("下一步", "送表样"),
                ("下一步期限", "2026-12-01"),
            ],
        ),
        ({"note": ["已交窗口"]}, "/due/3/hnte_renewal/2026/settle", [("办结说明", "已交窗口")]),
        ({"reason": ["已迁出"]}, "/due/3/hnte_renewal/2026/waive", [("为什么免办", "已迁出")]),
        ({"township": ["12"], "name": ["青禾食品"]}, "/enterprises/new", [("企业名称", "青禾食品")]),
        ({"revenue": ["四百余万"]}, "/enterprises/3/figures/2025", [("营业收入", "四百余万")]),
        ({"what": ["谁也没有声明过的字段"], "id": ["7"]}, "/nowhere", [("其他内容", "谁也没有声明过的字段")]),
        ({"text": [""], "request_key": ["k1"]}, "/visits/new", []),
    ],
    ids=["visit", "settle", "waive", "ids_stay_unseen", "not_read_yet", "unknown_form", "blank"],
)
def test_what_was_typed_is_said_under_its_label(sqlite_app, kept, target, lines):
    with sqlite_app.test_request_context(target):
        assert kept_lines(kept, target) == lines


def test_the_form_resumed_after_signing_in_again_names_its_values(sqlite_app, monday):
    make_user("lina", "bureau")
    client = sqlite_app.test_client()
    sign_in(client, "lina")
    monday.shift(IDLE + timedelta(minutes=5))

    asked = client.post(
        "/visits/new", data={"csrf_token": csrf_of(client), "text": "看了新烘干线。", "next_step": "送表"}
    )
    resumed = client.post("/sign-in", data=hidden_fields(asked.text) | {"login": "lina", "password": PASSWORD})

    assert "<dt>内容</dt><dd>看了新烘干线。</dd><dt>下一步</dt><dd>送表</dd>" in resumed.text
