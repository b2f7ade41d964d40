"""The due list: months, filters, groups, the panel of one obligation, and the export of what is shown."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import current_app, render_template, request
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from crm.actions.exports import export_rows
from crm.actions.obligation_bulk import VERBS
from crm.actions.obligations import TOLD_LATER, assignees, may_settle
from crm.domain import words
from crm.domain.kinds import KINDS
from crm.domain.months import month_end, month_of, months_on
from crm.domain.refusals import NotFound
from crm.domain.viewers import INTERNAL
from crm.extensions import db, policy
from crm.store import obligation_lists
from crm.store.files import StoredFile
from crm.store.obligation_lists import LATE, PAGE, day_of, group_of, outcome_of
from crm.store.regions import COUNTY, TOWNSHIP, Region
from crm.store.scope import visible
from crm.store.windows import calendar
from crm.web import downloads, reference
from crm.web.doors import SIGNED_IN, new_act, now, open_to, today, viewer
from crm.web.obligations import blueprint, columns, filters
from crm.web.obligations.forms import AssignForm, MissForm, PostponeForm, SettleForm, TakeBackForm, WaiveForm
from crm.web.service_logs import WRITERS

# Who settles, puts off and gives to others; of which of them is a matter of each enterprise.
ACTORS = ("case_manager", "bureau", "admin", "township", "park")
MONTHS = 12
# The strip begins one month back: what was due just now is still on everybody's mind. What is settled lies behind.
MONTHS_BACK = {"waiting": 1, "done": 10, "waived": 10, "lapsed": 10}


def mine_usually() -> bool:
    """Whether the list begins with the own enterprises: for case managers who do not answer for the whole region."""
    return viewer().has("case_manager") and not viewer().has("bureau", "leader", "admin")


def may_act() -> bool:
    """Whether this person has a part in settling what is due, so that rows can be chosen."""
    return viewer().has(*ACTORS)


def asked_by(args: MultiDict) -> filters.Asked:
    return filters.read(args, viewer_id=viewer().user_id, mine_usually=mine_usually())


@blueprint.get("/due")
@open_to(SIGNED_IN)
def index():
    wanted = asked_by(request.args)
    if not request.headers.get("HX-Request"):
        return page(wanted)
    if wanted.open:
        return render_template("obligations/_side.html", asked=wanted, **panel(wanted))
    counts = obligation_lists.pivot(wanted.filter, viewer(), now=now())
    return render_template("obligations/_side.html", asked=wanted, row=None, kinds=counts.by_kind(wanted.filter))


def page(wanted: filters.Asked, **forms: Any) -> str:
    """The whole page; ``forms`` are forms that came back with errors."""
    person = viewer()
    counts = obligation_lists.pivot(wanted.filter, person, now=now())
    total = counts.count(wanted.filter)
    found = obligation_lists.page(wanted.filter, person, counts, order=wanted.order, number=wanted.number)
    names = columns.names_for(found, person)
    lines = columns.lines(found, wanted.columns, names, person, now())
    chips = filters.chips(wanted, **names, mine=mine_usually())
    side = panel(wanted, **forms) if wanted.open else {"row": None}
    return render_template(
        "obligations/index.html",
        asked=wanted,
        lines=lines,
        groups=_grouped(lines, counts.by_group(wanted.filter), wanted),
        total=total,
        late=counts.count(replace(wanted.filter, month=LATE, shown="waiting")),
        tabs=_tabs(counts, wanted),
        kinds=counts.by_kind(wanted.filter),
        months=_months(counts, wanted),
        bars=_bars(_strip(wanted.filter.shown)),
        now_at=_percent(today(), _strip(wanted.filter.shown)),
        chips=chips,
        in_words=filters.in_words(wanted, chips),
        order_words=filters.order_in_words(wanted.order),
        columns=[columns.COLUMNS[key] for key in wanted.columns],
        offered=columns.COLUMNS,
        sorts=columns.SORT_WORDS,
        verbs=VERBS if may_act() else {},
        may_visit=person.has(*WRITERS),
        managers=reference.managers(person, today()),
        **names,
        mine=mine_usually(),
        pages=max(1, -(-total // PAGE)),
        first=(wanted.number - 1) * PAGE + 1 if found else 0,
        last=(wanted.number - 1) * PAGE + len(found),
        page_href=lambda number: wanted.query(page=number),
        TABS=filters.TABS,
        **side,
    )


def _tabs(counts: obligation_lists.Pivot, wanted: filters.Asked) -> list[dict[str, Any]]:
    tabs = []
    for shown, label in filters.TABS.items():
        if shown == "lapsed" and wanted.filter.shown != "lapsed":
            n = obligation_lists.lapsed(wanted.filter, viewer(), now=now())
            text = f"{label} {n:,}" + ("+" if n >= obligation_lists.MANY else "")
        else:
            text = f"{label} {counts.count(replace(wanted.filter, shown=shown)):,}"
        href = wanted.query(shown=None if shown == "waiting" else shown)
        tabs.append({"href": href, "label": text, "current": wanted.filter.shown == shown})
    return tabs


def _grouped(found: list, counts: dict[str, int], wanted: filters.Asked) -> list[tuple[str, str, int, list]]:
    """(group, heading, how many in all, rows): by nearness while something is to be done, else one list."""
    if not filters.is_grouped(wanted):
        return [("", "", len(found), found)] if found else []
    groups: list[tuple[str, str, int, list]] = []
    for key, label in filters.GROUPS.items():
        rows = [line for line in found if group_of(line.row.due_at, now()) == key]
        if rows:
            groups.append((key, label, counts.get(key, 0), rows))
    return groups


# --- the strip of months -------------------------------------------------------------------------------------------


def _strip(shown: str) -> list[date]:
    """The first days of the months of the strip."""
    return [months_on(today(), n - MONTHS_BACK[shown]) for n in range(MONTHS + 1)]


def _months(counts: obligation_lists.Pivot, wanted: filters.Asked) -> list[dict[str, Any]]:
    by_month = counts.by_month(wanted.filter)
    kinds = counts.kinds_in(wanted.filter)
    late = counts.late_by_month(wanted.filter) if wanted.filter.shown == "waiting" else {}
    current = month_of(today())
    strip = []
    for first in _strip(wanted.filter.shown)[:-1]:
        key = f"{first:%Y-%m}"
        most = max(kinds.get(key, {}).items(), key=lambda pair: pair[1], default=None)
        asked_for = wanted.args["month"] == key
        strip.append(
            {
                "label": f"{first.year} 年 {first.month} 月" if first.month == 1 else f"{first.month} 月",
                "href": wanted.query(month=None if asked_for else key),
                "count": by_month.get(key, 0),
                "late": late.get(key, 0),
                "word": f"{_short(most[0])} {most[1]:,}" if most else "",
                "now": first == current,
                "on": asked_for,
            }
        )
    return strip


# One word under a month's count; the full name stands in the list.
_SHORT = {
    "hnte_renewal": "重新认定",
    "hnte_annual_report": "年度报表",
    "tech_sme_round": "科小更新",
    "next_step": "下一步",
    "request": "诉求",
    "application_stage": "申报",
}


def _short(kind: str) -> str:
    return _SHORT.get(kind, words.OBLIGATION_KINDS.get(kind, kind))


def _percent(day: date, months: list[date]) -> float:
    """Where a day stands on the strip, in percent; every month is equally wide, as the counts above it are."""
    for n, (first, following) in enumerate(pairwise(months)):
        if day < following:
            part = max(0, (day - first).days) / (following - first).days
            return round((n + part) * 100 / MONTHS, 2)
    return 100.0


def _own_region() -> int | None:
    """The region whose windows the strip draws: the viewer's county, or for several the city they share."""
    regions = db.session.execute(
        visible(select(Region.id, Region.level), viewer()).where(Region.level != TOWNSHIP).order_by(Region.code)
    ).all()
    counties = [region_id for region_id, level in regions if level == COUNTY]
    if len(counties) == 1:
        return counties[0]
    return next((region_id for region_id, level in regions if level != COUNTY), None)


def _bars(months: list[date]) -> list[dict[str, Any]]:
    """Application windows that touch the strip, packed into as few lines as they need."""
    start, end = months[0], months[-1]
    bars: list[dict[str, Any]] = []
    free: list[float] = []
    for window in sorted(calendar().of(_own_region()), key=lambda one: one.opens_on or end):
        until = day_of(window.enterprise_due_at) if window.enterprise_due_at else window.closes_on
        if window.opens_on is None or window.opens_on >= end or until is None or until < start:
            continue
        x = _percent(max(window.opens_on, start), months)
        right = _percent(min(until, end) + timedelta(days=1), months)
        certain = window.status in ("announced", "closed")
        kind = KINDS.get(window.kind)
        name = f"{kind.short if kind else words.RULE_SETS.get(window.kind, window.kind)} {window.batch or window.year}"
        text = name if certain else f"{name}（{words.WINDOW_STATES.get(window.status, '预计')}）"
        # A text of so many characters needs about this share of the strip; the bar's neighbour must not cover it.
        needs = max(right, x + len(text) * 1.25)
        lane = next((n for n, taken in enumerate(free) if taken <= x), len(free))
        if lane == len(free):
            free.append(0)
        free[lane] = needs
        inside = right - x >= len(text) * 1.15
        bars.append(
            {
                "x": x,
                "width": max(round(right - x, 2), 0.6),
                "lane": lane,
                "text": text,
                "certain": certain,
                "css": kind.rung_class if kind else "r2",
                "text_x": x if inside else right,
                "inside": inside,
            }
        )
    return bars


# --- the panel of one obligation -----------------------------------------------------------------------------------


def panel(wanted: filters.Asked, **forms: Any) -> dict[str, Any]:
    """What the side panel of the opened obligation needs. Raises NotFound for a foreign or missing one."""
    enterprise_id, kind, period = wanted.open or (0, "", "")
    person = viewer()
    row = obligation_lists.one(enterprise_id, kind, period, person)
    if row is None:
        raise NotFound("这件事项")
    internal = INTERNAL in person.classes_over(row)
    outcome = outcome_of(enterprise_id, kind, period) if internal else None
    cadence = policy.cadences.of(kind, day_of(row.due_at))
    name = reference.people([row.owner_id, row.manager_id])
    receipt = None
    if outcome is not None and outcome.stored_file_id:
        receipt = db.session.scalar(visible(select(StoredFile).where(StoredFile.id == outcome.stored_file_id), person))
    return {
        "row": row,
        "outcome": outcome,
        "receipt": receipt,
        "receipt_endpoint": "files.download" if "files.download" in current_app.view_functions else None,
        "citation": cadence,
        "internal": internal,
        "owner": name.get(row.owner_id or 0) or name.get(row.manager_id or 0, ""),
        "seals": columns.seals(row),
        "may": may_settle(person, row, kind=kind, owner_id=row.owner_id),
        "back": f"/due{wanted.same()}",
        "settle_form": forms.get("settle_form") or SettleForm(formdata=None),
        "told_later": row.kind in TOLD_LATER,
        "miss_form": forms.get("miss_form") or MissForm(formdata=None),
        "waive_form": forms.get("waive_form") or WaiveForm(formdata=None),
        "postpone_form": forms.get("postpone_form") or PostponeForm(formdata=None),
        "assign_form": forms.get("assign_form") or AssignForm(formdata=None),
        "assign_to": _assign_to(row),
        "take_back_form": forms.get("take_back_form") or TakeBackForm(formdata=None),
        "quick_days": quick_days(),
    }


def _assign_to(row: obligation_lists.Row) -> list[tuple[str, str]]:
    others = (one for one in assignees(row.region_id, today()).items() if one[0] != row.owner_id)
    return [("", "选一名"), *((str(user_id), name) for user_id, name in others)]


def quick_days() -> list[tuple[str, str]]:
    """(ISO date, words) of the days people mean: tomorrow, next Monday, the end of the month."""
    day = today()
    monday = day + timedelta(days=7 - day.weekday())
    end = month_end(day)
    if end <= day:
        end = month_end(months_on(day, 1))
    tomorrow = day + timedelta(days=1)
    days = {tomorrow: "明天"}
    days[monday] = f"下周一 {monday:%m-%d}" if monday != tomorrow else "明天（周一）"
    days[end] = f"{days[end]}（月底）" if end in days else f"月底前 {end:%m-%d}"
    return [(chosen.isoformat(), label) for chosen, label in days.items()]


def asked_by_path(path: str) -> filters.Asked:
    """The list a form was opened from, by the address it carries."""
    return asked_by(MultiDict(parse_qsl(urlsplit(path).query)))


# --- export --------------------------------------------------------------------------------------------------------


@blueprint.get("/due/export")
@open_to(SIGNED_IN)
def export():
    """The list as it is shown, with the filter printed and the export logged."""
    wanted = asked_by(request.args)
    ids = obligation_lists.all_ids(wanted.filter, viewer(), now=now(), order=wanted.order)
    return export_of(ids, wanted)


def export_of(ids: list[int], wanted: filters.Asked, note: str = ""):
    """These obligations with the columns of a list; ``note`` says what else than its filter chose them."""
    person = viewer()
    asks = downloads.asks_first(len(ids), lambda: _without_filter(wanted.filter.shown), "导出全部到期事项")
    if asks is not None:
        return asks
    found = obligation_lists.rows(ids[: downloads.MOST_ROWS])
    names = columns.names_for(found, person)
    chips = filters.chips(wanted, **names, mine=mine_usually())
    waiting = [("剩余", "text")] if wanted.filter.shown == "waiting" else []
    chosen = [columns.COLUMNS[key] for key in wanted.columns]
    cells = columns.exporter(wanted.columns, names, now())
    said = (
        filters.in_words(wanted, chips),
        note,
        filters.order_in_words(wanted.order),
        words.day(today()),
        f"{len(found)} 项",
        downloads.left_out(len(ids), "项"),
    )
    content, name = export_rows(
        title="到期事项",
        subtitle="；".join(part for part in said if part),
        columns=[("期限", "date"), *waiting, ("企业名称", "text"), *((one.head, one.kind) for one in chosen)],
        rows=([*_deadline(row, waiting), row.name, *cells(row)] for row in found),
        act=new_act(),
        filter={k: v for k, v in wanted.args.items() if v} | ({"chosen": note} if note else {}),
        fmt=downloads.format_asked(),
    )
    return downloads.as_download(content, name)


def _deadline(row: obligation_lists.Row, waiting: list) -> list[Any]:
    left = words.days_left(row.due_at, now()).text if row.state in obligation_lists.WAITING else ""
    return [day_of(row.due_at), left] if waiting else [day_of(row.due_at)]


def _without_filter(shown: str) -> int:
    every = obligation_lists.Filter(shown=shown)
    return obligation_lists.pivot(every, viewer(), now=now()).count(every)
