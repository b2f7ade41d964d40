"""The township's page, and the office's look at the month."""

from datetime import date

from flask import redirect, render_template, request, url_for

from crm.actions.confirmations import ANSWERS, Confirmed, answered_by, confirm, problems
from crm.domain.months import month_of, months_on
from crm.domain.refusals import NotAllowed
from crm.store import confirmation_lists
from crm.store.confirmation_lists import LOCAL_ROLES
from crm.store.writer import Written
from crm.web import reference
from crm.web.addresses import page_number
from crm.web.confirmations import blueprint
from crm.web.confirmations.sheet import confirms, month_asked, month_sent, sheet_of, typed_answers
from crm.web.doors import Form, attempt, done, new_act, open_to, own_path, today, viewer

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


def _overview():
    person, this = viewer(), month_of(today())
    before = months_on(this, -1)
    month = before if request.args.get("month") == f"{before:%Y-%m}" else this
    mine = person.user_id if person.has("case_manager") and not person.has("bureau", "leader", "admin") else None
    townships = {r.id: r.name for r in reference.townships(person)}
    places = confirmation_lists.by_township(person, month) if mine is None else {}
    news = confirmation_lists.told(person, month, mine=mine)
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
        people=reference.people(i for one in news for i in (one.manager_id, one.confirmation.user_id)),
        ANSWERS=ANSWERS,
        mine=mine is not None,
    )
