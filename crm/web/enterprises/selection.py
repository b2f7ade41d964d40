"""Which enterprises somebody chose in a list: ticked ones by their ids, or all of a filter with the count they saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from flask import redirect, request, url_for
from sqlalchemy import select

from crm.domain.refusals import Refused
from crm.extensions import db
from crm.store import enterprise_lists
from crm.store.enterprise_orders import ordered
from crm.store.orders import Order
from crm.store.scope import visible
from crm.store.standings import Standing
from crm.web.addresses import Texts, whole, wholes
from crm.web.doors import SIGNED_IN, done, open_to, today, viewer
from crm.web.enterprises import blueprint, filters, listing
from crm.web.service_logs import MOST_AT_ONCE, WRITERS

# More than these are not ticked by hand; somebody who means so many means a filter.
MOST_TICKED = 5_000
# An address that our lists make is never longer.
MOST_ADDRESS = 8_000


@dataclass(frozen=True)
class Selection:
    """The chosen enterprises in the order of the list, and what has to be sent again to mean the same ones."""

    ids: tuple[int, ...]
    asked: filters.Asked
    all: bool
    expected: int
    left_out: tuple[int, ...]

    @property
    def carried(self) -> dict[str, str]:
        """The fields of a form that chooses the same enterprises again."""
        if self.all:
            chosen = {"all": "1", "expected": str(self.expected), "left_out": ",".join(map(str, self.left_out))}
        else:
            chosen = {"ids": ",".join(map(str, self.ids))}
        return chosen | {"asked": self.asked.query(page=None)[1:]}

    @property
    def back(self) -> str:
        """The list it was chosen in, with its filter, columns and order."""
        return self.asked.query(page=None)


def asked_in_form() -> filters.Asked:
    """The list in which it was chosen: the address it had, carried along in the form."""
    return listing.asked_by(Texts(parse_qsl(request.form.get("asked", "")[:MOST_ADDRESS])))


def chosen() -> Selection:
    """What the form of this request chooses.

    “All” means exactly those that the filter finds now, and only while they are as many as the person saw. Raises
    Refused with both numbers when they are not, and when nothing was chosen.
    """
    form = request.form
    asked = asked_in_form()
    if form.get("all") == "1":
        found = enterprise_lists.all_ids(asked.filter, viewer(), today=today(), order=asked.order)
        expected = whole(form.get("expected")) or 0
        if len(found) != expected:
            raise Refused(f"选中时这个筛选有 {expected:,} 家，现在是 {len(found):,} 家。看过名单再选一次。")
        left_out = tuple(wholes(form.get("left_out", "").split(",")))
        gone = frozenset(left_out)
        ids = tuple(i for i in found if i not in gone)
        if not ids:
            raise Refused("没有选中企业。先在名单里选。")
        return Selection(ids, asked, True, expected, left_out)
    ticked = list(dict.fromkeys(wholes(",".join([form.get("ids", ""), *form.getlist("pick")]).split(","))))
    if len(ticked) > MOST_TICKED:
        raise Refused(f"一次最多逐个选 {MOST_TICKED:,} 家。用筛选加“选中全部”。")
    ids = _in_sight(ticked, asked.order)
    if not ids:
        raise Refused("没有选中企业。先在名单里选。")
    return Selection(ids, asked, False, len(ids), ())


def _in_sight(ids: Sequence[int], order: Order) -> tuple[int, ...]:
    """Those of these enterprises that the viewer may see, in the order of the list."""
    query = ordered(select(Standing.enterprise_id).where(Standing.enterprise_id.in_(ids)), order)
    return tuple(db.session.scalars(visible(query, viewer())))


@blueprint.post("/enterprises/visit-selected")
@open_to(*WRITERS)
def visit_selected():
    """One visit to the chosen enterprises: the form comes with them."""
    back = url_for("enterprises.index") + asked_in_form().query(page=None)
    try:
        picked = chosen()
    except Refused as refusal:
        return done(refusal.message, back)
    if len(picked.ids) > MOST_AT_ONCE:
        return done(f"一次走访最多带 {MOST_AT_ONCE} 家，现在选中 {len(picked.ids):,} 家。", back)
    return redirect(url_for("service_logs.new", enterprise=list(picked.ids), back=back))


@blueprint.post("/enterprises/export-selected")
@open_to(SIGNED_IN)
def export_selected():
    """The chosen enterprises as a file, with the columns and the order of the list."""
    try:
        picked = chosen()
    except Refused as refusal:
        return done(refusal.message, url_for("enterprises.index"))
    return listing.export_of(picked.ids, picked.asked, f"选中 {len(picked.ids):,} 家")
