"""`scheduler`, `worker`, `jobs list`, `jobs run`: the clock, the hands, their state, one job now."""

import json
import sys
from datetime import UTC, date, datetime
from typing import Any

import click
from flask import Flask, current_app
from sqlalchemy import func, select

from crm.actions.jobs import ask_for
from crm.cli import Day
from crm.domain import words
from crm.extensions import carrier, db
from crm.jobs import days, running, schedule, scheduler, worker
from crm.store.jobs import Heartbeat, Job, JobClaim, heartbeats, last_run_of_each
from crm.store.messages import Message
from crm.store.unit_of_work import unit_of_work

NAMES = [entry.name for entry in schedule.TIMETABLE]
# These are work of a worker; the others of the timetable are done by the clock itself.
BY_WORKER = ("recompute", "digest", "send_outbox")


def register(app: Flask) -> None:
    app.cli.add_command(serve_scheduler)
    app.cli.add_command(serve_worker)
    app.cli.add_command(jobs)


@click.command("scheduler")
def serve_scheduler() -> None:
    """Keep the timetable, in the foreground. A second one does no harm: each slot is run once."""
    scheduler.serve(_app())


@click.command("worker")
@click.option("--threads", type=click.IntRange(1, 16), default=1, show_default=True, help="Jobs done side by side.")
def serve_worker(threads: int) -> None:
    """Do jobs, in the foreground. Start as many as there is work for, on any machine that reaches the database."""
    worker.serve(_app(), threads=threads)


@click.group("jobs")
def jobs() -> None:
    """What the clock and the hands are doing."""


@jobs.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many jobs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_jobs(limit: int, as_json: bool) -> None:
    """Processes alive, last run of each timetabled job, the newest jobs, the outbox by state."""
    report = _report(limit)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo("Processes")
    for process in report["processes"]:
        click.echo(f"  {process['name']:<40} seen {process['seen_at']}")
    click.echo("Timetable")
    for run in report["timetable"]:
        click.echo(f"  {run['name']:<20} {run['slot'] or '-':<18} {run['state'] or 'never'}")
    click.echo("Jobs")
    for job in report["jobs"]:
        total = f"/{job['total']}" if job["total"] is not None else ""
        done = f"{job['progress']}{total}"
        click.echo(f"  {job['id']:>6} {job['kind']:<16} {job['state']:<10} {done} {job['error'] or ''}")
    click.echo("Outbox")
    for state, number in report["outbox"].items():
        click.echo(f"  {words.MESSAGE_STATES.get(state, state)} {number}")


@jobs.command("run")
@click.argument("name", type=click.Choice(NAMES))
@click.option("--on", type=Day(), help="The day to run it for (default: today).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def run_job(name: str, on: date | None, as_json: bool) -> None:
    """Run one job of the timetable now, in this process, for a given day."""
    day = on or days.today()
    state, result, error = _run_now(name, day)
    if as_json:
        click.echo(json.dumps({"name": name, "on": day.isoformat(), "state": state, "result": result, "error": error}))
    else:
        said = "、".join(f"{key} {value}" for key, value in (result or {}).items())
        click.echo(f"{name} {day}: {state}{f' ({said})' if said else ''}{f' {error}' if error else ''}")
    if state != "done":
        sys.exit(1)


def do_now(kind: str, payload: dict[str, Any], on: date) -> Job:
    """Put a job on record and do it in this process; a worker that is quicker does it instead. Returns its row."""
    with unit_of_work():
        job_id = ask_for(kind, payload, act=days.machine_act(kind, door="cli", on=on), hand_over=False)
    running.run(job_id)
    db.session.rollback()
    job = db.session.get(Job, job_id)
    assert job is not None
    return job


def _run_now(name: str, day: date) -> tuple[str, dict[str, Any] | None, str | None]:
    if name in BY_WORKER:
        payload = {"on": day.isoformat()} | ({"all": True} if name == "recompute" else {})
        job = do_now(name, payload, day)
        return job.state, job.result, job.error
    entry = next(entry for entry in schedule.TIMETABLE if entry.name == name)
    return "done", entry.run(days.moment_of(day)), None


def _report(limit: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    last = last_run_of_each()
    newest = db.session.scalars(select(Job).order_by(Job.id.desc()).limit(limit)).all()
    states = select(Message.state, func.count()).group_by(Message.state).order_by(Message.state)
    return {
        "at": now.isoformat(),
        "processes": [_process(row, now) for row in heartbeats()],
        "timetable": [_run(entry.name, last.get(entry.name)) for entry in schedule.TIMETABLE],
        "jobs": [_job(job) for job in newest],
        "carrier": carrier.huey.pending_count(),
        "outbox": dict(db.session.execute(states).all()),
    }


def _process(row: Heartbeat, now: datetime) -> dict[str, Any]:
    return {
        "name": row.name,
        "seen_at": row.seen_at.isoformat(),
        "seconds_ago": round((now - row.seen_at).total_seconds()),
    }


def _run(name: str, claim: JobClaim | None) -> dict[str, Any]:
    if claim is None:
        return {"name": name, "slot": None, "state": None, "started_at": None, "result": None}
    return {
        "name": name,
        "slot": claim.slot,
        "state": claim.state,
        "started_at": claim.started_at.isoformat(),
        "result": claim.result,
    }


def _job(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "attempts": job.attempts,
        "progress": job.progress,
        "total": job.total,
        "created_at": job.created_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
        "error": job.error,
    }


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined]
