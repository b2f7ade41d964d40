"""What a file leaves open: a sheet whose columns are known and whose one key column is missing asks one question."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from crm.sheets.headers import HeaderMatch
from crm.sheets.layouts import SheetLayout
from crm.sheets.reading import SheetData

# Fewer known columns of a noun may stand there by chance (a note, a date).
_ENOUGH = 2

# What a person answered: {(sheet, noun): what the missing column would say in every row}.
Answers = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Question:
    """Columns of a noun that cannot be read until somebody says the one thing the sheet does not.

    ``key`` is the missing field (资格种类, 年度), ``headings`` are the columns that wait for it, ``row`` the header's
    number. ``whole``: nothing of the sheet is read before.
    """

    sheet: str
    noun: str
    key: str
    label: str
    headings: tuple[str, ...]
    row: int
    whole: bool

    @property
    def sentence(self) -> str:
        """The question in words, for the preview and for the report."""
        named = "、".join(self.headings[:3]) + (f" 等 {len(self.headings)} 列" if len(self.headings) > 3 else "")
        asked = f"表“{self.sheet}”里有{named}，没有写{self.label}。"
        unread = "整张表" if self.whole else "这些列"
        return f"{asked}答了才能读，现在{unread}没有读入。"


def answered(sheet: SheetData, layout: SheetLayout, match: HeaderMatch | None, answers: Answers) -> HeaderMatch | None:
    """The header with what a person said in place of its missing column."""
    said = answers.get((sheet.name, layout.noun))
    missing = _missing(layout, match)
    if match is None or not said or len(missing) != 1:
        return match
    return replace(match, given=((missing[0], said),))


def with_defaults(layout: SheetLayout, match: HeaderMatch | None, once: Mapping[str, str]) -> HeaderMatch | None:
    """The header with what every row says: the layout's own defaults, and before them what a person said once.

    A column of the file goes before both. Nothing is said of keys that the layout does not let be said.
    """
    if match is None:
        return None
    said = dict(layout.defaults) | {key: text for key, text in once.items() if key in layout.once}
    return replace(match, defaults=tuple((key, text) for key, text in said.items() if not match.has(key)))


def is_usable(layout: SheetLayout, match: HeaderMatch) -> bool:
    """Whether rows under this header say whom they are about, and all that the layout needs."""
    return any(match.has(key) for key in layout.key) and not _missing(layout, match)


def asks(sheet: SheetData, layout: SheetLayout, match: HeaderMatch | None, *, whole: bool) -> Question | None:
    """The question that a sheet leaves open about the columns of a layout's noun; None when there is none."""
    if match is None or not any(match.has(key) for key in layout.key):
        return None
    missing, own = _missing(layout, match), own_columns(layout, match)
    # A sheet that is called like the noun, or says more of it than of any other, means it.
    if len(missing) != 1 or len(own) < (1 if whole else _ENOUGH):
        return None
    column = layout.column(missing[0])
    label = column.heading if column is not None else missing[0]
    row = sheet.row_number(match.header_row)
    return Question(sheet.name, layout.noun, missing[0], label, tuple(own), row, whole)


def own_columns(layout: SheetLayout, match: HeaderMatch | None) -> list[str]:
    """The headings that say something of the layout's noun; those that only say whose a row is do not count."""
    if match is None:
        return []
    keys = {*layout.key, *layout.also_key, "enterprise.old_number", "enterprise.former_name", "enterprise.area"}
    return [m.heading for m in match.columns if m.column.field.noun == layout.noun and m.column.key not in keys]


def _missing(layout: SheetLayout, match: HeaderMatch | None) -> list[str]:
    if match is None:
        return list(layout.also_key)
    return [key for key in layout.also_key if not match.has(key)]
