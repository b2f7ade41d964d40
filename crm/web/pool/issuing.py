"""The list as it goes out (印发): its day and document, on paper, as Excel and as Word."""

import io
from typing import Any

from flask import render_template, request, url_for
from wtforms import StringField

from crm.actions.exports import export_rows, file_name, watermark
from crm.actions.pool_selections import (
    issue_selection,
    own_selection,
)
from crm.domain.refusals import Refused
from crm.sheets.documents import write_list_document
from crm.store import pool_selections as lists
from crm.store.access_log import note_access
from crm.store.pool import PoolSelection
from crm.store.scope import visible_record
from crm.web import reference
from crm.web.addresses import whole
from crm.web.doors import Form, attempt, done, new_act, open_to, today, viewer
from crm.web.downloads import as_download
from crm.web.inputs import DayField
from crm.web.pool import DECIDERS, READERS, blueprint
from crm.web.pool.selections import CLASSES


class IssueForm(Form):
    issued_on = DayField("印发日期")
    document = StringField("文号或文件名")
    version = StringField()


@blueprint.route("/pool/selections/<int:selection_id>/issue", methods=["GET", "POST"])
@open_to(*DECIDERS)
def issue_list(selection_id: int):
    row = own_selection(selection_id, viewer())
    if row.decided_on is None:
        raise Refused("名单还没有决定。先登记会议决定，再印发。")
    if request.method == "GET":
        form = IssueForm(formdata=None)
        form.issued_on.data = (row.issued_on or today()).isoformat()
        form.document.data, form.version.data = row.document or "", str(row.version)
        return render_template("pool/issue_selection.html", form=form, row=row)
    form = IssueForm()
    if form.validate_on_submit():
        values = {"issued_on": form.issued_on.value, "document": form.document.data}
        version = whole(form.version.data) or 0
        written = attempt(form, lambda: issue_selection(selection_id, values, version=version, act=new_act()))
        if written is not None:
            return done("已登记印发", url_for("pool.show_selection", selection_id=selection_id), written)
    row = own_selection(selection_id, viewer())
    if form.conflict:
        form.version.data = str(row.version)
    return render_template("pool/issue_selection.html", form=form, row=row), 409 if form.conflict else 422


_HEADS: tuple[tuple[str, str], ...] = (
    ("序号", "count"),
    ("企业名称", "text"),
    ("统一社会信用代码", "code"),
    ("乡镇（考核）", "text"),
    ("类别", "text"),
    ("主导产品（服务）", "text"),
    ("拟申报年度", "year"),
    ("拟申报批次", "text"),
)


def _printed(row: PoolSelection) -> tuple[str, list[lists.Line], str]:
    """The title of the list as it goes out, its lines, and in words what it is."""
    decided = row.decided_on is not None
    found = lists.lines(row.id, viewer(), "entered" if decided else None)
    title = f"{row.title}{'入库名单' if decided else '拟入库名单'}"
    parts = [f"{len(found)} 家"]
    if row.decided_on is not None:
        parts.append(f"{row.decided_on} {row.meeting or ''}决定".replace("  ", " "))
    if row.document:
        parts.append(row.document)
    if row.issued_on is not None:
        parts.append(f"{row.issued_on} 印发")
    return title, found, "；".join(parts)


def _cells(found: list[lists.Line]) -> list[list[Any]]:
    townships = {place.id: place.name for place in reference.townships(viewer())}
    return [
        [
            number,
            line.name,
            line.credit_code,
            townships.get(line.township_id or 0, ""),
            CLASSES.get(line.membership.pool_class or "", ""),
            line.main_product or "",
            line.membership.planned_year,
            line.membership.planned_batch or "",
        ]
        for number, line in enumerate(found, start=1)
    ]


@blueprint.get("/pool/selections/<int:selection_id>/list")
@open_to(*READERS)
def selection_file(selection_id: int):
    """The list as it goes out: Excel, or Word with ?as=docx."""
    row: PoolSelection = visible_record(PoolSelection, selection_id, viewer(), "这份名单")
    title, found, said = _printed(row)
    act = new_act()
    cells = _cells(found)
    if request.args.get("as") != "docx":
        content, name = export_rows(
            title=title, subtitle=said, columns=_HEADS, rows=cells, act=act, filter={"selection": row.id}
        )
        return as_download(content, name)
    target = io.BytesIO()
    write_list_document(
        target,
        title=title,
        above=[said],
        heads=[head for head, _ in _HEADS],
        rows=([("" if cell is None else str(cell)) for cell in line] for line in cells),
        below=[watermark(act, len(cells))],
        widths=(12, 64, 46, 28, 18, 52, 22, 19),
    )
    note_access(act, "export", subject=title, filter={"selection": row.id, "as": "docx"}, rows=len(cells))
    return as_download(target.getvalue(), file_name(title, act, "docx"))


@blueprint.get("/pool/selections/<int:selection_id>/print")
@open_to(*READERS)
def print_selection(selection_id: int):
    row: PoolSelection = visible_record(PoolSelection, selection_id, viewer(), "这份名单")
    title, found, said = _printed(row)
    note_access(new_act(), "export", subject=f"{title}（打印）", filter={"selection": row.id}, rows=len(found))
    return render_template(
        "pool/print_selection.html", row=row, title=title, said=said, heads=[h for h, _ in _HEADS], rows=_cells(found)
    )
