"""Reference lists on screen: words, townships, units, parks and carriers, application windows, holidays."""

from typing import Any

from flask import Blueprint, render_template, request, url_for
from sqlalchemy import func, select

from crm.actions import dictionaries as deeds
from crm.actions import holidays as holiday_deeds
from crm.actions import windows as window_deeds
from crm.actions.calendars import keeps_holidays, keeps_windows
from crm.actions.settings import regions_set_by
from crm.domain.kinds import KINDS
from crm.domain.refusals import NotFound
from crm.domain.viewers import OFFICE
from crm.extensions import db
from crm.store.dictionaries import DICTIONARIES, DictionaryEntry
from crm.store.holidays import Holiday, holidays
from crm.store.parks import Carrier, Park
from crm.store.regions import COUNTY, Region
from crm.store.scope import visible, visible_record
from crm.store.units import Unit
from crm.store.windows import Window
from crm.web.addresses import whole
from crm.web.dictionaries.forms import EntryForm, HolidayForm, PlainForm, WindowForm
from crm.web.doors import attempt, done, new_act, open_to, today, viewer
from crm.web.editing import EditForm, last_writers

blueprint = Blueprint("dictionaries", __name__)

# What may still be moved of a window: the kind of title it is for does not change.
MOVABLE = tuple(name for name in window_deeds.FIELDS if name != "kind")
# The part of an address that names a list, and the noun behind it.
NOUNS = {"words": "dictionary_entry", "units": "unit", "parks": "park", "carriers": "carrier"}
TITLES = {"words": "词条", "units": "部门", "parks": "园区", "carriers": "载体"}
TABS = (
    ("dictionaries.index", "词条"),
    ("dictionaries.townships", "乡镇（街道）"),
    ("dictionaries.units", "部门"),
    ("dictionaries.parks", "园区与载体"),
    ("dictionaries.windows", "申报窗口"),
    ("dictionaries.holiday_days", "节假日"),
)


def _tabs() -> list[dict[str, Any]]:
    return [{"href": url_for(name), "label": label, "current": request.endpoint == name} for name, label in TABS]


def _regions() -> list[Region]:
    regions = regions_set_by(viewer())
    if not regions:
        raise NotFound("这个区划")
    return regions


def _region(region_id: int | None) -> Region:
    """The region whose lists are shown: the one asked for, else the first county."""
    regions = _regions()
    if region_id is None:
        return next((r for r in regions if r.level == "county"), regions[0])
    found = next((r for r in regions if r.id == region_id), None)
    if found is None:
        raise NotFound("这个区划")
    return found


def _asked_region() -> Region:
    return _region(whole(request.args.get("region_id")))


def _list_page(template: str, region: Region, **more: Any) -> str:
    return render_template(
        f"dictionaries/{template}.html", tabs=_tabs(), region=region, regions=_regions(), on=today(), **more
    )


@blueprint.get("/dictionaries")
@open_to(*OFFICE)
def index():
    region = _asked_region()
    query = select(DictionaryEntry).where(DictionaryEntry.region_id.in_([region.id, region.parent_id or 0]))
    rows: dict[str, list[DictionaryEntry]] = {name: [] for name in DICTIONARIES}
    for row in db.session.scalars(visible(query, viewer()).order_by(DictionaryEntry.position, DictionaryEntry.id)):
        rows.setdefault(row.dictionary, []).append(row)
    return _list_page("index", region, rows=rows, dictionaries=DICTIONARIES, may=_may_edit)


def _may_edit(row: Any) -> bool:
    return viewer().has_in(row.region_id, *OFFICE)


@blueprint.get("/dictionaries/townships")
@open_to(*OFFICE)
def townships():
    region = _asked_region()
    query = select(Region).where((Region.parent_id == region.id) | (Region.id == region.id))
    rows = list(db.session.scalars(visible(query, viewer()).order_by(Region.code)))
    return _list_page("townships", region, rows=rows)


@blueprint.get("/dictionaries/units")
@open_to(*OFFICE)
def units():
    region = _asked_region()
    query = visible(select(Unit).where(Unit.region_id == region.id), viewer())
    rows = list(db.session.scalars(query.order_by(Unit.id)))
    return _list_page("units", region, rows=rows, names={row.id: row.name for row in rows}, may=_may_edit)


@blueprint.get("/dictionaries/parks")
@open_to(*OFFICE)
def parks():
    region = _asked_region()
    found = {
        name: list(
            db.session.scalars(visible(select(model).where(model.region_id == region.id), viewer()).order_by(model.id))
        )
        for name, model in (("parks", Park), ("carriers", Carrier))
    }
    return _list_page("parks", region, found=found, kinds=_carrier_kinds(region), may=_may_edit)


def _carrier_kinds(region: Region) -> dict[str, str]:
    query = select(DictionaryEntry.code, DictionaryEntry.label).where(DictionaryEntry.dictionary == "carrier_kind")
    query = query.where(DictionaryEntry.region_id.in_([region.id, region.parent_id or 0]))
    return dict(db.session.execute(visible(query, viewer()).order_by(DictionaryEntry.position)).all())


# --- one row of a list --------------------------------------------------------------------------------------------


@blueprint.get("/dictionaries/<any(words, units, parks, carriers):list_name>/new")
@open_to(*OFFICE)
def new(list_name: str):
    region = _asked_region()
    form = EntryForm(formdata=None, data={"region_id": region.id, "dictionary": request.args.get("dictionary", "")})
    return _entry_page(list_name, form, region)


@blueprint.post("/dictionaries/<any(words, units, parks, carriers):list_name>/new")
@open_to(*OFFICE)
def add(list_name: str):
    form = EntryForm()
    region = _region(form.region_id.data)
    noun = NOUNS[list_name]
    form.edited = deeds.LISTS[noun][2]
    if form.validate():
        act, region_id = new_act(), region.id
        values = form.read()
        written = attempt(form, lambda: deeds.add_entry(noun, region_id, values, act=act))
        if written is not None:
            said = values.get("label") or values.get("name")
            return done(f"已添加“{said}”。", _list_url(list_name, region_id), written)
    return _entry_page(list_name, form, region), 422


@blueprint.get("/dictionaries/<any(words, units, parks, carriers):list_name>/<int:entry_id>")
@open_to(*OFFICE)
def show(list_name: str, entry_id: int):
    row = _row(list_name, entry_id)
    form = EntryForm(formdata=None, data={"region_id": row.region_id, "dictionary": getattr(row, "dictionary", "")})
    form.edited = _changing(NOUNS[list_name])
    form.fill(_stored(form, row), row.version)
    return _entry_page(list_name, form, db.session.get(Region, row.region_id), row)


@blueprint.post("/dictionaries/<any(words, units, parks, carriers):list_name>/<int:entry_id>")
@open_to(*OFFICE)
def edit(list_name: str, entry_id: int):
    row = _row(list_name, entry_id)
    form = EntryForm()
    noun, region_id = NOUNS[list_name], row.region_id
    form.edited = _changing(noun)
    if form.validate():
        form.settle(request.form)
        act, values = new_act(), form.read(changed_only=True)
        version, seen = form.seen_version, form.seen_values(values, _stored(form, row))
        written = attempt(form, lambda: deeds.edit_entry(noun, entry_id, values, version=version, act=act, seen=seen))
        if written is not None:
            return done("已保存。", _list_url(list_name, region_id), written)
        row = _row(list_name, entry_id)
    return _entry_page(list_name, form, db.session.get(Region, region_id), row), 409 if form.conflict else 422


def _changing(noun: str) -> tuple[str, ...]:
    """What never changes is not asked, so that nobody clears it by leaving it out."""
    return tuple(name for name in deeds.LISTS[noun][2] if name not in deeds.FIXED)


def _stored(form: EditForm, row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in form.edited}


def _row(list_name: str, entry_id: int) -> Any:
    model, what, _names = deeds.LISTS[NOUNS[list_name]]
    row = visible_record(model, entry_id, viewer(), what)
    if not _may_edit(row):
        raise NotFound(what)
    return row


def _list_url(list_name: str, region_id: int) -> str:
    endpoint = {"words": "index", "units": "units"}.get(list_name, "parks")
    return url_for(f"dictionaries.{endpoint}", region_id=region_id)


def _entry_page(list_name: str, form: EntryForm, region: Region, row: Any = None) -> str:
    units_here = visible(select(Unit.id, Unit.name).where(Unit.region_id == region.id), viewer())
    kinds = _carrier_kinds(region) if list_name == "carriers" else {}
    units = [tuple(unit) for unit in db.session.execute(units_here)] if list_name == "units" else []
    form.known = {"kind": kinds, "successor_id": {None: "仍是本部门"} | dict(units)}
    return render_template(
        "dictionaries/entry.html",
        list_name=list_name,
        title=TITLES[list_name],
        noun=NOUNS[list_name],
        names=deeds.LISTS[NOUNS[list_name]][2],
        form=form,
        row=row,
        region=region,
        back=_list_url(list_name, region.id),
        dictionaries=DICTIONARIES,
        kinds=kinds,
        units=units,
        conflicts=form.clashes(last_writers(NOUNS[list_name], row.id)) if form.conflict and row else [],
    )


# --- application windows ---------------------------------------------------------------------------------------------


@blueprint.get("/dictionaries/windows")
@open_to(*OFFICE)
def windows():
    region = _calendar_region()
    above = db.session.get(Region, region.parent_id) if region.parent_id else None
    query = visible(select(Window).where(Window.region_id.in_([region.id, region.parent_id or region.id])), viewer())
    rows = list(db.session.scalars(query.order_by(Window.kind, Window.opens_on, Window.id)))
    own = {(row.kind, row.year, row.batch) for row in rows if row.region_id == region.id}
    years = sorted({row.year for row in rows} | {today().year})
    year = whole(request.args.get("year"), largest=9999) or today().year
    return _list_page(
        "windows",
        region,
        rows=[row for row in rows if row.year == year],
        years=years,
        year=year,
        statuses=window_deeds.STATUSES,
        above=above,
        own=own,
        keeps_above=above is not None and keeps_windows(viewer(), above.id, today()),
    )


def _calendar_region() -> Region:
    """Whose windows are shown: the region asked for, else the city for its own office, else the first county."""
    asked = whole(request.args.get("region_id"))
    regions = _regions()
    return _region(asked) if asked is not None else next((r for r in regions if r.level == "city"), _region(None))


def _kept_regions(region: Region) -> list[Region]:
    """The regions this viewer may enter a window for, the nearest first: a county's own before what all share."""
    found = [region] + ([db.session.get(Region, region.parent_id)] if region.parent_id else [])
    return [one for one in found if keeps_windows(viewer(), one.id, today())]


def _counties_under(region: Region) -> int:
    """How many counties a window of this region moves dates in; 0 for a county's own window."""
    query = select(func.count()).select_from(Region).where(Region.parent_id == region.id, Region.level == COUNTY)
    return db.session.scalar(query.where(~Region.deleted)) or 0


@blueprint.get("/dictionaries/windows/new")
@open_to(*OFFICE)
def new_window():
    region = _calendar_region()
    year = whole(request.args.get("year"), largest=9999) or today().year
    data = {"region_id": region.id, "year": str(year), "status": "expected"}
    return _window_page(WindowForm(formdata=None, data=data), region)


@blueprint.post("/dictionaries/windows/new")
@open_to(*OFFICE)
def add_window():
    form = WindowForm()
    if form.validate():
        act, values, region_id = new_act(), form.read(), form.region_id.data or 0
        written = attempt(form, lambda: window_deeds.add_window(region_id, values, act=act))
        if written is not None:
            back = url_for("dictionaries.windows", year=values["year"])
            return done("窗口已添加，到期事项正在重算。", back, written)
    return _window_page(form, _calendar_region()), 422


@blueprint.get("/dictionaries/windows/<int:window_id>")
@open_to(*OFFICE)
def show_window(window_id: int):
    row = visible_record(Window, window_id, viewer(), "这个申报窗口")
    form = WindowForm(formdata=None, data={"region_id": row.region_id})
    form.edited = MOVABLE
    form.fill(_stored(form, row), row.version)
    return _window_page(form, db.session.get(Region, row.region_id), row)


@blueprint.post("/dictionaries/windows/<int:window_id>")
@open_to(*OFFICE)
def edit_window(window_id: int):
    row = visible_record(Window, window_id, viewer(), "这个申报窗口")
    form = WindowForm()
    form.edited = MOVABLE
    if form.validate():
        form.settle(request.form)
        act, values, year = new_act(), form.read(changed_only=True), row.year
        version, seen = form.seen_version, form.seen_values(values, _stored(form, row))
        written = attempt(
            form, lambda: window_deeds.edit_window(window_id, values, version=version, act=act, seen=seen)
        )
        if written is not None:
            said = "窗口已改，到期事项正在重算。" if written.change_set_id else "没有改动，没有写入。"
            return done(said, url_for("dictionaries.windows", year=values.get("year", year)), written)
    row = visible_record(Window, window_id, viewer(), "这个申报窗口")
    return _window_page(form, db.session.get(Region, row.region_id), row), 409 if form.conflict else 422


def _window_page(form: WindowForm, region: Region, row: Window | None = None) -> str:
    wheres = [region] if row is not None else _kept_regions(region)
    form.known = {"status": window_deeds.STATUSES}
    return render_template(
        "dictionaries/window.html",
        form=form,
        row=row,
        region=region,
        wheres=[(one.id, one.name, _counties_under(one)) for one in wheres],
        kinds=[(kind.code, kind.short) for kind in KINDS.values()],
        statuses=list(window_deeds.STATUSES.items()),
        may=bool(wheres) and (row is None or keeps_windows(viewer(), region.id, today())),
        conflicts=form.clashes(last_writers("window", row.id)) if form.conflict and row else [],
    )


# --- holidays -----------------------------------------------------------------------------------------------------


@blueprint.get("/dictionaries/holidays")
@open_to(*OFFICE)
def holiday_days():
    return _holiday_page(HolidayForm(formdata=None))


@blueprint.post("/dictionaries/holidays")
@open_to(*OFFICE)
def add_holidays():
    form = HolidayForm()
    if form.validate():
        first, last, act = form.first.value, form.last.value or form.first.value, new_act()
        written = attempt(
            form,
            lambda: holiday_deeds.add_holidays(
                first,
                last,
                kind=form.kind.data or "",
                name=form.name.data or "",
                source=form.source.data or "",
                act=act,
            ),
        )
        if written is not None:
            said = f"已登记 {written.record_count} 天。"
            return done(said, url_for("dictionaries.holiday_days", year=first.year), written)
    return _holiday_page(form), 422


@blueprint.post("/dictionaries/holidays/<int:holiday_id>/remove")
@open_to(*OFFICE)
def remove_holiday(holiday_id: int):
    form, act = PlainForm(), new_act()
    written = attempt(form, lambda: holiday_deeds.remove_holiday(holiday_id, act=act))
    if written is None:
        return _holiday_page(HolidayForm(formdata=None), errors=form.general_errors), 404
    row = db.session.get(Holiday, holiday_id)
    return done(f"已去掉 {row.day}。", url_for("dictionaries.holiday_days", year=row.day.year), written)


def _holiday_page(form: HolidayForm, errors: list[str] | None = None) -> str:
    year = whole(request.args.get("year"), largest=9999) or (
        form.first.value.year if form.first.value else today().year
    )
    known = holidays()
    query = select(Holiday).where(~Holiday.deleted).order_by(Holiday.day)
    rows = [row for row in db.session.scalars(query) if row.day.year == year]
    asked = [today().year, today().year + 1]
    return render_template(
        "dictionaries/holidays.html",
        tabs=[tab | {"current": tab["label"] == "节假日"} for tab in _tabs()],
        form=form,
        errors=errors or [],
        rows=rows,
        year=year,
        years=sorted(set(known.known_years) | set(asked)),
        unknown=[one for one in asked if one not in known.known_years],
        kinds=holiday_deeds.KINDS,
        may=keeps_holidays(viewer(), today()),
    )
