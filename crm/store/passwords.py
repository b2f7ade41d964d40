"""Password hashes: argon2, made and checked outside any unit of work."""

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

# RFC 9106's low-memory choice: 19 MiB keeps two web workers inside the memory goal and a check near 50 ms.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# Checked when there is no such user, so that the answer takes as long.
_NOBODY = _HASHER.hash("nobody has this password")

MIN_LENGTH = 8


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one behind the hash; takes its time also when there is no hash."""
    try:
        return _HASHER.verify(password_hash or _NOBODY, password) and password_hash is not None
    except (Argon2Error, InvalidHashError):
        return False
