"""What the library holds of the enterprises that a file speaks of, fetched in sets: keys, rights, states, titles."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, select

from crm.actions.enterprise_states import states_of
from crm.actions.enterprises import EnterpriseState
from crm.actions.figures import CODES as FIGURE_CODES
from crm.actions.figures import FiguresState
from crm.actions.qualifications import FIELDS as TITLE_CODES
from crm.actions.qualifications import fact_of
from crm.domain.periods import TitleFact
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.enterprises import FORMER_NAME, OLD_NUMBER, Enterprise, EnterpriseAlias
from crm.store.figures import Figures
from crm.store.qualifications import Qualification
from crm.store.scope import standing_rule
from crm.store.service_logs import ServiceLog, ServiceLogEnterprise
from crm.store.standings import SearchText, Standing

# Ids or keys in one IN list; SQLite allows 32,766 variables in a statement.
_CHUNK = 10_000


@dataclass
class Keys:
    """The keys that stand in a file: codes, old numbers, and normalised names."""

    codes: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    # The enterprises that a person said rows are about.
    ids: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Title:
    """One recorded title: its fact, its row's version and all its values."""

    fact: TitleFact
    version: int
    values: dict[str, Any]


@dataclass
class Library:
    """The part of the library that a file touches, as of one reading transaction.

    ``by_name`` and ``by_former_name`` know only enterprises of the file's own region: a name is no key beyond it.
    """

    by_code: dict[str, int] = field(default_factory=dict)
    by_number: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    by_name: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    by_former_name: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    standings: dict[int, Row] = field(default_factory=dict)
    visible: set[int] = field(default_factory=set)
    states: dict[int, EnterpriseState] = field(default_factory=dict)
    titles: dict[int, list[Title]] = field(default_factory=lambda: defaultdict(list))
    figures: dict[tuple[int, int], FiguresState] = field(default_factory=dict)
    logs: set[tuple[int, date, str]] = field(default_factory=set)


def load(keys: Keys, *, region_id: int, viewer: Viewer, nouns: frozenset[str]) -> Library:
    """Look the keys up over all regions (names: in this one) and fetch the states of what may be seen.

    ``nouns`` are the nouns the file speaks of; titles, figures and logs are fetched only when they are among them.
    """
    library = Library()
    _find(library, keys, region_id)
    found = set(library.by_code.values())
    for condition in _in(Enterprise.id, keys.ids):
        query = select(Enterprise.id).where(condition, Enterprise.region_id == region_id, ~Enterprise.deleted)
        found.update(db.session.scalars(query))
    for index in (library.by_number, library.by_name, library.by_former_name):
        found.update(*index.values())
    for chunk in chunks(sorted(found)):
        _rights(library, chunk, viewer)
    seen = sorted(library.visible)
    for chunk in chunks(seen):
        if "enterprise" in nouns:
            library.states.update(states_of(chunk))
        else:
            _names(library, chunk)
        if "qualification" in nouns:
            _titles(library, chunk)
        if "figures" in nouns:
            _figures(library, chunk)
        if "service_log" in nouns:
            _logs(library, chunk)
    return library


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values in pieces that fit into one statement."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _in(column: Any, values: Iterable[Any]) -> Iterator[ColumnElement[bool]]:
    for chunk in chunks(sorted(values)):
        yield column.in_(chunk)


def _find(library: Library, keys: Keys, region_id: int) -> None:
    for condition in _in(Enterprise.credit_code, keys.codes):
        query = select(Enterprise.credit_code, Enterprise.id).where(condition, ~Enterprise.deleted)
        library.by_code.update(dict(db.session.execute(query).all()))
    aliases = select(EnterpriseAlias.value_key, EnterpriseAlias.enterprise_id).join(
        Enterprise, Enterprise.id == EnterpriseAlias.enterprise_id
    )
    aliases = aliases.where(~EnterpriseAlias.deleted, ~Enterprise.deleted)
    for condition in _in(EnterpriseAlias.value_key, keys.numbers):
        for number, enterprise_id in db.session.execute(aliases.where(condition, EnterpriseAlias.kind == OLD_NUMBER)):
            library.by_number[number].add(enterprise_id)
    here = Enterprise.region_id == region_id
    for condition in _in(SearchText.name_key, keys.names):
        query = (
            select(SearchText.name_key, SearchText.enterprise_id)
            .join(Enterprise, Enterprise.id == SearchText.enterprise_id)
            .where(condition, here, ~Enterprise.deleted)
        )
        for name, enterprise_id in db.session.execute(query):
            library.by_name[name].add(enterprise_id)
    for condition in _in(EnterpriseAlias.value_key, keys.names):
        query = aliases.where(condition, here, EnterpriseAlias.kind == FORMER_NAME)
        for name, enterprise_id in db.session.execute(query):
            library.by_former_name[name].add(enterprise_id)


def _rights(library: Library, ids: Sequence[int], viewer: Viewer) -> None:
    columns = (
        Standing.enterprise_id,
        Standing.region_id,
        Standing.manager_id,
        Standing.township_id,
        Standing.park_id,
        Standing.carrier_id,
        standing_rule(viewer).label("is_visible"),
    )
    for row in db.session.execute(select(*columns).where(Standing.enterprise_id.in_(ids))):
        library.standings[row.enterprise_id] = row
        if row.is_visible:
            library.visible.add(row.enterprise_id)


def _names(library: Library, ids: Sequence[int]) -> None:
    """Enough to say whom a row is about, where the enterprise itself is not being changed."""
    query = select(Enterprise.id, Enterprise.version, Enterprise.name, Enterprise.credit_code)
    for enterprise_id, version, name, code in db.session.execute(query.where(Enterprise.id.in_(ids))):
        library.states[enterprise_id] = EnterpriseState(enterprise_id, version, {"name": name, "credit_code": code})


def _titles(library: Library, ids: Sequence[int]) -> None:
    columns = tuple(getattr(Qualification, code) for code in TITLE_CODES)
    query = (
        select(Qualification.enterprise_id, Qualification.id, Qualification.version, *columns)
        .where(Qualification.enterprise_id.in_(ids), ~Qualification.deleted, Qualification.superseded_at.is_(None))
        .order_by(Qualification.id)
    )
    for enterprise_id, row_id, version, *values in db.session.execute(query):
        stated = dict(zip(TITLE_CODES, values, strict=True))
        library.titles[enterprise_id].append(Title(fact_of(stated, row_id), version, stated))


def _figures(library: Library, ids: Sequence[int]) -> None:
    columns = tuple(getattr(Figures, code) for code in FIGURE_CODES)
    query = select(Figures.enterprise_id, Figures.year, Figures.id, Figures.version, Figures.confirmed, *columns).where(
        Figures.enterprise_id.in_(ids), ~Figures.deleted
    )
    for enterprise_id, year, row_id, version, confirmed, *values in db.session.execute(query):
        stated = dict(zip(FIGURE_CODES, values, strict=True))
        library.figures[enterprise_id, year] = FiguresState(row_id, version, stated, confirmed or {})


def _logs(library: Library, ids: Sequence[int]) -> None:
    query = (
        select(ServiceLogEnterprise.enterprise_id, ServiceLog.happened_on, ServiceLog.text)
        .join(ServiceLog, ServiceLog.id == ServiceLogEnterprise.service_log_id)
        .where(ServiceLogEnterprise.enterprise_id.in_(ids), ~ServiceLogEnterprise.deleted, ~ServiceLog.deleted)
    )
    library.logs.update((row[0], row[1], row[2]) for row in db.session.execute(query))
