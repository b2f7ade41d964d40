"""访问留痕: who signed in, exported and downloaded what, of the own region; taking it away is itself put on record."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for

from crm.actions.exports import export_rows
from crm.domain import words
from crm.domain.pinyin import sort_key
from crm.store import access_lists
from crm.store.access_lists import Filter
from crm.store.access_log import AccessLog
from crm.web import downloads
from crm.web.addresses import page_number, whole
from crm.web.doors import new_act, open_to, today, viewer
from crm.web.inputs import read_day
from crm.web.sign_in import proof

blueprint = Blueprint("access_log", __name__)

# What is written as {code: words}; a code that a later version writes comes out as it stands.
WHAT: dict[str, str] = {
    "export": "导出",
    "download": "下载文件",
    "view": "查看文件",
    "sign_in": "登录",
    "sign_in_failed": "登录失败",
    "second_factor_failed": "验证码不对",
    "recovery_code_used": "用恢复码登录",
    "proof_failed": "再确认时密码不对",
    "set_password": "改密码",
    "reset_asked": "要找回密码的信",
    "second_factor_on": "打开两步验证",
    "second_factor_off": "关掉两步验证",
    "recovery_codes": "换恢复码",
    "send_again": "再发邮件",
    "let_be": "不再发邮件",
}
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "taken": ("导出和下载", ("export", "download", "view")),
    "sign_in": ("登录", ("sign_in", "sign_in_failed", "second_factor_failed", "recovery_code_used", "proof_failed")),
    "accounts": (
        "密码和两步验证",
        ("set_password", "reset_asked", "second_factor_on", "second_factor_off", "recovery_codes"),
    ),
}


@blueprint.get("/access-log")
@open_to("bureau", "admin")
def index():
    wanted, asked, problem = _asked()
    number, person = page_number(request.args), viewer()
    total = access_lists.count(wanted, person)
    rows = access_lists.page(wanted, person, number=number)
    first = (number - 1) * access_lists.PAGE + 1
    return render_template(
        "access_log/index.html",
        rows=[(row, words.local(row.at), WHAT.get(row.what, row.what), about(row)) for row in rows],
        asked=asked,
        problem=problem,
        groups=GROUPS,
        people=sorted(access_lists.people(person).items(), key=lambda one: sort_key(one[1])),
        total=total,
        number=number,
        pages=max(1, -(-total // access_lists.PAGE)),
        first=first if rows else 0,
        last=first + len(rows) - 1 if rows else 0,
        page_href=lambda n: url_for("access_log.index", **asked, page=n),
        export_href=url_for("access_log.export") + (f"?{urlencode(asked)}" if asked else ""),
    )


@blueprint.get("/access-log/export")
@open_to("bureau", "admin")
def export():
    if not proof.is_proved():
        return proof.ask_again("导出访问留痕")
    wanted, asked, _ = _asked()
    total = access_lists.count(wanted, viewer())
    rows = access_lists.page(wanted, viewer(), size=downloads.MOST_ROWS)
    heads = [
        ("时间", "text"),
        ("谁", "text"),
        ("做了什么", "text"),
        ("内容", "text"),
        ("行数", "count"),
        ("请求编号", "text"),
    ]
    lines = [
        (
            f"{words.local(row.at):%Y-%m-%d %H:%M:%S}",
            row.who or "没有登录的人",
            WHAT.get(row.what, row.what),
            about(row),
            row.rows,
            row.request_id,
        )
        for row in rows
    ]
    told = (_in_words(asked), words.day(today()), f"{len(lines)} 条", downloads.left_out(total, "条"))
    said = "；".join(part for part in told if part)
    content, name = export_rows(title="访问留痕", subtitle=said, columns=heads, rows=lines, act=new_act(), filter=asked)
    return downloads.as_download(content, name)


def about(row: AccessLog) -> str:
    """What was taken, with its filter, in one line; the numbers of users are said by who did it."""
    subject = "" if row.subject.startswith("user ") else row.subject
    said = [f"{key}={_short(value)}" for key, value in (row.filter or {}).items() if value not in (None, "", [])]
    return "；".join(part for part in (subject, "，".join(said)) if part)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"


def _asked() -> tuple[Filter, dict[str, str], str | None]:
    """The filter of an address, its arguments as they are carried on, and a sentence about a day that is none."""
    args: Mapping[str, str] = request.args
    asked: dict[str, str] = {}
    group = args.get("what", "")
    if group in GROUPS:
        asked["what"] = group
    user_id = whole(args.get("user_id"))
    if user_id is not None:
        asked["user_id"] = str(user_id)
    days, problem = {}, None
    for name in ("since", "until"):
        text = args.get(name, "").strip()
        if not text:
            continue
        try:
            days[name] = read_day(text)
            asked[name] = days[name].isoformat()
        except ValueError as error:
            problem = str(error)
    what = GROUPS[group][1] if group in GROUPS else ()
    return Filter(what, user_id, days.get("since"), days.get("until")), asked, problem


def _in_words(asked: Mapping[str, str]) -> str:
    parts = []
    if "what" in asked:
        parts.append(GROUPS[asked["what"]][0])
    if "user_id" in asked:
        parts.append(access_lists.people(viewer()).get(int(asked["user_id"]), "一名用户"))
    if "since" in asked:
        parts.append(f"{asked['since']} 起")
    if "until" in asked:
        parts.append(f"{asked['until']} 止")
    return "，".join(parts) or "全部"
