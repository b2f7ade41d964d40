"""A pair of hands: takes the ids of jobs from the carrier, in the foreground, until told to stop."""

import logging

import structlog
from flask import Flask
from huey.consumer import Consumer

from crm.extensions import carrier
from crm.jobs import heartbeats, registry
from crm.jobs.running import process_name

# The supervisor waits 20 seconds; a job that is not through by then is left to its lease and done again by another.
STOP_SECONDS = 15
# SQLite's storage is asked in a rhythm; a person who uploads a file should not wait longer than this for the start.
LONGEST_PAUSE = 1.0

log = structlog.get_logger("crm.jobs")


def serve(app: Flask, *, threads: int = 1) -> None:
    """Work until TERM (what is in hand is finished) or INT (it is dropped and done again when its lease has passed).

    Starting puts nothing back: that is the timetable's, whatever the number of workers.
    """
    registry.load()
    logging.getLogger("huey").setLevel(logging.WARNING)
    consumer = Consumer(
        carrier.huey,
        workers=threads,
        periodic=False,
        initial_delay=0.1,
        backoff=1.2,
        max_delay=LONGEST_PAUSE,
        graceful_signal="TERM",
        shutdown_timeout=STOP_SECONDS,
    )
    name = f"worker:{process_name()}"
    log.info("worker started", name=name, threads=threads)
    with heartbeats.beating(app, name):
        consumer.run()
    log.info("worker stopped", name=name)
