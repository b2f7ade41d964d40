"""The points of the county's review as data: every kind has a list, every slip is named."""

from datetime import date

import pytest

from crm.domain.kinds import KINDS
from crm.rules.loader import RuleFileError
from crm.rules.materials import load_checklists
from crm.rules.review_points import load_review_points

DAY = date(2026, 11, 23)


def test_every_kind_has_points_and_each_point_its_clause():
    lists = load_review_points()

    for kind in KINDS:
        found = lists.of(kind, DAY)
        assert found is not None, kind
        assert all(point.clause and point.missing for point in found.points)


def test_a_kind_without_a_list_of_its_own_takes_the_general_one():
    lists = load_review_points()

    assert lists.of("srdi", DAY) == lists.of("little_giant", DAY)
    assert lists.of("hnte", DAY) != lists.of("srdi", DAY)


def test_a_point_about_a_material_names_an_item_of_that_kinds_checklist():
    asked = load_checklists()

    for entry in load_review_points().entries:
        for kind in entry.kinds:
            items = asked.of(kind, DAY).by_code
            assert [p.code for p in entry.points if p.material and p.material not in items] == []


def test_there_were_no_points_before_there_was_a_list():
    assert load_review_points().of("hnte", date(2000, 1, 1)) is None


GOOD = {
    "kinds": ["*"],
    "valid_from": date(2016, 1, 1),
    "document": "通行做法",
    "clause": "核对",
    "source": "业务科室",
    "confidence": "A",
    "checked_on": DAY,
    "point": [{"code": "a", "group": "形式", "text": "齐", "clause": "核对", "look": "file", "missing": "补齐"}],
}


def load(monkeypatch, *entries):
    monkeypatch.setattr("crm.rules.entries.read", lambda name: {"points": list(entries)})
    load_review_points.cache_clear()
    try:
        return load_review_points()
    finally:
        load_review_points.cache_clear()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kinds": ["unheard"]}, "kinds must be a list"),
        ({"kinds": ["hnte"]}, "for every other kind"),
        ({"point": []}, "points must be given"),
        ({"point": [GOOD["point"][0], GOOD["point"][0]]}, "each once"),
        ({"point": [{**GOOD["point"][0], "look": "moon"}]}, "look is one of"),
        ({"point": [{**GOOD["point"][0], "missing": ""}]}, "missing is missing"),
        ({"point": [{**GOOD["point"][0], "code": "b c"}]}, "plain word"),
        ({"confidence": "D"}, "needs confirm"),
    ],
    ids=["kind", "general list", "no points", "twice", "look", "missing", "code", "confidence"],
)
def test_a_slip_in_the_file_is_named(monkeypatch, change, says):
    with pytest.raises(RuleFileError, match=says):
        load(monkeypatch, {**GOOD, **change})
