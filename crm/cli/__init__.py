"""Doors for operators: every command of `flask --app wsgi …`."""

from importlib import import_module

from flask import Flask

GROUPS = ("database", "accounts", "sheets", "rules", "due", "jobs", "backup", "check", "demo")


def register(app: Flask) -> None:
    """Attach the commands."""
    for group in GROUPS:
        import_module(f"crm.cli.{group}").register(app)
