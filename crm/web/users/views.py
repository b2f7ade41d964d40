"""Users and their grants, for the administrator; and everybody's own account."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import current_user
from sqlalchemy import ColumnElement, select

from crm.actions import accounts
from crm.domain.refusals import Refused
from crm.domain.viewers import ROLES
from crm.extensions import db
from crm.store.parks import Carrier, Park
from crm.store.passwords import hash_password, password_matches
from crm.store.regions import COUNTY, TOWNSHIP, Region
from crm.store.scope import visible, visible_record
from crm.store.sessions import UserSession, key_hash, take_token
from crm.store.settings import setting
from crm.store.unit_of_work import unit_of_work
from crm.store.units import Unit
from crm.store.users import ENDING_DAYS, Credential, Grant, User, has_grant_ending, is_unreachable
from crm.store.validity import in_force
from crm.store.writer import Written
from crm.web.doors import SIGNED_IN, attempt, done, new_act, now, open_to, today, viewer
from crm.web.editing import last_writers
from crm.web.sign_in import sessions
from crm.web.users.forms import (
    ActiveForm,
    EndGrantForm,
    GrantForm,
    OwnAccountForm,
    PasswordForm,
    PlainForm,
    UserForm,
)

blueprint = Blueprint("users", __name__)


# The lists of users: what the administrator's mail counts opens here with as many rows.
SHOWN: dict[str, tuple[str, Callable[[], ColumnElement[bool]]]] = {
    "active": ("在用", lambda: User.active.is_(True)),
    "unreachable": ("没有信箱", is_unreachable),
    "ending": (f"{ENDING_DAYS} 天内授权到期", lambda: has_grant_ending(today())),
    "inactive": ("已停用", lambda: User.active.is_(False)),
}


@blueprint.get("/users")
@open_to("admin")
def index():
    shown = request.args.get("show", "active")
    shown = shown if shown in SHOWN else "active"
    people = list(db.session.scalars(visible(select(User).order_by(User.id.desc()), viewer())))
    chosen = {key: _ids(condition()) for key, (_, condition) in SHOWN.items()}
    grants = _grants_by_user()
    names, roles = _place_names(), dict(_roles())
    rows = [
        (person, [_words(grant, names, roles) for grant in grants.get(person.id, ()) if _in_force(grant)])
        for person in people
        if person.id in chosen[shown]
    ]
    views = [
        {"href": url_for("users.index", show=key), "label": label, "n": len(chosen[key]), "current": key == shown}
        for key, (label, _) in SHOWN.items()
        if key in ("active", "inactive", shown) or chosen[key]
    ]
    return render_template("users/index.html", rows=rows, shown=shown, views=views, names=names)


def _ids(condition: ColumnElement[bool]) -> set[int]:
    return set(db.session.scalars(visible(select(User.id).where(condition), viewer())))


@blueprint.get("/users/new")
@open_to("admin")
def new():
    return _new_page(UserForm(data={"wants_digest": True}), GrantForm(formdata=None))


@blueprint.post("/users/new")
@open_to("admin")
def add():
    form, first = UserForm(), GrantForm()
    valid = form.validate()
    valid = first.validate() and valid
    if valid:
        password = accounts.generated_password()
        password_hash = hash_password(password)
        values = _account_of(form) | {"login": form.login.data, "region_id": form.region_id.data}
        act = new_act()
        written = attempt(
            form, lambda: accounts.add_user(values, password_hash=password_hash, act=act, first_grant=first.wish())
        )
        if written is not None:
            user_id = written.ids.get("user")
            if user_id is None:
                return redirect(url_for("users.index"))
            return _password_page(db.session.get(User, user_id), password, made=True)
    return _new_page(form, first), 422


def _new_page(form: UserForm, first: GrantForm):
    places = _places()
    homes = [(r.id, r.name) for r in accounts.regions_managed(viewer()) if r.level != TOWNSHIP]
    # Most people belong to the county, and most of them look after enterprises.
    if form.region_id.data is None and homes:
        counties = [r.id for r in accounts.regions_managed(viewer()) if r.level == COUNTY]
        form.region_id.data = counties[0] if counties else homes[0][0]
    if not first.place.data:
        first.place.data = f"region:{form.region_id.data}"
    return render_template("users/new.html", form=form, first=first, homes=homes, places=places, roles=_roles())


@blueprint.get("/users/<int:user_id>")
@open_to("admin")
def show(user_id: int):
    person = visible_record(User, user_id, viewer(), "这名用户")
    return _show_page(person)


@blueprint.post("/users/<int:user_id>")
@open_to("admin")
def edit(user_id: int):
    person = visible_record(User, user_id, viewer(), "这名用户")
    form = UserForm()
    if form.validate():
        form.settle(request.form)
        values, act = form.read(changed_only=True), new_act()
        version, seen = form.seen_version, form.seen_values(values)
        written = attempt(form, lambda: accounts.edit_user(user_id, values, version=version, act=act, seen=seen))
        if written is not None:
            return done("已保存。", url_for("users.show", user_id=user_id), written)
    return _show_page(person, form=form), 409 if form.conflict else 422


@blueprint.post("/users/<int:user_id>/active")
@open_to("admin")
def set_active(user_id: int):
    person = visible_record(User, user_id, viewer(), "这名用户")
    form = ActiveForm()
    form.validate()
    active, act = form.active.data, new_act()
    # The button is only there while the account is the other way round, so that is what was seen.
    version, seen = form.seen_version, {"active": not active}
    written = attempt(
        form, lambda: accounts.edit_user(user_id, {"active": active}, version=version, act=act, seen=seen)
    )
    if written is not None:
        text = f"{person.name} 可以登录了。" if active else f"已停用 {person.name}，所有设备已退出。"
        return done(text, url_for("users.show", user_id=user_id), written)
    return _show_page(person, form_active=form), 409 if form.conflict else 422


@blueprint.post("/users/<int:user_id>/grants")
@open_to("admin")
def add_grant(user_id: int):
    person = visible_record(User, user_id, viewer(), "这名用户")
    form = GrantForm()
    if form.validate():
        act = new_act()
        written = attempt(form, lambda: accounts.grant(user_id, form.wish(), act=act))
        if written is not None:
            _stay_signed_in(user_id)
            return done(f"已给 {person.name} 授权。", url_for("users.show", user_id=user_id), written)
    return _show_page(person, grant_form=form), 422


@blueprint.post("/users/<int:user_id>/grants/<int:grant_id>/end")
@open_to("admin")
def end_grant(user_id: int, grant_id: int):
    person = visible_record(User, user_id, viewer(), "这名用户")
    found = visible_record(Grant, grant_id, viewer(), "这项授权")
    if found.user_id != person.id:
        return redirect(url_for("users.show", user_id=user_id))
    form = EndGrantForm()
    if form.validate():
        form.settle(request.form)
        ends_on, act = form.read().get("ends_on"), new_act()
        version, seen = form.seen_version, form.seen_values(form.edited)
        written = attempt(
            form, lambda: accounts.end_grant(grant_id, ends_on=ends_on, version=version, act=act, seen=seen)
        )
        if written is not None:
            _stay_signed_in(user_id)
            return done(f"授权到 {ends_on} 为止。", url_for("users.show", user_id=user_id), written)
    return _show_page(person, end_form=form, ending=grant_id), 409 if form.conflict else 422


@blueprint.post("/users/<int:user_id>/password")
@open_to("admin")
def reset_password(user_id: int):
    person = visible_record(User, user_id, viewer(), "这名用户")
    if person.id == current_user.id:
        return redirect(url_for("users.account"))
    password = accounts.generated_password()
    password_hash = hash_password(password)
    form, act = PlainForm(), new_act()
    ended = attempt(form, lambda: accounts.set_password(user_id, password_hash, act=act) or Written(None))
    if ended is None:
        return _show_page(person, form_active=form), 422
    return _password_page(db.session.get(User, user_id), password, made=False)


def _stay_signed_in(user_id: int) -> None:
    """Whoever changed the own grants goes on under a new session; every other device is signed out."""
    if user_id == viewer().user_id:
        sessions.begin(db.session.get(User, user_id), now())


def _password_page(person: User, password: str, *, made: bool):
    return render_template("users/password.html", person=person, password=password, made=made)


def _account_of(form: Any) -> dict[str, Any]:
    return {"name": form.name.data, "email": form.email.data, "wants_digest": form.wants_digest.data}


def _show_page(person: User, **forms: Any):
    names, roles = _place_names(), _roles()
    grants = _grants_by_user(person.id).get(person.id, [])
    homes = [(r.id, r.name) for r in accounts.regions_managed(viewer()) if r.level != TOWNSHIP]
    form = forms.get("form") or _shown(UserForm(formdata=None), person)
    form.known = {"region_id": names["region"]}
    grant_form = forms.get("grant_form") or GrantForm(formdata=None)
    ending, end_form = forms.get("ending"), forms.get("end_form")
    return render_template(
        "users/show.html",
        person=person,
        form=form,
        conflicts=form.clashes(last_writers("user", person.id)) if form.conflict else [],
        grant_form=grant_form,
        end_form=end_form,
        ending=ending,
        end_conflicts=end_form.clashes(_last_end_of(ending)) if end_form and end_form.conflict else [],
        seen_end=lambda grant: _end_shown(grant).seen.data,
        form_active=forms.get("form_active"),
        grants=[(grant, _words(grant, names, dict(roles)), _in_force(grant)) for grant in grants],
        homes=homes,
        places=_places(),
        roles=roles,
        manages=accounts.may_manage(person, viewer()),
        myself=person.id == viewer().user_id,
    )


def _shown(form: Any, person: User) -> Any:
    """The form as the page shows the account before anybody typed."""
    form.fill({name: getattr(person, name) for name in form.edited}, person.version)
    return form


def _end_shown(grant: Grant) -> EndGrantForm:
    form = EndGrantForm(formdata=None)
    form.fill({"ends_on": grant.valid_to}, grant.version)
    return form


def _last_end_of(grant_id: int) -> dict[str, str]:
    return {"ends_on": last_writers("grant", grant_id).get("valid_to", "")}


def _roles() -> list[tuple[str, str]]:
    words = dict(ROLES) | {"case_manager": setting("manager_word", current_user.region_id)}
    return list(words.items())


def _grants_by_user(user_id: int | None = None) -> dict[int, list[Grant]]:
    query = visible(select(Grant).order_by(Grant.valid_to.is_not(None), Grant.id), viewer())
    if user_id is not None:
        query = query.where(Grant.user_id == user_id)
    found: dict[int, list[Grant]] = {}
    for grant in db.session.scalars(query):
        found.setdefault(grant.user_id, []).append(grant)
    return found


def _place_names() -> dict[str, dict[int, str]]:
    """Names of the places of grants, withdrawn and ended ones included; four queries whatever the users."""
    return {
        kind: dict(db.session.execute(select(model.id, model.name)).all())
        for kind, model in (("region", Region), ("unit", Unit), ("park", Park), ("carrier", Carrier))
    }


def _words(grant: Grant, names: dict[str, dict[int, str]], roles: dict[str, str]) -> dict[str, str]:
    for kind in ("unit", "park", "carrier"):
        place = getattr(grant, f"{kind}_id")
        if place is not None:
            where = names[kind].get(place, "")
            break
    else:
        where = names["region"].get(grant.region_id, "")
    return {"role": roles[grant.role], "where": where}


def _in_force(grant: Grant) -> bool:
    day = today()
    return (grant.valid_from is None or grant.valid_from <= day) and (grant.valid_to is None or grant.valid_to >= day)


def _places() -> list[tuple[str, str]]:
    """Where a grant may count, in one list: regions with their townships, units, parks, carriers."""
    managed = accounts.regions_managed(viewer())
    ids = [region.id for region in managed]
    found = [(f"region:{r.id}", ("　　" if r.level == TOWNSHIP else "") + r.name) for r in managed]
    for kind, label, model in (("unit", "部门", Unit), ("park", "园区", Park), ("carrier", "载体", Carrier)):
        query = (
            select(model.id, model.name)
            .where(model.region_id.in_(ids), ~model.deleted, in_force(model, today()))
            .order_by(model.id)
        )
        found += [(f"{kind}:{row_id}", f"{label}：{name}") for row_id, name in db.session.execute(query)]
    return found


# --- the own account -------------------------------------------------------------------------------------------------


@blueprint.get("/account")
@open_to(SIGNED_IN)
def account():
    return _account_page()


@blueprint.post("/account")
@open_to(SIGNED_IN)
def edit_account():
    form = OwnAccountForm()
    if form.validate():
        form.settle(request.form)
        values, act = form.read(changed_only=True), new_act()
        version, seen = form.seen_version, form.seen_values(values)
        written = attempt(form, lambda: accounts.edit_own_account(values, version=version, act=act, seen=seen))
        if written is not None:
            return done("已保存。", url_for("users.account"), written)
    return _account_page(form=form), 409 if form.conflict else 422


@blueprint.post("/account/password")
@open_to(SIGNED_IN)
def change_password():
    form = PasswordForm()
    status = 422
    if form.validate():
        status = _change_password(form)
        if status == 200:
            flash("密码已改，其他设备已退出。")
            return redirect(url_for("users.account"))
    return _account_page(password_form=form), status


def _change_password(form: PasswordForm) -> int:
    user_id, login = current_user.id, current_user.login
    with unit_of_work():
        # The old password is asked so that an unlocked screen is not enough; guessing it is slowed like signing in.
        allowed = take_token(f"old-password:{user_id}", now=now(), size=10, per_minute=1.0)
    if not allowed:
        form.general_errors.append("试的次数太多了，过一分钟再试。")
        return 429
    credential = db.session.get(Credential, user_id)
    if not password_matches(credential.password_hash if credential else None, form.old.data):
        form.old.errors = ["现在的密码不对。"]
        return 422
    problem = accounts.password_problem(login, form.new.data)
    if problem or form.new.data == form.old.data:
        form.new.errors = [problem or "新密码与现在的一样。"]
        return 422
    if form.again.data != form.new.data:
        form.again.errors = ["两次填的新密码不一样。"]
        return 422
    password_hash = hash_password(form.new.data)
    act = new_act()
    try:
        with unit_of_work():
            accounts.set_password(user_id, password_hash, act=act)
    except Refused as refusal:
        form.general_errors.append(refusal.message)
        return 409
    sessions.begin(db.session.get(User, user_id), now())
    return 200


@blueprint.post("/account/sessions")
@open_to(SIGNED_IN)
def end_other_sessions():
    sessions.end(everywhere=True, user_id=current_user.id)
    flash("已退出所有设备。")
    return redirect(url_for("sign_in.form"))


def _account_page(**forms: Any):
    person = db.session.get(User, current_user.id)
    mine = key_hash(session.get("key", ""))
    known: list[UserSession] = accounts.sessions_of(person.id, since=now() - sessions.ABSOLUTE)
    names, roles = _place_names(), dict(_roles())
    form = forms.get("form") or _shown(OwnAccountForm(formdata=None), person)
    return render_template(
        "account/show.html",
        person=person,
        form=form,
        conflicts=form.clashes(last_writers("user", person.id)) if form.conflict else [],
        password_form=forms.get("password_form") or PasswordForm(formdata=None),
        grants=[
            (grant, _words(grant, names, roles))
            for grant in _grants_by_user(person.id).get(person.id, ())
            if _in_force(grant)
        ],
        sessions=[
            (known_one, known_one.key_hash == mine) for known_one in known if now() - known_one.seen_at <= sessions.IDLE
        ],
        device=device_words,
    )


def device_words(agent: str | None) -> str:
    """A browser and a system out of what the browser says of itself, for the list of sessions."""
    text = agent or ""
    browser = next(
        (
            word
            for mark, word in (
                ("Edg/", "Edge"),
                ("MicroMessenger", "微信"),
                ("Firefox/", "Firefox"),
                ("Chrome/", "Chrome"),
                ("Safari/", "Safari"),
            )
            if mark in text
        ),
        "浏览器",
    )
    system = next(
        (
            word
            for mark, word in (
                ("Windows", "Windows"),
                ("Android", "安卓"),
                ("iPhone", "iPhone"),
                ("Mac OS", "Mac"),
                ("Linux", "Linux"),
            )
            if mark in text
        ),
        "未知系统",
    )
    return f"{browser} · {system}"
