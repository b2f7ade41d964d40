"""Taking a request down: from an enterprise, from a visit, from the list."""

from flask import render_template, request, url_for

from crm.actions.requests import may_raise, raise_request
from crm.domain.refusals import NotAllowed
from crm.store.scope import visible_enterprise, visible_record
from crm.store.service_logs import ServiceLog
from crm.web.addresses import whole
from crm.web.doors import attempt, done, new_act, open_to, own_path, today, viewer
from crm.web.requests import blueprint
from crm.web.requests.forms import RaiseForm, drawn
from crm.web.requests.listing import RAISERS
from crm.web.service_logs.firms import chosen_of, enterprises_of


@blueprint.get("/requests/new")
@open_to(*RAISERS)
def new():
    form = RaiseForm(formdata=None)
    chosen: list[tuple[int, str]] = []
    proposed = {"raised_on": today()}
    log_id = whole(request.args.get("log"))
    if log_id is not None:
        log = visible_record(ServiceLog, log_id, viewer(), "这条服务记录")
        chosen = enterprises_of([log.id]).get(log.id, [])
        proposed = {"raised_on": log.happened_on or today(), "text": log.text}
        form.log.data = str(log.id)
    wanted = whole(request.args.get("enterprise"))
    if wanted is not None:
        row, standing = visible_enterprise(wanted, viewer())
        if not may_raise(viewer(), standing):
            raise NotAllowed("这家企业的诉求由它的专员、乡镇（街道）或业务科室登记。")
        chosen = [(row.id, row.name)]
    form.fill({}, proposed=proposed)
    form.back.data = own_path(request.args.get("back")) or ""
    return _page(form, chosen[:1])


@blueprint.post("/requests/new")
@open_to(*RAISERS)
def create():
    form = RaiseForm()
    values = form.read()
    enterprise_id = form.enterprise_id()
    written = None
    if enterprise_id is None:
        form.enterprises.errors = ["选一家企业。"]
    elif not form.has_errors:
        log_id = whole(form.log.data)
        written = attempt(form, lambda: raise_request(enterprise_id, values, service_log_id=log_id, act=new_act()))
    if written is None:
        return _page(form, chosen_of([enterprise_id] if enterprise_id else [])), 422
    made = written.ids.get("request")
    to = own_path(form.back.data) or (url_for("requests.show", request_id=made) if made else url_for("requests.index"))
    return done("已登记诉求。", to, written)


def _page(form: RaiseForm, chosen: list[tuple[int, str]]) -> str:
    return render_template(
        "requests/new.html",
        form=form,
        inputs=drawn(form),
        chosen=chosen,
        back=own_path(form.back.data) or url_for("requests.index"),
    )
