"""Settings of a region: how the product behaves there, recorded like everything else."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.actions.jobs import ask_for_recompute
from crm.actions.rights import require
from crm.config import ADDRESS
from crm.domain.acts import Act
from crm.domain.changes import Create, Update, withdraw
from crm.domain.refusals import Conflict, InvalidInput
from crm.domain.viewers import OFFICE, Viewer
from crm.extensions import db
from crm.store.regions import TOWNSHIP, Region
from crm.store.scope import visible_record
from crm.store.settings import DECLARED, PROJECTED, Declared, Setting, setting
from crm.store.writer import Written, write

# The value that gives a setting back to the region above, or to its default.
INHERIT = None


def read_setting(declared: Declared, raw: Any) -> Any:
    """The value a form's text means for a declared setting. Raises ValueError with one sentence."""
    text = str(raw if raw is not None else "").strip()
    if declared.type == "yes_no":
        return text.lower() in ("1", "y", "yes", "true", "on", "是")
    if declared.type == "count":
        if not text.isascii() or not text.isdigit():
            raise ValueError(f"“{text}”不是整数。")
        number = int(text)
        low, high = declared.minimum, declared.maximum
        if (low is not None and number < low) or (high is not None and number > high):
            raise ValueError(f"{number} 不在 {low} 到 {high} 之间。")
        return number
    if declared.type == "email":
        if text and (len(text) > 120 or not ADDRESS.fullmatch(text)):
            raise ValueError(f"“{text[:60]}”不是信箱地址。改成 zhangsan@example.cn 的样子，不用汉字，或留空。")
        return text
    if declared.type == "date":
        return _day(text)
    if not text:
        raise ValueError("不能留空。")
    if len(text) > 60:
        raise ValueError("不超过 60 个字。")
    return text


def _day(text: str) -> str:
    """A day as it is kept, ISO text, or empty. Raises ValueError with one sentence."""
    if not text:
        return ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"“{text[:20]}”不是日期。写成 2026-01-01 这样，或留空。") from None
    if not 2016 <= day.year <= 2100:
        raise ValueError(f"{day} 太远了。选 2016 年以后的日期，或留空。")
    return day.isoformat()


def change_settings(region_id: int, values: Mapping[str, Any], *, seen: Mapping[str, Any], act: Act) -> Written:
    """Set the settings that differ from what the editor saw; ``INHERIT`` gives one back to the region above.

    ``values`` and ``seen`` are Python values by key. Raises NotFound, NotAllowed, and Conflict when another person
    changed one of the same settings meanwhile.
    """
    region = visible_record(Region, region_id, act.viewer, "这个区划")
    require(act.viewer.has_in(region.id, *OFFICE), "改设置")
    unknown = set(values) - set(DECLARED)
    if unknown:
        raise InvalidInput(dict.fromkeys(unknown, "没有这项设置。"))
    rows = own_settings(region.id)
    changes: list[Create | Update] = []
    changed: set[str] = set()
    clashes: dict[str, tuple[Any, Any, Any]] = {}
    for key, value in values.items():
        now_in_force = setting(key, region.id)
        if value is INHERIT:
            if key in rows and key in seen and now_in_force != seen[key]:
                clashes[key] = (seen[key], now_in_force, value)
            elif key in rows:
                changes.append(withdraw("setting", rows[key].id, rows[key].version))
                changed.add(key)
            continue
        if value == seen.get(key, now_in_force) or value == now_in_force:
            continue
        if key in seen and now_in_force != seen[key]:
            clashes[key] = (seen[key], now_in_force, value)
            continue
        changed.add(key)
        if key in rows:
            changes.append(Update("setting", rows[key].id, {"value": value}, rows[key].version))
        else:
            changes.append(Create("setting", {"region_id": region.id, "key": key, "value": value}))
    if clashes:
        raise Conflict("同一项设置刚被别人改过。", clashes)
    written = write(changes, act=act, action="change_settings", region_id=region.id)
    if changed & PROJECTED:
        ask_for_recompute(act=act)
    return written


def own_settings(region_id: int) -> dict[str, Setting]:
    """The settings a region has of its own, by key."""
    rows = db.session.scalars(select(Setting).where(Setting.region_id == region_id, ~Setting.deleted))
    return {row.key: row for row in rows}


def regions_set_by(viewer: Viewer) -> list[Region]:
    """The cities and counties whose settings this viewer may change, in the order of their codes."""
    ids = frozenset[int]().union(*(g.region_ids for g in viewer.grants if g.role in OFFICE))
    query = select(Region).where(Region.level != TOWNSHIP, ~Region.deleted).order_by(Region.code)
    return list(db.session.scalars(query if viewer.everything else query.where(Region.id.in_(ids))))
