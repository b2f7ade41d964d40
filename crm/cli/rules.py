"""Rules on the command line: load them, run their cases, print them; compare enterprises with them."""

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask import Flask, current_app
from sqlalchemy import select

from crm.actions.assessments import facts_of_many, judge, report_of
from crm.cli import Day
from crm.domain import words
from crm.domain.codes import normalise_code
from crm.domain.conditions import Outcome
from crm.domain.facts import Facts, FactsNotUnderstood, facts_from_json
from crm.domain.judgements import Result, walk
from crm.extensions import db
from crm.rules import rule_cases, rule_checks, rule_sets, rule_texts
from crm.rules.ladder import load_ladder
from crm.rules.loader import RuleFileError
from crm.store.enterprises import Enterprise
from crm.store.projections import all_ids
from crm.store.schema import schema_state

# A facts file is a page of numbers; anything larger is another file.
LARGEST_FACTS = 4 * 1024 * 1024


def register(app: Flask) -> None:
    app.cli.add_command(rules)
    app.cli.add_command(assess)


@click.group()
def rules() -> None:
    """Check, test and print the rule sets (dated TOML in crm/rules)."""


@rules.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check_rules(as_json: bool) -> None:
    """Load every rule set and say each slip; exit code 1 when there is one."""
    slips = rule_checks.check()
    if as_json:
        _print({"rules": rule_sets.kinds(), "problems": slips})
    else:
        for slip in slips:
            click.echo(slip)
        click.echo(f"{len(rule_sets.kinds())} rule sets, {len(slips)} problems")
    sys.exit(1 if slips else 0)


@rules.command("test")
@click.argument("kind", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def try_cases(kind: str | None, as_json: bool) -> None:
    """Run the cases of one KIND or of all; exit code 1 when one disagrees."""
    if kind is not None:
        _known(kind)
    try:
        outcomes = rule_cases.run_cases(kind)
    except RuleFileError as error:
        _not_understood(str(error))
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if as_json:
        cases = [
            {"rules": o.kind, "title": o.title, "name": o.name, "passed": o.passed, "problems": list(o.problems)}
            for o in outcomes
        ]
        _print({"passed": len(outcomes) - len(failed), "failed": len(failed), "cases": cases})
    else:
        for outcome in failed:
            click.echo(f"{outcome.kind}: {outcome.title}")
            for problem in outcome.problems:
                click.echo(f"  {problem}")
        click.echo(f"{len(outcomes)} cases, {len(failed)} failed")
    sys.exit(1 if failed else 0)


@rules.command("show")
@click.argument("kind")
@click.option("--on", type=Day(), help="The day whose version is meant (default: today).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with the text of the version.")
def show_rules(kind: str, on: date | None, as_json: bool) -> None:
    """Print the conditions of a KIND in force on a day, with document, clause and confidence."""
    day = _day(on)
    _known(kind)
    try:
        if as_json:
            found = rule_sets.load_rule_set(kind, day)
            _print(
                {
                    "on": day.isoformat(),
                    "rules": kind,
                    "version": found.version,
                    "document": found.document,
                    "valid_from": found.valid_from.isoformat(),
                    "valid_to": found.valid_to.isoformat() if found.valid_to else None,
                    "source": found.source,
                    "text": found.text,
                }
            )
        else:
            click.echo(rule_texts.show(kind, day), nl=False)
    except RuleFileError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


@click.command()
@click.option("--code", help="Compare the enterprise with this 统一社会信用代码.")
@click.option(
    "--facts",
    "facts_file",
    type=click.Path(path_type=Path),
    help="Compare the facts of a JSON file; no database is touched.",
)
@click.option("--rules", "kind", help="One rule set (default: all of them).")
@click.option("--on", type=Day(), help="The day of the comparison (default: the file's day, else today).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def assess(code: str | None, facts_file: Path | None, kind: str | None, on: date | None, as_json: bool) -> None:
    """Compare with rule sets (条件比对（预评）): one enterprise, the facts of a file, or every enterprise."""
    if code is not None and facts_file is not None:
        raise click.UsageError("--code and --facts exclude one another.")
    if kind is not None:
        _known(kind)
    kinds = [kind] if kind is not None else None
    if facts_file is not None:
        facts = _facts_in(facts_file, on)
        day, judged = (
            facts.on,
            [(facts.enterprise.get("credit_code"), facts.enterprise.get("name"), _judge(facts, kinds))],
        )
    else:
        day = _day(on)
        judged = [(e.credit_code, e.name, _judge(facts, kinds)) for e, facts in facts_of_many(_chosen(code), day)]
    if as_json:
        results = [report_of(result, own) for own, _, found in judged for result in found]
        _print({"on": day.isoformat(), "results": results})
        return
    for own, name, found in judged:
        click.echo(" ".join(part for part in (own, name) if part) or "（没有名称和代码）")
        for result in found:
            click.echo(_in_words(result))


def _judge(facts: Facts, kinds: list[str] | None) -> list[Result]:
    try:
        return judge(facts, kinds)
    except RuleFileError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _in_words(result: Result) -> str:
    """One comparison in lines: the whole, then every condition that is not met, and the class of a firm's size."""
    score = f"，{result.score[0]}～{result.score[1]} 分" if result.score else ""
    source = f"{result.document}，版本 {result.version}"
    said = words.RESULTS[result.result.value]
    lines = [f"  {words.word(result.kind, 'rules')}（{source}）：{said}{score}"]
    for criterion in walk(result.criteria):
        settled = criterion.result in (Outcome.MET, Outcome.NOT_APPLICABLE)
        if settled and (result.kind != "size_class" or criterion.role != "condition"):
            continue
        value = criterion.value_text or "、".join(f"缺 {ref.label}" for ref in criterion.missing)
        gap = f"，{criterion.gap.text}" if criterion.gap else ""
        mark = words.RESULTS[criterion.result.value] if criterion.role == "condition" else "提示"
        value = f"：{value}{gap}" if value else ""
        lines.append(f"    {mark} {criterion.name}{value}〔{criterion.clause}〕")
    return "\n".join(lines)


def _chosen(code: str | None) -> list[int]:
    """The ids to compare; refuses another schema and an unknown code."""
    state = schema_state()
    if not state.matches:
        click.echo(state.sentence(), err=True)
        sys.exit(1)
    if code is None:
        return all_ids()
    query = select(Enterprise.id).where(Enterprise.credit_code == normalise_code(code), ~Enterprise.deleted)
    found = list(db.session.scalars(query))
    if not found:
        click.echo(f"库里没有统一社会信用代码为 {code} 的企业。核对代码。", err=True)
        sys.exit(1)
    return found


def _facts_in(path: Path, on: date | None) -> Facts:
    try:
        if path.stat().st_size > LARGEST_FACTS:
            _not_understood(f"{path.name} 超过 4 MB，不是事实文件。")
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        _not_understood(f"{path.name} 读不了：{error.strerror}。核对路径。")
    except UnicodeDecodeError:
        _not_understood(f"{path.name} 不是 UTF-8 文本。另存为 UTF-8 再试。")
    except (json.JSONDecodeError, RecursionError) as error:
        place = f"第 {error.lineno} 行第 {error.colno} 列" if isinstance(error, json.JSONDecodeError) else "嵌套太深"
        _not_understood(f"{path.name} 不是 JSON：{place}。改正后再试。")
    try:
        return facts_from_json(data, on, terms=load_ladder().terms)
    except FactsNotUnderstood as error:
        _not_understood("\n".join(error.problems.values()))


def _known(kind: str) -> None:
    if kind not in rule_sets.kinds():
        raise click.UsageError(f"{kind!r} has no rule set; there are: {', '.join(rule_sets.kinds())}.")


def _not_understood(sentence: str) -> Any:
    """The call or its file cannot be understood: say why and leave with exit code 2."""
    click.echo(sentence, err=True)
    sys.exit(2)


def _day(on: date | None) -> date:
    """The day asked for, else today where the bureau sits: a door reads the clock."""
    return on or datetime.now(ZoneInfo(current_app.config["TZ_NAME"])).date()


def _print(report: dict[str, Any]) -> None:
    click.echo(json.dumps(report, ensure_ascii=False))
