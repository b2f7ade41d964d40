"""The batches of a region, and a file that comes in."""

from collections.abc import Callable

from flask import redirect, render_template, request, url_for
from sqlalchemy import func, select
from wtforms import BooleanField, FileField, StringField, TextAreaField

from crm.actions import import_once, import_reading, imports
from crm.actions.exports import blank_template
from crm.domain.refusals import Refused
from crm.extensions import db
from crm.sheets.profiles import load_profile
from crm.store import file_store
from crm.store.imports import ImportBatch
from crm.store.regions import Region, counties
from crm.store.scope import visible
from crm.web.addresses import page_number
from crm.web.doors import Form, attempt, new_act, open_to, today, viewer
from crm.web.downloads import as_download
from crm.web.imports import ROLES, blueprint
from crm.web.imports.history import profile_words, undone_of
from crm.web.imports.once import BEFORE, once_fields, said_once
from crm.web.imports.preview import STATES

BATCHES = 30


class UploadForm(Form):
    file = FileField("文件")
    region = StringField("区县")
    profile = StringField("方案")
    full_list = BooleanField("这是全量名单")


class PasteForm(UploadForm):
    text = TextAreaField("粘贴的行")


def _profiles() -> dict[str, str]:
    """The profiles a file may follow, by code."""
    return {code: load_profile(code).title for code in import_reading.PROFILES}


def _own_counties() -> list[Region]:
    return [county for county in counties() if imports.may_import(viewer(), county.id)]


@blueprint.get("/imports")
@open_to(*ROLES)
def index():
    return index_page()


def index_page(form: UploadForm | None = None, pasted: PasteForm | None = None):
    """The batches with both ways in: a file, and pasted rows; ``form`` or ``pasted`` is the one that was refused."""
    page = page_number(request.args)
    total = db.session.scalar(visible(select(func.count(ImportBatch.id)), viewer())) or 0
    query = visible(select(ImportBatch), viewer()).order_by(ImportBatch.id.desc())
    batches = db.session.scalars(query.limit(BATCHES).offset((page - 1) * BATCHES)).all()
    return render_template(
        "imports/index.html",
        form=form or UploadForm(formdata=None),
        pasted=pasted or PasteForm(formdata=None),
        profiles=[("", "自动识别"), *_profiles().items()],
        regions=[(county.id, county.name) for county in _own_counties()],
        once=once_fields(BEFORE, said_once()),
        batches=batches,
        states=STATES,
        profile_words=profile_words,
        undone=undone_of(batches),
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
    batch_id = begin(form, lambda: file_store.keep(file.stream), file.filename if file is not None else "")
    if batch_id is None:
        return index_page(form), 422
    return redirect(url_for("imports.show", batch_id=batch_id))


def begin(form: UploadForm, keep: Callable[[], file_store.Kept], name: str) -> int | None:
    """Begin a batch with the bytes that ``keep`` puts into the store; None when the form says why not."""
    regions = {str(county.id): county.id for county in _own_counties()}
    region_id = regions.get(form.region.data or "") if len(regions) > 1 else next(iter(regions.values()), None)
    if not regions:
        form.general_errors.append("你的授权不含导入。")
    elif region_id is None:
        form.region.errors = ["选这份文件是哪个区县的。"]
    if form.general_errors or any(field.errors for field in form):
        return None
    kept = keep()
    begun = attempt(
        form,
        lambda: imports.start_import(
            kept,
            name=name,
            region_id=region_id,
            profile=form.profile.data if form.profile.data in _profiles() else None,
            full_list=form.full_list.data,
            once=import_once.checked(said_once(), today=today()),
            act=new_act(),
        ),
    )
    # A key that another form has used up begins nothing, and the page says so.
    return begun if isinstance(begun, int) else None


@blueprint.get("/imports/template")
@open_to(*ROLES)
def template():
    region = next(iter(_own_counties()), None)
    if region is None:
        raise Refused("你的授权不含导入。")
    content = blank_template("county_workbook", region_id=region.id)
    return as_download(content, "企业台账_空白模板.xlsx")
