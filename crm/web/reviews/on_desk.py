"""初审 on a line of the desk: opened in its place, decided there; without scripts the line leads to the queue."""

from typing import Any

from flask import redirect, render_template, request

from crm.domain import reviews
from crm.domain.refusals import NotFound, Refused
from crm.store import review_lists
from crm.store.review_lists import QueueRow, QueueWindow
from crm.store.scope import visible_enterprise
from crm.web.desk.acting import in_place
from crm.web.desk.queue import line_of
from crm.web.doors import Form, now, open_to, today, viewer
from crm.web.reviews import asked, blueprint
from crm.web.reviews.listing import WORDS, panel


@blueprint.get("/reviews/<int:application_id>/line")
@open_to("bureau", "admin")
def line(application_id: int):
    """The line with its checklist open, or (?closed=1) as it stood; to anybody but the desk's script the queue."""
    row = review_lists.one(application_id, viewer())
    if row is None:
        raise NotFound("这件申报")
    window, region_id = _window(row)
    shown = line_of(row, window, region_id, now())
    if not request.headers.get("HX-Request"):
        return redirect(shown.href)
    if request.args.get("closed") == "1":
        return render_template("desk/_one_line.html", line=shown, now=now())
    return opened(row)


def opened(row: QueueRow, **forms: Form) -> str:
    """The line with its checklist; ``forms`` are forms that came back with errors (see listing.panel)."""
    window, region_id = _window(row)
    wanted = asked.Asked(region_id, window.id, reviews.WAITING, 1, row.id)
    return render_template(
        "desk/_review.html",
        line=line_of(row, window, region_id, now()),
        window=window,
        refused=[sentence for form in forms.values() for sentence in form.general_errors],
        today=today(),
        **WORDS,
        **panel(wanted, window, **forms),
    )


def acted(row: QueueRow, form: Form, word: str, said: str, written: Any):
    """The line after 收件 or a decision, with its toast."""
    window, region_id = _window(row)
    shown = line_of(row, window, region_id, now())
    return in_place(
        form,
        written,
        enterprise_id=row.application.enterprise_id,
        name=row.name,
        word=word,
        text=said,
        message=f"{row.name} {said}",
        href=shown.href,
    )


def _window(row: QueueRow) -> tuple[QueueWindow, int]:
    """The window of an application as it counts in its county, and the county. Raises Refused where it has none."""
    _, standing = visible_enterprise(row.application.enterprise_id, viewer())
    windows = review_lists.windows_of(standing.region_id, viewer())
    window = next((one for one in windows if row.application.window_id in one.ids), None)
    if window is None:
        raise Refused("这件申报没有选申报窗口，排不进初审。打开申报，先选窗口。")
    return window, standing.region_id
