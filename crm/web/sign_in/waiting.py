"""A form that waits inside the sign-in (or the proof) for somebody to be signed in; it comes back afterwards."""

from flask import request

from crm.web.doors import Unsaved, own_path

# Names of the fields of a form that was sent after the session had ended.
KEPT, KEPT_FILE = "kept.", "kept-file."


def waiting_form() -> Unsaved:
    """The form that waits, as the page with the password carried it."""
    form = request.form
    kept = {name.removeprefix(KEPT): form.getlist(name) for name in form if name.startswith(KEPT)}
    files = {name.removeprefix(KEPT_FILE): form[name] for name in form if name.startswith(KEPT_FILE)}
    return Unsaved(_safe(form.get("next")), kept, files, {})


def nothing_but(target: str | None) -> Unsaved:
    """Nothing waits but a page to go to."""
    return Unsaved(_safe(target), {}, {}, {})


def _safe(target: str | None) -> str:
    return own_path(target) or "/"
