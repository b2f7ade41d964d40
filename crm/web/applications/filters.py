"""The address of the board and the list of applications, and the words for what it asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from crm.domain.kinds import KINDS
from crm.domain.stages import ENDS, STAGES
from crm.store.application_lists import ENDED, IN_HAND, Filter
from crm.store.application_orders import NEWEST, SORTS
from crm.web.addresses import LARGEST_COUNT, page_number, whole
from crm.web.applications.columns import COLUMNS, USUAL
from crm.web.lists import Shaped, chosen, read_order, said_order

STATES: dict[str, str] = {IN_HAND: "在办", ENDED: "已结束"} | ENDS


@dataclass(frozen=True)
class Asked(Shaped):
    """What an address asks of the board or the list."""

    filter: Filter


def read(given: MultiDict, *, viewer_id: int | None, kind: str | None = None) -> Asked:
    """Understand an address; what it cannot be is left out. ``kind``: the one a board shows where none is named."""
    state = given.get("state", IN_HAND)
    state = state if state in STATES else IN_HAND
    named = given.get("kind") if given.get("kind") in KINDS else kind
    manager = given.get("manager", "")
    # A person is repeated in standings, in a narrower column than ids have.
    manager_id = whole(manager, largest=LARGEST_COUNT)
    window_id = whole(given.get("window"))
    stage = given.get("stage") if given.get("stage") in STAGES else None
    order = read_order(given.getlist("sort"), SORTS)
    columns = chosen(given.getlist("columns"), COLUMNS, USUAL)
    args: dict[str, Any] = {
        "kind": named or "",
        "window": str(window_id) if window_id is not None else "",
        "manager": manager if manager in ("me", "none") or manager_id is not None else "",
        "stage": stage or "",
        "state": state if state != IN_HAND else "",
        "saved": str(saved) if (saved := whole(given.get("saved"))) is not None else "",
        "sort": said_order(order),
        "columns": list(columns) if given.getlist("columns") else [],
    }
    wanted = Filter(
        kind=named,
        window_id=window_id,
        manager_id=viewer_id if manager == "me" else manager_id,
        unassigned=manager == "none",
        stage=stage,
        state=state,
    )
    return Asked(order or NEWEST, columns, page_number(given), args, wanted)


def in_words(wanted: Asked, windows: Mapping[int, str], people: Mapping[int, str]) -> str:
    """The filter as one line, printed on exports."""
    args, narrowed = wanted.args, wanted.filter
    said = [
        KINDS[args["kind"]].short if args["kind"] else "",
        windows.get(narrowed.window_id or 0, "") if args["window"] else "",
        STAGES.get(args["stage"], ""),
        STATES.get(narrowed.state, ""),
        "我的" if args["manager"] == "me" else "未指派" if args["manager"] == "none" else "",
        people.get(narrowed.manager_id or 0, "") if args["manager"] not in ("", "me", "none") else "",
    ]
    return "；".join(one for one in said if one)
