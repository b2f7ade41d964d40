"""Around every request: its id, who may pass, the headers, the navigation, the pages for what goes wrong."""

import secrets
import time
from dataclasses import replace

import structlog
from flask import Flask, Response, flash, g, redirect, render_template, request, session, url_for
from flask_login import AnonymousUserMixin, current_user
from flask_wtf.csrf import CSRFError, generate_csrf
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from crm.domain.kinds import KINDS
from crm.domain.refusals import NotAllowed, NotFound, Refused
from crm.domain.words import local
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.merges import survivor_of
from crm.store.notices import MANY, unread_count
from crm.store.scope import visible
from crm.store.settings import office_name, settings_in_force
from crm.store.unit_of_work import DatabaseBusy, is_busy, is_full
from crm.web import downloads
from crm.web.doors import ANYBODY, SIGNED_IN, now, rule_of, today, unsaved, viewer
from crm.web.kept import OWN, kept_lines, touched
from crm.web.sign_in import sessions
from crm.web.sign_in.entering import MUST_ENROL
from crm.web.sign_in.forms import CodeForm
from crm.web.sign_in.views import ask_to_sign_in, sign_in_again
from crm.web.users.second_factor import enrol_page

# product.md, What always holds 9. Only preview routes set another one themselves.
CSP = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"

# What somebody may do who has to set a second factor up first.
BEFORE_ENROLMENT = frozenset(
    {"users.second_factor", "users.confirm_second_factor", "sign_in.prove", "sign_in.sign_out", "static"}
)

log = structlog.get_logger("crm.web")


def install(app: Flask) -> None:
    """Attach the frame to the application."""
    # Before the CSRF check, whose refusals carry the request's id as well.
    app.before_request_funcs.setdefault(None, []).insert(0, _begin)
    app.before_request(_who_may_pass)
    app.after_request(_end)
    app.context_processor(_context)
    app.jinja_env.globals["export_offered"] = downloads.offered
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(NotAllowed, lambda e: _page(403, e.message))
    app.register_error_handler(Refused, lambda e: _page(409, e.message))
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(DatabaseBusy, _busy)
    app.register_error_handler(Exception, _fault)


def _begin() -> None:
    # Where a request runs inside somebody's application context, nothing of an earlier request may linger.
    for name in list(g):
        g.pop(name)
    g.request_id = secrets.token_hex(6)
    g.began = time.perf_counter()


def _who_may_pass():
    rule = rule_of(request.endpoint)
    if request.endpoint is None or (rule and ANYBODY in rule):
        return None
    if rule is None:
        # A route that says for whom it is was forgotten: nobody passes, and a test fails.
        return _page(404)
    if not current_user.is_authenticated:
        return ask_to_sign_in()
    if session.get(MUST_ENROL) and request.endpoint not in BEFORE_ENROLMENT:
        if request.method in ("GET", "HEAD"):
            return redirect(url_for("users.second_factor"))
        return enrol_page(CodeForm(formdata=None), waiting=unsaved()), 403
    if SIGNED_IN not in rule and not viewer().has(*rule):
        return _page(403, shut=request.method == "GET")
    return None


def _end(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CSP)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Request-Id", g.get("request_id", ""))
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
        if response.status_code >= 400 and request.headers.get("HX-Request") and _is_whole_page(response):
            # A page about what went wrong takes the place of the page, not of the piece that was asked for.
            response.headers.setdefault("HX-Retarget", "body")
            response.headers.setdefault("HX-Reswap", "innerHTML")
        if response.status_code < 500:
            sessions.touch()
        # No path, no query, no name: ids in a path tell which enterprise somebody looked at.
        log.info(
            "request",
            request_id=g.get("request_id"),
            method=request.method,
            endpoint=request.endpoint,
            status=response.status_code,
            ms=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
        )
    return response


def _is_whole_page(response: Response) -> bool:
    return response.mimetype == "text/html" and response.get_data()[:9].lower() == b"<!doctype"


def _context() -> dict:
    context = {"csrf": generate_csrf, "request_id": g.get("request_id", ""), "nav": [], "viewer": None}
    if g.get("bare"):
        return context
    # An address that leads nowhere has no endpoint, and its page has the way on all the same.
    if request.endpoint != "static" and current_user.is_authenticated:
        person = viewer()
        settings = settings_in_force(current_user.region_id)
        context |= {
            "viewer": person,
            "role_words": _role_words(person, settings["manager_word"]),
            "nav": _navigation(person),
            "office": office_name(current_user.region_id, settings["office_name"]),
            "demo_notice": settings["demo_notice"],
            "account_url": url_for("users.account"),
            "today": today(),
            "now": now(),
            "printed_at": f"{local(now()):%Y-%m-%d %H:%M}",
        }
    return context


def _role_words(person, manager_word: str) -> str:
    from crm.domain.viewers import ROLES

    words = dict(ROLES)
    words["case_manager"] = manager_word
    return "、".join(dict.fromkeys(words[grant.role] for grant in person.grants)) or "没有授权"


# (group, endpoint, icon, words, roles that see it; none = all)
NAVIGATION: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    ("", "desk.show", "home", "工作台", ()),
    ("", "notices.index", "message-2", "消息", ()),
    ("", "obligations.index", "calendar-due", "到期事项", ()),
    ("", "enterprises.index", "building", "企业", ()),
    ("", "board.show", "stairs-up", "五级梯次", ()),
    ("办理", "service_logs.new", "map-pin", "记一次走访", ("case_manager", "township", "park", "bureau")),
    ("办理", "visit_plans.index", "calendar-event", "走访计划", ("case_manager", "bureau", "leader")),
    ("办理", "confirmations.index", "circle-check", "月度确认", ("township", "park", "bureau", "leader")),
    (
        "办理",
        "requests.index",
        "user-question",
        "企业诉求",
        ("case_manager", "township", "park", "unit", "bureau", "leader"),
    ),
    ("办理", "applications.index", "file-check", "申报", ("case_manager", "bureau", "leader", "admin")),
    ("办理", "reviews.index", "checklist", "区县初审", ("case_manager", "bureau", "leader", "admin")),
    ("办理", "pool.index", "list-check", "培育库", ("case_manager", "bureau", "leader")),
    ("办理", "handovers.index", "user-share", "交接", ("bureau", "admin")),
    (
        "办理",
        "collections.index",
        "file-spreadsheet",
        "采集",
        ("case_manager", "township", "park", "bureau", "leader"),
    ),
    ("汇报", "submissions.index", "send", "报送", ("bureau", "leader", "admin")),
    ("数据", "imports.index", "table-import", "导入", ("case_manager", "bureau", "unit")),
    ("数据", "changes.index", "history", "变更记录", ("bureau", "admin", "case_manager", "township", "park", "unit")),
    ("数据", "jobs.index", "clock", "任务与待发", ("bureau", "admin")),
    ("数据", "users.index", "users", "用户", ("admin",)),
    ("数据", "dictionaries.index", "forms", "字典", ("bureau", "admin")),
    ("数据", "settings.index", "settings", "设置", ("bureau", "admin")),
)


# Pages that are reached from another one, whose entry they light.
BEHIND = {"access_log": "changes"}

# Pages about the person, reached from the name at the foot of the navigation.
OWN_PAGES = frozenset(
    {
        "users.account",
        "users.edit_account",
        "users.change_password",
        "users.end_other_sessions",
        "users.second_factor",
        "users.confirm_second_factor",
        "users.renew_recovery_codes",
    }
)


def _navigation(person) -> list[tuple[str, list[dict]]]:
    groups: dict[str, list[dict]] = {}
    from flask import current_app

    for group, endpoint, icon, label, roles in NAVIGATION:
        if endpoint not in current_app.view_functions or (roles and not person.has(*roles)):
            continue
        if endpoint == "imports.index" and person.roles == {"unit"} and not person.owned & KINDS.keys():
            continue  # lists are imported of titles; a department that owns none has nothing to bring
        blueprint = endpoint.split(".")[0]
        groups.setdefault(group, []).append(
            {
                "url": url_for(endpoint),
                "icon": icon,
                "label": label,
                "current": BEHIND.get(request.blueprint or "", request.blueprint) == blueprint
                and request.endpoint not in OWN_PAGES,
                **(_unread(person) if endpoint == "notices.index" else {}),
            }
        )
    return list(groups.items())


def _unread(person) -> dict:
    """How many notices nobody opened, beside the word in the navigation; nothing when there is none."""
    n = unread_count(person)
    return {"count": "99+" if n >= MANY else n, "hot": True} if n else {}


def _page(status: int, message: str | None = None, **more):
    """The error page of a status; without navigation when not even that can be read from the database any more."""
    known = status if status in (400, 403, 404, 409, 413, 422, 429, 500, 503, 507) else (500 if status >= 500 else 400)
    try:
        db.session.rollback()
        return render_template(f"errors/{known}.html", message=message, **more), status
    except Exception:
        log.error("error page without its frame", request_id=g.get("request_id"), status=status)
        g.bare, g._login_user = True, AnonymousUserMixin()
        return render_template(f"errors/{known}.html", message=message, **more), status


def _http_error(error: HTTPException):
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()
    if (error.code or 500) >= 500:
        # Aborted on purpose or by the framework: the log has the id that stands on the page.
        log.error("fault", request_id=g.get("request_id"), endpoint=request.endpoint, status=error.code)
    return _page(error.code or 500)


def _not_found(error: NotFound):
    """A record that is not there; the old address of an enterprise that was merged into another leads to that one."""
    enterprise_id = (request.view_args or {}).get("enterprise_id")
    to = survivor = name = None
    if isinstance(enterprise_id, int) and current_user.is_authenticated:
        survivor = survivor_of(enterprise_id)
        seen = select(Enterprise.name).where(Enterprise.id == survivor)
        name = db.session.scalar(visible(seen, viewer())) if survivor is not None else None
        if name is not None:
            args = {**(request.view_args or {}), **request.args.to_dict(), "enterprise_id": survivor}
            to = url_for(request.endpoint or "enterprises.show", **args)
    if to is None:
        return _page(404, error.message)
    if request.method != "GET":
        return _ask_for_the_other_file(to, survivor, name)
    flash("这家企业已并入下面这一家，旧地址带你到了这里。", "acc")
    # Not for good: taking the merge back gives the old address its page again.
    return redirect(to)


def _ask_for_the_other_file(to: str, survivor: int | None, name: str | None):
    """What was typed was meant for a file that is merged: it comes back whole, to be sent to the one that remained.

    It is not written there unseen: ``version`` 0 is no version of anything, so that a form over the same fields shows
    what stands there now beside what was typed.
    """
    form = replace(unsaved(), target=to)
    if form.whole and form.kept.keys() <= OWN:
        # A button alone: what it would do to this file nobody has asked for.
        return _page(409, f"这家企业已并入 {name}，刚才那一步没有做。需要的话，到那一家再做。")
    # What is edited in place is answered with a piece of a page: sent from here, that piece would be all one sees.
    in_place = bool(request.headers.get("HX-Request"))
    lines = kept_lines(touched(form.kept), to)
    if "version" in form.kept:
        form.kept["version"] = ["0"]
    return render_template(
        "errors/moved.html", form=form, lines=lines, name=name, survivor=survivor, in_place=in_place
    ), 409


def _csrf_error(_error: CSRFError):
    """A form from before the session ended: if nobody is signed in any more, keep its text and ask to sign in."""
    if request.endpoint in ("sign_in.sign_in", "sign_in.code"):
        return sign_in_again()
    if not current_user.is_authenticated and ANYBODY not in (rule_of(request.endpoint) or ()):
        return ask_to_sign_in()
    return render_template("errors/kept.html", form=unsaved()), 400


def _busy(_error: DatabaseBusy):
    """The form comes back filled in and, when it is whole, is sent again once by itself, with the same request key."""
    log.warning("database busy", request_id=g.get("request_id"), endpoint=request.endpoint)
    db.session.rollback()
    if request.method != "POST":
        page, status = _page(503)
        return page, status, {"Retry-After": "3"}
    again = request.form.get("sent_again") == "1"
    return render_template("errors/busy.html", form=unsaved(), again=again), 503, {"Retry-After": "3"}


def _disk_full():
    """The form comes back filled in, to be sent again by a person once there is room: waiting makes none."""
    log.error("disk full", request_id=g.get("request_id"), endpoint=request.endpoint)
    db.session.rollback()
    if request.method != "POST":
        return _page(507)
    try:
        form = unsaved()
    except OSError:
        # Not even the body of the request found a place; there is nothing left to give back.
        return _page(507)
    return render_template("errors/full.html", form=form), 507


def _fault(error: Exception):
    if is_busy(error):
        return _busy(DatabaseBusy())
    if is_full(error):
        return _disk_full()
    log.exception("fault", request_id=g.get("request_id"), endpoint=request.endpoint)
    if _app().testing and _app().config.get("PROPAGATE", True):
        raise error
    return _page(500)


def _app() -> Flask:
    from flask import current_app

    return current_app
