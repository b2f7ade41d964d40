"""Whether the database's schema is the one this code wants."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from crm.extensions import db

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class SchemaState:
    """``have`` is the revision of the database (None: empty), ``want`` the newest one of the code."""

    have: str | None
    want: str
    known: bool

    @property
    def matches(self) -> bool:
        return self.have == self.want

    def sentence(self) -> str:
        """What is wrong, for the person who starts the product."""
        if self.have is None:
            return "The database is empty: run `flask --app wsgi init` first."
        if not self.known:
            return (
                f"The database was written by a newer version (schema {self.have}, this code knows {self.want}): "
                "install that version, or restore a backup made before the upgrade."
            )
        return (
            f"The database has the older schema {self.have}, this code needs {self.want}: run `flask --app wsgi init`, "
            "which backs it up and migrates it."
        )


@cache
def _script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config)


@cache
def _want() -> str:
    return _script().get_current_head() or ""


def wanted_schema() -> str:
    """The newest migration of the code; asks no database."""
    return _want()


def schema_state() -> SchemaState:
    """Compare the revision noted in the database with the newest migration of the code."""
    have = MigrationContext.configure(db.session.connection()).get_current_revision()
    known = have is None or have in {revision.revision for revision in _script().walk_revisions()}
    return SchemaState(have, _want(), known)
