"""What the rooms share once the application is built: database, login, CSRF, carrier of jobs, the policy in force."""

from collections.abc import Callable
from threading import Lock
from typing import Any

from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

# Named constraints: Alembic's batch mode can only drop what has a name, and the names are the same on both databases.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base)
migrate = Migrate()
csrf = CSRFProtect()
login_manager = LoginManager()


class Policy:
    """The dated policy that projections need (ladder, cadences, stages, checklists) from crm/rules, loaded once.

    Store and rules stand on one line and do not import one another; the application fills this in between.
    """

    def __init__(self) -> None:
        self.ladder: Any = None
        self.cadences: Any = None
        self.stages: Any = None
        self.checklists: Any = None


policy = Policy()


class Carrier:
    """huey with its one task run_job(id). crm/jobs fills the registry of kinds of work; doors only name an id.

    It is built when first used: its storage opens a database at once, and most commands never carry anything.
    """

    def __init__(self) -> None:
        self.registry: dict[str, Callable[..., Any]] = {}
        self._make: Callable[[], tuple[Any, Callable[[int], Any]]] | None = None
        self._made: tuple[Any, Callable[[int], Any]] | None = None
        self._building = Lock()

    def attach(self, make: Callable[[], tuple[Any, Callable[[int], Any]]]) -> None:
        """``make`` answers huey and the function that sends an id."""
        self._make, self._made = make, None

    @property
    def huey(self) -> Any:
        return self._built()[0]

    def send(self, job_id: int) -> None:
        """Hand a job's id over. Losing it is harmless: the timetable puts waiting jobs back."""
        self._built()[1](job_id)

    def _built(self) -> tuple[Any, Callable[[int], Any]]:
        with self._building:
            if self._made is None:
                assert self._make is not None, "the application attaches it"
                self._made = self._make()
            return self._made


carrier = Carrier()
