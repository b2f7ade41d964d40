"""`rules` and `assess`: exit codes, one JSON object, and `--facts` without any database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crm.actions.enterprises import create_enterprise
from crm.rules import rule_cases, rule_checks, rule_sets
from crm.store.unit_of_work import unit_of_work
from tests.builders import act, county, make_enterprise

ROOT = Path(__file__).parents[2]
FACTS = {
    "on": "2026-11-23",
    "enterprise": {"subject_type": "公司", "credit_code": "915002990000000013"},
    "figures": {"2025": {"staff_count": 600, "sales": 34089000.5}},
}


def run(app, *args: str):
    return app.test_cli_runner().invoke(args=list(args))


@pytest.fixture
def facts_file(tmp_path):
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(FACTS, ensure_ascii=False), encoding="utf-8")
    return path


def test_every_rule_set_loads_and_every_case_agrees(sqlite_app):
    checked, tried = run(sqlite_app, "rules", "check", "--json"), run(sqlite_app, "rules", "test", "--json")

    assert (checked.exit_code, json.loads(checked.output)) == (0, {"rules": rule_sets.kinds(), "problems": []})
    assert tried.exit_code == 0
    assert json.loads(tried.output)["failed"] == 0


def test_a_slip_in_a_rule_file_is_said_with_exit_code_one(sqlite_app, monkeypatch):
    monkeypatch.setattr(rule_checks, "check", lambda: ["tech_sme.toml: criterion 'staff': no threshold"])

    result = run(sqlite_app, "rules", "check")

    assert (result.exit_code, result.output.splitlines()[0]) == (1, "tech_sme.toml: criterion 'staff': no threshold")


def test_a_case_that_disagrees_is_said_with_exit_code_one(sqlite_app, monkeypatch):
    outcome = rule_cases.CaseOutcome("tech_sme", "两年不够", "two years", ("result: unmet, expected met",))
    monkeypatch.setattr(rule_cases, "run_cases", lambda kind: [outcome])

    result = run(sqlite_app, "rules", "test", "tech_sme")

    assert result.exit_code == 1
    assert result.output.splitlines() == ["tech_sme: 两年不够", "  result: unmet, expected met", "1 cases, 1 failed"]


def test_show_prints_the_version_of_a_day_and_refuses_a_day_before_the_first(sqlite_app):
    shown = run(sqlite_app, "rules", "show", "tech_sme", "--on", "2026-11-23")
    before = run(sqlite_app, "rules", "show", "tech_sme", "--on", "2010-01-01")

    assert shown.exit_code == 0
    assert "国科发政〔2017〕115号" in shown.output
    assert before.exit_code == 1


def test_an_unknown_kind_is_a_wrong_call(sqlite_app):
    calls = (("rules", "show", "x"), ("rules", "test", "x"), ("assess", "--rules", "x"))

    assert [run(sqlite_app, *call).exit_code for call in calls] == [2, 2, 2]


def test_facts_are_compared_as_one_object_and_nothing_else(sqlite_app, facts_file):
    result = run(sqlite_app, "assess", "--facts", str(facts_file), "--rules", "tech_sme", "--json")

    report = json.loads(result.output)
    assert (result.exit_code, report["on"], len(report["results"])) == (0, "2026-11-23", 1)
    first = report["results"][0]
    assert (first["credit_code"], first["rules"], first["result"]) == ("915002990000000013", "tech_sme", "unmet")
    staff = next(c for c in first["criteria"] if c["id"] == "staff_limit")
    assert (staff["result"], staff["value"], staff["gap"]["amount"]) == ("unmet", 600, 100)
    assert staff["inputs"] == {"figures.2025.staff_count": 600}
    assert {"id", "clause", "result", "value", "threshold", "gap", "inputs"} <= set(staff)


def test_the_day_of_the_call_wins_over_the_day_of_the_file(sqlite_app, facts_file):
    result = run(sqlite_app, "assess", "--facts", str(facts_file), "--on", "2027-03-01", "--json")

    assert json.loads(result.output)["on"] == "2027-03-01"


# Port 1 answers nobody.
@pytest.mark.parametrize("url", ["", "postgresql://crm@127.0.0.1:1/crm"], ids=["sqlite", "postgresql out of reach"])
def test_facts_touch_no_database(tmp_path, facts_file, url):
    environment = {**os.environ, "INSTANCE_DIR": str(tmp_path / "instance"), "DATABASE_URL": url, "DEMO": "0"}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "assess", "--facts", str(facts_file), "--json"]

    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stderr) == (0, "")
    assert len(json.loads(result.stdout)["results"]) == len(rule_sets.kinds())
    assert [path.name for path in (tmp_path / "instance").iterdir()] == ["secret_key"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"{", id="half a file"),
        pytest.param(b"[]", id="a list"),
        pytest.param('{"on": "昨天"}'.encode(), id="a day that is none"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b'{"on": "2026-11-23", "figures": {"2025": {"staff_count": "many"}}}', id="a count in words"),
        pytest.param(b'{"on": "2026-11-23", "figures": {"2025": {"nonsense": 1}}}', id="a fact nobody declared"),
    ],
)
def test_a_file_that_cannot_be_understood_is_one_sentence_and_exit_code_two(sqlite_app, tmp_path, content):
    path = tmp_path / "bad.json"
    path.write_bytes(content)

    result = run(sqlite_app, "assess", "--facts", str(path), "--json")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1


def test_a_missing_file_is_exit_code_two(sqlite_app, tmp_path):
    assert run(sqlite_app, "assess", "--facts", str(tmp_path / "none.json")).exit_code == 2


def test_code_and_facts_exclude_one_another(sqlite_app, facts_file):
    assert run(sqlite_app, "assess", "--facts", str(facts_file), "--code", "1").exit_code == 2


def test_an_enterprise_of_the_library_is_compared_by_its_code(app):
    make_enterprise(code="915002990000000013", subject_type="self_employed")
    make_enterprise("另一家有限公司")

    one = run(app, "assess", "--code", "91500299 0000000013", "--rules", "tech_sme", "--on", "2026-11-23", "--json")
    every = run(app, "assess", "--rules", "tech_sme", "--on", "2026-11-23", "--json")

    assert [r["result"] for r in json.loads(one.output)["results"]] == ["not_applicable"]
    assert [r["result"] for r in json.loads(every.output)["results"]] == ["not_applicable", "unknown"]


def test_an_unknown_code_is_refused_in_one_sentence(sqlite_app):
    with unit_of_work():
        create_enterprise(county().id, {"name": "没有代码的合作社"}, act=act())

    result = run(sqlite_app, "assess", "--code", "915002990000000013")

    assert result.exit_code == 1
    assert result.stderr == "库里没有统一社会信用代码为 915002990000000013 的企业。核对代码。\n"


def test_words_say_what_is_short_and_what_is_missing(sqlite_app, facts_file):
    result = run(sqlite_app, "assess", "--facts", str(facts_file), "--rules", "tech_sme")

    assert "不满足 职工总数不超过 500 人：600 人，超 100 人〔第六条（二）〕" in result.output
    assert "缺 2025 年资产总额" in result.output
