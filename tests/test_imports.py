"""The rooms and their arrows, drawn from the code. `python -m tests.test_imports` redraws docs/architecture.md."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- arrows: begin -->", "<!-- arrows: end -->"

# From the top down: a room may import from the lines under it, never from its own line or above.
LINES: tuple[tuple[str, ...], ...] = (
    ("app",),
    ("web", "jobs", "cli"),
    ("actions",),
    ("store", "sheets", "mail", "rules"),
    ("domain",),
)
LEVEL = {room: level for level, line in enumerate(LINES) for room in line}
# Usable from the line of the store upwards; of our own code they import only each other.
SHARED = {"config", "extensions", "logs"}
LOWEST_WITH_SHARED = LEVEL["store"]
# What plain Python has no use for.
NOT_IN_DOMAIN = {
    "flask", "flask_sqlalchemy", "flask_login", "flask_wtf", "flask_migrate", "sqlalchemy", "alembic", "huey",
    "wtforms", "werkzeug", "jinja2", "structlog", "apscheduler",
}  # fmt: skip
# Nothing below the doors knows of a request.
NOT_BELOW_DOORS = {"flask_login", "flask_wtf", "wtforms"}


def modules() -> list[Path]:
    return sorted((ROOT / "crm").rglob("*.py"))


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "crm").with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def imported(source: str, package: str) -> set[str]:
    """Every module a source imports, wherever in it, also by name through import_module; relative ones resolved."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]) if base else ".".join(above)
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names if base == "crm")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "import_module":
            found.update(_leading_text(argument) for argument in node.args[:1])
    return {name for name in found if name}


def _leading_text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
        return str(node.values[0].value).rstrip(".")
    return ""


def arrows() -> dict[tuple[str, str], set[str]]:
    """(room, room it imports) → the modules that do."""
    found: dict[tuple[str, str], set[str]] = {}
    for path in modules():
        room = room_of(path)
        package = ".".join(path.relative_to(ROOT).with_suffix("").parts[:-1])
        for name in imported(path.read_text(), package):
            parts = name.split(".")
            if parts[0] == "crm" and len(parts) > 1 and parts[1] != room:
                found.setdefault((room, parts[1]), set()).add(str(path.relative_to(ROOT)))
    return found


def allowed(room: str, other: str) -> bool:
    if other in SHARED:
        return room in SHARED or LEVEL.get(room, 99) <= LOWEST_WITH_SHARED
    if room in SHARED:
        return False
    # Only the operators' door may import the jobs, to start them; no other door imports another.
    if (room, other) == ("cli", "jobs"):
        return True
    return room in LEVEL and other in LEVEL and LEVEL[other] > LEVEL[room]


def test_every_module_stands_in_a_room():
    strangers = {room_of(path) for path in modules()} - set(LEVEL) - SHARED - {""}

    assert strangers == set()


def test_the_package_itself_stays_empty():
    assert (ROOT / "crm" / "__init__.py").read_text() == ""


def test_no_arrow_goes_up_or_sideways():
    wrong = [
        f"{room} → {other} in {', '.join(sorted(who))}"
        for (room, other), who in arrows().items()
        if not allowed(room, other)
    ]

    assert wrong == []


@pytest.mark.parametrize("path", [p for p in modules() if room_of(p) == "domain"], ids=lambda p: p.stem)
def test_the_domain_is_plain_python(path):
    names = {name.split(".")[0] for name in imported(path.read_text(), "crm.domain")}

    assert names & NOT_IN_DOMAIN == set()


def test_only_doors_know_of_forms_and_requests():
    below = [p for p in modules() if LEVEL.get(room_of(p), 0) >= LEVEL["actions"]]

    wrong = {
        str(path.relative_to(ROOT)): found
        for path in below
        if (found := {name.split(".")[0] for name in imported(path.read_text(), "crm")} & NOT_BELOW_DOORS)
        # The user of the store is what the login manager hands around.
        and not (path.name == "users.py" and found == {"flask_login"})
    }

    assert wrong == {}


def test_the_domain_and_the_actions_read_no_clock():
    wrong = []
    for path in modules():
        if room_of(path) not in ("domain", "actions"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("now", "today", "utcnow")
            ):
                owner = getattr(node.func.value, "id", getattr(node.func.value, "attr", ""))
                if owner in ("datetime", "date", "time"):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")

    assert wrong == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import crm.jobs.worker", {"crm.jobs.worker"}),
        ("def f():\n    from crm.web import doors", {"crm.web"}),
        ("from crm import extensions", {"crm", "crm.extensions"}),
        ("from . import views", {"crm.web.users"}),
        ("from ..doors import viewer", {"crm.web.doors"}),
        ("import_module(f'crm.cli.{group}')", {"crm.cli"}),
    ],
    ids=["plain", "inside a function", "a member of the package", "relative", "relative and up", "by name"],
)
def test_every_way_of_importing_is_seen(source, names):
    assert imported(source, "crm.web.users") == names


def picture() -> str:
    """The arrows as text, in the order of the lines."""
    order = [room for line in LINES for room in line]
    order += sorted(SHARED)
    found = arrows()
    lines = ["```text"]
    for line in LINES:
        lines.append("  ".join(line))
    lines += ["```", "", "| room | imports |", "|---|---|"]
    for room in order:
        targets = [other for other in order if (room, other) in found]
        lines.append(f"| {room} | {', '.join(targets) or '–'} |")
    return "\n".join(lines)


def redrawn(text: str) -> str:
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{picture()}\n{END}{after}"


def test_the_picture_in_the_documents_is_the_one_in_the_code():
    text = PICTURE.read_text()

    assert text.count(BEGIN) == text.count(END) == 1
    assert text == redrawn(text), "redraw it: .venv/bin/python -m tests.test_imports"


if __name__ == "__main__":
    if not PICTURE.exists():
        PICTURE.write_text(f"# The rooms and why\n\n{BEGIN}\n{END}\n")
    PICTURE.write_text(redrawn(PICTURE.read_text()))
    sys.stdout.write(picture() + "\n")
