"""One batch: its progress, and what each of its rows does."""

from typing import Any

from flask import render_template, request, url_for
from sqlalchemy import func, select
from wtforms import StringField

from crm.actions import import_once, imports
from crm.actions.exports import export_rows
from crm.actions.import_said import Said
from crm.actions.import_words import labels
from crm.domain.fields import CHOICES
from crm.domain.viewers import Viewer
from crm.domain.words import IMPORT_OUTCOMES
from crm.extensions import db
from crm.store.imports import ImportBatch, ImportRow
from crm.store.jobs import Job
from crm.web.addresses import page_number
from crm.web.doors import Form, new_act, now, open_to, today, viewer
from crm.web.downloads import as_download
from crm.web.imports import ROLES, blueprint
from crm.web.imports import preview as shown
from crm.web.imports.history import facts_of
from crm.web.imports.once import once_fields, said_once

PAGE = 50
# Errors that stand beside the table; the rest is one click away.
ASIDE = 5
# Corrected cells that are listed; the marked file has all of them.
CORRECTED = 20
RUNNING = ("uploaded", "reading", "committing")


class ConfirmForm(Form):
    mode = StringField()


@blueprint.get("/imports/<int:batch_id>")
@open_to(*ROLES)
def show(batch_id: int):
    return batch_page(imports.own_batch(batch_id, viewer()), ConfirmForm(formdata=None))


def batch_page(batch: ImportBatch, form: Form):
    summary = {**dict.fromkeys((*IMPORT_OUTCOMES, "writes", "blocking"), 0), **(batch.summary or {})}
    outcome = request.args.get("outcome", "")
    outcome = outcome if outcome in IMPORT_OUTCOMES else ""
    sheets = summary.get("sheets") or []
    sheet = request.args.get("sheet", "")
    sheet = sheet if sheet in {entry["name"] for entry in sheets} else ""
    has_rows = bool(summary.get("rows")) and batch.state not in RUNNING
    rows, total, page = ([], 0, 1)
    if has_rows:
        rows, total, page = _rows(batch.id, outcome, sheet)
    names = labels() if rows else {}
    # Each row of a returned sheet is about another figure, so none has a column of its own.
    columns = [] if batch.collection_id is not None else shown.columns_for(rows)
    job = db.session.get(Job, batch.job_id) if batch.job_id and batch.state in RUNNING else None
    return render_template(
        "imports/show.html",
        batch=batch,
        form=form,
        summary=summary,
        state=shown.STATES[batch.state],
        job=job,
        left=shown.time_left(job, now()),
        running=batch.state in RUNNING,
        has_rows=has_rows,
        views=_views(batch.id, summary, outcome, sheet),
        outcome=outcome,
        sheet=sheet,
        sheets=sheets,
        rows=[(row, shown.cells_of(row, names)) for row in rows],
        columns=[(key, shown.head(key)) for key in columns],
        asides=_asides(batch.id) if has_rows and batch.state in ("preview", "done") else {},
        total=total,
        page=page,
        pages=-(-total // PAGE),
        first=(page - 1) * PAGE + 1 if total else 0,
        last=min(page * PAGE, total),
        page_href=lambda number: url_for(
            "imports.show", batch_id=batch.id, outcome=outcome or None, sheet=sheet or None, page=number
        ),
        words_of=shown,
        placed=Said.of(batch.summary).placed,
        facts=facts_of(batch),
        **_corrections(batch, summary),
        title_kinds=CHOICES["title_kind"],
        this_year=today().year,
        once=_once(sheets, summary),
        may_decide=may_decide(batch, viewer()),
    )


def _once(sheets: list[dict], summary: dict) -> list[dict]:
    """The form for what no column says, with what was said or is being said."""
    keys = [key for key in import_once.KEYS if any(key in (sheet.get("once") or ()) for sheet in sheets)]
    return once_fields(keys, (summary.get("once") or {}) | said_once())


def may_decide(batch: ImportBatch, whose: Viewer) -> bool:
    """Whether the page offers to decide: to who brought the file and to who answers for its region."""
    return batch.user_id == whose.user_id or whose.has_in(batch.region_id, "bureau", "admin")


def _corrections(batch: ImportBatch, summary: dict) -> dict[str, Any]:
    """What the page shows of corrected cells: whether there are fields for them, what was typed in a refused press."""
    decides = may_decide(batch, viewer())
    return {
        "correcting": batch.state == "preview" and batch.collection_id is None and decides and not summary.get("stale"),
        "typed": request.form,
        "corrected": list(Said.of(summary).corrected.items()),
        "corrections_shown": CORRECTED,
    }


def _rows(batch_id: int, outcome: str, sheet: str) -> tuple[list[ImportRow], int, int]:
    conditions = [ImportRow.batch_id == batch_id]
    if outcome:
        conditions.append(ImportRow.outcome == outcome)
    if sheet:
        conditions.append(ImportRow.sheet == sheet)
    total = db.session.scalar(select(func.count()).select_from(ImportRow).where(*conditions)) or 0
    page = min(page_number(request.args), max(-(-total // PAGE), 1))
    query = select(ImportRow).where(*conditions).order_by(ImportRow.id).limit(PAGE).offset((page - 1) * PAGE)
    return list(db.session.scalars(query)), total, page


def _views(batch_id: int, summary: dict, outcome: str, sheet: str) -> list[dict]:
    def href(one: str | None) -> str:
        return url_for("imports.show", batch_id=batch_id, outcome=one, sheet=sheet or None)

    tabs = [{"href": href(None), "label": "全部", "n": summary.get("rows", 0), "current": not outcome}]
    for code, label in IMPORT_OUTCOMES.items():
        if summary.get(code) or code in ("new", "changed", "same", "error"):
            tabs.append(
                {
                    "href": href(code),
                    "label": label,
                    "n": summary.get(code, 0),
                    "current": outcome == code,
                    "err": code == "error" and summary.get(code),
                }
            )
    return tabs


def _asides(batch_id: int) -> dict[str, list[ImportRow]]:
    """The first rows that a person has to look at, by outcome."""
    found = {}
    for outcome in ("error", "conflict"):
        query = select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.outcome == outcome)
        found[outcome] = list(db.session.scalars(query.order_by(ImportRow.id).limit(ASIDE)))
    return found


@blueprint.get("/imports/<int:batch_id>/progress")
@open_to(*ROLES)
def progress(batch_id: int):
    """The bar of a running batch, asked for every second; when the batch has moved on, the page loads itself anew."""
    batch = imports.own_batch(batch_id, viewer())
    if batch.state != request.args.get("state"):
        return "", 200, {"HX-Refresh": "true"}
    job = db.session.get(Job, batch.job_id) if batch.job_id else None
    return render_template("imports/_progress.html", batch=batch, job=job, left=shown.time_left(job, now()))


@blueprint.get("/imports/<int:batch_id>/problems.xlsx")
@open_to(*ROLES)
def problems(batch_id: int):
    batch = imports.own_batch(batch_id, viewer())
    report = imports.report_of(batch_id)
    heads = [("表", "text"), ("行", "count"), ("列", "text"), ("填的是", "text"), ("问题", "long_text")]
    heads.append(("轻重", "text"))
    lines = [
        (p["sheet"], p["row"], p["column"], p["value"], p["message"], "错误" if p["severity"] == "error" else "提醒")
        for p in report["problems"]
    ]
    content, name = export_rows(
        title=f"{batch.file_name.rsplit('.', 1)[0]} 导入问题",
        columns=heads,
        rows=lines,
        act=new_act(),
        filter={"batch": batch_id},
    )
    return as_download(content, name)
