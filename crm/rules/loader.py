"""The one loader of rule files: exact numbers, dated entries, and a sentence that names the file and the place."""

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class RuleFileError(ValueError):
    """A rule file cannot be used; the message names the file and the entry."""


def read(name: str) -> dict[str, Any]:
    """The content of ``crm/rules/<name>.toml`` with decimals kept exact (never a binary float).

    Raises RuleFileError when the file is missing or is not TOML.
    """
    path = HERE / f"{name}.toml"
    try:
        with path.open("rb") as file:
            return tomllib.load(file, parse_float=Decimal)
    except FileNotFoundError:
        raise RuleFileError(f"{path.name}: no such rule file") from None
    except tomllib.TOMLDecodeError as error:
        raise RuleFileError(f"{path.name}: {error}") from None


def in_force(entry: dict[str, Any], on: date) -> bool:
    """Whether a dated entry (``valid_from``, ``valid_to``, both inclusive and optional) counts on that day."""
    starts, ends = entry.get("valid_from"), entry.get("valid_to")
    return (starts is None or starts <= on) and (ends is None or on <= ends)
