"""Two districts with one record of every noun in each: the material of the tests that try to look over the wall."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from crm.domain.changes import Create, Ref
from crm.domain.viewers import Viewer
from crm.extensions import Base, db
from crm.store import file_store
from crm.store.changes import ChangeSet
from crm.store.comments import Notice
from crm.store.imports import ImportBatch, ImportRow
from crm.store.jobs import Job
from crm.store.messages import Message
from crm.store.obligations import Obligation
from crm.store.records import DOMAIN_TABLES
from crm.store.regions import TOWNSHIP, Region
from crm.store.sessions import UserSession
from crm.store.unit_of_work import unit_of_work
from crm.store.users import Credential
from crm.store.writer import write
from tests.builders import NOW, OTHER, TODAY, WUXI, act, county, make_enterprise, make_user

ROLES = ("case_manager", "township", "park", "unit", "bureau", "leader", "admin")

# What a preview of one new row says of itself.
OUTCOMES = ("new", "changed", "same", "conflict", "duplicate", "unmatched", "not_ours", "error")
SUMMARY: dict[str, Any] = dict.fromkeys(OUTCOMES, 0) | {
    "rows": 1,
    "new": 1,
    "writes": 1,
    "blocking": 0,
    "sheets": [],
    "warnings": [],
    "missing": None,
    "missing_count": None,
    "fingerprint": "",
    "seconds": 0.1,
}


@dataclass
class District:
    """The ids of one record of every noun of a district, its people, and words that must not cross the wall."""

    code: str
    region_id: int
    township_id: int
    ids: dict[str, int] = field(default_factory=dict)
    people: dict[str, Viewer] = field(default_factory=dict)
    marks: tuple[str, ...] = ()


def build_district(code: str, mark: str) -> District:
    """A district with an enterprise that has everything, and one user of every role who may see it."""
    region = county(code)
    township = db.session.scalar(
        select(Region).where(Region.parent_id == region.id, Region.level == TOWNSHIP).order_by(Region.id)
    )
    made = District(code, region.id, township.id, marks=(mark,))
    ids = made.ids
    ids |= _places(region.id, mark)
    for role in ROLES:
        where: dict[str, Any] = {"unit_id": ids["unit"]} if role == "unit" else {}
        if role == "park":
            where = {"park_id": ids["park"]}
        place = township if role == "township" else county(code)
        made.people[role] = make_user(f"{role}-{code}", role, name=f"{mark}{role}", region=place, **where)
    manager = made.people["case_manager"]
    ids["user"] = manager.user_id
    ids["enterprise"] = make_enterprise(
        f"{mark}食品有限责任公司",
        region=county(code),
        titles=[("hnte", date(2024, 11, 28), date(2027, 11, 27))],
        township=made.township_id,
        park=ids["park"],
        manager=manager.user_id,
        contact_name=f"{mark}联系人",
        contact_phone="13800000000",
    )
    ids |= _hanging_on(ids["enterprise"], made, mark)
    ids |= _machinery(made, mark)
    ids |= _daily_work(made, mark)
    for noun in ("qualification", "grant", "affiliation"):
        table = Base.metadata.tables[noun]
        own = table.c.user_id == manager.user_id if noun == "grant" else table.c.enterprise_id == ids["enterprise"]
        ids[noun] = db.session.scalar(select(table.c.id).where(own).order_by(table.c.id))
    ids["change_set"] = db.session.scalar(
        select(ChangeSet.id).where(ChangeSet.region_id == region.id).order_by(ChangeSet.id.desc())
    )
    ids["obligation"] = db.session.scalar(select(Obligation.id).where(Obligation.enterprise_id == ids["enterprise"]))
    db.session.rollback()
    return made


def _places(region_id: int, mark: str) -> dict[str, int]:
    """A unit, a park, a carrier, a word, a window and a setting of the district."""
    creates = [
        Create("unit", {"region_id": region_id, "name": f"{mark}部门", "owns_kinds": ["srdi"]}, "unit"),
        Create("park", {"region_id": region_id, "name": f"{mark}园区"}, "park"),
        Create("carrier", {"region_id": region_id, "name": f"{mark}载体", "kind": "incubator"}, "carrier"),
        Create(
            "dictionary_entry",
            {
                "region_id": region_id,
                "dictionary": "featured_industry",
                "code": "walled",
                "label": f"{mark}产业",
                "position": 99,
            },
            "dictionary_entry",
        ),
        Create(
            "window",
            {
                "region_id": region_id,
                "kind": "srdi",
                "year": 2026,
                "batch": f"{mark}批",
                "opens_on": date(2026, 3, 1),
                "status": "closed",
                "source": "测试",
            },
            "window",
        ),
        Create("setting", {"region_id": region_id, "key": "office_name", "value": f"{mark}局"}, "setting"),
    ]
    with unit_of_work():
        written = write(creates, act=act(), action="test", region_id=region_id)
    return {str(key): value for key, value in written.ids.items() if isinstance(key, str)}


def _hanging_on(enterprise_id: int, made: District, mark: str) -> dict[str, int]:
    """Everything that hangs on an enterprise, one of each."""
    on = {"enterprise_id": enterprise_id}
    author = made.people["case_manager"].user_id
    creates = [
        Create(
            "figures", {**on, "year": 2025, "revenue": Decimal("1234567.00"), "source_note": f"{mark}来源"}, "figures"
        ),
        Create("intellectual_property", {**on, "name": f"{mark}专利", "kind": "invention"}, "intellectual_property"),
        Create(
            "pool_membership",
            {**on, "year": 2026, "pool_class": "key", "proposed_on": date(2026, 3, 1)},
            "pool_membership",
        ),
        Create("application", {**on, "kind": "srdi", "year": 2026, "stage": "reserve"}, "application"),
        Create(
            "assessment",
            {
                **on,
                "rules": "tech_sme",
                "rules_version": "1",
                "on": TODAY,
                "result": "unknown",
                "report": {"criteria": []},
                "rules_text": "",
            },
            "assessment",
        ),
        Create(
            "obligation_outcome",
            {**on, "kind": "hnte_annual_report", "period": "2025", "outcome": "done", "on": TODAY},
            "obligation_outcome",
        ),
        Create(
            "enterprise_alias",
            {**on, "kind": "former_name", "value": f"{mark}旧名", "value_key": f"{mark}旧名"},
            "enterprise_alias",
        ),
        Create(
            "service_log",
            {
                "region_id": made.region_id,
                "author_id": author,
                "happened_on": TODAY - timedelta(days=3),
                "kind": "visit",
                "text": f"{mark}走访记录",
                "next_step": f"{mark}下一步",
                "next_step_on": TODAY + timedelta(days=9),
            },
            "service_log",
        ),
        Create("service_log_enterprise", {**on, "service_log_id": Ref("service_log")}, "service_log_enterprise"),
    ]
    with unit_of_work():
        written = write(creates, act=act(), action="test", region_id=made.region_id)
    return {str(key): value for key, value in written.ids.items() if isinstance(key, str)}


def _machinery(made: District, mark: str) -> dict[str, int]:
    """A stored file, an import batch with a row, a job and a message of the district."""
    owner = made.people["case_manager"].user_id
    kept = file_store.keep(f"企业名称,统一社会信用代码\n{mark}食品有限责任公司,\n".encode())
    with unit_of_work() as work:
        stored = file_store.record(
            kept, name=f"{mark}名单.csv", purpose="import", at=NOW, region_id=made.region_id, owner_id=owner
        )
        batch = ImportBatch(
            region_id=made.region_id,
            user_id=owner,
            who=mark,
            stored_file_id=stored.id,
            file_name=f"{mark}名单.csv",
            profile="generic",
            effective_on=TODAY,
            state="preview",
            summary=SUMMARY,
            created_at=NOW,
        )
        job = Job(
            kind="recompute",
            payload={"mark": mark},
            state="queued",
            region_id=made.region_id,
            user_id=owner,
            created_at=NOW,
        )
        message = Message(
            user_id=owner,
            channel="mail",
            kind="digest",
            period="2026-W47",
            recipient=f"{made.code}@example.org",
            subject=f"{mark}周报",
            text=f"{mark}周报正文",
            html=f"<p>{mark}周报正文</p>",
            message_id=f"<{made.code}@example.org>",
            state="uncertain",
            queued_at=NOW,
            state_at=NOW,
        )
        work.add_all([batch, job, message])
        work.flush()
        row = ImportRow(
            batch_id=batch.id,
            sheet="表",
            noun="enterprise",
            row=2,
            outcome="new",
            name=f"{mark}食品有限责任公司",
            problems=[],
        )
        work.add(row)
        work.flush()
        return {
            "stored_file": stored.id,
            "import_batch": batch.id,
            "import_row": row.id,
            "job": job.id,
            "message": message.id,
        }


def _paper(made: District, mark: str) -> int:
    """A file that a page can show."""
    kept = file_store.keep(f"%PDF-1.4 {mark}".encode())
    with unit_of_work():
        owner = made.people["case_manager"].user_id
        return file_store.record(
            kept, name=f"{mark}.pdf", purpose="attachment", at=NOW, region_id=made.region_id, owner_id=owner
        ).id


def _daily_work(made: District, mark: str) -> dict[str, int]:
    """One of each of what people make in a day: plans, requests, comments, collections, reviews …"""
    ids = made.ids
    region = {"region_id": made.region_id}
    on = {"enterprise_id": ids["enterprise"]}
    owner = made.people["case_manager"].user_id
    applied = {**on, "application_id": ids["application"]}
    creates = [
        Create("relation", {**on, "kind": "parent", "other_name": f"{mark}母公司"}, "relation"),
        Create(
            "attachment",
            {
                **on,
                **region,
                "stored_file_id": _paper(made, mark),
                "noun": "enterprise",
                "record_id": ids["enterprise"],
                "title": f"{mark}附件",
            },
            "attachment",
        ),
        Create(
            "comment",
            {
                **on,
                **region,
                "noun": "enterprise",
                "record_id": ids["enterprise"],
                "author_id": owner,
                "author_name": mark,
                "written_at": NOW,
                "text": f"{mark}批注",
            },
            "comment",
        ),
        Create(
            "request",
            {**on, **region, "raised_on": TODAY, "category": "funding", "text": f"{mark}诉求", "unit_id": ids["unit"]},
            "request",
        ),
        Create("visit_plan", {**region, "user_id": owner, "year": 2026, "quarter": 4}, "visit_plan"),
        Create("visit_plan_enterprise", {**on, "visit_plan_id": Ref("visit_plan")}, "visit_plan_enterprise"),
        Create("collection", {**region, "owner_id": owner, "title": f"{mark}采集", "year": 2025}, "collection"),
        Create(
            "collection_enterprise",
            {**on, "collection_id": Ref("collection"), "questions": ["figures.2025.rd_expense"]},
            "collection_enterprise",
        ),
        Create("pool_selection", {**region, "year": 2026, "title": f"{mark}遴选"}, "pool_selection"),
        Create(
            "submission",
            {**region, "kind": "hnte", "year": 2026, "submitted_on": TODAY, "note": f"{mark}报送"},
            "submission",
        ),
        Create("submission_application", {**applied, "submission_id": Ref("submission")}, "submission_application"),
        Create(
            "submission_file",
            {"submission_id": Ref("submission"), "stored_file_id": ids["stored_file"], "title": f"{mark}推荐名单"},
            "submission_file",
        ),
        Create(
            "application_step",
            {**applied, "to_stage": "reserve", "kind": "forward", "happened_on": TODAY, "who": mark},
            "application_step",
        ),
        Create("application_material", {**applied, "item": "licence", "state": "present"}, "application_material"),
        Create("application_review", {**applied, "opinion": f"{mark}初审意见"}, "application_review"),
        Create(
            "application_objection", {**applied, "raised_on": TODAY, "text": f"{mark}异议"}, "application_objection"
        ),
        Create(
            "absence", {"user_id": owner, "starts_on": TODAY + timedelta(days=60), "reason": f"{mark}进修"}, "absence"
        ),
        Create(
            "saved_view",
            {**region, "owner_id": owner, "page": "enterprises", "name": f"{mark}视图", "query": ""},
            "saved_view",
        ),
        Create("confirmation", {**on, "month": TODAY.replace(day=1), "answer": "same", "note": mark}, "confirmation"),
    ]
    with unit_of_work() as work:
        written = write(creates, act=act(), action="test", region_id=made.region_id)
        notice = Notice(
            user_id=owner,
            kind="comment",
            noun="enterprise",
            record_id=ids["enterprise"],
            enterprise_id=ids["enterprise"],
            text=f"{mark}批注",
            by_name=mark,
            made_at=NOW,
        )
        work.add(notice)
        work.flush()
        return {str(key): value for key, value in written.ids.items() if isinstance(key, str)} | {"notice": notice.id}


def two_districts() -> tuple[District, District]:
    """巫溪县 and, behind the wall, the invented district."""
    return build_district(WUXI, "近山"), build_district(OTHER, "远墙")


def fingerprint(district: District) -> dict[str, Any]:
    """Everything that belongs to a district, so that a touch from outside shows."""
    found: dict[str, Any] = {}
    for noun in sorted(DOMAIN_TABLES):
        table = Base.metadata.tables[noun]
        conditions = []
        if "region_id" in table.c:
            conditions.append(table.c.region_id == district.region_id)
        if "enterprise_id" in table.c:
            conditions.append(table.c.enterprise_id == district.ids["enterprise"])
        if noun in district.ids:
            conditions.append(table.c.id == district.ids[noun])
        for condition in conditions:
            query = select(table.c.id, table.c.version, table.c.deleted).where(condition).order_by(table.c.id)
            found.setdefault(noun, []).append([tuple(row) for row in db.session.execute(query)])
    owner = district.ids["user"]
    found["batch"] = db.session.get(ImportBatch, district.ids["import_batch"]).state
    job = db.session.get(Job, district.ids["job"])
    found["job"] = (job.state, job.cancel_asked)
    found["message"] = db.session.get(Message, district.ids["message"]).state
    found["password"] = db.session.get(Credential, owner).password_hash
    found["sessions"] = len(db.session.scalars(select(UserSession).where(UserSession.user_id == owner)).all())
    db.session.rollback()
    return found
