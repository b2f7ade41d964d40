"""Infrastructure settings: environment first, then instance/config.py, then defaults for one county on one machine."""

import os
import runpy
import secrets
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

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

    Raises SettingsError with one sentence for the first wrong value.
    """
    env = dict(os.environ if environ is None else environ)
    instance_dir = Path(env.get("INSTANCE_DIR") or ROOT / "instance").resolve()
    try:
        instance_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"INSTANCE_DIR {instance_dir} cannot be used: {error.strerror}.") from None
    file = instance_dir / "config.py"
    values: dict[str, object] = {}
    if file.exists():
        try:
            values = {name: value for name, value in runpy.run_path(str(file)).items() if name in NAMES}
        except Exception as error:
            raise SettingsError(f"{file} cannot be read: {error}.") from None
    values.update({name: env[name] for name in NAMES if env.get(name)})

    def whole(name: str, default: int, low: int, high: int) -> int:
        raw = str(values.get(name, default))
        if not raw.isdecimal() or not low <= int(raw) <= high:
            raise SettingsError(f"{name} must be a whole number from {low} to {high}, not {raw!r}.")
        return int(raw)

    port = whole("PORT", 8000, 1, 65535)
    host = str(values.get("HOST", "127.0.0.1"))
    return Settings(
        host=host,
        port=port,
        instance_dir=instance_dir,
        database_url=_database_url(str(values.get("DATABASE_URL", "")), instance_dir),
        secret_key=str(values.get("SECRET_KEY") or _kept_secret(instance_dir)),
        smtp_url=_smtp_url(values.get("SMTP_URL")),
        mail_from=str(values.get("MAIL_FROM", "no-reply@localhost")),
        public_url=str(values.get("PUBLIC_URL", f"http://{host}:{port}")).rstrip("/"),
        web_workers=whole("WEB_WORKERS", 2, 1, 64),
        job_workers=whole("JOB_WORKERS", 1, 1, 64),
        tz_name=_time_zone(str(values.get("TZ_NAME", "Asia/Shanghai"))),
        demo=str(values.get("DEMO", "1")).lower() not in ("0", "false", "no", ""),
    )


def _database_url(url: str, instance_dir: Path) -> str:
    if not url:
        return f"sqlite:///{instance_dir / 'crm.db'}"
    if url.startswith(("postgresql://", "postgres://")):
        return "postgresql+psycopg://" + url.split("://", 1)[1]
    if url.startswith(("postgresql+psycopg://", "sqlite:///")):
        return url
    raise SettingsError("DATABASE_URL must begin with sqlite:/// or postgresql://.")


def _smtp_url(url: object) -> str | None:
    if not url:
        return None
    parts = urlsplit(str(url))
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise SettingsError("SMTP_URL must look like smtp://user:password@host:587?starttls=1 or smtps://….")
    return str(url)


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except Exception:
        raise SettingsError(f"TZ_NAME {name!r} is not a known time zone; Asia/Shanghai is the usual one.") from None
    return name


def _kept_secret(instance_dir: Path) -> str:
    """The key made on the first start; two processes starting at once agree on the one that was written first."""
    file = instance_dir / "secret_key"
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    key = file.read_text().strip()
    if len(key) < 32:
        raise SettingsError(f"{file} is shorter than a secret key; delete it to have a new one made.")
    return key
