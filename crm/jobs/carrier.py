"""huey carries ids of jobs to workers; the Job row is the truth. SQLite or PostgreSQL storage, as the database is."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from huey import PostgresHuey, SqliteHuey

from crm.extensions import carrier


def attach(app: Flask) -> None:
    """Give the application its carrier with the one task run_job(id), built when somebody uses it."""
    carrier.attach(lambda: _made_for(app))


def _made_for(app: Flask) -> tuple[Any, Callable[[int], Any]]:
    huey = app.config.get("HUEY")
    if huey is None:
        huey = _stored_beside(app)

    @huey.task(name="run_job")
    def run_job(job_id: int) -> None:
        from crm.jobs.running import run

        with app.app_context():
            run(job_id)

    return huey, run_job


def _stored_beside(app: Flask) -> Any:
    settings = app.config["SETTINGS"]
    if settings.database_url.startswith("sqlite"):
        return SqliteHuey("crm", filename=str(settings.instance_dir / "huey.db"), results=False)
    dsn = settings.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    return PostgresHuey("crm", dsn=dsn, results=False)
