"""The words of a sheet for places, people, parks and dictionaries, tied to the records of a region; exactly only."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from crm.domain.fields import Field
from crm.extensions import db
from crm.store.dictionaries import DICTIONARIES, DictionaryEntry, entries_of
from crm.store.parks import Carrier, Park, carriers_of, parks_of
from crm.store.regions import COUNTY, TOWNSHIP, Region
from crm.store.users import User, case_managers


@dataclass(frozen=True)
class Unknown:
    """A word that is no record here; ``stops`` says whether its row stops too or only the cell is left out."""

    message: str
    code: str
    stops: bool


@dataclass(frozen=True)
class ElsewhereArea:
    """The word names another district."""

    word: str


# Endings that look like a district and are none.
_NO_DISTRICT = re.compile(r"(?:园区|社区|小区|景区|片区|库区|山区|城区|街区|校区|厂区|辖区|林区|矿区|牧区|地区|郊区)$")
_DISTRICT = re.compile(r"([\u4e00-\u9fff]{1,10}?(?:自治县|自治州|县|区|市))")
_SUFFIX = re.compile(r"(?:街道办事处|街道办|街道|镇|乡)$")


def plain(word: str) -> str:
    """Half-width and without any space: how words are compared."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", word))


class Words:
    """The words one region knows: {word: id} per type of field, and what the neighbours are called."""

    def __init__(self, region_id: int, on: date) -> None:
        regions = list(db.session.scalars(select(Region).where(~Region.deleted)))
        by_id = {region.id: region for region in regions}
        own = by_id[region_id]
        above = []
        while own.parent_id is not None:
            own = by_id[own.parent_id]
            above.append(own)
        own = by_id[region_id]
        self.region_name = own.name
        towns = [region for region in regions if region.parent_id == region_id and region.level == TOWNSHIP]
        self._towns = _index((town.id, town.name, town.aliases) for town in towns)
        # Only a name with its 镇, 乡 or 街道 can be told from what follows it in an address.
        self._full_names = {name: town for name, town in self._towns.items() if _SUFFIX.search(name)}
        for town in towns:
            short = _SUFFIX.sub("", town.name)
            if len(short) >= 2:
                self._towns.setdefault(plain(short), town.id)
        self._prefixes = sorted(
            {plain(name) for region in (*above, own) for name in (region.name, *(region.aliases or ()))},
            key=len,
            reverse=True,
        )
        others = [r for r in regions if r.level == COUNTY and r.id != region_id]
        self._others = {plain(name) for region in others for name in (region.name, *(region.aliases or ()))}
        other_ids = {region.id for region in others}
        self._other_towns = {plain(r.name) for r in regions if r.level == TOWNSHIP and r.parent_id in other_ids}
        here = frozenset({region_id, *(region.id for region in above)})
        people = case_managers(frozenset({region_id}), on)
        parks, carriers = parks_of(here), carriers_of(here)
        self._people: dict[str, int | None] = {}
        for user in people:
            self._people[user.name] = None if user.name in self._people else user.id
        self._parks = _index((p.id, p.name, p.aliases) for p in parks)
        self._carriers = _index((c.id, c.name, c.aliases) for c in carriers)
        self._lists = {
            name: _index((e.code, e.label, e.aliases) for e in entries_of(name, here, on)) for name in DICTIONARIES
        }
        self._towns_said: dict[str, Any] = {}

    def look_up(self, field: Field, word: str) -> Any:
        """The stored value a word stands for; None when it says nothing, Unknown or ElsewhereArea else."""
        if field.type == "region":
            if word not in self._towns_said:
                self._towns_said[word] = self._township(word)
            return self._towns_said[word]
        if field.type == "person":
            return self._person(word)
        if field.type == "park":
            return self._one_of(self._parks, field, word)
        if field.type == "carrier":
            return self._one_of(self._carriers, field, word)
        return self._one_of(self._lists.get(field.choices or "", {}), field, word)

    def _township(self, word: str) -> Any:
        said = plain(word)
        if said in self._towns:
            return self._towns[said]
        rest = self._without_prefix(said)
        if not rest:
            return None
        if rest in self._towns:
            return self._towns[rest]
        town = self._town_of_address(rest)
        if town is not None:
            return town
        if self._is_elsewhere(rest):
            return ElsewhereArea(word)
        return Unknown(
            f"“{word[:40]}”不是{self.region_name}的乡镇（街道）。照模板下拉里的名称改，或留空表示不知道。",
            "unknown_choice",
            stops=True,
        )

    def area(self, word: str) -> Any:
        """What the district column of a row says: ElsewhereArea, a township's id, None for ours, Unknown."""
        said = plain(word)
        rest = said if said in self._towns else self._without_prefix(said)
        if not rest:
            return None
        if rest in self._towns:
            return self._towns[rest]
        if self._is_elsewhere(rest):
            return ElsewhereArea(word)
        return Unknown(f"“{word[:40]}”认不出是哪个区县，这一行按{self.region_name}读。", "unknown_area", stops=False)

    def _town_of_address(self, rest: str) -> int | None:
        """The township an address begins with: 宁河街道办事处, 上磺镇XX村; None when it names none or several."""
        named = {town for name, town in self._full_names.items() if rest.startswith(name)}
        elsewhere = {town for name, town in self._full_names.items() if name in rest} - named
        return named.pop() if len(named) == 1 and not elsewhere else None

    def _without_prefix(self, said: str) -> str:
        again = True
        while again:
            again = False
            for prefix in self._prefixes:
                if said.startswith(prefix):
                    said, again = said[len(prefix) :].lstrip("/·-、,，"), True
                    break
        return said

    def _is_elsewhere(self, rest: str) -> bool:
        if rest in self._other_towns or any(rest.startswith(name) for name in self._others):
            return True
        district = _DISTRICT.match(rest)
        return district is not None and not _NO_DISTRICT.search(district[1])

    def _person(self, word: str) -> Any:
        name = plain(word)
        found = self._people.get(name, self)
        if found is self:
            return Unknown(
                f"没有叫“{word[:20]}”的服务专员，这一格没有读入。先在“用户”里建好账号，再传一次就会带上。",
                "unknown_person",
                stops=False,
            )
        if found is None:
            return Unknown(
                f"有不止一位服务专员叫“{word[:20]}”，这一格没有读入。在企业页面上选是哪一位。",
                "ambiguous_person",
                stops=False,
            )
        return found

    def _one_of(self, known: Mapping[str, Any], field: Field, word: str) -> Any:
        found = known.get(plain(word))
        if found is not None:
            return found
        return Unknown(
            f"“{word[:40]}”不在{field.label}的名单里，这一格没有读入。照名单改，或先在“字典”里加上。",
            "unknown_choice",
            stops=False,
        )


def _index(entries: Iterable[tuple[Any, str, Iterable[str] | None]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for value, name, aliases in entries:
        for word in (name, *(aliases or ())):
            found.setdefault(plain(word), value)
    return found


def labels(*, within: int | None = None) -> dict[str, dict[Any, str]]:
    """{type or dictionary: {stored value: words}} for showing, exporting and the drop-downs of a blank template.

    ``within`` names the county whose townships, people, parks and entries are wanted; without it, everybody's.
    """
    regions, people = select(Region.id, Region.name), select(User.id, User.name).where(~User.deleted)
    parks, carriers = select(Park.id, Park.name), select(Carrier.id, Carrier.name)
    entries = select(DictionaryEntry.dictionary, DictionaryEntry.code, DictionaryEntry.label)
    if within is not None:
        regions = regions.where(Region.parent_id == within)
        people, parks = people.where(User.region_id == within), parks.where(Park.region_id == within)
        carriers = carriers.where(Carrier.region_id == within)
        entries = entries.where(DictionaryEntry.region_id == within)
    known: dict[str, dict[Any, str]] = {
        "region": dict(db.session.execute(regions.order_by(Region.code)).all()),
        "person": dict(db.session.execute(people.order_by(User.id)).all()),
        "park": dict(db.session.execute(parks.order_by(Park.id)).all()),
        "carrier": dict(db.session.execute(carriers.order_by(Carrier.id)).all()),
    }
    for name, code, label in db.session.execute(entries.order_by(DictionaryEntry.position, DictionaryEntry.id)):
        known.setdefault(name, {})[code] = label
    return known
