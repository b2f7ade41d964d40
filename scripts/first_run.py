"""Exit 0 when the demo county may be loaded: DEMO is not 0, and there is neither an enterprise nor a user yet.

Exit 1 when it may not, 2 with one sentence when that cannot be found out.

A place where somebody has an account is somebody's place of work, even before the first import.
"""

import sys
from pathlib import Path

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import Engine

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def is_untouched(engine: Engine) -> bool:
    """Whether no enterprise and no user was ever made."""
    tables = set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        return all(
            connection.execute(text(f'select 1 from "{table}" limit 1')).first() is None
            for table in ("enterprise", "user")
            if table in tables
        )


def main() -> int:
    from crm.config import SettingsError, load_settings
    from crm.store.reachable import why_unreachable

    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if not settings.demo:
        return 1
    if sentence := why_unreachable(settings.database_url):
        print(sentence, file=sys.stderr)
        return 2
    return 0 if is_untouched(create_engine(settings.database_url)) else 1


if __name__ == "__main__":
    sys.exit(main())
