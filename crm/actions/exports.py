"""Lists and workbooks that leave the house: written with a watermark, logged with who, what filter and how many rows."""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app

from crm.domain.acts import Act
from crm.domain.fields import Field
from crm.sheets.rows import Choices
from crm.sheets.writing import write_csv, write_list
from crm.store.access_log import note_access

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
        write_csv(target, columns=columns, rows=taken, watermark=watermark(act, len(taken)), choices=choices)
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
