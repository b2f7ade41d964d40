"""Titles: recording what was announced (新事实), correcting what was recorded wrongly (更正), ending what ended."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from crm.actions.rights import may_record_title, require
from crm.domain.acts import Act
from crm.domain.changes import Create, Ref, Update, merge
from crm.domain.fields import fields_of
from crm.domain.periods import TitleFact
from crm.domain.refusals import SAME_FIELD, Conflict, InvalidInput, Refused
from crm.domain.title_problems import title_problems
from crm.extensions import policy
from crm.store.enterprises import Enterprise
from crm.store.projections import local_day
from crm.store.qualifications import Qualification, title_facts
from crm.store.scope import visible_enterprise, visible_record
from crm.store.unit_of_work import hold
from crm.store.writer import Written, write

FIELDS = tuple(field.code for field in fields_of("qualification"))
FACT_FIELDS = tuple(name for name in TitleFact.__dataclass_fields__ if name != "id")


def fact_of(values: Mapping[str, Any], fact_id: int | None = None) -> TitleFact:
    """The title fact that these field values state."""
    return TitleFact(id=fact_id, **{name: values.get(name) for name in FACT_FIELDS})


def decide_new(enterprise_id: Any, values: Mapping[str, Any], *, recorded_at: datetime) -> list[Create]:
    """The one creation that records a title."""
    row = {code: values.get(code) for code in FIELDS if values.get(code) is not None}
    return [Create("qualification", {**row, "enterprise_id": enterprise_id, "recorded_at": recorded_at})]


def problems(
    values: Mapping[str, Any],
    others: list[TitleFact],
    *,
    today: date,
    rows: Mapping[TitleFact, str] | None = None,
) -> dict[str, str]:
    """Why these values cannot stand as a title beside the others: {field code: sentence}.

    ``rows`` says where those of a file stand that are not recorded yet.
    """
    wrong: dict[str, str] = {}
    if not values.get("kind"):
        wrong["kind"] = "选资格种类。"
    else:
        wrong.update(title_problems(fact_of(values), others, today, terms=policy.ladder.terms, rows=rows))
    return wrong


def record_qualification(enterprise_id: int, values: Mapping[str, Any], *, act: Act) -> Written:
    """Record a title as a new fact. Raises NotFound, NotAllowed, InvalidInput (ends before it begins, overlaps …)."""
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_record_title(act.viewer, standing, values.get("kind") or ""), "登记认定结果")
    wrong = problems(values, title_facts(enterprise_id), today=local_day(act.recorded_at))
    if wrong:
        raise InvalidInput(wrong)
    changes = decide_new(row.id, values, recorded_at=act.recorded_at)
    return write(changes, act=act, action="record_qualification", region_id=row.region_id)


def correct_qualification(
    qualification_id: int,
    values: Mapping[str, Any],
    *,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """Correct a recorded title: the old fact is kept as superseded, the corrected one takes its place.

    A correction never counts as a movement on the ladder. What somebody else changed of other fields meanwhile goes
    along. Raises Refused when the title was superseded meanwhile, Conflict when the same field was changed.
    """
    old, row = _standing(qualification_id, act, "更正认定结果")
    stored = {code: getattr(old, code) for code in FIELDS}
    own = {code: value for code, value in values.items() if code in FIELDS}
    changed, clashes = merge(Update("qualification", old.id, own, version, seen), stored, old.version)
    if clashes:
        raise Conflict(SAME_FIELD, clashes)
    merged = stored | changed
    others = [fact for fact in title_facts(row.id) if fact.id != old.id]
    wrong = problems(merged, others, today=local_day(act.recorded_at))
    if wrong:
        raise InvalidInput(wrong)
    if not changed:
        return Written(None)
    create = replace(decide_new(row.id, merged, recorded_at=act.recorded_at)[0], key="corrected")
    supersede = Update(
        "qualification", old.id, {"superseded_at": act.recorded_at, "superseded_by_id": Ref("corrected")}, old.version
    )
    return write([create, supersede], act=act, action="correct_qualification", region_id=row.region_id)


def end_qualification(
    qualification_id: int,
    *,
    ended_on: date,
    end_reason: str,
    version: int,
    seen: Mapping[str, Any] | None = None,
    act: Act,
) -> Written:
    """A new fact about a title: it was cancelled, revoked, relocated … from a day on.

    Raises like ``correct_qualification``: on a superseded title the end would count nowhere.
    """
    old, row = _standing(qualification_id, act, "登记资格终止")
    begins = old.valid_from or old.announced_on
    if begins is not None and ended_on < begins:
        raise InvalidInput({"ended_on": f"终止日期 {ended_on} 早于有效期起 {begins}。核对后改正。"})
    changes = [Update("qualification", old.id, {"ended_on": ended_on, "end_reason": end_reason}, version, seen)]
    return write(changes, act=act, action="end_qualification", region_id=row.region_id)


def _standing(qualification_id: int, act: Act, what: str) -> tuple[Qualification, Enterprise]:
    """A title that no correction has replaced, with its enterprise; from here on nobody else replaces it."""
    hold(f"qualification-{qualification_id}")
    old: Qualification = visible_record(Qualification, qualification_id, act.viewer, "这项资格")
    row, standing = visible_enterprise(old.enterprise_id, act.viewer)
    require(may_record_title(act.viewer, standing, old.kind), what)
    if old.superseded_at is not None:
        raise Refused("这项资格已被更正过，没有写入。打开更正后的那一条再办。")
    return old, row
