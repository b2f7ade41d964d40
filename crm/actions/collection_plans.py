"""Before a collection is opened: which enterprise would be asked for what, and why some things are not asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from crm.actions.assessments import facts_of_many, judge
from crm.actions.rights import may_edit
from crm.domain.collections import REGISTER, blocking, question, questions
from crm.domain.facts import Facts
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.collections import asked_elsewhere
from crm.store.enterprises import Enterprise
from crm.store.scope import visible
from crm.store.standings import Standing

# A collection is read, printed and reminded by people; comparing so many enterprises takes some seconds.
MOST = 500


@dataclass(frozen=True)
class Planned:
    """One enterprise before it is asked.

    ``asked`` are the paths of what blocks its judgements; ``waiting`` says which open collection waits for how many
    of them already, ``elsewhere`` what is missing and not the enterprise's to tell, ``refusal`` why it cannot be asked.
    """

    enterprise_id: int
    name: str
    region_id: int
    asked: tuple[str, ...] = ()
    waiting: tuple[tuple[str, int], ...] = ()
    elsewhere: tuple[str, ...] = ()
    refusal: str = ""


def plan(
    enterprise_ids: Iterable[int],
    kinds: Sequence[str],
    extra: Iterable[str] = (),
    *,
    on: date,
    viewer: Viewer,
    but: int | None = None,
) -> list[Planned]:
    """What each of these enterprises would be asked, in the order of names; those that may not be seen are left out.

    ``kinds`` are rule sets whose unknown conditions are asked for, ``extra`` paths that somebody adds by hand. Nothing
    is asked that is known, nothing that another open collection (``but`` one) waits for. At most MOST enterprises.
    """
    ids = sorted(set(enterprise_ids))[:MOST]
    query = (
        select(Enterprise.id, Enterprise.name, Standing)
        .join(Standing, Standing.enterprise_id == Enterprise.id)
        .where(Enterprise.id.in_(ids))
        .order_by(Standing.name_sort, Enterprise.id)
    )
    seen = db.session.execute(visible(query, viewer)).all()
    own = [row.id for row in seen if may_edit(viewer, row.Standing)]
    known = {enterprise.id: facts for enterprise, facts in facts_of_many(own, on)}
    waiting = asked_elsewhere(own, but=but)
    planned = []
    for enterprise_id, name, standing in seen:
        if enterprise_id not in known:
            why = "不归你管，由它的专员或业务科室采集"
            planned.append(Planned(enterprise_id, name, standing.region_id, refusal=why))
            continue
        facts = known[enterprise_id]
        found = blocking(judge(facts, kinds)) if kinds else blocking(())
        wanted = dict.fromkeys([*found.asked, *(path for path in extra if is_unknown(path, facts))])
        told = []
        for other in waiting.get(enterprise_id, ()):
            twice = other.paths & wanted.keys()
            if twice:
                told.append((other.title, len(twice)))
                for path in twice:
                    del wanted[path]
        asked = tuple(one.path for one in questions(wanted))
        planned.append(Planned(enterprise_id, name, standing.region_id, asked, tuple(told), found.elsewhere))
    return planned


def is_unknown(path: str, facts: Facts) -> bool:
    """Whether the library does not know a fact. The register of IP counts as unknown: a piece may always be missing."""
    if path == REGISTER:
        return True
    asked = question(path)
    return asked is not None and asked.field is not None and facts.value(asked.field.key, asked.year) is None
