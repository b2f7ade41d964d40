"""Entries that hold from a day to a day: places, offices, words."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_


def in_force(model: Any, on: date) -> ColumnElement[bool]:
    """``domain/periods.holds_on``, said to the database; without days an entry always holds."""
    return and_(
        or_(model.valid_from.is_(None), model.valid_from <= on), or_(model.valid_to.is_(None), model.valid_to >= on)
    )
