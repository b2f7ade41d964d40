"""huey carries ids of jobs to workers; the Job row is the truth. SQLite or PostgreSQL storage, as the database is."""

from typing import Any

from flask import Flask
from huey import PostgresHuey, SqliteHuey

from crm.extensions import carrier


def attach(app: Flask) -> None:
    """Give the application its carrier with the one task run_job(id)."""
    settings = app.config["SETTINGS"]
    if app.config.get("HUEY") is not None:
        huey: Any = app.config["HUEY"]
    elif settings.database_url.startswith("sqlite"):
        huey = SqliteHuey("crm", filename=str(settings.instance_dir / "huey.db"), results=False)
    else:
        dsn = settings.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        huey = PostgresHuey("crm", dsn=dsn, results=False)

    @huey.task(name="run_job")
    def run_job(job_id: int) -> None:
        from crm.jobs.running import run

        with app.app_context():
            run(job_id)

    carrier.attach(huey, run_job)
