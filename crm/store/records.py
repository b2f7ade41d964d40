"""What every domain table has, and columns made from the one declaration of each field."""

from sqlalchemy import Boolean, Column, Date, Integer, SmallInteger, false
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from crm.domain.fields import AFFILIATIONS, Field, fields_of
from crm.extensions import db
from crm.store.types import BigId, Exact, Json, Money, Words

# Nouns whose rows only the writer touches, by table name. A new domain table registers itself by being a Record.
DOMAIN_TABLES: set[str] = set()


class Record:
    """A domain record: an id that is never reused, the version seen by editors, and soft deletion."""

    @declared_attr.directive
    def __tablename__(cls) -> str:
        name = "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("_")
        DOMAIN_TABLES.add(name)
        return name

    @declared_attr.directive
    def __table_args__(cls):
        return (*getattr(cls, "extra_args", ()), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True, sort_order=-10)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1", sort_order=-9)
    deleted: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false(), sort_order=-8)


class Machine:
    """A table of the machinery (sessions, jobs, projections …): exempt from the writer, never undone."""

    @declared_attr.directive
    def __tablename__(cls) -> str:
        return "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("_")


def column_for(field: Field) -> Column:
    """The database column of a declared field."""
    by_type = {
        "date": Date,
        "year": SmallInteger,
        "count": Integer,
        "money": Money,
        "ratio": Exact,
        "number": Exact,
        "yes_no": Boolean,
        "choices": Json,
        "choice": lambda: Words(40),
    }
    if field.type in ("text", "long_text", "code", "industry"):
        return mapped_column(Words(field.length or 200), nullable=True)
    return mapped_column(by_type[field.type](), nullable=True)


def add_field_columns(model: type, noun: str, *, leave_out: tuple[str, ...] = ()) -> None:
    """Give a model one column per declared field of its noun (dated affiliations have rows of their own)."""
    for field in fields_of(noun):
        if field.code in leave_out or (noun == "enterprise" and field.code in AFFILIATIONS):
            continue
        if not hasattr(model, field.code):
            setattr(model, field.code, column_for(field))


Model = db.Model
