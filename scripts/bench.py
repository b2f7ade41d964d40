"""Measures what a person waits for, on invented enterprises, and writes the table into docs/performance.md.

Pages are asked for as a case manager who sees the whole region, warm, one client, through the application itself (no
socket); beside each stands the raw SQL of the same requests, run again on the bare driver.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import bench_world  # noqa: E402 (the path comes first)
from bench_edits import editing  # noqa: E402
from bench_figures import working  # noqa: E402
from bench_imports import importing  # noqa: E402
from bench_machine import remembering, starting  # noqa: E402
from bench_nights import nightly  # noqa: E402
from bench_pages import exporting, pages  # noqa: E402
from bench_table import Line, Table, put_into_page, written  # noqa: E402
from bench_world import say  # noqa: E402

from crm.extensions import db  # noqa: E402

PARTS = "lists,figures,import,export,night,memory,start"


def worlds(size: int, only: set[str], url: str = "") -> Table:
    kind = "postgresql" if url else "sqlite"
    say(f"{size:,} enterprises on {kind}")
    app = bench_world.built(size, url)
    lines: list[Line] = []
    if "lists" in only:
        lines += pages(app, size, kind)
        lines += editing(app, size, kind)
    if "figures" in only:
        lines += working(app, size, kind)
    if "export" in only:
        lines += exporting(app, size)
    if "import" in only:
        lines += importing(app, size)
    if "night" in only:
        lines += nightly(app, size)
    with app.app_context():
        db.engine.dispose()
    if "memory" in only:
        lines += remembering(size, url)
    return Table(f"{size:,} enterprises on {'PostgreSQL' if url else 'SQLite'}", lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--sizes", default="10000,100000", help="how many enterprises, with commas")
    parser.add_argument("--postgres", action="store_true", help="measure on a throw-away PostgreSQL as well")
    parser.add_argument("--only", default=PARTS, help="parts, with commas")
    parser.add_argument("--no-table", action="store_true", help="print the table and leave docs/performance.md alone")
    options = parser.parse_args()
    only = set(options.only.split(","))
    sizes = [int(size) for size in options.sizes.split(",") if size]
    tables = [worlds(size, only) for size in sizes]
    if options.postgres:
        with bench_world.throw_away_postgres() as server:
            import psycopg

            for size in sizes:
                with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE bench_{size}")
                tables.append(worlds(size, only, f"{server}/bench_{size}"))
    if "start" in only:
        tables.append(Table("Start and memory of a fresh installation", starting()))
    text = written(tables, " ".join(["scripts/bench", *sys.argv[1:]]))
    print(text)
    if not options.no_table:
        put_into_page(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
