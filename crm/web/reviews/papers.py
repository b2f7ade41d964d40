"""What comes of a review on paper: 推荐名单 and 汇总表 as files, the 一次性告知 as a page to print."""

from flask import render_template, request

from crm.actions import review_documents as documents
from crm.domain import reviews
from crm.domain.kinds import KINDS
from crm.domain.refusals import NotFound, Refused
from crm.store import review_lists
from crm.store.scope import visible_enterprise
from crm.web.doors import new_act, open_to, viewer
from crm.web.downloads import as_download
from crm.web.reviews import ROLES, asked, blueprint
from crm.web.reviews.listing import chosen, notice


@blueprint.get("/reviews/export")
@open_to(*ROLES)
def export():
    """One document of a window, with as many firms as the queue counts as recommended; put on record."""
    code = request.args.get("document", documents.LIST)
    fmt = request.args.get("format", documents.DOCX)
    if code not in documents.DOCUMENTS or fmt not in documents.FORMATS:
        raise NotFound("这种文件")
    place, _, window = chosen(asked.read(request.args))
    if place is None or window is None:
        raise Refused("没有申报窗口，没有可导出的名单。")
    act = new_act()
    rows = review_lists.every(reviews.RECOMMENDED, window, place.id, viewer())
    firms = documents.firms_of(rows, year=window.year, act=act)
    counts = review_lists.counts(window, place.id, viewer())
    made = documents.export(code, fmt, firms, window, place.id, counts=counts, act=act)
    return as_download(made.content, made.name)


@blueprint.get("/reviews/<int:application_id>/notice")
@open_to(*ROLES)
def print_notice(application_id: int):
    """The last 一次性告知 of an application, to be printed and sealed."""
    row = review_lists.one(application_id, viewer())
    if row is None:
        raise NotFound("这件申报")
    told = next((one for one in review_lists.reviews_of(application_id) if one.missing), None)
    windows = review_lists.windows_of(_region(row), viewer())
    window = next((one for one in windows if row.application.window_id in one.ids), None)
    text = ""
    if told is not None and window is not None:
        text = notice(row, window, told, KINDS[row.application.kind].name)
    return render_template("reviews/notice.html", row=row, told=told, window=window, text=text)


def _region(row: review_lists.QueueRow) -> int:
    return visible_enterprise(row.application.enterprise_id, viewer())[1].region_id
