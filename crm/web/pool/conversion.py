"""入库 → 申报 → 认定 by the year of entry; every number opens exactly its list."""

from flask import render_template, request, url_for

from crm.store import pool_conversion
from crm.web import reference
from crm.web.addresses import page_number, whole
from crm.web.doors import open_to, today, viewer
from crm.web.pool import READERS, blueprint

PAGE = 50
WHAT: dict[str, str] = {"entered": "入库", "applied": "已申报", **pool_conversion.OUTCOMES}


@blueprint.get("/pool/conversion")
@open_to(*READERS)
def conversion():
    person = viewer()
    what = request.args.get("what", "")
    year = whole(request.args.get("year"), largest=9999)
    if what in WHAT:
        return _listed(what, year)
    rows = pool_conversion.table(pool_conversion.courses(person, on=today()))
    totals = {name: sum(row[name] for row in rows) for name in ("entered", "applied", *pool_conversion.OUTCOMES)}
    return render_template("pool/conversion.html", rows=rows, totals=totals, outcomes=pool_conversion.OUTCOMES)


def _listed(what: str, year: int | None) -> str:
    """The firms behind one number."""
    person = viewer()
    found = pool_conversion.narrowed(pool_conversion.courses(person, on=today(), year=year), what)
    number = page_number(request.args)
    shown = found[(number - 1) * PAGE : number * PAGE]
    return render_template(
        "pool/conversion_list.html",
        what=what,
        what_words=WHAT[what],
        year=year,
        rows=shown,
        total=len(found),
        outcomes=pool_conversion.OUTCOMES,
        townships={place.id: place.name for place in reference.townships(person)},
        people=reference.people(one.manager_id for one in shown),
        number=number,
        pages=max(1, -(-len(found) // PAGE)),
        first=(number - 1) * PAGE + 1 if shown else 0,
        page_href=lambda n: url_for("pool.conversion", what=what, year=year, page=n),
    )
