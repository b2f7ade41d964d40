"""The forms of a request's steps; a department is chosen by its number."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from wtforms import HiddenField, SelectMultipleField

from crm.actions import requests as deeds
from crm.domain.requests import RATINGS
from crm.extensions import db
from crm.store.requests import Request
from crm.store.scope import visible
from crm.store.units import Unit
from crm.store.validity import in_force
from crm.web.addresses import wholes
from crm.web.doors import viewer
from crm.web.enterprises.forms import DeclaredForm, form_for, inputs
from crm.web.inputs import ChosenField


class StepForm(DeclaredForm):
    """A form over some fields of a request."""

    back = HiddenField()


def _form(codes: tuple[str, ...]) -> type[StepForm]:
    base = form_for("request", tuple(code for code in codes if code != "unit_id"))
    body: dict[str, Any] = {"edited": codes}
    if "unit_id" in codes:
        body["unit_id"] = ChosenField("交办部门", "部门")
    return type("RequestStepForm", (StepForm, base), body)


@dataclass(frozen=True)
class Step:
    """One step of a request: its form, its deed, the heading, the verb, and what it says when it is done."""

    form: type[StepForm]
    deed: Any
    heading: str
    verb: str
    said: str
    hint: str = ""


STEPS: dict[str, Step] = {
    "edit": Step(_form(deeds.RAISING), deeds.edit_request, "改诉求", "保存", "已改诉求"),
    "dispatch": Step(
        _form(deeds.DISPATCH),
        deeds.dispatch_request,
        "交办诉求",
        "交办",
        "已交办",
        "部门联络员会在工作台和消息里看到。重新交办会清掉原来的回复和评价，变更史里还在。",
    ),
    "transfer": Step(
        _form(deeds.TRANSFER),
        deeds.transfer_request,
        "转平台",
        "登记已转平台",
        "已登记转平台",
        "在企业吹哨·部门报到里登记后，把编号抄到这里，别人不用再录一遍。",
    ),
    "reply": Step(_form(deeds.REPLY), deeds.reply_request, "回复诉求", "回复", "已回复"),
    "rate": Step(_form(deeds.RATING), deeds.rate_request, "企业评价", "登记评价", "已登记评价", "按企业的说法登记。"),
    "close": Step(_form(deeds.CLOSING), deeds.close_request, "办结诉求", "办结", "已办结"),
}


class RaiseForm(_form(deeds.RAISING)):  # type: ignore[misc]  # a class made from the declared fields
    enterprises = SelectMultipleField(validate_choice=False, coerce=str)
    log = HiddenField()

    def enterprise_id(self) -> int | None:
        """The one enterprise that was chosen."""
        found = wholes(self.enterprises.data or ())
        return found[-1] if found else None


def units_to_choose(region_id: int, on: date, also: int | None = None) -> dict[int, str]:
    """The departments of a region that exist on a day, by name; ``also``: the one that is stored."""
    query = select(Unit.id, Unit.name).where(Unit.region_id == region_id, in_force(Unit, on))
    found = dict(db.session.execute(visible(query, viewer()).order_by(Unit.id)).all())
    if also is not None and also not in found:
        found |= unit_names([also])
    return found


def units_by_region(region_ids: Iterable[int], on: date) -> dict[int, dict[int, str]]:
    """{region: {id: name}} of the departments that exist on a day, in one query."""
    wanted = list(region_ids)
    found: dict[int, dict[int, str]] = {}
    if wanted:
        query = select(Unit.region_id, Unit.id, Unit.name).where(Unit.region_id.in_(wanted), in_force(Unit, on))
        for region_id, unit_id, name in db.session.execute(visible(query, viewer()).order_by(Unit.id)):
            found.setdefault(region_id, {})[unit_id] = name
    return found


def unit_names(ids: Iterable[int | None]) -> dict[int, str]:
    """{id: name} of departments, whether they still exist or not."""
    wanted = {i for i in ids if i}
    query = select(Unit.id, Unit.name).where(Unit.id.in_(wanted))
    return dict(db.session.execute(query).all()) if wanted else {}


def drawn(form: StepForm) -> list[dict[str, Any]]:
    """What the template needs to draw each field, in the order of the form."""
    declared = {i["name"]: i for i in inputs(form, [code for code in form.edited if code != "unit_id"])}
    found = []
    for code in form.edited:
        one = declared.get(code)
        if one is None:
            one = _plain("unit_id", "交办部门", form, "select", form["unit_id"].options("选部门"))
        elif code == "rating":
            one["kind"] = "rating"
            one["options"] = [(str(n), f"{n} {word}", None) for n, word in RATINGS.items()]
        elif code.endswith("_on"):
            one["kind"] = "date"
        if code in _NEEDED:
            one["required"] = True
        found.append(one)
    return found


# What a step cannot do without, although the record may lack it.
_NEEDED = frozenset({"unit_id", "due_on", "reply", "rating", "close_reason", "transferred_on"})


def _plain(name: str, label: str, form: StepForm, kind: str, options: list) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "kind": kind,
        "value": form[name].data or "",
        "error": " ".join(form[name].errors) or None,
        "options": options,
        "required": True,
        "help": None,
        "attrs": {},
    }


def stored(form: StepForm, one: Request) -> dict[str, Any]:
    return {code: getattr(one, code) for code in form.edited}
