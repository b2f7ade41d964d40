"""Profiles: how a source lays out its files, read from TOML, and which sheet of a file is which sheet of a profile."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from crm.domain.cells import Unreadable
from crm.domain.codecs import reader_of
from crm.domain.fields import fields_of
from crm.domain.number_readers import MONEY_UNITS
from crm.sheets.column_rules import rule_of
from crm.sheets.headers import HeaderMatch, find_header, match_header
from crm.sheets.layouts import (
    AREA,
    CLEARS,
    ENTERS,
    LEAVE,
    OPTIONS_SHEET,
    UNMATCHED,
    Column,
    Profile,
    SheetLayout,
    field_behind,
)
from crm.sheets.questions import Answers, Question, answered, asks, is_usable, own_columns, with_defaults
from crm.sheets.reading import SheetData
from crm.sheets.refusals import ProfileInvalid, SheetHasNoRows, SheetRefused

__all__ = [
    "Column",
    "Profile",
    "Reading",
    "SheetLayout",
    "Table",
    "UnknownProfile",
    "UnknownSheet",
    "load_profile",
    "profiles",
    "read",
    "read_profile",
    "says_names_only",
    "tables",
]

# A default of a shipped file is checked when it is loaded; no word of it depends on the day.
_ANY_DAY = date(2026, 1, 1)
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
            Column(
                field,
                field.label,
                unit=money_unit if field.type == "money" else None,
                in_blank=False,
                wins=rule_of({}, field.key, source),
            )
            for field in fields_of(entry["noun"])
            if field.key not in named
        ]
    keys = {column.key for column in columns}
    if AREA not in keys:
        columns.append(Column(field_behind(AREA), field_behind(AREA).label, in_blank=False))
    absent = [key for key in (*entry["key"], *entry.get("also_key", [])) if key not in keys]
    if absent:
        raise ProfileInvalid(f"{source}: sheet {entry['name']}: key {absent[0]} is no column of it")
    defaults = _defaults(entry, keys, source)
    unknown = entry.get("unknown", ENTERS)
    if unknown not in (ENTERS, UNMATCHED):
        raise ProfileInvalid(f"{source}: sheet {entry['name']}: unknown is {ENTERS} or {UNMATCHED}, not {unknown}")
    _check_blanks(columns, entry, source)
    return SheetLayout(
        noun=entry["noun"],
        name=entry["name"],
        columns=tuple(columns),
        key=tuple(entry["key"]),
        also_key=tuple(entry.get("also_key", [])),
        names=tuple(entry.get("names", [])),
        any_sheet=entry.get("any_sheet", False),
        defaults=defaults,
        once=tuple(entry.get("once", [])),
        unknown=unknown,
    )


def _defaults(entry: dict[str, Any], keys: set[str], source: str) -> tuple[tuple[str, str], ...]:
    """What every row of the sheet says, each checked as a cell would be; and the keys that may be said once."""
    for key in (*entry.get("default", {}), *entry.get("once", [])):
        if key not in keys or not key.startswith(f"{entry['noun']}."):
            raise ProfileInvalid(f"{source}: sheet {entry['name']}: {key} is no column of its own")
    for key, said in entry.get("default", {}).items():
        try:
            reader_of(field_behind(key), today=_ANY_DAY)(said)
        except Unreadable as refusal:
            raise ProfileInvalid(f"{source}: sheet {entry['name']}: {key}: {refusal.message}") from None
    return tuple(entry.get("default", {}).items())


def _check_blanks(columns: list[Column], entry: dict[str, Any], source: str) -> None:
    """A blank may clear what a row can do without; what tells whose it is cannot be cleared."""
    kept = {*entry["key"], *entry.get("also_key", [])}
    for column in columns:
        if column.blank not in (LEAVE, CLEARS):
            raise ProfileInvalid(f"{source}: {column.key}: blank is {LEAVE} or {CLEARS}, not {column.blank}")
        if column.blank == CLEARS and (column.required or column.key in kept):
            raise ProfileInvalid(f"{source}: {column.key}: a key or required column cannot be cleared by a blank")


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
        blank=entry.get("blank", LEAVE),
        wins=rule_of(entry, field.key, source),
    )


_NAMES = frozenset({"enterprise.name", "enterprise.former_name", "enterprise.notes", AREA})


class Table(NamedTuple):
    """A sheet that can be read: its layout and its header are known."""

    sheet: SheetData
    layout: SheetLayout
    match: HeaderMatch


# Each layout of a profile, by its noun, with the header it finds in a sheet.
Matches = dict[str, tuple[SheetLayout, HeaderMatch | None]]


class Reading(NamedTuple):
    """What of a file can be read, and what it leaves open."""

    tables: list[Table]
    questions: list[Question]


def read(
    profile: Profile,
    sheets: Sequence[SheetData],
    *,
    only: str | None = None,
    answers: Answers | None = None,
    once: Mapping[str, str] | None = None,
) -> Reading:
    """The sheets of a file that this profile can read: by their names, else by their headings.

    Hidden and empty sheets are left out, and the notes of the others name the hidden ones; several sheets may follow
    one layout (one sheet per township); one sheet may hold two nouns (a list of firms with last year's figures beside
    them). ``only`` names the one sheet wanted, hidden or not. ``once`` is what a person said for every row of a list:
    {field key: as a cell}. A sheet called like one of the profile's must have its header. Raises SheetHasNoHeader,
    SheetHasNoKey or SheetHasNoRows when nothing can be read, UnknownSheet when ``only`` is not there.
    """
    if only is not None:
        sheets = [replace(sheet, hidden=False) for sheet in sheets if sheet.name == only]
        if not sheets:
            raise UnknownSheet(f"文件里没有叫“{only}”的工作表。核对表名，或不选表名。")
    reading = Reading([], [])
    hidden = [sheet.name for sheet in sheets if sheet.rows and sheet.hidden and sheet.name != OPTIONS_SHEET]
    unread = [f"表“{name}”是隐藏的，没有读。要读就取消隐藏再传。" for name in hidden]
    for sheet in sheets:
        if sheet.rows and not sheet.hidden:
            told = replace(sheet, notes=(*sheet.notes, *unread)) if unread else sheet
            _read_sheet(profile, told, answers or {}, once or {}, reading)
    if reading.tables or reading.questions:
        return reading
    filled = next((sheet for sheet in sheets if sheet.rows and not sheet.hidden), None)
    if filled is None:
        raise SheetHasNoRows("这份文件里没有数据，每张表都是空的。核对后再传。")
    return Reading([Table(filled, profile.sheets[0], find_header(filled, profile.sheets[0]))], [])


def says_names_only(reading: Reading) -> bool:
    """Whether a file says nothing of its enterprises but what they are called, so that nobody can be entered by it."""
    return bool(reading.tables) and not reading.questions and all(_is_names(table) for table in reading.tables)


def _is_names(table: Table) -> bool:
    """A remark beside the name tells no more of whose it is than the name alone."""
    known = {matched.column.key for matched in table.match.columns}
    return table.layout.noun == "enterprise" and "enterprise.name" in known and known <= _NAMES


def tables(profile: Profile, sheets: Sequence[SheetData], *, only: str | None = None) -> list[Table]:
    """What can be read of a file without asking anything. Raises like ``read``."""
    return read(profile, sheets, only=only).tables


def _read_sheet(
    profile: Profile, sheet: SheetData, answers: Answers, once: Mapping[str, str], reading: Reading
) -> None:
    """Adds what a sheet holds: the noun it is a sheet of, and others whose columns stand beside it."""
    matches: Matches = {}
    for layout in profile.sheets:
        match = with_defaults(layout, match_header(sheet, layout), once)
        matches[layout.noun] = layout, answered(sheet, layout, match, answers)
    named = next((layout for layout in profile.sheets if _goes_by(sheet.name, layout)), None)
    if named is not None:
        main: SheetLayout | None = named
        found = matches[named.noun][1]
        question = asks(sheet, named, found, whole=True)
        if question is not None:
            reading.questions.append(question)
        elif found is None or not is_usable(named, found):
            find_header(sheet, named)
    else:
        main = _main_of(sheet, matches, reading)
    for layout, match in matches.values():
        if match is None:
            continue
        if (layout is main or match.given) and is_usable(layout, match):
            reading.tables.append(Table(sheet, layout, match))
        elif layout is not main and main is not None and not any(q.noun == layout.noun for q in _of(sheet, reading)):
            question = asks(sheet, layout, match, whole=False)
            if question is not None:
                reading.questions.append(question)


def _of(sheet: SheetData, reading: Reading) -> list[Question]:
    return [question for question in reading.questions if question.sheet == sheet.name]


def _main_of(sheet: SheetData, matches: Matches, reading: Reading) -> SheetLayout | None:
    """The noun that a sheet without a known name is a sheet of: the one it says most about.

    When that one lacks its key column, the sheet asks for it, and is not read as something it hardly is.
    """
    usable = [(layout, match) for layout, match in matches.values() if match is not None and is_usable(layout, match)]
    best = max(usable, key=lambda found: (len(found[1].columns), len(found[0].also_key)), default=None)
    said = len(own_columns(*best)) if best is not None else 0
    for layout, match in sorted(matches.values(), key=lambda found: len(own_columns(*found)), reverse=True):
        if len(own_columns(layout, match)) <= said:
            break
        question = asks(sheet, layout, match, whole=True)
        if question is not None:
            reading.questions.append(question)
            return None
    return best[0] if best is not None else None


def _goes_by(name: str, layout: SheetLayout) -> bool:
    """Whether a sheet is called like the layout, a year or number beside the name not counting (2025年企业台账)."""
    plain = re.sub(r"\s+|\(\d+\)|\d+年?度?|表$", "", unicodedata.normalize("NFKC", name))
    return plain in (layout.name, *layout.names)
