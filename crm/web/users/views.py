"""Users and their grants, for the administrator."""

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import ColumnElement, select

from crm.actions import accounts, second_factors
from crm.domain.pinyin import sort_key
from crm.domain.refusals import InvalidInput
from crm.extensions import db
from crm.store.absences import away_today
from crm.store.passwords import hash_password
from crm.store.regions import COUNTY, TOWNSHIP
from crm.store.scope import visible, visible_record
from crm.store.users import ENDING_DAYS, Grant, User, has_grant_ending, is_unreachable
from crm.store.writer import Written
from crm.web import reference
from crm.web.doors import attempt, done, new_act, now, open_to, today, viewer
from crm.web.editing import last_writers
from crm.web.sign_in import proof, sessions
from crm.web.users import blueprint, own_account, second_factor
from crm.web.users.forms import ActiveForm, EndGrantForm, GrantForm, PlainForm, UserForm, filled
from crm.web.users.grants import grant_words, grantable_places, grants_by_user, is_in_force, place_names, role_words

__all__ = ["blueprint", "own_account", "second_factor"]

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
    people = list(db.session.scalars(visible(select(User), viewer())))
    chosen = {key: _ids(condition()) for key, (_, condition) in SHOWN.items()}
    grants = grants_by_user()
    names, roles = place_names(), dict(role_words())
    # As a list of names is looked through.
    people.sort(key=lambda person: (sort_key(person.name), person.id))
    rows = [
        (person, [grant_words(grant, names, roles) for grant in grants.get(person.id, ()) if is_in_force(grant)])
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
    if not proof.is_proved():
        return proof.ask_again("添加用户")
    form, first = UserForm(), GrantForm()
    valid = form.validate()
    valid = first.validate() and valid
    if valid:
        password = accounts.generated_password()
        password_hash = hash_password(password)
        values = _account_of(form) | {
            "login": form.login.data,
            "region_id": form.region_id.data,
            "supervisor_id": form.supervisor_id.data,
        }
        act = new_act()

        def deed() -> Written:
            try:
                return accounts.add_user(values, password_hash=password_hash, act=act, first_grant=first.wish())
            except InvalidInput as refusal:
                # What is wrong with the grant stands beside its own fields.
                own = {name: said for name, said in refusal.problems.items() if name not in form and name in first}
                for name, said in own.items():
                    first[name].errors = [*first[name].errors, said]
                raise InvalidInput({k: v for k, v in refusal.problems.items() if k not in own}) from None

        written = attempt(form, deed)
        if written is not None:
            user_id = written.ids.get("user")
            if user_id is None:
                return redirect(url_for("users.index"))
            return _password_page(db.session.get(User, user_id), password, made=True)
    return _new_page(form, first), 422


def _new_page(form: UserForm, first: GrantForm):
    places = grantable_places()
    homes = [(r.id, r.name) for r in accounts.regions_managed(viewer()) if r.level != TOWNSHIP]
    # Most people belong to the county, and most of them look after enterprises.
    if form.region_id.data is None and homes:
        counties = [r.id for r in accounts.regions_managed(viewer()) if r.level == COUNTY]
        form.region_id.data = counties[0] if counties else homes[0][0]
    if not first.place.data:
        first.place.data = f"region:{form.region_id.data}"
    supervisors = [(one.id, one.name) for one in accounts.supervisors_for(None, viewer())]
    return render_template(
        "users/new.html",
        form=form,
        first=first,
        homes=homes,
        supervisors=supervisors,
        places=places,
        roles=role_words(),
    )


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
    if not proof.is_proved():
        return proof.ask_again("授权")
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
    if not proof.is_proved():
        return proof.ask_again("终止授权")
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
    if not proof.is_proved():
        return proof.ask_again("重设别人的密码")
    password = accounts.generated_password()
    password_hash = hash_password(password)
    form, act = PlainForm(), new_act()
    ended = attempt(form, lambda: accounts.set_password(user_id, password_hash, act=act) or Written(None))
    if ended is None:
        return _show_page(person, form_active=form), 422
    return _password_page(db.session.get(User, user_id), password, made=False)


@blueprint.post("/users/<int:user_id>/second-factor")
@open_to("admin")
def remove_second_factor_of(user_id: int):
    person = visible_record(User, user_id, viewer(), "这名用户")
    if not proof.is_proved():
        return proof.ask_again("关掉别人的两步验证")
    form, act = PlainForm(), new_act()
    removed = attempt(form, lambda: second_factors.remove(user_id, act=act) or Written(None))
    if removed is None:
        return _show_page(person, form_active=form), 422
    return done(f"{person.name}的两步验证已关掉。", url_for("users.show", user_id=user_id))


def _stay_signed_in(user_id: int) -> None:
    """Whoever changed the own grants goes on under a new session; every other device is signed out."""
    if user_id == viewer().user_id:
        sessions.begin(db.session.get(User, user_id), now())


def _password_page(person: User, password: str, *, made: bool):
    return render_template("users/password.html", person=person, password=password, made=made)


def _account_of(form: Any) -> dict[str, Any]:
    return {"name": form.name.data, "email": form.email.data, "wants_digest": form.wants_digest.data}


def _show_page(person: User, **forms: Any):
    names, roles = place_names(), role_words()
    grants = grants_by_user(person.id).get(person.id, [])
    homes = [(r.id, r.name) for r in accounts.regions_managed(viewer()) if r.level != TOWNSHIP]
    form = forms.get("form") or filled(UserForm(formdata=None), person)
    supervisors = [(one.id, one.name) for one in accounts.supervisors_for(person.id, viewer())]
    if person.supervisor_id and person.supervisor_id not in dict(supervisors):
        supervisors += reference.people([person.supervisor_id]).items()
    form.known = {"region_id": names["region"], "supervisor_id": dict(supervisors)}
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
        grants=[(grant, grant_words(grant, names, dict(roles)), is_in_force(grant)) for grant in grants],
        homes=homes,
        supervisors=supervisors,
        away=away_today(frozenset({person.id}), today()).get(person.id),
        places=grantable_places(),
        roles=roles,
        manages=accounts.may_manage(person, viewer()),
        second_factor=second_factors.is_on(person.id),
        myself=person.id == viewer().user_id,
    )


def _end_shown(grant: Grant) -> EndGrantForm:
    form = EndGrantForm(formdata=None)
    form.fill({"ends_on": grant.valid_to}, grant.version)
    return form


def _last_end_of(grant_id: int) -> dict[str, str]:
    return {"ends_on": last_writers("grant", grant_id).get("valid_to", "")}
