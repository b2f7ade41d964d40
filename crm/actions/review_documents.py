"""推荐名单 and 汇总表 of a window: the same rows as the queue counts, as Word for the file and Excel for the platform.

The layouts are declared columns. What a viewer may not read of a firm stays blank; a column nobody of the list may be
read in is left out. Each document that leaves is put on record and says who took it.
"""

import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from crm.actions.exports import file_name, watermark
from crm.domain import reviews, submissions, words
from crm.domain.acts import Act
from crm.domain.fields import CHOICES, FIELDS
from crm.domain.kinds import KINDS
from crm.domain.viewers import CONFIDENTIAL, INTERNAL, PUBLIC
from crm.extensions import db
from crm.sheets.documents import CENTRE, LEFT, RIGHT, Paper, TableColumn, document_bytes
from crm.sheets.writing import write_list
from crm.store.access_log import note_access
from crm.store.applications import ApplicationReview
from crm.store.enterprises import Enterprise
from crm.store.figures import Figures
from crm.store.intellectual_property import IntellectualProperty
from crm.store.qualifications import Qualification
from crm.store.regions import Region
from crm.store.review_lists import QueueRow, QueueWindow
from crm.store.settings import office_name
from crm.store.standings import Standing

DOCX, XLSX = "docx", "xlsx"
FORMATS: dict[str, str] = {DOCX: "Word", XLSX: "Excel"}
LIST, SUMMARY = "list", "summary"


@dataclass(frozen=True)
class Firm:
    """What the documents say of one firm; what the viewer may not read is absent."""

    position: int
    name: str
    credit_code: str | None
    application_id: int
    enterprise_id: int
    enterprise: Enterprise
    township: str
    earlier: bool
    figures: Figures | None
    ip: Mapping[str, int]
    review: ApplicationReview | None
    classes: frozenset[str]
    change: str | None = None
    result: str | None = None


@dataclass(frozen=True)
class DocumentColumn:
    """A column of a document: its heading and type, its width on paper, whose class it is, how a firm fills it."""

    heading: str
    type: str
    width_mm: float
    of: Callable[[Firm], Any]
    align: str = LEFT
    cls: str = PUBLIC
    only_changes: bool = False


@dataclass(frozen=True)
class Layout:
    """One document: its title after the window's name, the page, the columns."""

    code: str
    title: str
    wide: bool
    columns: tuple[DocumentColumn, ...]


@dataclass(frozen=True)
class Rendered:
    """A document as bytes with the name it leaves under."""

    title: str
    name: str
    content: bytes
    rows: int


def _figure(code: str) -> Callable[[Firm], Any]:
    return lambda firm: getattr(firm.figures, code) if firm.figures is not None else None


def _own(code: str) -> Callable[[Firm], Any]:
    return lambda firm: getattr(firm.enterprise, code)


def _field_words(firm: Firm) -> str:
    return CHOICES["hightech_field"].get(firm.enterprise.hightech_field or "", "")


# Staff, scientific staff and R&D cost as each title counts them: the scopes differ by rule and never stand in for
# one another.
_SCOPES: dict[str, tuple[str, str, str]] = {
    "hnte": ("staff_count_hnte", "sci_staff_hnte", "rd_expense_hnte"),
    "tech_sme": ("staff_count", "sci_staff_sme", "rd_expense_deduction"),
}
_OTHER_SCOPE = ("staff_count", "rd_staff_count", "rd_expense")

_CHANGE = DocumentColumn(
    "变化", "text", 22, lambda firm: submissions.CHANGES.get(firm.change or ""), CENTRE, only_changes=True
)
_WHO = (
    DocumentColumn("序号", "count", 13, lambda firm: firm.position, CENTRE),
    DocumentColumn("企业名称", "text", 48, lambda firm: firm.name),
    DocumentColumn("统一社会信用代码", "code", 51, lambda firm: firm.credit_code, CENTRE),
)
DOCUMENTS: dict[str, str] = {LIST: "推荐名单", SUMMARY: "推荐企业汇总表"}


def layout_of(code: str, kind: str) -> Layout:
    """The layout of a document for a kind of title. Raises KeyError for a document nobody declared."""
    title = DOCUMENTS[code]
    if code == LIST:
        township = DocumentColumn("乡镇（街道）", "text", 25, lambda firm: firm.township, CENTRE)
        first = DocumentColumn("申报类型", "text", 19, lambda firm: "再次申报" if firm.earlier else "首次申报", CENTRE)
        return Layout(code, title, False, (*_WHO, township, first, _CHANGE))
    staff, scientific, cost = (FIELDS[f"figures.{name}"] for name in _SCOPES.get(kind, _OTHER_SCOPE))
    revenue = FIELDS["figures.revenue"]
    return Layout(
        code,
        title,
        True,
        (
            replace(_WHO[0], width_mm=9),
            replace(_WHO[1], width_mm=40),
            replace(_WHO[2], width_mm=38),
            DocumentColumn("成立日期", "date", 19, _own("registered_on"), CENTRE),
            DocumentColumn("乡镇（街道）", "text", 17, lambda firm: firm.township, CENTRE),
            DocumentColumn("技术领域", "text", 19, _field_words),
            *(
                DocumentColumn(one.label, one.type, width, _figure(one.code), RIGHT, one.cls)
                for one, width in ((staff, 17), (scientific, 17), (revenue, 17), (cost, 17))
            ),
            DocumentColumn("Ⅰ类知识产权", "count", 11, lambda firm: firm.ip.get("1", 0), RIGHT),
            DocumentColumn("Ⅱ类知识产权", "count", 11, lambda firm: firm.ip.get("2", 0), RIGHT),
            DocumentColumn("联系人", "text", 14, _own("contact_name"), CENTRE, INTERNAL),
            DocumentColumn("联系电话", "code", 21, _own("contact_phone"), CENTRE, INTERNAL),
            replace(_CHANGE, width_mm=13),
        ),
    )


def window_words(window: QueueWindow) -> str:
    """2026年第三批高新技术企业: how a window is called on paper."""
    return f"{window.year}年{window.batch}{KINDS[window.kind].name}"


def render(
    layout: Layout,
    fmt: str,
    firms: Sequence[Firm],
    window: QueueWindow,
    region_id: int,
    *,
    counts: Mapping[str, int],
    changes: bool = False,
    act: Act,
) -> Rendered:
    """One document as bytes; reads, writes nothing. Takes time: call it outside a unit of work."""
    county = db.session.scalar(select(Region.name).where(Region.id == region_id)) or ""
    tail = "（变化）" if changes else ""
    title = f"{county}{window_words(window)}申报{layout.title}{tail}"
    columns = _columns(layout, firms, changes)
    rows = [[_readable(column, firm) for column in columns] for firm in firms]
    mark = watermark(act, len(firms))
    target = io.BytesIO()
    if fmt == XLSX:
        write_list(
            target,
            title=title,
            subtitle=_subtitle(layout, window, counts, act),
            columns=[(column.heading, column.type) for column in columns],
            rows=rows,
            watermark=mark,
            sheet_name=layout.title,
            printed=True,
        )
        content = target.getvalue()
    else:
        content = document_bytes(
            Paper(
                title=title,
                title_lines=_title_lines(title, layout),
                columns=[TableColumn(_heading(one), one.width_mm, one.align) for one in columns],
                rows=[[_on_paper(c, value) for c, value in zip(columns, row, strict=True)] for row in rows],
                before=[_before(layout, window, counts, len(firms), changes)],
                signature=[office_name(region_id), _day(act.effective_on)],
                note=mark,
                wide=layout.wide,
                properties={"author": office_name(region_id)},
            )
        )
    return Rendered(f"{layout.title}{tail}", file_name(title, act, fmt), content, len(firms))


def export(
    code: str,
    fmt: str,
    firms: Sequence[Firm],
    window: QueueWindow,
    region_id: int,
    *,
    counts: Mapping[str, int],
    act: Act,
) -> Rendered:
    """The same, put on record as an export with its filter and how many rows."""
    made = render(layout_of(code, window.kind), fmt, firms, window, region_id, counts=counts, act=act)
    wanted = {"document": code, "window": window.id, "region_id": region_id, "format": fmt}
    note_access(act, "export", subject=made.name, filter=wanted, rows=made.rows)
    return made


def firms_of(rows: Sequence[QueueRow], *, year: int, changes: Mapping[int, str] | None = None, act: Act) -> list[Firm]:
    """The firms of rows of the queue with what the documents say of them, in a fixed number of queries.

    Figures are those of the year before the window's and of no other; only what the viewer may read is filled in.
    """
    ids = sorted({row.application.enterprise_id for row in rows})
    enterprises = {one.id: one for one in db.session.scalars(select(Enterprise).where(Enterprise.id.in_(ids)))}
    standings = {
        one.enterprise_id: one for one in db.session.scalars(select(Standing).where(Standing.enterprise_id.in_(ids)))
    }
    townships = {one.township_id for one in standings.values() if one.township_id}
    names = {
        row[0]: row[1] for row in db.session.execute(select(Region.id, Region.name).where(Region.id.in_(townships)))
    }
    query = select(Figures).where(Figures.enterprise_id.in_(ids), Figures.year == year - 1, ~Figures.deleted)
    figures = {one.enterprise_id: one for one in db.session.scalars(query)}
    ip, earlier = _ip_counts(ids), _held_before(ids, rows[0].application.kind if rows else "")
    found = []
    for position, row in enumerate(rows, 1):
        standing = standings[row.application.enterprise_id]
        classes = act.viewer.classes_over(standing)
        enterprise = enterprises[row.application.enterprise_id]
        found.append(
            Firm(
                position,
                row.name,
                row.credit_code,
                row.id,
                enterprise.id,
                enterprise,
                names.get(standing.township_id or 0, ""),
                enterprise.id in earlier,
                figures.get(enterprise.id) if CONFIDENTIAL in classes else None,
                ip.get(enterprise.id, {}),
                row.review if INTERNAL in classes else None,
                classes,
                (changes or {}).get(row.id),
            )
        )
    return found


def _ip_counts(ids: Sequence[int]) -> dict[int, dict[str, int]]:
    table = IntellectualProperty
    query = (
        select(table.enterprise_id, table.ip_class, func.count())
        .where(table.enterprise_id.in_(ids), ~table.deleted, table.ip_class.is_not(None))
        .group_by(table.enterprise_id, table.ip_class)
    )
    found: dict[int, dict[str, int]] = {}
    for enterprise_id, ip_class, count in db.session.execute(query):
        found.setdefault(enterprise_id, {})[ip_class] = count
    return found


def _held_before(ids: Sequence[int], kind: str) -> frozenset[int]:
    """Which of the firms hold or held this title: for them it is a renewal."""
    table = Qualification
    query = select(table.enterprise_id).where(
        table.enterprise_id.in_(ids), table.kind == kind, ~table.deleted, table.superseded_at.is_(None)
    )
    return frozenset(db.session.scalars(query.distinct()))


def _columns(layout: Layout, firms: Sequence[Firm], changes: bool) -> list[DocumentColumn]:
    """The columns that somebody of this list may be read in."""
    may = Counter(cls for firm in firms for cls in firm.classes)
    return [
        column
        for column in layout.columns
        if (changes or not column.only_changes) and (column.cls == PUBLIC or may[column.cls])
    ]


def _readable(column: DocumentColumn, firm: Firm) -> Any:
    return column.of(firm) if column.cls in firm.classes else None


def _heading(column: DocumentColumn) -> str:
    return f"{column.heading}（万元）" if column.type == "money" else column.heading


def _on_paper(column: DocumentColumn, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    return words.money(value) if column.type == "money" and isinstance(value, Decimal) else str(value)


def _subtitle(layout: Layout, window: QueueWindow, counts: Mapping[str, int], act: Act) -> str:
    due = f"区县截止 {words.moment(window.county_due_at, act.effective_on)}；" if window.county_due_at else ""
    year = f"指标为 {window.year - 1} 年度；" if layout.wide else ""
    return f"{due}{_tally(counts)}；{year}截至 {words.local(act.recorded_at):%Y-%m-%d %H:%M}"


# As many characters as a line of the title holds, on a page upright and across.
_TITLE_FITS, _TITLE_FITS_WIDE = 20, 34


def _title_lines(title: str, layout: Layout) -> tuple[str, ...]:
    """A title too long for its line goes on with 申报…, as one would say it."""
    if len(title) <= (_TITLE_FITS_WIDE if layout.wide else _TITLE_FITS):
        return (title,)
    window, _, rest = title.rpartition("申报")
    return (window, f"申报{rest}")


def _tally(counts: Mapping[str, int]) -> str:
    parts = (reviews.DUE, reviews.RECEIVED, reviews.RECOMMENDED, reviews.RETURNED, reviews.NOT_RECOMMENDED)
    told = [f"{reviews.BUCKETS[name]} {counts.get(name, 0)} 家" for name in parts]
    return "，".join(told)


def _before(layout: Layout, window: QueueWindow, counts: Mapping[str, int], firms: int, changes: bool) -> str:
    if changes:
        return f"本次只报与上次报送不同的 {firms} 家，其余不变。"
    if layout.code == LIST:
        return f"经区县初审，推荐以下 {firms} 家企业申报{window_words(window)}。"
    return f"{window_words(window)}申报：{_tally(counts)}。指标为{window.year - 1}年度。"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
