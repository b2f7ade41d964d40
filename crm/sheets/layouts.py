"""What a profile says about its sheets: which columns there are and which field each one is."""

from dataclasses import dataclass, field

from crm.domain.fields import FIELDS, Field
from crm.sheets.column_rules import FILE

# The year of a row of figures is part of its key and no fact of its own, so the declarations do not list it; nor the
# district that a row of a list for the whole city names, which only says whether the row is ours.
FIGURES_YEAR, AREA = "figures.year", "enterprise.area"
_KEYS_OF_ROWS = {
    FIGURES_YEAR: Field(
        "figures",
        "year",
        "年度",
        "year",
        required=True,
        minimum=2000,
        maximum=2100,
        aliases=("年份", "会计年度", "统计年度", "所属年度", "数据年度"),
    ),
    AREA: Field(
        "enterprise",
        "area",
        "区县",
        length=60,
        aliases=(
            "所属区县",
            "所在区县",
            "区县名称",
            "县区",
            "所属县区",
            "所在县区",
            "区（县）",
            "所属区域",
            "所在区域",
            "行政区划",
            "所属行政区划",
            "辖区",
            "所属辖区",
            "所在地区",
            "地区",
            "所属地区",
            "所属地",
            "推荐区县",
        ),
    ),
}


# What a blank cell means. A typed 清空 clears in either case.
LEAVE, CLEARS = "leave", "clears"
# What becomes of a name that the library does not know: a new enterprise, or a row of the list of the unmatched.
ENTERS, UNMATCHED = "enters", "unmatched"


def field_behind(key: str) -> Field:
    """The declared field of a column; raises KeyError with the key when there is none."""
    return FIELDS[key] if key in FIELDS else _KEYS_OF_ROWS[key]


# Where a blank template keeps the lists behind its drop-downs.
OPTIONS_SHEET = "选项"


@dataclass(frozen=True)
class Column:
    """One column of a sheet. ``unit`` is what its numbers are in when the heading of a file does not say.

    ``wins`` says whose value stands where both have one and they differ (see ``column_rules``).
    ``in_blank`` columns stand in the blank template; the others are known when a file has them and are written by an
    export when a row has a value. ``blank`` is what an empty cell of a file means: LEAVE what is known, or CLEARS it.
    """

    field: Field
    heading: str
    aliases: tuple[str, ...] = ()
    unit: str | None = None
    required: bool = False
    in_blank: bool = True
    blank: str = LEAVE
    wins: str = FILE

    @property
    def key(self) -> str:
        return self.field.key

    @property
    def title(self) -> str:
        """The heading as it is written, with unit and mark: 注册资本（万元）, 企业名称（必填）."""
        unit = self.unit or (self.field.unit if self.field.type == "money" else "")
        return f"{self.heading}{f'（{unit}）' if unit else ''}{'（必填）' if self.required else ''}"

    @property
    def names(self) -> tuple[str, ...]:
        """Every heading the column is known by, the best first."""
        return (self.heading, self.field.label, *self.aliases, *self.field.aliases)


@dataclass(frozen=True)
class SheetLayout:
    """One sheet of a profile: the noun its rows are, the names it goes by, its columns and what tells a row's subject.

    A row is about the enterprise named by any of ``key``; ``also_key`` (the year of figures) must be there as well.
    ``defaults`` is what every row says where no column says it (a list of one title: its kind), as a cell would; a
    person may say otherwise, and more, for the keys of ``once``. ``unknown``: ENTERS or UNMATCHED.
    """

    noun: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    also_key: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    any_sheet: bool = False
    defaults: tuple[tuple[str, str], ...] = ()
    once: tuple[str, ...] = ()
    unknown: str = ENTERS

    def column(self, key: str) -> Column | None:
        """The column of this field, if the layout has one."""
        return next((column for column in self.columns if column.key == key), None)


@dataclass(frozen=True)
class Profile:
    """A way a source lays out its files; ``version`` is stamped into blank templates."""

    code: str
    title: str
    version: int = 1
    sheets: tuple[SheetLayout, ...] = field(default=())

    def sheet(self, noun: str) -> SheetLayout | None:
        """The sheet that holds this noun, if the profile has one."""
        return next((sheet for sheet in self.sheets if sheet.noun == noun), None)
