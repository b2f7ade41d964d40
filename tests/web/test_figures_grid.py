"""The grid of figures: a cell saved in place, a block pasted through its preview, what the firm confirmed."""

from decimal import Decimal

import pytest

from crm.actions.figures import record_figures
from crm.store.figures import figures_of
from crm.store.unit_of_work import unit_of_work
from tests.builders import act, make_enterprise, make_user
from tests.web.conftest import post, queries, sign_in
from tests.web.pages import conflicts_on, form_on


@pytest.fixture
def firm(sqlite_app) -> int:
    make_user("tanyue", "bureau", name="谭越")
    make_user("chenshu", "bureau", name="陈述")
    enterprise_id = make_enterprise()
    with unit_of_work():
        record_figures(enterprise_id, 2025, {"revenue": Decimal("10000.00"), "staff_count": 12}, act=act())
    return enterprise_id


@pytest.fixture
def client(sqlite_app, firm):
    client = sqlite_app.test_client()
    sign_in(client, "tanyue")
    return client


def save(client, firm, text, *, year=2025, code="revenue", seen="1", version=1, **more):
    told = {"year": year, "code": code, "text": text, "seen": seen, "version": version, "unit": "万元", **more}
    return post(client, f"/enterprises/{firm}/figures/cell", told)


def stored(firm, code="revenue"):
    return {row.year: getattr(row, code) for row in figures_of(firm)}


def test_a_cell_is_saved_in_the_unit_on_screen_and_offers_the_way_back(client, firm):
    answer = save(client, firm, "1,234.56789")

    assert answer.status_code == 200
    assert 'data-typed="1234.56789"' in answer.json["html"] and "1,234.6" in answer.json["html"]
    assert "/undo" in answer.json["toast"] and answer.json["version"] == 2
    assert stored(firm) == {2025: Decimal("12345678.90")}


def test_an_empty_cell_is_unknown_and_zero_is_zero(client, firm):
    save(client, firm, "", code="staff_count", seen="12")
    save(client, firm, "0", version=2)

    assert (stored(firm), stored(firm, "staff_count")) == ({2025: Decimal(0)}, {2025: None})


def test_what_is_no_number_is_refused_in_one_sentence_and_writes_nothing(client, firm):
    answer = save(client, firm, "四十余人", code="staff_count", seen="12")

    assert (answer.status_code, answer.json) == (422, {"error": "“四十余人”不是数。改成整数，或留空表示不知道。"})
    assert stored(firm, "staff_count") == {2025: 12}


def test_the_same_cell_in_two_browsers_is_asked_and_another_cell_merges(client, firm, sqlite_app):
    other = sqlite_app.test_client()
    sign_in(other, "chenshu")
    save(other, firm, "2")

    merged = save(client, firm, "13", code="staff_count", seen="12")
    asked = save(client, firm, "3")
    chosen = save(client, firm, "3", seen=asked.json["theirs"], version=asked.json["version"])

    assert (merged.status_code, asked.status_code, chosen.status_code) == (200, 409, 200)
    assert asked.json["clash"].startswith("2025 年营业收入：原来 1.0 万元，现在库里 2.0 万元（陈述 ")
    assert asked.json["clash"].endswith("，你填的 3.0 万元。选一个，另一个留在变更史。")
    assert (stored(firm), stored(firm, "staff_count")) == ({2025: Decimal(30000)}, {2025: 13})


@pytest.mark.parametrize("what", [{"code": "name"}, {"year": 2031}, {"year": "²"}], ids=["field", "year", "digit"])
def test_a_cell_that_does_not_exist_is_not_there(client, firm, what):
    assert save(client, firm, "1", **what).status_code == 404


def test_a_block_is_previewed_old_and_new_and_written_only_when_confirmed(client, firm):
    url = f"/enterprises/{firm}/figures/paste"
    text = "指标\t2024年\t2025年\n营业收入（万元）\t5\t四十余人\n从业人员\t11\t12\n毛利率\t1\t2"

    page = post(client, url, {"text": text, "unit": "万元"})

    assert page.status_code == 200 and stored(firm) == {2025: Decimal(10000)}
    assert "第 2 行第 3 列" in page.text and "“四十余人”不是金额。改成数字，或留空表示不知道。" in page.text
    assert "第 4 行" in page.text and "2 格新填，0 格改写，1 格与库里相同" in page.text
    answer = client.post(url, data=form_on(page.text, url))
    assert answer.status_code == 302
    assert (stored(firm), stored(firm, "staff_count")) == (
        {2024: Decimal(50000), 2025: Decimal(10000)},
        {2024: 11, 2025: 12},
    )


def test_a_block_over_what_somebody_changed_since_the_preview_asks_cell_by_cell(client, firm, sqlite_app):
    url = f"/enterprises/{firm}/figures/paste"
    page = post(client, url, {"text": "2\n3", "at_year": 2025, "at_code": "revenue", "order": "revenue,staff_count"})
    other = sqlite_app.test_client()
    sign_in(other, "chenshu")
    save(other, firm, "9")

    clash = client.post(url, data=form_on(page.text, url))
    again = client.post(url, data=form_on(clash.text, url))
    settled = client.post(url, data={**form_on(clash.text, url), "pick_2025.revenue": "theirs"})

    assert (clash.status_code, again.status_code, settled.status_code) == (409, 409, 302)
    [row] = conflicts_on(clash.text)
    assert (row[0], row[1], row[3]) == ("2025 年营业收入", "1.0 万元", "2.0 万元") and row[2].startswith(
        "9.0 万元 陈述"
    )
    assert (stored(firm), stored(firm, "staff_count")) == ({2025: Decimal(90000)}, {2025: 3})


def test_two_thousand_columns_are_refused_with_one_sentence_and_the_text_stays(client, firm):
    text = "\t".join(["7"] * 2000)

    page = post(client, f"/enterprises/{firm}/figures/paste", {"text": text})

    assert page.status_code == 422
    assert "粘贴的内容有 2,000 列，一次最多 40 列。只选指标名称和各年的数，再复制。" in page.text
    assert text in page.text


def test_confirming_a_block_twice_writes_it_once(client, firm):
    url = f"/enterprises/{firm}/figures/paste"
    page = post(client, url, {"text": "2", "at_year": 2025, "at_code": "revenue"})
    form = form_on(page.text, url)

    answers = [client.post(url, data=form).status_code for _ in range(2)]

    assert answers == [302, 302] and figures_of(firm)[0].version == 2


def test_what_the_firm_confirmed_shows_in_the_grid_and_in_the_history(client, firm):
    url = f"/enterprises/{firm}/figures/confirm"
    page = client.get(url)
    assert 'value="2025.revenue:10000.00"' in page.text
    form = {**form_on(page.text, url), "by": "李会计", "on": "2026-11-20"}

    answer = post(client, url, {**form, "cell": ["2025.revenue:10000.00", "2025.staff_count:12"]})

    assert answer.status_code == 302
    grid = client.get(f"/enterprises/{firm}?tab=figures").text
    assert grid.count("企业已确认：李会计 2026-11-20") == 2
    save(client, firm, "2", version=2)
    grid = client.get(f"/enterprises/{firm}?tab=figures").text
    assert grid.count("企业已确认：李会计 2026-11-20") == 1 and "营业收入 2025：原 1.0 万元，谭越 11-23 改" in grid
    history = client.get(f"/enterprises/{firm}?tab=history").text
    assert "李会计 2026-11-20 确认" in history and "确认失效" in history


def test_a_confirmation_of_a_value_changed_since_is_refused_and_says_so(client, firm):
    form = {"by": "李会计", "on": "2026-11-20", "cell": "2025.revenue:1.00"}

    page = post(client, f"/enterprises/{firm}/figures/confirm", form)

    assert page.status_code == 422 and "2025 年营业收入刚改过，没有登记。看过新的数再登记。" in page.text


def test_who_only_reads_sees_no_way_to_edit(client, firm, sqlite_app):
    make_user("liaoheng", "leader")
    reader = sqlite_app.test_client()
    sign_in(reader, "liaoheng")

    page = reader.get(f"/enterprises/{firm}?tab=figures").text

    assert "data-figures" not in page and "figures.js" not in page and "登记企业确认" not in page
    assert save(reader, firm, "2").status_code == 403


def test_the_grid_asks_as_often_for_ten_years_as_for_one(client, firm):
    url = f"/enterprises/{firm}?tab=figures"
    client.get(url)
    one = queries(client, url)
    for year in range(2016, 2025):
        with unit_of_work():
            record_figures(firm, year, {"revenue": Decimal(year)}, act=act())
    client.get(url)

    assert queries(client, url) == one
