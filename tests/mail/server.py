"""A small SMTP server in a thread: it keeps what it accepts, and can refuse, fall silent or hang up when told to."""

import socket
import ssl
import threading
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Server:
    """``refuse`` is the answer to each recipient, ``refuse_text`` that to the text; both None: accepted.

    ``tls``: encrypted from the first byte (smtps), or after STARTTLS, without which it takes nothing. ``account`` is
    the one name and password it lets in; None: it asks for none. ``encrypted`` and ``signed_in`` tell, for each
    accepted message, how it came.
    """

    def __init__(
        self,
        *,
        smtps: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        account: tuple[str, str] | None = None,
    ) -> None:
        self.accepted: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.encrypted: list[bool] = []
        self.signed_in: list[bool] = []
        self.refuse: str | None = None
        self.refuse_text: str | None = None
        self._account = account
        self._scheme = "smtps" if smtps else "smtp"
        more: dict[str, Any] = {}
        if starttls:
            more = {"tls_context": starttls, "require_starttls": True}
        if account:
            # The library counts only STARTTLS as encrypted; on a connection that was never plain, it must not ask.
            more |= {"authenticator": self._let_in, "auth_required": True, "auth_require_tls": smtps is None}
        self._controller = Controller(self, hostname="127.0.0.1", port=_free_port(), ssl_context=smtps, **more)

    @property
    def port(self) -> int:
        return self._controller.port

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def _let_in(self, _server: SMTP, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        offered = (given.login.decode(), given.password.decode())
        return AuthResult(success=offered == self._account, handled=False)

    def __enter__(self) -> "Server":
        self._controller.start()
        return self

    def __exit__(self, *args: Any) -> None:
        self._controller.stop(no_assert=True)

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if self.refuse_text:
            return self.refuse_text
        self.accepted.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.extend(envelope.rcpt_tos)
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        self.signed_in.append(session.authenticated)
        return "250 OK"


class Silent:
    """Speaks SMTP up to the end of the text, keeps the text, and never answers (or hangs up at once)."""

    def __init__(self, *, hang_up: bool = False) -> None:
        self.hang_up = hang_up
        self.texts: list[bytes] = []
        self.got_text = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        for line in [self._listener, *self._open]:
            line.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(line)
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as lines:
            line.sendall(b"220 silent\r\n")
            for command in lines:
                word = command[:4].upper()
                if word != b"DATA":
                    line.sendall(b"250 OK\r\n")
                    continue
                line.sendall(b"354 go on\r\n")
                text = b""
                for part in lines:
                    if part == b".\r\n":
                        break
                    text += part
                self.texts.append(text)
                self.got_text.set()
                if not self.hang_up:
                    time.sleep(60)
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
