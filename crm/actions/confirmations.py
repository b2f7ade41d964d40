"""The township's month: is what the library says of each enterprise still so? One answer each, a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from crm.actions.notices import tell
from crm.actions.rights import may_edit, may_log, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.months import month_of, months_on
from crm.domain.refusals import InvalidInput, NotAllowed, NotFound, Refused
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.confirmations import Confirmation
from crm.store.scope import visible, visible_enterprise, visible_record
from crm.store.standings import Standing
from crm.store.users import User
from crm.store.writer import Written, write

SAME, CHANGED = "same", "changed"
ANSWERS: dict[str, str] = {
    SAME: "无变化",
    CHANGED: "有变化",
    "unreachable": "联系不上",
    "closed": "已关停",
    "moved": "已搬走",
}
LONGEST_NOTE = 300
# The last day of a month on which the one before may still be confirmed; nobody is reminded of it.
LATE_UNTIL = 10
NOTICE = "confirmation"


@dataclass(frozen=True)
class Answer:
    """What is said of one enterprise; ``seen`` is the version of the answer the page showed, 0 for none."""

    answer: str
    note: str = ""
    seen: int = 0


@dataclass(frozen=True)
class Confirmed:
    """What a page did: the write (of nothing, perhaps), and the answers somebody else gave meanwhile, not touched."""

    written: Written
    clashes: Mapping[int, Confirmation]
    count: int


def open_months(on: date) -> tuple[date, ...]:
    """The months that may be confirmed on a day, this one first: a month's last days may fall on holidays."""
    this = month_of(on)
    return (this, months_on(on, -1)) if on.day <= LATE_UNTIL else (this,)


def problems(answers: Mapping[int, Answer]) -> dict[str, str]:
    """What is wrong with a page, as {note-ID or answer-ID: one Chinese sentence}."""
    wrong: dict[str, str] = {}
    for enterprise_id, one in answers.items():
        if one.answer not in ANSWERS:
            wrong[f"answer-{enterprise_id}"] = "选一个答复。"
        elif one.answer == CHANGED and not one.note.strip():
            wrong[f"note-{enterprise_id}"] = "写一句变了什么，服务专员据此改档案。"
        elif len(one.note.strip()) > LONGEST_NOTE:
            wrong[f"note-{enterprise_id}"] = f"说明最多 {LONGEST_NOTE} 字，现在 {len(one.note.strip())} 字。"
    return wrong


def confirm(month: date, answers: Mapping[int, Answer], *, act: Act) -> Confirmed:
    """Record one page of answers of a month that is open, all in one change set.

    What is news (anything but 无变化) is told to the enterprise's case manager. Where somebody else answered something
    else since the page was opened, that answer stays and comes back among ``clashes``. Raises NotFound for an
    enterprise out of sight, NotAllowed for one that is not the viewer's to confirm, InvalidInput, Refused for a month
    that is not open.
    """
    if month not in open_months(act.effective_on):
        raise Refused(
            f"{month.year} 年 {month.month} 月现在不能确认：本月随时可以，上月可以补到 {LATE_UNTIL} 日。下面是本月的。"
        )
    wrong = problems(answers)
    if wrong:
        raise InvalidInput(wrong)
    standings = _standings(answers, act.viewer)
    stored = _stored(answers, month)
    changes: list[Create | Update] = []
    clashes: dict[int, Confirmation] = {}
    news: list[tuple[Standing, Answer]] = []
    for enterprise_id, one in answers.items():
        note = one.note.strip() or None if one.answer != SAME else None
        before = stored.get(enterprise_id)
        if before is not None and (before.answer, before.note) == (one.answer, note):
            continue
        if before is not None and before.version != one.seen:
            clashes[enterprise_id] = before
            continue
        # What was looked into was the answer before; the new one is looked into anew.
        looked = {"checked_on": None, "checked_by_id": None, "checked_note": None} if before is not None else {}
        values = {"answer": one.answer, "note": note, "user_id": act.viewer.user_id, **looked}
        if before is None:
            changes.append(Create("confirmation", {"enterprise_id": enterprise_id, "month": month, **values}))
        else:
            changes.append(Update("confirmation", before.id, values, before.version))
        if one.answer != SAME:
            news.append((standings[enterprise_id], one))
    region_id = next(iter(standings.values())).region_id if standings else None
    told = [(standing.manager_id, standing.enterprise_id, one) for standing, one in news]
    written = write(changes, act=act, action="confirm_month", region_id=region_id)
    for manager_id, enterprise_id, one in told:
        said = f"{month.month} 月确认：{ANSWERS[one.answer]}" + (f"，{one.note.strip()}" if one.note.strip() else "")
        tell(
            [manager_id],
            NOTICE,
            said,
            noun="enterprise",
            record_id=enterprise_id,
            enterprise_id=enterprise_id,
            act=act,
        )
    return Confirmed(written, clashes, len(changes))


def check_confirmation(confirmation_id: int, note: str | None, *, version: int, act: Act) -> Written:
    """核实: what a township said has changed was looked into, with what came of it (may be blank).

    Done by who may edit the enterprise. ``version`` is that of the answer that was looked at. Raises NotFound,
    NotAllowed, InvalidInput, Refused when it says 无变化, was looked into, or was answered anew since.
    """
    one: Confirmation = visible_record(Confirmation, confirmation_id, act.viewer, "这条月度确认")
    row, standing = visible_enterprise(one.enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "核实乡镇说的变化")
    if one.checked_on is not None:
        raise Refused(f"{one.checked_on} 已核实。刷新后再看。")
    if one.version != version:
        raise Refused("乡镇刚改了答复，没有写入。看过新的答复再核实。")
    if one.answer == SAME:
        raise Refused("乡镇说没有变化，不用核实。")
    said = (note or "").strip()
    if len(said) > LONGEST_NOTE:
        raise InvalidInput({"checked_note": f"核实结果最多 {LONGEST_NOTE} 字，现在 {len(said)} 字。"})
    values = {"checked_on": act.effective_on, "checked_by_id": act.viewer.user_id, "checked_note": said or None}
    changes = [Update("confirmation", one.id, values, version)]
    return write(changes, act=act, action="check_confirmation", region_id=row.region_id)


def answered_by(clashes: Mapping[int, Confirmation]) -> dict[int, str]:
    """Who gave each of these answers, by enterprise."""
    ids = {one.user_id for one in clashes.values() if one.user_id}
    names = dict(db.session.execute(select(User.id, User.name).where(User.id.in_(ids))).all()) if ids else {}
    return {enterprise_id: names.get(one.user_id or 0, "") for enterprise_id, one in clashes.items()}


def _standings(answers: Mapping[int, Answer], viewer: Viewer) -> dict[int, Standing]:
    query = select(Standing).where(Standing.enterprise_id.in_(list(answers)))
    found = {one.enterprise_id: one for one in db.session.scalars(visible(query, viewer))}
    if len(found) != len(answers):
        raise NotFound("其中一家企业")
    if any(not may_log(viewer, one) for one in found.values()):
        raise NotAllowed("其中有不归你乡镇（街道）或园区确认的企业。")
    return found


def _stored(answers: Mapping[int, Answer], month: date) -> dict[int, Confirmation]:
    query = select(Confirmation).where(
        Confirmation.enterprise_id.in_(list(answers)), Confirmation.month == month, ~Confirmation.deleted
    )
    return {one.enterprise_id: one for one in db.session.scalars(query)}
