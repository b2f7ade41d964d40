"""What people said of a batch so far. It is kept with the batch and carried over into every new preview."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

from crm.actions.import_rows import Decisions, Placed
from crm.sheets.marks import Corrections
from crm.sheets.questions import Answers


@dataclass(frozen=True)
class Correction:
    """What a person typed in the preview in place of a cell, what stands there in the file, who and when (ISO)."""

    text: str
    before: str
    who: str
    at: str


@dataclass(frozen=True)
class Said:
    """``sheet`` is the only one to be read (None: all), ``decided`` says which side of a row that asks is right,
    ``answers`` what a sheet's missing column holds, ``placed`` whom rows are about that nothing else tells, ``once``
    what every row of a list says: {field key: as a cell}, ``corrected`` what stands in place of a cell, by (sheet, row,
    letter)."""

    sheet: str | None = None
    decided: Decisions = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)
    placed: Placed = field(default_factory=dict)
    once: Mapping[str, str] = field(default_factory=dict)
    corrected: Mapping[tuple[str, int, str], Correction] = field(default_factory=dict)

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
            corrected={(sheet, row, at): Correction(*said) for sheet, row, at, *said in kept.get("corrected") or ()},
        )

    def kept(self) -> dict[str, Any]:
        """The same as it stands in the summary; the inverse of ``of``."""
        return {
            "sheet": self.sheet,
            "decided": [[*key, said] for key, said in self.decided.items()],
            "answers": [[*key, said] for key, said in self.answers.items()],
            "placed": [[*key, said] for key, said in self.placed.items()],
            "once": dict(self.once),
            "corrected": [[*key, *astuple(said)] for key, said in self.corrected.items()],
        }

    @property
    def cells(self) -> Corrections:
        """What reading lays over the file."""
        return {place: said.text for place, said in self.corrected.items()}
