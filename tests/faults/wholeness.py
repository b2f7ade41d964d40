"""What must hold whatever was killed or ran full: a batch is whole or absent, and nothing in the database is half."""

from sqlalchemy import func, select, text

from crm.actions.imports import written_as
from crm.extensions import Base, db
from crm.store.changes import Change, ChangeSet
from crm.store.enterprises import Enterprise
from crm.store.imports import ImportBatch
from crm.store.projections import all_ids
from crm.store.records import DOMAIN_TABLES
from crm.store.standings import SearchText, Standing


def counts() -> dict[str, int]:
    """How many rows every domain table and the history have."""
    db.session.rollback()
    tables = [Base.metadata.tables[name] for name in (*sorted(DOMAIN_TABLES), "change_set", "change")]
    found = {table.name: db.session.scalar(select(func.count()).select_from(table)) for table in tables}
    db.session.rollback()
    return found


def problems_of_database() -> list[str]:
    """What the database itself and a comparison of its tables find wrong."""
    db.session.rollback()
    found = []
    if db.engine.dialect.name == "sqlite":
        found += [row[0] for row in db.session.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]
        found += [f"foreign key: {tuple(row)}" for row in db.session.execute(text("PRAGMA foreign_key_check"))]
    living = set(all_ids())
    for projection in (Standing, SearchText):
        if set(db.session.scalars(select(projection.enterprise_id))) != living:
            found.append(f"{projection.__tablename__} does not cover the enterprises")
    for change_set in db.session.scalars(select(ChangeSet)):
        wrote = db.session.scalar(select(func.count(Change.id)).where(Change.change_set_id == change_set.id))
        if wrote != change_set.record_count:
            found.append(f"change set {change_set.id} says {change_set.record_count} and has {wrote}")
    codes = select(Enterprise.credit_code).where(~Enterprise.deleted, Enterprise.credit_code.is_not(None))
    twice = db.session.scalars(codes.group_by(Enterprise.credit_code).having(func.count() > 1)).all()
    found += [f"code {code} twice" for code in twice]
    db.session.rollback()
    return found


def is_written(batch_id: int) -> bool:
    """Whether a batch is in the library, after checking that it is whole or absent and that its page says which."""
    db.session.rollback()
    batch, change_set_id = db.session.get(ImportBatch, batch_id), written_as(batch_id)
    assert (batch.state == "done") == (change_set_id is not None), (batch.state, change_set_id)
    assert batch.change_set_id == change_set_id
    sets = db.session.scalars(select(ChangeSet.id).where(ChangeSet.import_batch_id == batch_id)).all()
    assert list(sets) == ([] if change_set_id is None else [change_set_id])
    if change_set_id is not None:
        _compare_with_tables(change_set_id)
    db.session.rollback()
    return change_set_id is not None


def _compare_with_tables(change_set_id: int) -> None:
    query = select(Change.noun, func.count()).where(Change.change_set_id == change_set_id, Change.op == "create")
    for noun, said in db.session.execute(query.group_by(Change.noun)).all():
        table = Base.metadata.tables[noun]
        created = select(Change.record_id).where(
            Change.change_set_id == change_set_id, Change.op == "create", Change.noun == noun
        )
        there = db.session.scalar(select(func.count()).select_from(table).where(table.c.id.in_(created)))
        assert there == said, (noun, there, said)
