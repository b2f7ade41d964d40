"""Which enterprises somebody chose in a list: ticked ones by their ids, or all of a filter with the count they saw."""

from collections.abc import Sequence

from flask import redirect, url_for
from sqlalchemy import select

from crm.domain.refusals import Refused
from crm.extensions import db
from crm.store import enterprise_lists
from crm.store.enterprise_orders import ordered
from crm.store.scope import visible
from crm.store.standings import Standing
from crm.web import choosing
from crm.web.addresses import wholes
from crm.web.doors import SIGNED_IN, done, open_to, today, viewer
from crm.web.enterprises import blueprint, filters, listing
from crm.web.service_logs import MOST_AT_ONCE, WRITERS


def asked_in_form() -> filters.Asked:
    """The list in which it was chosen."""
    return listing.asked_by(choosing.address_in_form())


def chosen() -> choosing.Selection[int]:
    """The enterprises that the form of this request chooses. Raises Refused (see choosing.choose)."""
    return choosing.choose(_ENTERPRISES, asked_in_form())


def _everything(asked: filters.Asked) -> Sequence[int]:
    return enterprise_lists.all_ids(asked.filter, viewer(), today=today(), order=asked.order)


def _in_sight(ids: Sequence[int], asked: filters.Asked) -> Sequence[int]:
    """Those of these enterprises that the viewer may see, in the order of the list."""
    query = ordered(select(Standing.enterprise_id).where(Standing.enterprise_id.in_(ids)), asked.order)
    return db.session.scalars(visible(query, viewer())).all()


_ENTERPRISES: choosing.Kind[int] = choosing.Kind(
    "企业",
    "家",
    read=lambda text: tuple(dict.fromkeys(wholes(text.split(",")))),
    everything=_everything,
    ids_of=_in_sight,
    keys_of=lambda ids: ids,
    without=frozenset,
)


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
