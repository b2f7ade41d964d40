"""The IP register of one enterprise: what there is, by class, state and use, and the line that adds a piece."""

from typing import Any
from uuid import uuid4

from flask import request

from crm.domain.fields import CHOICES
from crm.domain.words import days_left
from crm.store.intellectual_property import IntellectualProperty
from crm.web.enterprises.file import File

CLASSES = {"1": "Ⅰ类", "2": "Ⅱ类"}
STATES = {"valid": "保护期内", "expired": "已到期", "disputed": "有争议"}
USED = {"yes": "认定用过", "no": "还没用过"}
# So many days ahead an expiry is told as one.
SOON_DAYS = 180


def register(file: File, tab_of: Any) -> dict[str, Any]:
    """The pieces asked for by the address, and the filters with how many each would leave."""
    asked = {name: request.args.get(name, "") for name in ("class", "state", "used")}
    pieces = [one for one in file.ip if _fits(one, asked, file)]
    filters = []
    for name, label, options in (("class", "类别", CLASSES), ("state", "状态", STATES), ("used", "用于认定", USED)):
        lines = []
        for value, words in options.items():
            number = sum(_fits(one, {**asked, name: value}, file) for one in file.ip)
            current = asked[name] == value
            args = {**asked, name: None if current else value}
            lines.append({"label": words, "n": number, "current": current, "href": tab_of("ip", **args)})
        filters.append((label, [line for line in lines if line["n"] or line["current"]]))
    return {
        "pieces": pieces,
        "pieces_all": len(file.ip),
        "ip_filters": filters,
        "ip_kinds": CHOICES["ip_kind"],
        "ip_left": {one.id: _left(one, file) for one in pieces},
        "ip_key": uuid4().hex,
    }


def _expired(one: IntellectualProperty, file: File) -> bool:
    return one.expires_on is not None and one.expires_on < file.on


def _fits(one: IntellectualProperty, asked: dict[str, str], file: File) -> bool:
    if asked["class"] in CLASSES and one.ip_class != asked["class"]:
        return False
    state = {
        "valid": one.expires_on is not None and not _expired(one, file) and not one.disputed,
        "expired": _expired(one, file),
        "disputed": bool(one.disputed),
    }
    if asked["state"] in state and not state[asked["state"]]:
        return False
    return asked["used"] not in USED or (one.used_in_year is not None) == (asked["used"] == "yes")


def _left(one: IntellectualProperty, file: File) -> str:
    """What is said beside the last day of protection: gone, or nearly."""
    if one.expires_on is None:
        return ""
    if _expired(one, file):
        return "已到期"
    return days_left(one.expires_on, file.on).text if (one.expires_on - file.on).days <= SOON_DAYS else ""
