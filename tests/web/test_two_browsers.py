"""Two people at one record, for every form of the product that edits one: product.md, What always holds 5."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from crm.actions.figures import record_figures
from crm.actions.intellectual_property import record_ip
from crm.actions.service_logs import log_service
from crm.domain.changes import Create, Ref, Update
from crm.extensions import Base, db
from crm.store.qualifications import title_facts
from crm.store.service_logs import ServiceLogEnterprise
from crm.store.settings import setting
from crm.store.unit_of_work import unit_of_work
from crm.store.users import Grant, User
from crm.store.writer import write
from tests.builders import NOW, TODAY, act, county, make_enterprise, make_user
from tests.web.conftest import sign_in
from tests.web.pages import conflicts_on, form_on

HNTE = ("hnte", date(2024, 11, 28), date(2027, 11, 27))


# --- the records -----------------------------------------------------------------------------------------------------


def written(create: Create) -> int:
    with unit_of_work():
        return int(write([create], act=act(), action="test").ids[create.key])


def enterprise() -> int:
    return make_enterprise("巫溪县青禾食品有限公司", address="一号路")


def figures() -> int:
    enterprise_id, values = make_enterprise(), {"revenue": Decimal(1_000_000)}
    with unit_of_work():
        return int(record_figures(enterprise_id, 2025, values, act=act()).ids[("figures", 2025)])


def piece() -> int:
    enterprise_id, values = make_enterprise(), {"name": "一种烘干机", "kind": "utility_model"}
    with unit_of_work():
        return int(record_ip(enterprise_id, values, act=act()).ids["ip"])


def title() -> int:
    return title_facts(make_enterprise(titles=[HNTE]))[0].id


def application() -> int:
    values = {"enterprise_id": make_enterprise(), "kind": "srdi", "year": 2026, "stage": "辅导", "stage_on": TODAY}
    return written(Create("application", values, "row"))


def objection() -> int:
    values = {"enterprise_id": make_enterprise(), "kind": "srdi", "year": 2026, "stage": "公示", "stage_on": TODAY}
    of = {"application_id": Ref("row"), "enterprise_id": values["enterprise_id"]}
    with unit_of_work():
        creates = [
            Create("application", values, "row"),
            Create("application_objection", {**of, "raised_on": TODAY, "text": "请核查"}, "objection"),
        ]
        return int(write(creates, act=act(), action="test").ids["objection"])


def absence() -> int:
    away = make_user("away", "case_manager")
    values = {"user_id": away.user_id, "starts_on": TODAY, "ends_on": date(2026, 12, 4), "reason": "学习"}
    return written(Create("absence", values, "row"))


def relation() -> int:
    values = {"enterprise_id": make_enterprise(), "kind": "parent", "other_name": "重庆某某集团", "note": "全资"}
    return written(Create("relation", values, "row"))


def affiliation() -> int:
    values = {"enterprise_id": make_enterprise(), "kind": "status", "value": "active", "starts_on": date(2024, 1, 1)}
    return written(Create("affiliation", values, "row"))


def collection() -> int:
    values = {"region_id": county().id, "title": "原来的名字", "year": 2025, "kinds": ["tech_sme"]}
    return written(Create("collection", values, "row"))


def selection() -> int:
    return written(Create("pool_selection", {"region_id": county().id, "year": 2026, "title": "原来的名字"}, "row"))


def sheet() -> int:
    asked = ["figures.2025.revenue", "figures.2025.staff_count"]
    values = {"collection_id": collection(), "enterprise_id": make_enterprise(), "questions": asked}
    return written(Create("collection_enterprise", values, "row"))


def candidate() -> int:
    values = {"enterprise_id": make_enterprise(), "selection_id": selection(), "year": 2026, "pool_class": "key"}
    return written(Create("pool_membership", {**values, "proposed_on": date(2026, 3, 1)}, "row"))


def membership() -> int:
    values = {"year": 2026, "pool_class": "key", "proposed_on": date(2026, 3, 1)}
    return written(Create("pool_membership", {"enterprise_id": make_enterprise(), **values}, "row"))


def event() -> int:
    enterprise_id, values = make_enterprise(), {"happened_on": TODAY, "kind": "visit", "text": "看了一号线"}
    with unit_of_work():
        return int(log_service([enterprise_id], values, act=act()).ids["service_log"])


def request(**more: Any) -> Callable[[], int]:
    """A request; ``unit``: dispatched to a department, by the end of the month."""

    def make() -> int:
        values = {**more, "raised_on": date(2026, 11, 2), "category": "land", "text": "缺一块地"}
        if values.pop("unit", False):
            office = {"region_id": county().id, "name": "规划局"}
            values |= {
                "unit_id": written(Create("unit", office, "row")),
                "dispatched_on": TODAY,
                "due_on": date(2026, 11, 30),
            }
        place = {"enterprise_id": make_enterprise(), "region_id": county().id}
        return written(Create("request", {**place, **values}, "row"))

    return make


def comment() -> int:
    boss, enterprise_id = myself(), make_enterprise()
    about = {"noun": "enterprise", "record_id": enterprise_id, "enterprise_id": enterprise_id, "region_id": county().id}
    by = {"author_id": boss, "author_name": "boss", "written_at": NOW}
    return written(Create("comment", {**about, **by, "text": "先看厂房"}, "row"))


def listed(noun: str, **more: Any) -> Callable[[], int]:
    name = "label" if noun == "dictionary_entry" else "name"
    return lambda: written(Create(noun, {"region_id": county().id, name: "原来的名字", **more}, "row"))


def view() -> int:
    owner = db.session.scalar(select(User.id).where(User.login == "boss"))
    values = {"owner_id": owner, "page": "enterprises", "name": "原来的名字", "query": "", "shared": "all"}
    return written(Create("saved_view", {"region_id": county().id, **values}, "row"))


def window() -> int:
    values = {"kind": "srdi", "year": 2026, "batch": "夏季", "opens_on": date(2026, 3, 1), "status": "expected"}
    return written(Create("window", {"region_id": county().id, "source": "推定", **values}, "row"))


def user() -> int:
    make_user("xianghe", "case_manager", name="向禾")
    return db.session.scalar(select(User.id).where(User.login == "xianghe"))


def granted() -> int:
    return db.session.scalar(select(Grant.id).where(Grant.user_id == user()))


def myself() -> int:
    return db.session.scalar(select(User.id).where(User.login == "boss"))


def own_settings() -> int:
    return county().id


# --- the forms -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Typed:
    """One field: what somebody types, what is kept then, and how the choice between two says it."""

    name: str
    text: str
    value: Any
    words: str

    def __str__(self) -> str:
        return self.name


def plain(name: str, text: str) -> Typed:
    return Typed(name, text, text, text)


def day(name: str, text: str) -> Typed:
    return Typed(name, text, date.fromisoformat(text), text)


@dataclass(frozen=True)
class Edit:
    """One form: where it is, and three edits of it.

    ``mine`` and ``theirs`` are of the same field; ``beside`` is of another one. ``written``: the form says a deed that
    is done once, so the other person's change comes in another way and goes to the writer.
    """

    endpoint: str
    noun: str
    make: Callable[[], int]
    path: str
    label: str
    before: str
    theirs: Typed
    mine: Typed
    beside: Typed
    written: bool = False
    along: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    # Where the form stands on the page of another record (in this column), or goes to an address under its page.
    on: str = ""
    under: str = ""
    # A form over several records says of each choice which record it is about.
    each: bool = False

    def page(self, record_id: int) -> str:
        """The address of the page with the form."""
        if self.noun == "figures":
            return f"/enterprises/{column('figures', record_id, 'enterprise_id')}/figures/2025"
        if self.noun == "grant":
            return f"/users/{column('grant', record_id, 'user_id')}"
        return self.path.format(column(self.noun, record_id, self.on) if self.on else record_id)

    def target(self, record_id: int) -> str:
        """Where the form goes."""
        if self.noun == "grant":
            return f"{self.page(record_id)}/grants/{record_id}/end"
        return self.page(record_id) + self.under

    def pick(self, record_id: int) -> str:
        """The name of the choice between mine and theirs."""
        return f"pick_{self.mine.name}-{record_id}" if self.each else f"pick_{self.mine.name}"

    def sent(self, record_id: int, page: dict[str, str], typed: Typed) -> dict[str, str]:
        """What a browser sends: the page with what was typed."""
        along = {name: text.format(record_id) for name, text in self.along.items()}
        return {**page, **along, typed.name: typed.text}

    def kept(self, record_id: int, name: str) -> Any:
        """The value in the database now; of a title, that of the fact which counts now."""
        db.session.rollback()
        if self.noun == "setting":
            return setting(name, record_id)
        if self.noun == "qualification":
            later = column(self.noun, record_id, "superseded_by_id")
            record_id = later or record_id
        return column(self.noun, record_id, self.columns.get(name, name))

    def other_saves(self, client, record_id: int, page: dict[str, str], typed: Typed) -> None:
        if self.written or typed.name not in page:
            change = Update(self.noun, record_id, {self.columns.get(typed.name, typed.name): typed.value})
            with unit_of_work():
                write([change], act=act(), action="test")
            return
        answer = client.post(self.target(record_id), data=self.sent(record_id, page, typed))
        assert answer.status_code == 302


def column(noun: str, record_id: int, name: str) -> Any:
    table = Base.metadata.tables[noun]
    return db.session.scalar(select(table.c[name]).where(table.c.id == record_id))


def entry(list_name: str, noun: str, name: str = "name", **more: Any) -> Edit:
    return Edit(
        "dictionaries.edit", noun, listed(noun, **more), f"/dictionaries/{list_name}/{{}}", "名称", "原来的名字",
        plain(name, "她起的名字"), plain(name, "我起的名字"), plain("source", "渝科局发〔2026〕1号"),
    )  # fmt: skip


EDITS = [
    Edit("enterprises.edit", "enterprise", enterprise, "/enterprises/{}/edit", "地址", "一号路",
         plain("address", "二号路"), plain("address", "三号路"), plain("main_product", "烤鱼")),
    Edit("enterprises.rename", "enterprise", enterprise, "/enterprises/{}/rename", "新名称", "巫溪县青禾食品有限公司",
         plain("name", "巫溪县甲食品有限公司"), plain("name", "巫溪县乙食品有限公司"), plain("address", "二号路")),
    Edit("figures.edit", "figures", figures, "", "营业收入", "100.0 万元",
         Typed("revenue", "200", Decimal(2_000_000), "200.0 万元"),
         Typed("revenue", "300", Decimal(3_000_000), "300.0 万元"), Typed("staff_count", "12", 12, "12 人")),
    Edit("intellectual_property.edit", "intellectual_property", piece, "/intellectual-property/{}/edit", "名称",
         "一种烘干机", plain("name", "二种烘干机"), plain("name", "三种烘干机"), plain("number", "ZL2026101")),
    Edit("qualifications.correct", "qualification", title, "/qualifications/{}/correct", "批次", "未填",
         plain("batch", "第二批"), plain("batch", "第三批"), plain("note", "证书已收回"), written=True),
    Edit("qualifications.end", "qualification", title, "/qualifications/{}/end", "终止日期", "未填",
         day("ended_on", "2026-05-01"), day("ended_on", "2026-06-01"), plain("note", "证书已收回"),
         written=True, along={"end_reason": "cancelled"}),
    Edit("applications.edit", "application", application, "/applications/{}/edit", "说明", "未填",
         plain("note", "材料齐了"), plain("note", "还差一份"), day("stage_due_on", "2026-12-01")),
    Edit("applications.objection", "application_objection", objection, "/applications/objections/{}/edit", "核查记录",
         "未填", plain("record", "已约谈"), plain("record", "已去函"), plain("raised_by", "来电")),
    Edit("pool.decide", "pool_membership", membership, "/pool/{}/decide", "会议", "未填",
         plain("meeting", "局务会"), plain("meeting", "专题会"), plain("planned_batch", "第二批"), written=True),
    Edit("pool.leave", "pool_membership", membership, "/pool/{}/leave", "出库原因", "未填",
         plain("leave_reason", "迁出"), plain("leave_reason", "两年未申报"), plain("planned_batch", "第二批"),
         written=True),
    Edit("service_logs.save", "service_log", event, "/visits/{}/edit", "内容", "看了一号线",
         plain("text", "看了二号线"), plain("text", "看了三号线\n也看了仓库"), plain("next_step", "送表样")),
    Edit("requests.edit", "request", request(), "/requests/{}/edit", "诉求内容", "缺一块地",
         plain("text", "缺两块地"), plain("text", "缺三块地"), plain("platform_number", "CS1")),
    Edit("requests.dispatch", "request", request(unit=True), "/requests/{}/dispatch", "回复期限", "2026-11-30",
         day("due_on", "2026-12-10"), day("due_on", "2026-12-20"), plain("text", "缺两块地")),
    Edit("requests.transfer", "request", request(), "/requests/{}/transfer", "平台编号", "未填",
         plain("platform_number", "CS1"), plain("platform_number", "CS2"), plain("text", "缺两块地")),
    Edit("requests.reply", "request", request(unit=True), "/requests/{}/reply", "回复", "未填",
         plain("reply", "已批"), plain("reply", "在批"), plain("text", "缺两块地")),
    Edit("requests.rate", "request", request(transferred_on=TODAY), "/requests/{}/rate", "企业评价", "未填",
         Typed("rating", "4", 4, "4 分"), Typed("rating", "2", 2, "2 分"), plain("text", "缺两块地")),
    Edit("requests.close", "request", request(transferred_on=TODAY), "/requests/{}/close", "办结说明", "未填",
         plain("close_reason", "地已给"), plain("close_reason", "不要了"), plain("text", "缺两块地"), written=True),
    Edit("comments.edit", "comment", comment, "/comments/{}/edit", "批注", "先看厂房",
         plain("text", "先看账"), plain("text", "先看人"), plain("author_name", "老板")),
    entry("words", "dictionary_entry", "label", dictionary="featured_industry", code="pearls", position=10),
    entry("units", "unit"),
    entry("parks", "park"),
    entry("carriers", "carrier"),
    Edit("dictionaries.edit_window", "window", window, "/dictionaries/windows/{}", "批次", "夏季",
         plain("batch", "秋季"), plain("batch", "冬季"), plain("source", "渝经信〔2026〕2号")),
    Edit("absences.edit", "absence", absence, "/absences/{}", "事由", "学习",
         plain("reason", "驻村"), plain("reason", "产假"), day("ends_on", "2026-12-18")),
    Edit("relations.edit", "relation", relation, "/relations/{}", "说明", "全资",
         plain("note", "持股六成"), plain("note", "持股四成"), plain("other_name", "重庆某某控股集团")),
    Edit("affiliations.edit", "affiliation", affiliation, "/affiliations/{}", "从哪天起", "2024-01-01",
         day("starts_on", "2024-03-01"), day("starts_on", "2024-06-01"), day("ends_on", "2025-06-30")),
    Edit("collections.edit", "collection", collection, "/collections/{}/edit", "名称", "原来的名字",
         plain("title", "她起的名字"), plain("title", "我起的名字"), plain("note", "请在月底前交回")),
    Edit("pool.change_selection", "pool_selection", selection, "/pool/selections/{}/edit", "名称", "原来的名字",
         plain("title", "她起的名字"), plain("title", "我起的名字"), plain("note", "先报两批")),
    Edit("collections.change_questions", "collection_enterprise", sheet, "/collections/sheets/{}", "要问的",
         "2025 年营业收入、2025 年从业人员",
         Typed("questions", "figures.2025.revenue", ["figures.2025.revenue"], "2025 年营业收入"),
         Typed("questions", "figures.2025.staff_count", ["figures.2025.staff_count"], "2025 年从业人员"),
         plain("authorised_by", "王五"), under="/questions"),
    Edit("pool.plan_candidates", "pool_membership", candidate, "/pool/selections/{}",
         "巫溪县青禾食品有限责任公司 拟申报批次", "未填",
         plain("planned_batch", "第一批"), plain("planned_batch", "第二批"),
         Typed("planned_year", "2027", 2027, "2027"),
         along={"pick": "{}"}, on="selection_id", under="/plan", each=True),
    Edit("pool.plan", "pool_membership", membership, "/pool/{}/plan", "拟申报批次", "未填",
         plain("planned_batch", "第一批"), plain("planned_batch", "第二批"),
         Typed("planned_year", "2027", 2027, "2027")),
    Edit("saved_views.edit", "saved_view", view, "/views/{}", "名字", "原来的名字",
         plain("name", "她起的名字"), plain("name", "我起的名字"), Typed("pinned", "1", True, "是")),
    Edit("users.edit", "user", user, "/users/{}", "姓名", "向禾",
         plain("name", "向二禾"), plain("name", "向三禾"), plain("email", "xiang@example.org")),
    Edit("users.edit_account", "user", myself, "/account", "姓名", "boss",
         plain("name", "老板甲"), plain("name", "老板乙"), plain("email", "chief@example.org")),
    Edit("users.end_grant", "grant", granted, "", "授权的最后一天", "长期",
         day("ends_on", "2026-12-01"), day("ends_on", "2026-12-31"), day("valid_from", "2026-01-01"),
         columns={"ends_on": "valid_to"}),
    Edit("settings.change", "setting", own_settings, "/settings", "多少个工作日没有联系算久未联系", "45",
         Typed("silence_days", "30", 30, "30"), Typed("silence_days", "60", 60, "60"),
         Typed("digest_hour", "9", 9, "9")),
]  # fmt: skip
every_edit = pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.endpoint} {edit.noun}")

# What else may be posted, and why nobody overwrites anybody with it.
NEW = "makes a new record"
ONCE = "a deed that is refused, or already done, the second time"
MACHINE = "no record of the domain"
NO_EDITS = {
    "applications.new": NEW,
    "applications.new_objection": NEW,
    "applications.go": "a step from a stage somebody left meanwhile shows both and writes nothing",
    "applications.correct": "a step from a stage somebody left meanwhile shows both and writes nothing",
    "applications.map_words": ONCE,
    "applications.material": "an item somebody recorded meanwhile shows its state and writes nothing",
    "applications.receive": "an item somebody recorded meanwhile shows its state and writes nothing",
    "applications.carry": "an item somebody recorded meanwhile shows its state and writes nothing",
    "assessments.freeze": NEW,
    "dictionaries.add": NEW,
    "dictionaries.add_holidays": NEW,
    "dictionaries.add_window": NEW,
    "enterprises.new": NEW,
    "imports.upload": NEW,
    "intellectual_property.new": NEW,
    "pool.propose": NEW,
    "qualifications.new": NEW,
    "service_logs.create": NEW,
    "requests.create": NEW,
    "comments.of_enterprise": NEW,
    "comments.of_service_log": NEW,
    "comments.of_request": NEW,
    "comments.of_application": NEW,
    "users.add": NEW,
    "users.add_grant": NEW,
    "enterprises.bulk": "refuses when anything of its preview moved: test_list_edits.py",
    "enterprises.edit_cell": "one field of enterprises.edit, whose line comes back as JSON: test_list_edits.py",
    "enterprises.export_selected": MACHINE,
    "enterprises.visit_selected": MACHINE,
    "absences.add": NEW,
    "absences.withdraw": ONCE,
    "affiliations.new": NEW,
    "affiliations.withdraw": ONCE,
    "attachments.on_record": NEW,
    "attachments.edit": "tried by two people in test_attachments.py, with a real file",
    "attachments.withdraw": ONCE,
    "collections.choose": "a step on the way to a new one",
    "collections.create": NEW,
    "collections.add": NEW,
    "collections.answer": "tried by two people in test_collections.py, with its sheet",
    "collections.close": ONCE,
    "collections.excuse_one": ONCE,
    "collections.remind_all": ONCE,
    "collections.remind_one": ONCE,
    "collections.returns": "makes a batch, whose preview asks",
    "collections.sign": ONCE,
    "desk.log": NEW,
    "enterprises.side_by_side": "merges the two versions that were looked at, or nothing",
    "enterprises.tell_apart": NEW,
    "figures.confirm": "confirms the values that were looked at, or nothing",
    "figures.paste": "writes the preview that was looked at; cells that moved meanwhile ask",
    "figures.save_cell": "tried by two people in test_figures_grid.py, cell by cell",
    "handovers.hand_over": "does what was previewed, or nothing",
    "pool.choose_for_selection": "a step on the way to a new one",
    "pool.create_selection": NEW,
    "pool.add_candidates": NEW,
    "pool.take_off_list": ONCE,
    "pool.decide_list": ONCE,
    "pool.issue_list": ONCE,
    "pool.propose_from_board": ONCE,
    "pool.propose_chosen": "proposes what was previewed, or nothing",
    "relations.new": NEW,
    "relations.withdraw": ONCE,
    "reviews.receive_one": NEW,
    "reviews.look": "tried by two reviewers in test_reviews.py, point by point",
    "sign_in.ask_for_letter": MACHINE,
    "sign_in.code": MACHINE,
    "sign_in.prove": MACHINE,
    "sign_in.set_new": MACHINE,
    "submissions.new": NEW,
    "submissions.match": "a step before the results",
    "submissions.results": ONCE,
    "users.confirm_second_factor": MACHINE,
    "users.remove_second_factor": MACHINE,
    "users.remove_second_factor_of": MACHINE,
    "users.renew_recovery_codes": MACHINE,
    "visit_plans.create": NEW,
    "visit_plans.add": NEW,
    "visit_plans.drop": ONCE,
    "visit_plans.edit": "tried by two people in test_visit_plans.py, line by line",
    "saved_views.save": NEW,
    "saved_views.move": "the order is that of whoever pressed last, and moves nothing else",
    "saved_views.update": "gives the version that was looked at another filter, or nothing",
    "saved_views.withdraw": "withdraws the version that was looked at, or nothing",
    "changes.undo": "takes back only what this change set wrote last",
    "dictionaries.remove_holiday": ONCE,
    "enterprises.withdraw": "withdraws the version that was looked at, or nothing",
    "intellectual_property.withdraw": "withdraws the version that was looked at, or nothing",
    "service_logs.withdraw": ONCE,
    "requests.reopen": ONCE,
    "requests.withdraw": ONCE,
    "comments.withdraw": ONCE,
    "confirmations.check": "looks into the answer that was seen, or nothing",
    "confirmations.save": "an answer somebody else gave meanwhile stays, and the page says so (test_confirmations)",
    "notices.go": MACHINE,
    "notices.seen": MACHINE,
    "notices.all_seen": MACHINE,
    "users.set_active": "a switch with two positions: both who press want the same one",
    "obligations.assign": "takes it from the person who was shown, or asks again: test_due_grid.py",
    "obligations.bulk": "refuses when anything of its preview moved: test_due_grid.py",
    "obligations.edit_cell": "tried by two people in test_due_grid.py, cell by cell",
    "obligations.export_selected": MACHINE,
    "obligations.settle": ONCE,
    "obligations.waive": ONCE,
    "obligations.postpone": ONCE,
    "obligations.take_back": ONCE,
    "obligations.miss": ONCE,
    "imports.confirm": ONCE,
    "imports.decide": ONCE,
    "imports.answer": ONCE,
    "imports.correct": "names rows of the preview that was looked at; those of a later preview are other rows",
    "imports.once": "is said of a preview and shown in the next one, before anything is written",
    "imports.paste": NEW,
    "imports.place": "names rows of the preview that was looked at; those of a later preview are other rows",
    "imports.take_back": ONCE,
    "imports.again": MACHINE,
    "imports.abandon": MACHINE,
    "imports.undo": "takes back only what the import wrote last",
    "jobs.cancel": MACHINE,
    "jobs.send_again": MACHINE,
    "jobs.let_be": MACHINE,
    "sign_in.sign_in": MACHINE,
    "sign_in.sign_out": MACHINE,
    "users.change_password": "asks for the old password",
    "users.end_other_sessions": MACHINE,
    "users.reset_password": "a secret is never merged",
}


@pytest.fixture
def browsers(app: Flask):
    """Two browsers of one administrator, who may open every form."""
    make_user("boss", "admin")
    mine, theirs = app.test_client(), app.test_client()
    sign_in(mine, "boss")
    sign_in(theirs, "boss")
    return mine, theirs


def opened(client, edit: Edit, record_id: int) -> dict[str, str]:
    return form_on(client.get(edit.page(record_id)).text, edit.target(record_id))


def test_every_form_that_edits_a_record_is_tried_by_two_people(sqlite_app):
    posts = {rule.endpoint for rule in sqlite_app.url_map.iter_rules() if "POST" in rule.methods}

    assert sorted(posts ^ ({edit.endpoint for edit in EDITS} | NO_EDITS.keys())) == []


def saved_after_the_other(browsers, edit, typed):
    """Both open one record, the other saves ``typed``, then I send mine: the record's id and the answer to me."""
    mine, theirs = browsers
    record_id = edit.make()
    page, same_page = opened(mine, edit, record_id), opened(theirs, edit, record_id)
    edit.other_saves(theirs, record_id, same_page, typed)
    return record_id, mine.post(edit.target(record_id), data=edit.sent(record_id, page, edit.mine))


@every_edit
def test_edits_of_different_fields_both_stand(browsers, edit):
    record_id, answer = saved_after_the_other(browsers, edit, edit.beside)

    assert answer.status_code == 302
    kept = [edit.kept(record_id, typed.name) for typed in (edit.beside, edit.mine)]
    assert kept == [edit.beside.value, edit.mine.value]


@every_edit
def test_the_same_field_is_saved_only_after_one_was_chosen(browsers, edit):
    mine, _ = browsers
    record_id, clash = saved_after_the_other(browsers, edit, edit.theirs)
    target = edit.target(record_id)

    pressed_again = mine.post(target, data=form_on(clash.text, target))
    held = edit.kept(record_id, edit.theirs.name)
    chosen = mine.post(target, data={**form_on(pressed_again.text, target), edit.pick(record_id): "mine"})

    assert (clash.status_code, pressed_again.status_code, chosen.status_code) == (409, 409, 302)
    for answer in (clash, pressed_again):
        assert "同一处已被别人改过" in answer.text or "刚被别人改过" in answer.text
        [[label, before, now, own]] = [row for row in conflicts_on(answer.text) if row[0] == edit.label]
        assert (label, before, own) == (edit.label, edit.before, edit.mine.words)
        assert now.startswith(edit.theirs.words)
        assert form_on(answer.text, target)[edit.mine.name] == edit.mine.text
    assert held == edit.theirs.value
    assert edit.kept(record_id, edit.mine.name) == edit.mine.value


@every_edit
def test_theirs_stays_when_it_is_chosen(browsers, edit):
    mine, _ = browsers
    record_id, clash = saved_after_the_other(browsers, edit, edit.theirs)
    target = edit.target(record_id)

    chosen = mine.post(target, data={**form_on(clash.text, target), edit.pick(record_id): "theirs"})

    assert (clash.status_code, chosen.status_code) == (409, 302)
    assert edit.kept(record_id, edit.theirs.name) == edit.theirs.value


def test_enterprises_linked_to_an_event_by_two_people_all_stay(browsers):
    mine, theirs = browsers
    record_id = event()
    hers, his = make_enterprise("巫溪县她加的食品有限公司"), make_enterprise("巫溪县他加的食品有限公司")
    target = f"/visits/{record_id}/edit"
    page, same_page = (form_on(client.get(target).text, target) for client in (mine, theirs))
    first = int(page["enterprises"])

    theirs.post(target, data={**same_page, "enterprises": [str(first), str(hers)]})
    answer = mine.post(target, data={**page, "enterprises": [str(first), str(his)]})

    db.session.rollback()
    link = ServiceLogEnterprise
    linked = select(link.enterprise_id).where(link.service_log_id == record_id, ~link.deleted)
    assert answer.status_code == 302
    assert sorted(db.session.scalars(linked)) == sorted([first, hers, his])


def test_a_title_corrected_meanwhile_is_not_ended_however_often_one_presses(browsers):
    mine, theirs = browsers
    record_id = title()
    correct, target = f"/qualifications/{record_id}/correct", f"/qualifications/{record_id}/end"
    page = form_on(mine.get(target).text, target)
    same_page = form_on(theirs.get(correct).text, correct)
    theirs.post(correct, data={**same_page, "number": "GR202451100001"})

    refused = mine.post(target, data={**page, "ended_on": "2026-06-01", "end_reason": "cancelled"})
    again = mine.post(target, data=form_on(refused.text, target))

    db.session.rollback()
    successor = column("qualification", record_id, "superseded_by_id")
    for answer in (refused, again):
        assert answer.status_code == 422
        assert "这项资格已被更正过，没有写入。" in answer.text
        assert f'href="/qualifications/{successor}/end"' in answer.text
        assert form_on(answer.text, target)["ended_on"] == "2026-06-01"
    assert column("qualification", record_id, "ended_on") is None


def test_a_setting_given_back_does_not_take_anothers_value_along(browsers):
    mine, theirs = browsers
    mine.post("/settings", data={**form_on(mine.get("/settings").text, "/settings"), "silence_days": "30"})
    page, same_page = (form_on(client.get("/settings").text, "/settings") for client in browsers)
    theirs.post("/settings", data={**same_page, "silence_days": "60"})

    clash = mine.post("/settings", data={**page, "inherit-silence_days": "1"})
    held = setting("silence_days", county().id)
    sent = {**form_on(clash.text, "/settings"), "pick_silence_days": "mine"}
    chosen = mine.post("/settings", data=sent)

    db.session.rollback()
    assert (clash.status_code, held, chosen.status_code) == (409, 60, 302)
    assert conflicts_on(clash.text)[0][3] == "不单独设，用上级的或默认值"
    assert setting("silence_days", county().id) == 45


def test_what_somebody_just_changed_is_not_withdrawn_unseen(browsers):
    mine, _ = browsers
    record_id = enterprise()
    address = f"/enterprises/{record_id}"
    button = form_on(mine.get(address).text, f"{address}/withdraw")
    with unit_of_work():
        write([Update("enterprise", record_id, {"address": "二号路"})], act=act(), action="test")

    answer = mine.post(f"{address}/withdraw", data=button, follow_redirects=True)

    assert "刚被别人改过，这次没有写入。看过再按。" in answer.text
    assert column("enterprise", record_id, "deleted") is False
