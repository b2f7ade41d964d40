"""Days off and make-up working days, as the State Council announces them each autumn for the next year."""

from datetime import date, timedelta

from sqlalchemy import select

from crm.actions.calendars import keeps_holidays
from crm.actions.jobs import ask_for_recompute
from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.changes import Create, withdraw
from crm.domain.refusals import InvalidInput, NotFound
from crm.extensions import db
from crm.store.holidays import Holiday
from crm.store.writer import Written, write

OFF, WORK = "off", "work"
KINDS: dict[str, str] = {OFF: "放假", WORK: "调休上班"}
# The longest holiday so far had nine days; a longer span is a slip of the year.
LONGEST = 15


def add_holidays(first: date, last: date, *, kind: str, name: str, source: str, act: Act) -> Written:
    """Enter the days from first to last, both inclusive, as off or worked; days already known are left out.

    Raises NotAllowed, InvalidInput (ends before it begins, longer than 15 days, no source).
    """
    require(keeps_holidays(act.viewer, act.effective_on), "改节假日")
    wrong: dict[str, str] = {}
    if kind not in KINDS:
        wrong["kind"] = "选放假或调休上班。"
    if last < first:
        wrong["last"] = f"末日 {last} 早于首日 {first}。核对后改正。"
    elif (last - first).days >= LONGEST:
        wrong["last"] = f"一次最多加 {LONGEST} 天。"
    if not source.strip():
        wrong["source"] = "写明依据的通知。"
    if wrong:
        raise InvalidInput(wrong)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    known = set(db.session.scalars(select(Holiday.day).where(Holiday.day.in_(days), ~Holiday.deleted)))
    if known == set(days):
        raise InvalidInput({"first": "这几天都已登记。要改，先去掉再加。"})
    changes = [
        Create("holiday", {"day": day, "kind": kind, "name": name.strip()[:40] or None, "source": source.strip()[:200]})
        for day in days
        if day not in known
    ]
    written = write(changes, act=act, action="add_holidays")
    ask_for_recompute(act=act)
    return written


def remove_holiday(holiday_id: int, *, act: Act) -> Written:
    """Take a day out of the calendar again. Raises NotFound, NotAllowed."""
    require(keeps_holidays(act.viewer, act.effective_on), "改节假日")
    row = db.session.scalar(select(Holiday).where(Holiday.id == holiday_id, ~Holiday.deleted))
    if row is None:
        raise NotFound("这一天")
    written = write([withdraw("holiday", row.id, row.version)], act=act, action="remove_holiday")
    ask_for_recompute(act=act)
    return written
