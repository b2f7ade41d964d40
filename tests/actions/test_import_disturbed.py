"""What may be saved while a long import is made ready, and what makes it think again."""

from datetime import date

import pytest

from crm.actions import imports
from crm.actions.enterprises import create_enterprise, edit_enterprise
from crm.actions.service_logs import log_service
from crm.store.unit_of_work import unit_of_work
from tests.builders import act, county, make_enterprise


def visit(enterprise_id: int) -> None:
    values = {"happened_on": date(2026, 11, 20), "kind": "visit", "text": "看了新线"}
    with unit_of_work():
        log_service([enterprise_id], values, act=act())


def test_a_visit_to_another_firm_does_not_disturb(app):
    mine, other = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    seen = imports.newest_change()

    visit(other)

    assert not imports.disturbed_since(seen, frozenset({mine}))


def test_a_visit_to_a_firm_of_the_file_disturbs(app):
    mine = make_enterprise("甲有限公司")
    seen = imports.newest_change()

    visit(mine)

    assert imports.disturbed_since(seen, frozenset({mine}))


@pytest.mark.parametrize("deed", ["new", "renamed"])
def test_a_firm_that_could_match_a_row_disturbs(app, deed):
    mine, other = make_enterprise("甲有限公司"), make_enterprise("乙有限公司")
    seen = imports.newest_change()

    with unit_of_work():
        if deed == "new":
            create_enterprise(county().id, {"name": "丙有限公司"}, act=act())
        else:
            edit_enterprise(other, {"name": "丁有限公司"}, version=1, act=act())

    assert imports.disturbed_since(seen, frozenset({mine}))
