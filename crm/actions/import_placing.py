"""What a person says of rows whose enterprise nothing tells: it is this one, a new one, or is not to be written."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import or_, select

from crm.actions.import_answers import keep_said, previewed, was_said
from crm.actions.import_candidates import KINDS, WITH_ONE, kind_of
from crm.actions.import_rows import ENTER, LEAVE, NEW, UNMATCHED
from crm.actions.import_said import Said
from crm.actions.imports import ask_again
from crm.domain.acts import Act
from crm.domain.codes import normalise_code
from crm.domain.fields import FIELDS
from crm.domain.names import normalise_name
from crm.domain.refusals import Refused
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.imports import ImportBatch, ImportRow
from crm.store.scope import visible
from crm.store.standings import SearchText, Standing

# Said of a row that was decided before: it is open again.
OPEN = ""
# Said of many rows at once: each is about its only candidate.
ITS_ONE = "one"
_LONGEST_CODE, _LONGEST_NAME = (FIELDS[f"enterprise.{code}"].length for code in ("credit_code", "name"))
_COLUMNS = (ImportRow.id, ImportRow.sheet, ImportRow.row, ImportRow.name, ImportRow.outcome, ImportRow.candidates)


def place_rows(batch_id: int, said: Mapping[int, str], *, act: Act) -> int:
    """Say whom rows of a preview are about, and ask for a new preview; returns how many rows that settles.

    ``said`` is {id of the preview's row: ENTER, LEAVE, OPEN, an enterprise's id, or its full name or credit code}.
    What is said of one row holds for the others of the same name that wait with the same candidates. Raises NotFound,
    NotAllowed, and Refused when the batch is no preview, an enterprise is not there, or nothing was said. A second
    press does nothing more and returns 0.
    """
    if was_said(batch_id, act):
        return 0
    batch = previewed(batch_id, act)
    before = dict(Said.of(batch.summary).placed)
    rows = [row for row in _rows(batch_id) if row.outcome in (UNMATCHED, NEW) or (row.sheet, row.row) in before]
    chosen = [(row, said[row.id].strip()) for row in rows if row.id in said]
    found = _enterprises(batch, (word for _, word in chosen), act.viewer)
    fresh: dict[tuple[str, int], int | str] = {}
    like: dict[tuple[str, str], int | str] = {}
    reopened = 0
    for row, word in chosen:
        if word == OPEN:
            reopened += before.pop((row.sheet, row.row), None) is not None
            continue
        fresh[row.sheet, row.row] = what = word if word in (ENTER, LEAVE) else found[word]
        if row.outcome == UNMATCHED and row.name:
            like[_likeness(row)] = what
    for row in rows:
        is_open = row.outcome == UNMATCHED and not said.get(row.id) and (row.sheet, row.row) not in before
        if is_open and _likeness(row) in like:
            fresh[row.sheet, row.row] = like[_likeness(row)]
    fresh = {key: what for key, what in fresh.items() if before.get(key) != what}
    if not fresh and not reopened:
        raise Refused("没有选哪一行是哪家。逐行选是哪一家、新增或不写入，再重新预览。")
    keep_said(batch, placed={**before, **fresh})
    ask_again(batch_id, act=act)
    return len(fresh) + reopened


def place_alike(batch_id: int, kind: str, what: str, *, act: Act) -> int:
    """Say the same of every unmatched row of one kind (``KINDS``, or "" for all of them); returns how many.

    ``what`` is ITS_ONE, ENTER or LEAVE. Rows that somebody decided keep what was said. Raises like ``place_rows``.
    """
    if was_said(batch_id, act):
        return 0
    batch = previewed(batch_id, act)
    if what == ITS_ONE and kind not in WITH_ONE:
        raise Refused("这些行没有唯一相近的一家，不能一起认。逐行选，或选别的一类。")
    if what not in (ITS_ONE, ENTER, LEAVE) or (kind and kind not in KINDS):
        raise Refused("没有选怎么定。选认作那一家、新增或不写入。")
    before = dict(Said.of(batch.summary).placed)
    waiting = [
        row
        for row in _rows(batch_id, UNMATCHED)
        if (row.sheet, row.row) not in before and (not kind or kind_of(row.candidates) == kind)
    ]
    if not waiting:
        raise Refused("这一类没有还没定的行。刷新后再看。")
    fresh = {(row.sheet, row.row): row.candidates[0]["id"] if what == ITS_ONE else what for row in waiting}
    keep_said(batch, placed={**before, **fresh})
    ask_again(batch_id, act=act)
    return len(fresh)


def _rows(batch_id: int, outcome: str | None = None) -> list[Any]:
    query = select(*_COLUMNS).where(ImportRow.batch_id == batch_id).order_by(ImportRow.id)
    return list(db.session.execute(query.where(ImportRow.outcome == outcome) if outcome else query))


def _likeness(row: Any) -> tuple[str, str]:
    return row.name or "", "/".join(str(one["id"]) for one in row.candidates or ())


def _enterprises(batch: ImportBatch, words: Iterable[str], viewer: Viewer) -> dict[str, int]:
    """{what was said: the enterprise of the batch's region it names}, in one query; Refused for what names none."""
    asked = {word for word in words if word not in (OPEN, ENTER, LEAVE)}
    if not asked:
        return {}
    ids = {int(word) for word in asked if word.isascii() and word.isdecimal() and len(word) < 15}
    codes = {code: word for word in asked if len(code := normalise_code(word)) <= _LONGEST_CODE}
    names = {name: word for word in asked if len(name := normalise_name(word)) <= _LONGEST_NAME}
    query = (
        select(Enterprise.id, Enterprise.credit_code, SearchText.name_key)
        .join(Standing, Standing.enterprise_id == Enterprise.id)
        .join(SearchText, SearchText.enterprise_id == Enterprise.id)
        .where(Standing.region_id == batch.region_id)
    )
    near = or_(Enterprise.id.in_(ids), Enterprise.credit_code.in_(codes), SearchText.name_key.in_(names))
    found: dict[str, int] = {}
    for enterprise_id, code, name in db.session.execute(visible(query.where(near), viewer)):
        for word in (str(enterprise_id), codes.get(code or ""), names.get(name)):
            if word is None or word not in asked:
                continue
            if found.setdefault(word, enterprise_id) != enterprise_id:
                raise Refused(f"库里有不止一家“{word[:60]}”。填 18 位信用代码。")
    unknown = next((word for word in asked if word not in found), None)
    if unknown is not None:
        raise Refused(f"库里没有“{unknown[:60]}”。填库里的全称或 18 位信用代码，或选新增。")
    return found
