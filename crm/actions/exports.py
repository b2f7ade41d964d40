"""Lists and workbooks that leave the house: with a watermark, logged with who, what filter and how many rows."""

import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import func, or_, select

from crm.actions.enterprises import OWN_FIELDS
from crm.actions.figures import CODES as FIGURE_CODES
from crm.actions.import_words import labels
from crm.actions.qualifications import FIELDS as TITLE_CODES
from crm.actions.service_logs import CODES as LOG_CODES
from crm.domain.acts import Act
from crm.domain.fields import FIELDS, Field
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.sheets.profiles import load_profile
from crm.sheets.rows import Choices
from crm.sheets.writing import Target, write_blank, write_csv, write_list, write_workbook
from crm.store.access_log import note_access
from crm.store.enterprises import Affiliation, Enterprise, EnterpriseAlias
from crm.store.figures import Figures
from crm.store.qualifications import Qualification
from crm.store.scope import visible
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise
from crm.store.standings import Standing

XLSX, CSV = "xlsx", "csv"


def export_rows(
    *,
    title: str,
    subtitle: str = "",
    columns: Sequence[Field | tuple[str, str]],
    rows: Iterable[Sequence[Any]],
    act: Act,
    filter: Mapping[str, Any],
    fmt: str = XLSX,
    choices: Choices | None = None,
) -> tuple[bytes, str]:
    """A list as the bytes of a file and the name it is to have; ``fmt`` is "xlsx" or "csv".

    ``columns`` are declared fields or (heading, type), ``rows`` stored values in that order, already cut to what the
    viewer may see. ``choices`` are {type, dictionary or field key: {stored value: label}}. The export is put on
    record in the access log with ``filter``, which says in plain JSON what was asked for; writing the file takes
    time, so call it outside a unit of work.
    """
    taken = list(rows)
    target = io.BytesIO()
    if fmt == CSV:
        # A csv has no head above its columns: what was asked for stands in its last row.
        mark = "；".join(part for part in (watermark(act, len(taken)), subtitle) if part)
        write_csv(target, columns=columns, rows=taken, watermark=mark, choices=choices)
    else:
        write_list(
            target,
            title=title,
            subtitle=subtitle,
            columns=columns,
            rows=taken,
            watermark=watermark(act, len(taken)),
            choices=choices,
        )
    note_access(act, "export", subject=title, filter=dict(filter), rows=len(taken))
    return target.getvalue(), file_name(title, act, fmt)


def watermark(act: Act, rows: int) -> str:
    """Who took how many rows and when; the last row of every file that leaves."""
    return f"{act.viewer.name} 于 {_local(act.recorded_at):%Y-%m-%d %H:%M} 导出，共 {rows} 行，限内部使用"


def file_name(title: str, act: Act, fmt: str) -> str:
    """企业名单_20261123.xlsx, without characters that no file system takes."""
    plain = "".join(character for character in title if character.isprintable() and character not in '\\/:*?"<>|')
    return f"{plain[:60].strip() or '名单'}_{_local(act.recorded_at):%Y%m%d}.{fmt}"


def _local(at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(current_app.config["TZ_NAME"]))


# --- workbooks in a profile's layout --------------------------------------------------------------------------------


def blank_template(profile: str, *, region_id: int) -> bytes:
    """The blank template of a profile with the drop-downs of a region. Raises UnknownProfile."""
    target = io.BytesIO()
    write_blank(load_profile(profile), target, labels(within=region_id))
    return target.getvalue()


def export_profile(profile: str, target: Target, *, region_id: int | None, on: date, act: Act) -> dict[str, int]:
    """Write what the viewer may see of a region (None: of all) in a profile's layout, as things stand on a day.

    Answers rows per noun; the export is put on record. Brought in again, the file changes nothing. Raises
    UnknownProfile.
    """
    layout = load_profile(profile)
    data = profile_rows([sheet.noun for sheet in layout.sheets], region_id=region_id, on=on, viewer=act.viewer)
    total = sum(len(rows) for rows in data.values())
    mark = watermark(act, total)
    counts = write_workbook(layout, target, data, choices=labels(within=region_id), watermark=mark)
    wanted = {"profile": profile, "region_id": region_id, "on": on.isoformat()}
    note_access(act, "export", subject=layout.title, filter=wanted, rows=total)
    return counts


def profile_rows(
    nouns: Iterable[str], *, region_id: int | None, on: date, viewer: Viewer
) -> dict[str, list[dict[str, Any]]]:
    """{noun: rows of {field key: stored value}} of the visible enterprises, in the order of names.

    Fields of a class that the viewer may not read of an enterprise are left out, row by row.
    """
    own = sorted(OWN_FIELDS - {"code_reason"})
    query = (
        select(
            Enterprise.id,
            Standing.region_id,
            Standing.township_id,
            Standing.park_id,
            Standing.carrier_id,
            Standing.manager_id,
            *(getattr(Enterprise, code).label(f"own_{code}") for code in own),
        )
        .join(Standing, Standing.enterprise_id == Enterprise.id)
        .order_by(Standing.name_sort, Enterprise.id)
    )
    if region_id is not None:
        query = query.where(Standing.region_id == region_id)
    query = query.where(or_(Enterprise.registered_on.is_(None), Enterprise.registered_on <= on))
    found = db.session.execute(visible(query, viewer)).all()
    classes = {row[0]: viewer.classes_over(row) for row in found}
    firms = {row[0]: dict(zip((f"enterprise.{code}" for code in own), row[6:], strict=True)) for row in found}
    wanted = frozenset(nouns)
    data: dict[str, list[dict[str, Any]]] = {}
    if "enterprise" in wanted:
        data["enterprise"] = _enterprise_rows(firms, on)
    for noun, rows_of in (("qualification", _title_rows), ("figures", _figure_rows), ("service_log", _log_rows)):
        if noun in wanted:
            data[noun] = list(rows_of(firms, on))
    return {
        noun: [row for row in (_readable(row, noun, classes) for row in rows) if row is not None]
        for noun, rows in data.items()
    }


def _readable(row: dict[str, Any], noun: str, classes: Mapping[int, frozenset[str]]) -> dict[str, Any] | None:
    """The row without what may not be read; None when nothing of its own noun is left."""
    may = classes[row.pop("id")]
    kept = {key: value for key, value in row.items() if key not in FIELDS or FIELDS[key].cls in may}
    own = [key for key in kept if key in FIELDS and FIELDS[key].noun == noun]
    return kept if own else None


_Firms = Mapping[int, dict[str, Any]]
# When a title began, by the first of these that is known.
BEGINNINGS = ("valid_from", "issued_on", "announced_on", "publicity_on")
_KEYS = ("enterprise.credit_code", "enterprise.name")


def _enterprise_rows(firms: _Firms, on: date) -> list[dict[str, Any]]:
    belongs: dict[int, dict[str, Any]] = defaultdict(dict)
    query = select(Affiliation.enterprise_id, Affiliation.kind, Affiliation.ref_id, Affiliation.value).where(
        ~Affiliation.deleted,
        or_(Affiliation.starts_on.is_(None), Affiliation.starts_on <= on),
        or_(Affiliation.ends_on.is_(None), Affiliation.ends_on >= on),
    )
    for enterprise_id, kind, ref_id, value in db.session.execute(query.order_by(Affiliation.id)):
        said = ref_id if ref_id is not None else (value == "yes" if value in ("yes", "no") else value)
        belongs[enterprise_id][f"enterprise.{kind}"] = said
    query = select(EnterpriseAlias.enterprise_id, EnterpriseAlias.kind, EnterpriseAlias.value).where(
        ~EnterpriseAlias.deleted
    )
    for enterprise_id, kind, value in db.session.execute(query.order_by(EnterpriseAlias.id)):
        belongs[enterprise_id][f"enterprise.{kind}"] = value
    return [{"id": i, **values, **belongs.get(i, {})} for i, values in firms.items()]


def _of_firm(firms: _Firms, enterprise_id: int) -> dict[str, Any]:
    return {"id": enterprise_id, **{key: firms[enterprise_id][key] for key in _KEYS}}


def _title_rows(firms: _Firms, on: date) -> Iterable[dict[str, Any]]:
    """Titles that had begun by a day; an end that came later was not known then."""
    begins = func.coalesce(*(getattr(Qualification, code) for code in BEGINNINGS))
    columns = [getattr(Qualification, code) for code in TITLE_CODES]
    query = select(Qualification.enterprise_id, *columns).where(
        ~Qualification.deleted,
        Qualification.superseded_at.is_(None),
        or_(begins.is_(None), begins <= on),
    )
    for enterprise_id, *values in db.session.execute(query.order_by(Qualification.enterprise_id, Qualification.id)):
        if enterprise_id in firms:
            row = dict(zip(TITLE_CODES, values, strict=True))
            if row["ended_on"] is not None and row["ended_on"] > on:
                row |= {"ended_on": None, "end_reason": None}
            stated = {f"qualification.{code}": value for code, value in row.items()}
            yield _of_firm(firms, enterprise_id) | stated


def _figure_rows(firms: _Firms, on: date) -> Iterable[dict[str, Any]]:
    columns = [getattr(Figures, code) for code in FIGURE_CODES]
    query = select(Figures.enterprise_id, Figures.year, *columns).where(~Figures.deleted, Figures.year <= on.year)
    for enterprise_id, year, *values in db.session.execute(query.order_by(Figures.enterprise_id, Figures.year)):
        if enterprise_id in firms:
            keys = (f"figures.{code}" for code in FIGURE_CODES)
            yield _of_firm(firms, enterprise_id) | {"figures.year": year} | dict(zip(keys, values, strict=True))


def _log_rows(firms: _Firms, on: date) -> Iterable[dict[str, Any]]:
    columns = [getattr(ServiceLog, code) for code in LOG_CODES]
    query = (
        select(ServiceLogEnterprise.enterprise_id, *columns)
        .join(ServiceLog, ServiceLog.id == ServiceLogEnterprise.service_log_id)
        .where(~ServiceLogEnterprise.deleted, ~ServiceLog.deleted, ServiceLog.happened_on <= on)
        .order_by(ServiceLog.happened_on, ServiceLog.id, ServiceLogEnterprise.id)
    )
    for enterprise_id, *values in db.session.execute(query):
        if enterprise_id in firms:
            keys = (f"service_log.{code}" for code in LOG_CODES)
            yield _of_firm(firms, enterprise_id) | dict(zip(keys, values, strict=True))
