"""Fields that several forms share: a day, a day with its hour, names, one of several; wrong input is kept and named."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from wtforms import IntegerField, StringField
from wtforms.validators import StopValidation

from crm.web.addresses import whole

_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_SEPARATORS = re.compile(r"[、,，;；\n]+")


def read_day(text: str) -> date:
    """A day written 2026-11-23, 2026/11/23 or 2026年11月23日. Raises ValueError with one sentence."""
    found = _DAY.fullmatch(text.strip())
    try:
        day = date(*map(int, found.groups())) if found else None
    except ValueError:
        day = None
    if day is None or not 1949 <= day.year <= 2099:
        raise ValueError(f"“{text.strip()[:40]}”不是日期。写成 2026-11-23。")
    return day


class WholeField(IntegerField):
    """A number a form carries along (a region, a version); one no row can have is no number."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return
        self.data = whole(valuelist[0])
        if self.data is None:
            raise ValueError(f"“{valuelist[0][:20]}”不是编号。刷新页面再试。")


class Kept(StringField):
    """A field whose text stays as typed while ``value`` is what it means."""

    value: Any = None

    def meaning(self, text: str) -> Any:
        raise NotImplementedError

    def text(self, value: Any) -> str:
        """What stands in the field for a value: ``meaning`` gives the value again."""
        return str(value)

    def pre_validate(self, form: Any) -> None:
        text = (self.data or "").strip()
        self.value = None
        if not text:
            return
        try:
            self.value = self.meaning(text)
        except ValueError as error:
            raise StopValidation(str(error)) from None


class DayField(Kept):
    def meaning(self, text: str) -> date:
        return read_day(text)


class MomentField(Kept):
    """A local moment as the browser sends it (2026-07-16T12:00); a day alone means its end, 24:00."""

    def meaning(self, text: str) -> datetime:
        day, _, hour = text.replace("T", " ").partition(" ")
        zone = ZoneInfo(current_app.config["TZ_NAME"])
        if not hour or hour in ("24:00", "23:59"):
            return datetime.combine(read_day(day), time(23, 59, 59), zone)
        try:
            return datetime.combine(read_day(day), time.fromisoformat(hour.strip()), zone)
        except ValueError:
            raise ValueError(f"“{text[:40]}”不是日期和钟点。写成 2026-07-16 12:00。") from None

    def text(self, value: datetime) -> str:
        return local_input(value)


class ChosenField(Kept):
    """The id of one record out of those a form offers; one that is made up, or offered no more, is named and kept.

    ``offered`` is {id: name}, given by the form before it is validated (``EditForm.offer``); None may be among the
    keys, for choosing none by a name. ``what`` says what is chosen: 部门, 窗口, 企业.
    """

    def __init__(self, label: str, what: str, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.what = what
        self.offered: Mapping[int | None, str] = {}

    def meaning(self, text: str) -> int:
        number = whole(text)
        if number is None or number not in self.offered:
            raise ValueError(f"所选的{self.what}不在列表里，可能刚停用，或不归你看。从列表里另选。")
        return number

    def options(self, blank: str | None = None) -> list[tuple[str, str]]:
        """(value, words) of a select: what is offered, and what was chosen even where it is offered no more.

        ``blank``: the words of the first line where none of the offered ones stands for choosing none.
        """
        first = [] if blank is None else [("", blank)]
        lines = [("" if key is None else str(key), name) for key, name in self.offered.items()]
        chosen = (self.data or "").strip()
        gone = [(chosen, f"（原来选的{self.what}，已不在列表里）")] if chosen and chosen not in dict(lines) else []
        return [*first, *lines, *gone]


class NamesField(Kept):
    """Several names on one line or several, each at most 80 characters."""

    def meaning(self, text: str) -> list[str]:
        names = list(dict.fromkeys(part.strip() for part in _SEPARATORS.split(text) if part.strip()))
        long = [name for name in names if len(name) > 80]
        if long or len(names) > 40:
            raise ValueError("每个别名不超过 80 个字，最多 40 个，用顿号隔开。")
        return names

    def text(self, value: list[str]) -> str:
        return "、".join(value)


def local_input(moment: datetime | None) -> str:
    """A moment as the value of a datetime-local input."""
    if moment is None:
        return ""
    return moment.astimezone(ZoneInfo(current_app.config["TZ_NAME"])).strftime("%Y-%m-%dT%H:%M")
