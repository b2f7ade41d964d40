"""Who does something, through which door, when and why: one frozen value that every action takes."""

from dataclasses import dataclass, field
from datetime import date, datetime

from crm.domain.viewers import Viewer


@dataclass(frozen=True)
class Act:
    """The circumstances of one deed.

    ``recorded_at`` is the aware moment of recording, ``effective_on`` the day from which the deed counts.
    ``request_key`` makes a form idempotent: a second act with the same key writes nothing.
    """

    viewer: Viewer
    door: str  # "web", "import", "job", "cli", "demo"
    recorded_at: datetime
    effective_on: date
    request_id: str = ""
    reason: str = ""
    request_key: str | None = None
    import_batch_id: int | None = field(default=None)
