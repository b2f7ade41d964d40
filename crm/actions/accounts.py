"""Accounts: who has one, what it opens where and until when, and the password behind it (never in the history)."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select

from crm.actions.rights import require
from crm.config import ADDRESS
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update, merge
from crm.domain.periods import holds_on
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound, Refused
from crm.domain.viewers import ROLES, Viewer
from crm.extensions import db
from crm.store.access_log import AccessLog
from crm.store.parks import Carrier, Park
from crm.store.passwords import MIN_LENGTH
from crm.store.regions import TOWNSHIP, Region
from crm.store.scope import visible, visible_record
from crm.store.sessions import UserSession
from crm.store.units import Unit
from crm.store.users import Credential, Grant, User, people_under
from crm.store.writer import Written, write

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
# Without 0 O 1 l I: the password is read aloud or copied from paper once.
_READABLE = "abcdefghijkmnpqrstuvwxyz23456789"
USER_FIELDS = ("login", "name", "email", "region_id", "supervisor_id", "active", "wants_digest")


@dataclass(frozen=True)
class GrantWish:
    """A grant as somebody asks for it: a role and the one place it counts in; dates are inclusive, None is open."""

    role: str
    region_id: int | None = None
    unit_id: int | None = None
    park_id: int | None = None
    carrier_id: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None


def password_problem(login: str, password: str) -> str | None:
    """Why this cannot be the password of that login, or None: at least eight characters, and not the login."""
    if len(password) < MIN_LENGTH:
        return f"密码至少 {MIN_LENGTH} 个字符。"
    if password.strip().lower() == login.strip().lower():
        return "密码不能与登录名相同。"
    if len(set(password)) < 3:
        return "密码太单一，换几个不同的字符。"
    return None


def generated_password() -> str:
    """A password to hand over once: twelve characters nobody mistakes for one another, about 59 bits."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(3))


def account_problems(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the fields of an account: {field: sentence}."""
    wrong: dict[str, str] = {}
    if "login" in values and not LOGIN.fullmatch(values["login"] or ""):
        wrong["login"] = "登录名用 2 到 40 个小写字母、数字、点、横线或下划线，以字母或数字开头。"
    if "name" in values and not 1 <= len(values["name"] or "") <= 40:
        wrong["name"] = "填姓名，不超过 40 个字。"
    if values.get("email") and (len(values["email"]) > 120 or not ADDRESS.fullmatch(values["email"])):
        wrong["email"] = f"“{values['email'][:60]}”不是信箱地址。改成 zhangsan@example.cn 的样子，不用汉字，或留空。"
    if "region_id" in values and values["region_id"] is None:
        wrong["region_id"] = "选所属区划。"
    return wrong


def tidy_account(values: Mapping[str, Any]) -> dict[str, Any]:
    """The declared fields of an account with spaces trimmed, the login in small letters and empty mail as None."""
    tidy = {name: values[name] for name in USER_FIELDS if name in values}
    for name in ("login", "name", "email"):
        if isinstance(tidy.get(name), str):
            tidy[name] = tidy[name].strip()
    if tidy.get("login"):
        tidy["login"] = tidy["login"].lower()
    if "email" in tidy:
        tidy["email"] = tidy["email"] or None
    return tidy


def add_user(
    values: Mapping[str, Any], *, password_hash: str | None, act: Act, first_grant: GrantWish | None = None
) -> Written:
    """Enter a user of a region, with a password hash and perhaps a first grant; the id is in ``ids["user"]``.

    Raises InvalidInput with sentences per field, NotAllowed outside the region subtree of the admin who asks.
    """
    row = tidy_account(values)
    row.setdefault("region_id", None)
    wrong = account_problems({"login": "", "name": "", **row})
    if "login" not in wrong and _login_taken(row["login"]):
        wrong["login"] = f"登录名 {row['login']} 已有人用。换一个。"
    if wrong:
        raise InvalidInput(wrong)
    _require_admin(act.viewer, row["region_id"], "添加用户")
    _check_supervisor(None, row, act.viewer)
    changes = [Create("user", {"active": True, "wants_digest": True, **row}, "user")]
    if first_grant is not None:
        changes.append(Create("grant", {"user_id": Ref("user"), **checked_grant(first_grant, act=act)}))
    written = write(changes, act=act, action="add_user", region_id=row["region_id"])
    if password_hash is not None:
        db.session.add(Credential(user_id=written.ids["user"], password_hash=password_hash, changed_at=act.recorded_at))
    return written


def edit_user(
    user_id: int, values: Mapping[str, Any], *, version: int, act: Act, seen: Mapping[str, Any] | None = None
) -> Written:
    """Change name, mail, region or whether the account is active; a deactivated user is signed out everywhere.

    Raises NotFound, NotAllowed, InvalidInput, Conflict; Refused when admins would lock themselves out.
    """
    user = managed_user(user_id, act.viewer, "改用户")
    row = {name: value for name, value in tidy_account(values).items() if name != "login"}
    wrong = account_problems(row)
    if wrong:
        raise InvalidInput(wrong)
    if row.get("active") is False and user.id == act.viewer.user_id:
        raise Refused("自己的账号由另一名系统管理员停用。", field="active")
    if row.get("region_id") not in (None, user.region_id):
        _require_admin(act.viewer, row["region_id"], "把用户移到那里")
    _check_supervisor(user, row, act.viewer)
    written = write(
        [Update("user", user.id, row, version, seen)], act=act, action="edit_user", region_id=user.region_id
    )
    if row.get("active") is False:
        end_sessions(user_id)
    return written


def supervisors_for(user_id: int | None, viewer: Viewer) -> list[User]:
    """Whom an admin may name as somebody's supervisor: active users in sight who are not under that person already."""
    below = people_under(user_id) if user_id is not None else frozenset()
    found = db.session.scalars(visible(select(User).where(User.active, ~User.deleted), viewer).order_by(User.id))
    return [user for user in found if user.id != user_id and user.id not in below]


def _check_supervisor(user: User | None, row: Mapping[str, Any], viewer: Viewer) -> None:
    """Raises InvalidInput for oneself, for a stranger, and where two people would each stand over the other."""
    supervisor_id = row.get("supervisor_id")
    if supervisor_id is None or (user is not None and supervisor_id == user.supervisor_id):
        return
    if user is not None and supervisor_id == user.id:
        raise InvalidInput({"supervisor_id": "本人不能是自己的主管。换一个人，或留空。"})
    found = db.session.scalar(visible(select(User).where(User.id == supervisor_id), viewer))
    if found is None or not found.active:
        raise InvalidInput({"supervisor_id": "没有这名在用的用户。从列表里选。"})
    if user is not None and supervisor_id in people_under(user.id):
        raise InvalidInput(
            {"supervisor_id": f"{found.name}的主管就是{user.name}（或在其下）。换一个人，或先改那一边。"}
        )


def edit_own_account(
    values: Mapping[str, Any], *, version: int, act: Act, seen: Mapping[str, Any] | None = None
) -> Written:
    """A user's own name, mail and whether the weekly mail is wanted. Raises InvalidInput, Conflict."""
    user = visible_record(User, act.viewer.user_id or 0, act.viewer, "这名用户")
    row = {name: value for name, value in tidy_account(values).items() if name in ("name", "email", "wants_digest")}
    wrong = account_problems(row)
    if wrong:
        raise InvalidInput(wrong)
    return write(
        [Update("user", user.id, row, version, seen)], act=act, action="edit_own_account", region_id=user.region_id
    )


def set_password(user_id: int, password_hash: str, *, act: Act) -> None:
    """Keep a new password hash (made outside the unit of work) for oneself or for a user one manages.

    Every session of the user ends. No change is recorded, because a secret never enters one; the access log says who
    did it. Raises NotFound, NotAllowed.
    """
    if user_id != act.viewer.user_id:
        managed_user(user_id, act.viewer, "重设密码")
    credential = db.session.get(Credential, user_id)
    if credential is None:
        db.session.add(Credential(user_id=user_id, password_hash=password_hash, changed_at=act.recorded_at))
    else:
        credential.password_hash, credential.changed_at = password_hash, act.recorded_at
    end_sessions(user_id)
    db.session.add(
        AccessLog(
            at=act.recorded_at,
            user_id=act.viewer.user_id,
            who=act.viewer.name,
            what="set_password",
            subject=f"user {user_id}",
            request_id=act.request_id,
        )
    )


def grant(user_id: int, wish: GrantWish, *, act: Act) -> Written:
    """Give a role over a place from a day to a day; the user signs in again to have it.

    Raises InvalidInput naming what is missing, NotAllowed outside the admin's own region subtree.
    """
    user = managed_user(user_id, act.viewer, "授权")
    values = checked_grant(wish, act=act)
    written = write(
        [Create("grant", {"user_id": user.id, **values}, "grant")], act=act, action="grant", region_id=user.region_id
    )
    end_sessions(user_id)
    return written


def end_grant(
    grant_id: int, *, ends_on: date, version: int, act: Act, seen: Mapping[str, Any] | None = None
) -> Written:
    """Let a grant end with a day, inclusive. ``seen`` is the day that the editor saw, as ``{"ends_on": day}``.

    Raises NotFound, NotAllowed, InvalidInput, Conflict.
    """
    found = visible_record(Grant, grant_id, act.viewer, "这项授权")
    user = managed_user(found.user_id, act.viewer, "终止授权")
    if found.role == "admin" and user.id == act.viewer.user_id:
        raise Refused("自己的系统管理员授权由另一名系统管理员终止。", field="ends_on")
    if found.valid_from is not None and ends_on < found.valid_from - timedelta(days=1):
        raise InvalidInput({"ends_on": f"终止日期 {ends_on} 早于授权起始 {found.valid_from}。改成当天或之后。"})
    change = Update("grant", found.id, {"valid_to": ends_on}, version, _as_kept(seen))
    _, clash = merge(change, {"valid_to": found.valid_to}, found.version)
    if clash:
        # The person was asked for the day the grant ends with, so that is what the conflict is about.
        raise Conflict("这项授权刚被别人改过。", {"ends_on": clash["valid_to"]})
    written = write([change], act=act, action="end_grant", region_id=user.region_id)
    end_sessions(user.id)
    return written


def _as_kept(seen: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if seen is None or "ends_on" not in seen else {"valid_to": seen["ends_on"]}


def end_sessions(user_id: int) -> None:
    """Sign a user out everywhere."""
    db.session.execute(delete(UserSession).where(UserSession.user_id == user_id))


def managed_user(user_id: int, viewer: Viewer, what: str) -> User:
    """A user this admin may manage: of the admin's own subtree, and holding nothing beyond it.

    Whoever could reset the password of somebody with wider grants would have those grants. Raises NotFound, NotAllowed.
    """
    user: User = visible_record(User, user_id, viewer, "这名用户")
    _require_admin(viewer, user.region_id, what)
    if not viewer.everything:
        places = db.session.scalars(select(Grant.region_id).where(Grant.user_id == user.id, ~Grant.deleted))
        if any(not viewer.has_in(region_id, "admin") for region_id in places):
            raise NotAllowed("这名用户在上级或外区也有授权，由那里的系统管理员管理。")
    return user


def may_manage(user: User, viewer: Viewer) -> bool:
    """Whether this admin may manage that user, for pages that offer it."""
    try:
        managed_user(user.id, viewer, "管理用户")
    except (NotFound, NotAllowed):
        return False
    return True


def checked_grant(wish: GrantWish, *, act: Act) -> dict[str, Any]:
    """The columns of a grant, with the region of its place filled in. Raises InvalidInput, NotAllowed."""
    wrong: dict[str, str] = {}
    if wish.role not in ROLES:
        raise InvalidInput({"role": "选角色。"})
    values: dict[str, Any] = {"role": wish.role, "valid_from": wish.valid_from, "valid_to": wish.valid_to}
    region_id = wish.region_id
    if wish.role == "unit":
        region_id = _place(Unit, wish.unit_id, "部门联络员选一个部门。", wrong, act.effective_on)
        values["unit_id"] = wish.unit_id
    elif wish.role == "park":
        if (wish.park_id is None) == (wish.carrier_id is None):
            wrong["place"] = "园区（载体）管理员选一个园区或一个载体。"
        elif wish.park_id is not None:
            region_id = _place(Park, wish.park_id, "选园区。", wrong, act.effective_on)
            values["park_id"] = wish.park_id
        else:
            region_id = _place(Carrier, wish.carrier_id, "选载体。", wrong, act.effective_on)
            values["carrier_id"] = wish.carrier_id
    region = db.session.get(Region, region_id) if region_id is not None else None
    if not wrong and (region is None or region.deleted):
        wrong["place"] = "这个角色选区县或市。"
    if not wrong and (wish.role == "township") != (region is not None and region.level == TOWNSHIP):
        wrong["place"] = "乡镇（街道）经办人选一个乡镇（街道）。" if wish.role == "township" else "这个角色选区县或市。"
    if wish.valid_from and wish.valid_to and wish.valid_to < wish.valid_from:
        wrong["valid_to"] = f"授权止 {wish.valid_to} 早于授权起 {wish.valid_from}。核对后改正。"
    if wrong:
        raise InvalidInput(wrong)
    _require_admin(act.viewer, region_id, "授权到那里")
    return values | {"region_id": region_id}


def home_region_of(region: Region) -> int:
    """The region a user of a township belongs to is its county; else the region itself."""
    return region.parent_id if region.level == TOWNSHIP and region.parent_id is not None else region.id


def regions_managed(viewer: Viewer) -> list[Region]:
    """The regions an admin may put users into, in the order of their codes."""
    query = select(Region).where(~Region.deleted).order_by(Region.code)
    if not viewer.everything:
        ids = frozenset[int]().union(*(g.region_ids for g in viewer.grants if g.role == "admin"))
        query = query.where(Region.id.in_(ids))
    return list(db.session.scalars(query))


def _place(model: type[Any], record_id: int | None, ask: str, wrong: dict[str, str], on: date) -> int | None:
    row = db.session.get(model, record_id) if record_id is not None else None
    if row is not None and not row.deleted and not holds_on(row, on):
        wrong["place"] = f"{row.name}在 {on} 已停用或还没有启用。选现在的。"
        return None
    if row is None or row.deleted:
        wrong["place"] = ask
        return None
    return int(row.region_id)


def _login_taken(login: str) -> bool:
    # The unique index counts withdrawn users too: their names stay in the history.
    return db.session.scalar(select(User.id).where(func.lower(User.login) == login)) is not None


def _require_admin(viewer: Viewer, region_id: int | None, what: str) -> None:
    require(viewer.everything or (region_id is not None and viewer.has_in(region_id, "admin")), what)


def sessions_of(user_id: int, *, since: datetime) -> list[UserSession]:
    """The sessions of a user begun after a moment, newest first."""
    query = select(UserSession).where(UserSession.user_id == user_id, UserSession.created_at > since)
    return list(db.session.scalars(query.order_by(UserSession.seen_at.desc())))
