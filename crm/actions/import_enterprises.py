"""Rows that are enterprises, judged: what they would change, and whether they repeat or contradict something."""

from collections.abc import Hashable, Mapping
from typing import Any

from crm.actions import enterprises
from crm.actions.import_court import CHOSEN, NEUTRAL, Court, Subject, kept_in_doubt, keys_of
from crm.actions.import_rows import (
    CHANGED,
    CONFLICT,
    ENTER,
    ERROR,
    KEEP_OURS,
    LEAVE,
    NEW,
    SAME,
    UNMATCHED,
    USE_FILE,
    Judged,
    Sheet,
)
from crm.actions.rights import may_edit
from crm.domain.names import normalise_name
from crm.sheets.column_rules import FILE, OURS
from crm.sheets.rows import TypedRow
from crm.store.writer import plain


def judge_enterprise(court: Court, sheet: Sheet, answer: Judged, row: TypedRow) -> None:
    """Judge one row of a list of enterprises: new, known and changed, known under another code, or a repetition."""
    values = row.values
    key = ("enterprise", answer.position)
    if _repeats_a_row(court, sheet, answer, values):
        return
    enterprise_id, by, several = court.known(values, court.said_of(row))
    if (by == CHOSEN or not by) and _waits_for_a_person(court, sheet, answer, row, by):
        return
    said = values.get("enterprise.credit_code")
    if enterprise_id is not None and _is_other_code(court, enterprise_id, by, values):
        wins = sheet.wins("enterprise.credit_code")
        decision = {FILE: USE_FILE, OURS: KEEP_OURS}.get(wins) or court.decided.get((row.sheet, row.row))
        if decision is None:
            _differs_in_code(court, sheet, answer, enterprise_id, by, values)
            return
        if decision == KEEP_OURS:
            del values["enterprise.credit_code"]
    if enterprise_id is not None:
        first = court.claimed.setdefault(enterprise_id, answer)
        if first is not answer:
            court.repeats(sheet, answer, first, court.key_cell(row), "是同一家企业")
            return
        court.spoken_of.add(enterprise_id)
    _judge_enterprise(court, sheet, answer, row, key, enterprise_id, by, several)
    subject = Subject(answer.enterprise_id, key, answer.row, answer.outcome in (NEW, CHANGED, SAME), answer.name)
    _, number, name = keys_of(values)
    # Titles and figures of the same file name the firm by the code that the file has.
    for kind, value in (("code", said), ("number", number), ("name", name)):
        if value:
            court.in_file.setdefault((kind, value), subject)


def _repeats_a_row(court: Court, sheet: Sheet, answer: Judged, values: Mapping[str, Any]) -> bool:
    code, number, name = keys_of(values)
    for kind, value, field_key, said in (
        ("code", code, "enterprise.credit_code", "信用代码相同"),
        ("number", number, "enterprise.old_number", "注册号相同"),
        ("name", name, "enterprise.name", "名称相同"),
    ):
        if not value:
            continue
        earlier = court.first.get((kind, value))
        # Two different codes are two enterprises, whatever their names.
        if earlier is not None and (kind == "code" or not code or not earlier[1]):
            court.repeats(sheet, answer, earlier[0], (field_key, values.get(field_key)), said)
            return True
    for kind, value in (("code", code), ("number", number), ("name", name)):
        if value:
            court.first.setdefault((kind, value), (answer, code))
    return False


def _waits_for_a_person(court: Court, sheet: Sheet, answer: Judged, row: TypedRow, by: str | None) -> bool:
    """Whether nobody has said yet whom a row is about for which more than a 字号 speaks, or it is not to be written."""
    doubtful = court.offer(answer, row)
    if by == CHOSEN or answer.placed == ENTER or not (doubtful or answer.placed == LEAVE):
        return False
    if doubtful and answer.placed != LEAVE:
        message = f"库里没有这个名称，相近的有{_named(answer)}。选是哪一家、新增，或不写入。"
        answer.problems.append(sheet.problem(answer.row, *court.key_cell(row), "candidates", message))
        wrong = any(p["severity"] == "error" and p["code"] != "candidates" for p in answer.problems)
    else:
        answer.problems.append(
            sheet.problem(answer.row, *court.key_cell(row), "left", "按所选，这一行不写入。", "warning")
        )
        wrong = court.has_errors(answer)
    answer.outcome = ERROR if wrong else UNMATCHED
    return True


def _named(answer: Judged) -> str:
    names = [f"“{one['name']}”" for one in answer.candidates[:2]]
    more = len(answer.candidates) - len(names)
    return "、".join(names) + (f"等 {len(answer.candidates)} 家" if more else "")


def _is_other_code(court: Court, enterprise_id: int, by: str | None, values: Mapping[str, Any]) -> bool:
    if by == "credit_code" or enterprise_id not in court.library.visible:
        return False
    state = court.library.states[enterprise_id]
    own, said = state.values.get("credit_code"), values.get("enterprise.credit_code")
    return bool(own and said and own != said and said not in state.old_numbers)


def _differs_in_code(court: Court, sheet: Sheet, answer: Judged, enterprise_id: int, by: str | None, values) -> None:
    state = court.library.states[enterprise_id]
    own, said = state.values["credit_code"], values["enterprise.credit_code"]
    answer.enterprise_id, answer.matched_by, answer.name = enterprise_id, by, state.values["name"]
    answer.diff = {"enterprise.credit_code": [own, said]}
    court.spoken_of.add(enterprise_id)
    message = f"名称相同，库里的代码是 {own}，表里是 {said}。核对营业执照后，选用表里的或留本库的。"
    answer.problems.append(
        sheet.problem(answer.row, "enterprise.credit_code", said, "code_differs", message, "warning")
    )
    answer.outcome = ERROR if court.has_errors(answer) else CONFLICT


def _judge_enterprise(
    court: Court,
    sheet: Sheet,
    answer: Judged,
    row: TypedRow,
    key: Hashable,
    enterprise_id: int | None,
    by: str | None,
    several: bool,
) -> None:
    values = row.values
    cell = court.key_cell(row)
    if several:
        court.fail(sheet, answer, *cell, "ambiguous", "库里有不止一家企业对得上这一行。补上信用代码。")
        return
    if enterprise_id is not None:
        if enterprise_id not in court.library.visible:
            court.fail(sheet, answer, *cell, "not_available", NEUTRAL)
            return
        answer.enterprise_id, answer.matched_by = enterprise_id, by
        if not may_edit(court.viewer, court.library.standings[enterprise_id]):
            message = "这家企业不是你负责的，你的授权不含修改它。交负责的服务专员或业务科室办理。"
            court.fail(sheet, answer, *cell, "not_allowed", message)
            return
    elif not court.may_enter:
        court.fail(sheet, answer, *cell, "not_allowed", "你的授权不含新增企业。交业务科室办理。")
        return
    state = court.library.states[enterprise_id] if enterprise_id is not None else None
    stated = {name.removeprefix("enterprise."): value for name, value in values.items()}
    for code, sentence in enterprises.problems(
        {name: value for name, value in stated.items() if name == "registered_on"}, today=court.on
    ).items():
        court.fail(sheet, answer, f"enterprise.{code}", stated.get(code), "impossible", sentence)
    if state is None:
        _new_enterprise(court, sheet, answer, row, key, stated)
    else:
        _known_enterprise(court, sheet, answer, row, state, stated)


def _new_enterprise(court: Court, sheet: Sheet, answer: Judged, row: TypedRow, key: Hashable, stated: dict) -> None:
    if not stated.get("name") and any(keys_of(row.values)):
        message = "库里没有这个代码，新增要有企业名称。补上名称，或核对代码。"
        missing = sheet.problem(answer.row, "enterprise.name", "", "missing", message)
        if missing["column"] not in {problem["column"] for problem in answer.problems}:
            answer.problems.append(missing)
    if court.has_errors(answer):
        answer.outcome = ERROR
        return
    answer.diff = {f"enterprise.{code}": plain(value) for code, value in stated.items()}
    if not court.is_office:
        # What a case manager enters is theirs, as on the form.
        stated["manager"] = court.viewer.user_id
    stated |= kept_in_doubt(answer, stated)
    answer.outcome = NEW
    answer.changes = enterprises.decide(None, stated, region_id=court.region_id, on=court.on, key=key)


def _known_enterprise(court: Court, sheet: Sheet, answer: Judged, row: TypedRow, state, stated: dict[str, Any]) -> None:
    answer.name = state.values["name"]
    for key in row.cleared:
        stated[key.removeprefix("enterprise.")] = None
    changed: dict[str, Any] = {}
    for code, value in stated.items():
        if code == "name":
            if normalise_name(value) == normalise_name(state.values["name"]):
                continue
            if answer.matched_by == CHOSEN:
                message = f"表里是“{value}”，库里是“{state.values['name']}”。名称没有改动；改了名的在企业页面改。"
                answer.problems.append(
                    sheet.problem(answer.row, "enterprise.name", value, "name_kept", message, "warning")
                )
                continue
            if normalise_name(value) in state.former_names:
                message = f"“{value}”是曾用名，现名是“{state.values['name']}”。名称没有改动。"
                answer.problems.append(
                    sheet.problem(answer.row, "enterprise.name", value, "former_name", message, "warning")
                )
                continue
            changed[code], answer.diff["enterprise.name"] = value, [state.values["name"], value]
        elif code == "former_name":
            key = normalise_name(value) if value else None
            if key and key not in state.former_names and key != normalise_name(state.values["name"]):
                changed[code], answer.diff["enterprise.former_name"] = value, [None, value]
        elif code == "credit_code" and value in state.old_numbers:
            message = f"“{value}”是旧代码，现在的代码是 {state.values['credit_code'] or '未填'}。代码没有改动。"
            answer.problems.append(
                sheet.problem(answer.row, "enterprise.credit_code", value, "former_code", message, "warning")
            )
        elif code == "old_number":
            if value and value not in state.old_numbers:
                changed[code], answer.diff["enterprise.old_number"] = value, [None, value]
        else:
            before = state.value(code)
            if before != value:
                changed[code] = value
                answer.diff[f"enterprise.{code}"] = [plain(before), plain(value)]
    if court.has_errors(answer):
        answer.outcome = ERROR
        return
    taken = court.settle(sheet, answer, "enterprise", {code: (state.value(code), new) for code, new in changed.items()})
    if taken is None:
        return
    changed = {code: value for code, value in changed.items() if code in taken}
    answer.diff = {key: said for key, said in answer.diff.items() if key.removeprefix("enterprise.") in taken}
    if not changed:
        answer.outcome = SAME
    else:
        answer.outcome = CHANGED
        changed |= kept_in_doubt(answer, changed)
        answer.changes = enterprises.decide(
            state, changed, region_id=court.region_id, on=court.on, version=state.version
        )
