"""The one form of a hand-over: a GET shows what it would do, a POST does it."""

from collections.abc import Mapping

from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, StringField, TextAreaField

from crm.actions.handovers import Wish
from crm.web.addresses import whole, wholes
from crm.web.doors import Form

# What a township's select says for “these stay where they are”; no user has this id.
STAYS = "stay"


class HandOverForm(Form):
    note = TextAreaField("交接说明")
    typed = StringField("企业数")
    seen = HiddenField()


def wish_of(from_id: int, values: MultiDict, townships: Mapping[int, int | None]) -> Wish:
    """What a form or an address asks for; ``townships`` are the person's enterprises with where they lie.

    Numbers nobody has are left out: the receivers are checked by the action.
    """
    receivers = tuple(wholes(values.getlist("receivers")))
    chosen = {key: values.get(f"township-{key or 0}", "") for key in set(townships.values())}
    by_township = {key: n for key, text in chosen.items() if (n := whole(text)) is not None}
    staying = {key for key, text in chosen.items() if text == STAYS}
    left_out = set(wholes(values.getlist("stay")))
    stay = {i for i, township in townships.items() if township in staying or i in left_out}
    # The lines of a text area come with carriage returns, and a note is said in one line.
    note = " ".join(values.get("note", "").split())
    return Wish(from_id, receivers, by_township, frozenset(stay), note)
