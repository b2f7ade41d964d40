"""Cadences as data: complete, dated, and refused with the place of the slip."""

from datetime import date

import pytest

from crm.domain.cadences import OBLIGATION_KINDS
from crm.domain.kinds import KINDS
from crm.rules import cadences
from crm.rules.cadences import load_cadences
from crm.rules.loader import RuleFileError, read


@pytest.fixture
def changed(monkeypatch):
    """Loads the file with one entry changed; None takes a key out."""

    def load(kind, values):
        content = read("cadences")
        for entry in content["cadence"]:
            if entry["kind"] == kind:
                entry.update(values)
                for name in [name for name, value in entry.items() if value is None]:
                    del entry[name]
        monkeypatch.setattr(cadences, "read", lambda name: content)
        load_cadences.cache_clear()
        return load_cadences()

    yield load
    load_cadences.cache_clear()


def test_every_kind_of_obligation_has_a_cadence_with_a_chinese_label():
    loaded = load_cadences()

    assert {kind: loaded.label(kind) for kind in OBLIGATION_KINDS} == {
        "hnte_renewal": "高企重新认定",
        "hnte_annual_report": "高企年度发展情况报表",
        "tech_sme_round": "国家科小年度评价",
        "next_step": "下一步",
        "request": "诉求回复",
        "change_report": "更名（重大变化）报告",
        "application_stage": "申报环节",
        "evidence_expiry": "材料到期",
    }
    assert {entry.title_kind for entry in loaded.entries} <= {None, *KINDS}


def test_the_annual_report_is_due_on_the_last_of_may_and_two_misses_cancel():
    report = load_cadences().of("hnte_annual_report", date(2026, 1, 1))

    assert (report.due, report.misses_allowed, report.urgent_days) == ((5, 31), 2, 7)


def test_a_cadence_does_not_reach_back_before_its_document():
    assert load_cadences().of("tech_sme_round", date(2017, 5, 2)) is None


@pytest.mark.parametrize(
    ("kind", "values", "sentence"),
    [
        pytest.param("hnte_renewal", {"kind": "hnte_renewel"}, "kind 'hnte_renewel' is unknown", id="unknown kind"),
        pytest.param("hnte_renewal", {"title_kind": "hnet"}, "title_kind 'hnet' is unknown", id="unknown title"),
        pytest.param("hnte_renewal", {"label": None}, "label is missing", id="no label"),
        pytest.param("hnte_renewal", {"steps": "告知"}, "steps must be a list", id="steps as text"),
        pytest.param("hnte_renewal", {"expected": None}, "expected = { opens, due } is missing", id="no default days"),
        pytest.param(
            "hnte_renewal", {"expected": {"opens": "09-01", "due": "08-31"}}, "due before it opens", id="due too early"
        ),
        pytest.param("hnte_renewal", {"urgent_days": -1}, "urgent_days must be a whole number", id="negative days"),
        pytest.param("hnte_annual_report", {"misses_clause": None}, "misses_clause is missing", id="uncited threat"),
        pytest.param("next_step", {"document": None}, "document is missing", id="no document"),
        pytest.param("next_step", {"valid_from": None}, "valid_from must be a date", id="undated"),
    ],
)
def test_a_slip_in_a_cadence_names_the_entry(changed, kind, values, sentence):
    with pytest.raises(RuleFileError, match=r"cadences\.toml: cadence \d: .*" + sentence):
        changed(kind, values)


def test_a_missing_cadence_is_refused(monkeypatch):
    monkeypatch.setattr(cadences, "read", lambda name: {"cadence": []})
    load_cadences.cache_clear()

    missing = "application_stage, change_report, evidence_expiry, hnte_annual_report, hnte_renewal, next_step, "
    with pytest.raises(RuleFileError, match=f"no cadence for {missing}"):
        load_cadences()

    load_cadences.cache_clear()
