"""Infrastructure settings: environment first, then instance/config.py, then defaults for one county on one machine."""

import ipaddress
import os
import re
import runpy
import secrets
from dataclasses import dataclass, fields
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent.parent
NAMES = (
    "HOST",
    "PORT",
    "INSTANCE_DIR",
    "DATABASE_URL",
    "SECRET_KEY",
    "SMTP_URL",
    "MAIL_FROM",
    "PUBLIC_URL",
    "WEB_WORKERS",
    "JOB_WORKERS",
    "TZ_NAME",
    "DEMO",
)
# Cookies and forms are signed with it; what a person makes up in a moment is shorter.
SHORTEST_SECRET = 32
YES, NO = frozenset({"1", "yes", "true", "on"}), frozenset({"0", "no", "false", "off"})
# Mail goes out over SMTP without SMTPUTF8, so an address is plain ASCII on both sides of the @.
ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)"
)
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")


class SettingsError(ValueError):
    """A setting cannot be used; the message names it and what would be right."""


@dataclass(frozen=True)
class Settings:
    host: str
    port: int
    instance_dir: Path
    database_url: str
    secret_key: str
    smtp_url: str | None
    mail_from: str
    public_url: str
    web_workers: int
    job_workers: int
    tz_name: str
    demo: bool

    def __repr__(self) -> str:
        """Without the secrets: settings end up in logs."""
        shown = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in ("secret_key", "smtp_url", "database_url")
        }
        return f"Settings({shown})"


def load_settings(environ: dict[str, str] | None = None) -> Settings:
    """Read and check the settings; makes the instance folder and, on the first start, the secret key.

    Raises SettingsError with one sentence for the first wrong value. Nothing is asked of a network here: whether the
    database answers is for crm/store/reachable.py to say.
    """
    env = dict(os.environ if environ is None else environ)
    instance_dir = _instance_dir(env.get("INSTANCE_DIR") or str(ROOT / "instance"))
    values = _values_of(instance_dir / "config.py")
    values.update({name: env[name] for name in NAMES if env.get(name)})

    def whole(name: str, default: int, low: int, high: int) -> int:
        raw = values.get(name, str(default))
        if not raw.isdecimal() or not low <= int(raw) <= high:
            raise SettingsError(f"{name} must be a whole number from {low} to {high}, not {raw[:40]!r}.")
        return int(raw)

    port = whole("PORT", 8000, 1, 65535)
    host = _host(values.get("HOST", "127.0.0.1"))
    shown = f"[{host}]" if ":" in host else host
    return Settings(
        host=host,
        port=port,
        instance_dir=instance_dir,
        database_url=_database_url(values.get("DATABASE_URL", ""), instance_dir),
        secret_key=_secret_key(values.get("SECRET_KEY", ""), instance_dir),
        smtp_url=_smtp_url(values.get("SMTP_URL", "")),
        mail_from=_mail_from(values.get("MAIL_FROM", "no-reply@localhost")),
        public_url=_public_url(values.get("PUBLIC_URL", f"http://{shown}:{port}")),
        web_workers=whole("WEB_WORKERS", 2, 1, 64),
        job_workers=whole("JOB_WORKERS", 1, 1, 64),
        tz_name=_time_zone(values.get("TZ_NAME", "Asia/Shanghai")),
        demo=_yes_or_no("DEMO", values.get("DEMO", "1")),
    )


def _instance_dir(text: str) -> Path:
    try:
        folder = Path(text).resolve()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise SettingsError(f"INSTANCE_DIR {text} cannot be used: {_reason(error)}.") from None
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise SettingsError(f"INSTANCE_DIR {folder} cannot be used: this user may not write there.")
    return folder


def _values_of(file: Path) -> dict[str, str]:
    """What config.py says, as text; a name without a value there counts as not set."""
    if not file.exists():
        return {}
    try:
        said = runpy.run_path(str(file))
    except Exception as error:
        raise SettingsError(f"{file} cannot be read: {_reason(error)}.") from None
    if "INSTANCE_DIR" in said:
        raise SettingsError(f"INSTANCE_DIR cannot be set in {file}, which lies in it: set it in the environment.")
    return {name: str(said[name]) for name in NAMES if said.get(name) not in (None, "")}


def _reason(error: BaseException) -> str:
    """Why, on one line."""
    return " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split()).rstrip(".")


def _host(text: str) -> str:
    if not _is_host(text):
        raise SettingsError(f"HOST {text[:80]!r} is no address; 127.0.0.1 serves this machine, 0.0.0.0 all networks.")
    return text


def _is_host(text: str) -> bool:
    """An IP address or a name that a resolver can be asked for."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST_NAME.fullmatch(text) is not None and len(text) <= 253
    return True


def _database_url(text: str, instance_dir: Path) -> str:
    if not text:
        return f"sqlite:///{instance_dir / 'crm.db'}"
    if text.startswith(("postgresql://", "postgres://")):
        text = "postgresql+psycopg://" + text.split("://", 1)[1]
    if not text.startswith(("postgresql+psycopg://", "sqlite:///")):
        raise SettingsError("DATABASE_URL must begin with sqlite:/// or postgresql://.")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SettingsError("DATABASE_URL must look like postgresql://user:password@host:5432/name.") from None
    if url.port is not None and not 1 <= url.port <= 65535:
        raise SettingsError(f"DATABASE_URL has the port {url.port}; ports go from 1 to 65535.")
    if not url.database or url.database == ":memory:":
        raise SettingsError("DATABASE_URL names no database; its last part is the name, for SQLite a path.")
    return text


def _secret_key(text: str, instance_dir: Path) -> str:
    if not text:
        return _kept_secret(instance_dir)
    if len(text) < SHORTEST_SECRET:
        raise SettingsError(
            f"SECRET_KEY has {len(text)} characters and needs {SHORTEST_SECRET}; leave it out to have one made."
        )
    return text


def _kept_secret(instance_dir: Path) -> str:
    """The key made on the first start; two processes starting at once agree on the one that was written first."""
    file = instance_dir / "secret_key"
    try:
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
                handle.write(secrets.token_urlsafe(48))
        except FileExistsError:
            pass
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"INSTANCE_DIR cannot hold the secret key: {file}: {_reason(error)}.") from None
    if len(key) < SHORTEST_SECRET:
        raise SettingsError(f"{file} is shorter than a secret key; delete it to have a new one made.")
    return key


def _smtp_url(text: str) -> str | None:
    if not text:
        return None
    parts, port = _split(text)
    if parts is None or parts.scheme not in ("smtp", "smtps") or not _is_host(parts.hostname or ""):
        raise SettingsError("SMTP_URL must look like smtp://user:password@host:587?starttls=1 or smtps://….")
    if port == 0:
        raise SettingsError("SMTP_URL has no port from 1 to 65535 after its host.")
    if parts.path not in ("", "/") or parts.fragment:
        raise SettingsError("SMTP_URL ends with its host; write / ? # of a password as %2F %3F %23.")
    options = parse_qsl(parts.query, keep_blank_values=True)
    if [name for name, _ in options] not in ([], ["starttls"]):
        raise SettingsError(f"SMTP_URL has the options {parts.query!r}; the only one there is: starttls=1.")
    if options and _yes_or_no("starttls in SMTP_URL", options[0][1]) and parts.scheme == "smtps":
        raise SettingsError("SMTP_URL begins with smtps://, which is encrypted from the start; leave out starttls.")
    return text


def wants_starttls(smtp_url: SplitResult) -> bool:
    """Whether the address of the mail server asks to go on encrypted."""
    return dict(parse_qsl(smtp_url.query)).get("starttls", "").lower() in YES


def _split(url: str) -> tuple[SplitResult | None, int | None]:
    """The parts of an address and its port: None without one, 0 for one that cannot be."""
    if any(ord(character) < 33 or ord(character) == 127 for character in url):
        return None, None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None, None
    try:
        return parts, parts.port
    except ValueError:
        return parts, 0


def _mail_from(text: str) -> str:
    """An address, or a name and an address: 科技局 <kjj@example.gov.cn>."""
    _name, address = parseaddr(text)
    if not text.isprintable() or not ADDRESS.fullmatch(address) or not text.endswith((address, f"<{address}>")):
        raise SettingsError(f"MAIL_FROM {text[:80]!r} is no mail address; write kjj@example.gov.cn.")
    return text


def _public_url(text: str) -> str:
    parts, port = _split(text)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise SettingsError(f"PUBLIC_URL {text[:80]!r} must look like https://crm.example.gov.cn.")
    if port == 0:
        raise SettingsError(f"PUBLIC_URL {text[:80]!r} has no port from 1 to 65535 after its host.")
    if parts.query or parts.fragment:
        raise SettingsError(f"PUBLIC_URL {text[:80]!r} must end before ? and #: links are made by adding to it.")
    return text.rstrip("/")


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except Exception:
        raise SettingsError(f"TZ_NAME {name!r} is not a known time zone; Asia/Shanghai is the usual one.") from None
    return name


def _yes_or_no(name: str, text: str) -> bool:
    said = text.strip().lower()
    if said not in YES | NO:
        raise SettingsError(f"{name} must be 1 or 0 (yes or no, true or false, on or off), not {text[:40]!r}.")
    return said in YES
