"""Health for machines, and the page of the visual language for developers."""

from datetime import timedelta

import structlog
from flask import Blueprint, current_app, g, jsonify, render_template
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from crm.extensions import db
from crm.store.jobs import Heartbeat
from crm.store.schema import SchemaState, schema_state, wanted_schema
from crm.web.doors import ANYBODY, SIGNED_IN, now, open_to

blueprint = Blueprint("system", __name__)

# The scheduler notes that it is alive every half minute; four missed notes are no accident.
SCHEDULER_SILENT = timedelta(minutes=2)

log = structlog.get_logger("crm.web")


@blueprint.get("/healthz")
@open_to(ANYBODY)
def healthz():
    """Liveness: the process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@open_to(ANYBODY)
def readyz():
    """Readiness: the database answers, its schema is ours; the scheduler's state is told but does not fail the web."""
    answers, seen = True, None
    schema = SchemaState(None, wanted_schema(), known=True)
    try:
        schema = schema_state()
        if schema.have is not None:
            seen = db.session.scalar(select(Heartbeat.seen_at).where(Heartbeat.name == "scheduler"))
    except SQLAlchemyError as error:
        # Whoever asks is a machine: it gets its answer in its own form and not a page about a fault.
        log.warning("database does not answer", request_id=g.get("request_id"), error=type(error).__name__)
        answers = False
    alive = seen is not None and now() - seen < SCHEDULER_SILENT
    ready = answers and schema.matches
    answer = jsonify(
        status="ready" if ready else "not ready",
        database={"answers": answers},
        schema={"have": schema.have, "want": schema.want},
        scheduler={"alive": alive, "seen_at": seen.isoformat() if seen else None},
    )
    return answer, 200 if ready else 503


@blueprint.get("/styleguide")
@open_to(SIGNED_IN)
def styleguide():
    return render_template("styleguide/index.html", debug=current_app.debug)
