"""Who wins where a cell of a file differs from the library: said per column in the profile (``wins = "ask"``)."""

from collections.abc import Mapping
from typing import Any

from crm.sheets.refusals import ProfileInvalid

# The file's value is written; the library's stays (a blank one is filled); a person decides row by row.
FILE, OURS, ASK = "file", "ours", "ask"
RULES = (FILE, OURS, ASK)
# Where a profile says nothing. Another code may mean another enterprise, so nobody but a person takes it over.
_DEFAULTS = {"enterprise.credit_code": ASK}


def rule_of(entry: Mapping[str, Any], key: str, source: str) -> str:
    """The rule of a column by its entry in a profile; raises ProfileInvalid for a word that is none."""
    wins = entry.get("wins", _DEFAULTS.get(key, FILE))
    if wins not in RULES:
        raise ProfileInvalid(f"{source}: {key}: wins = {wins!r} is none of {', '.join(RULES)}")
    return wins
