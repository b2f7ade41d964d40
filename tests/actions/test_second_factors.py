"""Two-step verification: a code counts once, a secret is closed in the database, recovery codes are used up."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select

from crm.actions import second_factors
from crm.actions.settings import change_settings
from crm.domain.refusals import NotAllowed, NotFound, Refused
from crm.extensions import db
from crm.store.access_log import AccessLog
from crm.store.changes import Change
from crm.store.second_factors import RecoveryCode, SecondFactor
from crm.store.unit_of_work import unit_of_work
from crm.store.users import User
from tests.builders import NOW, OTHER, TODAY, act, county, make_user


def code_at(secret: str, moment=NOW) -> str:
    return pyotp.TOTP(secret).at(moment)


def switched_on(viewer) -> tuple[str, list[str]]:
    """A person's second factor, confirmed a minute ago; the secret and the recovery codes."""
    with unit_of_work():
        secret = second_factors.begin(viewer.user_id, act=act(viewer))
    earlier = NOW - timedelta(minutes=1)
    with unit_of_work():
        codes = second_factors.confirm(viewer.user_id, code_at(secret, earlier), act=act(viewer, now=earlier))
    return secret, codes


def accepted(viewer, code: str, moment=NOW):
    with unit_of_work():
        return second_factors.accept(viewer.user_id, code, now=moment)


def test_it_counts_only_once_a_code_was_typed_back(app):
    person = make_user("xianghe", "case_manager")
    with unit_of_work():
        secret = second_factors.begin(person.user_id, act=act(person))
    before = second_factors.is_on(person.user_id)

    with pytest.raises(Refused), unit_of_work():
        second_factors.confirm(person.user_id, "000000", act=act(person))
    with unit_of_work():
        again = second_factors.begin(person.user_id, act=act(person))
        second_factors.confirm(person.user_id, code_at(secret), act=act(person))

    assert (before, again, second_factors.is_on(person.user_id)) == (False, secret, True)


def test_no_code_is_accepted_twice_nor_an_older_one_after_it(app):
    person = make_user("xianghe", "case_manager")
    secret, _ = switched_on(person)
    code, older = code_at(secret), code_at(secret, NOW - timedelta(seconds=30))

    answers = [accepted(person, code) is not None, accepted(person, code), accepted(person, older)]

    assert answers == [True, None, None]


def test_the_code_that_confirmed_it_signs_nobody_in(app):
    person = make_user("xianghe", "case_manager")
    with unit_of_work():
        secret = second_factors.begin(person.user_id, act=act(person))
        second_factors.confirm(person.user_id, code_at(secret), act=act(person))

    assert accepted(person, code_at(secret)) is None


@pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_a_clock_may_be_half_a_minute_off(sqlite_app, seconds, good):
    person = make_user("xianghe", "case_manager")
    secret, _ = switched_on(person)
    now = NOW + timedelta(minutes=5)

    assert (accepted(person, code_at(secret, now + timedelta(seconds=seconds)), now) is not None) is good


def test_a_recovery_code_counts_once_however_it_is_written(app):
    person = make_user("xianghe", "case_manager")
    _, codes = switched_on(person)

    first = accepted(person, f" {codes[0].replace('-', ' ').upper()} ")
    second = accepted(person, codes[0])

    assert (first.recovery, first.left, second) == (True, 9, None)


def test_neither_secret_nor_codes_stand_in_the_database(app):
    person = make_user("xianghe", "case_manager")
    secret, codes = switched_on(person)

    kept = db.session.scalar(select(SecondFactor.secret))
    hashes = db.session.scalars(select(RecoveryCode.code_hash)).all()

    assert secret not in kept
    assert not any(code in kept or code.replace("-", "") in hashes for code in codes)
    assert db.session.scalar(select(Change.id).where(Change.noun == "second_factor")) is None


def test_with_another_secret_key_no_code_fits_and_nothing_breaks(app):
    person = make_user("xianghe", "case_manager")
    secret, codes = switched_on(person)
    app.config["SECRET_KEY"] = "another key of this installation, long enough"

    assert (accepted(person, code_at(secret)), accepted(person, codes[0])) == (None, None)


def test_an_admin_takes_it_off_for_the_own_people_only_and_it_is_on_record(app):
    person = make_user("xianghe", "case_manager")
    admin, far = make_user("admin1", "admin"), make_user("far", "admin", region=county(OTHER))
    bureau = make_user("tanyue", "bureau")
    switched_on(person)

    for stranger, error in ((far, NotFound), (bureau, NotAllowed)):
        with pytest.raises(error), unit_of_work():
            second_factors.remove(person.user_id, act=act(stranger))
    with unit_of_work():
        second_factors.remove(person.user_id, act=act(admin))

    assert not second_factors.is_on(person.user_id)
    assert second_factors.codes_left(person.user_id) == 0
    last = db.session.scalar(select(AccessLog).order_by(AccessLog.id.desc()))
    assert (last.what, last.user_id, last.subject) == ("second_factor_off", admin.user_id, f"user {person.user_id}")


def test_where_the_region_asks_for_it_the_office_cannot_take_the_own_off(app):
    bureau, manager = make_user("tanyue", "bureau"), make_user("xianghe", "case_manager")
    switched_on(bureau)
    with unit_of_work():
        change_settings(county().id, {"second_factor_required": True}, seen={}, act=act())

    with pytest.raises(Refused, match="本区要求"), unit_of_work():
        second_factors.remove(bureau.user_id, act=act(bureau))
    assert second_factors.must_have(db.session.get(User, bureau.user_id), TODAY)
    assert not second_factors.must_have(db.session.get(User, manager.user_id), TODAY)


def test_new_recovery_codes_end_the_old_ones(app):
    person = make_user("xianghe", "case_manager")
    _, old = switched_on(person)
    with unit_of_work():
        new = second_factors.renew_codes(person.user_id, act=act(person))

    assert accepted(person, old[0]) is None
    assert accepted(person, new[0]).left == 9
