"""Which obligations somebody chose in the due list: ticked ones by their keys, or all of a filter with their count."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from flask import request, url_for

from crm.domain.refusals import Refused
from crm.store import obligation_lists
from crm.store.obligation_lists import Key
from crm.web.addresses import Texts, whole
from crm.web.doors import SIGNED_IN, done, now, open_to, viewer
from crm.web.obligations import blueprint, filters, listing

# More than these are not ticked by hand; somebody who means so many means a filter.
MOST_TICKED = 5_000
# An address that our lists make is never longer.
MOST_ADDRESS = 8_000


@dataclass(frozen=True)
class Selection:
    """The chosen obligations in the order of the list, and what has to be sent again to mean the same ones."""

    ids: tuple[int, ...]
    keys: tuple[Key, ...]
    asked: filters.Asked
    all: bool
    expected: int
    left_out: tuple[Key, ...]

    @property
    def carried(self) -> dict[str, str]:
        """The fields of a form that chooses the same ones again."""
        if self.all:
            chosen = {"all": "1", "expected": str(self.expected), "left_out": _said(self.left_out)}
        else:
            chosen = {"ids": _said(self.keys)}
        return chosen | {"asked": self.asked.query(page=None)[1:]}

    @property
    def back(self) -> str:
        """The list it was chosen in, with its filter, columns and order."""
        return self.asked.query(page=None)


def asked_in_form() -> filters.Asked:
    """The list in which it was chosen: the address it had, carried along in the form."""
    return listing.asked_by(Texts(parse_qsl(request.form.get("asked", "")[:MOST_ADDRESS])))


def chosen() -> Selection:
    """What the form of this request chooses.

    “All” means exactly those that the filter finds now, and only while they are as many as the person saw. Raises
    Refused with both numbers when they are not, and when nothing was chosen.
    """
    form, person = request.form, viewer()
    asked = asked_in_form()
    if form.get("all") == "1":
        found = obligation_lists.all_ids(asked.filter, person, now=now(), order=asked.order)
        expected = whole(form.get("expected")) or 0
        if len(found) != expected:
            raise Refused(f"选中时这个筛选有 {expected:,} 项，现在是 {len(found):,} 项。看过名单再选一次。")
        left_out = _keys([form.get("left_out", "")])
        gone = set(obligation_lists.ids_of_keys(left_out, person))
        ids = [i for i in found if i not in gone]
    else:
        ticked = _keys([form.get("ids", ""), *form.getlist("pick")])
        if len(ticked) > MOST_TICKED:
            raise Refused(f"一次最多逐个选 {MOST_TICKED:,} 项。用筛选加“选中全部”。")
        ids = obligation_lists.ids_of_keys(ticked, person, order=asked.order)
        expected, left_out = len(ids), ()
    if not ids:
        raise Refused("没有选中事项。先在名单里选。")
    keys = obligation_lists.keys_of(ids)
    return Selection(tuple(ids), keys, asked, form.get("all") == "1", expected, left_out)


def _keys(texts: list[str]) -> tuple[Key, ...]:
    parts = ",".join(texts).split(",")
    return tuple(dict.fromkeys(key for part in parts if (key := filters.key_in(part.strip())) is not None))


def _said(keys: tuple[Key, ...]) -> str:
    return ",".join(f"{enterprise_id}:{kind}:{period}" for enterprise_id, kind, period in keys)


@blueprint.post("/due/export-selected")
@open_to(SIGNED_IN)
def export_selected():
    """The chosen obligations as a file, with the columns and the order of the list."""
    try:
        picked = chosen()
    except Refused as refusal:
        return done(refusal.message, url_for("obligations.index") + asked_in_form().query(page=None))
    return listing.export_of(list(picked.ids), picked.asked, f"选中 {len(picked.ids):,} 项")
