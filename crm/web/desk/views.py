"""The desk and the week's mail as a page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app, render_template, url_for

from crm.actions.digest_material import compose as compose_digest
from crm.actions.digest_material import is_reader
from crm.domain import words
from crm.domain.kinds import KINDS
from crm.domain.viewers import Viewer
from crm.domain.workdays import Holidays
from crm.mail.compose import digest as digest_mail
from crm.store import desk, enterprise_lists, obligation_lists, recent
from crm.store.holidays import holidays
from crm.store.obligation_lists import LATE, Filter
from crm.store.silence import Limits, limits
from crm.web import reference
from crm.web.desk import blueprint, lines, people
from crm.web.doors import SIGNED_IN, now, open_to, today, viewer
from crm.web.obligations.filters import GROUPS
from crm.web.obligations.forms import PostponeForm, SettleForm
from crm.web.obligations.listing import mine_usually, quick_days

# The scheduler beats every half minute; after this long something is wrong with it.
SILENT_SCHEDULER = timedelta(minutes=3)
SCHEDULER = "scheduler"

# What somebody did, as the end of a sentence that begins with the name; the history has the headings.
DEEDS: dict[str, str] = {
    "create_enterprise": "新增了企业",
    "edit_enterprise": "改了企业信息",
    "correct_enterprise": "更正了企业信息",
    "record_qualification": "登记了认定结果",
    "correct_qualification": "更正了认定结果",
    "end_qualification": "登记了资格终止",
    "record_figures": "填了年度指标",
    "record_ip": "登记了知识产权",
    "propose_for_pool": "提了培育库拟入库",
    "decide_pool": "登记了培育库入库决定",
    "leave_pool": "登记了培育库出库",
    "add_application": "登记了申报",
    "move_application": "改了申报",
    "log_service": "记了服务",
    "edit_service_log": "改了服务记录",
    "settle_obligation": "办结了到期事项",
    "waive_obligation": "免办了到期事项",
    "miss_obligation": "登记了未报",
    "postpone_obligation": "给到期事项改了期",
    "reopen_obligation": "取回了到期事项",
    "raise_request": "登记了诉求",
    "edit_request": "改了诉求",
    "dispatch_request": "交办了诉求",
    "transfer_request": "把诉求转了平台",
    "reply_request": "回复了诉求",
    "rate_request": "登记了企业评价",
    "close_request": "办结了诉求",
    "reopen_request": "重新打开了诉求",
    "write_comment": "写了批注",
    "edit_comment": "改了批注",
    "undo": "撤销了一次修改",
    "hand_over": "交接了企业",
}


@dataclass(frozen=True)
class Place:
    """Whose desk it is: ``mine`` narrows to the own enterprises, ``unit`` is a department that sees titles only."""

    mine: int | None
    unit: bool
    office: bool
    heading: str


def place_of(person: Viewer) -> Place:
    """What this person's desk is about, by the widest role held."""
    office = person.has("bureau", "leader", "admin")
    unit = person.has("unit") and not office and not person.has("case_manager", "township", "park")
    mine = person.user_id if mine_usually() else None
    if mine is not None:
        heading = "我的企业"
    elif office or unit:
        heading = "本区企业"
    else:
        heading = "本乡镇企业" if person.has("township") else "本园区企业"
    return Place(mine, unit, office, heading)


@blueprint.get("/")
@open_to(SIGNED_IN)
def show():
    person = viewer()
    place = place_of(person)
    known = holidays()
    silence = limits(today(), known)
    counted = desk.counts(person, mine=place.mine, limits=silence)
    if place.unit:
        return _unit_desk(counted)
    if not counted.total:
        return render_template("desk/empty.html", place=place, alerts=_alerts(person))
    found, numbers = _todays(person, place, silence, known)
    due = numbers["due"]
    may_settle = person.has("case_manager", "bureau", "admin")
    what = "今天要做的" if may_settle else "今天要留意的"
    head = f"{what}（{words.day_long(today(), today())} {words.weekday(today())}）"
    return render_template(
        "desk/show.html",
        place=place,
        lines=found,
        **numbers,
        counted=counted,
        stand_ins=people.stand_ins(person, silence, known),
        late_people=people.late_people(person),
        most=max(1, *counted.own),
        most_held=max(1, *counted.held),
        alerts=_alerts(person),
        waiting=_waiting(person, place, counted),
        text=lines.as_text(found, head=head, counts={GROUPS[group]: n for group, n in due.items()}),
        may_log=person.has("case_manager", "township", "park", "bureau", "admin"),
        may_settle=may_settle,
        has_digest=is_reader(person),
        settle_form=SettleForm(formdata=None),
        postpone_form=PostponeForm(formdata=None),
        quick_days=quick_days(),
        manager="" if place.mine is None else "me",
        outbox=desk.last_messages(person) if person.has("admin") else [],
    )


@blueprint.get("/desk/numbers")
@open_to(SIGNED_IN)
def numbers():
    """The numbers under today's lines as they stand now, for a desk on which something was just settled."""
    person, known = viewer(), holidays()
    place = place_of(person)
    if place.unit:
        return ""
    _, counted = _todays(person, place, limits(today(), known), known)
    return render_template("desk/_numbers.html", fresh=True, **counted)


def _todays(person: Viewer, place: Place, silence: Limits, known: Holidays) -> tuple[list[lines.Line], dict[str, Any]]:
    """The lines of today, and the numbers that stand over and under them."""
    wanted = Filter(mine=place.mine)
    counts = obligation_lists.pivot(wanted, person, now=now())
    quiet = desk.longest_silent(person, mine=place.mine, limits=silence, limit=lines.MOST)
    silent = lines.silent_lines(quiet, on=today(), holidays=known)
    found = lines.todays(person, wanted, counts, now=now(), silent=silent, internal=True)
    due = _due_counts(counts, wanted)
    # A line that stands for several counts as what it stands for, so that the heading agrees with the foot.
    listed = sum(line.others + 1 for line in found)
    left_out = sum(due.values()) - sum(line.others + 1 for line in found if line.quiet is None)
    return found, {"due": due, "due_words": GROUPS, "listed": listed, "left_out": left_out}


def _unit_desk(counted: desk.Counts):
    """A department's desk leads to the titles and the register it owns, which it may import and keep."""
    person = viewer()
    kinds = [
        (kind, enterprise_lists.count(enterprise_lists.Filter(kind=code), person, today=today()))
        for code, kind in sorted(KINDS.items(), key=lambda item: item[1].rung_class, reverse=True)
        if code in person.owned
    ]
    return render_template(
        "desk/unit.html",
        kinds=kinds,
        keeps_ip="intellectual_property" in person.owned,
        counted=counted,
        has_digest=is_reader(person),
    )


def _due_counts(counts: obligation_lists.Pivot, wanted: Filter) -> dict[str, int]:
    groups = counts.by_group(wanted)
    return {group: groups.get(group, 0) for group in (LATE, "week", "month")}


def _waiting(person: Viewer, place: Place, counted: desk.Counts) -> list[tuple[str, str, int, str, str]]:
    """(icon, words, how many, address, note) of what waits for this person; what is nothing is left out."""
    mine = {"manager": "me"} if place.mine is not None else {}
    rows = [
        (
            "list-check",
            "培育库拟入库",
            counted.proposed,
            url_for("enterprises.index", state="pool:proposed", **mine),
            "",
        ),
        (
            "refresh",
            "国家科小待更新",
            counted.awaiting,
            url_for("enterprises.index", state="tech_sme:awaiting_update", **mine),
            "衔接期",
        ),
        ("phone-off", "久未联系", counted.silent, url_for("enterprises.index", view="silent", **mine), "不含从未联系"),
        ("phone", "从未联系", counted.never_contacted, url_for("enterprises.index", view="never", **mine), "没有记录"),
    ]
    if person.has("case_manager", "bureau", "unit"):
        rows.insert(0, ("table-import", "导入待确认", desk.imports_to_confirm(person), "/imports", ""))
    if person.has("bureau", "admin"):
        states = desk.messages_by_state(person)
        stuck = states.get("failed", 0) + states.get("uncertain", 0)
        rows.append(("mail", "邮件未发出或不确定", stuck, url_for("jobs.index"), ""))
    if place.office:
        nobody = url_for("enterprises.index", view="unassigned")
        rows.append(("user-question", "没有专员", counted.unassigned, nobody, ""))
    return [row for row in rows if row[2]]


def _alerts(person: Viewer) -> list[tuple[str, str, str]]:
    """(class, sentence, address) of what an office must know about the machine itself."""
    found: list[tuple[str, str, str]] = []
    if person.has("bureau", "admin"):
        seen = desk.last_beat(SCHEDULER)
        if seen is None or now() - seen > SILENT_SCHEDULER:
            when = f"，最后一次 {words.moment(seen, today())}" if seen else ""
            found.append(
                ("soon", f"定时任务没有在运行{when}。周邮件不会发出，到期状态不会每晚重算。由系统管理员重启程序。", "")
            )
    if person.has("admin") and not current_app.config["SETTINGS"].smtp_url:
        found.append(("acc", "没有配置邮件服务器：周邮件写成 .eml 文件，不会寄出。", url_for("jobs.index")))
    return found


@blueprint.get("/desk/changes")
@open_to(SIGNED_IN)
def changes():
    """What others changed since last week's Monday, fetched after the desk so that it never holds it up."""
    person = viewer()
    place = place_of(person)
    monday = today() - timedelta(days=today().weekday() + 7)
    found = []
    if not place.unit:
        found = recent.changes_since(person, mine=place.mine, since=obligation_lists.midnight(monday))
    return render_template("desk/_changes.html", changes=found, DEEDS=DEEDS, place=place, day_of=_day_of)


def _day_of(at: datetime) -> str:
    """今天, 昨天, 周四 within the last week, else the date."""
    day = words.local(at).date()
    if (today() - day).days in (0, 1):
        return ("今天", "昨天")[(today() - day).days]
    return words.weekday(day) if (today() - day).days < 7 else words.day(day, today())


@blueprint.get("/desk/week")
@open_to(SIGNED_IN)
def week():
    """The week's mail as it would be written now, and as plain text to be pasted into a chat."""
    person = viewer()
    content = compose_digest(person.user_id or 0, today(), now=now())
    mail = digest_mail(content, user_id=person.user_id or 0)
    people = reference.people([person.user_id])
    return render_template("desk/week.html", digest=content, text=mail.text, subject=mail.subject, people=people)
