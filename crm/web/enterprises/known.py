"""As known on one day for another: what the titles tab answers when somebody asks how it looked back then."""

from datetime import date, datetime, time
from typing import Any

from flask import request

from crm.domain.clock import SHANGHAI
from crm.domain.standing import standing
from crm.extensions import policy
from crm.store.as_known import facts_known
from crm.web.doors import today


def as_known(enterprise_id: int, rounds: Any) -> dict[str, Any] | None:
    """The standing asked for by the address (``known``: recorded by the end of that day; ``for``: the day it is about).

    None when nothing is asked; ``wrong`` holds the sentence when a day is none.
    """
    known_raw, for_raw = request.args.get("known", "").strip(), request.args.get("for", "").strip()
    if not known_raw and not for_raw:
        return None
    answer: dict[str, Any] = {"known": known_raw, "for": for_raw, "wrong": None, "standing": None}
    try:
        known = date.fromisoformat(known_raw) if known_raw else today()
        on = date.fromisoformat(for_raw) if for_raw else known
    except ValueError:
        return answer | {"wrong": "日期写成 2026-11-23 这样。"}
    if not (2000 <= known.year <= 2100 and 2000 <= on.year <= 2100):
        return answer | {"wrong": "选 2000 年到 2100 年之间的日期。"}
    at = datetime.combine(known, time.max, SHANGHAI)
    found = standing(facts_known(enterprise_id, at), on, ladder=policy.ladder, rounds=rounds)
    return answer | {"known": known.isoformat(), "for": on.isoformat(), "standing": found}
