"""A deed on many records, worked out line by line before anything is written: what is previewed is what is done."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from crm.domain.changes import Create, Update

# Outcomes that every such deed knows; CHANGES alone is written.
CHANGES, ALREADY, NO_RIGHT = "changes", "already", "no_right"


class HasOutcome(Protocol):
    """What would happen to one record."""

    @property
    def outcome(self) -> str: ...


L = TypeVar("L", bound=HasOutcome)


@dataclass(frozen=True)
class BulkPreview(Generic[L]):
    """Every chosen record with its outcome, the changes of those that change, and the region it is found under."""

    lines: tuple[L, ...]
    changes: tuple[Create | Update, ...]
    region_id: int | None

    @property
    def changing(self) -> list[L]:
        """The lines of those that would change."""
        return [line for line in self.lines if line.outcome == CHANGES]

    def skipped(self, outcome: str) -> list[L]:
        """The lines with one of the other outcomes."""
        return [line for line in self.lines if line.outcome == outcome]


def fingerprint_of(said: Sequence[str]) -> str:
    """Stands for exactly these lines as they are now."""
    return hashlib.sha256(";".join(said).encode()).hexdigest()[:32]
