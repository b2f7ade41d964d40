"""One message, one server: what counts as sent, as not sent, and as unknown."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from crm.mail.send import NotSent, Outgoing, Uncertain, send
from tests.mail.server import Silent

AT = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)


def outgoing(**more) -> Outgoing:
    values = {
        "sender": "巫溪县科学技术局 <kjj@example.org>",
        "recipient": "xianghe@example.org",
        "subject": "本周提醒（第 48 周）：2 项逾期",
        "text": "向禾，2 项逾期\n.\n两行\n",
        "html": "<p>向禾</p>",
        "message_id": "<digest.2026-W48.1@example.org>",
        "sent_at": AT,
        "file_name": "000001-digest-2026-W48-xianghe.eml",
    }
    return Outgoing(**values | more)


def test_the_server_gets_the_text_whole_with_its_headers(smtp, tmp_path):
    send(outgoing(), smtp_url=smtp.url, folder=tmp_path)

    (message,) = smtp.accepted
    assert smtp.recipients == ["xianghe@example.org"]
    assert message["Subject"] == "本周提醒（第 48 周）：2 项逾期"
    assert message["Message-ID"] == "<digest.2026-W48.1@example.org>"
    assert message["From"] == "巫溪县科学技术局 <kjj@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_body(("plain",)).get_content().splitlines() == ["向禾，2 项逾期", ".", "两行"]
    assert message.get_body(("html",)).get_content().strip() == "<p>向禾</p>"


def test_without_a_server_the_message_is_a_file_that_mail_programs_open(tmp_path):
    send(outgoing(file_name="1/digest ../x.eml"), smtp_url=None, folder=tmp_path / "outbox")

    (file,) = (tmp_path / "outbox").iterdir()
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert file.name == "1_digest_.._x.eml"
    assert message["To"] == "xianghe@example.org"
    assert message.get_body(("plain",)).get_content().splitlines() == ["向禾，2 项逾期", ".", "两行"]


def test_a_full_disk_leaves_no_half_file(tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(NotSent) as refusal:
        send(outgoing(), smtp_url=None, folder=tmp_path)

    assert refusal.value.sentence == "邮件文件写不进 outbox 文件夹。看磁盘是否已满、文件夹能不能写。"
    assert list(tmp_path.iterdir()) == []


def test_nobody_listening_is_tried_again(tmp_path):
    with pytest.raises(NotSent) as refusal:
        send(outgoing(), smtp_url="smtp://127.0.0.1:1", folder=tmp_path)

    assert (refusal.value.final, refusal.value.technical) == (False, "connect: ConnectionRefusedError")


@pytest.mark.parametrize(
    ("answer", "final"),
    [
        pytest.param("550 no such mailbox", True, id="an unknown mailbox is final"),
        pytest.param("451 try later", False, id="a busy one is not"),
    ],
)
def test_a_refused_recipient_is_told_with_the_servers_words(smtp, tmp_path, answer, final):
    smtp.refuse = answer

    with pytest.raises(NotSent) as refusal:
        send(outgoing(), smtp_url=smtp.url, folder=tmp_path)

    assert refusal.value.final is final
    assert refusal.value.sentence == f"邮件服务器拒收（{answer}）。"


def test_a_refused_text_was_certainly_not_accepted(smtp, tmp_path):
    smtp.refuse_text = "554 spam"

    with pytest.raises(NotSent) as refusal:
        send(outgoing(), smtp_url=smtp.url, folder=tmp_path)

    assert refusal.value.final is True


@pytest.mark.parametrize("hang_up", [pytest.param(True, id="hangs up"), pytest.param(False, id="falls silent")])
def test_a_server_without_an_answer_after_the_text_leaves_it_uncertain(tmp_path, hang_up):
    server = Silent(hang_up=hang_up)

    with pytest.raises(Uncertain) as unknown:
        send(outgoing(), smtp_url=server.url, folder=tmp_path, timeout=0.5)
    server.close()

    assert len(server.texts) == 1
    assert unknown.value.sentence == "信已交给邮件服务器，但没有等到回答，对方可能已收到。问过本人再决定是否再发。"


def test_starttls_is_not_skipped_when_the_server_has_none(smtp, tmp_path):
    with pytest.raises(NotSent):
        send(outgoing(), smtp_url=f"{smtp.url}?starttls=1", folder=tmp_path)

    assert smtp.accepted == []


def test_a_server_that_cannot_sign_us_in_gets_nothing(smtp, tmp_path):
    url = smtp.url.replace("smtp://", "smtp://kjj:p%40ss@")

    with pytest.raises(NotSent):
        send(outgoing(), smtp_url=url, folder=tmp_path)

    assert smtp.accepted == []


@pytest.mark.parametrize("recipient", ["", "nobody", "a@b\nBcc: c@d", "张三@kjj.example", "zhang@科技局.example"])
def test_an_address_that_is_none_is_final(smtp, tmp_path, recipient):
    with pytest.raises(NotSent) as refusal:
        send(outgoing(recipient=recipient), smtp_url=smtp.url, folder=tmp_path)

    assert refusal.value.final is True
    assert smtp.accepted == []


@pytest.mark.parametrize("address", ["smtp://u:密码@", "smtp://用户:p@"], ids=["password", "user"])
def test_an_account_that_cannot_be_typed_in_ascii_is_final_and_named(smtp, tmp_path, monkeypatch, address):
    monkeypatch.setattr("smtplib.SMTP.has_extn", lambda _self, name: name.lower() == "auth")
    monkeypatch.setattr("smtplib.SMTP.ehlo_or_helo_if_needed", lambda self: self.esmtp_features.update(auth="PLAIN"))

    with pytest.raises(NotSent) as refusal:
        send(outgoing(), smtp_url=smtp.url.replace("smtp://", address), folder=tmp_path)

    assert (refusal.value.final, "SMTP_URL" in refusal.value.sentence) == (True, True)
    assert smtp.accepted == []


@pytest.mark.parametrize("step", ["message", "envelope"])
def test_a_message_that_cannot_be_written_down_was_certainly_not_sent(smtp, tmp_path, monkeypatch, step):
    def unwritable(*_arguments, **_options):
        "科".encode("ascii")

    monkeypatch.setattr(
        {"message": "crm.mail.send.EmailMessage.as_bytes", "envelope": "smtplib.SMTP.rcpt"}[step], unwritable
    )

    with pytest.raises(NotSent) as refusal:
        send(outgoing(), smtp_url=smtp.url, folder=tmp_path)

    assert (refusal.value.final, refusal.value.technical) == (True, f"{step}: UnicodeEncodeError")
    assert smtp.accepted == []
