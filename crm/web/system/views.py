"""Health for machines, and the page of the visual language for developers."""

from datetime import timedelta

from flask import Blueprint, current_app, jsonify, render_template
from sqlalchemy import select, text

from crm.extensions import db
from crm.store.jobs import Heartbeat
from crm.store.schema import schema_state
from crm.web.doors import ANYBODY, SIGNED_IN, now, open_to

blueprint = Blueprint("system", __name__)

# The scheduler notes that it is alive every half minute; four missed notes are no accident.
SCHEDULER_SILENT = timedelta(minutes=2)


@blueprint.get("/healthz")
@open_to(ANYBODY)
def healthz():
    """Liveness: the process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@open_to(ANYBODY)
def readyz():
    """Readiness: the database answers, its schema is ours; the scheduler's state is told but does not fail the web."""
    db.session.execute(text("SELECT 1"))
    schema = schema_state()
    seen = db.session.scalar(select(Heartbeat.seen_at).where(Heartbeat.name == "scheduler"))
    alive = seen is not None and now() - seen < SCHEDULER_SILENT
    ready = schema.matches
    answer = jsonify(
        status="ready" if ready else "not ready",
        schema={"have": schema.have, "want": schema.want},
        scheduler={"alive": alive, "seen_at": seen.isoformat() if seen else None},
    )
    return answer, 200 if ready else 503


@blueprint.get("/styleguide")
@open_to(SIGNED_IN)
def styleguide():
    return render_template("styleguide/index.html", debug=current_app.debug)
