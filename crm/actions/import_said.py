"""What people said of a batch so far. It is kept with the batch and carried over into every new preview."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.actions.import_rows import Decisions, Placed
from crm.sheets.questions import Answers


@dataclass(frozen=True)
class Said:
    """``sheet`` is the only one to be read (None: all), ``decided`` says which side of a row that asks is right,
    ``answers`` what a sheet's missing column holds, ``placed`` whom rows are about that nothing else tells, ``once``
    what every row of a list says: {field key: as a cell}."""

    sheet: str | None = None
    decided: Decisions = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)
    placed: Placed = field(default_factory=dict)
    once: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, summary: Mapping[str, Any] | None) -> "Said":
        """What the summary of a batch keeps."""
        kept = summary or {}
        return cls(
            sheet=kept.get("sheet"),
            decided={(sheet, row): said for sheet, row, said in kept.get("decided") or ()},
            answers={(sheet, noun): said for sheet, noun, said in kept.get("answers") or ()},
            placed={(sheet, row): said for sheet, row, said in kept.get("placed") or ()},
            once=dict(kept.get("once") or {}),
        )

    def kept(self) -> dict[str, Any]:
        """The same as it stands in the summary; the inverse of ``of``."""
        return {
            "sheet": self.sheet,
            "decided": [[*key, said] for key, said in self.decided.items()],
            "answers": [[*key, said] for key, said in self.answers.items()],
            "placed": [[*key, said] for key, said in self.placed.items()],
            "once": dict(self.once),
        }
