"""What a person says of a preview: which side of a row that asks is right, and what a sheet's missing column holds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from crm.actions.import_rows import KEEP_OURS, USE_FILE
from crm.actions.import_said import Said
from crm.actions.imports import PREVIEW, ask_again, own_batch, require_decider
from crm.actions.jobs import asked_already
from crm.domain.acts import Act
from crm.domain.cells import Unreadable
from crm.domain.codecs import reader_of
from crm.domain.fields import CHOICES
from crm.domain.refusals import InvalidInput, Refused
from crm.extensions import db
from crm.sheets.layouts import field_behind
from crm.store.imports import ImportBatch, ImportRow


def decide_rows(batch_id: int, said: Mapping[int, str], *, act: Act) -> int:
    """Say of rows that ask whether the file or the library is right, and ask for a new preview; returns how many.

    ``said`` is {id of the preview's row: USE_FILE or KEEP_OURS}; rows that do not ask are left out. A second press
    does nothing more and returns 0. Raises NotFound, NotAllowed, and Refused when the batch is no preview or nothing
    was said.
    """
    if was_said(batch_id, act):
        return 0
    batch = previewed(batch_id, act)
    query = select(ImportRow.id, ImportRow.sheet, ImportRow.row).where(
        ImportRow.batch_id == batch_id, ImportRow.outcome == "conflict", ImportRow.id.in_(said)
    )
    fresh = {(sheet, row): said[i] for i, sheet, row in db.session.execute(query) if said[i] in (USE_FILE, KEEP_OURS)}
    if not fresh:
        raise Refused("没有选用哪边的。逐行选用表里的或留本库的，再重新预览。")
    keep_said(batch, decided={**Said.of(batch.summary).decided, **fresh})
    ask_again(batch_id, act=act)
    return len(fresh)


def answer(batch_id: int, said: Mapping[tuple[str, str], str], *, act: Act) -> int:
    """Say what a sheet's missing column would hold in every row, and ask for a new preview; returns how many.

    ``said`` is {(sheet, noun): a title's kind, or a year}. Raises NotFound, NotAllowed, InvalidInput naming the answer
    that cannot be, and Refused when the batch is no preview or nothing that was asked is answered. A second press
    does nothing more and returns 0.
    """
    if was_said(batch_id, act):
        return 0
    batch = previewed(batch_id, act)
    summary = batch.summary or {}
    open_ones = {(question["sheet"], question["noun"]): question for question in summary.get("questions") or ()}
    fresh = {key: text.strip() for key, text in said.items() if key in open_ones and text.strip()}
    if not fresh:
        raise Refused("没有回答。选一种，或填一个年度，再重新预览。")
    wrong = {}
    for key, text in fresh.items():
        declared = field_behind(open_ones[key]["key"])
        try:
            reader_of(declared, choices=CHOICES.get(declared.choices or ""), today=act.effective_on)(text)
        except Unreadable as refusal:
            wrong["-".join(key)] = refusal.message
    if wrong:
        raise InvalidInput(wrong)
    keep_said(batch, answers={**Said.of(summary).answers, **fresh})
    ask_again(batch_id, act=act)
    return len(fresh)


def keep_said(batch: ImportBatch, **fresh: Any) -> None:
    """Put these fields of ``Said`` in place of what the batch kept of them."""
    batch.summary = {**(batch.summary or {}), **replace(Said.of(batch.summary), **fresh).kept()}


def was_said(batch_id: int, act: Act) -> bool:
    """Whether this press of a button has asked for the new preview already."""
    own_batch(batch_id, act.viewer)
    return asked_already(PREVIEW, act=act) is not None


def previewed(batch_id: int, act: Act) -> ImportBatch:
    """The batch whose preview somebody decides about. Raises NotFound, NotAllowed, Refused when it is no preview."""
    batch = own_batch(batch_id, act.viewer)
    require_decider(batch, act.viewer)
    if batch.state != "preview":
        raise Refused("这次导入现在不能再决定。刷新后再看。")
    return batch
