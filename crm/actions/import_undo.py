"""Taking an import back: worked out and made ready outside the lock, then written if nobody saved meanwhile."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from crm.actions import changes as undoing
from crm.actions.imports import disturbed_since, newest_change, own_batch
from crm.domain.acts import Act
from crm.domain.fields import FIELDS
from crm.domain.refusals import Refused
from crm.domain.undoing import Kept, UndoPlan
from crm.domain.viewers import Viewer
from crm.extensions import Base, db
from crm.store.enterprises import Enterprise
from crm.store.imports import ImportBatch
from crm.store.unit_of_work import LIBRARY, hold
from crm.store.writer import Prepared, prepare


def preview_undo(batch_id: int, *, viewer: Viewer) -> UndoPlan:
    """What undoing a batch would do now."""
    return undoing.preview_undo(_change_set_of(own_batch(batch_id, viewer)), viewer=viewer)


@dataclass(frozen=True)
class PreparedUndo:
    """The undo of a batch, worked out and made ready outside the lock."""

    change_set_id: int
    plan: UndoPlan
    prepared: Prepared
    newest_change: int


def prepare_undo(batch_id: int, *, act: Act) -> PreparedUndo:
    """Work out and make ready the undo of a batch, outside any unit of work; ``undo_import`` then writes it.

    Raises NotFound, NotAllowed, and Refused when there is nothing to take back.
    """
    batch = own_batch(batch_id, act.viewer)
    change_set_id = _change_set_of(batch)
    newest = newest_change()
    plan = undoing.preview_undo(change_set_id, viewer=act.viewer)
    return PreparedUndo(change_set_id, plan, prepare(undoing.changes_of(plan), act=act), newest)


def undo_import(batch_id: int, undo: PreparedUndo, *, act: Act) -> undoing.UndoResult | None:
    """Take back what a batch wrote, by the last-writer rule; later edits are kept and named.

    None when somebody saved something since it was worked out: work it out again.
    """
    hold(LIBRARY)
    batch = own_batch(batch_id, act.viewer)
    touched = undo.prepared.enterprise_ids
    if _change_set_of(batch) != undo.change_set_id or disturbed_since(undo.newest_change, touched):
        return None
    return undoing.undo_prepared(undo.change_set_id, undo.plan, undo.prepared, act=act)


def _change_set_of(batch: ImportBatch) -> int:
    if batch.state == "undone":
        raise Refused("这次导入已经撤销过。")
    if batch.state != "done" or batch.change_set_id is None:
        raise Refused("这次导入没有写入过，没有可撤销的。")
    return batch.change_set_id


NOUN_WORDS = {
    "enterprise": "企业",
    "enterprise_alias": "曾用名",
    "affiliation": "归属",
    "qualification": "认定（入库）资格",
    "figures": "年度指标",
    "service_log": "服务记录",
    "service_log_enterprise": "服务记录",
}


def kept_words(kept: Sequence[Kept]) -> list[tuple[str, str]]:
    """What an undo leaves as it is, as (whose, sentence): the field or record, and who wrote it since."""
    by_noun: dict[str, set[int]] = defaultdict(set)
    for item in kept:
        by_noun[item.noun].add(item.record_id)
    owner: dict[tuple[str, int], int] = {}
    for noun, ids in by_noun.items():
        table = Base.metadata.tables[noun]
        if noun == "enterprise":
            owner.update({(noun, record_id): record_id for record_id in ids})
        elif "enterprise_id" in table.c:
            query = select(table.c.id, table.c.enterprise_id).where(table.c.id.in_(ids))
            owner.update({(noun, record_id): enterprise_id for record_id, enterprise_id in db.session.execute(query)})
    query = select(Enterprise.id, Enterprise.name).where(Enterprise.id.in_(set(owner.values())))
    names = dict(db.session.execute(query).all())
    lines = []
    for item in kept:
        declared = FIELDS.get(f"{item.noun}.{item.field}")
        what = declared.label if declared is not None else NOUN_WORDS.get(item.noun, item.noun)
        if item.why == "replaced":
            sentence = f"{what}：{item.who}后来登记的取代了它，不恢复"
        elif item.why == "children":
            sentence = f"导入后{item.who}在它下面登记过内容，保留"
        elif item.field is None:
            sentence = f"导入后{item.who}改过{what}，保留"
        else:
            sentence = f"{what}：导入后{item.who}改过，保留后来的值"
        lines.append((names.get(owner.get((item.noun, item.record_id), 0), ""), sentence))
    return lines
