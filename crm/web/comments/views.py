"""Comments of an enterprise, an event, a request, an application; changing and taking back the own ones."""

from flask import render_template, request, url_for

from crm.actions import comments as deeds
from crm.actions.rights import require
from crm.domain.refusals import NotFound
from crm.store.comments import Comment
from crm.store.readers import meant
from crm.store.scope import visible_record
from crm.web import reference
from crm.web.addresses import whole
from crm.web.comments import blueprint
from crm.web.comments.thread import CommentForm, place_of, thread_of
from crm.web.doors import SIGNED_IN, attempt, done, new_act, open_to, own_path, pressed, today, viewer
from crm.web.editing import last_writers
from crm.web.service_logs.firms import chosen_of


@blueprint.route("/enterprises/<int:enterprise_id>/comments", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def of_enterprise(enterprise_id: int):
    return _thread("enterprise", enterprise_id)


@blueprint.route("/visits/<int:log_id>/comments", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def of_service_log(log_id: int):
    return _thread("service_log", log_id)


@blueprint.route("/requests/<int:request_id>/comments", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def of_request(request_id: int):
    return _thread("request", request_id)


@blueprint.route("/applications/<int:application_id>/comments", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def of_application(application_id: int):
    return _thread("application", application_id)


@blueprint.get("/comments/people")
@open_to(SIGNED_IN)
def people():
    """The people who read a record, by characters of the name or initials, as a fragment for the picker."""
    noun, record_id = request.args.get("noun", ""), whole(request.args.get("record"))
    found = []
    try:
        subject = deeds.subject_of(noun, record_id or 0, viewer())
    except NotFound:
        subject = None
    if subject is not None and deeds.may_comment(viewer(), subject):
        others = [one for one in deeds.people_for(subject, today()) if one.id != viewer().user_id]
        found = meant(request.args.get("q", "")[:20], others)
    return render_template("comments/_people.html", people=found)


@blueprint.route("/comments/<int:comment_id>/edit", methods=["GET", "POST"])
@open_to(SIGNED_IN)
def edit(comment_id: int):
    one = _own(comment_id)
    form = CommentForm()
    if request.method == "GET":
        form.fill({"text": one.text}, one.version)
        form.mentions.data = [str(i) for i in one.mentions or ()]
        form.back.data = own_path(request.args.get("back")) or ""
        return _edit_page(form, one)
    form.settle(request.form)
    values = form.read(changed_only=True)
    written = None
    if not form.has_errors:
        seen = form.seen_values(form.edited, {"text": one.text})
        mentions = form.mention_ids()
        written = attempt(
            form,
            lambda: deeds.edit_comment(
                comment_id, values, mentions, version=form.seen_version, seen=seen, act=new_act()
            ),
        )
    if written is not None:
        return done("已改批注。", own_path(form.back.data) or place_of(one.noun, one.record_id), written)
    return _edit_page(form, _own(comment_id)), 409 if form.conflict else 422


@blueprint.post("/comments/<int:comment_id>/withdraw")
@open_to(SIGNED_IN)
def withdraw(comment_id: int):
    one = _own(comment_id)
    to = own_path(request.form.get("back")) or place_of(one.noun, one.record_id)
    return pressed(
        lambda: deeds.withdraw_comment(comment_id, act=new_act()),
        said="已撤下批注。",
        to=to,
        stays=to,
        moved="这条批注",
    )


def _own(comment_id: int) -> Comment:
    one: Comment = visible_record(Comment, comment_id, viewer(), "这条批注")
    require(deeds.is_own(viewer(), one), "改别人的批注")
    return one


def _thread(noun: str, record_id: int):
    subject = deeds.subject_of(noun, record_id, viewer())
    require(deeds.may_comment(viewer(), subject), "看批注")
    form = CommentForm()
    if request.method == "GET":
        form = CommentForm(formdata=None)
        form.back.data = own_path(request.args.get("back")) or ""
        return _page(subject, form)
    values = form.read()
    written = None
    if not form.has_errors:
        mentions = form.mention_ids()
        written = attempt(form, lambda: deeds.write_comment(noun, record_id, values["text"], mentions, act=new_act()))
    if written is not None:
        return done("已写批注。", own_path(form.back.data) or place_of(noun, record_id), written)
    return _page(deeds.subject_of(noun, record_id, viewer()), form), 422


def _page(subject: deeds.Subject, form: CommentForm) -> str:
    names = _firms(subject)
    return render_template(
        "comments/thread.html",
        subject=subject,
        names=names,
        thread=thread_of(subject.noun, subject.record_id, form),
        back=own_path(form.back.data) or _record_of(subject),
    )


def _firms(subject: deeds.Subject) -> list[tuple[int, str]]:
    """(id, name) of the enterprises a record is about, as far as they are in sight."""
    return chosen_of([standing.enterprise_id for standing in subject.standings])


def _record_of(subject: deeds.Subject) -> str:
    """The page of the record itself."""
    if subject.noun == "enterprise":
        return url_for("enterprises.show", enterprise_id=subject.record_id)
    if subject.noun == "request":
        return url_for("requests.show", request_id=subject.record_id)
    if subject.noun == "application":
        return url_for("enterprises.show", enterprise_id=subject.enterprise_id, tab="applications")
    return url_for("enterprises.show", enterprise_id=subject.told_of, tab="logs")


def _edit_page(form: CommentForm, one: Comment) -> str:
    names = reference.people(form.mention_ids())
    return render_template(
        "comments/edit.html",
        form=form,
        one=one,
        chosen=[(i, names[i]) for i in form.mention_ids() if i in names],
        people_url=url_for("comments.people", noun=one.noun, record=one.record_id),
        conflicts=form.clashes(last_writers("comment", one.id)) if form.conflict else [],
        back=own_path(form.back.data) or place_of(one.noun, one.record_id),
    )
