"""Who may give whom an account, a role, a password; and what ends a session."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from crm.actions.accounts import (
    GrantWish,
    add_user,
    edit_own_account,
    edit_user,
    end_grant,
    generated_password,
    grant,
    may_manage,
    password_problem,
    set_password,
    supervisors_for,
)
from crm.actions.changes import undo
from crm.domain.refusals import Conflict, InvalidInput, NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.store.access_log import AccessLog
from crm.store.changes import Change, ChangeSet
from crm.store.passwords import hash_password, password_matches
from crm.store.regions import region_by_code
from crm.store.sessions import UserSession
from crm.store.unit_of_work import unit_of_work
from crm.store.units import Unit
from crm.store.users import Credential, Grant, User, grants_in_force, viewer_of
from tests.builders import NOW, OTHER, TODAY, act, county, make_user, township

HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA"


def new_user(viewer, login="xianghe", **values):
    wanted = {"login": login, "name": "向禾", "region_id": county().id, **values}
    with unit_of_work():
        return add_user(wanted, password_hash=HASH, act=act(viewer)).ids["user"]


def signed_in(user_id: int) -> int:
    return db.session.scalar(select(func.count()).select_from(UserSession).where(UserSession.user_id == user_id))


def open_session(user_id: int) -> None:
    with unit_of_work() as work:
        work.add(UserSession(key_hash=f"{user_id:064d}", user_id=user_id, created_at=NOW, seen_at=NOW))


def test_a_user_is_entered_with_a_grant_and_without_a_secret_in_the_history(app):
    boss = make_user("boss", "admin")
    with unit_of_work():
        written = add_user(
            {"login": " Xiang.He ", "name": "向禾", "email": "xh@example.org", "region_id": county().id},
            password_hash=HASH,
            first_grant=GrantWish("township", region_id=township().id),
            act=act(boss),
        )

    user_id = written.ids["user"]
    fields = [
        change.fields
        for change in db.session.scalars(
            select(Change).where(Change.change_set_id == written.change_set_id).order_by(Change.id)
        )
    ]
    viewer = viewer_of(db.session.get(User, user_id), TODAY)
    assert db.session.get(User, user_id).login == "xiang.he"
    assert db.session.get(Credential, user_id).password_hash == HASH
    assert [(g.role, g.region_ids) for g in viewer.grants] == [("township", frozenset({township().id}))]
    assert HASH not in repr(fields)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"login": "x"}, "login"),
        ({"login": "Li Na"}, "login"),
        ({"login": "李娜"}, "login"),
        ({"login": "boss"}, "login"),
        ({"login": "BOSS"}, "login"),
        ({"name": ""}, "name"),
        ({"name": "长" * 41}, "name"),
        ({"email": "no-address"}, "email"),
        ({"email": "a@b\nBcc: c@d.e"}, "email"),
        ({"email": "张三@kjj.example"}, "email"),
        ({"email": "zhang@科技局.example"}, "email"),
        ({"email": "li,na@kjj.example"}, "email"),
        ({"region_id": None}, "region_id"),
    ],
    ids=[
        "short",
        "a space",
        "Chinese",
        "taken",
        "taken in capitals",
        "no name",
        "a long name",
        "no mail",
        "a header",
        "a Chinese name in the mail",
        "a Chinese domain",
        "two addresses in one",
        "no region",
    ],
)
def test_an_account_that_cannot_be_is_refused_beside_its_field(sqlite_app, values, field):
    boss = make_user("boss", "admin")
    wanted = {"login": "xianghe", "name": "向禾", "region_id": county().id, **values}

    with pytest.raises(InvalidInput) as refusal, unit_of_work():
        add_user(wanted, password_hash=HASH, act=act(boss))

    assert set(refusal.value.problems) == {field}
    assert db.session.scalar(select(func.count()).select_from(User)) == 1


@pytest.mark.parametrize("role", ["bureau", "leader", "case_manager", "township"])
def test_only_an_administrator_gives_accounts(sqlite_app, role):
    place = township() if role == "township" else county()
    viewer = make_user("somebody", role, region=place)

    with pytest.raises(NotAllowed):
        new_user(viewer)


def test_an_administrator_gives_no_account_in_another_district(app):
    boss = make_user("boss", "admin")

    with pytest.raises(NotAllowed):
        new_user(boss, region_id=county(OTHER).id)


def test_an_administrator_gives_no_grant_over_another_district_or_the_city(app):
    boss = make_user("boss", "admin")
    user_id = new_user(boss)

    for region in (county(OTHER), region_by_code("500000")):
        with pytest.raises(NotAllowed), unit_of_work():
            grant(user_id, GrantWish("leader", region_id=region.id), act=act(boss))

    assert grants_in_force(user_id, TODAY) == []


def test_a_user_of_another_district_is_not_there(app):
    boss = make_user("boss", "admin")
    foreign = make_user("fremd", "leader", region=county(OTHER)).user_id

    with pytest.raises(NotFound), unit_of_work():
        set_password(foreign, HASH, act=act(boss))
    with pytest.raises(NotFound), unit_of_work():
        edit_user(foreign, {"active": False}, version=1, act=act(boss))
    with pytest.raises(NotFound), unit_of_work():
        grant(foreign, GrantWish("leader", region_id=county().id), act=act(boss))


def test_whoever_has_grants_above_is_not_managed_from_below(app):
    """Resetting such a password would hand the wider grant to a county's administrator."""
    boss = make_user("boss", "admin")
    user_id = new_user(boss)
    with unit_of_work():
        grant(user_id, GrantWish("bureau", region_id=region_by_code("500000").id), act=act())

    with pytest.raises(NotAllowed), unit_of_work():
        set_password(user_id, HASH, act=act(boss))

    assert may_manage(db.session.get(User, user_id), boss) is False


def test_a_password_change_ends_every_session_and_is_noted_without_the_secret(app):
    boss = make_user("boss", "admin")
    user_id = new_user(boss)
    open_session(user_id)
    changes = db.session.scalar(select(func.count()).select_from(ChangeSet))
    new_hash = hash_password("ein-neues-Wort-9")

    with unit_of_work():
        set_password(user_id, new_hash, act=act(boss))

    note = db.session.scalars(select(AccessLog).order_by(AccessLog.id.desc())).first()
    assert signed_in(user_id) == 0
    assert password_matches(db.session.get(Credential, user_id).password_hash, "ein-neues-Wort-9")
    assert (note.what, note.who, note.subject) == ("set_password", "boss", f"user {user_id}")
    assert db.session.scalar(select(func.count()).select_from(ChangeSet)) == changes


def test_one_sets_the_own_password_without_being_administrator(sqlite_app):
    viewer = make_user("lina", "leader")

    with unit_of_work():
        set_password(viewer.user_id, HASH, act=act(viewer))

    assert db.session.get(Credential, viewer.user_id).password_hash == HASH


def test_a_grant_counts_from_its_first_to_its_last_day(app):
    boss = make_user("boss", "admin")
    user_id = new_user(boss)
    wish = GrantWish("bureau", region_id=county().id, valid_from=date(2026, 12, 1), valid_to=date(2026, 12, 31))
    with unit_of_work():
        grant(user_id, wish, act=act(boss))

    held = [day for day in (30, 31, 61, 62) if grants_in_force(user_id, date(2026, 11, 1) + timedelta(days=day - 1))]

    assert [date(2026, 11, 1) + timedelta(days=day - 1) for day in held] == [date(2026, 12, 1), date(2026, 12, 31)]


def test_ending_a_grant_dates_it_and_signs_the_user_out(app):
    boss = make_user("boss", "admin")
    user_id = new_user(boss)
    with unit_of_work():
        grant_id = grant(user_id, GrantWish("bureau", region_id=county().id), act=act(boss)).ids["grant"]
    open_session(user_id)

    with unit_of_work():
        end_grant(grant_id, ends_on=TODAY, version=1, act=act(boss))

    assert [g.id for g in grants_in_force(user_id, TODAY)] == [grant_id]
    assert grants_in_force(user_id, TODAY + timedelta(days=1)) == []
    assert signed_in(user_id) == 0
    assert db.session.get(Grant, grant_id).deleted is False


def test_a_grant_somebody_else_just_changed_is_a_conflict(sqlite_app):
    boss = make_user("boss", "admin")
    user_id = new_user(boss)
    with unit_of_work():
        grant_id = grant(user_id, GrantWish("bureau", region_id=county().id), act=act(boss)).ids["grant"]
    with unit_of_work():
        end_grant(grant_id, ends_on=TODAY, version=1, act=act(boss))

    with pytest.raises(Conflict), unit_of_work():
        end_grant(grant_id, ends_on=TODAY + timedelta(days=9), version=1, act=act(boss))


@pytest.mark.parametrize(
    "wish",
    [
        lambda: GrantWish("township", region_id=county().id),
        lambda: GrantWish("bureau", region_id=township().id),
        lambda: GrantWish("bureau"),
        lambda: GrantWish("unit", region_id=county().id),
        lambda: GrantWish("park", region_id=county().id),
        lambda: GrantWish("king", region_id=county().id),
        lambda: GrantWish("leader", region_id=county().id, valid_from=TODAY, valid_to=TODAY - timedelta(days=1)),
    ],
    ids=["township of a county", "bureau of a township", "nowhere", "no unit", "no park", "no such role", "ends first"],
)
def test_a_grant_that_fits_no_place_is_refused(sqlite_app, wish):
    boss = make_user("boss", "admin")
    user_id = new_user(boss)

    with pytest.raises(InvalidInput), unit_of_work():
        grant(user_id, wish(), act=act(boss))


def test_a_liaison_is_bound_to_a_unit_of_the_region(sqlite_app):
    boss = make_user("boss", "admin")
    user_id = new_user(boss)
    unit = db.session.scalar(select(Unit).where(Unit.region_id == county().id).limit(1))
    unit_id, region_id = unit.id, unit.region_id

    with unit_of_work():
        grant(user_id, GrantWish("unit", unit_id=unit_id), act=act(boss))

    row = grants_in_force(user_id, TODAY)[0]
    assert (row.unit_id, row.region_id) == (unit_id, region_id)


def test_a_deactivated_user_is_signed_out(app):
    boss = make_user("boss", "admin")
    user_id = new_user(boss)
    open_session(user_id)

    with unit_of_work():
        edit_user(user_id, {"active": False}, version=1, act=act(boss))

    assert db.session.get(User, user_id).is_active is False
    assert signed_in(user_id) == 0


def test_an_administrator_does_not_lock_the_own_door(sqlite_app):
    boss = make_user("boss", "admin")
    own = grants_in_force(boss.user_id, TODAY)[0].id

    with pytest.raises(Refused), unit_of_work():
        edit_user(boss.user_id, {"active": False}, version=1, act=act(boss))
    with pytest.raises(Refused), unit_of_work():
        end_grant(own, ends_on=TODAY, version=1, act=act(boss))


def test_one_changes_the_own_name_and_nothing_else_of_the_account(sqlite_app):
    viewer = make_user("lina", "leader")

    with unit_of_work():
        edit_own_account(
            {"name": "李娜", "email": "", "active": False, "region_id": None, "login": "root"},
            version=1,
            act=act(viewer),
        )

    row = db.session.get(User, viewer.user_id)
    assert (row.name, row.email, row.active, row.login) == ("李娜", None, True, "lina")
    assert row.region_id == county().id


@pytest.mark.parametrize(
    ("password", "fine"),
    [
        ("1234567", False),
        ("12345678", True),
        ("xianghe1", False),
        ("XiangHe1", False),
        ("aaaaaaaa", False),
        ("八个汉字也是密码", True),
    ],
)
def test_a_password_has_eight_characters_and_is_not_the_login(password, fine):
    assert (password_problem("xianghe1", password) is None) is fine


def test_a_generated_password_would_be_accepted_and_never_repeats():
    made = {generated_password() for _ in range(50)}

    assert len(made) == 50
    assert {password_problem("x", one) for one in made} == {None}


def test_the_office_cannot_give_a_grant_back_by_undoing_its_end(app):
    boss, clerk = make_user("boss", "admin"), make_user("clerk", "bureau")
    user_id = new_user(boss)
    with unit_of_work():
        grant_id = grant(user_id, GrantWish("admin", region_id=county().id), act=act(boss)).ids["grant"]
    with unit_of_work():
        ended = end_grant(grant_id, ends_on=TODAY - timedelta(days=1), version=1, act=act(boss))

    with pytest.raises(NotAllowed), unit_of_work():
        undo(ended.change_set_id, act=act(clerk))
    with unit_of_work():
        undo(ended.change_set_id, act=act(boss))

    assert [g.id for g in grants_in_force(user_id, TODAY)] == [grant_id]


def test_who_is_no_administrator_any_more_cannot_undo_the_own_demotion(app):
    """The change set is one's own only when one made it; even then the right must still be there."""
    boss = make_user("boss", "admin")
    user_id = new_user(boss)
    with unit_of_work():
        given = grant(user_id, GrantWish("bureau", region_id=county().id), act=act(boss))
    demoted = replace(boss, grants=tuple(replace(g, role="bureau") for g in boss.grants))

    with pytest.raises(NotAllowed), unit_of_work():
        undo(given.change_set_id, act=act(demoted))


def test_one_takes_the_own_change_of_name_back(app):
    viewer = make_user("lina", "leader", name="李娜")
    with unit_of_work():
        written = edit_own_account({"name": "李那"}, version=1, act=act(viewer))

    with unit_of_work():
        undo(written.change_set_id, act=act(viewer))

    assert db.session.get(User, viewer.user_id).name == "李娜"


def test_nobody_stands_over_the_own_supervisor(app):
    office = make_user("admin1", "admin", name="管理员")
    head, hand = make_user("head", "bureau", name="科长"), make_user("hand", "case_manager", name="专员")
    with unit_of_work():
        edit_user(hand.user_id, {"supervisor_id": head.user_id}, version=1, act=act(office))

    for user, supervisor, said in (
        (head, hand, "专员的主管就是科长"),
        (head, head, "本人不能是自己的主管"),
        (head, make_user("far", "leader", name="外区领导", region=county(OTHER)), "没有这名在用的用户"),
    ):
        with pytest.raises(InvalidInput, match=said), unit_of_work():
            edit_user(user.user_id, {"supervisor_id": supervisor.user_id}, version=1, act=act(office))
    assert [one.name for one in supervisors_for(head.user_id, office)] == ["管理员"]
