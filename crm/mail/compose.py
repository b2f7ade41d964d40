"""The catalogue of messages: one function each, one folder of templates each."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import current_app


@dataclass(frozen=True)
class Composed:
    """A message as it will be frozen in the outbox."""

    subject: str
    text: str
    html: str | None
    message_id: str


def digest(content: Any, *, user_id: int) -> Composed:
    """The weekly digest (crm.domain.digests.Digest) of one person as subject, text and HTML."""
    address = current_app.config["SETTINGS"].public_url
    values = {"digest": content, "address": address}
    return Composed(
        subject=_one_line(_render("digest/subject.txt", values)),
        text=_tidy(_render("digest/body.txt", values)),
        html=_render("digest/body.html", values),
        message_id=message_id("digest", content.week, user_id),
    )


def handover(content: dict[str, Any], *, period: str, user_id: int) -> Composed:
    """To somebody who takes over from a colleague: what, how much, the first names, the note."""
    values = content | {"address": current_app.config["SETTINGS"].public_url}
    return Composed(
        subject=_one_line(_render("handover/subject.txt", values)),
        text=_tidy(_render("handover/body.txt", values)),
        html=_render("handover/body.html", values),
        message_id=message_id("handover", period, user_id),
    )


# Stands in the outbox where the link will be; the link itself is only in the letter that goes out.
RESET_LINK = "〔链接只在发出的信里〕"


def password_reset(content: dict[str, Any], *, period: str, user_id: int) -> Composed:
    """A link that sets a new password, to whoever asked for it."""
    values = content | {"link": RESET_LINK}
    return Composed(
        subject=_one_line(_render("password_reset/subject.txt", values)),
        text=_tidy(_render("password_reset/body.txt", values)),
        html=_render("password_reset/body.html", values),
        message_id=message_id("password_reset", period, user_id),
    )


def message_id(kind: str, period: str, user_id: int) -> str:
    """The same for the same message of the same installation, so that a second copy is recognised by any mailbox."""
    settings = current_app.config["SETTINGS"]
    place = hashlib.sha256(settings.public_url.encode()).hexdigest()[:8]
    domain = settings.mail_from.rpartition("@")[2].strip(" >") or urlsplit(settings.public_url).hostname or "localhost"
    return f"<{kind}.{period}.{user_id}.{place}@{domain}>"


def _render(name: str, values: dict[str, Any]) -> str:
    """A template without what pages are given: mail knows no viewer and no request."""
    return current_app.jinja_env.get_template(f"emails/{name}").render(values)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tidy(text: str) -> str:
    """No more than one empty line in a row, none at the ends."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
