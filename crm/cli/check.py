"""`check`: settings, schema, projections, files, holidays, mail and processes — what is wrong, in sentences."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask import Flask, current_app
from sqlalchemy import func, select, text

from crm.extensions import db
from crm.store import projections
from crm.store.enterprises import Affiliation
from crm.store.file_store import check_files, folder
from crm.store.holidays import holidays
from crm.store.jobs import Heartbeat
from crm.store.messages import Message
from crm.store.obligations import Obligation
from crm.store.parks import Carrier, Park
from crm.store.qualifications import Qualification
from crm.store.reachable import why_unreachable
from crm.store.schema import schema_state
from crm.store.standings import SearchText, Spell, Standing
from crm.store.users import Grant, User

# Without --all so many enterprises are compared: the oldest, the newest and some between.
SAMPLE = 500
PORTION = 2_000
# The scheduler notes that it is alive every half minute.
SILENT = timedelta(minutes=2)
EXAMPLES = 5

Problem = tuple[str, str]


def register(app: Flask) -> None:
    app.cli.add_command(check)


@click.command("check")
@click.option("--all", "everything", is_flag=True, help="Compare every enterprise and read every stored file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(everything: bool, as_json: bool) -> None:
    """Look for what is wrong: settings, schema, projections, files, holidays, mail, scheduler."""
    problems: list[Problem] = []
    checked: list[str] = []
    for name, look in _checks(everything):
        found = [(name, sentence) for sentence in look()]
        db.session.rollback()
        checked.append(name)
        problems += found
        if name in ("database", "schema") and found:
            # The rest would only say in more words that it cannot be read.
            break
    if as_json:
        report = {
            "ok": not problems,
            "checked": checked,
            "problems": [{"what": what, "sentence": sentence} for what, sentence in problems],
        }
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        for _, sentence in problems:
            click.echo(sentence)
        if not problems:
            click.echo(f"Nothing is wrong ({', '.join(checked)}).")
    sys.exit(1 if problems else 0)


def _checks(everything: bool) -> list[tuple[str, Callable[[], Iterator[str]]]]:
    return [
        ("database", _database),
        ("schema", _schema),
        ("settings", _settings),
        ("foreign_keys", _foreign_keys),
        ("projections", lambda: _projections(everything)),
        ("doubles", _doubles),
        ("dangling", _dangling),
        ("files", lambda: _files(everything)),
        ("holidays", _holidays),
        ("mail", _mail),
        ("scheduler", _scheduler),
        ("accounts", _accounts),
    ]


def _now() -> datetime:
    return datetime.now(UTC)


def _database() -> Iterator[str]:
    if sentence := why_unreachable(current_app.config["SETTINGS"].database_url):
        yield sentence


def _today() -> date:
    return _now().astimezone(ZoneInfo(current_app.config["TZ_NAME"])).date()


def _schema() -> Iterator[str]:
    state = schema_state()
    if not state.matches:
        yield state.sentence()


def _settings() -> Iterator[str]:
    settings = current_app.config["SETTINGS"]
    local = settings.public_url.startswith(("http://127.", "http://localhost", "http://[::1]"))
    if settings.host not in ("127.0.0.1", "localhost", "::1") and local:
        yield (
            f"HOST is {settings.host}, but PUBLIC_URL is {settings.public_url}: "
            "links in mails open on no other machine."
        )


def _foreign_keys() -> Iterator[str]:
    for table, count in _broken_references():
        yield f"{count} rows of {table} point at rows that are not there; compare with the last backup."


def _broken_references() -> Iterator[tuple[str, int]]:
    """Rows whose foreign key points at nothing; PostgreSQL cannot hold any, SQLite can when foreign keys were off."""
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text('SELECT "table", count(*) FROM pragma_foreign_key_check GROUP BY 1'))
        yield from ((table, count) for table, count in rows)


def _projections(everything: bool) -> Iterator[str]:
    ids = projections.all_ids()
    standing_ids = set(db.session.scalars(select(Standing.enterprise_id)))
    if len(standing_ids) != len(ids) or standing_ids - set(ids):
        lost, stray = len(set(ids) - standing_ids), len(standing_ids - set(ids))
        yield f"{lost} enterprises have no standing and {stray} standings have no enterprise; run `jobs run recompute`."
    ahead = select(func.count(), func.max(Standing.computed_on)).where(Standing.computed_on > _today())
    count, latest = db.session.execute(ahead).one()
    if count:
        yield (
            f"The standings of {count} enterprises were computed for a day that has not come (up to {latest}), "
            "so lists and counts show that day; `jobs run recompute` brings them back to today."
        )
    step = 1 if everything else max(1, len(ids) // SAMPLE)
    wrong: dict[str, list[int]] = {}
    chosen = ids[::step]
    for start in range(0, len(chosen), PORTION):
        for what, found in compare(chosen[start : start + PORTION]).items():
            wrong.setdefault(what, []).extend(found)
    for what, found in wrong.items():
        shown = ", ".join(str(i) for i in found[:EXAMPLES]) + (" …" if len(found) > EXAMPLES else "")
        yield (
            f"The stored {what} of {len(found)} enterprises differs from what the facts say (ids {shown}); "
            "run `jobs run recompute`."
        )


def compare(ids: list[int]) -> dict[str, list[int]]:
    """Stored projections beside computed ones: {"standing" | "spell" | "obligation" | "search": ids that differ}.

    A standing computed on an earlier day is compared as of that day: it is right until its next change.
    """
    by_moment: dict[datetime, list[int]] = {}
    zone = ZoneInfo(current_app.config["TZ_NAME"])
    query = select(Standing.enterprise_id, Standing.computed_on).where(Standing.enterprise_id.in_(ids))
    for enterprise_id, computed_on in db.session.execute(query):
        at = datetime.combine(computed_on, datetime.min.time(), zone) + timedelta(hours=12)
        by_moment.setdefault(at, []).append(enterprise_id)
    wrong: dict[str, list[int]] = {}
    for at, some in by_moment.items():
        computed = projections.compute(some, at=at)
        for name, model in (("standing", Standing), ("spell", Spell), ("obligation", Obligation)):
            _differing(name, model, some, computed[name], wrong)
    known = [i for some in by_moment.values() for i in some]
    _differing("search", SearchText, known, projections.search_rows(known), wrong)
    return wrong


def _differing(
    name: str, model: Any, ids: list[int], wanted: list[dict[str, Any]], wrong: dict[str, list[int]]
) -> None:
    # The state of an obligation moves with the hour of computing, which is not kept; an id says nothing.
    columns = [c for c in model.__table__.c if c.key not in ("id", "state")]
    stored = _by_enterprise(
        row._mapping for row in db.session.execute(select(model.__table__).where(model.enterprise_id.in_(ids)))
    )
    right = _by_enterprise(wanted)
    for enterprise_id in ids:
        have, want = stored.get(enterprise_id, []), right.get(enterprise_id, [])
        if name == "obligation":
            # Settled and future ones come and go with the days; what is in hand must be there and the same.
            held = {_said(row, columns) for row in have}
            differs = any(_said(row, columns) not in held for row in want if row["state"] in IN_HAND)
        else:
            differs = sorted(_said(row, columns) for row in have) != sorted(_said(row, columns) for row in want)
        if differs:
            wrong.setdefault(name, []).append(enterprise_id)


IN_HAND = frozenset({"open", "urgent", "overdue"})


def _by_enterprise(rows: Iterable[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["enterprise_id"], []).append(row)
    return found


def _said(row: Mapping[str, Any], columns: list[Any]) -> str:
    values = (row.get(c.key) for c in columns)
    return repr([v.astimezone(UTC) if isinstance(v, datetime) else v for v in values])


def _doubles() -> Iterator[str]:
    """Places that two records hold at once: what an undo or a merge must never leave behind."""
    open_ones = (
        select(Affiliation.enterprise_id)
        .where(~Affiliation.deleted, Affiliation.ends_on.is_(None))
        .group_by(Affiliation.enterprise_id, Affiliation.kind)
        .having(func.count() > 1)
    )
    ids = sorted(set(db.session.scalars(open_ones)))
    if ids:
        yield f"{len(ids)} enterprises have two affiliations of one kind in force (ids {_some(tuple(ids))})."
    titles = (
        select(Qualification.enterprise_id)
        .where(~Qualification.deleted, Qualification.superseded_at.is_(None), Qualification.valid_from.is_not(None))
        .group_by(Qualification.enterprise_id, Qualification.kind, Qualification.valid_from)
        .having(func.count() > 1)
    )
    ids = sorted(set(db.session.scalars(titles)))
    if ids:
        yield f"{len(ids)} enterprises have two records of one title (ids {_some(tuple(ids))}); correct one of them."


def _dangling() -> Iterator[str]:
    """Enterprises that belong to a person, place or carrier which was withdrawn: they stand on nobody's list."""
    wholes = {"manager": User, "park": Park, "carrier": Carrier}
    for kind, model in wholes.items():
        query = (
            select(Affiliation.enterprise_id)
            .join(model, model.id == Affiliation.ref_id)
            .where(Affiliation.kind == kind, ~Affiliation.deleted, Affiliation.ends_on.is_(None), model.deleted)
        )
        ids = sorted(set(db.session.scalars(query)))
        if ids:
            yield f"{len(ids)} enterprises have a {kind} that was withdrawn (ids {_some(tuple(ids))}); choose another."


def _files(everything: bool) -> Iterator[str]:
    try:
        found = check_files(now=_now(), contents=everything)
    except OSError as error:
        yield f"The folder of stored files cannot be read: {error.strerror}."
        return
    if found.missing:
        ids = _some(found.missing)
        yield f"{len(found.missing)} stored files are recorded but not on disk (ids {ids}); restore them from a backup."
    if found.damaged:
        ids = _some(found.damaged)
        yield f"{len(found.damaged)} stored files have other bytes than recorded (ids {ids}); restore a backup."
    if found.orphans:
        yield (
            f"{len(found.orphans)} files on disk belong to no record (refused or interrupted uploads); the nightly job "
            "takes them away: `jobs run prune` does it now."
        )
    if found.leftovers:
        yield f"{len(found.leftovers)} uploads were cut short and lie half written; `jobs run prune` takes them away."
    if found.strangers:
        yield (
            f"{len(found.strangers)} files in {folder()} are older than this database and belong to no record of it; "
            "see whether DATABASE_URL and INSTANCE_DIR belong together, else delete them by hand."
        )


def _some(ids: tuple[int, ...]) -> str:
    return ", ".join(str(i) for i in ids[:EXAMPLES]) + (" …" if len(ids) > EXAMPLES else "")


def _holidays() -> Iterator[str]:
    today = _today()
    known = holidays().known_years
    if today.year not in known:
        yield f"No holidays are known for {today.year}: only weekends count as free. Enter them under 字典 · 节假日."
    # The next year's holidays are announced in November; before December nobody can be expected to have them.
    if today.month == 12 and today.year + 1 not in known:
        yield f"No holidays are known for {today.year + 1}, which begins soon. Enter them under 字典 · 节假日."


def _mail() -> Iterator[str]:
    settings = current_app.config["SETTINGS"]
    if settings.smtp_url is None and not settings.demo:
        yield "SMTP_URL is not set: mails are written as .eml files into the instance folder and reach nobody."
    if settings.smtp_url is not None and settings.mail_from.rstrip(">").endswith("@localhost"):
        yield f"MAIL_FROM is {settings.mail_from}: most servers refuse such a sender."
    for state, words in (
        ("uncertain", "may or may not have been sent; decide on the page 任务与待发"),
        ("failed", "could not be sent"),
    ):
        count = db.session.scalar(select(func.count()).select_from(Message).where(Message.state == state)) or 0
        if count:
            yield f"{count} messages {words}."


def _scheduler() -> Iterator[str]:
    seen = db.session.scalar(select(Heartbeat.seen_at).where(Heartbeat.name == "scheduler"))
    if seen is None:
        yield "The scheduler has never run here: nothing is recomputed at night and no weekly mail goes out."
    elif _now() - seen > SILENT:
        yield f"The scheduler was last alive at {seen:%Y-%m-%d %H:%M} UTC; start it: flask --app wsgi scheduler"


def _accounts() -> Iterator[str]:
    holders = select(User.id).join(Grant, Grant.user_id == User.id)
    query = holders.where(Grant.role == "admin", ~Grant.deleted, User.active, ~User.deleted).limit(1)
    if db.session.scalar(query) is None:
        yield "Nobody is administrator: flask --app wsgi user add LOGIN --name 姓名 --admin"
