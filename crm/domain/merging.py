"""Two files of one firm become one: what stands in the same place twice, and what of it stays. Plain rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

LEFT, RIGHT, BOTH = "left", "right", "both"


@dataclass(frozen=True)
class Span:
    """A dated affiliation of one kind: from its first to its last day, None for open."""

    id: int
    starts_on: date | None
    ends_on: date | None


def clash(one: Span, other: Span) -> bool:
    """Whether two spans have a day in common."""
    starts_before = one.starts_on is None or other.ends_on is None or one.starts_on <= other.ends_on
    ends_after = other.starts_on is None or one.ends_on is None or other.starts_on <= one.ends_on
    return starts_before and ends_after


def spans_that_give_way(kept: Sequence[Span], others: Iterable[Span]) -> list[int]:
    """The ids of the other side's spans that overlap one of those kept: one enterprise has one of a kind on a day."""
    return [span.id for span in others if any(clash(span, mine) for mine in kept)]


def fuller(left: Mapping[str, Any], right: Mapping[str, Any]) -> str:
    """Which of two records of one thing says more; the left one where they say the same amount."""

    def told(row: Mapping[str, Any]) -> int:
        return sum(value is not None for value in row.values())

    return RIGHT if told(right) > told(left) else LEFT


def filled_from(kept: Mapping[str, Any], dropped: Mapping[str, Any], leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """What the record that stays leaves blank and the other one knows."""
    left_out = set(leave_out)
    return {
        name: value
        for name, value in dropped.items()
        if value is not None and name not in left_out and kept.get(name) is None
    }


def choice_of(choices: Mapping[str, str], key: str, left: Any, right: Any) -> str:
    """Which side was chosen; without a choice the left one, unless it is blank and the right one is not."""
    chosen = choices.get(key)
    if chosen in (LEFT, RIGHT, BOTH):
        return chosen
    return RIGHT if left is None and right is not None else LEFT
