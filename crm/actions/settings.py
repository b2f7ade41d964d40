"""Settings of a region: how the product behaves there, recorded like everything else."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from crm.actions.accounts import EMAIL
from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update, withdraw
from crm.domain.refusals import Conflict, InvalidInput
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.regions import TOWNSHIP, Region
from crm.store.scope import visible_record
from crm.store.settings import DECLARED, Declared, Setting, setting
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
        if text and (len(text) > 120 or not EMAIL.fullmatch(text)):
            raise ValueError(f"“{text[:60]}”不是信箱地址。改成 名字@单位 的样子，或留空。")
        return text
    if not text:
        raise ValueError("不能留空。")
    if len(text) > 60:
        raise ValueError("不超过 60 个字。")
    return text


def change_settings(region_id: int, values: Mapping[str, Any], *, seen: Mapping[str, Any], act: Act) -> Written:
    """Set the settings that differ from what the editor saw; ``INHERIT`` gives one back to the region above.

    ``values`` and ``seen`` are Python values by key. Raises NotFound, NotAllowed, and Conflict when another person
    changed one of the same settings meanwhile.
    """
    region = visible_record(Region, region_id, act.viewer, "这个区划")
    require(act.viewer.has_in(region.id, "bureau", "admin"), "改设置")
    unknown = set(values) - set(DECLARED)
    if unknown:
        raise InvalidInput(dict.fromkeys(unknown, "没有这项设置。"))
    rows = own_settings(region.id)
    changes: list[Create | Update] = []
    clashes: dict[str, tuple[Any, Any, Any]] = {}
    for key, value in values.items():
        now_in_force = setting(key, region.id)
        if value is INHERIT:
            if key in rows:
                changes.append(withdraw("setting", rows[key].id, rows[key].version))
            continue
        if value == seen.get(key, now_in_force) or value == now_in_force:
            continue
        if key in seen and now_in_force != seen[key]:
            clashes[key] = (seen[key], now_in_force, value)
        elif key in rows:
            changes.append(Update("setting", rows[key].id, {"value": value}, rows[key].version))
        else:
            changes.append(Create("setting", {"region_id": region.id, "key": key, "value": value}))
    if clashes:
        raise Conflict("同一项设置刚被别人改过。", clashes)
    return write(changes, act=act, action="change_settings", region_id=region.id)


def own_settings(region_id: int) -> dict[str, Setting]:
    """The settings a region has of its own, by key."""
    rows = db.session.scalars(select(Setting).where(Setting.region_id == region_id, ~Setting.deleted))
    return {row.key: row for row in rows}


def regions_set_by(viewer: Viewer) -> list[Region]:
    """The cities and counties whose settings this viewer may change, in the order of their codes."""
    ids = frozenset[int]().union(*(g.region_ids for g in viewer.grants if g.role in ("bureau", "admin")))
    query = select(Region).where(Region.level != TOWNSHIP, ~Region.deleted).order_by(Region.code)
    return list(db.session.scalars(query if viewer.everything else query.where(Region.id.in_(ids))))
