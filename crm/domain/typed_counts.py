"""Deeds on many records at once: beyond so many their number is typed."""

from crm.domain.refusals import InvalidInput

# Nobody moves or changes half a county by a slip.
TYPED_ABOVE = 50


def refuse_untyped(count: int, typed: int | None, *, field: str, verb: str, unit: str = "家") -> None:
    """Raise InvalidInput on ``field`` when so many records need their number and another one, or none, was typed.

    ``verb`` is what is done to them, as the sentence says it (改, 交接), ``unit`` what they are counted in.
    """
    if count > TYPED_ABOVE and typed != count:
        raise InvalidInput({field: f"要{verb} {count:,} {unit}：照着填 {count}，再按一次。"})
