"""The address of the list of requests, and the words for what it asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from crm.domain.viewers import Viewer
from crm.store.request_lists import Filter
from crm.store.request_orders import SORTS, usual_order
from crm.web.addresses import page_number, whole
from crm.web.lists import Shaped, read_order, said_order
from crm.web.requests import columns
from crm.web.requests.forms import unit_names

VIEWS: dict[str, str] = {
    "open": "未办结",
    "raised": "待交办",
    "doing": "在办",
    "overdue": "逾期",
    "answered": "已回复，待办结",
    "closed": "已办结",
}


@dataclass(frozen=True)
class Asked(Shaped):
    """What the address asks for."""

    view: str
    filter: Filter

    def in_view(self, view: str) -> str:
        """The address of another view of what is asked for."""
        return self.query(view=None if view == "open" else view, saved=None)


def read(given: MultiDict, person: Viewer) -> Asked:
    """Understand an address; a case manager's list shows the own enterprises unless asked for all."""
    usually_mine = person.has("case_manager") and not person.has("bureau", "admin", "leader")
    of = given.get("of") if given.get("of") in ("all", "mine") else None
    own = person.has("case_manager") and (of or ("mine" if usually_mine else "all")) == "mine"
    view = given.get("view", "open")
    view = view if view in VIEWS else "open"
    unit_id = whole(given.get("unit"))
    order = read_order(given.getlist("sort"), SORTS)
    keys = columns.chosen_keys(given.getlist("columns"), view)
    args: dict[str, Any] = {
        "view": view if view != "open" else None,
        "of": of,
        # A longer one is no code of the dictionary, and the column would not take it.
        "category": given.get("category", "")[:24] or None,
        "unit": unit_id,
        "q": given.get("q", "").strip()[:60] or None,
        "saved": str(saved) if (saved := whole(given.get("saved"))) is not None else None,
        "sort": said_order(order) or None,
        "columns": list(keys) if given.getlist("columns") else None,
    }
    wanted = Filter(
        category=args["category"], unit_id=unit_id, mine=person.user_id if own else None, text=args["q"] or ""
    )
    return Asked(order or usual_order(view), keys, page_number(given), args, view, wanted)


def in_words(wanted: Asked, categories: Mapping[Any, str]) -> str:
    """The filter as one line, printed on exports."""
    said = [VIEWS[wanted.view]]
    if wanted.filter.mine is not None:
        said.append("我的企业")
    if wanted.args["category"]:
        said.append(f"类别 {categories.get(wanted.args['category'], '？')}")
    if wanted.args["unit"]:
        said.append(f"交办部门 {unit_names([wanted.args['unit']]).get(wanted.args['unit'], '？')}")
    if wanted.args["q"]:
        said.append(f"找 {wanted.args['q']}")
    return "；".join(said)
