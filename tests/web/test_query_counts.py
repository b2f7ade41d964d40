"""A page asks the database as often for three rows as for one."""

from collections.abc import Callable
from datetime import date

import pytest

from crm.domain.changes import Create
from crm.store.imports import ImportBatch
from crm.store.regions import region_by_code
from crm.store.unit_of_work import unit_of_work
from crm.store.writer import write
from tests.builders import NOW, TODAY, act, county, make_user
from tests.web.conftest import queries, sign_in


@pytest.fixture
def client(sqlite_app):
    make_user("boss", "admin", name="田砚")
    make_user("tanyue", "bureau", name="谭越")
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


def entered(noun: str, **values) -> None:
    with unit_of_work():
        write([Create(noun, values)], act=act(), action="test")


def batch(number: int) -> None:
    with unit_of_work() as work:
        one = {"region_id": county().id, "who": "谭越", "effective_on": TODAY, "state": "done", "created_at": NOW}
        work.add(ImportBatch(file_name=f"{number}.xlsx", summary={"rows": number}, **one))


def word(number: int) -> None:
    place = {"region_id": county().id, "dictionary": "featured_industry"}
    entered("dictionary_entry", **place, code=f"x{number}", label=f"词{number}")


def unit(number: int) -> None:
    entered("unit", region_id=county().id, name=f"部门{number}", owns_kinds=["srdi"])


def park(number: int) -> None:
    entered("park", region_id=county().id, name=f"园区{number}")


def window(number: int) -> None:
    about = {"region_id": region_by_code("500000").id, "kind": "hnte", "year": 2027}
    entered("window", **about, batch=f"第{number + 6}批", status="expected", source="推定")


def holiday(number: int) -> None:
    entered("holiday", day=date(2027, 1, number + 1), kind="off", name="元旦", source="推定")


PAGES: dict[str, Callable[[int], None]] = {
    "/imports": batch,
    "/dictionaries": word,
    "/dictionaries/units": unit,
    "/dictionaries/parks": park,
    "/dictionaries/windows?year=2027": window,
    "/dictionaries/holidays?year=2027": holiday,
    "/settings": word,
}


@pytest.mark.parametrize("url", PAGES)
def test_a_page_asks_as_often_for_three_rows_as_for_one(client, url):
    add = PAGES[url]
    add(1)
    client.get(url)
    one = queries(client, url)
    for number in (2, 3):
        add(number)
    client.get(url)

    assert queries(client, url) == one
