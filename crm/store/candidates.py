"""Enterprises of a district that a name in a file may mean, because both have one 字号; only ever a suggestion."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from crm.domain.names import core_name, short_name
from crm.domain.viewers import Viewer
from crm.extensions import db
from crm.store.duplicates import CORE, ORGANISATION
from crm.store.enterprises import Enterprise
from crm.store.scope import visible
from crm.store.standings import Standing

# 字号 and trade are one; weaker than the code of the organisation, stronger than the 字号 alone.
SHORT = "short_name"
STRENGTH = {ORGANISATION: 25, SHORT: 15, CORE: 10, "phone": 6, "legal_person": 5, "address": 4}
# A 字号 that many firms share tells nothing by itself, and more than these nobody compares.
MOST_OF_A_CORE = 8
MOST_SHOWN = 5
_CHUNK = 10_000


@dataclass(frozen=True)
class Named:
    """What a row of a file says of an enterprise that the library does not know by code or name."""

    name: str
    credit_code: str | None = None
    legal_person: str | None = None
    contact_phone: str | None = None
    address: str | None = None


@dataclass(frozen=True)
class Candidate:
    """One enterprise that a row may be about, with the reasons: {kind of evidence: the word that both share}."""

    enterprise_id: int
    name: str
    credit_code: str | None
    evidence: dict[str, str] = field(default_factory=dict)

    @property
    def strength(self) -> int:
        return sum(STRENGTH[kind] for kind in self.evidence)

    @property
    def is_strong(self) -> bool:
        """Whether more than the bare 字号 speaks for it."""
        return any(kind != CORE for kind in self.evidence)


_COLUMNS = (
    Enterprise.id,
    Enterprise.name,
    Enterprise.credit_code,
    Enterprise.legal_person,
    Enterprise.contact_phone,
    Enterprise.address,
)


class Candidates:
    """The enterprises of a district that share a 字号 with any name of a file, fetched in sets, once per file.

    ``inside`` says whether the viewer reads what is inside an enterprise (its legal person, telephone and address).
    """

    def __init__(
        self, names: Iterable[str], *, region_id: int, viewer: Viewer, places: tuple[str, ...], inside: bool
    ) -> None:
        self._places, self._inside = places, inside
        self._cores = {name: core_name(name, places) for name in set(names)}
        wanted = {core for core in self._cores.values() if len(core) > 1}
        self._by_core: dict[str, list[tuple[int, Named]]] = defaultdict(list)
        if wanted:
            self._fetch(wanted, region_id, viewer)

    def _fetch(self, wanted: set[str], region_id: int, viewer: Viewer) -> None:
        # Two characters together rule out almost every name of the district before its 字号 is worked out.
        starts = {core[:2] for core in wanted}
        here = select(Enterprise.id, Enterprise.name).join(Standing, Standing.enterprise_id == Enterprise.id)
        near: dict[int, str] = {}
        for enterprise_id, name in db.session.execute(visible(here.where(Standing.region_id == region_id), viewer)):
            if any(name[at : at + 2] in starts for at in range(len(name) - 1)):
                core = core_name(name, self._places)
                if core in wanted:
                    near[enterprise_id] = core
        ids = sorted(near)
        for start in range(0, len(ids), _CHUNK):
            query = select(*_COLUMNS).where(Enterprise.id.in_(ids[start : start + _CHUNK]), ~Enterprise.deleted)
            for enterprise_id, *said in db.session.execute(query.order_by(Enterprise.id)):
                self._by_core[near[enterprise_id]].append((enterprise_id, Named(*said)))

    def of(self, said: Named) -> list[Candidate]:
        """Whom a row may be about, the strongest first. Another code of another organisation is another firm."""
        core = self._cores.get(said.name) or core_name(said.name, self._places)
        firms = self._by_core.get(core, [])
        found = [
            Candidate(enterprise_id, firm.name, firm.credit_code, self._evidence(said, firm, core))
            for enterprise_id, firm in firms
            if not _is_another(said.credit_code, firm.credit_code)
        ]
        if len(firms) > MOST_OF_A_CORE:
            found = [one for one in found if one.is_strong]
        return sorted(found, key=lambda one: (-one.strength, one.enterprise_id))[:MOST_SHOWN]

    def _evidence(self, said: Named, firm: Named, core: str) -> dict[str, str]:
        evidence = {}
        if said.credit_code and firm.credit_code:
            evidence[ORGANISATION] = said.credit_code[8:17]
        short = short_name(said.name, self._places)
        same = short == short_name(firm.name, self._places)
        evidence[SHORT if same else CORE] = short if same else core
        if self._inside:
            for kind in ("contact_phone", "legal_person", "address"):
                word = getattr(said, kind)
                if word and word == getattr(firm, kind):
                    evidence[kind.removeprefix("contact_")] = word
        return evidence


def _is_another(one: str | None, other: str | None) -> bool:
    """GB 32100: characters 9 to 17 are the code of the organisation, which a change of its kind leaves."""
    return bool(one and other and one[8:17] != other[8:17])
