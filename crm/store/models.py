"""Every table of the product in one import, so that metadata is whole wherever it is used."""

from importlib import import_module

NOUNS = (
    "access_log",
    "applications",
    "assessments",
    "changes",
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
    "service_logs",
    "sessions",
    "settings",
    "standings",
    "units",
    "users",
    "windows",
)


def load() -> None:
    """Import every table."""
    for noun in NOUNS:
        import_module(f"crm.store.{noun}")
