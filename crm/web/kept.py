"""What somebody typed into a form that is not saved yet, said field by field on the page that keeps it for them."""

import json
from urllib.parse import urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException

from crm.domain import words
from crm.domain.fields import FIELDS

# The noun behind a form is known by the room its address leads to.
NOUNS = {
    "enterprises": "enterprise",
    "qualifications": "qualification",
    "figures": "figures",
    "intellectual_property": "intellectual_property",
    "pool": "pool_membership",
    "service_logs": "service_log",
    "requests": "request",
    "comments": "comment",
}
# Fields of forms that are no field of a noun.
LABELS = {
    "enterprises": {"code_reason": "代码存疑照存的理由", "effective_on": "从哪天起"},
    "obligations": {"note": "办结说明", "reason": "为什么免办", "to": "改到哪一天"},
    "applications": {
        "year": "申报年度",
        "stage_on": "到这一步的日期",
        "happened_on": "哪天的事",
        "due_on": "这一步的期限",
        "reason": "原因",
        "note": "说明",
        "waived_reason": "免交理由",
        "raised_by": "谁提出的",
        "text": "异议内容",
        "record": "核查记录",
    },
    "users": {"name": "姓名", "email": "信箱"},
    "handovers": {"note": "交接说明", "typed": "要交接的家数"},
    "absences": {"starts_on": "第一天", "ends_on": "最后一天", "reason": "事由"},
    "dictionaries": {"label": "名称", "name": "名称", "aliases": "别名", "batch": "批次", "source": "依据"},
}
# What a form carries for itself; nobody typed it.
OWN = frozenset(
    {"request_key", "back", "version", "seen", "theirs", "line", "region_id", "nature", "next", "kept", "shown"}
)
# Ids and codes of lists kept in the database mean nothing to who reads them.
UNREADABLE = frozenset({"region", "person", "park", "carrier"})
# An unnamed value this short is an id or a code; a longer one is somebody's text.
LONGEST_CODE = 7


def touched(kept: dict[str, list[str]]) -> dict[str, list[str]]:
    """What was typed into a form over a stored record, without the fields that were left as they were shown."""
    try:
        seen = json.loads(kept.get("seen", ["{}"])[0])
    except ValueError:
        return kept
    if not isinstance(seen, dict):
        return kept
    return {name: values for name, values in kept.items() if [text.strip() for text in values] != [seen.get(name)]}


def kept_lines(kept: dict[str, list[str]], target: str) -> list[tuple[str, str]]:
    """(label, value) of everything a person can recognise; the rest travels on unseen."""
    room = _room(target)
    lines = []
    for name, values in kept.items():
        said = [value for value in values if value.strip()]
        if not said or name in OWN:
            continue
        if name == "enterprises":
            lines.append(("企业", words.count(len(said), "家")))
            continue
        field = FIELDS.get(f"{NOUNS.get(room, '')}.{name}")
        if field is not None and field.type not in UNREADABLE:
            # As it was typed: it has not been read yet, and may not be readable at all.
            shown = [words.value(field, one) if field.type in ("choice", "yes_no") else one for one in said]
            lines.append((field.label, "、".join(shown)))
        elif field is None and (label := LABELS.get(room, {}).get(name)):
            lines.append((label, "、".join(said)))
        elif field is None and any(len(one) > LONGEST_CODE for one in said):
            lines.append(("其他内容", "、".join(said)))
    return lines


def _room(target: str) -> str:
    """The blueprint that a form is sent to, or nothing where no form is taken."""
    adapter = current_app.url_map.bind("")
    try:
        endpoint, _ = adapter.match(urlsplit(target).path, method="POST")
    except HTTPException:
        return ""
    return str(endpoint).split(".")[0]
