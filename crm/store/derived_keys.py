"""Keys derived from SECRET_KEY, one for each purpose: a copied database alone opens nothing that they closed."""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app


class CannotOpen(ValueError):
    """What was closed with another SECRET_KEY cannot be opened with this one."""


def derived_key(purpose: str) -> bytes:
    """32 bytes for one purpose, the same as long as SECRET_KEY is (RFC 5869)."""
    return _derive(str(current_app.config["SECRET_KEY"]), purpose)


@lru_cache(maxsize=16)
def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"crm: {purpose}".encode()).derive(secret.encode())


def closed(text: str, purpose: str) -> str:
    """A text encrypted and sealed (Fernet)."""
    return Fernet(base64.urlsafe_b64encode(derived_key(purpose))).encrypt(text.encode()).decode()


def opened(token: str, purpose: str) -> str:
    """The text again. Raises CannotOpen."""
    try:
        return Fernet(base64.urlsafe_b64encode(derived_key(purpose))).decrypt(token.encode()).decode()
    except InvalidToken:
        raise CannotOpen(purpose) from None
