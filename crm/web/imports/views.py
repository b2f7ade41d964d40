"""导入: choose a file, see what each row would do, confirm, take back."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from wtforms import BooleanField, FileField, StringField

from crm.actions import import_answers, import_undo, imports
from crm.actions.exports import blank_template, export_rows
from crm.actions.import_words import labels
from crm.domain.fields import CHOICES
from crm.domain.refusals import Refused
from crm.extensions import db
from crm.store import file_store
from crm.store.imports import ImportBatch, ImportRow
from crm.store.jobs import Job
from crm.store.regions import Region, counties
from crm.store.scope import visible
from crm.store.unit_of_work import unit_of_work
from crm.web.addresses import page_number, whole
from crm.web.doors import Form, attempt, done, new_act, open_to, today, viewer, was_pressed_before
from crm.web.downloads import as_download
from crm.web.imports import preview as shown
from crm.web.sign_in import proof

blueprint = Blueprint("imports", __name__)

ROLES = ("case_manager", "bureau", "unit", "admin")
PAGE = 50
BATCHES = 30
# Errors that stand beside the table; the rest is one click away.
ASIDE = 5
RUNNING = ("uploaded", "reading", "committing")
# How often a page that watches a running job asks, while people go on saving.
_TRIES = 5


PROFILES = [("", "自动识别"), ("county_workbook", "县级企业台账"), ("generic", "企业名单（通用）")]


class UploadForm(Form):
    file = FileField("文件")
    region = StringField("区县")
    profile = StringField("方案")
    full_list = BooleanField("这是全量名单")


class ConfirmForm(Form):
    mode = StringField()


def _own_counties() -> list[Region]:
    return [county for county in counties() if imports.may_import(viewer(), county.id)]


@blueprint.get("/imports")
@open_to(*ROLES)
def index():
    return _index(UploadForm(formdata=None))


def _index(form: UploadForm):
    page = page_number(request.args)
    total = db.session.scalar(visible(select(func.count(ImportBatch.id)), viewer())) or 0
    query = visible(select(ImportBatch), viewer()).order_by(ImportBatch.id.desc())
    batches = db.session.scalars(query.limit(BATCHES).offset((page - 1) * BATCHES)).all()
    return render_template(
        "imports/index.html",
        form=form,
        profiles=PROFILES,
        regions=[(county.id, county.name) for county in _own_counties()],
        batches=batches,
        states=shown.STATES,
        total=total,
        page=page,
        pages=-(-total // BATCHES),
        page_href=lambda number: url_for("imports.index", page=number),
    )


@blueprint.post("/imports")
@open_to(*ROLES)
def upload():
    form = UploadForm()
    file = request.files.get("file")
    if file is None or not file.filename:
        form.file.errors = ["没有选文件。选一份 .xlsx、.xls 或 .csv。"]
    regions = {str(county.id): county.id for county in _own_counties()}
    region_id = regions.get(form.region.data or "") if len(regions) > 1 else next(iter(regions.values()), None)
    if not regions:
        form.general_errors.append("你的授权不含导入。")
    elif region_id is None:
        form.region.errors = ["选这份文件是哪个区县的。"]
    if form.file.errors or form.region.errors or form.general_errors:
        return _index(form), 422
    kept = file_store.keep(file.stream)
    batch_id = attempt(
        form,
        lambda: imports.start_import(
            kept,
            name=file.filename,
            region_id=region_id,
            profile=form.profile.data if form.profile.data in dict(PROFILES) and form.profile.data else None,
            full_list=form.full_list.data,
            act=new_act(),
        ),
    )
    if batch_id is None:
        return _index(form), 422
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.get("/imports/template")
@open_to(*ROLES)
def template():
    region = next(iter(_own_counties()), None)
    if region is None:
        raise Refused("你的授权不含导入。")
    content = blank_template("county_workbook", region_id=region.id)
    return as_download(content, "企业台账_空白模板.xlsx")


@blueprint.get("/imports/<int:batch_id>")
@open_to(*ROLES)
def show(batch_id: int):
    return _show(imports.own_batch(batch_id, viewer()), ConfirmForm(formdata=None))


def _show(batch: ImportBatch, form: Form):
    summary = {**dict.fromkeys((*shown.OUTCOMES, "writes", "blocking"), 0), **(batch.summary or {})}
    outcome = request.args.get("outcome", "")
    outcome = outcome if outcome in shown.OUTCOMES else ""
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
    return render_template(
        "imports/show.html",
        batch=batch,
        form=form,
        summary=summary,
        state=shown.STATES[batch.state],
        job=db.session.get(Job, batch.job_id) if batch.job_id and batch.state in RUNNING else None,
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
        title_kinds=CHOICES["title_kind"],
        this_year=today().year,
        may_decide=batch.user_id == viewer().user_id or viewer().has_in(batch.region_id, "bureau", "admin"),
    )


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
    for code, label in shown.OUTCOMES.items():
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
    return render_template("imports/_progress.html", batch=batch, job=job)


@blueprint.post("/imports/<int:batch_id>/confirm")
@open_to(*ROLES)
def confirm(batch_id: int):
    batch = imports.own_batch(batch_id, viewer())
    form = ConfirmForm()
    good = form.mode.data == "good"

    def deed() -> bool:
        imports.confirm(batch_id, good_rows_only=good, act=new_act())
        return True

    if attempt(form, deed) is None:
        return _show(batch, form), 409
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/imports/<int:batch_id>/decide")
@open_to(*ROLES)
def decide(batch_id: int):
    """The rows that ask: those chosen one by one on this page, or all of them one way."""
    batch = imports.own_batch(batch_id, viewer())
    form = Form()
    for_all = request.form.get("all")
    if for_all:
        asking = select(ImportRow.id).where(ImportRow.batch_id == batch_id, ImportRow.outcome == "conflict")
        said = dict.fromkeys(db.session.scalars(asking), for_all)
    else:
        chosen = ((key.removeprefix("row-"), value) for key, value in request.form.items() if key.startswith("row-"))
        said = {number: value for row_id, value in chosen if (number := whole(row_id)) is not None}
    if not form.validate() or attempt(form, lambda: import_answers.decide_rows(batch_id, said, act=new_act())) is None:
        return _show(batch, form), 409
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/imports/<int:batch_id>/answer")
@open_to(*ROLES)
def answer(batch_id: int):
    """What a sheet's missing column holds; the fields are numbered as the questions of the preview are."""
    batch = imports.own_batch(batch_id, viewer())
    form = Form()
    questions = (batch.summary or {}).get("questions") or []
    said = {(q["sheet"], q["noun"]): request.form.get(f"answer-{n}", "") for n, q in enumerate(questions)}
    if not form.validate() or attempt(form, lambda: import_answers.answer(batch_id, said, act=new_act())) is None:
        return _show(batch, form), 409
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/imports/<int:batch_id>/again")
@open_to(*ROLES)
def again(batch_id: int):
    imports.own_batch(batch_id, viewer())
    with unit_of_work():
        imports.ask_again(batch_id, act=new_act())
    return redirect(url_for("imports.show", batch_id=batch_id))


@blueprint.post("/imports/<int:batch_id>/abandon")
@open_to(*ROLES)
def abandon(batch_id: int):
    imports.own_batch(batch_id, viewer())
    with unit_of_work():
        given_up = imports.abandon(batch_id, act=new_act())
    if not given_up:
        flash("已要求停止写入。停没停住，看这里的状态。")
        return redirect(url_for("imports.show", batch_id=batch_id))
    flash("已放弃，什么也没有写入。")
    return redirect(url_for("imports.index"))


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


@blueprint.get("/imports/<int:batch_id>/undo")
@open_to(*ROLES)
def undo_preview(batch_id: int):
    return _undo_page(batch_id, Form(formdata=None))


def _undo_page(batch_id: int, form: Form):
    batch = imports.own_batch(batch_id, viewer())
    plan = import_undo.preview_undo(batch_id, viewer=viewer())
    return render_template(
        "imports/undo.html",
        batch=batch,
        form=form,
        restored=sum(len(fields) for fields in plan.restore.values()),
        withdrawn=len(plan.withdraw),
        withdrawn_words=shown.counted_by_noun(plan.withdraw),
        kept=import_undo.kept_words(plan.kept[:200]),
        kept_count=len(plan.kept),
        nothing=plan.nothing_to_do,
    )


@blueprint.post("/imports/<int:batch_id>/undo")
@open_to(*ROLES)
def undo(batch_id: int):
    batch = imports.own_batch(batch_id, viewer())
    if batch.user_id != viewer().user_id and not proof.is_proved():
        return proof.ask_again("撤销别人的导入")
    form = Form()
    for _ in range(_TRIES):
        act = new_act()
        try:
            ready = import_undo.prepare_undo(batch_id, act=act)
        except Refused:
            if not was_pressed_before(form):
                raise
            return done("已撤销导入。", url_for("imports.show", batch_id=batch_id))
        result = attempt(form, lambda ready=ready, act=act: import_undo.undo_import(batch_id, ready, act=act) or False)
        if result is None:
            return _undo_page(batch_id, form), 409
        if result:
            kept = f"，{len(result.kept)} 处后来的修改保留" if getattr(result, "kept", None) else ""
            written = getattr(result, "written", result)
            return done(f"已撤销导入{kept}。", url_for("imports.show", batch_id=batch_id), written)
    form.general_errors.append("库里一直有人在保存，没有撤销。过一会儿再试。")
    return _undo_page(batch_id, form), 409
