"""Saved views: a list's filter, columns and order under one name; private, for a role, or for everybody of a region."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from crm.actions.rights import require
from crm.domain.acts import Act
from crm.domain.changes import Create, Update, withdraw
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.viewers import OFFICE, ROLES, Viewer
from crm.extensions import db
from crm.store.saved_view_lists import PRIVATE, ROLE, SHARED, views_of
from crm.store.saved_views import SavedView
from crm.store.scope import visible_record
from crm.store.users import User
from crm.store.writer import Written, write

NAME_LENGTH, QUERY_LENGTH = 40, 1000
# More views than this nobody finds again.
MOST = 60
FIELDS = ("name", "shared", "role", "pinned", "query")


def may_share(viewer: Viewer, region_id: int) -> bool:
    """Whoever answers for a region says what its people find ready in their lists."""
    return viewer.has_in(region_id, *OFFICE)


def may_edit_view(viewer: Viewer, view: SavedView) -> bool:
    """Whether the viewer may rename, share or withdraw a view: its owner, and for shared ones the office as well."""
    if view.shared == PRIVATE:
        return view.owner_id == viewer.user_id
    return may_share(viewer, view.region_id)


def problems(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a view: {field: one Chinese sentence}; empty when nothing is."""
    wrong: dict[str, str] = {}
    name = (values.get("name") or "").strip()
    if not name:
        wrong["name"] = "给视图起个名字。"
    elif len(name) > NAME_LENGTH:
        wrong["name"] = f"名字有 {len(name)} 个字，最多 {NAME_LENGTH} 个。"
    if values.get("shared") not in SHARED:
        wrong["shared"] = "选给谁看：只给自己、给一种角色、给所有人。"
    elif values["shared"] == ROLE and values.get("role") not in ROLES:
        wrong["role"] = "选给哪一种角色看。"
    if len(values.get("query") or "") > QUERY_LENGTH:
        wrong["name"] = "这个筛选太长，存不下。少选几个乡镇或列再存。"
    return wrong


def save_view(page: str, values: Mapping[str, Any], *, act: Act) -> Written:
    """Keep the filter, columns and order of a list (``query``) under a name, last among the own views.

    ``values`` are those of FIELDS. Raises InvalidInput, NotAllowed for sharing without the right, Refused when a view
    of the person has the name already or there are too many.
    """
    values = _tidy(values)
    _check(values)
    region_id = home_of(act.viewer)
    if values["shared"] != PRIVATE:
        require(may_share(act.viewer, region_id), "把视图给别人看")
    mine = [view for view in views_of(page, act.viewer) if view.owner_id == act.viewer.user_id]
    if any(view.name == values["name"] for view in mine):
        raise Refused(f"你已有叫“{values['name']}”的视图。换个名字，或更新那一个。", field="name")
    if len(mine) >= MOST:
        raise Refused(f"一个人最多存 {MOST} 个视图。先撤下不用的。", field="name")
    create = {
        **values,
        "page": page,
        "region_id": region_id,
        "owner_id": act.viewer.user_id,
        "position": max((view.position for view in mine), default=0) + 1,
    }
    return write([Create("saved_view", create, "view")], act=act, action="save_view", region_id=region_id)


def edit_view(
    view_id: int, values: Mapping[str, Any], *, version: int, seen: Mapping[str, Any] | None = None, act: Act
) -> Written:
    """Rename, share, pin a view or give it another filter. ``values`` are some of FIELDS.

    Raises NotFound, NotAllowed, InvalidInput, Conflict.
    """
    view = _editable(view_id, act.viewer)
    values = _tidy({name: values[name] for name in FIELDS if name in values}, view)
    merged = {name: getattr(view, name) for name in FIELDS} | values
    _check(merged)
    if merged["shared"] != PRIVATE:
        require(may_share(act.viewer, view.region_id), "把视图给别人看")
    change = Update("saved_view", view.id, values, version, seen)
    return write([change], act=act, action="edit_view", region_id=view.region_id)


def move_view(view_id: int, step: int, *, act: Act) -> Written:
    """Put a view one place forward (-1) or back (1) among those the person may put in order."""
    view = _editable(view_id, act.viewer)
    row: list[SavedView] = [v for v in views_of(view.page, act.viewer) if may_edit_view(act.viewer, v)]
    at = next(n for n, other in enumerate(row) if other.id == view.id)
    to = max(0, min(len(row) - 1, at + step))
    row.insert(to, row.pop(at))
    changes = [
        Update("saved_view", other.id, {"position": n}) for n, other in enumerate(row, start=1) if other.position != n
    ]
    return write(changes, act=act, action="order_views", region_id=view.region_id)


def withdraw_view(view_id: int, *, version: int, act: Act) -> Written:
    """Take a view out of the lists; it can be brought back. Raises NotFound, NotAllowed, Conflict."""
    view = _editable(view_id, act.viewer)
    change = withdraw("saved_view", view.id, version)
    return write([change], act=act, action="withdraw_view", region_id=view.region_id)


def home_of(viewer: Viewer) -> int:
    """The region that views of a person belong to: that of the account, else the first in which a grant counts."""
    home = db.session.scalar(select(User.region_id).where(User.id == viewer.user_id))
    regions: Sequence[int] = sorted(frozenset[int]().union(*(grant.region_ids for grant in viewer.grants)))
    found = home if home is not None else next(iter(regions), None)
    if found is None:
        raise Refused("你还没有授权，没有可存的视图。找系统管理员授权。")
    return found


def _editable(view_id: int, viewer: Viewer) -> SavedView:
    view: SavedView = visible_record(SavedView, view_id, viewer, "这个视图")
    require(may_edit_view(viewer, view), "修改这个视图")
    return view


def _tidy(values: Mapping[str, Any], before: SavedView | None = None) -> dict[str, Any]:
    tidy = dict(values)
    if isinstance(tidy.get("name"), str):
        tidy["name"] = " ".join(tidy["name"].split())
    shared = tidy.get("shared", before.shared if before is not None else PRIVATE)
    if "shared" in tidy or before is None:
        tidy["shared"] = shared or PRIVATE
        if tidy["shared"] != ROLE:
            tidy["role"] = None
    return tidy


def _check(values: Mapping[str, Any]) -> None:
    wrong = problems(values)
    if wrong:
        raise InvalidInput(wrong)
