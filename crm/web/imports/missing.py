"""库内有、名单无: whom a full list lacks, what is worth checking about each, page by page and as a file."""

from collections import Counter
from datetime import date

from flask import render_template, request, url_for

from crm.actions import imports
from crm.actions.exports import export_rows
from crm.actions.import_missing import CHECKS
from crm.domain.kinds import KINDS, STATES
from crm.store.imports import ImportBatch
from crm.web.addresses import page_number
from crm.web.doors import new_act, open_to, viewer
from crm.web.downloads import as_download
from crm.web.imports import ROLES, blueprint

PAGE = 50
# The word for the tab, and what to do about it.
SAID = {
    "deregistered": ("注销", "库里记着已注销或吊销。核对后在企业页登记资格终止。"),
    "moved_out": ("迁出", "库里记着已迁出。核对后在企业页登记资格终止。"),
    "not_renewed": ("期满未续", "原有效期已满，这份名单里没有。核对是否没有续报。"),
    "left_out": ("名单漏报", "库里仍有效，名单里没有。核对是名单漏了，还是用了别的名称或代码。"),
}


def _entries(batch: ImportBatch) -> tuple[list[dict], dict[str, int], str]:
    """What the batch keeps of the missing, how many of each check, and the check that is being looked at."""
    kept = [{"check": "left_out", **one} for one in (batch.summary or {}).get("missing") or ()]
    counted = Counter(one["check"] for one in kept)
    check = request.args.get("check", "")
    check = check if check in CHECKS else ""
    return [one for one in kept if not check or one["check"] == check], counted, check


def _title(one: dict) -> str:
    """The title of an entry with its state, "" on a list of enterprises."""
    kind = KINDS.get(one.get("kind") or "")
    return f"{kind.short} · {STATES.get(one.get('state') or '', '')}" if kind is not None else ""


@blueprint.get("/imports/<int:batch_id>/missing")
@open_to(*ROLES)
def missing(batch_id: int):
    batch = imports.own_batch(batch_id, viewer())
    found, counted, check = _entries(batch)
    total, kept = len(found), sum(counted.values())
    page = min(page_number(request.args), max(-(-total // PAGE), 1))
    shown = found[(page - 1) * PAGE : page * PAGE]
    views = [{"label": "全部", "n": kept, "href": url_for("imports.missing", batch_id=batch.id), "current": not check}]
    views += [
        {
            "label": SAID[code][0],
            "n": counted[code],
            "href": url_for("imports.missing", batch_id=batch.id, check=code),
            "current": check == code,
        }
        for code in CHECKS
        if counted[code]
    ]
    return render_template(
        "imports/missing.html",
        batch=batch,
        is_full=batch.full_list and (batch.summary or {}).get("missing") is not None,
        rows=[
            (one, _title(one), date.fromisoformat(one["valid_to"]) if one.get("valid_to") else None) for one in shown
        ],
        has_titles=any(one.get("kind") for one in found),
        said=SAID,
        views=views,
        check=check,
        total=total,
        kept=kept,
        count=(batch.summary or {}).get("missing_count") or 0,
        page=page,
        pages=-(-total // PAGE),
        first=(page - 1) * PAGE + 1 if total else 0,
        last=min(page * PAGE, total),
        page_href=lambda number: url_for("imports.missing", batch_id=batch.id, check=check or None, page=number),
    )


@blueprint.get("/imports/<int:batch_id>/missing.xlsx")
@open_to(*ROLES)
def missing_file(batch_id: int):
    batch = imports.own_batch(batch_id, viewer())
    found, _, check = _entries(batch)
    heads = ("企业名称", "统一社会信用代码", "资格", "有效期止", "先核对", "说明")
    content, name = export_rows(
        title=f"{batch.file_name.rsplit('.', 1)[0]} 库内有、名单无",
        columns=[(head, "text") for head in heads],
        rows=[
            (
                one["name"],
                one["credit_code"] or "",
                _title(one),
                one.get("valid_to") or "",
                *SAID[one["check"]],
            )
            for one in found
        ],
        act=new_act(),
        filter={"batch": batch_id, "check": check},
    )
    return as_download(content, name)
