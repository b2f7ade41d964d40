"""One plan for the ticked firms of a list: every firm goes with the version and the values that were shown of it.

Each ticked firm is an edit of its own, merged field by field like any other; where somebody changed the same field of
one of them meanwhile, that firm shows before, theirs and mine, and nothing of all is saved until it was chosen.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from crm.actions.pool_selections import RowPlan
from crm.store.pool import PoolMembership
from crm.web.editing import MINE, THEIRS, last_writers
from crm.web.enterprises.forms import DeclaredForm, form_for

PLANNED = ("pool_class", "planned_year", "planned_batch")
# Of so many clashing firms it is said who changed them; nobody reads more.
TOLD = 20
_PICK = "pick_"


def plan_form() -> DeclaredForm:
    """The form as it was sent; ``shown`` carries {membership: [version, {field: text}]} of the page it stood on."""
    return form_for("pool_membership", PLANNED, ("shown",))()


def form_over(memberships: Iterable[PoolMembership]) -> DeclaredForm:
    """The empty form over these firms: what is left blank stays as it is."""
    form = form_for("pool_membership", PLANNED, ("shown",))(formdata=None)
    shown = {
        one.id: [one.version, {code: form.text_of(code, getattr(one, code)) for code in PLANNED}] for one in memberships
    }
    form["shown"].data = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    return form


def plans_of(form: DeclaredForm, picked: Iterable[int], picks: Mapping[str, str]) -> dict[int, RowPlan]:
    """What is set of each ticked firm, with what was seen of it; ``picks``: what a conflict's page was answered."""
    shown, theirs = _parsed(form["shown"].data), _parsed(form.theirs.data)
    stated = [code for code in PLANNED if form.typed(code)]
    found = {}
    for one in picked:
        version, seen = _seen(shown.get(str(one)))
        sent = {code: form.typed(code) for code in stated} | {
            "version": version,
            "seen": json.dumps(seen),
            "theirs": json.dumps(theirs.get(str(one)) or {}),
        }
        row = type(form)(MultiDict(sent), meta={"csrf": False})
        row.settle({f"{_PICK}{code}": picks.get(f"{_PICK}{code}-{one}", "") for code in PLANNED})
        values = row.read()
        found[one] = RowPlan(
            {code: values[code] for code in stated if code in values}, row.seen_version, row.seen_values(stated)
        )
    return found


def clashes(form: DeclaredForm, names: Mapping[int, str]) -> list[dict[str, str]]:
    """Each clashing field of each firm as before, theirs and mine; the page then carries what it shows as theirs."""
    theirs = _parsed(form.theirs.data)
    writers: dict[int, dict[str, str]] = {}
    rows = []
    for key, (before, now, mine) in form.conflict.items():
        code, _, number = key.rpartition("-")
        one = int(number)
        if one not in writers:
            writers[one] = last_writers("pool_membership", one) if len(writers) < TOLD else {}
        kept = theirs.get(number)
        theirs[number] = (kept if isinstance(kept, dict) else {}) | {code: form.text_of(code, now)}
        rows.append(
            {
                "code": key,
                "label": f"{names.get(one, '')} {form.label_of(code)}".strip(),
                "before": form.said(code, before),
                "theirs": form.said(code, now),
                "mine": form.said(code, mine),
                "by": writers[one].get(code, ""),
            }
        )
    form.theirs.data = json.dumps(theirs, ensure_ascii=False)
    return rows


def settled(form: DeclaredForm, picks: Mapping[str, str]) -> dict[str, str]:
    """The choices that hold already, to be sent along while others are still asked."""
    return {
        name: choice
        for name, choice in picks.items()
        if name.startswith(_PICK) and choice in (MINE, THEIRS) and name.removeprefix(_PICK) not in form.conflict
    }


def _parsed(carried: str | None) -> dict[str, Any]:
    """A hidden field of values by membership; what a browser made up is left out."""
    try:
        found = json.loads(carried or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seen(carried: Any) -> tuple[str, dict[str, str]]:
    """(version, {field: text}) of one firm; nothing when the page did not show it."""
    if not isinstance(carried, list) or len(carried) != 2 or not isinstance(carried[1], dict):
        return "", {}
    return str(carried[0]), {str(code): str(text) for code, text in carried[1].items()}
