"""Tabs of saved views, saving what is shown, and the page where views are renamed, shared, pinned and withdrawn."""

from typing import Any

from flask import redirect, render_template, request, url_for
from wtforms import BooleanField, StringField

from crm.actions.rights import require
from crm.actions.saved_views import edit_view, home_of, may_edit_view, may_share, move_view, save_view, withdraw_view
from crm.domain.refusals import NotFound
from crm.domain.viewers import ROLES
from crm.store.saved_view_lists import PRIVATE, SHARED, views_of
from crm.store.saved_views import SavedView
from crm.store.scope import visible_record
from crm.web.addresses import version_in, whole
from crm.web.doors import SIGNED_IN, Form, attempt, done, new_act, open_to, pressed, viewer
from crm.web.editing import EditForm, last_writers
from crm.web.requests.listing import READERS
from crm.web.saved_views import blueprint
from crm.web.saved_views.pages import PAGES, ListPage, Tab
from crm.web.tabs import IN_A_ROW, in_a_row


class ViewForm(EditForm):
    """A view's name, who finds it, and whether it stands among the tabs."""

    name = StringField("名字")
    shared = StringField("给谁看")
    role = StringField("哪一种角色")
    pinned = BooleanField("固定在最前")
    edited = ("name", "shared", "role", "pinned")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = {"shared": SHARED, "role": ROLES, "pinned": {True: "是", False: "否"}}

    def value_of(self, name: str, text: str) -> Any:
        """A role that was not chosen is none; a name may not be blank, which the action says."""
        return text if name in ("name", "shared") else super().value_of(name, text)


def _page_of(key: str | None) -> ListPage:
    page = PAGES.get(key or "")
    if page is None:
        raise NotFound("这个名单")
    return page


# --- the tabs above a list --------------------------------------------------------------------------------------------


@blueprint.get("/enterprises/views")
@open_to(SIGNED_IN)
def enterprises():
    """The views of the list of enterprises."""
    return _tabs("enterprises")


@blueprint.get("/due/views")
@open_to(SIGNED_IN)
def obligations():
    """The views of the due list."""
    return _tabs("obligations")


@blueprint.get("/applications/views")
@open_to(SIGNED_IN)
def applications():
    """The views of the list of applications."""
    return _tabs("applications")


@blueprint.get("/requests/views")
@open_to(*READERS)
def requests():
    """The views of the list of requests."""
    return _tabs("requests")


def _tabs(page: str) -> str:
    """The views of a list with their counts, fetched after the list so that they never hold it up.

    ``view`` and ``saved`` say which is open, ``shape`` what the list shows now.
    """
    where, person = PAGES[page], viewer()
    saved = views_of(page, person)
    opened = whole(request.args.get("saved"))
    current = next((view for view in saved if view.id == opened), None)
    standing_key = request.args.get("view", "")
    shape = where.shape(request.args.get("shape", ""))
    pinned = [_tab(where, view) for view in saved if view.pinned]
    others = [_tab(where, view) for view in saved if not view.pinned]
    every = [*pinned, *where.standing(standing_key, shape), *others]
    open_key = str(current.id) if current else standing_key
    # 全部 takes one place of the row.
    shown, rest = in_a_row(every, lambda tab: tab[0] == open_key, room=IN_A_ROW - (0 if where.covers else 1))
    return render_template(
        "saved_views/_tabs.html",
        where=where,
        everything=None if where.covers else where.count(""),
        shown=[_counted(where, saved, tab) for tab in shown],
        rest=rest,
        open_key=open_key,
        current=current,
        changed=current is not None and where.shape(current.query) != shape,
        may_update=current is not None and may_edit_view(person, current),
        shape=shape,
        shared=SHARED if _may_share() else {PRIVATE: SHARED[PRIVATE]},
        roles=ROLES,
        form=Form(),
    )


def _tab(where: ListPage, view: SavedView) -> Tab:
    return str(view.id), view.name, where.href(view.query, view.id), None, False


def _counted(where: ListPage, saved: list[SavedView], tab: Tab) -> Tab:
    if tab[3] is not None:
        return tab
    [query] = [view.query for view in saved if str(view.id) == tab[0]]
    return (*tab[:3], where.count(query), False)


def _may_share() -> bool:
    return bool(viewer().grants) and may_share(viewer(), home_of(viewer()))


# --- keeping and changing ---------------------------------------------------------------------------------------------


@blueprint.get("/views")
@open_to(SIGNED_IN)
def index():
    """Every view of a list that this person finds, with what may be done to each."""
    where = _page_of(request.args.get("page", "enterprises"))
    return _index(where)


def _index(where: ListPage, form: ViewForm | None = None, query: str = "") -> str:
    person = viewer()
    found = views_of(where.key, person)
    return render_template(
        "saved_views/index.html",
        where=where,
        pages=PAGES.values(),
        views=[(view, where.href(view.query, view.id), may_edit_view(person, view)) for view in found],
        shared=SHARED,
        roles=ROLES,
        form=form,
        query=query,
        offered=SHARED if _may_share() else {PRIVATE: SHARED[PRIVATE]},
        plain=Form(),
    )


@blueprint.post("/views")
@open_to(SIGNED_IN)
def save():
    """Keep what a list shows under a name; the list stays as it is and carries the view from now on."""
    where = _page_of(request.form.get("page"))
    form = ViewForm()
    query = where.shape(request.form.get("query", ""))
    if form.validate_on_submit():
        values = form.read() | {"query": query}
        written = attempt(form, lambda: save_view(where.key, values, act=new_act()))
        if written is not None:
            view_id = written.ids.get("view") if written.ids else None
            return done(f"已存为视图：{values['name']}", where.href(query, view_id), written)
    return _index(where, form, query), 422


@blueprint.route("/views/<int:view_id>", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit(view_id: int):
    view = _visible(view_id)
    form = ViewForm()
    back = url_for("saved_views.index", page=view.page)
    if request.method == "GET":
        form.fill({name: getattr(view, name) for name in form.edited}, view.version)
        return _edit_page(form, view)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not values and not form.has_errors:
            return done("没有改动，没有写入。", back)
        if not form.has_errors:
            version, seen = form.seen_version, form.seen_values(form.edited)
            written = attempt(form, lambda: edit_view(view_id, values, version=version, seen=seen, act=new_act()))
            if written is not None:
                return done("已修改视图", back, written)
    return _edit_page(form, _visible(view_id)), 409 if form.conflict else 422


def _edit_page(form: ViewForm, view: SavedView) -> str:
    conflicts = form.clashes(last_writers("saved_view", view.id)) if form.conflict else []
    return render_template(
        "saved_views/edit.html",
        form=form,
        view=view,
        where=_page_of(view.page),
        conflicts=conflicts,
        shared=SHARED if _may_share() or view.shared != PRIVATE else {PRIVATE: SHARED[PRIVATE]},
        roles=ROLES,
        may_edit=may_edit_view(viewer(), view),
    )


@blueprint.post("/views/<int:view_id>/update")
@open_to(SIGNED_IN)
def update(view_id: int):
    """The view keeps from now on what the list shows."""
    view = _own(view_id)
    where, version = _page_of(view.page), version_in(request.form.get("version"))
    query = where.shape(request.form.get("query", ""))
    name = view.name
    form = Form()
    if form.validate_on_submit():
        written = attempt(form, lambda: edit_view(view_id, {"query": query}, version=version, act=new_act()))
        if written is not None:
            return done(f"视图“{name}”已更新", where.href(query, view_id), written)
    if form.conflict:
        return done(f"视图“{name}”刚被别人改过，没有更新。看过再更新。", where.href(view.query, view_id))
    return done(" ".join(form.general_errors) or "没有写入。刷新后再试。", where.href(query, view_id))


@blueprint.post("/views/<int:view_id>/move")
@open_to(SIGNED_IN)
def move(view_id: int):
    """One place forward or back."""
    view = _own(view_id)
    back = url_for("saved_views.index", page=view.page)
    step = -1 if request.form.get("to") == "up" else 1
    form = Form()
    if form.validate_on_submit():
        attempt(form, lambda: move_view(view_id, step, act=new_act()))
    return redirect(back)


@blueprint.post("/views/<int:view_id>/withdraw")
@open_to(SIGNED_IN)
def withdraw(view_id: int):
    view = _own(view_id)
    name, back = view.name, url_for("saved_views.index", page=view.page)
    version = version_in(request.form.get("version"))
    return pressed(
        lambda: withdraw_view(view_id, version=version, act=new_act()),
        said=f"已撤下视图：{name}",
        to=back,
        stays=back,
        moved=f"视图“{name}”",
    )


def _own(view_id: int) -> SavedView:
    """A view that this person may change."""
    view = _visible(view_id)
    require(may_edit_view(viewer(), view), "修改这个视图")
    return view


def _visible(view_id: int) -> SavedView:
    view: SavedView = visible_record(SavedView, view_id, viewer(), "这个视图")
    return view
