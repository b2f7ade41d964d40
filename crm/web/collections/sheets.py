"""One enterprise's sheet: what is asked, what is answered, who signed; typed in here or sent as a file."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, ClassVar

from flask import render_template, request, url_for
from wtforms import BooleanField, MultipleFileField, StringField

from crm.actions.collection_answers import HOW, Known, answer_sheet, authorise, known_of, readable_questions
from crm.actions.collection_sheets import meaning
from crm.actions.collections import ask, excuse, keeps, labels_of, may_answer, remind, sheet_for
from crm.actions.rights import may_edit
from crm.domain import words
from crm.domain.cells import Unreadable
from crm.domain.collections import REGISTER, Question, questions
from crm.store import attachment_lists
from crm.store.collections import CollectionEnterprise
from crm.store.scope import visible_enterprise
from crm.store.standings import Standing
from crm.web.attachments.uploads import received
from crm.web.collections import MAKERS, READERS, WRITERS, blueprint
from crm.web.collections.choosing import choosable, chosen
from crm.web.collections.sending import reminder_for_one
from crm.web.doors import Form, attempt, done, new_act, open_to, today, viewer
from crm.web.editing import EditForm, last_writers
from crm.web.enterprises import forms
from crm.web.inputs import DayField, Kept


class AnswerForm(EditForm):
    """One line for each question that may be read; what it holds is {path: value}."""

    complete = BooleanField("其余的企业没有，算交回")
    asked: ClassVar[dict[str, Question]] = {}

    def text_of(self, name: str, value: Any) -> str:
        field = self.asked[name].field
        assert field is not None
        return forms.raw_of(field, value)

    def value_of(self, name: str, text: str) -> Any:
        field = self.asked[name].field
        assert field is not None
        try:
            return forms.value_of(field, text)
        except Unreadable as error:
            raise Unreadable(forms.on_a_form(error.message), code=error.code) from None

    def said(self, name: str, value: Any) -> str:
        field = self.asked[name].field
        assert field is not None
        return words.value(field, value)


@lru_cache(maxsize=256)
def form_for(paths: tuple[str, ...]) -> type[AnswerForm]:
    """The form of these questions; the register of IP has a page of its own."""
    asked = {one.name: one for one in questions(paths) if one.field is not None}
    body: dict[str, Any] = {name: StringField(one.title) for name, one in asked.items()}
    return type("SheetForm", (AnswerForm,), {**body, "asked": asked, "edited": tuple(asked)})


class QuestionsField(Kept):
    """What is asked: paths with a blank between them, of which a browser sends one for each tick."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = self.text(" ".join(valuelist).split())

    def meaning(self, text: str) -> list[str]:
        return text.split()

    def text(self, value: Iterable[str]) -> str:
        return " ".join(one.path for one in questions(value))


class AskForm(EditForm):
    """What one enterprise is asked: the ticked questions, as one field of its sheet."""

    questions = QuestionsField("要问的")
    edited = ("questions",)

    def said(self, name: str, value: Any) -> str:
        return words.join(labels_of(value or ())) or words.BLANK


class SignForm(Form):
    authorised_by = StringField("签字人")
    authorised_on = DayField("签字日期")
    files = MultipleFileField("盖章件扫描或照片")


class ExcuseForm(Form):
    excused_reason = StringField("免填原因")


@blueprint.get("/collections/sheets/<int:sheet_id>")
@open_to(*READERS)
def sheet(sheet_id: int):
    return _page(sheet_id)


@blueprint.post("/collections/sheets/<int:sheet_id>")
@open_to(*WRITERS)
def answer(sheet_id: int):
    one, row, standing = sheet_for(sheet_id, viewer())
    form = _form(one, standing)()
    if form.validate_on_submit():
        form.settle(request.form)
        given = form.read(changed_only=True)
        if not form.has_errors:
            stored = _stored(form, one)
            answers = {form.asked[name].path: value for name, value in given.items()}
            seen = {form.asked[name].path: value for name, value in form.seen_values(form.edited, stored).items()}
            complete = bool(form.complete.data)
            if not answers and not complete:
                return done("没有改动，没有写入。", url_for("collections.sheet", sheet_id=sheet_id))
            written = attempt(
                _Named(form), lambda: answer_sheet(sheet_id, answers, seen=seen, complete=complete, act=new_act())
            )
            if written is not None:
                one, row, _ = sheet_for(sheet_id, viewer())
                state = "已交回" if one.returned_on else "还没有填全，仍列在未交回"
                to = url_for("collections.show", collection_id=row.id)
                return done(f"已存 {len(answers)} 项，{state}", to, written)
    return _page(sheet_id, form=form), 409 if form.conflict else 422


class _Named:
    """A form whose refusals name paths: each is put at the line of its question."""

    def __init__(self, form: AnswerForm) -> None:
        self._form = form
        self._names = {one.path: name for name, one in form.asked.items()}
        self.request_key = form.request_key
        self.general_errors = form.general_errors

    def __contains__(self, path: str) -> bool:
        return path in self._names

    def __getitem__(self, path: str) -> Any:
        return self._form[self._names[path]]

    @property
    def conflict(self) -> dict[str, Any]:
        return self._form.conflict

    @conflict.setter
    def conflict(self, clashes: dict[str, Any]) -> None:
        self._form.conflict = {self._names[path]: three for path, three in clashes.items() if path in self._names}


@blueprint.post("/collections/sheets/<int:sheet_id>/sign")
@open_to(*WRITERS)
def sign(sheet_id: int):
    sheet_for(sheet_id, viewer())
    form = SignForm()
    if form.validate_on_submit():
        by, on = form.authorised_by.data, form.authorised_on.value
        scans, refused = received(request.files.getlist("files"))
        form.files.errors = refused
        written = None
        if not refused:
            written = attempt(form, lambda: authorise(sheet_id, by=by, on=on, scans=scans, act=new_act()))
        if written is not None:
            return done("已登记盖章件", url_for("collections.sheet", sheet_id=sheet_id), written)
    return _page(sheet_id, sign_form=form), 422


@blueprint.post("/collections/sheets/<int:sheet_id>/excuse")
@open_to(*MAKERS)
def excuse_one(sheet_id: int):
    _, row, _ = sheet_for(sheet_id, viewer())
    form = ExcuseForm()
    again = request.form.get("again") == "1"
    reason = None if again else form.excused_reason.data or ""
    to = url_for("collections.show", collection_id=row.id)
    written = attempt(form, lambda: excuse(sheet_id, reason, act=new_act()))
    if written is not None:
        return done("已取消免填" if again else "已登记免填", to, written)
    return _page(sheet_id, excuse_form=form), 422


@blueprint.post("/collections/sheets/<int:sheet_id>/remind")
@open_to(*WRITERS)
def remind_one(sheet_id: int):
    _, row, _ = sheet_for(sheet_id, viewer())
    form = Form()
    collection_id = row.id
    written = attempt(form, lambda: remind(collection_id, sheet_id=sheet_id, act=new_act()))
    if written is None:
        return _page(sheet_id, general=form.general_errors), 409
    return done("已记为今天催过", url_for("collections.sheet", sheet_id=sheet_id), written)


@blueprint.post("/collections/sheets/<int:sheet_id>/questions")
@open_to(*MAKERS)
def change_questions(sheet_id: int):
    """Ask one enterprise something else than before; what is chosen to be added counts as ticked."""
    one, _, _ = sheet_for(sheet_id, viewer())
    form = AskForm()
    added, wrong = chosen() if request.form.get("extra_field") else (None, "")
    if added is not None:
        form.put("questions", f"{form.typed('questions')} {added}")
    if form.validate_on_submit() and not wrong:
        form.settle(request.form)
        values = form.read(changed_only=True)
        to = url_for("collections.sheet", sheet_id=sheet_id)
        if not values:
            return done("没有改动，没有写入。", to)
        seen = form.seen_values(values, {"questions": one.questions})
        paths = values["questions"] or []
        written = attempt(form, lambda: ask(sheet_id, paths, version=form.seen_version, seen=seen, act=new_act()))
        if written is not None:
            return done("已改要问的" if written.change_set_id else "没有改动，没有写入。", to, written)
    return _page(sheet_id, ask_form=form, general=[wrong] if wrong else []), 409 if form.conflict else 422


# --- the page --------------------------------------------------------------------------------------------------------


def _form(one: CollectionEnterprise, standing: Standing) -> type[AnswerForm]:
    return form_for(tuple(sorted(readable_questions(one.questions, viewer(), standing))))


def _stored(form: AnswerForm, one: CollectionEnterprise) -> dict[str, Any]:
    [known] = known_of([one.enterprise_id]).values()
    return {name: known.value(asked) for name, asked in form.asked.items()}


def _page(
    sheet_id: int,
    *,
    form: AnswerForm | None = None,
    sign_form: SignForm | None = None,
    excuse_form: ExcuseForm | None = None,
    ask_form: AskForm | None = None,
    general: Iterable[str] = (),
) -> str:
    person = viewer()
    one, row, standing = sheet_for(sheet_id, person)
    enterprise, _ = visible_enterprise(one.enterprise_id, person)
    [known] = known_of([one.enterprise_id]).values()
    kind = _form(one, standing)
    if form is None:
        form = kind(formdata=None)
        form.fill({name: known.value(asked) for name, asked in form.asked.items()}, one.version)
    open_ = row.closed_on is None and not one.excused_reason
    writes = open_ and may_answer(person, standing)
    asked = questions(one.questions)
    missing = [q.title for q in asked if q.field is not None and known.value(q) is None]
    if ask_form is None:
        ask_form = AskForm(formdata=None)
        ask_form.fill({"questions": one.questions}, one.version)
    return render_template(
        "collections/sheet.html",
        one=one,
        row=row,
        enterprise=enterprise,
        form=form,
        general=[*general, *form.general_errors, *ask_form.general_errors],
        conflicts=form.clashes(_writers(form, known)) if form.conflict else [],
        lines=[_line(form, asked_one, known, one, writes) for asked_one in asked],
        writes=writes,
        edits=open_ and may_edit(person, standing),
        keeper=keeps(row, person) or may_edit(person, standing),
        signs=row.closed_on is None and may_answer(person, standing) and bool(one.answers),
        sign_form=sign_form or SignForm(formdata=None),
        excuse_form=excuse_form or ExcuseForm(formdata=None),
        ask_form=ask_form,
        ask_open=not asked or request.endpoint == "collections.change_questions",
        ask_conflicts=ask_form.clashes(last_writers("collection_enterprise", one.id)) if ask_form.conflict else [],
        tickable=_tickable(ask_form, one),
        hung=attachment_lists.on_records("collection_enterprise", [one.id], person).get(one.id, []),
        may_hang=may_answer(person, standing),
        reminder=reminder_for_one(row, one, enterprise.name, missing),
        how=HOW,
        choosable=choosable("不加"),
        last_year=today().year - 1,
        has_register=any(asked_one.path == REGISTER for asked_one in asked),
    )


def _tickable(form: AskForm, one: CollectionEnterprise) -> list[tuple[Question, bool]]:
    """What stands there to be ticked, and whether it is: asked now, shown when the page was opened, or added since."""
    ticked = form.typed("questions").split()
    shown = form.seen_texts.get("questions", "").split()
    return [(asked, asked.path in ticked) for asked in questions([*one.questions, *shown, *ticked])]


def _writers(form: AnswerForm, known: Known) -> dict[str, str]:
    """Who wrote each line's value last."""
    found: dict[str, str] = {}
    told: dict[tuple[str, int], dict[str, str]] = {}
    for name, asked in form.asked.items():
        assert asked.field is not None
        state = known.years.get(asked.year) if asked.year else None
        key = ("figures", state.id) if state else ("enterprise", known.enterprise_id) if not asked.year else None
        if key is not None:
            told.setdefault(key, last_writers(*key))
            found[name] = told[key].get(asked.field.code, "")
    return found


def _line(form: AnswerForm, asked: Question, known: Known, one: CollectionEnterprise, writes: bool) -> dict[str, Any]:
    """One question for the template: its input, or its value where it is only read."""
    field = asked.field
    readable = asked.name in form.asked
    line: dict[str, Any] = {
        "asked": asked,
        "readable": readable,
        "meaning": meaning(asked),
        "text": None,
        "theirs": None,
        "input": None,
    }
    if field is None or not readable:
        return line
    value = known.value(asked)
    line["text"] = None if value is None else words.value(field, value)
    said = (one.answers or {}).get(asked.path)
    if said is not None and words.value(field, said) != line["text"]:
        # The enterprise said something else than stands there now: both are shown.
        line["theirs"] = words.value(field, said)
    if writes:
        is_select = field.type in forms.SELECTS
        line["input"] = {
            "name": asked.name,
            "label": asked.title,
            "kind": "select" if is_select else "text",
            "value": form[asked.name].data or "",
            "error": " ".join(form[asked.name].errors) or None,
            "options": [("", "未填"), *forms.options_of(field).items()] if is_select else [],
        }
    return line
