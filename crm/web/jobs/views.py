"""任务与待发: does the clock tick, what did it run, which jobs are on, what is in the outbox, what will Monday say."""

from datetime import date, timedelta

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import func, select

from crm.actions import jobs, messages
from crm.actions.digest_material import compose as compose_digest
from crm.domain import words
from crm.extensions import db
from crm.mail.compose import digest as mail_digest
from crm.store.jobs import Job, heartbeats, last_run_of_each, lately_failed
from crm.store.messages import SHOWN_STATES, Message
from crm.store.scope import visible, visible_record
from crm.store.users import User
from crm.web.addresses import whole
from crm.web.doors import SIGNED_IN, Form, attempt, done, new_act, now, open_to, today, viewer

blueprint = Blueprint("jobs", __name__)

# As in /readyz: the clock notes every half minute that it is alive.
SILENT = timedelta(minutes=2)
MOST_JOBS, MOST_MESSAGES = 20, 50
# product.md, What always holds 9: a mail body may style itself and do nothing else.
PREVIEW_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
# When the entries of the timetable run, in words; the timetable itself is crm/jobs/schedule.py.
TIMETABLE = {
    "recompute": "每天 00:10",
    "digest": "每小时，欠谁发谁",
    "send_outbox": "每分钟",
    "put_back_lost_jobs": "每分钟",
    "prune": "每天 03:30",
}


@blueprint.get("/jobs")
@open_to("bureau", "admin")
def index():
    state = request.args.get("state")
    state = state if state in SHOWN_STATES else None
    alive = heartbeats()
    clock = next((row.seen_at for row in alive if row.name == "scheduler"), None)
    hands = [row for row in alive if row.name.startswith("worker:") and now() - row.seen_at < SILENT]
    only_failed = request.args.get("job") == "failed"
    newest = select(Job).order_by(Job.id.desc())
    newest = newest.where(lately_failed(now())) if only_failed else newest.limit(MOST_JOBS)
    newest = db.session.scalars(visible(newest, viewer())).all()
    shown = Message.shown_state.label("shown")
    # By the name of the column: PostgreSQL takes the same expression with other parameters for another one.
    numbers = visible(select(shown, func.count()).group_by("shown"), viewer())
    counts = dict(db.session.execute(numbers).all())
    return render_template(
        "jobs/index.html",
        clock_alive=clock is not None and now() - clock < SILENT,
        clock_seen=clock,
        hands=len(hands),
        timetable=TIMETABLE,
        last_runs=last_run_of_each(),
        jobs=newest,
        only_failed=only_failed,
        own={job.id for job in newest if may_cancel(job)},
        state=state,
        views=_views(counts, state),
        total=sum(counts.values()),
        messages=_outbox(state),
        smtp=current_app.config["SETTINGS"].smtp_url is not None,
        form=Form(),
    )


def _views(counts: dict[str, int], state: str | None) -> list[dict]:
    """The outbox's states as tabs, those that hold something."""
    items = [{"href": url_for("jobs.index"), "label": "全部", "n": sum(counts.values()), "current": state is None}]
    for code in SHOWN_STATES:
        if code in counts or code == state:
            late = code in ("failed", "uncertain")
            items.append(
                {
                    "href": url_for("jobs.index", state=code),
                    "label": words.MESSAGE_STATES[code],
                    "n": counts.get(code, 0),
                    "current": code == state,
                    "err": late and code in counts,
                }
            )
    return items


def may_cancel(job: Job) -> bool:
    own = job.user_id is not None and job.user_id == viewer().user_id
    return job.state in ("queued", "running") and (own or viewer().has_in(job.region_id, "bureau", "admin"))


def _outbox(state: str | None):
    """The newest messages with their reader's name and region's right, what needs a decision first."""
    query = select(Message, User.name, User.region_id).join(User, User.id == Message.user_id)
    if state:
        query = query.where(Message.shown_state == state)
    urgent = Message.state.in_(("uncertain", "failed"))
    query = query.order_by(urgent.desc(), Message.id.desc()).limit(MOST_MESSAGES)
    return [
        {"row": row, "name": name, "may": viewer().has_in(region_id, "bureau", "admin")}
        for row, name, region_id in db.session.execute(visible(query, viewer()))
    ]


@blueprint.post("/jobs/<int:job_id>/cancel")
@open_to(SIGNED_IN)
def cancel(job_id: int):
    visible_record(Job, job_id, viewer(), "这个任务")
    form = Form()
    if form.validate() and attempt(form, lambda: jobs.cancel(job_id, new_act()) or True):
        return done(f"任务 {job_id} 会在下一步停下。", _back())
    return _refused(form)


@blueprint.get("/jobs/messages/<int:message_id>")
@open_to(SIGNED_IN)
def message(message_id: int):
    row = visible_record(Message, message_id, viewer(), "这条消息")
    reader = db.session.get(User, row.user_id)
    return render_template(
        "jobs/message.html",
        message=row,
        reader=reader,
        may=viewer().has_in(reader.region_id, "bureau", "admin"),
        form=Form(),
    )


@blueprint.get("/jobs/messages/<int:message_id>/body")
@open_to(SIGNED_IN)
def body(message_id: int):
    row = visible_record(Message, message_id, viewer(), "这条消息")
    return _preview(row.html or "", row.text)


@blueprint.post("/jobs/messages/<int:message_id>/send-again")
@open_to("bureau", "admin")
def send_again(message_id: int):
    visible_record(Message, message_id, viewer(), "这条消息")
    form = Form()
    if form.validate() and attempt(form, lambda: messages.send_again(message_id, act=new_act())):
        return done("已重新排队，稍后发出。", url_for("jobs.message", message_id=message_id))
    return _refused(form)


@blueprint.post("/jobs/messages/<int:message_id>/let-be")
@open_to("bureau", "admin")
def let_be(message_id: int):
    visible_record(Message, message_id, viewer(), "这条消息")
    form = Form()
    if form.validate() and attempt(form, lambda: messages.let_be(message_id, act=new_act())):
        return done("这条消息不再发送。", url_for("jobs.message", message_id=message_id))
    return _refused(form)


@blueprint.get("/jobs/digest")
@open_to(SIGNED_IN)
def digest():
    """The digest of any person one may see, for any day."""
    user, on, wrong = _asked()
    content = None if wrong else compose_digest(user.id, on, now=now())
    readers = select(User.id, User.name).where(User.active).order_by(User.id)
    people = db.session.execute(visible(readers, viewer())).all()
    return render_template(
        "jobs/digest.html",
        people=people,
        user=user,
        on=on,
        wrong=wrong,
        content=content,
        composed=mail_digest(content, user_id=user.id) if content else None,
    ), 422 if wrong else 200


@blueprint.get("/jobs/digest/body")
@open_to(SIGNED_IN)
def digest_body():
    user, on, wrong = _asked()
    if wrong:
        return _preview("", wrong)
    composed = mail_digest(compose_digest(user.id, on, now=now()), user_id=user.id)
    return _preview(composed.html or "", composed.text)


def _asked() -> tuple[User, date, str | None]:
    """Whose digest and of which day; oneself and today unless said otherwise. Raises NotFound for a foreign person."""
    raw_user, raw_on = request.args.get("user", ""), request.args.get("on", "")
    user_id = (whole(raw_user) or 0) if raw_user.isdecimal() else current_user.id
    user = visible_record(User, user_id, viewer(), "这个用户")
    try:
        on = date.fromisoformat(raw_on) if raw_on else today()
    except ValueError:
        return user, today(), f"“{raw_on[:20]}”不是日期。写成 2026-11-23 这样。"
    if abs((on - today()).days) > 3660:
        return user, today(), f"{on} 太远了。选十年以内的日期。"
    return user, on, None


def _preview(html: str, text: str) -> Response:
    """A mail body on a page of its own that may do nothing."""
    answer = Response(html or text, mimetype="text/html" if html else "text/plain")
    answer.headers["Content-Security-Policy"] = PREVIEW_CSP
    return answer


def _back() -> str:
    back = request.form.get("back", "")
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) else url_for("jobs.index")


def _refused(form: Form):
    sentence = "；".join(form.general_errors) or "没有做成。回到上一页再试。"
    return render_template("errors/409.html", message=sentence), 409
