"""Send one message to one recipient: by SMTP, or as an .eml file when no server is set."""

import contextlib
import os
import re
import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from crm.config import wants_starttls

# A county's server on the intranet answers within seconds; longer means that nobody is there.
TIMEOUT_SECONDS = 30.0
# What stands in the name of an .eml file on any system; everything else becomes an underscore.
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")

_UNWRITABLE = "这封信的信头写不成邮件服务器收得下的样子，没有发出。把这封信的编号告诉系统管理员。"


class NotSent(Exception):
    """The message was certainly not accepted. ``final``: trying again would not help. ``sentence`` is for people."""

    def __init__(self, sentence: str, technical: str, *, final: bool = False) -> None:
        super().__init__(technical)
        self.sentence, self.technical, self.final = sentence[:500], technical, final


class Uncertain(Exception):
    """The text was handed over and the answer never came: it may have arrived."""

    def __init__(self, sentence: str, technical: str) -> None:
        super().__init__(technical)
        self.sentence, self.technical = sentence[:500], technical


@dataclass(frozen=True)
class Outgoing:
    """One message as it will be sent. ``file_name`` is that of the .eml when there is no server."""

    sender: str
    recipient: str
    subject: str
    text: str
    html: str | None
    message_id: str
    sent_at: datetime
    file_name: str
    headers: dict[str, str] = field(default_factory=dict)


def as_email(outgoing: Outgoing) -> EmailMessage:
    """The message with its headers, text first and HTML as the alternative. Raises NotSent for a bad address."""
    email = EmailMessage(policy=SMTP)
    try:
        email["From"] = outgoing.sender
        email["To"] = outgoing.recipient
        email["Subject"] = outgoing.subject.replace("\n", " ")
        email["Date"] = format_datetime(outgoing.sent_at)
        email["Message-ID"] = outgoing.message_id
        email["Auto-Submitted"] = "auto-generated"
        for name, value in outgoing.headers.items():
            email[name] = value
        if not email["To"].addresses or not email["To"].addresses[0].domain:
            raise ValueError("no address")
        # Servers on an intranet seldom know SMTPUTF8, and the commands before the text are ASCII without it.
        email["To"].addresses[0].addr_spec.encode("ascii")
    except (ValueError, MessageError, IndexError) as error:
        technical = f"bad address: {type(error).__name__}"
        raise NotSent("信箱地址写得不对。在用户里改正后再发。", technical, final=True) from None
    email.set_content(outgoing.text, charset="utf-8", cte="base64")
    if outgoing.html:
        email.add_alternative(outgoing.html, subtype="html", charset="utf-8", cte="base64")
    return email


def send(outgoing: Outgoing, *, smtp_url: str | None, folder: Path, timeout: float = TIMEOUT_SECONDS) -> None:
    """Hand the message over. Returns only when it was accepted (or written); raises NotSent or Uncertain."""
    email = as_email(outgoing)
    content = _bytes_of(email)
    if smtp_url is None:
        _write(content, folder / _UNSAFE.sub("_", outgoing.file_name))
    else:
        _deliver(email, content, urlsplit(smtp_url), timeout)


def _bytes_of(email: EmailMessage) -> bytes:
    """The message as it goes over the line, made before anybody is spoken to. Raises NotSent."""
    try:
        return email.as_bytes()
    except (ValueError, MessageError) as error:
        raise NotSent(_UNWRITABLE, f"message: {type(error).__name__}", final=True) from None


def _write(content: bytes, file: Path) -> None:
    """Whole or not at all: written beside and renamed."""
    half = file.with_suffix(".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with half.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        half.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
        sentence = "邮件文件写不进 outbox 文件夹。看磁盘是否已满、文件夹能不能写。"
        raise NotSent(sentence, f"file: {error.strerror}") from None


def _deliver(email: EmailMessage, content: bytes, url: SplitResult, timeout: float) -> None:
    server = _connect(url, timeout)
    try:
        _envelope(server, email)
        _data(server, content)
    finally:
        # Whatever QUIT answers, the message has been accepted or refused by now.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            server.quit()
        server.close()


def _connect(url: SplitResult, timeout: float) -> smtplib.SMTP:
    """A connection that is encrypted and signed in as the address asks for. Raises NotSent."""
    host = url.hostname or ""
    server: smtplib.SMTP | None = None
    try:
        if url.scheme == "smtps":
            server = smtplib.SMTP_SSL(host, url.port or 465, timeout=timeout, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(host, url.port or 25, timeout=timeout)
            if wants_starttls(url):
                server.starttls(context=ssl.create_default_context())
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except smtplib.SMTPAuthenticationError as error:
        _hang_up(server)
        raise NotSent("邮件服务器不认用户名或密码。核对 SMTP_URL。", f"login: {error.smtp_code}") from None
    except ssl.SSLError as error:
        _hang_up(server)
        raise NotSent("与邮件服务器的加密连接没有建成。核对证书和 SMTP_URL。", f"tls: {error.reason}") from None
    except (smtplib.SMTPException, OSError) as error:
        _hang_up(server)
        sentence = "连不上邮件服务器。核对 SMTP_URL。"
        raise NotSent(sentence, f"connect: {type(error).__name__}") from None
    except ValueError as error:
        _hang_up(server)
        sentence = "邮件服务器的用户名或密码里有它收不了的字符。核对 SMTP_URL。"
        raise NotSent(sentence, f"login: {type(error).__name__}", final=True) from None
    return server


def _hang_up(server: smtplib.SMTP | None) -> None:
    if server is not None:
        server.close()


def _envelope(server: smtplib.SMTP, email: EmailMessage) -> None:
    """Sender, recipient and the word DATA: until the server says 354, nothing has been handed over."""
    sender, recipient = email["From"].addresses[0].addr_spec, email["To"].addresses[0].addr_spec
    try:
        server.ehlo_or_helo_if_needed()
        for step, code, answer in (
            ("sender", *server.mail(sender)),
            ("recipient", *server.rcpt(recipient)),
            ("data", *server.docmd("DATA")),
        ):
            if code not in (250, 251, 354):
                raise _refused(step, code, answer)
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent("邮件服务器中途断开，信还没有交出去。", f"envelope: {type(error).__name__}") from None
    except ValueError as error:
        raise NotSent(_UNWRITABLE, f"envelope: {type(error).__name__}", final=True) from None


def _data(server: smtplib.SMTP, content: bytes) -> None:
    """The text itself: from the first byte on, silence means that we do not know."""
    # Base64 bodies and our headers have no line that begins with a dot; a header made later might.
    lines = content.replace(b"\r\n.", b"\r\n..").rstrip(b"\r\n")
    try:
        server.send(lines + b"\r\n.\r\n")
        code, answer = server.getreply()
    except (smtplib.SMTPException, OSError) as error:
        sentence = "信已交给邮件服务器，但没有等到回答，对方可能已收到。问过本人再决定是否再发。"
        raise Uncertain(sentence, f"data: {type(error).__name__}") from None
    if code != 250:
        raise _refused("text", code, answer)


def _refused(step: str, code: int, answer: bytes) -> NotSent:
    """5xx is final, 4xx is tried again. The server's own words may hold an address and stay out of the log."""
    said = answer.decode("utf-8", "replace")[:200]
    return NotSent(f"邮件服务器拒收（{code} {said}）。", f"{step}: {code}", final=code >= 500)
