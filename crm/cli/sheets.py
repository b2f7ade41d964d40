"""`import`, `import-undo`, `export`: the importer and the exporter without the screen."""

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
from flask import Flask

from crm.actions import import_reading, imports
from crm.actions.exports import export_profile
from crm.actions.import_judging import judge
from crm.actions.import_rows import OUTCOMES
from crm.actions.import_said import Said
from crm.actions.import_undo import kept_words, preview_undo
from crm.cli import Day, refuse
from crm.cli.database import operators_act
from crm.domain.acts import Act
from crm.domain.words import IMPORT_OUTCOMES
from crm.extensions import db
from crm.jobs import imports as work
from crm.sheets.refusals import SheetRefused
from crm.store import file_store
from crm.store.imports import ImportBatch
from crm.store.projections import local_day
from crm.store.regions import COUNTY, Region, counties, region_by_code
from crm.store.unit_of_work import is_full, unit_of_work
from crm.store.users import user_by_login, viewer_of


def register(app: Flask) -> None:
    for command in (import_file, import_undo, export):
        app.cli.add_command(command)


def _not_understood(sentence: str) -> None:
    """Say why the call or its file cannot be understood and leave with exit code 2."""
    click.echo(sentence, err=True)
    sys.exit(2)


def _act(login: str | None) -> Act:
    """The operator's act, or that of the user in whose name it is to be done."""
    if login is None:
        return operators_act()
    user = user_by_login(login)
    if user is None or not user.is_active:
        _not_understood(f"There is no active user {login}.")
        raise AssertionError
    now = datetime.now(UTC)
    today = local_day(now)
    return Act(viewer_of(user, today), "cli", now, today)


def _region(code: str | None, act: Act) -> Region:
    """The county meant: by its code, else the only one the viewer has."""
    if code is not None:
        found = region_by_code(code)
        if found is None or found.level != COUNTY:
            _not_understood(f"There is no county with the code {code}.")
            raise AssertionError
        return found
    own = frozenset().union(*(grant.county_ids for grant in act.viewer.grants))
    known = [county for county in counties() if act.viewer.everything or county.id in own]
    if len(known) != 1:
        codes = ", ".join(f"{county.code} {county.name}" for county in known) or "none"
        _not_understood(f"Say which county is meant with --region; known are: {codes}.")
    return known[0]


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--profile", help="How the file is laid out (default: the profile that knows more of its columns).")
@click.option("--sheet", help="Read only the sheet of this name.")
@click.option("--full-list", is_flag=True, help="The file names every enterprise: also report those it lacks.")
@click.option("--dry-run", is_flag=True, help="Judge every row and write nothing.")
@click.option("--good-rows-only", is_flag=True, help="Write the good rows although others are wrong.")
@click.option("--user", "login", help="In whose name and with whose rights (default: the operator, with all).")
@click.option("--region", "code", help="Code of the county the file belongs to, when there are several.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def import_file(
    file: Path,
    profile: str | None,
    sheet: str | None,
    full_list: bool,
    dry_run: bool,
    good_rows_only: bool,
    login: str | None,
    code: str | None,
    as_json: bool,
) -> None:
    """Bring in a workbook or csv: every row is judged, then all is written or nothing."""
    act = _act(login)
    region_id = _region(code, act).id
    try:
        if dry_run:
            report = _rehearse(file, profile, sheet, full_list, region_id, act)
        else:
            report = _bring(file, profile, sheet, full_list, good_rows_only, region_id, act)
    except SheetRefused as refusal:
        _not_understood(refusal.message)
        return
    _print_import(report, as_json, dry_run)
    blocking = sum(report[outcome] for outcome in ("conflict", "duplicate", "unmatched", "error"))
    if blocking and not good_rows_only:
        refuse(f"{blocking} rows are in the way, so nothing was written; mend them or use --good-rows-only.")


def _rehearse(
    file: Path, profile: str | None, sheet: str | None, full_list: bool, region_id: int, act: Act
) -> dict[str, Any]:
    imports.require_import(act.viewer, region_id)
    chosen, found = import_reading.read_tables(file, name=file.name, profile=profile, said=Said(sheet=sheet))
    judgement = judge(
        found,
        profile=chosen.code,
        viewer=act.viewer,
        region_id=region_id,
        on=act.effective_on,
        recorded_at=act.recorded_at,
        full_list=full_list,
    )
    return judgement.report(None)


def _bring(
    file: Path,
    profile: str | None,
    sheet: str | None,
    full_list: bool,
    good_rows_only: bool,
    region_id: int,
    act: Act,
) -> dict[str, Any]:
    # Before the bytes are kept: a refusal should leave nothing behind.
    imports.require_import(act.viewer, region_id)
    with file.open("rb") as content:
        kept = file_store.keep(content)
    with unit_of_work():
        batch_id = imports.start_import(
            kept,
            name=file.name,
            region_id=region_id,
            profile=profile,
            sheet=sheet,
            full_list=full_list,
            ask=False,
            act=act,
        )
    work.preview(work.InProcess(), {"batch": batch_id})
    batch = _batch(batch_id)
    if batch.state == "refused":
        raise SheetRefused(batch.message or "")
    report = imports.report_of(batch_id)
    if not report["new"] and not report["changed"]:
        return report
    try:
        with unit_of_work():
            imports.confirm(batch_id, good_rows_only=good_rows_only, ask=False, act=act)
    except imports.RowsInTheWay:
        return report
    work.commit(work.InProcess(), {"batch": batch_id})
    batch = _batch(batch_id)
    if batch.state != "done":
        refuse(batch.message or "Nothing was written.")
    return report


def _batch(batch_id: int) -> ImportBatch:
    db.session.rollback()
    batch = db.session.get(ImportBatch, batch_id)
    assert batch is not None
    return batch


def _print_import(report: dict[str, Any], as_json: bool, dry_run: bool) -> None:
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    if report["batch"] is not None:
        click.echo(f"导入批次 {report['batch']}")
    said = "，".join(f"{IMPORT_OUTCOMES[outcome]} {report[outcome]}" for outcome in OUTCOMES if report[outcome])
    click.echo(f"{report['rows']} 行{'（试读，什么也没有写入）' if dry_run else ''}：{said or '没有数据'}")
    for problem in report["problems"]:
        mark = "" if problem["severity"] == "error" else "提醒 "
        click.echo(f"{mark}{problem['sheet']} 第 {problem['row']} 行 {problem['column']}：{problem['message']}")
    for missing in report["missing_from_file"]:
        click.echo(f"库内有、名单无：{missing['name']} {missing['credit_code'] or ''}".rstrip())


@click.command("import-undo")
@click.argument("batch", type=int)
@click.option("--dry-run", is_flag=True, help="Say what would be taken back and what stays; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def import_undo(batch: int, dry_run: bool, as_json: bool) -> None:
    """Take back one import: overwritten values return, what came with it goes, later edits stay and are named."""
    act = operators_act()
    if dry_run:
        plan = preview_undo(batch, viewer=act.viewer)
        restored, withdrawn, kept = sum(map(len, plan.restore.values())), len(plan.withdraw), plan.kept
    else:
        result = work.undo(batch, operators_act)
        restored, withdrawn, kept = result.restored, result.withdrawn, result.kept
    lines = kept_words(kept)
    if as_json:
        report = {
            "batch": batch,
            "restored": restored,
            "withdrawn": withdrawn,
            "kept": [{"name": name, "why": why} for name, why in lines],
        }
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(f"{'将' if dry_run else '已'}恢复 {restored} 处，撤下 {withdrawn} 条，保留 {len(lines)} 处")
    for name, why in lines:
        click.echo(f"{name} {why}".strip())


@click.command("export")
@click.argument("profile")
@click.option("-o", "--output", "file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File.")
@click.option("--on", type=Day(), help="As things stand on this day (default: today).")
@click.option("--user", "login", help="As this user may see it (default: the operator, who sees everything).")
@click.option("--region", "code", help="Code of the county (default: all that may be seen).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def export(profile: str, file: Path, on: date | None, login: str | None, code: str | None, as_json: bool) -> None:
    """Write a workbook in a profile's layout; brought in again it changes nothing."""
    act = _act(login)
    known = counties()
    region_id = _region(code, act).id if code is not None or len(known) == 1 else None
    try:
        counts = export_profile(profile, file, region_id=region_id, on=on or act.effective_on, act=act)
    except SheetRefused as refusal:
        _not_understood(refusal.message)
        return
    except OSError as error:
        if is_full(error):
            raise
        _not_understood(f"{file} cannot be written: {error.strerror or error}.")
        return
    if as_json:
        click.echo(json.dumps({"file": str(file), "rows": counts}, ensure_ascii=False))
        return
    click.echo(f"{file}: " + ", ".join(f"{noun} {count}" for noun, count in counts.items()))
