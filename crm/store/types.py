"""Column types that behave the same on SQLite and PostgreSQL; what differs is hidden here or in engine.py."""

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import JSON, BigInteger, DateTime, Integer, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

# JSON text on SQLite, JSONB on PostgreSQL.
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

# SQLite only auto-increments INTEGER PRIMARY KEY; PostgreSQL gets the wide type for rows that grow for ever.
BigId = BigInteger().with_variant(Integer, "sqlite")


class TooLong(ValueError):
    """A text is longer than its column allows; SQLite would have kept it, PostgreSQL would have refused."""


class Words(TypeDecorator):
    """Text of a stated length, checked here because SQLite does not enforce it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value, dialect):
        if value is not None and len(value) > self.impl.length:
            raise TooLong(f"{len(value)} characters where {self.impl.length} fit")
        return value


class Money(TypeDecorator):
    """Decimal 元 in Python, whole 分 in the database: SQLite would keep a Numeric as a binary float."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value, dialect):
        if value is None:
            return None
        fen = Decimal(value).scaleb(2)
        if fen != fen.to_integral_value():
            raise ValueError(f"{value} 元 is finer than one 分")
        return int(fen)

    def process_result_value(self, value, dialect):
        return None if value is None else Decimal(value).scaleb(-2)


class Exact(TypeDecorator):
    """An exact decimal that is no money (ratios, scores), kept as its digits."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else format(Decimal(value), "f")

    def process_result_value(self, value, dialect):
        return None if value is None else Decimal(value)


class Moment(TypeDecorator):
    """An aware moment, UTC in the database; SQLite hands naive values back, so they are marked as UTC again."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment needs its time zone: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect):
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
