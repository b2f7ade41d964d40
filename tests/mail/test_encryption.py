"""Mail through servers that encrypt and ask for a name and a password: what arrives, and what is never sent."""

import pytest

from crm.mail.send import NotSent, send
from tests.mail.conftest import certified
from tests.mail.server import Server
from tests.mail.test_send import outgoing

ACCOUNT = ("kjj@example.org", "p@ss:word/7")
# The server's library knows encryption from the first byte only as "no STARTTLS", and warns.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
# The same as they stand in an address: characters that mean something there are percent-encoded.
IN_ADDRESS = "kjj%40example.org:p%40ss%3Aword%2F7@"


def _way(server: Server, way: str, *, account: str = "") -> str:
    return server.url.replace("://", f"://{account}") + ("?starttls=1" if way == "starttls" else "")


@pytest.mark.parametrize("way", ["starttls", "smtps"])
def test_an_encrypting_server_gets_the_message_encrypted(authority, trusted, tmp_path, way):
    with Server(**{way: certified(authority, "127.0.0.1")}) as server:
        send(outgoing(), smtp_url=_way(server, way), folder=tmp_path)

    assert (len(server.accepted), server.encrypted) == (1, [True])


@pytest.mark.parametrize("way", ["starttls", "smtps"])
def test_the_account_of_the_address_is_signed_in(authority, trusted, tmp_path, way):
    with Server(**{way: certified(authority, "127.0.0.1")}, account=ACCOUNT) as server:
        send(outgoing(), smtp_url=_way(server, way, account=IN_ADDRESS), folder=tmp_path)

    assert (server.recipients, server.encrypted, server.signed_in) == (["xianghe@example.org"], [True], [True])


@pytest.mark.parametrize("way", ["starttls", "smtps"])
def test_a_wrong_password_is_told_and_nothing_is_sent(authority, trusted, tmp_path, way):
    served = Server(**{way: certified(authority, "127.0.0.1")}, account=ACCOUNT)

    with served as server, pytest.raises(NotSent) as refusal:
        send(outgoing(), smtp_url=_way(server, way, account="kjj%40example.org:old@"), folder=tmp_path)

    assert refusal.value.sentence == "邮件服务器不认用户名或密码。核对 SMTP_URL。"
    assert (refusal.value.technical, refusal.value.final, server.accepted) == ("login: 535", False, [])


@pytest.mark.parametrize("way", ["starttls", "smtps"])
def test_a_certificate_nobody_vouches_for_is_not_talked_to(authority, tmp_path, way):
    with Server(**{way: certified(authority, "127.0.0.1")}) as server, pytest.raises(NotSent) as refusal:
        send(outgoing(), smtp_url=_way(server, way), folder=tmp_path)

    assert refusal.value.sentence == "与邮件服务器的加密连接没有建成。核对证书和 SMTP_URL。"
    assert server.accepted == []


@pytest.mark.parametrize("way", ["starttls", "smtps"])
def test_a_certificate_of_another_machine_is_not_talked_to(authority, trusted, tmp_path, way):
    with Server(**{way: certified(authority, "mail.example.org")}) as server, pytest.raises(NotSent) as refusal:
        send(outgoing(), smtp_url=_way(server, way), folder=tmp_path)

    assert refusal.value.technical == "tls: CERTIFICATE_VERIFY_FAILED"
    assert server.accepted == []


def test_a_server_that_wants_encryption_is_not_spoken_to_in_plain(authority, trusted, tmp_path):
    with Server(starttls=certified(authority, "127.0.0.1")) as server, pytest.raises(NotSent) as refusal:
        send(outgoing(), smtp_url=server.url, folder=tmp_path)

    assert (refusal.value.technical, server.accepted) == ("sender: 530", [])


def test_a_server_that_signs_in_only_after_starttls_is_not_given_the_password(authority, trusted, tmp_path):
    with Server(starttls=certified(authority, "127.0.0.1"), account=ACCOUNT) as server, pytest.raises(NotSent):
        send(outgoing(), smtp_url=_way(server, "plain", account=IN_ADDRESS), folder=tmp_path)

    assert server.accepted == []
