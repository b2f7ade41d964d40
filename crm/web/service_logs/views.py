"""Everything under /visits."""

from collections.abc import Sequence

from flask import flash, render_template, request, url_for
from sqlalchemy import func, select

from crm.actions.rights import may_log
from crm.actions.service_logs import edit_service_log, log_service, may_change, withdraw_service_log
from crm.actions.uploads import Upload
from crm.domain.fields import CHOICES
from crm.domain.refusals import NotAllowed, NotFound
from crm.domain.viewers import INTERNAL
from crm.extensions import db
from crm.store import attachment_lists
from crm.store.own_enterprises import own_enterprises
from crm.store.request_lists import of_logs
from crm.store.scope import visible, visible_enterprise, visible_record
from crm.store.service_logs import ServiceLog
from crm.web import reference
from crm.web.addresses import page_number, whole
from crm.web.attachments.uploads import carried, received, tokens_of
from crm.web.comments.thread import counts_of
from crm.web.doors import Form, attempt, done, new_act, open_to, own_path, pressed, today, viewer
from crm.web.editing import last_writers, say
from crm.web.obligations.listing import quick_days
from crm.web.service_logs import MOST_AT_ONCE, WRITERS, blueprint
from crm.web.service_logs.firms import chosen_of, enterprises_of
from crm.web.service_logs.forms import EventForm

# Who answers for a region reads what was logged in it.
OVERSEERS = ("bureau", "admin", "leader")
PAGE = 50


@blueprint.get("/visits/new")
@open_to(*WRITERS)
def new():
    form = EventForm(formdata=None)
    form.kind.data = "visit"
    form.happened_on.data = today().isoformat()
    form.back.data = own_path(request.args.get("back")) or ""
    chosen: list[tuple[int, str]] = []
    for text in dict.fromkeys(request.args.getlist("enterprise")[:MOST_AT_ONCE]):
        wanted = whole(text)
        if wanted is None:
            continue
        row, standing = visible_enterprise(wanted, viewer())
        if not may_log(viewer(), standing):
            raise NotAllowed("这家企业由它的专员或业务科室记服务。")
        chosen.append((row.id, row.name))
    like = whole(request.args.get("like"))
    if like is not None:
        log = visible_record(ServiceLog, like, viewer(), "这条服务记录")
        chosen = enterprises_of([log.id]).get(log.id, [])
        form.kind.data = log.kind
    return _page(form, chosen)


@blueprint.post("/visits/new")
@open_to(*WRITERS)
def create():
    form = EventForm()
    values = form.read()
    ids = form.enterprise_ids()
    taken, refused = received(request.files.getlist("files"))
    taken = [*carried(request.form.getlist("kept"), viewer().user_id), *taken]
    written = None
    if not form.has_errors and values["next_step"] and values["next_step_on"] is None:
        # A promise without a day would never be due, and so be forgotten.
        say(form, "next_step_on", "下一步还没有日期，到期前提醒不了。选一天，或清空下一步。")
    elif not form.has_errors:
        written = attempt(form, lambda: log_service(ids, values, uploads=taken, act=new_act()))
    if written is None:
        form.files.errors = [*form.files.errors, *refused]
        return _page(form, chosen_of(ids), taken=taken), 422
    # The words are what counts: a photo that cannot be taken is named, and keeps nobody from saving.
    for sentence in refused:
        flash(f"文字已保存。{sentence}", "bad")
    to = own_path(form.back.data) or url_for("desk.show")
    if form.kind.data == "request" and "service_log" in written.ids:
        # What the firm asked for is taken down as such at once: it lacks its category and who is to answer.
        to = url_for("requests.new", log=written.ids["service_log"], back=to)
    what = CHOICES["service_kind"].get(form.kind.data, "服务")
    beside = f"，{len(taken)} 份附件" if taken else ""
    return done(f"已记{what}，{len(set(ids))} 家企业{beside}。", to, written)


@blueprint.get("/visits")
@open_to(*WRITERS, "leader")
def index():
    """The own records, newest first; for the office and the leaders also everybody's of their regions."""
    person = viewer()
    sees_all = person.has(*OVERSEERS)
    usually = "mine" if person.has("case_manager") else "all"
    everybody = sees_all and (request.args.get("of", usually) == "all" or not person.has(*WRITERS))
    page = page_number(request.args)
    own = [] if everybody else [ServiceLog.author_id == person.user_id]
    total = db.session.scalar(visible(select(func.count()).select_from(ServiceLog).where(*own), person)) or 0
    query = visible(select(ServiceLog).where(*own), person)
    query = query.order_by(ServiceLog.happened_on.desc(), ServiceLog.id.desc())
    logs = list(db.session.scalars(query.limit(PAGE).offset((page - 1) * PAGE)))
    return render_template(
        "service_logs/index.html",
        logs=logs,
        hung=attachment_lists.on_records("service_log", [log.id for log in logs], person),
        enterprises=enterprises_of([log.id for log in logs]),
        total=total,
        number=page,
        pages=max(1, -(-total // PAGE)),
        first=(page - 1) * PAGE + 1 if logs else 0,
        last=(page - 1) * PAGE + len(logs),
        page_href=lambda n: url_for("service_logs.index", page=n, of=request.args.get("of")),
        sees_all=sees_all,
        everybody=everybody,
        writes=person.has(*WRITERS),
        authors=reference.people({log.author_id for log in logs}) if everybody else {},
        changeable={log.id for log in logs if not everybody or may_change(person, log)},
        withdraw_form=Form(formdata=None),
        asked=of_logs((log.id for log in logs if log.kind == "request"), person),
        comments=counts_of("service_log", (log.id for log in logs)),
    )


@blueprint.get("/visits/<int:log_id>")
@open_to(*WRITERS, "leader")
def show(log_id: int):
    """One event to read: its firms, what was said, what is to follow, its photos and papers."""
    person = viewer()
    log = visible_record(ServiceLog, log_id, person, "这条服务记录")
    if INTERNAL not in attachment_lists.classes_of_event(log.id, person):
        raise NotFound("这条服务记录")
    return render_template(
        "service_logs/show.html",
        log=log,
        firms=enterprises_of([log.id]).get(log.id, []),
        hung=attachment_lists.on_records("service_log", [log.id], person).get(log.id, []),
        changeable=may_change(person, log) and person.has(*WRITERS),
        withdraw_form=Form(formdata=None),
        back=own_path(request.args.get("back")) or url_for("service_logs.index"),
    )


@blueprint.get("/visits/<int:log_id>/edit")
@open_to(*WRITERS)
def edit(log_id: int):
    log = _changeable(log_id)
    form = EventForm(formdata=None)
    chosen = enterprises_of([log.id]).get(log.id, [])
    form.show(log, (enterprise_id for enterprise_id, _ in chosen))
    form.back.data = own_path(request.args.get("back")) or ""
    return _page(form, chosen, log=log)


@blueprint.post("/visits/<int:log_id>/edit")
@open_to(*WRITERS)
def save(log_id: int):
    _changeable(log_id)
    form = EventForm()
    form.settle(request.form)
    values = form.read(changed_only=True)
    ids = form.enterprise_ids()
    written = None
    if not form.has_errors:
        written = attempt(
            form,
            lambda: edit_service_log(
                log_id,
                ids,
                values,
                version=form.seen_version,
                seen=form.seen_values(values),
                seen_enterprise_ids=form.shown_ids(),
                act=new_act(),
            ),
        )
    if written is None:
        return _page(form, chosen_of(ids), log=_changeable(log_id)), 409 if form.conflict else 422
    return done("已改服务记录。", own_path(form.back.data) or url_for("service_logs.index"), written)


@blueprint.post("/visits/<int:log_id>/withdraw")
@open_to(*WRITERS)
def withdraw(log_id: int):
    _changeable(log_id)
    to = url_for("service_logs.index")
    return pressed(
        lambda: withdraw_service_log(log_id, act=new_act()),
        said="已撤下服务记录，它约定的下一步一起取消。",
        to=to,
        stays=to,
        moved="这条服务记录",
    )


def _changeable(log_id: int) -> ServiceLog:
    log = visible_record(ServiceLog, log_id, viewer(), "这条服务记录")
    if not may_change(viewer(), log):
        raise NotAllowed("服务记录由记录人或业务科室改。")
    return log


def _page(
    form: EventForm, chosen: list[tuple[int, str]], log: ServiceLog | None = None, *, taken: Sequence[Upload] = ()
) -> str:
    last = None
    if log is None and not chosen:
        query = select(ServiceLog.id).where(ServiceLog.author_id == viewer().user_id)
        last = db.session.scalar(visible(query, viewer()).order_by(ServiceLog.id.desc()).limit(1))
    return render_template(
        "service_logs/form.html",
        form=form,
        chosen=chosen,
        log=log,
        last=last,
        near=own_enterprises(viewer()) if log is None else [],
        kept=tokens_of(taken, viewer().user_id),
        kinds=CHOICES["service_kind"],
        quick_days=quick_days(),
        back=own_path(form.back.data) or url_for("desk.show" if log is None else "service_logs.index"),
        conflicts=form.clashes(last_writers("service_log", log.id)) if form.conflict and log else [],
    )
