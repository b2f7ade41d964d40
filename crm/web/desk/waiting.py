"""What waits for a person besides the lines of today: counts, each with the list behind it; and what is wrong."""

from datetime import timedelta
from typing import NamedTuple

from flask import current_app, url_for

from crm.domain import words
from crm.domain.months import month_of
from crm.domain.viewers import Viewer
from crm.store import confirmation_lists, desk, notices, request_lists
from crm.store.request_lists import Filter
from crm.web.desk.queue import Queue
from crm.web.doors import now, today

# The scheduler beats every half minute; after this long something is wrong with it.
SILENT_SCHEDULER = timedelta(minutes=3)
SCHEDULER = "scheduler"


class Waiting(NamedTuple):
    """One count: icon, words, how many, the address of the list, and what qualifies it."""

    icon: str
    label: str
    count: int
    href: str
    note: str = ""


def waiting(person: Viewer, mine: int | None, *, office: bool, counted: desk.Counts, queue: Queue) -> list[Waiting]:
    """What waits for this person; what is nothing is left out. ``mine`` narrows to the own enterprises."""
    rows = [*_told(person), *_requests(person, mine), *_confirmed(person, mine), *_collected(person)]
    if person.has("case_manager", "bureau", "unit"):
        rows.append(Waiting("table-import", "导入待确认", desk.imports_to_confirm(person), "/imports"))
    rows.append(Waiting("file-check", "初审待审", queue.count, queue.href, queue.note))
    rows += _enterprises(mine, counted)
    if person.has("bureau", "admin"):
        states = desk.messages_by_state(person)
        stuck = states.get("failed", 0) + states.get("uncertain", 0)
        rows.append(Waiting("mail", "邮件未发出或不确定", stuck, url_for("jobs.index")))
    if office:
        nobody = url_for("enterprises.index", view="unassigned")
        rows.append(Waiting("user-question", "没有专员", counted.unassigned, nobody))
    return [row for row in rows if row.count]


def _told(person: Viewer) -> list[Waiting]:
    """Notices by what they tell: who is called, what was handed over, the rest."""
    unread = notices.unread_by_kind(person)
    mentions, handed = unread.pop("mention", 0), unread.pop("handover", 0)
    to = url_for("notices.index", show="unread")
    return [
        Waiting("message-2", "提到我的批注", mentions, to),
        Waiting("user-share", "交接给我", handed, to),
        Waiting("message-2", "其他未读消息", sum(unread.values()), to),
    ]


def _requests(person: Viewer, mine: int | None) -> list[Waiting]:
    if not person.has("case_manager", "bureau", "leader", "township", "park"):
        return []
    n = request_lists.counts(Filter(mine=mine), person, on=today(), closed=False)

    def to(view: str) -> str:
        return url_for("requests.index", view=view)

    late = Waiting("user-question", "诉求逾期未回复", n["overdue"], to("overdue"))
    if not person.has("case_manager", "bureau"):
        return [late]
    return [
        Waiting("user-question", "诉求待交办", n["raised"], to("raised")),
        late,
        Waiting("user-question", "诉求已回复", n["answered"], to("answered"), "等评价、办结"),
    ]


def _confirmed(person: Viewer, mine: int | None) -> list[Waiting]:
    """What townships said has changed this month, for those who put it right or answer for it."""
    if not person.has("case_manager", "bureau", "leader", "admin"):
        return []
    n = confirmation_lists.count_told(person, month_of(today()), mine=mine)
    return [Waiting("checklist", "乡镇说有变化", n, url_for("confirmations.index", show="open"), "本月")]


def _collected(person: Viewer) -> list[Waiting]:
    if not person.has("case_manager", "bureau", "township", "park"):
        return []
    open_sheets, sent = desk.sheets_out(person, owner_id=person.user_id if person.has("case_manager") else None)
    return [Waiting("forms", "采集表未交回", open_sheets, url_for("collections.index"), f"共发 {sent}")]


def _enterprises(mine: int | None, counted: desk.Counts) -> list[Waiting]:
    own = {"manager": "me"} if mine is not None else {}

    def to(**args: str) -> str:
        return url_for("enterprises.index", **args, **own)

    return [
        Waiting("list-check", "培育库拟入库", counted.proposed, to(state="pool:proposed")),
        Waiting("refresh", "国家科小待更新", counted.awaiting, to(state="tech_sme:awaiting_update"), "衔接期"),
        Waiting("phone-off", "久未联系", counted.silent, to(view="silent"), "不含从未联系"),
        Waiting("phone", "从未联系", counted.never_contacted, to(view="never"), "没有记录"),
    ]


def alerts(person: Viewer) -> list[tuple[str, str, str]]:
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
