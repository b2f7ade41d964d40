"""发起采集: enterprises from a list, a comparison or by hand; what blocks their judgements; one press."""

from urllib.parse import parse_qsl

from flask import render_template, request, url_for
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, StringField

from crm.actions.collection_plans import MOST, Planned, plan
from crm.actions.collections import open_collection
from crm.domain import words
from crm.domain.collections import Question, question, questions
from crm.domain.refusals import Refused
from crm.domain.viewers import Viewer
from crm.rules import rule_sets
from crm.store import enterprise_lists
from crm.web.addresses import whole, wholes
from crm.web.collections import MAKERS, blueprint
from crm.web.collections.choosing import choosable, chosen
from crm.web.doors import Form, attempt, done, new_act, open_to, today, viewer
from crm.web.enterprises import selection
from crm.web.enterprises.listing import asked_by
from crm.web.inputs import DayField

# A plan of so many enterprises is shown open; beyond it their questions are folded.
OPEN_SHOWN = 12
# So many chosen enterprises stand as chips of the picker.
CHIPS = 20


class OpenForm(Form):
    title = StringField("名称")
    year = IntegerField("年度")
    due_on = DayField("交回期限")
    note = StringField("说明")


@blueprint.get("/collections/new")
@open_to(*MAKERS)
def new():
    form = OpenForm(formdata=None)
    ids, said = _from_address()
    kinds = _kinds(request.args.getlist("kinds"))
    form.year.data = today().year - 1
    form.title.data = _title(kinds)
    return _page(form, ids, kinds, (), said=said)


@blueprint.post("/collections/choose")
@open_to(*MAKERS)
def choose():
    """The enterprises that were ticked in a list."""
    try:
        picked = selection.chosen()
    except Refused as refusal:
        return done(refusal.message, url_for("enterprises.index"))
    form = OpenForm(formdata=None)
    form.year.data = today().year - 1
    form.title.data = _title([])
    said = _too_many(len(picked.ids)) if len(picked.ids) > MOST else ""
    return _page(form, list(picked.ids[:MOST]), [], (), said=said)


@blueprint.post("/collections/new")
@open_to(*MAKERS)
def create():
    """Three buttons: look again at what would be asked, add one more question for all, open."""
    form = OpenForm()
    ids = wholes(request.form.getlist("ids"))
    kinds = _kinds(request.form.getlist("kinds"))
    extra, wrong = _extra()
    if request.form.get("go") != "open":
        if not form.title.data:
            form.title.data = _title(kinds)
        if form.year.data is None:
            form.year.data = today().year - 1
        return _page(form, ids, kinds, extra, extra_error=wrong), 422 if wrong else 200
    asked = {i: paths for i in ids if (paths := request.form.getlist(f"ask-{i}"))}
    if form.validate_on_submit():
        values = {
            "title": (form.title.data or "").strip(),
            "year": form.year.data,
            "due_on": form.due_on.value,
            "note": (form.note.data or "").strip() or None,
        }
        written = attempt(form, lambda: open_collection(values, asked, kinds=kinds, act=new_act()))
        if written is not None:
            collection_id = written.ids.get("collection")
            to = url_for("collections.show", collection_id=collection_id) if collection_id else _list()
            return done(f"已发起采集，{len(asked)} 家企业", to, written)
    return _page(form, ids, kinds, extra, ticked=asked), 422


def _list() -> str:
    return url_for("collections.index")


def _from_address() -> tuple[list[int], str]:
    """The enterprises an address names: one, or those of a list as it was filtered; and how many the list had."""
    one = whole(request.args.get("enterprise"))
    if one is not None:
        return [one], ""
    listed = request.args.get("list")
    if listed is None:
        return [], ""
    wanted = asked_by(MultiDict(parse_qsl(listed.lstrip("?")[:1000])))
    ids = enterprise_lists.all_ids(wanted.filter, viewer(), today=today(), order=wanted.order)
    return ids[:MOST], _too_many(len(ids)) if len(ids) > MOST else ""


def _too_many(count: int) -> str:
    return f"选了 {count:,} 家，一次最多采集 {MOST} 家，这里是前 {MOST} 家。先缩小筛选，或分几次。"


def _kinds(texts: list[str]) -> list[str]:
    return [kind for kind in rule_sets.kinds() if kind in texts]


def _title(kinds: list[str]) -> str:
    named = "、".join(words.word(kind, "title_short") for kind in kinds[:2])
    return f"{today().year} 年{named}数据采集"


def _extra() -> tuple[tuple[str, ...], str]:
    """The questions added by hand so far with the one that is being added; what cannot be one gets its sentence."""
    found = [path for path in request.form.getlist("extra") if question(path) is not None]
    if request.form.get("go") != "add":
        return tuple(found), ""
    path, wrong = chosen()
    return (*found, path) if path else tuple(found), wrong


def _page(
    form: OpenForm,
    ids: list[int],
    kinds: list[str],
    extra: tuple[str, ...],
    *,
    said: str = "",
    extra_error: str = "",
    ticked: dict[int, list[str]] | None = None,
) -> str:
    person: Viewer = viewer()
    found = plan(ids, kinds, extra, on=today(), viewer=person)
    asked = [one for one in found if one.asked]
    return render_template(
        "collections/new.html",
        form=form,
        said=said,
        kinds=kinds,
        all_kinds=[(kind, words.word(kind, "rules")) for kind in rule_sets.kinds()],
        extra=questions(extra),
        extra_error=extra_error,
        choosable=choosable("选一项"),
        found=found,
        # Some chips can be taken away one by one; a whole list travels along unseen and is shown below.
        chosen_pairs=[(one.enterprise_id, one.name) for one in found] if len(found) <= CHIPS else [],
        more_ids=[one.enterprise_id for one in found] if len(found) > CHIPS else [],
        asked=[(one, _boxes(one, ticked)) for one in asked],
        idle=[(one, _why(one, bool(kinds or extra))) for one in found if not one.asked],
        total=sum(len(one.asked) for one in asked),
        few=len(asked) <= OPEN_SHOWN,
        last_year=today().year - 1,
        most=MOST,
    )


def _boxes(one: Planned, ticked: dict[int, list[str]] | None) -> list[tuple[Question, bool]]:
    """Each question with whether it is ticked: all are, until a person took some away."""
    left = None if ticked is None else set(ticked.get(one.enterprise_id, ()))
    return [(asked, left is None or asked.path in left) for asked in questions(one.asked)]


def _why(one: Planned, wanted: bool) -> str:
    """Why an enterprise is not asked."""
    if one.refusal:
        return one.refusal
    if one.waiting:
        return "；".join(f"《{title}》已在问这 {number} 项，不再问" for title, number in one.waiting)
    if one.elsewhere:
        return f"缺的不归企业填：{words.join(list(one.elsewhere), 3, '项')}"
    return "要用的数据都有了" if wanted else "还没有选比对哪些条件"
