"""`due` and `digest`: what must be done by when, and the week's mail about it."""

import json
from datetime import date, datetime, time, timedelta
from typing import Any

import click
from flask import Flask
from sqlalchemy import select

from crm.actions import digests
from crm.actions.digest_material import compose as compose_digest
from crm.cli import Day, refuse
from crm.cli.jobs import do_now
from crm.domain import words
from crm.domain.refusals import NotFound
from crm.domain.viewers import the_machine
from crm.extensions import db
from crm.jobs import days
from crm.jobs.digests import queue_digests
from crm.jobs.recompute import recompute_stale, refresh_missing
from crm.mail.compose import digest as mail_digest
from crm.store import due as due_lists
from crm.store.messages import WRITTEN
from crm.store.users import User, user_by_login


def register(app: Flask) -> None:
    app.cli.add_command(due)
    app.cli.add_command(digest)


@click.command("due")
@click.option("--on", type=Day(), help="The day to judge (default: today, which is also stored).")
@click.option("--days", "ahead", type=click.IntRange(0, 3660), help="Only what is due within so many days, or late.")
@click.option("--all", "settled", is_flag=True, help="Also what is done, waived or lapsed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def due(on: date | None, ahead: int | None, settled: bool, as_json: bool) -> None:
    """Recompute and list obligations, nearest first."""
    day = on or days.today()
    if day == days.today():
        recompute_stale(day)
        refresh_missing(day)
    at = days.moment_of(day)
    until = None
    if ahead is not None:
        until = datetime.combine(day + timedelta(days=ahead), time(23, 59, 59), days.zone())
    rows = due_lists.computed(the_machine("命令行"), at=at, until=until, settled=settled)
    owners = dict(db.session.execute(select(User.id, User.name)).all())
    items = [_item(row, owners) for row in rows]
    if as_json:
        click.echo(json.dumps({"on": day.isoformat(), "items": items}, ensure_ascii=False))
        return
    for row, item in zip(rows, items, strict=True):
        state = words.OBLIGATION_STATES.get(row.state, row.state)
        kind = words.OBLIGATION_KINDS.get(row.kind, row.kind)
        click.echo(f"{words.moment(row.due_at, day)}  {state}  {row.name}  {kind}  {item['owner'] or ''}  {row.reason}")
    click.echo(f"{day}：{len(items)} 项")


def _item(row: due_lists.DueRow, owners: dict[int, str]) -> dict[str, Any]:
    owner = row.owner_id or row.manager_id
    return {
        "credit_code": row.credit_code,
        "name": row.name,
        "kind": row.kind,
        "period": row.period,
        "opens_on": row.opens_on.isoformat() if row.opens_on else None,
        "due_at": row.due_at.astimezone(days.zone()).isoformat(),
        "state": row.state,
        "owner": owners.get(owner) if owner else None,
        "reason": row.reason,
    }


@click.command("digest")
@click.option("--on", type=Day(), help="A day of the week meant (default: today).")
@click.option("--preview", is_flag=True, help="Compose and print; queue nothing.")
@click.option("--user", "login", help="With --preview: only this login.")
@click.option("--send", is_flag=True, help="Also send what is ready, in this process.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def digest(on: date | None, preview: bool, login: str | None, send: bool, as_json: bool) -> None:
    """Compose and queue the week's digests: one per person and ISO week, however often this is called."""
    if preview and send:
        raise click.UsageError("--preview queues nothing, so there is nothing to --send.")
    if login and not preview:
        raise click.UsageError("--user goes with --preview.")
    day = on or days.today()
    now = days.local_now()
    if day == days.today():
        refresh_missing(day)
    if preview:
        _preview(day, now, login, as_json)
        return
    week = queue_digests(day, days.machine_act("digest", door="cli", on=day), now=now)
    if send:
        do_now("send_outbox", {}, day)
    now_there = digests.prepare(day, now=now)[1]
    counts = now_there.counts
    written = sum(bool(person.get("written_to_file")) for person in now_there.people)
    report = {
        "on": day.isoformat(),
        "week": week.week,
        "queued": week.queued,
        "already": week.already,
        **counts,
        "people": list(now_there.people),
    }
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        click.echo(
            f"{week.week}：新排入 {week.queued} 封，已有 {week.already} 封；已发 {counts['sent'] - written}，"
            f"已写成文件、未寄出 {written}，未发出 {counts['failed']}，不确定 {counts['uncertain']}"
        )
        for person in now_there.people:
            click.echo(f"  {person['name']}  {_person_words(person)}")


# Why somebody gets none (yet), beside the states of a message.
_WHY = {
    "not_wanted": "本人不接收",
    "switched_off": "本区县没有开启每周邮件",
    "no_email": "没有信箱",
    "week_off": "本周全周放假，没有工作日",
    "not_yet": "本周还没到第一个工作日",
}


def _person_words(person: dict[str, Any]) -> str:
    state = WRITTEN if person.get("written_to_file") else person["state"]
    return _WHY.get(state) or words.MESSAGE_STATES.get(state, state)


def _preview(day: date, now: datetime, login: str | None, as_json: bool) -> None:
    week = digests.prepare(day, now=now)[1]
    wanted = [person["login"] for person in week.people]
    if login:
        user = user_by_login(login)
        if user is None:
            refuse(f"There is no user {login!r}.")
        wanted = [user.login]
    states = {person["login"]: person["state"] for person in week.people}
    people = []
    for name in wanted:
        user = user_by_login(name)
        try:
            content = compose_digest(user.id, day, now=now)
        except NotFound as error:
            refuse(error.message)
        composed = mail_digest(content, user_id=user.id)
        people.append(
            {
                "login": user.login,
                "name": user.name,
                "state": states.get(user.login, "not_a_reader"),
                "subject": composed.subject,
                "lines": content.line_count,
                "text": composed.text,
            }
        )
    if as_json:
        report = {"on": day.isoformat(), "week": week.week, "queued": 0, "already": week.already}
        click.echo(json.dumps(report | week.counts | {"people": people}, ensure_ascii=False))
        return
    for person in people:
        click.echo(f"===== {person['name']}（{person['login']}）\n{person['subject']}\n\n{person['text']}")
