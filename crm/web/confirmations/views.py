"""The township's page, and the office's look at the month."""

from datetime import date

from flask import redirect, render_template, request, url_for
from sqlalchemy import select
from wtforms import StringField

from crm.actions.confirmations import ANSWERS, Confirmed, answered_by, check_confirmation, confirm, problems
from crm.actions.rights import may_edit
from crm.domain.months import month_of, months_on
from crm.domain.refusals import NotAllowed
from crm.extensions import db
from crm.store import confirmation_lists
from crm.store.confirmation_lists import LOCAL_ROLES, Told
from crm.store.confirmations import Confirmation
from crm.store.scope import visible, visible_enterprise, visible_record
from crm.store.standings import Standing
from crm.store.writer import Written
from crm.web import reference
from crm.web.addresses import page_number
from crm.web.confirmations import blueprint
from crm.web.confirmations.sheet import confirms, month_asked, month_sent, sheet_of, typed_answers
from crm.web.desk.acting import asked_in_place, in_place
from crm.web.doors import Form, attempt, done, new_act, open_to, own_path, today, viewer
from crm.web.editing import VersionedForm

READERS = (*LOCAL_ROLES, "case_manager", "bureau", "leader", "admin")


@blueprint.get("/confirmations")
@open_to(*READERS)
def index():
    person = viewer()
    if confirms(person):
        everything = request.args.get("show") == "all"
        sheet = sheet_of(page_number(request.args), month=month_asked(), everything=everything)
        return render_template("confirmations/sheet.html", sheet=sheet, ANSWERS=ANSWERS, back=request.full_path)
    return _overview()


class CheckForm(VersionedForm):
    checked_note = StringField("核实结果")


@blueprint.post("/confirmations/<int:confirmation_id>/check")
@open_to("case_manager", "bureau", "admin")
def check(confirmation_id: int):
    """What a township said was looked into: on the line of the desk, or in the list of the month."""
    one, name = _told(confirmation_id)
    form = CheckForm()
    note, back = form.checked_note.data, own_path(request.form.get("back")) or url_for("confirmations.index")
    enterprise_id, word = one.enterprise_id, ANSWERS.get(one.answer, one.answer)
    deed = lambda: check_confirmation(confirmation_id, note, version=form.seen_version, act=new_act())  # noqa: E731
    written = attempt(form, deed) if form.validate_on_submit() else None
    if asked_in_place():
        one, _ = _told(confirmation_id)
        return in_place(
            form,
            written,
            enterprise_id=enterprise_id,
            name=name,
            word="已核实",
            text=f"乡镇说{word}" + (f"；核实：{one.checked_note}" if one.checked_note else ""),
            message=f"{name} 已核实",
            href=url_for("enterprises.show", enterprise_id=enterprise_id),
            retry="check",
            said=one,
            typed=note or "",
        )
    if written is not None:
        return done(f"{name} 已核实", back, written)
    return _overview(refused=(confirmation_id, form)), 422


def _told(confirmation_id: int) -> tuple[Confirmation, str]:
    """One answer with the name of its enterprise. Raises NotFound."""
    one: Confirmation = visible_record(Confirmation, confirmation_id, viewer(), "这条月度确认")
    row, _ = visible_enterprise(one.enterprise_id, viewer())
    return one, row.name


@blueprint.post("/confirmations")
@open_to(*LOCAL_ROLES)
def save():
    """Save one page; what somebody else answered meanwhile stays, and the page says so."""
    if not confirms(viewer()):
        raise NotAllowed("本月确认由乡镇（街道）或园区的经办人做。")
    form, answers, month = Form(), typed_answers(), month_sent()
    back = own_path(request.form.get("back")) or url_for("confirmations.index")
    if not answers:
        return redirect(back)
    result = attempt(form, lambda: confirm(month, answers, act=new_act()))
    if result is None:
        sheet = sheet_of(month=month_asked(), typed=answers, errors=problems(answers), form=form)
        page = render_template("confirmations/sheet.html", sheet=sheet, ANSWERS=ANSWERS, back=back)
        return page, 422
    if isinstance(result, Written):
        return redirect(back)
    return _answer(result, month, answers, back)


def _answer(result: Confirmed, month: date, answers, back: str):
    counted, total = confirmation_lists.progress(viewer(), month)
    if result.clashes:
        who = answered_by(result.clashes)
        clashes = {i: (one, who[i]) for i, one in result.clashes.items()}
        kept = {i: answers[i] for i in clashes}
        sheet = sheet_of(month=month, typed=kept, clashes=clashes)
        page = render_template("confirmations/sheet.html", sheet=sheet, ANSWERS=ANSWERS, back=back, saved=result.count)
        return page, 409
    said = f"已确认 {counted}/{total}。" if result.count else f"没有要改的，已确认 {counted}/{total}。"
    return done(said, back, result.written)


def _overview(refused: tuple[int, CheckForm] | None = None):
    person, this = viewer(), month_of(today())
    before = months_on(this, -1)
    month = before if request.args.get("month") == f"{before:%Y-%m}" else this
    mine = person.user_id if person.has("case_manager") and not person.has("bureau", "leader", "admin") else None
    townships = {r.id: r.name for r in reference.townships(person)}
    places = confirmation_lists.by_township(person, month) if mine is None else {}
    open_only = request.args.get("show") == "open"
    news = confirmation_lists.told(person, month, mine=mine, open_only=open_only)
    return render_template(
        "confirmations/overview.html",
        month=month,
        months=[
            {
                "href": url_for("confirmations.index", month=f"{one:%Y-%m}" if one != this else None),
                "label": f"{one.month} 月",
                "current": one == month,
            }
            for one in (before, this)
        ],
        # In the order of the townships and not of their zeal: nobody is ranked by what they clicked.
        places=[(i, townships[i], *places[i]) for i in townships if i in places],
        nowhere=places.get(None),
        news=news,
        townships=townships,
        people=reference.people(
            i for one in news for i in (one.manager_id, one.confirmation.user_id, one.confirmation.checked_by_id)
        ),
        open_only=open_only,
        may_check=_may_check(news),
        check_form=refused[1] if refused else CheckForm(formdata=None),
        refused=refused[0] if refused else None,
        here=request.full_path if request.method == "GET" else url_for("confirmations.index"),
        ANSWERS=ANSWERS,
        mine=mine is not None,
    )


def _may_check(news: list[Told]) -> frozenset[int]:
    """The enterprises of these that the viewer may put right."""
    query = select(Standing).where(Standing.enterprise_id.in_([one.confirmation.enterprise_id for one in news]))
    return frozenset(
        one.enterprise_id for one in db.session.scalars(visible(query, viewer())) if may_edit(viewer(), one)
    )
