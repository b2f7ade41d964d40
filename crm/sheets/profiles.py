"""Profiles: how a source lays out its files, read from TOML, and which sheet of a file is which sheet of a profile."""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from crm.domain.fields import fields_of
from crm.domain.number_readers import MONEY_UNITS
from crm.sheets.headers import HeaderMatch, find_header, match_header
from crm.sheets.layouts import AREA, Column, Profile, SheetLayout, field_behind
from crm.sheets.reading import SheetData
from crm.sheets.refusals import ProfileInvalid, SheetHasNoRows, SheetRefused

__all__ = [
    "Column",
    "Profile",
    "Recognised",
    "SheetLayout",
    "Table",
    "UnknownProfile",
    "UnknownSheet",
    "load_profile",
    "profiles",
    "read_profile",
    "recognise",
    "tables",
]

_FOLDER = Path(__file__).with_suffix("")


class UnknownSheet(SheetRefused):
    """The file has no sheet of the name asked for."""

    code = "unknown_sheet"


class UnknownProfile(SheetRefused):
    """No profile of that name is shipped."""

    code = "unknown_profile"


@cache
def profiles() -> tuple[Profile, ...]:
    """Every shipped profile, by code."""
    return tuple(read_profile(path.read_text("utf-8"), path.name) for path in sorted(_FOLDER.glob("*.toml")))


def load_profile(code: str) -> Profile:
    """One shipped profile; raises UnknownProfile."""
    for profile in profiles():
        if profile.code == code:
            return profile
    known = "、".join(profile.code for profile in profiles())
    raise UnknownProfile(f"没有叫“{code}”的导入方案。可用的有：{known}。")


def read_profile(text: str, source: str = "profile") -> Profile:
    """A profile from its TOML; raises ProfileInvalid naming the place (English, for whoever wrote the file)."""
    try:
        content = tomllib.loads(text)
        sheets = tuple(_layout(entry, source) for entry in content["sheet"])
        return Profile(content["code"], content["title"], content.get("version", 1), sheets)
    except tomllib.TOMLDecodeError as error:
        raise ProfileInvalid(f"{source}: {error}") from None
    except KeyError as error:
        raise ProfileInvalid(f"{source}: {error.args[0]!r} is missing or no declared field") from None


def _layout(entry: dict[str, Any], source: str) -> SheetLayout:
    money_unit = entry.get("money_unit")
    columns = [_column(column, money_unit, source) for column in entry.get("column", [])]
    if entry.get("rest"):
        named = {column.key for column in columns}
        columns += [
            Column(field, field.label, unit=money_unit if field.type == "money" else None, in_blank=False)
            for field in fields_of(entry["noun"])
            if field.key not in named
        ]
    keys = {column.key for column in columns}
    if AREA not in keys:
        columns.append(Column(field_behind(AREA), field_behind(AREA).label, in_blank=False))
    absent = [key for key in (*entry["key"], *entry.get("also_key", [])) if key not in keys]
    if absent:
        raise ProfileInvalid(f"{source}: sheet {entry['name']}: key {absent[0]} is no column of it")
    return SheetLayout(
        noun=entry["noun"],
        name=entry["name"],
        columns=tuple(columns),
        key=tuple(entry["key"]),
        also_key=tuple(entry.get("also_key", [])),
        names=tuple(entry.get("names", [])),
        any_sheet=entry.get("any_sheet", False),
    )


def _column(entry: dict[str, Any], money_unit: str | None, source: str) -> Column:
    field = field_behind(entry["field"])
    unit = entry.get("unit", money_unit if field.type == "money" else None)
    if unit is not None and unit != "%" and unit not in MONEY_UNITS:
        raise ProfileInvalid(f"{source}: {field.key}: {unit} is no unit; known are {', '.join(MONEY_UNITS)} and %")
    return Column(
        field,
        entry.get("heading", field.label),
        tuple(entry.get("aliases", [])),
        unit,
        entry.get("required", False),
    )


class Recognised(NamedTuple):
    """A sheet with the layout it follows; both are None for a sheet nothing is known about (it is not read).

    ``layout`` without a usable ``match`` means the sheet is called like one of the profile's and has no header:
    ``headers.find_header`` then says why.
    """

    sheet: SheetData
    layout: SheetLayout | None
    match: HeaderMatch | None


def recognise(profile: Profile, sheets: Sequence[SheetData]) -> list[Recognised]:
    """Each sheet of a file with the layout of the profile it follows: by its name, else by its headings.

    Hidden and empty sheets come back unrecognised; several sheets may follow one layout (one sheet per township).
    """
    return [_recognise_sheet(profile, sheet) for sheet in sheets]


class Table(NamedTuple):
    """A sheet that can be read: its layout and its header are known."""

    sheet: SheetData
    layout: SheetLayout
    match: HeaderMatch


def tables(profile: Profile, sheets: Sequence[SheetData], *, only: str | None = None) -> list[Table]:
    """The sheets of a file that this profile can read; ``only`` names the one sheet wanted, hidden or not.

    A sheet called like one of the profile's must have its header. Raises SheetHasNoHeader, SheetHasNoKey or
    SheetHasNoRows when nothing can be read, UnknownSheet when ``only`` is not there.
    """
    if only is not None:
        sheets = [replace(sheet, hidden=False) for sheet in sheets if sheet.name == only]
        if not sheets:
            raise UnknownSheet(f"文件里没有叫“{only}”的工作表。核对表名，或不选表名。")
    found: list[Table] = []
    for sheet, layout, match in recognise(profile, sheets):
        if layout is not None:
            usable = match if match is not None and _is_usable(layout, match) else find_header(sheet, layout)
            found.append(Table(sheet, layout, usable))
    if found:
        return found
    filled = next((sheet for sheet in sheets if sheet.rows and not sheet.hidden), None)
    if filled is None:
        raise SheetHasNoRows("这份文件里没有数据，每张表都是空的。核对后再传。")
    return [Table(filled, profile.sheets[0], find_header(filled, profile.sheets[0]))]


def _recognise_sheet(profile: Profile, sheet: SheetData) -> Recognised:
    if sheet.hidden or not sheet.rows:
        return Recognised(sheet, None, None)
    matches = [(layout, match_header(sheet, layout)) for layout in profile.sheets]
    for layout, match in matches:
        if _goes_by(sheet.name, layout):
            return Recognised(sheet, layout, match)
    usable = [(layout, match) for layout, match in matches if match is not None and _is_usable(layout, match)]
    if not usable:
        return Recognised(sheet, None, None)
    layout, match = max(usable, key=lambda found: (len(found[1].columns), len(found[0].also_key)))
    return Recognised(sheet, layout, match)


def _is_usable(layout: SheetLayout, match: HeaderMatch) -> bool:
    return any(match.has(key) for key in layout.key) and all(match.has(key) for key in layout.also_key)


def _goes_by(name: str, layout: SheetLayout) -> bool:
    """Whether a sheet is called like the layout, a year or number beside the name not counting (2025年企业台账)."""
    plain = re.sub(r"\s+|\(\d+\)|\d+年?度?|表$", "", unicodedata.normalize("NFKC", name))
    return plain in (layout.name, *layout.names)
