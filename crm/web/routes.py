"""Every door for people, in the order of the navigation."""

from importlib import import_module

from flask import Flask

BLUEPRINTS = (
    "sign_in",
    "system",
    "desk",
    "notices",
    "obligations",
    "enterprises",
    "affiliations",
    "relations",
    "qualifications",
    "figures",
    "intellectual_property",
    "applications",
    "assessments",
    "board",
    "saved_views",
    "service_logs",
    "visit_plans",
    "requests",
    "comments",
    "confirmations",
    "pool",
    "handovers",
    "collections",
    "absences",
    "reviews",
    "submissions",
    "imports",
    "changes",
    "files",
    "attachments",
    "jobs",
    "users",
    "access_log",
    "dictionaries",
    "settings",
)


def register(app: Flask) -> None:
    """Attach the blueprint of each noun."""
    for noun in BLUEPRINTS:
        app.register_blueprint(import_module(f"crm.web.{noun}.views").blueprint)
