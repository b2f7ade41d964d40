"""The collections, and one of them: who has returned, who has not, the sheets to send, the text to remind with."""

from flask import redirect, render_template, request, url_for
from sqlalchemy import func, select
from wtforms import BooleanField, IntegerField, StringField

from crm.actions.collection_answers import HOW, known_of
from crm.actions.collection_returns import start_returns
from crm.actions.collections import (
    FIELDS,
    add_enterprises,
    close_collection,
    edit_collection,
    keeps,
    may_answer,
    may_collect,
    own_collection,
    remind,
)
from crm.domain import words
from crm.domain.collections import questions
from crm.extensions import db
from crm.sheets.bundles import MOST_FILES, bundle
from crm.sheets.refusals import SheetRefused
from crm.store import file_store
from crm.store.collections import STATES, Collection, CollectionEnterprise, counts_of
from crm.store.enterprises import Enterprise
from crm.store.imports import ImportBatch
from crm.store.scope import visible, visible_record
from crm.store.standings import Standing
from crm.web import reference
from crm.web.addresses import page_number, wholes
from crm.web.collections import MAKERS, READERS, WRITERS, blueprint
from crm.web.collections.sending import reminder
from crm.web.doors import Form, attempt, done, new_act, open_to, today, viewer
from crm.web.editing import EditForm, last_writers
from crm.web.imports.preview import STATES as BATCH_STATES
from crm.web.inputs import DayField

PAGE = 50
STATE_WORDS: dict[str, str] = {"outstanding": "未交回", "returned": "已交回", "excused": "免填"}


class CollectionForm(EditForm):
    title = StringField("名称")
    year = IntegerField("年度")
    due_on = DayField("交回期限")
    note = StringField("说明")
    edited = FIELDS


class ReturnsForm(Form):
    sealed = BooleanField("盖章原件都已收到")


@blueprint.get("/collections")
@open_to(*READERS)
def index():
    person = viewer()
    closed = request.args.get("closed") == "1"
    state = Collection.closed_on.is_not(None) if closed else Collection.closed_on.is_(None)
    number = page_number(request.args)
    totals = {
        flag: db.session.scalar(visible(select(func.count(Collection.id)).where(condition), person)) or 0
        for flag, condition in ((False, Collection.closed_on.is_(None)), (True, Collection.closed_on.is_not(None)))
    }
    query = visible(select(Collection).where(state), person)
    order = (Collection.closed_on.desc(),) if closed else (Collection.due_on.is_(None), Collection.due_on)
    rows = list(
        db.session.scalars(query.order_by(*order, Collection.id.desc()).limit(PAGE).offset((number - 1) * PAGE))
    )
    return render_template(
        "collections/index.html",
        rows=rows,
        closed=closed,
        totals=totals,
        counted=counts_of([row.id for row in rows], lambda query: visible(query, person)),
        owners=reference.people(row.owner_id for row in rows),
        may_collect=may_collect(person),
        number=number,
        pages=max(1, -(-totals[closed] // PAGE)),
        first=(number - 1) * PAGE + 1,
        page_href=lambda n: url_for("collections.index", closed="1" if closed else None, page=n),
    )


@blueprint.get("/collections/<int:collection_id>")
@open_to(*READERS)
def show(collection_id: int):
    return _show(collection_id, ReturnsForm(formdata=None))


def _show(collection_id: int, form: Form):
    person = viewer()
    row: Collection = visible_record(Collection, collection_id, person, "这次采集")
    counted = counts_of([row.id], lambda query: visible(query, person)).get(row.id) or dict.fromkeys(STATES, 0)
    state = request.args.get("state", "")
    state = state if state in STATES else ""
    lines = _lines(row, state)
    keeper = keeps(row, person)
    return render_template(
        "collections/show.html",
        row=row,
        form=form,
        state=state,
        states=STATE_WORDS,
        counted=counted,
        total=sum(counted.values()),
        lines=lines,
        owner=reference.people([row.owner_id]).get(row.owner_id, ""),
        keeper=keeper,
        may_send=may_collect(person),
        kinds=[words.word(kind, "rules") for kind in row.kinds or ()],
        batches=_batches(row) if keeper else [],
        batch_states=BATCH_STATES,
        reminder=reminder(row, lines if state in ("", "outstanding") else _lines(row, "outstanding")),
        most=MOST_FILES,
        how=HOW,
    )


def _lines(row: Collection, state: str) -> list[dict]:
    """The sheets the viewer may see, in the order of names, each with how much of it is known by now."""
    person = viewer()
    query = (
        select(CollectionEnterprise, Enterprise, Standing)
        .join(Enterprise, Enterprise.id == CollectionEnterprise.enterprise_id)
        .join(Standing, Standing.enterprise_id == CollectionEnterprise.enterprise_id)
        .where(CollectionEnterprise.collection_id == row.id, *(STATES[state] if state else ()))
        .order_by(Standing.name_sort, CollectionEnterprise.id)
    )
    own = select(CollectionEnterprise.id).where(CollectionEnterprise.collection_id == row.id)
    seen = set(db.session.scalars(visible(own, person)))
    found = [line for line in db.session.execute(visible(query, person)) if line[0].id in seen]
    known = known_of(sheet.enterprise_id for sheet, _, _ in found)
    townships = {place.id: place.name for place in reference.townships(person)}
    people = reference.people(standing.manager_id for _, _, standing in found)
    lines = []
    for sheet, enterprise, standing in found:
        asked = questions(sheet.questions)
        plain = [one for one in asked if one.field is not None]
        missing = [one for one in plain if known[enterprise.id].value(one) is None]
        lines.append(
            {
                "sheet": sheet,
                "name": enterprise.name,
                "township": townships.get(standing.township_id, ""),
                "manager": people.get(standing.manager_id, ""),
                "asked": len(asked),
                "missing": [one.title for one in missing],
                "answered": len(plain) - len(missing),
                "plain": len(plain),
                "may_answer": may_answer(person, standing),
            }
        )
    return lines


def _batches(row: Collection) -> list[ImportBatch]:
    query = select(ImportBatch).where(ImportBatch.collection_id == row.id)
    return list(db.session.scalars(visible(query, viewer()).order_by(ImportBatch.id.desc()).limit(8)))


@blueprint.post("/collections/<int:collection_id>/returns")
@open_to(*MAKERS)
def returns(collection_id: int):
    """Returned sheets, many at once; what they say is previewed like any other import."""
    own_collection(collection_id, viewer())
    form = ReturnsForm()
    files = [(file.filename, file.read()) for file in request.files.getlist("files") if file.filename]
    try:
        content, count = bundle(files)
    except SheetRefused as refusal:
        form.general_errors.append(refusal.message)
        return _show(collection_id, form), 422
    kept = file_store.keep(content)
    batch_id = attempt(
        form,
        lambda: start_returns(
            kept, collection_id=collection_id, count=count, sealed=bool(form.sealed.data), act=new_act()
        ),
    )
    if batch_id is None:
        return _show(collection_id, form), 409
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/collections/<int:collection_id>/add")
@open_to(*MAKERS)
def add(collection_id: int):
    """Further enterprises, asked for what blocks the judgements this collection is for."""
    own_collection(collection_id, viewer())
    form = Form()
    ids = wholes(request.form.getlist("ids"))
    written = attempt(form, lambda: add_enterprises(collection_id, ids, act=new_act()))
    if written is None:
        return _show(collection_id, form), 409
    to = url_for("collections.show", collection_id=collection_id)
    return done(f"已加上 {written.record_count} 家", to, written)


@blueprint.post("/collections/<int:collection_id>/remind")
@open_to(*WRITERS)
def remind_all(collection_id: int):
    visible_record(Collection, collection_id, viewer(), "这次采集")
    form = Form()
    written = attempt(form, lambda: remind(collection_id, act=new_act()))
    if written is None:
        return _show(collection_id, form), 409
    to = url_for("collections.show", collection_id=collection_id, state="outstanding")
    return done(f"已记为 {words.day(today(), today())} 催过 {written.record_count} 家", to, written)


@blueprint.post("/collections/<int:collection_id>/close")
@open_to(*MAKERS)
def close(collection_id: int):
    row = own_collection(collection_id, viewer())
    form = Form()
    reopen = request.form.get("reopen") == "1"
    title = row.title
    written = attempt(form, lambda: close_collection(collection_id, reopen=reopen, act=new_act()))
    if written is None:
        return _show(collection_id, form), 409
    to = url_for("collections.show", collection_id=collection_id)
    return done(f"《{title}》已{'重新打开' if reopen else '结束'}", to, written)


@blueprint.route("/collections/<int:collection_id>/edit", methods=["GET", "POST"])
@open_to(*MAKERS)
def edit(collection_id: int):
    row = own_collection(collection_id, viewer())
    form = CollectionForm()
    stored = {name: getattr(row, name) for name in FIELDS}
    if request.method == "GET":
        form = CollectionForm(formdata=None)
        form.fill(stored, row.version)
        return _edit_page(form, row)
    if form.validate_on_submit():
        form.settle(request.form)
        values = form.read(changed_only=True)
        if not form.has_errors:
            seen = form.seen_values(values, stored)
            written = attempt(
                form,
                lambda: edit_collection(collection_id, values, version=form.seen_version, seen=seen, act=new_act()),
            )
            if written is not None:
                to = url_for("collections.show", collection_id=collection_id)
                return done("已保存" if written.change_set_id else "没有改动，没有写入。", to, written)
    return _edit_page(form, own_collection(collection_id, viewer())), 409 if form.conflict else 422


def _edit_page(form: CollectionForm, row: Collection) -> str:
    conflicts = form.clashes(last_writers("collection", row.id)) if form.conflict else []
    return render_template("collections/edit.html", form=form, row=row, conflicts=conflicts)
