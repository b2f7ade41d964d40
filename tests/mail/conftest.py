"""A real SMTP server on the loopback, and the tests' Monday."""

import ssl

import pytest
import time_machine
import trustme

from tests.builders import NOW
from tests.mail.server import Server


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


@pytest.fixture
def smtp():
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The certificate authority of an intranet, which only those trust who were told of it."""
    return trustme.CA()


@pytest.fixture
def trusted(authority, tmp_path, monkeypatch) -> None:
    """This machine trusts that authority, as an operator makes it: by the file OpenSSL is pointed at."""
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def certified(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """What a server shows that has a certificate of the authority for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context
