"""Entries that hold from a day to a day: places, offices, words."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_


def in_force(model: Any, on: date) -> ColumnElement[bool]:
    """The condition that an entry holds on a day; without days it always does."""
    return and_(
        or_(model.valid_from.is_(None), model.valid_from <= on), or_(model.valid_to.is_(None), model.valid_to >= on)
    )


def holds_on(row: Any, on: date) -> bool:
    """The same of one row."""
    return (row.valid_from is None or row.valid_from <= on) and (row.valid_to is None or row.valid_to >= on)
