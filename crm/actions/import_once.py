"""What a person says once for a whole list because no column of it says so: the title, its batch, document and day."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from crm.actions.import_said import Said
from crm.actions.imports import PREVIEW, ask_again, own_batch, require_decider
from crm.actions.jobs import asked_already
from crm.domain.acts import Act
from crm.domain.cells import CLEAR, Unreadable
from crm.domain.codecs import reader_of
from crm.domain.fields import CHOICES
from crm.domain.refusals import InvalidInput, Refused
from crm.sheets.layouts import field_behind

# What may be said at all, in the order of the form; a profile lets a sheet take some of it.
KEYS = (
    "qualification.kind",
    "qualification.batch",
    "qualification.document",
    "qualification.publicity_on",
    "qualification.announced_on",
    "qualification.issued_on",
    "qualification.cohort_year",
    "figures.year",
    "service_log.kind",
)


def checked(said: Mapping[str, str], *, today: date) -> dict[str, str]:
    """What was said, without what was left blank. Raises InvalidInput naming each answer that no cell could hold."""
    kept: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for key, text in said.items():
        if key not in KEYS or not (plain := text.strip()):
            continue
        declared = field_behind(key)
        try:
            value = reader_of(declared, choices=CHOICES.get(declared.choices or ""), today=today)(plain)
        except Unreadable as refusal:
            wrong[key] = refusal.message
            continue
        if value is CLEAR:
            wrong[key] = f"{declared.label}不能填“清空”。写上内容，或留空。"
        elif value is not None:
            kept[key] = plain
    if wrong:
        raise InvalidInput(wrong)
    return kept


def say_once(batch_id: int, said: Mapping[str, str], *, act: Act) -> None:
    """Say what every row of a previewed list says, in place of what was said before, and ask for a new preview.

    A second press does nothing more. Raises NotFound, NotAllowed, InvalidInput, and Refused when the batch is no
    preview or the same was said already.
    """
    batch = own_batch(batch_id, act.viewer)
    if asked_already(PREVIEW, act=act) is not None:
        return
    require_decider(batch, act.viewer)
    if batch.state != "preview":
        raise Refused("这次导入现在不能再改。刷新后再看。")
    before = Said.of(batch.summary)
    once = checked(said, today=act.effective_on)
    if once == before.once:
        raise Refused("与原来说的一样，没有改动。改了再重新预览。")
    batch.summary = {**(batch.summary or {}), **replace(before, once=once).kept()}
    ask_again(batch_id, act=act)
