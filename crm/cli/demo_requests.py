"""What the invented firms asked for (诉求), how it went on, and what was said about it (批注)."""

import random
from collections.abc import Hashable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from crm.cli.demo_events import OUTCOMES, REQUESTS, Event, Later
from crm.cli.demo_shapes import COUNTY, DemoEnterprise, DemoLog, World
from crm.domain.changes import Create, Ref
from crm.domain.clock import SHANGHAI
from crm.extensions import db
from crm.store.comments import Notice

# What was asked for → its category, and the department that answers in the county.
_ASKED: dict[str, tuple[str, str]] = {
    "贷款": ("financing", "县财政局"),
    "道路": ("utilities", "县发展改革委"),
    "设备": ("technology", "县市场监管局"),
    "用地": ("land", "县经济信息委"),
}
_REPLIES: dict[str, str] = {
    "financing": "已把企业推荐给两家银行，知识价值信用贷款材料一周内可报，额度按评级定。",
    "utilities": "已列入今年第四季度园区道路维修计划，路面硬化由工业园区管委会组织施工。",
    "technology": "市检测院巫溪站可以共用烘干和检测设备，按次收费，已把联系人电话告诉企业。",
    "land": "用地预审材料已补齐，进入审批，预计一个月办结。",
}
_CLOSINGS = ("企业已对接，问题解决", "已答复企业，企业认可", "列入计划，按期跟踪")
# Older requests than this are no longer worth showing.
DAYS_BACK = 260
# A request of fewer days was not sent to a department yet.
DAYS_TO_BE_SENT = 4
_SECOND_UNIT = "云台区经信委（虚构）"

_COMMENTS: tuple[tuple[str, str, str | None], ...] = (
    ("liaoheng", "这家是今年冲高企的重点，材料盯紧，缺什么提前说。", "manager"),
    ("tanyue", "上次去厂里没见到会计，研发辅助账还要再核一遍。", None),
    ("liaoheng", "负责人反映流动资金紧，@谭越 对接一下银行。", "tanyue"),
    ("tanyue", "专利证书复印件已经收到，放在附件里。", "manager"),
    ("liaoheng", "市里下月来调研，这家可以看。", "manager"),
)


def request_key(number: int) -> Hashable:
    return ("request", number)


def _asks(log: DemoLog, world: World) -> bool:
    return log.fields["kind"] == "request" and 0 <= (world.on - log.fields["happened_on"]).days <= DAYS_BACK


def unanswered(world: World) -> frozenset[int]:
    """The numbers of the events whose request still waits for its reply whatever the day: the last of each case
    manager that a department can have had long enough."""
    last: dict[str, int] = {}
    for number, log in enumerate(world.logs):
        if _asks(log, world) and (world.on - log.fields["happened_on"]).days >= DAYS_TO_BE_SENT:
            last[log.author] = number
    return frozenset(last.values())


def request_events(number: int, log: DemoLog, world: World, *, waits: bool) -> Iterator[Event]:
    """A visit at which a firm asked for something leads to a request; the older it is, the farther it went, unless it
    still ``waits`` for its reply."""
    if not _asks(log, world):
        return
    raised_on: date = log.fields["happened_on"]
    age = (world.on - raised_on).days
    rng = random.Random(f"{world.seed}:request:{number}")
    text = str(log.fields["text"])
    category, unit = next((found for word, found in _ASKED.items() if word in text), ("other", "县发展改革委"))
    unit = unit if log.region == COUNTY else _SECOND_UNIT
    key, author = request_key(number), log.author
    values: dict[str, Any] = {
        "enterprise_id": Ref(log.enterprises[0]),
        "region_id": Ref(("region", log.region)),
        "service_log_id": Ref(("service_log", number)),
        "author_id": Ref(("user", author)),
        "author_name": log.fields["author_name"],
        "raised_on": raised_on,
        "category": category,
        "text": text,
    }

    def event(on: date, action: str, change: Create | Later, who: str = author) -> Event:
        phase = REQUESTS if isinstance(change, Create) else OUTCOMES
        return Event(min(on, world.on), phase, who, log.region, action, (change,))

    yield event(raised_on, "raise_request", Create("request", values, key))
    if rng.random() < 0.25:
        number_there = f"CQ{raised_on:%Y%m%d}{rng.randint(1000, 9999)}"
        passed = {"transferred_on": min(raised_on + timedelta(days=2), world.on), "platform_number": number_there}
        yield event(passed["transferred_on"], "transfer_request", Later("request", key, passed))
    if age < DAYS_TO_BE_SENT:
        return
    sent_on = raised_on + timedelta(days=rng.randint(1, 3))
    due_on = sent_on + timedelta(days=rng.choice((7, 9, 14)))
    sent = {"unit_id": Ref(("unit", log.region, unit)), "dispatched_on": sent_on, "due_on": due_on}
    yield event(sent_on, "dispatch_request", Later("request", key, sent))
    replied_on = sent_on + timedelta(days=rng.randint(2, 12))
    if waits or replied_on > world.on or rng.random() < 0.12:
        return
    reply = _REPLIES.get(category, "已了解情况，会同相关部门研究后答复企业。")
    answer = {"reply": reply, "replied_on": replied_on, "replied_by": f"{unit.removesuffix('（虚构）')}联络员"}
    yield event(replied_on, "reply_request", Later("request", key, answer))
    if replied_on + timedelta(days=8) > world.on:
        return
    rated = {"rating": rng.choices((5, 4, 3, 2), (4, 5, 2, 1))[0]}
    yield event(replied_on + timedelta(days=4), "rate_request", Later("request", key, rated))
    if age > 60 or rng.random() < 0.6:
        closed = {"closed_on": replied_on + timedelta(days=8), "close_reason": rng.choice(_CLOSINGS)}
        yield event(closed["closed_on"], "close_request", Later("request", key, closed))


def _commented(world: World) -> list[tuple[int, DemoEnterprise, str]]:
    """(number, enterprise, login of its case manager) of those the office has something to say about."""
    found = []
    for one in world.enterprises:
        manager = one.value_on("manager", world.on)
        if one.region == COUNTY and one.rung >= 2 and isinstance(manager, str):
            found.append((one, manager))
    return [(n, one, manager) for n, (one, manager) in enumerate(found[:12])]


def _comment(n: int, manager: str) -> tuple[str, str, str | None]:
    """Who says what, and the login of who is mentioned."""
    who, text, mentioned = _COMMENTS[n % len(_COMMENTS)]
    return who, text, manager if mentioned == "manager" else mentioned


def _said_at(n: int, world: World) -> datetime:
    return datetime.combine(world.on - timedelta(days=n * 2 + 1), time(9 + n % 8, 20), SHANGHAI)


def comment_events(world: World) -> Iterator[Event]:
    """A leader and the office comment on the firms on the upper rungs."""
    names = {user.login: user.name for user in world.users}
    for n, one, manager in _commented(world):
        who, text, mentioned = _comment(n, manager)
        values = {
            "region_id": Ref(("region", one.region)),
            "noun": "enterprise",
            "record_id": Ref(one.key),
            "enterprise_id": Ref(one.key),
            "author_id": Ref(("user", who)),
            "author_name": names[who],
            "written_at": _said_at(n, world),
            "text": text,
        }
        if mentioned is not None:
            values["mentions"] = [Ref(("user", mentioned))]
        comment = Create("comment", values, ("comment", n))
        yield Event(_said_at(n, world).date(), REQUESTS, who, one.region, "write_comment", (comment,))


def tell_of_them(ids: Mapping[Hashable, int], world: World, now: datetime) -> None:
    """The notices that the comments brought; those of the last fortnight nobody opened yet."""
    names = {user.login: user.name for user in world.users}
    for n, one, manager in _commented(world):
        who, _, mentioned = _comment(n, manager)
        said_at = _said_at(n, world)
        for login in dict.fromkeys((mentioned, manager)):
            if login is None or login == who:
                continue
            called = login == mentioned
            db.session.add(
                Notice(
                    user_id=ids[("user", login)],
                    kind="mention" if called else "comment",
                    noun="enterprise",
                    record_id=ids[one.key],
                    enterprise_id=ids[one.key],
                    text="在企业的批注里提到你" if called else "批注了企业",
                    by_name=names[who],
                    comment_id=ids[("comment", n)],
                    made_at=said_at,
                    seen_at=None if (world.on - said_at.date()).days <= 14 else min(now, said_at + timedelta(days=1)),
                )
            )
