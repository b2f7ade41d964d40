"""Ladder, windows and holidays as data: every entry is dated and cited, and slips are named."""

from datetime import date, datetime

import pytest

from crm.domain.clock import SHANGHAI, end_of_day
from crm.domain.kinds import KINDS, POOL
from crm.domain.periods import Citation
from crm.rules import calendars, ladder
from crm.rules.calendars import holidays, rounds, windows
from crm.rules.entries import citation_of, month_day
from crm.rules.ladder import load_ladder
from crm.rules.loader import RuleFileError, read

CITED = {
    "document": "国科发火〔2016〕32号",
    "clause": "第九条",
    "source": "原文",
    "confidence": "A",
    "checked_on": date(2026, 11, 23),
}


@pytest.fixture
def rule_file(monkeypatch):
    """Lets a test put another content in the place of a rule file."""

    def replace(module, content):
        monkeypatch.setattr(module, "read", lambda name: content)

    yield replace
    load_ladder.cache_clear()
    holidays.cache_clear()


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("ladder", "rung"),
        ("ladder", "term"),
        ("cadences", "cadence"),
        ("windows_chongqing", "window"),
        ("holidays", "year"),
    ],
)
def test_every_entry_of_every_file_is_cited_and_doubtful_ones_ask_for_confirmation(name, table):
    entries = read(name)[table]

    citations = [citation_of(entry, f"{name}: {table}") for entry in entries]

    assert citations
    assert all(citation.confirm for citation in citations if citation.confidence in ("C", "D"))


@pytest.mark.parametrize("missing", list(CITED))
def test_an_entry_without_a_part_of_its_citation_is_refused(missing):
    entry = {name: value for name, value in CITED.items() if name != missing}

    with pytest.raises(RuleFileError, match=f"^here: {missing}"):
        citation_of(entry, "here")


def test_a_doubtful_entry_that_asks_nobody_is_refused():
    with pytest.raises(RuleFileError, match="confidence D needs confirm"):
        citation_of(CITED | {"confidence": "D"}, "here")


def test_a_citation_comes_back_whole():
    assert citation_of(CITED | {"confidence": "C", "confirm": True}, "here") == Citation(
        "国科发火〔2016〕32号", "第九条", "原文", "C", date(2026, 11, 23), True
    )


def test_the_ladder_knows_every_kind_and_the_pool():
    loaded = load_ladder()

    assert set(loaded.terms) == set(KINDS)
    assert {entry.kind: entry.rung for entry in loaded.rungs} == {
        "innovative_sme": 0,
        "cq_tech": 1,
        "tech_sme": 1,
        "tech_innovative_sme": 1,
        POOL: 2,
        "hnte": 3,
        "srdi": 4,
        "little_giant": 4,
    }


def test_the_ladder_answers_by_day():
    loaded = load_ladder()

    days = (date(2026, 3, 31), date(2026, 4, 1))
    assert [loaded.rung_of("tech_innovative_sme", day) for day in days] == [0, 1]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        pytest.param({"kind": "hnet", "rung": 3}, "kind 'hnet' is unknown", id="a slip in the kind"),
        pytest.param({"kind": "hnte", "rung": 5}, "rung must be 0 to 4", id="a rung above the ladder"),
        pytest.param({"kind": "hnte", "rung": 3}, "valid_from must be a date", id="an undated entry"),
    ],
)
def test_a_slip_in_a_rung_names_the_entry(rule_file, entry, sentence):
    load_ladder.cache_clear()
    rule_file(ladder, {"rung": [CITED | entry]})

    with pytest.raises(RuleFileError, match=f"ladder.toml: rung 1: {sentence}"):
        load_ladder()


def test_a_kind_without_a_term_is_refused(rule_file):
    load_ladder.cache_clear()
    rule_file(ladder, {"rung": [], "term": []})

    with pytest.raises(RuleFileError, match="no term for cq_tech, tech_sme"):
        load_ladder()


@pytest.mark.parametrize("text", ["02-29", "13-01", "May 31", ""])
def test_a_day_that_is_not_there_every_year_is_refused(text):
    with pytest.raises(RuleFileError, match="closes must be a day like 05-31"):
        month_day({"closes": text}, "closes", "here")


def test_the_windows_of_2025_stand_as_announced():
    found = [w for w in windows("500238") if (w["kind"], w["year"]) == ("hnte", 2025)]

    assert [(w["batch"], w["opens_on"], w["enterprise_due_at"], w["county_due_at"]) for w in found] == [
        ("第一批", date(2025, 3, 18), end_of_day(date(2025, 4, 30)), datetime(2025, 5, 16, 12, tzinfo=SHANGHAI)),
        ("第二批", date(2025, 5, 19), end_of_day(date(2025, 6, 30)), datetime(2025, 7, 16, 12, tzinfo=SHANGHAI)),
        ("第三批", date(2025, 7, 17), end_of_day(date(2025, 8, 31)), datetime(2025, 9, 12, 12, tzinfo=SHANGHAI)),
    ]
    assert {w["region_code"] for w in found} == {"500000"}


@pytest.mark.parametrize(
    ("kind", "year", "status", "certain"),
    [
        ("hnte", 2025, "closed", True),
        ("hnte", 2026, "closed", False),
        ("hnte", 2027, "expected", False),
        ("tech_sme", 2026, "closed", True),
        ("tech_sme", 2027, "expected", False),
    ],
)
def test_a_window_says_whether_anybody_announced_it(kind, year, status, certain):
    found = [one for one in rounds("500238") if (one.kind, one.year) == (kind, year)]

    assert {(one.status, one.certain) for one in found} == {(status, certain)}


def test_another_province_has_no_windows_of_chongqing():
    assert windows("510100") == []


def test_a_window_that_hides_its_assumption_is_refused():
    entry = CITED | {
        "kind": "hnte",
        "year": 2027,
        "batch": "第一批",
        "opens_on": date(2027, 3, 18),
        "closes_on": date(2027, 5, 16),
        "status": "expected",
        "assumed": True,
    }

    with pytest.raises(RuleFileError, match="assumed and the word 推定"):
        calendars._window(entry, "500000", "here")


def test_the_holidays_of_2026_have_their_make_up_days():
    known = holidays()

    assert sorted(day for day in known.workdays if day.year == 2026) == [
        date(2026, 1, 4),
        date(2026, 2, 14),
        date(2026, 2, 28),
        date(2026, 5, 9),
        date(2026, 9, 20),
        date(2026, 10, 10),
    ]
    assert len([day for day in known.days_off if day.year == 2026]) == 33
    assert all(day.weekday() >= 5 for day in known.workdays)


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        pytest.param({"days_off": ["2027-02-30"]}, "is no day", id="a day that does not exist"),
        pytest.param({"days_off": ["2026-12-31/2027-01-02"]}, "is not in 2027", id="a span over the year's end"),
        pytest.param(
            {"days_off": ["2027-01-01"], "workdays": ["2027-01-01"]}, "both off and worked", id="both at once"
        ),
    ],
)
def test_a_slip_in_the_holidays_is_named(rule_file, entry, sentence):
    holidays.cache_clear()
    rule_file(calendars, {"year": [CITED | {"year": 2027} | entry]})

    with pytest.raises(RuleFileError, match=sentence):
        holidays()
