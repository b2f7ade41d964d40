"""Deeds on many enterprises at once: beyond so many their number is typed."""

from crm.domain.refusals import InvalidInput

# Nobody moves or changes half a county by a slip.
TYPED_ABOVE = 50


def refuse_untyped(count: int, typed: int | None, *, field: str, verb: str) -> None:
    """Raise InvalidInput on ``field`` when so many enterprises need their number and another one, or none, was typed.

    ``verb`` is what is done to them, as the sentence says it (改, 交接).
    """
    if count > TYPED_ABOVE and typed != count:
        raise InvalidInput({field: f"要{verb} {count:,} 家：照着填 {count}，再按一次。"})
