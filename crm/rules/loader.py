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


def text_of(name: str) -> str:
    """The exact text of ``crm/rules/<name>.toml``; raises RuleFileError when there is no such file."""
    path = HERE / f"{name}.toml"
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RuleFileError(f"{path.name}: no such rule file") from None


def parse(text: str, name: str) -> dict[str, Any]:
    """The content of a text in the form of a rule file; ``name`` stands in the message of a RuleFileError."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise RuleFileError(f"{name}: {error}") from None


def names(folder: str) -> list[str]:
    """The names of the rule files of one folder, without the ending, in alphabetical order."""
    return sorted(path.stem for path in (HERE / folder).glob("*.toml"))
