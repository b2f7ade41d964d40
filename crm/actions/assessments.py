"""Comparing an enterprise with a rule set, and freezing the judgement with its inputs and the exact rule text."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from sqlalchemy import select

from crm.actions.enterprises import OWN_FIELDS, belonging_value
from crm.actions.rights import may_edit, require
from crm.domain.acts import Act
from crm.domain.changes import Create
from crm.domain.comparison import compare
from crm.domain.facts import Facts
from crm.domain.fields import fields_of
from crm.domain.judgements import Result, as_report
from crm.domain.refusals import InvalidInput, NotAllowed
from crm.domain.viewers import CONFIDENTIAL
from crm.extensions import db
from crm.rules import rule_sets
from crm.rules.ladder import load_ladder
from crm.store.enterprises import Affiliation, Enterprise
from crm.store.figures import Figures
from crm.store.intellectual_property import IntellectualProperty
from crm.store.qualifications import Qualification
from crm.store.scope import visible_enterprise
from crm.store.writer import Written, write

CHUNK = 1_000

_OWN = tuple(sorted(OWN_FIELDS))
_FIGURES = tuple(field.code for field in fields_of("figures"))
_IP = tuple(field.code for field in fields_of("intellectual_property"))
_TITLE = tuple(field.code for field in fields_of("qualification"))


def facts_from(
    enterprise: Any,
    *,
    on: date,
    affiliations: Iterable[Any] = (),
    figures: Iterable[Any] = (),
    intellectual_property: Sequence[Any] = (),
    titles: Iterable[Any] = (),
) -> Facts:
    """The facts of one enterprise from its records (any objects with the declared attributes): pure.

    A blank is absent and so unknown. An empty IP register is unknown as well, because nobody said that it is empty;
    the register of titles is the bureau's own and therefore complete.
    """
    own = {code: getattr(enterprise, code) for code in _OWN}
    for item in affiliations:
        begun = item.starts_on is None or item.starts_on <= on
        if begun and (item.ends_on is None or on <= item.ends_on):
            own[item.kind] = belonging_value(item)
    years = {row.year: _stated(row, _FIGURES) for row in figures}
    pieces = tuple(_stated(row, _IP) for row in intellectual_property)
    held = tuple(_stated(row, _TITLE) for row in titles)
    known = MappingProxyType({code: value for code, value in own.items() if value is not None})
    return Facts(on, known, MappingProxyType(years), pieces or None, held, load_ladder().terms)


def _stated(row: Any, codes: Iterable[str]) -> Mapping[str, object]:
    values = {code: getattr(row, code) for code in codes}
    return MappingProxyType({code: value for code, value in values.items() if value is not None})


def facts_of_many(enterprise_ids: Sequence[int], on: date) -> Iterator[tuple[Enterprise, Facts]]:
    """Enterprises with their facts, in the order of their ids: five queries for each thousand. Without scope."""
    ids = sorted(enterprise_ids)
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        belongs = _by_enterprise(Affiliation, chunk)
        figures = _by_enterprise(Figures, chunk)
        pieces = _by_enterprise(IntellectualProperty, chunk)
        titles = _by_enterprise(Qualification, chunk)
        query = select(Enterprise).where(Enterprise.id.in_(chunk), ~Enterprise.deleted).order_by(Enterprise.id)
        for enterprise in db.session.scalars(query).all():
            current = [row for row in titles[enterprise.id] if row.superseded_at is None]
            yield (
                enterprise,
                facts_from(
                    enterprise,
                    on=on,
                    affiliations=belongs[enterprise.id],
                    figures=figures[enterprise.id],
                    intellectual_property=pieces[enterprise.id],
                    titles=current,
                ),
            )


def _by_enterprise(model: Any, ids: Sequence[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    query = select(model).where(model.enterprise_id.in_(ids), ~model.deleted).order_by(model.id)
    for row in db.session.scalars(query):
        found[row.enterprise_id].append(row)
    return found


def facts_of(enterprise_id: int, on: date) -> Facts:
    """The facts of one enterprise on a day. Without scope: for actions that have checked it."""
    return next(facts for _, facts in facts_of_many([enterprise_id], on))


def judge(facts: Facts, kinds: Iterable[str] | None = None) -> list[Result]:
    """The facts compared with these rule sets (default: all that are in force on their day)."""
    return [compare(rule_sets.load_rule_set(kind, facts.on), facts) for kind in kinds or rule_sets.kinds()]


def report_of(result: Result, credit_code: str | None) -> dict[str, object]:
    """One entry of the ``assess`` report (product.md, Reports), with the enterprise's code in front."""
    return {"credit_code": credit_code, **as_report(result)}


def freeze_assessment(enterprise_id: int, kind: str, *, act: Act) -> Written:
    """Compare an enterprise on the act's day and keep the judgement: result, inputs and the exact rule text.

    Raises NotFound, NotAllowed, InvalidInput for a kind without a rule set.
    """
    row, standing = visible_enterprise(enterprise_id, act.viewer)
    require(may_edit(act.viewer, standing), "保存条件比对（预评）")
    classes = act.viewer.classes_over(standing)
    if CONFIDENTIAL not in classes:
        raise NotAllowed("条件比对（预评）要用保密指标，你的授权不含保密字段。")
    if kind not in rule_sets.kinds():
        raise InvalidInput({"rules": "没有这套条件。从列表里选。"})
    facts = facts_of(enterprise_id, act.effective_on)
    rules = rule_sets.load_rule_set(kind, act.effective_on)
    result = compare(rules, facts)
    values = {
        "enterprise_id": row.id,
        "rules": kind,
        "rules_version": rules.version,
        "on": result.on,
        "result": result.result.value,
        "report": report_of(result, row.credit_code),
        "rules_text": rules.text,
    }
    return write(
        [Create("assessment", values, "assessment")], act=act, action="freeze_assessment", region_id=row.region_id
    )
