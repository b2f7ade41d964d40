"""Which obligations somebody chose in the due list: ticked ones by their keys, or all of a filter with their count."""

from flask import url_for

from crm.domain.refusals import Refused
from crm.store import obligation_lists
from crm.store.obligation_lists import Key
from crm.web import choosing
from crm.web.doors import SIGNED_IN, done, now, open_to, viewer
from crm.web.obligations import blueprint, filters, listing


def asked_in_form() -> filters.Asked:
    """The list in which it was chosen."""
    return listing.asked_by(choosing.address_in_form())


def chosen() -> choosing.Selection[Key]:
    """The obligations that the form of this request chooses. Raises Refused (see choosing.choose)."""
    return choosing.choose(_OBLIGATIONS, asked_in_form())


def _read(text: str) -> tuple[Key, ...]:
    keys = (filters.key_in(part.strip()) for part in text.split(","))
    return tuple(dict.fromkeys(key for key in keys if key is not None))


_OBLIGATIONS: choosing.Kind[Key] = choosing.Kind(
    "事项",
    "项",
    read=_read,
    everything=lambda asked: obligation_lists.all_ids(asked.filter, viewer(), now=now(), order=asked.order),
    ids_of=lambda keys, asked: obligation_lists.ids_of_keys(keys, viewer(), order=asked.order),
    keys_of=obligation_lists.keys_of,
    without=lambda keys: set(obligation_lists.ids_of_keys(keys, viewer())),
)


@blueprint.post("/due/export-selected")
@open_to(SIGNED_IN)
def export_selected():
    """The chosen obligations as a file, with the columns and the order of the list."""
    try:
        picked = chosen()
    except Refused as refusal:
        return done(refusal.message, url_for("obligations.index") + asked_in_form().query(page=None))
    return listing.export_of(list(picked.ids), picked.asked, f"选中 {len(picked.ids):,} 项")
