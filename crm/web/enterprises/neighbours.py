"""上一家 / 下一家: the enterprises beside this one in the list one came from."""

from urllib.parse import parse_qsl

from flask import render_template, request

from crm.store import enterprise_lists
from crm.web import reference
from crm.web.addresses import Texts
from crm.web.doors import SIGNED_IN, open_to, today, viewer
from crm.web.enterprises import blueprint, filters
from crm.web.enterprises.file import file_of
from crm.web.enterprises.listing import asked_by


@blueprint.get("/enterprises/<int:enterprise_id>/neighbours")
@open_to(SIGNED_IN)
def neighbours(enterprise_id: int):
    """上一家 / 下一家 through the list one came from; asked for after the page, which does not wait for it."""
    file_of(enterprise_id)
    query = request.args.get("from", "")
    # An address within the address: its NULs were still written as %00 when the outer one was read.
    asked = asked_by(Texts(parse_qsl(query)))
    ids = enterprise_lists.all_ids(asked.filter, viewer(), today=today(), order=asked.order)
    at = ids.index(enterprise_id) if enterprise_id in ids else None
    person = viewer()
    chips = filters.chips(
        asked,
        townships={r.id: r.name for r in reference.townships(person)},
        people={u.id: u.name for u in reference.managers(person, today())},
        industries=reference.words_of("featured_industry", person),
    )
    return render_template(
        "enterprises/_neighbours.html",
        name=filters.in_words(asked, chips),
        query=query,
        at=at,
        total=len(ids),
        before=ids[at - 1] if at else None,
        after=ids[at + 1] if at is not None and at + 1 < len(ids) else None,
        tab=request.args.get("tab", ""),
    )
