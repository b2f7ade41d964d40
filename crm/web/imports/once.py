"""What a person says once for a whole list, when the file comes in or beside its preview."""

from flask import redirect, request, url_for

from crm.actions import import_once, imports
from crm.domain.fields import CHOICES
from crm.sheets.layouts import field_behind
from crm.web.doors import Form, attempt, new_act, open_to, viewer
from crm.web.imports import ROLES, blueprint

_HINTS = {
    "qualification.batch": "如 2026年第二批",
    "qualification.document": "如 渝科局发〔2026〕18号",
    "qualification.publicity_on": "如 2026-10-20",
    "qualification.announced_on": "如 2026-11-02",
    "qualification.issued_on": "如 2026-11-02",
    "qualification.cohort_year": "如 2026",
    "figures.year": "如 2025",
}
# What the upload page offers before anything of the file is known.
BEFORE = ("qualification.kind", "qualification.batch", "qualification.document", "qualification.announced_on")


def said_once() -> dict[str, str]:
    """What the form says, as typed: {field key: text}."""
    return {key: request.form.get(f"once-{key}", "") for key in import_once.KEYS if f"once-{key}" in request.form}


def once_fields(keys, said) -> list[dict]:
    """The fields of the form: key, label, hint, what was said, and the words to choose from."""
    fields = []
    for key in keys:
        declared = field_behind(key)
        options = [(word, word) for word in CHOICES[declared.choices].values()] if declared.choices else None
        fields.append(
            {
                "key": key,
                "name": f"once-{key}",
                "label": declared.label,
                "hint": _HINTS.get(key, ""),
                "value": said.get(key, ""),
                "options": [("", "没有说"), *options] if options else None,
            }
        )
    return fields


@blueprint.post("/imports/<int:batch_id>/once")
@open_to(*ROLES)
def once(batch_id: int):
    """Say what no column of the list says, and judge it again."""
    # The page of a batch shows this form among others.
    from crm.web.imports.show import batch_page

    batch = imports.own_batch(batch_id, viewer())
    form = Form()

    def deed() -> bool:
        import_once.say_once(batch_id, said_once(), act=new_act())
        return True

    if not form.validate() or attempt(form, deed) is None:
        return batch_page(batch, form), 409
    return redirect(url_for("imports.show", batch_id=batch_id))
