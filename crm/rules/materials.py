"""Materials checklists as data: what an application of a kind hands in, and how fresh it must be (materials.toml)."""

from functools import cache
from typing import Any

from crm.domain.materials import Checklist, Checklists, Item
from crm.rules.entries import entries_of, header_of, month_day, parts_of, require_every_kind
from crm.rules.loader import RuleFileError


@cache
def load_checklists() -> Checklists:
    """The checklists of materials.toml. Raises RuleFileError naming the entry that cannot be used."""
    entries = entries_of("materials", "checklist", _checklist)
    require_every_kind("materials", "checklist", entries)
    return Checklists(entries)


def _checklist(entry: dict[str, Any], where: str) -> Checklist:
    header = header_of(entry, where)
    items = parts_of(entry, "item", _item, where, "items")
    return Checklist(header.kinds, items, header.valid_from, header.valid_to, header.citation)


def _item(entry: dict[str, Any], where: str) -> Item:
    code, name = entry.get("code"), entry.get("name")
    if not isinstance(code, str) or not code or len(code) > 40:
        raise RuleFileError(f"{where}: code must be a word of up to 40 letters")
    if not isinstance(name, str) or not name:
        raise RuleFileError(f"{where}: name is missing")
    fresh = None
    if "fresh_from" in entry:
        back = entry.get("years_back", 0)
        if type(back) is not int or back < 0:
            raise RuleFileError(f"{where}: years_back must be a whole number, 0 or more")
        fresh = (back, *month_day(entry, "fresh_from", where))
    return Item(
        code=code,
        name=name,
        required=bool(entry.get("required", True)),
        note=str(entry.get("note", "")),
        fresh_from=fresh,
        carries=bool(entry.get("carries", True)),
        check=str(entry.get("check", "")),
    )
