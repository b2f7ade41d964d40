"""交接: the list of people with what lies with them, and one page on which all of it goes to others."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import zip_longest
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from crm.actions import handovers as deeds
from crm.domain.pinyin import haystack, needle
from crm.domain.refusals import InvalidInput, Refused
from crm.domain.typed_counts import TYPED_ABOVE
from crm.store import handovers
from crm.store.changes import change_set_by_request_key
from crm.store.users import User
from crm.store.writer import Written
from crm.web.addresses import count_in, wholes
from crm.web.doors import attempt, done, new_act, now, open_to, today, viewer
from crm.web.handovers.forms import STAYS, HandOverForm, wish_of

blueprint = Blueprint("handovers", __name__)

# So many enterprises of the preview are named; more are opened by their link.
NAMED = 20
# Up to so many, single ones can be left out on the page; beyond it whole townships.
LISTED = 300


@blueprint.get("/handovers")
@open_to("bureau", "admin")
def index():
    """Who has how much in hand. A name typed into the box that fits one person leads straight to the hand-over."""
    people = handovers.holders(viewer(), now=now())
    asked = request.args.get("q", "").strip()[:40]
    found = [one for one in people if needle(asked) in haystack([one.name])] if asked else people
    if asked and len(found) == 1:
        return redirect(url_for("handovers.show", user_id=found[0].user_id))
    return render_template("handovers/index.html", rows=found, asked=asked, everybody=len(people))


@blueprint.get("/handovers/<int:user_id>")
@open_to("bureau", "admin")
def show(user_id: int):
    """The choice, and under it what it would do: it is in the address, so nothing is written by looking."""
    person = deeds.person_of(user_id, viewer())
    form = HandOverForm(formdata=None)
    form.note.data = request.args.get("note", "")[: deeds.NOTE_LENGTH]
    return _page(person, form, request.args)


@blueprint.get("/handovers/<int:user_id>/preview")
@open_to("bureau", "admin")
def preview(user_id: int):
    """The part of the page under the choice, fetched as the choice changes."""
    person = deeds.person_of(user_id, viewer())
    form = HandOverForm(formdata=None)
    return render_template("handovers/_preview.html", **_shown(person, form, request.args))


@blueprint.post("/handovers/<int:user_id>")
@open_to("bureau", "admin")
def hand_over(user_id: int):
    person = deeds.person_of(user_id, viewer())
    form = HandOverForm()
    if form.validate():
        act = new_act()
        wish = wish_of(user_id, request.form, _townships(person))

        def deed():
            typed = count_in(form.typed.data)
            return deeds.hand_over(prepared, seen=form.seen.data or "", typed=typed, act=act)

        try:
            prepared = deeds.prepare(
                wish, viewer=viewer(), on=today(), now=now(), period=form.request_key.data or str(user_id)
            )
        except InvalidInput as refusal:
            _say(form, refusal)
        except Refused as refusal:
            # A second press finds nothing left to hand over, because the first one did it.
            written = _pressed_before(form)
            if written is not None:
                return written
            form.general_errors.append(refusal.message)
        else:
            written = attempt(form, deed)
            if written is not None:
                said = f"{person.name}的 {prepared.planned.sentence()}已交接"
                return done(said, url_for("handovers.index"), written)
    return _page(person, form, request.form), 409 if form.conflict else 422


def _townships(person: User) -> dict[int, int | None]:
    """{enterprise: township} of what the person has, for reading the form's choices."""
    has = handovers.in_hand(person.id, viewer(), on=today(), until=now())
    return {firm.enterprise_id: firm.township_id for firm in has.firms}


def _say(form: HandOverForm, refusal: InvalidInput) -> None:
    for name, sentence in refusal.problems.items():
        if name in form:
            form[name].errors = [*form[name].errors, sentence]
        else:
            form.general_errors.append(sentence)


def _pressed_before(form: HandOverForm):
    earlier = change_set_by_request_key(form.request_key.data or "")
    if earlier is None:
        return None
    return done("这一步已经保存过，没有重复写入。", url_for("handovers.index"), Written(earlier.id))


@dataclass(frozen=True)
class Township:
    """A township of the choice: how many enterprises, and whether they stay."""

    id: int | None
    name: str
    n: int
    stays: bool


def _page(person: User, form: HandOverForm, values: MultiDict) -> str:
    shown = _shown(person, form, values)
    has, wish = shown["has"], shown["wish"]
    counted = Counter(firm.township_id for firm in has.firms)
    names = shown["township_names"]
    townships = [
        Township(i, names.get(i, "没有填乡镇"), n, values.get(f"township-{i or 0}") == STAYS)
        for i, n in counted.most_common()
    ]
    stay = set(wholes(values.getlist("stay")))
    holding = {one.user_id: one.firms for one in handovers.holders(viewer(), now=now())}
    return render_template(
        "handovers/show.html",
        **shown,
        people=deeds.candidates(person, viewer(), today(), has.firms),
        holding=holding,
        townships=townships,
        firms=has.firms if len(has.firms) <= LISTED else (),
        listed=LISTED,
        stay=stay,
        stays=STAYS,
        narrowed=bool(wish.stay or wish.by_township),
        note_length=deeds.NOTE_LENGTH,
        receivers_error=None,
        note_error=form.note.errors[0] if form.note.errors else None,
    )


def _shown(person: User, form: HandOverForm, values: MultiDict) -> dict[str, Any]:
    """What both the page and its preview are made of; a refusal stands where the preview would."""
    until = now() + timedelta(days=deeds.DAYS_AHEAD)
    has = handovers.in_hand(person.id, viewer(), on=today(), until=until)
    wish = wish_of(person.id, values, {firm.enterprise_id: firm.township_id for firm in has.firms})
    planned, refused = None, None
    if wish.receivers and not has.nothing:
        try:
            # The note is checked when it is sent; what is being typed stands in no preview.
            planned = deeds.plan(replace(wish, note=""), viewer=viewer(), on=today(), now=now())
        except Refused as refusal:
            refused = refusal.message
    named = _first_of_each(planned) if planned else []
    totals = (
        (len(has.firms), "家企业"),
        (len(has.steps), "件下一步"),
        (len(has.planned), "条走访计划"),
        (len(has.collections), "个采集任务"),
        (has.reminders.total(), f"项 {deeds.DAYS_AHEAD} 天内到期"),
        (has.applications.total(), "件在办申报"),
        (has.requests.total(), "件未办结诉求"),
    )
    return {
        "person": person,
        "form": form,
        "has": has,
        "wish": wish,
        "said": "、".join(f"{n:,} {what}" for n, what in totals[:4] if n),
        "totals": totals,
        "planned": planned,
        "refused": refused,
        "named": named,
        "township_names": handovers.township_names([f.township_id for f in has.firms if f.township_id]),
        "typed_above": TYPED_ABOVE,
        "typed_error": form.typed.errors[0] if form.typed.errors else None,
    }


def _first_of_each(planned: deeds.HandOver) -> list[tuple[handovers.Firm, str]]:
    """The first enterprises with who takes them, some of every receiver, so that each split can be looked at."""
    rows = [[(firm, share.user.name) for firm in share.firms] for share in planned.shares]
    in_turn = [one for together in zip_longest(*rows) for one in together if one is not None]
    order = {firm.enterprise_id: n for n, firm in enumerate(planned.in_hand.firms)}
    return sorted(in_turn[:NAMED], key=lambda one: (one[1], order[one[0].enterprise_id]))
