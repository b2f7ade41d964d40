"""What every view shares: who is asking, what time it is, the act, and how a refusal comes back to its form."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, flash, g, redirect, request, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField

from crm.domain.acts import Act
from crm.domain.refusals import SAME_FIELD, AlreadyDone, Conflict, InvalidInput, Refused
from crm.domain.viewers import Viewer
from crm.store.changes import change_set_by_request_key
from crm.store.unit_of_work import hold, unit_of_work
from crm.store.users import viewer_of
from crm.store.writer import Written
from crm.web.kept import kept_lines

ANYBODY = "anybody"  # no sign-in needed
SIGNED_IN = "signed_in"  # every role


# A key of ours has 32 characters; the history keeps up to 60.
KEY_LENGTH = 60


def open_to(*roles: str) -> Callable:
    """Say whom a route is for: ANYBODY, SIGNED_IN or roles. A route that says nothing is refused, and fails a test."""

    def mark(view: Callable) -> Callable:
        view.open_to = roles
        return view

    return mark


def rule_of(endpoint: str | None) -> tuple[str, ...] | None:
    """For whom an endpoint is, None when it never said."""
    if endpoint == "static":
        return (ANYBODY,)
    view = current_app.view_functions.get(endpoint or "")
    return getattr(view, "open_to", None)


def now() -> datetime:
    """The moment of this request: one clock reading per request, so that an act agrees with itself."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    return g.now


def today() -> date:
    return now().astimezone(ZoneInfo(current_app.config["TZ_NAME"])).date()


def viewer() -> Viewer:
    """Who is asking, with the grants of today. Only behind the sign-in."""
    if "viewer" not in g:
        g.viewer = viewer_of(current_user, today())
    return g.viewer


def new_act(*, reason: str = "", effective_on: date | None = None) -> Act:
    """The circumstances of a deed done through the web."""
    return Act(
        viewer=viewer(),
        door="web",
        recorded_at=now(),
        effective_on=effective_on or today(),
        request_id=g.request_id,
        reason=reason,
        request_key=request.form.get("request_key", "")[:KEY_LENGTH] or None,
    )


class Form(FlaskForm):
    """Every writing form carries a request key, so that a second press of the button writes nothing twice."""

    request_key = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.general_errors: list[str] = []
        self.conflict: dict[str, tuple[Any, Any, Any]] = {}
        if not self.request_key.data or len(self.request_key.data) > KEY_LENGTH:
            self.request_key.data = uuid.uuid4().hex


def attempt(form: Form, deed: Callable[[], Written | Any]) -> Any | None:
    """Run an action in a unit of work. None means refused: the sentences stand on the form, nothing was written.

    Pressing twice counts as success: the earlier write is what the person wanted.
    """
    try:
        with unit_of_work():
            _stop_a_second_press(form.request_key.data)
            return deed()
    except AlreadyDone as done:
        flash(done.message)
        return Written(done.change_set_id)
    except InvalidInput as refusal:
        for name, sentence in refusal.problems.items():
            _show(form, name, sentence)
    except Conflict as refusal:
        form.conflict = refusal.theirs
        form.general_errors.append(refusal.message)
    except Refused as refusal:
        _show(form, refusal.field, refusal.message)
    return None


def was_pressed_before(form: Form) -> bool:
    """Whether this press of a button has written already: what the first one did may make the second look refused.

    A first press that is still writing is waited for.
    """
    hold(form.request_key.data)
    return change_set_by_request_key(form.request_key.data) is not None


def _stop_a_second_press(request_key: str) -> None:
    """Before anything is decided: what the first press wrote would make many an action refuse the second one."""
    hold(request_key)
    earlier = change_set_by_request_key(request_key)
    if earlier is not None:
        raise AlreadyDone(earlier.id)


def _show(form: Form, name: str | None, sentence: str) -> None:
    if name and name in form:
        form[name].errors = [*form[name].errors, sentence]
    else:
        form.general_errors.append(sentence)


def done(message: str, to: str, written: Written | None = None):
    """Say what happened, offer to take it back for a moment, and go on."""
    if written is not None and written.change_set_id:
        flash(message, f"undo:{written.change_set_id}")
    else:
        flash(message)
    return redirect(to)


def pressed(deed: Callable[[], Written], *, said: str, to: str, stays: str, moved: str = "这条记录"):
    """A button that has no field of its own: done, with its way back, or the reason why not on the page it stood on.

    ``said`` is what a success is told as and ``to`` where it leads; ``stays`` is the page of the button, ``moved`` what
    somebody else has just changed where that is the reason.
    """
    form = Form()
    written = attempt(form, deed) if form.validate_on_submit() else None
    if written is not None:
        return done(said, to, written)
    changed = form.conflict or SAME_FIELD in form.general_errors
    reasons = [f"{moved}刚被别人改过，这次没有写入。看过再按。"] if changed else form.general_errors
    for sentence in reasons or ["没有写入。刷新后再试。"]:
        flash(sentence, "bad")
    return redirect(stays)


# Never written into a page again: what was typed into these fields is typed once more.
SECRET_FIELDS = re.compile(r"password|secret", re.IGNORECASE)
_SECRET_WORDS = {
    "old_password": "现在的密码",
    "new_password": "新密码",
    "again_password": "再填一次新密码",
    "secret_code": "验证码",
}


def typed(form: MultiDict[str, str]) -> dict[str, list[str]]:
    """What somebody typed into a form, to be carried on until it can be saved; without tokens and passwords."""
    left_out = ("csrf_token", "sent_again")
    return {name: form.getlist(name) for name in form if name not in left_out and not SECRET_FIELDS.search(name)}


@dataclass(frozen=True)
class Unsaved:
    """A form that could not be saved, to be given back: what was typed, and what has to be given once more."""

    target: str
    kept: dict[str, list[str]]
    # The fields whose file or password no page carries on: with the name of the file, with the word for the password.
    files: dict[str, str]
    secrets: dict[str, str]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What was typed, in words: (label, value)."""
        return kept_lines(self.kept, self.target)

    @property
    def whole(self) -> bool:
        """Whether it may be sent again as it stands: without its file or password it would say something else."""
        return not self.files and not self.secrets


def unsaved() -> Unsaved:
    """The form of this request. Raises OSError when not even its body found a place."""
    return Unsaved(
        target=request.full_path.rstrip("?"),
        kept=typed(request.form),
        files={name: file.filename for name, file in request.files.items() if file.filename},
        secrets={name: _SECRET_WORDS.get(name, "密码") for name in request.form if SECRET_FIELDS.search(name)},
    )


def own_path(target: str | None) -> str | None:
    """The target if it is a path on this site, else None: a link may not lead a signed-in person elsewhere.

    Browsers read a backslash as a slash and drop control characters, so neither may stand in it.
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    if "\\" in target or any(ord(c) < 33 or ord(c) == 127 for c in target):
        return None
    return target


def here_or(endpoint: str, **values: Any) -> str:
    """Where the person came from if that is a page of ours, else an endpoint."""
    return own_path(request.values.get("back")) or url_for(endpoint, **values)
