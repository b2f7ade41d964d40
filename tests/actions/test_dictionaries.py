"""Reference lists: entered, changed, ended by date, never deleted; and only by the office of their region."""

from datetime import date

import pytest
from sqlalchemy import select

from crm.actions.dictionaries import add_entry, edit_entry
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound
from crm.extensions import db
from crm.store.dictionaries import DictionaryEntry, entries_of
from crm.store.regions import region_by_code
from crm.store.unit_of_work import unit_of_work
from crm.store.units import Unit
from tests.builders import OTHER, TODAY, act, county, make_user

WORD = {"dictionary": "featured_industry", "code": "baked_fish", "label": "虚构鱼", "aliases": ["虚构的鱼"]}


def add(viewer, noun="dictionary_entry", region_id=None, **values):
    wanted = values or WORD
    with unit_of_work():
        return add_entry(noun, region_id or county().id, wanted, act=act(viewer)).ids["entry"]


def test_a_word_is_added_at_the_end_and_ends_by_date(app):
    clerk = make_user("clerk", "bureau")
    entry_id = add(clerk)
    region = frozenset({county().id})
    last = entries_of("featured_industry", region, TODAY)[-1].id

    with unit_of_work():
        edit_entry("dictionary_entry", entry_id, {"valid_to": date(2026, 11, 22)}, version=1, act=act(clerk))

    still = {entry.id for entry in entries_of("featured_industry", region, TODAY)}
    ever = {entry.id for entry in entries_of("featured_industry", region)}
    assert last == entry_id
    assert entry_id not in still
    assert entry_id in ever


def test_the_code_of_a_word_never_changes(app):
    clerk = make_user("clerk", "bureau")
    entry_id = add(clerk)

    with unit_of_work():
        edit_entry("dictionary_entry", entry_id, {"code": "other", "label": "虚构烤鱼"}, version=1, act=act(clerk))

    row = db.session.get(DictionaryEntry, entry_id)
    assert (row.code, row.label) == ("baked_fish", "虚构烤鱼")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"label": ""}, "label"),
        ({"label": "长" * 81}, "label"),
        ({"code": "烤鱼"}, "code"),
        ({"dictionary": "nothing"}, "dictionary"),
        ({"valid_from": date(2026, 5, 1), "valid_to": date(2026, 4, 30)}, "valid_to"),
    ],
    ids=["no label", "a long label", "a Chinese code", "no such list", "ends first"],
)
def test_a_word_that_cannot_be_is_refused_beside_its_field(sqlite_app, values, field):
    clerk = make_user("clerk", "bureau")

    with pytest.raises(InvalidInput) as refusal:
        add(clerk, **(WORD | values))

    assert set(refusal.value.problems) == {field}


def test_a_word_without_a_code_gets_one_from_how_it_is_read(app):
    """Nobody invents a Latin code; two words read alike are told apart, also those of other regions."""
    clerk, foreign = make_user("clerk", "bureau"), make_user("foreign", "bureau", region=county(OTHER))
    words = [("虚溪烤鱼", clerk, county()), ("墟溪烤鱼", clerk, county()), ("虚溪烤鱼", foreign, county(OTHER))]
    ids = [
        add(viewer, region_id=region.id, dictionary="featured_industry", label=label) for label, viewer, region in words
    ]

    codes = [db.session.get(DictionaryEntry, entry_id).code for entry_id in ids]

    assert codes == ["xuxikaoyu", "xuxikaoyu_2", "xuxikaoyu_3"]


def test_a_code_and_a_name_stand_once(sqlite_app):
    clerk = make_user("clerk", "bureau")
    add(clerk)

    with pytest.raises(InvalidInput) as refusal:
        add(clerk, **WORD)

    assert set(refusal.value.problems) == {"code", "label"}


def test_a_unit_names_its_successor_in_the_same_region(app):
    clerk = make_user("clerk", "bureau")
    old = add(clerk, "unit", name="旧部门")
    new = add(clerk, "unit", name="新部门")
    foreign_clerk = make_user("foreign", "bureau", region=county(OTHER))
    foreign = add(foreign_clerk, "unit", county(OTHER).id, name="外区部门")

    with unit_of_work():
        edit_entry("unit", old, {"successor_id": new, "valid_to": TODAY}, version=1, act=act(clerk))
    with pytest.raises(InvalidInput), unit_of_work():
        edit_entry("unit", new, {"successor_id": foreign}, version=1, act=act(clerk))
    with pytest.raises(InvalidInput), unit_of_work():
        edit_entry("unit", new, {"successor_id": new}, version=1, act=act(clerk))

    assert db.session.get(Unit, old).successor_id == new


@pytest.mark.parametrize("noun", ["dictionary_entry", "unit", "park", "carrier"])
def test_the_lists_of_another_district_are_not_there(app, noun):
    clerk = make_user("clerk", "bureau")
    foreign_clerk = make_user("foreign", "bureau", region=county(OTHER))
    values = WORD if noun == "dictionary_entry" else {"name": "外区的"}
    entry_id = add(foreign_clerk, noun, county(OTHER).id, **values)

    with pytest.raises(NotFound):
        add(clerk, noun, county(OTHER).id, **values)
    with pytest.raises(NotFound), unit_of_work():
        edit_entry(noun, entry_id, {"aliases": ["翻墙"]}, version=1, act=act(clerk))


def test_the_words_of_the_city_are_seen_but_not_changed_from_a_county(sqlite_app):
    clerk = make_user("clerk", "bureau")
    city = region_by_code("500000")
    above = make_user("above", "bureau", region=city)
    entry_id = add(above, "dictionary_entry", city.id, **WORD)

    with pytest.raises(NotAllowed), unit_of_work():
        edit_entry("dictionary_entry", entry_id, {"label": "别的"}, version=1, act=act(clerk))


def test_a_stale_edit_of_a_word_is_a_conflict(sqlite_app):
    clerk = make_user("clerk", "bureau")
    entry_id = add(clerk)
    with unit_of_work():
        edit_entry("dictionary_entry", entry_id, {"label": "甲"}, version=1, act=act(clerk))

    with pytest.raises(Conflict), unit_of_work():
        edit_entry("dictionary_entry", entry_id, {"label": "乙"}, version=1, act=act(clerk))

    assert db.session.scalar(select(DictionaryEntry.label).where(DictionaryEntry.id == entry_id)) == "甲"
