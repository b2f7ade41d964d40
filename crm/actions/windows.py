"""Application windows: entering a year's rounds and moving their dates when they are announced."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm.actions.calendars import keeps_windows
from crm.actions.jobs import ask_for_recompute
from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update
from crm.domain.kinds import KINDS
from crm.domain.refusals import InvalidInput
from crm.extensions import db
from crm.store.regions import TOWNSHIP, Region
from crm.store.scope import visible_record
from crm.store.windows import FIELDS, Window
from crm.store.writer import Written, write

STATUSES: dict[str, str] = {"announced": "已公布", "expected": "预计", "closed": "已结束"}


def add_window(region_id: int, values: Mapping[str, Any], *, act: Act) -> Written:
    """Enter a window of a region and ask for the due list to be computed anew.

    A county's own window stands in place of the city's of the same kind, year and batch, for its enterprises alone.
    ``enterprise_due_at`` and ``county_due_at`` are aware moments. Raises NotFound, NotAllowed, InvalidInput.
    """
    region = visible_record(Region, region_id, act.viewer, "这个区划")
    require(keeps_windows(act.viewer, region.id, act.effective_on), "改申报窗口")
    if region.level == TOWNSHIP:
        raise InvalidInput({"region_id": "窗口在区县或市上维护。选本县。"})
    row = {name: values.get(name) for name in FIELDS if values.get(name) is not None}
    row.setdefault("batch", "")
    _refuse(row, region.id, None)
    written = write(
        [Create("window", {**row, "region_id": region.id}, "window")], act=act, action="add_window", region_id=region.id
    )
    ask_for_recompute(act=act)
    return written


def edit_window(
    window_id: int, values: Mapping[str, Any], *, version: int, act: Act, seen: Mapping[str, Any] | None = None
) -> Written:
    """Change a window's dates, status or source; what hangs on it is computed anew by a job.

    Raises NotFound, NotAllowed, InvalidInput, Conflict.
    """
    row = visible_record(Window, window_id, act.viewer, "这个申报窗口")
    require(keeps_windows(act.viewer, row.region_id, act.effective_on), "改申报窗口")
    wanted = {name: values[name] for name in FIELDS if name in values and name != "kind"}
    _refuse({name: getattr(row, name) for name in FIELDS} | wanted, row.region_id, row.id)
    written = write(
        [Update("window", row.id, wanted, version, seen)], act=act, action="edit_window", region_id=row.region_id
    )
    if written.change_set_id is not None:
        ask_for_recompute(act=act)
    return written


def _refuse(row: Mapping[str, Any], region_id: int, own_id: int | None) -> None:
    wrong: dict[str, str] = {}
    if row.get("kind") not in KINDS:
        wrong["kind"] = "选资格种类。"
    if not isinstance(row.get("year"), int) or not 2000 <= row["year"] <= 2100:
        wrong["year"] = "填四位年份。"
    if row.get("status") not in STATUSES:
        wrong["status"] = "选已公布、预计或已结束。"
    if row.get("status") == "announced" and not row.get("source"):
        wrong["source"] = "已公布的窗口写明通知或网址。"
    if row.get("opens_on") is None:
        wrong["opens_on"] = "填开始日期。"
    opens, closes = row.get("opens_on"), row.get("closes_on")
    if opens and closes and closes < opens:
        wrong["closes_on"] = f"结束日期 {closes} 早于开始日期 {opens}。核对后改正。"
    for name, label in (("enterprise_due_at", "企业截止"), ("county_due_at", "区县截止")):
        due: datetime | None = row.get(name)
        if due is not None and opens and due.date() < opens:
            wrong[name] = f"{label}早于开始日期 {opens}。核对后改正。"
    if not wrong and _exists(row, region_id, own_id):
        wrong["batch"] = "这一年的这一批已有。改已有的一行。"
    if wrong:
        raise InvalidInput(wrong)


def _exists(row: Mapping[str, Any], region_id: int, own_id: int | None) -> bool:
    query = select(Window.id).where(
        Window.region_id == region_id,
        Window.kind == row["kind"],
        Window.year == row["year"],
        Window.batch == (row.get("batch") or ""),
        ~Window.deleted,
    )
    return any(window_id != own_id for window_id in db.session.scalars(query))
