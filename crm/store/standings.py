"""Projections of an enterprise that lists, board and search read: rebuilt by projections.py, never edited."""

from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.store.records import Machine, Model
from crm.store.types import BigId, Moment, Words

STATE_COLUMNS = ("cq_tech", "tech_sme", "innovative_sme", "tech_innovative_sme", "hnte", "srdi", "little_giant", "pool")

# Titles that few enterprises ever had: their lists are found through an index of just those enterprises.
_RARE = ("innovative_sme", "tech_innovative_sme", "hnte", "srdi", "little_giant", "pool")


def _few(kind: str) -> Index:
    had = text(f"{kind} IS NOT NULL")
    return Index(f"ix_standing_{kind}", "region_id", kind, sqlite_where=had, postgresql_where=had)


class Standing(Machine, Model):
    """One row per undeleted enterprise: where it belongs now, what it holds, its rung, what comes next."""

    __table_args__ = (
        Index("ix_standing_region_rung", "region_id", "rung", "name_sort"),
        Index("ix_standing_region_name", "region_id", "name_sort"),
        # The board: its counts from one index alone, the most urgent cards of a rung or of a title in their order.
        Index("ix_standing_board", "region_id", "rung", *STATE_COLUMNS),
        Index("ix_standing_rung_due", "region_id", "rung", "next_due_at", "name_sort"),
        Index("ix_standing_due", "region_id", "next_due_at", "name_sort"),
        *map(_few, _RARE),
        Index("ix_standing_township", "township_id", "rung"),
        Index("ix_standing_manager", "manager_id", "rung"),
        Index("ix_standing_changes_on", "changes_on"),
    )

    enterprise_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("enterprise.id"), primary_key=True, autoincrement=False
    )
    region_id: Mapped[int] = mapped_column(Integer)
    # Full pinyin: the order of Chinese names on both databases.
    name_sort: Mapped[str] = mapped_column(Words(700))
    township_id: Mapped[int | None] = mapped_column(Integer)
    park_id: Mapped[int | None] = mapped_column(Integer)
    carrier_id: Mapped[int | None] = mapped_column(Integer)
    manager_id: Mapped[int | None] = mapped_column(Integer)
    status: Mapped[str | None] = mapped_column(Words(24))
    above_scale: Mapped[bool | None] = mapped_column(Boolean)
    abnormal: Mapped[bool | None] = mapped_column(Boolean)
    featured_industry: Mapped[str | None] = mapped_column(Words(40))
    hightech_field: Mapped[str | None] = mapped_column(Words(40))
    rung: Mapped[int] = mapped_column(SmallInteger)
    rung_since: Mapped[date | None] = mapped_column(Date)
    # The state of each title on the day of the projection (kinds.STATES), and of the pool.
    cq_tech: Mapped[str | None] = mapped_column(Words(20))
    tech_sme: Mapped[str | None] = mapped_column(Words(20))
    innovative_sme: Mapped[str | None] = mapped_column(Words(20))
    tech_innovative_sme: Mapped[str | None] = mapped_column(Words(20))
    hnte: Mapped[str | None] = mapped_column(Words(20))
    srdi: Mapped[str | None] = mapped_column(Words(20))
    little_giant: Mapped[str | None] = mapped_column(Words(20))
    pool: Mapped[str | None] = mapped_column(Words(20))
    next_expiry_on: Mapped[date | None] = mapped_column(Date)
    next_expiry_kind: Mapped[str | None] = mapped_column(Words(24))
    next_due_at: Mapped[datetime | None] = mapped_column(Moment)
    next_due_kind: Mapped[str | None] = mapped_column(Words(24))
    last_contact_on: Mapped[date | None] = mapped_column(Date)
    # The day it was computed for, and the next day on which the same facts give another answer.
    computed_on: Mapped[date] = mapped_column(Date)
    changes_on: Mapped[date | None] = mapped_column(Date)


class Spell(Machine, Model):
    """Consecutive titles of a kind stitched into one."""

    __table_args__ = (Index("ix_spell_enterprise", "enterprise_id"), Index("ix_spell_kind", "kind", "starts_on"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    kind: Mapped[str] = mapped_column(Words(24))
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    end_reason: Mapped[str | None] = mapped_column(Words(24))


class SearchText(Machine, Model):
    """Names, former names, codes, old numbers and pinyin of an enterprise in one lower-case text to search in."""

    enterprise_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("enterprise.id"), primary_key=True, autoincrement=False
    )
    # The normalised name (no spaces, brackets of one width): what exact matching compares.
    name_key: Mapped[str] = mapped_column(Words(120), index=True)
    haystack: Mapped[str] = mapped_column(Words(8000))
