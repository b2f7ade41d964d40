"""Every table of the product in one import, so that metadata is whole wherever it is used."""

from importlib import import_module

NOUNS = (
    "absences",
    "access_log",
    "applications",
    "assessments",
    "attachments",
    "changes",
    "collections",
    "comments",
    "confirmations",
    "dictionaries",
    "enterprises",
    "figures",
    "files",
    "holidays",
    "imports",
    "intellectual_property",
    "jobs",
    "messages",
    "obligations",
    "parks",
    "pool",
    "qualifications",
    "regions",
    "relations",
    "requests",
    "saved_views",
    "second_factors",
    "service_logs",
    "sessions",
    "settings",
    "standings",
    "submissions",
    "units",
    "users",
    "visit_plans",
    "windows",
)


def load() -> None:
    """Import every table."""
    for noun in NOUNS:
        import_module(f"crm.store.{noun}")
