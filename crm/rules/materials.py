"""Materials checklists as data: what an application of a kind hands in, and how fresh it must be (materials.toml)."""

from functools import cache
from typing import Any

from crm.domain.kinds import KINDS
from crm.domain.materials import Checklist, Checklists, Item
from crm.rules.ladder import citation_of, day_of, month_day
from crm.rules.loader import RuleFileError, read


@cache
def load_checklists() -> Checklists:
    """The checklists of materials.toml. Raises RuleFileError naming the entry that cannot be used."""
    found = read("materials").get("checklist", [])
    entries = tuple(_checklist(entry, f"materials.toml: checklist {n}") for n, entry in enumerate(found, 1))
    missing = [kind for kind in KINDS if not any(kind in entry.kinds for entry in entries)]
    if missing:
        raise RuleFileError(f"materials.toml: no checklist for {', '.join(missing)}")
    return Checklists(entries)


def _checklist(entry: dict[str, Any], where: str) -> Checklist:
    kinds = entry.get("kinds")
    if not isinstance(kinds, list) or not kinds or not set(kinds) <= KINDS.keys():
        raise RuleFileError(f"{where}: kinds must be a list of known kinds")
    items = tuple(_item(one, f"{where}: item {n}") for n, one in enumerate(entry.get("item", []), 1))
    codes = [item.code for item in items]
    if not codes or len(set(codes)) != len(codes):
        raise RuleFileError(f"{where}: items must be given, each once")
    return Checklist(
        tuple(kinds), items, day_of(entry, "valid_from", where), entry.get("valid_to"), citation_of(entry, where)
    )


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
