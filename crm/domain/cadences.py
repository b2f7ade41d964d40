"""The kinds of obligations, and the cadence of each as dated data: when it opens, is due, is urgent and lapses."""

from dataclasses import dataclass, field
from datetime import date

from crm.domain.periods import Citation, holds_on

HNTE_RENEWAL = "hnte_renewal"
HNTE_ANNUAL_REPORT = "hnte_annual_report"
TECH_SME_ROUND = "tech_sme_round"
NEXT_STEP = "next_step"
REQUEST = "request"
CHANGE_REPORT = "change_report"
APPLICATION_STAGE = "application_stage"
EVIDENCE_EXPIRY = "evidence_expiry"
# What repeats notes and steps of the bureau's own work; the others follow from titles, which are public.
INTERNAL_KINDS = frozenset({NEXT_STEP, REQUEST, APPLICATION_STAGE, EVIDENCE_EXPIRY})
OBLIGATION_KINDS = INTERNAL_KINDS | {HNTE_RENEWAL, HNTE_ANNUAL_REPORT, TECH_SME_ROUND, CHANGE_REPORT}
# What is done by what it follows: the next step of the application, the new piece of evidence.
FOLLOWING_KINDS = frozenset({APPLICATION_STAGE, EVIDENCE_EXPIRY})


@dataclass(frozen=True)
class Cadence:
    """One kind of obligation as dated data. Days are calendar days; ``opens`` and ``due`` are (month, day) defaults.

    ``ahead_days``: listed that long before it opens. ``lapses_after_days``: None = overdue until settled.
    ``keep_days``: a settled one is listed that long after its due moment. ``misses_allowed``: so many misses cancel
    the title, by ``misses_clause``.
    """

    kind: str
    label: str
    title_kind: str | None
    opens: tuple[int, int] | None
    due: tuple[int, int] | None
    ahead_days: int
    urgent_days: int
    lapses_after_days: int | None
    keep_days: int
    misses_allowed: int | None
    misses_clause: str
    steps: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    citation: Citation


@dataclass(frozen=True)
class Cadences:
    """All cadences, found by kind and day."""

    entries: tuple[Cadence, ...]
    by_kind: dict[str, list[Cadence]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_kind: dict[str, list[Cadence]] = {}
        for entry in sorted(self.entries, key=lambda entry: entry.valid_from):
            by_kind.setdefault(entry.kind, []).append(entry)
        object.__setattr__(self, "by_kind", by_kind)

    def of(self, kind: str, on: date) -> Cadence | None:
        """The cadence in force on a day; None when that obligation did not or does no longer exist."""
        for entry in self.by_kind.get(kind, ()):
            if holds_on(entry, on):
                return entry
        return None

    def label(self, kind: str) -> str:
        """The name on screen: of the latest cadence of the kind, else the kind itself."""
        entries = self.by_kind.get(kind)
        return entries[-1].label if entries else kind
