from collections import Counter
from datetime import date
from itertools import pairwise

import pytest

from crm.cli.demo_bench import bench_enterprises
from crm.cli.demo_shapes import COUNTY, SECOND, World
from crm.cli.demo_world import make_world
from crm.domain.codes import check_code
from crm.domain.comparison import compare
from crm.domain.facts import Facts
from crm.domain.fields import AFFILIATIONS, CHOICES, FIELDS
from crm.domain.judgements import one_short
from crm.domain.names import normalise_name, split_name
from crm.domain.periods import TitleFact
from crm.domain.pinyin import search_keys
from crm.domain.rounds import RoundTable
from crm.domain.standing import EnterpriseFacts, PoolFact, standing
from crm.domain.title_problems import title_problems
from crm.domain.viewers import ROLES
from crm.rules.calendars import rounds
from crm.rules.ladder import load_ladder
from crm.rules.rule_sets import load_rule_set

TODAY = date(2026, 11, 23)
DAYS = [TODAY, date(2027, 5, 24), date(2027, 1, 4), date(2027, 1, 1), date(2028, 2, 29), date(2026, 9, 15)]

EVERY_STATE = {
    "cq_tech": {"valid", "expiring", "awaiting_update", "lapsed_unrenewed", "revoked", "relocated"},
    "tech_sme": {"valid", "expiring", "awaiting_update", "lapsed_unrenewed", "revoked", "relocated"},
    "innovative_sme": {"valid", "expiring", "lapsed_unrenewed", "revoked", "relocated"},
    "tech_innovative_sme": {"valid", "revoked"},
    "hnte": {
        "valid", "expiring", "renewing", "expired_unverified", "lapsed_unrenewed", "revoked", "relocated",
    },
    "srdi": {"valid", "expiring", "lapsed_unrenewed", "revoked", "relocated"},
    "little_giant": {"valid"},
    "pool": {"proposed", "in_pool"},
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(7, TODAY)


def facts_of(enterprise) -> EnterpriseFacts:
    titles = [TitleFact(n, **_known(TitleFact, title.fields)) for n, title in enumerate(enterprise.titles, 1)]
    return EnterpriseFacts(tuple(titles), tuple(PoolFact(**_known(PoolFact, one)) for one in enterprise.pool))


def _known(cls, fields):
    values = {"pool_class": None, "year": None} if cls is PoolFact else {}
    return values | {code: value for code, value in fields.items() if code in cls.__dataclass_fields__}


def standings(world):
    ladder, table = load_ladder(), RoundTable(rounds(COUNTY))
    return [standing(facts_of(one), world.on, ladder=ladder, rounds=table) for one in world.enterprises]


def test_the_same_seed_and_day_give_the_same_world(world):
    assert make_world(7, TODAY) == world


def test_another_seed_gives_another_world(world):
    assert make_world(8, TODAY).enterprises != world.enterprises


def test_a_world_says_that_it_is_invented(world):
    assert "虚构" in world.notice
    assert all("虚构" in region.name for region in world.regions if region.invented)


@pytest.mark.parametrize("on", DAYS, ids=str)
def test_every_enterprise_stands_on_its_planned_rung_on_any_day(on):
    grown = make_world(3, on)

    assert [one.rung for one in standings(grown)] == [one.rung for one in grown.enterprises]


def test_the_board_has_the_shape_of_a_county(world):
    counts = Counter(one.rung for one in standings(world))

    assert [counts[rung] for rung in range(5)] == [107, 172, 23, 11, 7]


@pytest.mark.parametrize("on", [TODAY, date(2027, 5, 24), date(2028, 2, 29)], ids=str)
def test_every_state_of_every_title_occurs(on):
    found = {}
    for one in standings(make_world(7, on)):
        for kind, state in one.states.items():
            found.setdefault(kind, set()).add(state)

    assert found == EVERY_STATE


@pytest.mark.parametrize("on", DAYS, ids=str)
def test_every_title_could_be_recorded_by_hand(on):
    terms = load_ladder().terms
    for enterprise in make_world(5, on).enterprises:
        titles = facts_of(enterprise).titles
        for place, title in enumerate(titles):
            assert title_problems(title, titles[:place], on, terms=terms) == {}, enterprise.recipe


def test_about_twenty_enterprises_lie_in_the_invented_district(world):
    assert Counter(one.region for one in world.enterprises) == {COUNTY: 300, SECOND: 20}


def test_every_role_is_held_in_both_districts(world):
    for county in (COUNTY, SECOND):
        roles = {grant.role for user in world.users for grant in user.grants if user.region == county}

        assert roles == set(ROLES)


def test_every_grant_points_at_something_of_the_world(world):
    regions = {region.code for region in world.regions}
    places = {(place.noun, place.region, place.name) for place in world.places}

    for user in world.users:
        for grant in user.grants:
            assert grant.region in regions
            for noun in ("unit", "park", "carrier"):
                name = getattr(grant, noun)
                assert name is None or (noun, user.region, name) in places


def test_names_codes_and_logins_are_unique(world):
    names = [normalise_name(one.fields["name"]) for one in world.enterprises]
    codes = [code for one in world.enterprises if (code := one.fields.get("credit_code"))]
    logins = [user.login for user in world.users]

    assert all(len(set(keys)) == len(keys) for keys in (names, codes, logins))


def test_no_code_belongs_to_a_real_enterprise(world):
    codes = [one.fields["credit_code"] for one in world.enterprises if "credit_code" in one.fields]

    assert all(code[2:8] == "500299" for code in codes)


def test_a_failing_code_comes_with_its_reason_and_only_then(world):
    for one in world.enterprises:
        if "credit_code" in one.fields:
            assert check_code(one.fields["credit_code"]).ok is (one.code_reason is None)
    assert 4 <= sum(one.code_reason is not None for one in world.enterprises) <= 8


def test_an_enterprise_without_a_code_has_an_old_number(world):
    without = [one for one in world.enterprises if "credit_code" not in one.fields]

    assert without and all("old_number" in one.fields for one in without)


def test_every_key_is_a_declared_field_and_every_choice_a_known_one(world):
    for one in world.enterprises:
        records = [("enterprise", one.fields), *(("figures", year) for year in one.figures.values())]
        records += [("qualification", title.fields) for title in one.titles]
        records += [("pool_membership", fields) for fields in one.pool]
        records += [("intellectual_property", fields) for fields in one.ip]
        for noun, fields in records:
            _check(noun, fields)
    for log in world.logs:
        _check("service_log", log.fields)


def _check(noun, fields):
    for code, value in fields.items():
        field = FIELDS[f"{noun}.{code}"]
        assert value is not None
        if field.choices in CHOICES:
            assert value in CHOICES[field.choices], (code, value)
        if field.length:
            assert len(value) <= field.length


def test_affiliations_follow_one_another_without_overlap(world):
    for one in world.enterprises:
        by_kind = {}
        for affiliation in one.affiliations:
            assert affiliation.kind in AFFILIATIONS
            by_kind.setdefault(affiliation.kind, []).append(affiliation)
        for spans in by_kind.values():
            assert all(span.ends_on is None or span.ends_on >= span.starts_on for span in spans)
            assert all(a.ends_on is not None and a.ends_on < b.starts_on for a, b in pairwise(spans))


def test_every_enterprise_lies_in_a_township_of_its_district(world):
    for one in world.enterprises:
        assert one.value_on("township", world.on).startswith(one.region)
        assert one.value_on("status", world.on) in CHOICES["status"]


def test_figures_have_growth_zeros_and_blanks(world):
    years = [fields for one in world.enterprises for fields in one.figures.values()]

    assert any(fields.get("rd_expense") == 0 for fields in years)
    assert any("rd_expense" not in fields for fields in years)
    assert any("had_major_accident" in fields for fields in years)
    assert all(fields.get("staff_count", 1) >= 1 for fields in years if "staff_count" in fields)


def test_a_visit_was_made_by_whoever_was_the_case_manager_that_day(world):
    by_key = {one.key: one for one in world.enterprises}

    for log in world.logs:
        owners = {by_key[key].value_on("manager", log.fields["happened_on"]) for key in log.enterprises}
        assert log.author in owners
        assert log.fields["happened_on"] <= world.on


def test_logs_cover_fourteen_months_and_some_steps_are_overdue(world):
    open_steps = [log.fields["next_step_on"] for log in world.logs if "next_step" in log.fields and not log.done_on]

    assert (world.on - min(log.fields["happened_on"] for log in world.logs)).days > 380
    assert 3 <= sum(due < world.on for due in open_steps) <= 30
    assert any(due > world.on for due in open_steps)


def test_a_comparison_finds_met_unmet_unknown_and_one_short(world):
    rules = load_rule_set("tech_sme", world.on)
    results = [compare(rules, _facts_for_comparison(one, world.on), world.on) for one in world.enterprises]

    assert {str(result.result) for result in results} >= {"met", "unmet", "unknown", "needs_person", "not_applicable"}
    assert 5 <= sum(one_short(result) for result in results) <= 60


def _facts_for_comparison(one, on):
    titles = tuple(title.fields for title in one.titles)
    terms = load_ladder().terms
    own = {**one.fields, "status": one.value_on("status", on)}
    return Facts(on, own, one.figures, intellectual_property=one.ip, titles=titles, terms=terms)


def test_one_training_is_one_event_of_several_enterprises(world):
    trainings = [log for log in world.logs if log.fields["kind"] == "training"]

    assert trainings and all(5 <= len(log.enterprises) <= 9 for log in trainings)


def test_the_colleague_who_left_still_stands_under_her_visits(world):
    user = next(user for user in world.users if user.login == "xugui")

    assert user.active is False
    assert any(log.author == "xugui" for log in world.logs)
    assert all(one.value_on("manager", world.on) != "xugui" for one in world.enterprises)


def test_some_enterprises_had_other_names(world):
    renamed = [one for one in world.enterprises if one.former_names]

    assert len(renamed) >= 8
    assert all(name != one.fields["name"] and until < world.on for one in renamed for name, until in one.former_names)


def test_names_have_a_core_that_can_be_found(world):
    for one in world.enterprises:
        parts = split_name(one.fields["name"], ("巫溪县", "云台区"))
        assert 2 <= len(parts.core) <= 3 and parts.region and parts.form
        assert len(search_keys(one.fields["name"])) >= 2


def test_a_world_too_small_for_its_states_is_refused():
    with pytest.raises(ValueError, match="at least 60"):
        make_world(1, TODAY, 59)


def test_bench_rows_are_unique_and_valid():
    rows = list(bench_enterprises(2_000))

    assert len({row["name"] for row in rows}) == len({row["credit_code"] for row in rows}) == 2_000
    assert all(check_code(row["credit_code"]).ok for row in rows[:50])
    assert rows[:10] == list(bench_enterprises(10))
