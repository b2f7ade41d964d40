"""The register of IP on returned sheets: new pieces are entered, blanks of known ones filled."""

from collections.abc import Mapping
from typing import Any

from crm.actions import intellectual_property as register
from crm.actions.collection_court import Court
from crm.actions.import_rows import CHANGED, ERROR, NEW, Judged, problem_of
from crm.domain.cells import Unreadable, as_text
from crm.domain.changes import Update
from crm.domain.codecs import read_value
from crm.domain.fields import CHOICES, FIELDS
from crm.sheets.questionnaires import PIECE_CODES, Piece, Returned
from crm.sheets.rows import Problem
from crm.store.collections import CollectionEnterprise
from crm.store.writer import plain


def judge_pieces(
    court: Court, place: str, one: Returned, sheet: CollectionEnterprise, about: Mapping[str, Any]
) -> tuple[list[Any], int]:
    """The register of IP: new pieces are entered, blanks of known ones filled; what is known stays as it is."""
    changes: list[Any] = []
    filled = 0
    known = {piece.id: piece for piece in court.pieces.get(sheet.enterprise_id, ())}
    others: list[Mapping[str, Any]] = [{"number": piece.number} for piece in known.values()]
    for piece in one.pieces:
        stored = known.get(piece.id or 0)
        cells = [cell for cell in piece.cells if cell not in ("", None)]
        if not cells:
            continue
        judged = Judged(len(court.judged), place[:100], "intellectual_property", piece.row, **about)
        values = _read_piece(court, place, judged, piece)
        if stored is not None:
            values = {code: value for code, value in values.items() if getattr(stored, code) is None}
            if not values and not judged.problems:
                continue
        filled += 1
        court.judged.append(judged)
        merged = {code: getattr(stored, code) for code in register.CODES} | values if stored else values
        beside = [other for other in others if stored is None or other["number"] != stored.number]
        if not judged.problems:
            for code, sentence in register.problems(merged, beside, today=court.on).items():
                _tell_piece(judged, place, piece, code, "impossible", sentence)
        if judged.problems:
            judged.outcome = ERROR
            continue
        if stored is None:
            judged.outcome, judged.diff = NEW, {f"intellectual_property.{c}": plain(v) for c, v in values.items()}
            changes += register.decide_new(sheet.enterprise_id, values, key=("piece", place, piece.row))
            others.append({"number": values.get("number")})
        else:
            judged.outcome = CHANGED
            judged.diff = {f"intellectual_property.{c}": [None, plain(v)] for c, v in values.items()}
            changes.append(Update("intellectual_property", stored.id, values, stored.version))
    return changes, filled


def _read_piece(court: Court, place: str, judged: Judged, piece: Piece) -> dict[str, Any]:
    values = {}
    for code, raw in zip(PIECE_CODES, piece.cells, strict=True):
        declared = FIELDS[f"intellectual_property.{code}"]
        try:
            value = read_value(declared, raw, choices=CHOICES.get(declared.choices or ""), today=court.on)
        except Unreadable as refusal:
            _tell_piece(judged, place, piece, code, refusal.code, refusal.message)
            continue
        if value is not None:
            values[code] = value
    return values


def _tell_piece(judged: Judged, place: str, piece: Piece, code: str, problem: str, message: str) -> None:
    index = PIECE_CODES.index(code) if code in PIECE_CODES else 0
    raw = piece.cells[index]
    label = FIELDS[f"intellectual_property.{code}"].label if code in PIECE_CODES else "知识产权"
    value = raw if isinstance(raw, str) else as_text(raw)
    letter = "BCDEFGH"[index]
    judged.problems.append(
        problem_of(Problem(place[:100], piece.row, f"知识产权 {label}", letter, value[:200], problem, message))
    )
