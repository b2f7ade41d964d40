"""The one scope function: what each role sees of its own district, and nothing of the other."""

import pytest
from sqlalchemy import func, select

from crm.actions.accounts import GrantWish, grant
from crm.actions.rights import may_record_ip, may_record_title
from crm.actions.settings import change_settings
from crm.domain.fields import FIELDS
from crm.domain.refusals import NotFound
from crm.domain.viewers import CONFIDENTIAL, INTERNAL, PUBLIC, Viewer, the_machine
from crm.extensions import Base, db
from crm.store.changes import ChangeSet
from crm.store.dictionaries import DictionaryEntry
from crm.store.enterprises import Enterprise
from crm.store.figures import Figures
from crm.store.files import StoredFile
from crm.store.imports import ImportBatch
from crm.store.intellectual_property import IntellectualProperty
from crm.store.jobs import Job
from crm.store.messages import Message
from crm.store.obligations import Obligation
from crm.store.parks import Carrier, Park
from crm.store.pool import PoolMembership
from crm.store.qualifications import Qualification
from crm.store.regions import region_by_code
from crm.store.scope import UnscopedStatement, readable, visible, visible_enterprise, visible_record
from crm.store.service_logs import ServiceLog
from crm.store.sessions import Throttle
from crm.store.settings import Setting
from crm.store.standings import Standing
from crm.store.unit_of_work import unit_of_work
from crm.store.units import Unit
from crm.store.users import Grant, User, viewer_of
from crm.store.windows import Window
from tests.builders import TODAY, act, county, make_enterprise, make_unit, make_user, township
from tests.walls import ROLES, two_districts

OF_AN_ENTERPRISE = (Enterprise, Qualification, Figures, IntellectualProperty, PoolMembership, ServiceLog, Obligation)
OF_A_REGION = (Unit, Park, Carrier, DictionaryEntry, Setting)
MACHINERY = (ImportBatch, Job, StoredFile, ChangeSet, Message)
SCOPED = (*OF_AN_ENTERPRISE, *OF_A_REGION, *MACHINERY, Standing, Window, User, Grant)


def ids(model, viewer) -> set[int]:
    key = model.enterprise_id if model is Standing else model.id
    return set(db.session.scalars(visible(select(key), viewer)))


def id_of(district, model) -> int:
    return district.ids["enterprise" if model is Standing else model.__table__.name]


@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_the_other_district_is_seen(app, role):
    own, foreign = two_districts()

    seen = {model.__name__ for model in SCOPED if id_of(foreign, model) in ids(model, own.people[role])}
    back = {model.__name__ for model in SCOPED if id_of(own, model) in ids(model, foreign.people[role])}

    assert seen == set()
    assert back == set()


@pytest.mark.parametrize("role", ROLES)
def test_the_own_enterprise_and_everything_of_it_is_seen(app, role):
    own, _foreign = two_districts()

    unseen = {model.__name__ for model in OF_AN_ENTERPRISE if id_of(own, model) not in ids(model, own.people[role])}

    assert unseen == set()


@pytest.mark.parametrize("role", ROLES)
def test_what_the_machinery_made_is_for_its_maker_and_the_office(app, role):
    own, _foreign = two_districts()

    seen = {model.__name__ for model in MACHINERY if id_of(own, model) in ids(model, own.people[role])}

    # The newest change set of the district was the machine's; the case manager made the others.
    everything = {model.__name__ for model in MACHINERY}
    expected = {"bureau": everything, "admin": everything, "case_manager": everything - {"ChangeSet"}}
    assert seen == expected.get(role, set())


def test_a_township_sees_the_enterprises_assessed_under_it_only(app):
    clerk = make_user("clerk", "township", region=township("凤凰镇"))
    mine = make_enterprise("甲", township=township("凤凰镇").id)
    make_enterprise("乙", township=township("尖山镇").id)
    make_enterprise("丙")

    assert ids(Enterprise, clerk) == {mine}


def test_a_park_sees_the_enterprises_in_it_only(app):
    own, _foreign = two_districts()
    make_enterprise("别处")

    assert ids(Enterprise, own.people["park"]) == {own.ids["enterprise"]}


@pytest.mark.parametrize("colleagues", [True, False])
def test_a_case_manager_sees_colleagues_enterprises_as_the_region_says(app, colleagues):
    first, second = make_user("first", "case_manager"), make_user("second", "case_manager")
    mine = make_enterprise("甲", manager=first.user_id)
    theirs = make_enterprise("乙", manager=second.user_id)
    with unit_of_work():
        change_settings(county().id, {"colleagues_visible": colleagues}, seen={}, act=act())

    viewer = viewer_of(db.session.get(User, first.user_id), TODAY)

    assert ids(Enterprise, viewer) == ({mine, theirs} if colleagues else {mine})


def test_a_grant_of_the_city_opens_every_district_under_it(app):
    own, foreign = two_districts()
    above = make_user("above", "bureau", region=region_by_code("500000"))

    assert {own.ids["enterprise"], foreign.ids["enterprise"]} <= ids(Enterprise, above)
    assert {own.ids["user"], foreign.ids["user"]} <= ids(User, above)


def test_without_a_grant_in_force_nothing_is_seen(app):
    own, _foreign = two_districts()
    nobody = make_user("nobody", "bureau", valid_to=TODAY.replace(year=2020))

    seen = {model.__name__ for model in SCOPED if model not in (User, Grant) and ids(model, nobody)}

    assert seen == {"ChangeSet"} & seen
    assert ids(User, nobody) == {nobody.user_id}
    assert own.ids["enterprise"] not in ids(Enterprise, nobody)


def test_a_foreign_record_and_a_missing_one_read_the_same(app):
    own, foreign = two_districts()
    viewer = own.people["bureau"]
    said = []
    for record_id in (foreign.ids["enterprise"], 999_999):
        with pytest.raises(NotFound) as refusal:
            visible_enterprise(record_id, viewer)
        said.append(refusal.value.message)

    assert said[0] == said[1]
    for model in SCOPED:
        if model is not Standing:
            with pytest.raises(NotFound):
                visible_record(model, id_of(foreign, model), viewer)


def test_withdrawn_records_are_seen_by_nobody(app):
    enterprise_id = make_enterprise()
    with unit_of_work():
        from crm.actions.enterprises import withdraw_enterprise

        withdraw_enterprise(enterprise_id, version=1, act=act())

    assert ids(Enterprise, the_machine("测试")) == set()
    assert ids(Standing, the_machine("测试")) == set()


def test_counts_are_narrowed_like_lists(app):
    own, _foreign = two_districts()

    counted = db.session.scalar(visible(select(func.count()).select_from(Enterprise), own.people["leader"]))

    assert counted == len(ids(Enterprise, own.people["leader"])) == 1


def test_joining_does_not_widen_the_view(app):
    own, foreign = two_districts()
    query = select(Qualification.id).join(Enterprise, Enterprise.id == Qualification.enterprise_id)

    seen = set(db.session.scalars(visible(query, own.people["leader"])))

    assert foreign.ids["qualification"] not in seen
    assert own.ids["qualification"] in seen


def test_a_statement_over_a_table_without_a_rule_is_refused(sqlite_app):
    with pytest.raises(UnscopedStatement):
        visible(select(Throttle.key), make_user("boss", "admin"))


def test_the_machine_sees_both_districts(app):
    own, foreign = two_districts()

    assert {own.ids["enterprise"], foreign.ids["enterprise"]} <= ids(Enterprise, the_machine("测试"))


CLASSES = {
    "case_manager": {PUBLIC, INTERNAL, CONFIDENTIAL},
    "township": {PUBLIC, INTERNAL},
    "park": {PUBLIC, INTERNAL},
    "unit": {PUBLIC},
    "bureau": {PUBLIC, INTERNAL, CONFIDENTIAL},
    "leader": {PUBLIC, INTERNAL, CONFIDENTIAL},
    "admin": {PUBLIC, INTERNAL, CONFIDENTIAL},
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reads_its_classes_of_fields(sqlite_app, role):
    own, _foreign = two_districts()
    viewer = own.people[role]
    _row, standing = visible_enterprise(own.ids["enterprise"], viewer)

    read = {noun: readable(noun, viewer, standing) for noun in ("enterprise", "figures", "service_log")}

    for noun, codes in read.items():
        assert codes == {f.code for f in FIELDS.values() if f.noun == noun and f.cls in CLASSES[role]}


def test_a_colleague_reads_no_confidential_field(sqlite_app):
    own, _foreign = two_districts()
    colleague = make_user("colleague", "case_manager")
    _row, standing = visible_enterprise(own.ids["enterprise"], colleague)

    assert readable("figures", colleague, standing) == frozenset()
    assert "contact_phone" in readable("enterprise", colleague, standing)


def test_every_table_with_a_region_or_an_enterprise_has_a_rule(sqlite_app):
    """A new noun cannot be forgotten: a statement over it is narrowed or refused, never left open."""
    viewer = make_user("nobody", "leader", valid_to=TODAY.replace(year=2020))
    # Its rows are reached through the batch or the change set, which are narrowed.
    through_another = {"import_row", "change"}
    open_tables = []
    for table in Base.metadata.sorted_tables:
        if table.name in through_another or not {"region_id", "enterprise_id"} & set(table.c.keys()):
            continue
        statement = visible(select(table.c[next(iter(table.primary_key)).name]), viewer)
        if "WHERE" not in str(statement):
            open_tables.append(table.name)

    assert open_tables == []


def both_sides(login: str, here: str, there: str, **where_there):
    """One person with a role in the own district and another role in the foreign one."""
    own, foreign = two_districts()
    person = make_user(login, here)
    with unit_of_work():
        where = {"region_id": foreign.region_id} | {name: foreign.ids[noun] for name, noun in where_there.items()}
        grant(person.user_id, GrantWish(there, **where), act=act())
    viewer = viewer_of(db.session.get(User, person.user_id), TODAY)
    standings = [visible_enterprise(d.ids["enterprise"], viewer)[1] for d in (own, foreign)]
    return [viewer.classes_over(standing) for standing in standings]


def test_a_grant_opens_field_classes_in_its_own_district_only(sqlite_app):
    here, there = both_sides("both", "admin", "unit", unit_id="unit")

    assert (here, there) == ({PUBLIC, INTERNAL, CONFIDENTIAL}, {PUBLIC})


def test_a_park_of_another_district_shows_no_figures_to_the_bureau_of_this_one(sqlite_app):
    here, there = both_sides("both", "bureau", "park", park_id="park")

    assert (here, there) == ({PUBLIC, INTERNAL, CONFIDENTIAL}, {PUBLIC, INTERNAL})


def test_a_township_grant_opens_internal_fields_of_its_enterprises_only(sqlite_app):
    own, _foreign = two_districts()
    elsewhere = make_enterprise("乙", township=township("尖山镇").id)
    person = make_user("liaison", "unit")
    with unit_of_work():
        grant(person.user_id, GrantWish("township", region_id=own.township_id), act=act())
    viewer = viewer_of(db.session.get(User, person.user_id), TODAY)

    classes = [viewer.classes_over(visible_enterprise(one, viewer)[1]) for one in (own.ids["enterprise"], elsewhere)]

    assert classes == [{PUBLIC, INTERNAL}, {PUBLIC}]


def test_whoever_left_a_district_no_longer_opens_what_was_made_there(sqlite_app):
    own, foreign = two_districts()
    manager = own.people["case_manager"]
    moved = Viewer(manager.user_id, manager.name, foreign.people["case_manager"].grants)
    made = [model for model in (StoredFile, ImportBatch, Job) if id_of(own, model) in ids(model, manager)]

    assert made == [StoredFile, ImportBatch, Job]
    assert [model for model in made if ids(model, moved)] == []


def test_a_department_keeps_the_titles_and_registers_it_owns_and_no_others(sqlite_app):
    enterprise_id = make_enterprise()
    market = make_user("market", "unit", unit_id=make_unit("市场监管", "intellectual_property"))
    industry = make_user("industry", "unit", unit_id=make_unit("经信", "srdi"))
    standing = visible_enterprise(enterprise_id, market)[1]

    titles = [[may_record_title(who, standing, kind) for kind in ("srdi", "hnte")] for who in (market, industry)]

    assert titles == [[False, False], [True, False]]
    assert [may_record_ip(who, standing) for who in (market, industry)] == [True, False]
