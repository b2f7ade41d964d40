"""差一项: the own enterprises that one known condition keeps from the next title, compared as they stand today."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from flask import render_template, url_for

from crm.actions.assessments import facts_of_many, judge
from crm.domain import words
from crm.domain.conditions import Outcome
from crm.domain.judgements import CriterionResult, Result, one_short, shortfall
from crm.domain.kinds import KINDS
from crm.domain.viewers import Viewer
from crm.rules import rule_sets
from crm.store import desk
from crm.web.collections import MAKERS
from crm.web.desk import blueprint
from crm.web.doors import open_to, today, viewer
from crm.web.enterprises import judging

# One officer looks after some dozens; of more, those whose figures are the latest are compared.
MOST = 200
# So many stand open, the others are folded.
SHOWN = 8


@dataclass(frozen=True)
class Line:
    """One enterprise, the condition that is short, by how much, and where the whole comparison stands.

    ``distance`` is what is lacking as a share of what is asked; 1 where no figure says how much.
    """

    enterprise_id: int
    name: str
    kind: str
    condition: str
    gap: str
    href: str
    distance: Fraction


@dataclass(frozen=True)
class Found:
    """What the comparison with the rules of one title found: ``compared`` of the ``wanted`` enterprises that could
    win it next, ``unknown`` of them without the figures it takes."""

    kind: str
    lines: tuple[Line, ...]
    compared: int
    wanted: int
    unknown: int


@blueprint.get("/desk/one-short")
@open_to("case_manager")
def show_one_short():
    """The panel of the desk, fetched after it so that it never holds the desk up."""
    person = viewer()
    found = [] if person.user_id is None else [one for one in _found(person, person.user_id) if one.wanted]
    return render_template(
        "desk/_one_short.html",
        found=found,
        lines=[line for one in found for line in one.lines],
        shown=SHOWN,
        unknown=sum(one.unknown for one in found),
        cut=[one for one in found if one.compared < one.wanted],
        names={kind: words.word(kind, "rules") for kind in rule_sets.kinds()},
        to_ask=_to_ask(found) if person.has(*MAKERS) else "",
    )


def _found(person: Viewer, mine: int) -> Iterable[Found]:
    for kind in rule_sets.kinds():
        if kind not in KINDS:
            # A set of rules that leads to no title (划型).
            continue
        rung = int(KINDS[kind].rung_class.removeprefix("r"))
        ids, wanted = desk.still_to_win(kind, rung, person, mine=mine, limit=MOST)
        lines, unknown = [], 0
        for enterprise, facts in facts_of_many(ids, today()):
            [result] = judge(facts, [kind])
            if one_short(result):
                lines.append(_line(enterprise.id, enterprise.name, result))
            elif result.result is Outcome.UNKNOWN:
                unknown += 1
        lines.sort(key=lambda line: (line.distance, line.name))
        yield Found(kind, tuple(lines), len(ids), wanted, unknown)


def _line(enterprise_id: int, name: str, result: Result) -> Line:
    [short] = shortfall(result) or ()
    told = judging.row(short, enterprise_id)
    href = url_for("enterprises.show", enterprise_id=enterprise_id, tab="compare") + f"#compare-{result.kind}"
    return Line(enterprise_id, name, result.kind, short.name, told["gap"] or told["note"], href, _distance(short))


def _distance(short: CriterionResult) -> Fraction:
    asked = short.threshold.value if short.threshold is not None else None
    if short.gap is None or not asked:
        return Fraction(1)
    return abs(Fraction(short.gap.amount) / asked)


def _to_ask(found: list[Found]) -> str:
    """Where the figures that are missing are asked for."""
    return url_for("collections.new", list="?manager=me", kinds=[one.kind for one in found])
