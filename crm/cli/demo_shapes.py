"""What an invented world is made of: plain values that ``demo`` feeds to the actions."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from crm.cli.demo_titles import DemoTitle, Fields

NOTICE = "演示数据：企业、人员、号码和文件全部虚构，与任何真实企业、个人无关。信用代码用未分配的区划 500299。"
PASSWORD = "yanshi-2027-shanxi"
COUNTY, SECOND = "500238", "500299"


@dataclass(frozen=True)
class DemoRegion:
    code: str
    name: str
    level: str
    parent: str | None
    invented: bool = False


@dataclass(frozen=True)
class DemoPlace:
    """A unit, park or carrier: ``noun`` says which, ``region`` is the code of its county."""

    noun: str
    region: str
    name: str
    kind: str | None = None
    aliases: tuple[str, ...] = ()
    owns: tuple[str, ...] = ()


@dataclass(frozen=True)
class DemoGrant:
    """A role over a region (by code) and, for unit, park and carrier roles, the place by name."""

    role: str
    region: str
    unit: str | None = None
    park: str | None = None
    carrier: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class DemoUser:
    login: str
    name: str
    email: str
    region: str
    grants: tuple[DemoGrant, ...]
    active: bool = True


@dataclass(frozen=True)
class DemoAffiliation:
    """``kind`` as in fields.AFFILIATIONS; ``value`` is a region code, a place's name, a login, a choice or a bool."""

    kind: str
    value: Any
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True)
class DemoLog:
    """One event: field codes of ``service_log``, the login of its true author, and the keys of its enterprises.

    ``done_on`` is the day on which its next step was settled, None while it is open or when there is none.
    """

    fields: Fields
    author: str
    region: str
    enterprises: tuple[str, ...]
    done_on: date | None = None


@dataclass(frozen=True)
class DemoEnterprise:
    """``key`` names it inside the world; ``fields`` holds codes of ``enterprise`` without affiliations.

    ``figures`` is {year: {code: value}}; ``former_names`` are (name, last day). ``recipe`` says which state it shows
    and ``rung`` on which rung it stands on the world's day.
    """

    key: str
    region: str
    fields: Fields
    affiliations: tuple[DemoAffiliation, ...]
    figures: dict[int, Fields]
    titles: tuple[DemoTitle, ...]
    pool: tuple[Fields, ...]
    ip: tuple[Fields, ...]
    former_names: tuple[tuple[str, date], ...] = ()
    code_reason: str | None = None
    recipe: str = ""
    rung: int = 0

    def value_on(self, kind: str, on: date) -> Any:
        """The affiliation of a kind in force on a day, None when there is none."""
        for one in self.affiliations:
            if one.kind == kind and one.starts_on <= on and (one.ends_on is None or on <= one.ends_on):
                return one.value
        return None


@dataclass(frozen=True)
class World:
    seed: int
    on: date
    regions: tuple[DemoRegion, ...]
    places: tuple[DemoPlace, ...]
    users: tuple[DemoUser, ...]
    enterprises: tuple[DemoEnterprise, ...]
    logs: tuple[DemoLog, ...]
    notice: str = NOTICE
    password: str = PASSWORD
