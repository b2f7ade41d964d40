"""What the machine does by itself: the night's recompute of every enterprise, and the week's mails."""

from datetime import UTC, datetime
from typing import Any

from bench_table import Line, timed
from bench_world import say
from sqlalchemy import delete

from crm.actions.digest_material import compose
from crm.actions.jobs import ask_for_recompute
from crm.domain.acts import Act
from crm.domain.viewers import the_machine
from crm.extensions import db
from crm.jobs import running
from crm.jobs.digests import queue_digests
from crm.store.messages import Message
from crm.store.unit_of_work import unit_of_work
from crm.store.users import user_by_login


def nightly(app: Any, size: int) -> list[Line]:
    """Every standing and obligation computed anew, one case manager's mail, and the mails of everybody, queued."""
    with app.app_context():
        now = datetime.now(UTC)
        act = Act(the_machine("bench"), "job", now, now.date())
        with unit_of_work():
            job_id = ask_for_recompute(act=act)
        assert job_id is not None
        recompute = timed(lambda: running.run(job_id))
        db.session.rollback()
        one = user_by_login("manager0").id
        single = timed(lambda: compose(one, now.date(), now=now))
        db.session.rollback()
        with unit_of_work():
            db.session.execute(delete(Message))
        queued = []
        everybody = timed(lambda: queued.append(queue_digests(now.date(), act, now=now).queued))
        db.session.rollback()
        with unit_of_work():
            db.session.execute(delete(Message))
        db.session.remove()
    say(f"  recompute {recompute:.1f} s, one mail {single:.2f} s, {queued[0]} mails {everybody:.1f} s")
    return [
        Line(f"night: standings and obligations of {size:,} enterprises", recompute, "s"),
        Line("weekly mail of one case manager, composed", single, "s"),
        Line("weekly mails of everybody, composed and queued", everybody, "s", None, f"{queued[0]} people"),
    ]
