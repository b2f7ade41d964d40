"""Sharing one person's enterprises out among those who take over: whole townships stay together."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Shareable(NamedTuple):
    """One enterprise to be handed over, and the township (by assessment) it lies in; None where that is unknown."""

    enterprise_id: int
    township_id: int | None


def share_out(
    items: Sequence[Shareable],
    receivers: Sequence[int],
    *,
    by_township: Mapping[int | None, int] | None = None,
    able: Mapping[int, frozenset[int]] | None = None,
) -> dict[int, int]:
    """{enterprise: receiver} for every item that somebody can take.

    ``by_township`` says whose a township is to be; the others go, the largest first, to whoever has the fewest so far,
    so that nobody drives to a township that a colleague visits anyway. ``able`` are the enterprises each receiver may
    hold (default: all); what nobody may hold is left out. Ties go to the earlier receiver.
    """
    chosen = by_township or {}
    load = dict.fromkeys(receivers, 0)
    found: dict[int, int] = {}
    groups: dict[int | None, list[int]] = {}
    for item in items:
        groups.setdefault(item.township_id, []).append(item.enterprise_id)

    def may(receiver: int, enterprise_id: int) -> bool:
        return able is None or enterprise_id in able.get(receiver, frozenset())

    fixed = [township for township in groups if chosen.get(township) in load]
    free = sorted((t for t in groups if t not in fixed), key=lambda t: (-len(groups[t]), t is None, t or 0))
    for township in [*fixed, *free]:
        wished = chosen.get(township)
        for enterprise_id in groups[township]:
            fit = [r for r in receivers if may(r, enterprise_id)]
            if not fit:
                continue
            if wished in fit:
                receiver = wished
            else:
                # The township's first firm decides for its others, as long as the same person may hold them.
                receiver = min(fit, key=lambda r: (load[r], receivers.index(r)))
                wished = receiver
            found[enterprise_id] = receiver
        for enterprise_id in groups[township]:
            if enterprise_id in found:
                load[found[enterprise_id]] += 1
    return found
