"""The five-rung board, read-only: 本层 or 持有, each count opens its list."""

from flask import Blueprint, render_template, request
from sqlalchemy import select

from crm.actions.rights import may_edit
from crm.extensions import db
from crm.store import enterprise_lists
from crm.store.standings import Standing
from crm.web import reference
from crm.web.doors import SIGNED_IN, open_to, today, viewer
from crm.web.enterprises import filters
from crm.web.enterprises.listing import IMPORTERS
from crm.web.enterprises.listing import asked as asked_by_address

blueprint = Blueprint("board", __name__)


@blueprint.get("/board")
@open_to(SIGNED_IN)
def show():
    wanted = asked_by_address()
    person = viewer()
    held = request.args.get("basis") == "held"
    lanes = enterprise_lists.board(wanted.filter, person, today=today(), held=held, by_name=person.public_only)
    shown = [row for lane in lanes for row in lane.cards]
    proposed = _proposed(shown)
    names = {
        "townships": {r.id: r.name for r in reference.townships(person)},
        "people": {u.id: u.name for u in reference.managers(person, today())}
        | reference.people(r.manager_id for r in shown),
        "industries": reference.words_of("featured_industry", person),
    }
    return render_template(
        "board/show.html",
        asked=wanted,
        lanes=lanes,
        held=held,
        internal=not person.public_only,
        movable=_movable(shown, proposed),
        proposed=proposed,
        may_import=person.has(*IMPORTERS),
        total=sum(lane.own for lane in lanes),
        chips=filters.chips(wanted, **names),
        managers=reference.managers(person, today()),
        **names,
    )


# Rungs below the pool: who stands higher has left it behind.
_BELOW = (0, 1)


def _movable(shown: list, proposed: frozenset[int]) -> frozenset[int]:
    """The cards this viewer may propose for the pool: below it, not proposed, and the viewer's to edit."""
    person = viewer()
    if not person.has("case_manager", "bureau", "admin"):
        return frozenset()
    return frozenset(row.id for row in shown if row.rung in _BELOW and row.id not in proposed and may_edit(person, row))


def _proposed(shown: list) -> frozenset[int]:
    """Those that wait for the meeting; no seal says so, because a list is shown by it and not by what it may be."""
    query = select(Standing.enterprise_id).where(
        Standing.enterprise_id.in_([row.id for row in shown]), Standing.pool == "proposed"
    )
    return frozenset(db.session.scalars(query))
