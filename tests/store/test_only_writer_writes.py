"""Domain rows are written in one place; every other insert, update, delete or add touches machine tables."""

import ast
from pathlib import Path

import pytest

from crm.extensions import Base
from crm.store import models
from crm.store.records import DOMAIN_TABLES

models.load()
ROOT = Path(__file__).resolve().parent.parent.parent
WRITER = "crm/store/writer.py"
# Moves whole tables between databases, below the level of records: a copy has no act and no history of its own.
COPIES = {"crm/store/portable.py"}
DOMAIN_MODELS = {mapper.class_.__name__ for mapper in Base.registry.mappers if mapper.local_table.name in DOMAIN_TABLES}
MACHINE_MODELS = {mapper.class_.__name__ for mapper in Base.registry.mappers} - DOMAIN_MODELS
STATEMENTS = {"insert", "update", "delete"}
ADDING = {"add", "add_all", "merge", "delete", "bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"}
SESSIONS = {"session", "work", "db"}
RAW = ("insert into", "update ", "delete from", "replace into")


def sources() -> list[Path]:
    return [
        path
        for path in sorted((ROOT / "crm").rglob("*.py"))
        if "migrations" not in path.parts and str(path.relative_to(ROOT)) not in {WRITER, *COPIES}
    ]


def names_in(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} | {
        n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)
    }


def writes_of_domain_rows(source: str) -> list[str]:
    """Every statement of a source that writes a domain model, as "line: what"."""
    tree = ast.parse(source)
    # Names that stand for an instance of a domain model, by the plainest of assignments.
    instances = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for target in node.targets
        if isinstance(target, ast.Name) and getattr(node.value.func, "id", "") in DOMAIN_MODELS
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _raw_write(node.value):
            found.append(f"{node.lineno}: {node.value.strip()[:60]}")
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        owner = getattr(node.func, "value", None)
        arguments = set().union(*(names_in(argument) for argument in node.args), set())
        if called in STATEMENTS and isinstance(node.func, ast.Name) and arguments & DOMAIN_MODELS:
            found.append(f"{node.lineno}: {called}({', '.join(sorted(arguments & DOMAIN_MODELS))})")
        if isinstance(node.func, ast.Attribute) and called in STATEMENTS and names_in(owner) & DOMAIN_MODELS:
            found.append(f"{node.lineno}: {ast.unparse(node)[:60]}")
        if isinstance(node.func, ast.Attribute) and called in ADDING and names_in(owner) & SESSIONS:
            guilty = arguments & (DOMAIN_MODELS | instances)
            if guilty:
                found.append(f"{node.lineno}: {called}({', '.join(sorted(guilty))})")
    return found


def _raw_write(text: str) -> bool:
    lowered = " ".join(text.lower().replace('"', "").split())
    return any(
        lowered.startswith(start) and lowered[len(start) :].split("(")[0].strip().split(" ")[0] in DOMAIN_TABLES
        for start in RAW
    )


def test_the_tables_of_the_domain_are_known():
    assert {"enterprise", "qualification", "user", "grant", "setting", "window", "holiday"} <= DOMAIN_TABLES
    assert {"Enterprise", "Grant"} <= DOMAIN_MODELS
    assert {"Standing", "Job", "Credential", "UserSession"} <= MACHINE_MODELS


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_but_the_writer_writes_domain_rows(path):
    assert writes_of_domain_rows(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "db.session.add(Enterprise(name='x'))",
        "row = Grant(role='admin')\nwork.add(row)",
        "session.execute(insert(User).values(name='x'))",
        "session.execute(update(Qualification).where(Qualification.id == 1))",
        "connection.execute(delete(Setting.__table__))",
        "db.session.execute(Enterprise.__table__.update())",
        "db.session.delete(db.session.get(Window, 1))",
        "connection.execute(text('UPDATE enterprise SET name = 1'))",
        "connection.execute(text('DELETE FROM \"user\" WHERE id = 1'))",
        "work.add_all([Holiday(day=d) for d in days])",
    ],
)
def test_each_way_around_the_writer_is_noticed(source):
    assert writes_of_domain_rows(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "work.add(Credential(user_id=1))",
        "session.execute(update(Job).where(Job.id == 1).values(state='done'))",
        "known.add(Enterprise)",
        "select(Enterprise)",
        "text('UPDATE heartbeat SET seen_at = 1')",
    ],
)
def test_machine_tables_and_reading_are_free(source):
    assert writes_of_domain_rows(source) == []


def test_no_attribute_of_a_loaded_record_is_assigned():
    """A flush would write it past the history, so nobody assigns to a record that was loaded."""
    wrong = []
    for path in sources():
        tree = ast.parse(path.read_text())
        loaded = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and getattr(node.value.func, "attr", getattr(node.value.func, "id", ""))
            in ("get", "visible_record", "managed_user")
            and names_in(node.value) & DOMAIN_MODELS
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign | ast.AugAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                wrong += [
                    f"{path.relative_to(ROOT)}:{node.lineno}"
                    for target in targets
                    if isinstance(target, ast.Attribute)
                    and isinstance(target.value, ast.Name)
                    and target.value.id in loaded
                ]

    assert wrong == []
