"""The second factor of a sign-in (TOTP, RFC 6238) and its recovery codes: machine rows, no secret enters a change."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

import pyotp
from sqlalchemy import delete, func, or_, select, update

from crm.actions.accounts import managed_user
from crm.domain.acts import Act
from crm.domain.refusals import Refused
from crm.extensions import db
from crm.store.access_log import note_access
from crm.store.derived_keys import CannotOpen, closed, derived_key, opened
from crm.store.second_factors import RecoveryCode, SecondFactor
from crm.store.settings import setting
from crm.store.users import User, grants_in_force

PURPOSE, CODES_PURPOSE = "second factor", "recovery codes"
# What authenticators take for granted when nothing else is said.
STEP_SECONDS, DIGITS = 30, 6
# A telephone's clock may be half a minute off, and typing takes a while.
STEPS_EITHER_SIDE = 1
RECOVERY_CODES = 10
# Without 0 O 1 l I, as passwords that are handed over: it is copied from paper once.
_READABLE = "abcdefghijkmnpqrstuvwxyz23456789"
# Who must have a second factor where the region asks for it.
REQUIRED_OF = ("admin", "bureau")
ISSUER = "企业梯次培育"


@dataclass(frozen=True)
class Accepted:
    """How somebody proved it: with the authenticator, or with a recovery code of which so many are left."""

    recovery: bool
    left: int = 0


def is_on(user_id: int) -> bool:
    """Whether signing in as this user asks for a code."""
    factor = db.session.get(SecondFactor, user_id)
    return factor is not None and factor.confirmed_at is not None


def codes_left(user_id: int) -> int:
    """How many recovery codes were not used yet."""
    unused = select(func.count()).select_from(RecoveryCode).where(_unused(user_id))
    return db.session.scalar(unused) or 0


def must_have(user: User, on: date) -> bool:
    """Whether the region of one of the user's grants asks administrators and the office for a second factor."""
    grants = grants_in_force(user.id, on)
    return any(setting("second_factor_required", one.region_id) for one in grants if one.role in REQUIRED_OF)


def begin(user_id: int, *, act: Act) -> str:
    """A new secret for an authenticator, kept encrypted; it counts once a code of it was typed back.

    Asked again before that, the same secret comes back, so that a reloaded page fits the picture already scanned.
    Raises Refused where a second factor counts already.
    """
    factor = db.session.get(SecondFactor, user_id)
    if factor is not None and factor.confirmed_at is not None:
        raise Refused("两步验证已经开着。要换手机，先关掉再开。")
    if factor is not None:
        try:
            return opened(factor.secret, PURPOSE)
        except CannotOpen:
            db.session.delete(factor)
            db.session.flush()
    secret = pyotp.random_base32()
    db.session.add(SecondFactor(user_id=user_id, secret=closed(secret, PURPOSE), made_at=act.recorded_at))
    db.session.flush()
    return secret


def address_of(secret: str, login: str) -> str:
    """What the picture says to an authenticator: otpauth://totp/…"""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def confirm(user_id: int, code: str, *, act: Act) -> list[str]:
    """Let the second factor count from now on; answers the recovery codes, which nobody sees again.

    Raises Refused when the code is not the one the authenticator shows.
    """
    factor = db.session.get(SecondFactor, user_id)
    if factor is None or factor.confirmed_at is not None:
        raise Refused("这一步已经做过，或页面放得太久。刷新页面再看。")
    step = _step_of(factor, code, act.recorded_at)
    if step is None:
        raise Refused("这六位数不对。看手机上现在的数，再填一次；总不对就校准手机的时间。", field="code")
    factor.confirmed_at, factor.last_step = act.recorded_at, step
    codes = _new_codes(user_id)
    note_access(act, "second_factor_on", subject=f"user {user_id}")
    return codes


def renew_codes(user_id: int, *, act: Act) -> list[str]:
    """New recovery codes in place of the old ones. Raises Refused without a second factor."""
    if not is_on(user_id):
        raise Refused("还没有开两步验证。")
    codes = _new_codes(user_id)
    note_access(act, "recovery_codes", subject=f"user {user_id}")
    return codes


def accept(user_id: int, code: str, *, now: datetime) -> Accepted | None:
    """Whether a code is good for this user now, and then never again; needs a unit of work.

    Two requests with the same code at the same instant: one of them wins, by compare-and-set.
    """
    typed = "".join(code.split()).lower().replace("-", "")
    factor = db.session.get(SecondFactor, user_id)
    if factor is None or factor.confirmed_at is None:
        return None
    if typed.isascii() and typed.isdigit() and len(typed) == DIGITS:
        step = _step_of(factor, typed, now)
        if step is None:
            return None
        taken = update(SecondFactor).where(
            SecondFactor.user_id == user_id, or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < step)
        )
        done = db.session.execute(taken.values(last_step=step).execution_options(synchronize_session=False))
        return Accepted(recovery=False) if done.rowcount == 1 else None
    used = update(RecoveryCode).where(_unused(user_id), RecoveryCode.code_hash == _hash(user_id, typed))
    done = db.session.execute(used.values(used_at=now).execution_options(synchronize_session=False))
    return Accepted(recovery=True, left=codes_left(user_id)) if done.rowcount == 1 else None


def remove(user_id: int, *, act: Act) -> None:
    """Take a second factor off: the own one, or that of a user one manages (a lost telephone).

    Raises NotFound, NotAllowed; Refused where the region asks for it and it is the own one.
    """
    if user_id != act.viewer.user_id:
        managed_user(user_id, act.viewer, "关掉两步验证")
    else:
        user = db.session.get(User, user_id)
        if user is not None and must_have(user, act.effective_on):
            raise Refused(
                "本区要求系统管理员和业务科室开着两步验证，不能自己关。换手机就找另一名系统管理员关掉，再重新开。"
            )
    if db.session.get(SecondFactor, user_id) is None:
        raise Refused("没有开两步验证，不用关。")
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    db.session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    note_access(act, "second_factor_off", subject=f"user {user_id}")


def _step_of(factor: SecondFactor, code: str, now: datetime) -> int | None:
    """The time step of which this is the code, of the few that are near; None when it is of none."""
    typed = "".join(code.split())
    try:
        totp = pyotp.TOTP(opened(factor.secret, PURPOSE))
    except CannotOpen:
        return None
    here = int(now.timestamp()) // STEP_SECONDS
    for step in range(here - STEPS_EITHER_SIDE, here + STEPS_EITHER_SIDE + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), typed.encode()):
            return step
    return None


def _new_codes(user_id: int) -> list[str]:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [
        "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(3)) for _ in range(RECOVERY_CODES)
    ]
    db.session.add_all(RecoveryCode(user_id=user_id, code_hash=_hash(user_id, code.replace("-", ""))) for code in codes)
    db.session.flush()
    return codes


def _hash(user_id: int, code: str) -> str:
    """Keyed, so that a copied database cannot be searched for codes; they are random and need no slow hash."""
    return hmac.new(derived_key(CODES_PURPOSE), f"{user_id}:{code}".encode(), sha256).hexdigest()


def _unused(user_id: int):
    return (RecoveryCode.user_id == user_id) & RecoveryCode.used_at.is_(None)
