"""Cells corrected in the preview: what a person types is laid over the file, which itself stays as it came."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select

from crm.actions.import_said import Correction, Said
from crm.actions.imports import PREVIEW, ask_again, own_batch, require_decider
from crm.actions.jobs import asked_already
from crm.domain.acts import Act
from crm.domain.refusals import Refused
from crm.extensions import db
from crm.store.imports import ImportBatch, ImportRow

# A cell of Excel holds more; what is typed beside an error does not.
_LONGEST = 2_000

Place = tuple[str, int, str]


@dataclass(frozen=True)
class Typed:
    """The cell of a previewed row that something was typed for: the row's id, the column's letter."""

    row_id: int
    letter: str


def correct_cells(batch_id: int, typed: Mapping[Typed, str], *, act: Act) -> int:
    """Lay what was typed over the cells that are told to be wrong, and ask for a new preview; returns how many differ.

    A cell left as it was does not count; an emptied one is read as empty. Raises NotFound, NotAllowed, and Refused when
    the batch is no preview, is a return of collected sheets, or nothing was changed. A second press returns 0.
    """
    own_batch(batch_id, act.viewer)
    if asked_already(PREVIEW, act=act) is not None:
        return 0
    batch = _previewed(batch_id, act)
    said = Said.of(batch.summary)
    fresh = dict(said.corrected)
    wanted = {place.row_id for place in typed}
    query = select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.id.in_(wanted))
    rows = {row.id: row for row in db.session.scalars(query)}
    for place, text in typed.items():
        row = rows.get(place.row_id)
        shown = _shown(row, place.letter) if row is not None else None
        if row is None or shown is None or _plain(text) == _plain(shown):
            continue
        at = (row.sheet, row.row, place.letter)
        earlier = said.corrected.get(at)
        before = earlier.before if earlier is not None else shown
        fresh[at] = Correction(_plain(text)[:_LONGEST], before, act.viewer.name, act.recorded_at.isoformat())
    differing = sum(said.corrected.get(at) != correction for at, correction in fresh.items())
    if not differing:
        raise Refused("没有改动。在错误旁边的格里改好，再重新预览。")
    _keep(batch, fresh)
    ask_again(batch_id, act=act)
    return differing


def take_back(batch_id: int, place: Place, *, act: Act) -> bool:
    """Let a corrected cell say again what stands in the file, and ask for a new preview; False on a second press.

    Raises NotFound, NotAllowed, and Refused when the batch is no preview or the cell was not corrected.
    """
    own_batch(batch_id, act.viewer)
    if asked_already(PREVIEW, act=act) is not None:
        return False
    batch = _previewed(batch_id, act)
    left = dict(Said.of(batch.summary).corrected)
    if left.pop(place, None) is None:
        raise Refused("这一格没有改过，或已经改回。刷新后再看。")
    _keep(batch, left)
    ask_again(batch_id, act=act)
    return True


def _shown(row: ImportRow, letter: str) -> str | None:
    """What the preview shows of a cell that something is said of; None: nothing is, and it cannot be corrected."""
    told = (problem["value"] for problem in row.problems or () if letter and problem["letter"] == letter)
    return next(told, None)


def _plain(text: str) -> str:
    """What was typed on one line, without signs that no cell holds."""
    return " ".join("".join(sign for sign in text if sign.isprintable() or sign.isspace()).split())


def _keep(batch: ImportBatch, corrected: Mapping[Place, Correction]) -> None:
    batch.summary = {**(batch.summary or {}), **replace(Said.of(batch.summary), corrected=corrected).kept()}


def _previewed(batch_id: int, act: Act) -> ImportBatch:
    batch = own_batch(batch_id, act.viewer)
    require_decider(batch, act.viewer)
    if batch.state != "preview" or batch.collection_id is not None:
        raise Refused("这次导入现在不能改格。刷新后再看。")
    return batch
