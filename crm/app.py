"""Builds the application: settings, extensions, policy, doors, headers, errors."""

import os
import sys
from typing import Any

import click
from flask import Flask
from sqlalchemy.exc import DBAPIError

from crm import extensions, logs
from crm.config import Settings, SettingsError, load_settings
from crm.domain import kinds, names, viewers, words
from crm.rules.cadences import load_cadences
from crm.rules.ladder import load_ladder
from crm.rules.materials import load_checklists
from crm.rules.stages import load_stages
from crm.store import engine

# 50 MB is what the importer reads; the rest is room for the form around it.
MAX_UPLOAD = 52 * 1024 * 1024


def create_app(settings: Settings | None = None, **overrides: Any) -> Flask:
    """The application for these settings (default: environment and instance/config.py)."""
    try:
        settings = settings or load_settings()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    app = Flask("crm", instance_path=str(settings.instance_dir), static_folder="static", template_folder="templates")
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS={"json_serializer": _json, "hide_parameters": True},
        TZ_NAME=settings.tz_name,
        BUSY_SECONDS=30.0,
        MAX_CONTENT_LENGTH=MAX_UPLOAD,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        SESSION_COOKIE_NAME="crm",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
        WTF_CSRF_TIME_LIMIT=None,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.config.update(overrides)
    logs.configure(app)
    _extensions(app)
    _templates(app)
    _doors(app)
    if not app.testing and os.environ.get("FLASK_RUN_FROM_CLI") != "true":
        _refuse_other_schema(app)
    return app


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _extensions(app: Flask) -> None:
    from crm.jobs import carrier
    from crm.store import models
    from crm.store.schema import MIGRATIONS

    models.load()
    extensions.db.init_app(app)
    with app.app_context():
        engine.configure(extensions.db.engine, busy_seconds=app.config["BUSY_SECONDS"])
    extensions.migrate.init_app(app, extensions.db, directory=str(MIGRATIONS), render_as_batch=True)
    extensions.csrf.init_app(app)
    extensions.login_manager.init_app(app)
    extensions.policy.ladder = load_ladder()
    extensions.policy.cadences = load_cadences()
    extensions.policy.stages = load_stages()
    extensions.policy.checklists = load_checklists()
    carrier.attach(app)


def _templates(app: Flask) -> None:
    app.jinja_env.globals.update(
        KINDS=kinds.KINDS, POOL_KIND=kinds.POOL_KIND, RUNGS=kinds.RUNGS, STATES=kinds.STATES, ROLES=viewers.ROLES
    )
    app.jinja_env.globals["words"] = words
    app.jinja_env.filters["split_name"] = names.split_name
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def _doors(app: Flask) -> None:
    from crm import cli
    from crm.web import addresses, compression, frame, routes, static_files

    compression.install(app)
    addresses.install(app)
    frame.install(app)
    static_files.install(app)
    routes.register(app)
    cli.register(app)


def _refuse_other_schema(app: Flask) -> None:
    """A newer or older schema is never served: half-migrated data is worse than a page that does not open."""
    from crm.store.reachable import why_unreachable
    from crm.store.schema import schema_state

    with app.app_context():
        try:
            state = schema_state()
        except DBAPIError:
            sentence = why_unreachable(app.config["SETTINGS"].database_url)
            if sentence is None:
                raise
            click.echo(sentence, err=True)
            sys.exit(3)
        extensions.db.session.rollback()
    if not state.matches:
        click.echo(state.sentence(), err=True)
        sys.exit(3)
