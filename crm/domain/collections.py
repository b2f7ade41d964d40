"""What an enterprise is asked (采集): the facts behind unknown conditions that it can tell itself."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm.domain.cells import CLEAR, compact
from crm.domain.codecs import read_value, write_value
from crm.domain.facts import FactRef
from crm.domain.fields import AFFILIATIONS, FIELDS, Field
from crm.domain.judgements import Result, unknown_facts

# Amounts are asked, typed and printed in this unit, as everywhere on screen.
MONEY_UNIT = "万元"
# Rules count pieces of the register of IP; the enterprise is asked for the pieces, never for their number.
REGISTER = "ip.list"
REGISTER_LABEL = "知识产权清单"
_REGISTER_NOUNS = frozenset({"ip", "intellectual_property"})
_ORDER = {key: n for n, key in enumerate(FIELDS)}


@dataclass(frozen=True)
class Question:
    """One fact an enterprise is asked for. ``path`` names it everywhere: figures.2025.revenue, ip.list."""

    path: str
    field: Field | None
    year: int | None = None

    @property
    def label(self) -> str:
        """The name of the fact without its year."""
        return REGISTER_LABEL if self.field is None else self.field.label

    @property
    def title(self) -> str:
        """The name with its year: 2025 年销售收入."""
        return f"{self.year} 年{self.label}" if self.year else self.label

    @property
    def unit(self) -> str:
        """The unit in which it is answered; empty for words, days and choices."""
        if self.field is None:
            return "件"
        if self.field.type == "money":
            return MONEY_UNIT
        return "%" if self.field.type == "ratio" else self.field.unit

    @property
    def name(self) -> str:
        """The path as the name of a field of a form."""
        return self.path.replace(".", "-")

    @property
    def confidential(self) -> bool:
        return self.field is not None and self.field.noun == "figures"


@dataclass(frozen=True)
class Blocked:
    """What is missing for some judgements: what the enterprise can tell, and what somebody else has to find out."""

    asked: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


def question(path: str) -> Question | None:
    """The question of a path; None when it is no fact, or none an enterprise is ever asked for."""
    if path == REGISTER:
        return Question(path, None)
    parts = path.split(".")
    if len(parts) == 3 and parts[0] == "figures" and parts[1].isascii() and parts[1].isdigit() and len(parts[1]) == 4:
        field, year = FIELDS.get(f"figures.{parts[2]}"), int(parts[1])
    elif len(parts) == 2 and parts[0] == "enterprise":
        field, year = FIELDS.get(path), None
    else:
        return None
    return Question(path, field, year) if field is not None and may_be_asked(field) else None


def may_be_asked(field: Field) -> bool:
    """Whether a fact is the enterprise's to tell.

    Scores are given by experts and affiliations are kept by the bureau; who the enterprise is, it need not be asked.
    """
    if field.noun == "figures":
        return field.owner != "bureau" and field.code != "source_note"
    kept = field.code in AFFILIATIONS or field.code in ("name", "credit_code", "former_name", "old_number", "notes")
    return field.noun == "enterprise" and not kept and field.owner != "bureau"


def questions(paths: Iterable[str]) -> list[Question]:
    """The questions of these paths in the order of sheets: the enterprise, years from the newest, the register."""
    found = {path: asked for path in paths if (asked := question(path)) is not None}
    return sorted(found.values(), key=_place)


def _place(asked: Question) -> tuple[int, int, int]:
    if asked.field is None:
        return (2, 0, 0)
    return (0 if asked.year is None else 1, -(asked.year or 0), _ORDER[asked.field.key])


def blocking(results: Iterable[Result]) -> Blocked:
    """What keeps conditions of these comparisons unknown: nothing that is known, nothing that no rule asks."""
    asked: dict[str, None] = {}
    elsewhere: dict[str, None] = {}
    for result in results:
        for ref in unknown_facts(result):
            path = _path_of(ref)
            if path is not None:
                asked[path] = None
            else:
                elsewhere[ref.label] = None
    return Blocked(tuple(one.path for one in questions(asked)), tuple(elsewhere))


def _path_of(ref: FactRef) -> str | None:
    if ref.key.split(".", 1)[0] in _REGISTER_NOUNS:
        return REGISTER
    return ref.path if question(ref.path) is not None else None


def read_answer(asked: Question, raw: object, *, choices: Mapping[Any, str] | None = None, today: date) -> Any:
    """The value behind an answer, by the codec of its field; None when nothing is said. Raises Unreadable."""
    assert asked.field is not None
    unit = MONEY_UNIT if asked.field.type == "money" else None
    value = read_value(asked.field, raw, unit=unit, choices=choices, today=today)
    return None if value is CLEAR else value


def written_answer(asked: Question, value: Any, *, choices: Mapping[Any, str] | None = None) -> str:
    """A value as it stands in a cell or a line of a form; reading it gives the value again."""
    if value is None or asked.field is None:
        return ""
    unit = MONEY_UNIT if asked.field.type == "money" else None
    written = write_value(asked.field, value, unit=unit, choices=choices)
    return "" if written is None else str(written)


# --- the stamp by which a returned sheet is recognised ---------------------------------------------------------------

# The version of the sheet's layout stands in the stamp, so that a later release still knows an earlier sheet.
LAYOUT = 1
_STAMP = re.compile(r"CJ(\d{1,3})-(\d{1,18})-(\d{1,18})-([0-9A-F]{6})")
_LOOKS_STAMPED = re.compile(r"CJ\d", re.IGNORECASE)


@dataclass(frozen=True)
class Stamp:
    """Which sheet of which collection a returned file says it is; ``is_whole``: its check letters belong to it."""

    layout: int
    collection_id: int
    sheet_id: int
    check: str

    def is_whole(self, enterprise_id: int) -> bool:
        """Whether nobody mended it: a slip of a digit, or the stamp of one sheet pasted onto another."""
        return self.check == _check(self.layout, self.collection_id, self.sheet_id, enterprise_id)


def stamp_of(collection_id: int, sheet_id: int, enterprise_id: int) -> str:
    """The stamp printed on a sheet: CJ1-12-345-3F9A2C. It guards against slips and is no secret."""
    check = _check(LAYOUT, collection_id, sheet_id, enterprise_id)
    return f"CJ{LAYOUT}-{collection_id}-{sheet_id}-{check}"


def read_stamp(text: str) -> Stamp | None:
    """The stamp that stands in a cell, None when there is none or it is no longer one."""
    found = _STAMP.search(compact(text).upper())
    return Stamp(int(found[1]), int(found[2]), int(found[3]), found[4]) if found else None


def was_stamped(text: str) -> bool:
    """Whether a cell once held a stamp and is mended beyond recognition."""
    return bool(_LOOKS_STAMPED.match(compact(text))) and read_stamp(text) is None


def _check(layout: int, collection_id: int, sheet_id: int, enterprise_id: int) -> str:
    told = f"{layout}:{collection_id}:{sheet_id}:{enterprise_id}".encode()
    return hashlib.sha256(told).hexdigest()[:6].upper()
