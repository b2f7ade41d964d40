"""Whether the configured database can be reached at all, asked once before the start and when a command fails."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

# Somebody waits for the start; a server on the intranet answers at once or not at all.
CONNECT_SECONDS = 5


def why_unreachable(database_url: str) -> str | None:
    """One sentence when the database cannot be reached, without its password; None when it answers. Makes nothing."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return _why_no_file(Path(url.database or ""), url)
    where = f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"
    reason = _why_no_answer(url, "SELECT 1", connect_timeout=CONNECT_SECONDS)
    return f"The database {where} of DATABASE_URL cannot be reached: {reason}." if reason else None


def _why_no_file(file: Path, url: URL) -> str | None:
    """SQLite makes a file that is missing, so a missing one is right where its folder can be written."""
    if not file.parent.is_dir():
        return f"The folder {file.parent} of DATABASE_URL does not exist; make it or name another."
    if not file.exists():
        if os.access(file.parent, os.W_OK | os.X_OK):
            return None
        return f"The database {file} of DATABASE_URL cannot be made: this user may not write in its folder."
    if not file.is_file() or not os.access(file, os.R_OK | os.W_OK):
        return f"The database {file} of DATABASE_URL is no file that this user may read and write."
    # Only reading a table makes SQLite look at the file.
    reason = _why_no_answer(url, "SELECT count(*) FROM sqlite_master")
    return f"The database {file} of DATABASE_URL cannot be used: {reason}." if reason else None


def _why_no_answer(url: URL, question: str, **connect_args: Any) -> str | None:
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args=connect_args)
        with engine.connect() as connection:
            connection.exec_driver_sql(question)
    except Exception as error:
        # Whatever a driver says here, in several lines at times, nothing can be done before it is mended.
        return " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".")[:300]
    return None
