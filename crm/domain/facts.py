"""Facts of one enterprise as a comparison reads them: values by field and year, the IP register, the titles."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import NamedTuple

from crm.domain.fields import CHOICES, FIELDS, Field
from crm.domain.kinds import KINDS
from crm.domain.periods import Terms
from crm.domain.refusals import InvalidInput
from crm.domain.title_answers import QUESTIONS


class FactRef(NamedTuple):
    """One fact with its year (None for facts that have none)."""

    key: str
    year: int | None = None

    @property
    def path(self) -> str:
        """The place of the fact in a facts file: ``figures.2025.revenue``, ``enterprise.subject_type``."""
        if self.year is None:
            return self.key
        noun, code = self.key.split(".", 1)
        return f"{noun}.{self.year}.{code}"

    @property
    def label(self) -> str:
        """The Chinese name with its year: ``2025 年销售收入``."""
        name = DERIVED[self.key].label if self.key in DERIVED else FIELDS[self.key].label
        return name if self.year is None else f"{self.year} 年{name}"


@dataclass(frozen=True)
class DerivedFact:
    """A fact that is worked out from registers and is never typed in."""

    key: str
    label: str
    type: str
    unit: str
    how: str


def _derived() -> Iterable[DerivedFact]:
    conditions = "只数已授权、在保护期内、与主要产品相关、无权属争议的；条目缺一样，件数就成为区间"
    yield DerivedFact("ip.class1_count", "Ⅰ类知识产权件数", "count", "件", f"知识产权台账中属Ⅰ类的件数。{conditions}")
    yield DerivedFact("ip.class2_count", "Ⅱ类知识产权件数", "count", "件", f"知识产权台账中属Ⅱ类的件数。{conditions}")
    yield DerivedFact("ip.any_count", "知识产权件数", "count", "件", f"两类合计。{conditions}")
    for kind in KINDS.values():
        for suffix, label, how in (
            ("valid", f"持有有效的{kind.name}资格", "资格记录当日为有效或临近到期；待更新、重新认定中不算"),
            ("ever", f"曾获{kind.name}资格", "资格记录中有过这一种"),
            ("revoked_3y", f"近三年被取消或撤销{kind.name}资格", "终止原因为取消资格或撤销登记编号"),
        ):
            yield DerivedFact(f"titles.{kind.code}_{suffix}", label, "yes_no", "", how)


DERIVED: dict[str, DerivedFact] = {fact.key: fact for fact in _derived()}

# The register's own word on listings; a yes here is a yes for the current year of the yearly declaration.
_LISTINGS = ("abnormal", "dishonest")
_LISTED = "was_blacklisted"

# Fields that point at a record: by id, or by name in a facts file.
_REFERENCES = frozenset({"region", "person", "park", "carrier"})

_YES: dict[object, bool] = {"是": True, "否": False}
# Money is kept as whole 分 in 64 bits; a thousand times the largest company stays well inside.
_TOO_MUCH = Decimal(10) ** 15

_YEAR = re.compile(r"(19|20)\d{2}")


@dataclass(frozen=True)
class Facts:
    """What is known of one enterprise on ``on``. An absent value is unknown; 0 and ``False`` are values.

    Money is Decimal 元, people and pieces are int, ratios Decimal, dates date, yes/no bool, choices their code.
    ``intellectual_property`` and ``titles`` are None while nobody has kept the register, and empty when it is
    known to hold nothing. ``terms`` (how long each kind lives, by the ladder) tell which days a title covers; without
    them no title is known to be in force.
    """

    on: date
    enterprise: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    figures: Mapping[int, Mapping[str, object]] = field(default_factory=lambda: MappingProxyType({}))
    intellectual_property: tuple[Mapping[str, object], ...] | None = None
    titles: tuple[Mapping[str, object], ...] | None = None
    terms: Terms = field(default_factory=lambda: MappingProxyType({}))

    def value(self, key: str, year: int | None = None) -> object | None:
        """A stored or title-derived value, None when unknown.

        A firm on the register of 经营异常 or 严重违法失信 today was listed this year, whatever the yearly
        declaration says (115号 第六条（四）). IP counts depend on a rule's classes and are not answered here.
        Raises KeyError for a fact that was never declared.
        """
        noun, code = key.split(".", 1)
        if noun == "figures":
            if code == _LISTED and year == self.on.year and any(self.enterprise.get(c) is True for c in _LISTINGS):
                return True
            row = self.figures.get(year) if year is not None else None
            return None if row is None else row.get(code)
        if noun == "enterprise":
            return self.enterprise.get(code)
        if noun == "titles" and key in DERIVED:
            kind, question = _TITLE_FACTS[key]
            return None if self.titles is None else question(self.titles, kind, self.on, self.terms)
        raise KeyError(key)


_TITLE_FACTS = {f"titles.{kind}_{suffix}": (kind, question) for kind in KINDS for suffix, question in QUESTIONS.items()}


class FactsNotUnderstood(InvalidInput):
    """A facts file cannot be used: ``problems`` is {place in the file: one Chinese sentence}."""


def facts_from_json(data: object, on: date | None = None, *, terms: Terms | None = None) -> Facts:
    """Facts from the plain form that ``assess --facts`` reads.

    The form: ``{"on": "2026-11-23", "enterprise": {code: value}, "figures": {"2025": {code: value}},
    "intellectual_property": [{code: value}], "titles": [{code: value}]}``; every part may be missing, null is
    unknown, ``on`` given to the call wins over the file. Money is 元 with at most two decimals, dates are
    ``YYYY-MM-DD``, choices their code or Chinese word, yes/no true/false or 是/否. ``terms``: see Facts.

    Raises FactsNotUnderstood with one sentence for each wrong entry.
    """
    problems: dict[str, str] = {}
    if not isinstance(data, Mapping):
        raise FactsNotUnderstood({"": "事实文件的最外层要写成一个对象（大括号）。"})
    for name in data:
        if name not in ("on", "enterprise", "figures", "intellectual_property", "titles"):
            problems[str(name)] = f"“{name}”不认得；只认 on、enterprise、figures、intellectual_property、titles。"
    day = on if on is not None else _day(data.get("on"), problems)
    enterprise = _record("enterprise", data.get("enterprise"), "enterprise", problems)
    figures = _figures(data.get("figures"), problems)
    owned = _records("intellectual_property", data.get("intellectual_property"), "intellectual_property", problems)
    titles = _records("titles", data.get("titles"), "qualification", problems)
    _refuse_repeated_numbers(owned, problems)
    _refuse_half_ended_titles(titles, problems)
    if day is not None:
        _refuse_contradicted_listing(day, enterprise, figures, problems)
    if problems or day is None:
        raise FactsNotUnderstood(problems)
    return Facts(day, enterprise, figures, owned, titles, terms or MappingProxyType({}))


def _day(value: object, problems: dict[str, str]) -> date | None:
    if value is None:
        problems["on"] = "缺少日期 on；写成 2026-11-23 这样的格式。"
        return None
    try:
        return _as_date(value)
    except ValueError:
        problems["on"] = f"on 写的是“{value}”，不是日期；写成 2026-11-23 这样的格式。"
        return None


def _figures(data: object, problems: dict[str, str]) -> Mapping[int, Mapping[str, object]]:
    years: dict[int, Mapping[str, object]] = {}
    if data is None:
        return MappingProxyType(years)
    if not isinstance(data, Mapping):
        problems["figures"] = "figures 要写成“年度 → 指标”的对象。"
        return MappingProxyType(years)
    for year, row in data.items():
        if not _YEAR.fullmatch(str(year)):
            problems[f"figures.{year}"] = f"figures 中的“{year}”不是年度；写成四位数字，如 2025。"
            continue
        years[int(str(year))] = _record(f"figures.{year}", row, "figures", problems)
    return MappingProxyType(years)


def _records(place: str, data: object, noun: str, problems: dict[str, str]) -> tuple[Mapping[str, object], ...] | None:
    if data is None:
        return None
    if not isinstance(data, list):
        problems[place] = f"{place} 要写成列表（方括号）；一件也没有就写 []。"
        return None
    return tuple(_record(f"{place}.{n}", item, noun, problems) for n, item in enumerate(data, start=1))


def _record(place: str, data: object, noun: str, problems: dict[str, str]) -> Mapping[str, object]:
    values: dict[str, object] = {}
    if data is None:
        return MappingProxyType(values)
    if not isinstance(data, Mapping):
        problems[place] = f"{place} 要写成对象（大括号）。"
        return MappingProxyType(values)
    for code, value in data.items():
        declared = FIELDS.get(f"{noun}.{code}")
        if declared is None:
            problems[f"{place}.{code}"] = f"{place} 中的“{code}”不认得；可用的名称见 docs/facts.md。"
        elif value is not None:
            try:
                values[str(code)] = _read(declared, value)
            except ValueError as error:
                problems[f"{place}.{code}"] = f"{place}.{code}（{declared.label}）写的是“{value}”，{error}。"
    return MappingProxyType(values)


def _read(declared: Field, value: object) -> object:
    """One value by the type of its field; raises ValueError with the second half of a Chinese sentence."""
    if declared.type in ("money", "ratio", "number"):
        return _within(declared, _as_decimal(declared, value))
    if declared.type in ("count", "year"):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("要写成整数")
        return _within(declared, value)
    if declared.type == "date":
        return _as_date(value)
    if declared.type == "yes_no":
        return _as_yes_no(value)
    if declared.type == "choice" and declared.choices in CHOICES:
        return _as_choice(CHOICES[declared.choices], value)
    if declared.type in _REFERENCES and isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise ValueError("要写成文字（加引号）")
    return value.strip() or None


def _as_decimal(declared: Field, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("要写成数字")
    try:
        # The shortest text of a binary number is what was typed in the file.
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation:
        raise ValueError("要写成数字，不带单位和逗号") from None
    if not number.is_finite() or abs(number) >= _TOO_MUCH:
        raise ValueError("要写成数字，且小于一千万亿")
    if declared.type == "money" and number != round(number, 2):
        raise ValueError("金额以元为单位，最多两位小数")
    return number


def _within(declared: Field, number: int | Decimal) -> int | Decimal:
    if declared.minimum is not None and number < declared.minimum:
        raise ValueError(f"不能小于 {declared.minimum}")
    if declared.maximum is not None and number > declared.maximum:
        raise ValueError(f"不能大于 {declared.maximum}")
    return number


def _as_date(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError("不是日期；写成 2026-11-23 这样的格式") from None


def _as_yes_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _YES:
        return _YES[value]
    raise ValueError("要写 true、false 或是、否")


def _as_choice(choices: Mapping[str, str], value: object) -> str:
    for code, label in choices.items():
        if value in (code, label):
            return code
    raise ValueError("要写其中之一：" + "、".join(f"{code}（{label}）" for code, label in choices.items()))


def _refuse_repeated_numbers(owned: tuple[Mapping[str, object], ...] | None, problems: dict[str, str]) -> None:
    """The same certificate written twice would count twice."""
    seen: dict[object, int] = {}
    for n, item in enumerate(owned or (), start=1):
        number = item.get("number")
        if number is None:
            continue
        if number in seen:
            problems[f"intellectual_property.{n}.number"] = (
                f"intellectual_property 第 {n} 件与第 {seen[number]} 件的授权号相同（{number}）；同一件只写一次。"
            )
        seen.setdefault(number, n)


def _refuse_half_ended_titles(titles: tuple[Mapping[str, object], ...] | None, problems: dict[str, str]) -> None:
    """An end needs its reason, so that a title whose end date is blanked is not taken for one in force."""
    for n, title in enumerate(titles or (), start=1):
        if title.get("ended_on") is not None and title.get("end_reason") is None:
            problems[f"titles.{n}.end_reason"] = f"titles 第 {n} 项有终止日期，缺终止原因 end_reason。"


def _refuse_contradicted_listing(
    on: date, enterprise: Mapping[str, object], figures: Mapping[int, Mapping[str, object]], problems: dict[str, str]
) -> None:
    declared = figures.get(on.year, {}).get(_LISTED)
    for code in _LISTINGS:
        if declared is False and enterprise.get(code) is True:
            problems[f"figures.{on.year}.{_LISTED}"] = (
                f"figures.{on.year}.{_LISTED} 写“否”，enterprise.{code} 却写“是”；先核实哪一处对，再改另一处。"
            )
