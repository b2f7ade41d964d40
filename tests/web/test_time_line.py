"""The time line of titles: windows beside or under the bars, labels only where they fit and never across today."""

from datetime import UTC, date, datetime

import pytest

from crm.domain.periods import TitleFact
from crm.domain.rounds import Round
from crm.web.enterprises import titles

ON = date(2026, 11, 25)


def certificate(start: date, end: date, kind: str = "hnte") -> TitleFact:
    given = {"kind": kind, "announced_on": start, "issued_on": start, "valid_from": start, "valid_to": end}
    blank = dict.fromkeys(TitleFact.__dataclass_fields__)
    return TitleFact(**(blank | {"id": 1, "cohort_year": start.year} | given))


def window(opens: date, closes: date, *, kind: str = "hnte", status: str = "expected") -> Round:
    due = datetime(closes.year, closes.month, closes.day, 16, tzinfo=UTC)
    return Round(kind, opens.year, "第一批", opens, due, None, closes, None, status)


SPRING = window(date(2027, 3, 18), date(2027, 5, 16))
VALID = certificate(date(2025, 11, 16), date(2028, 11, 15))
OVER = certificate(date(2023, 10, 26), date(2026, 1, 10))


def line_of(facts, rounds):
    return titles.time_line(facts, [], [], rounds, {"hnte": "valid"}, ON)


def row_of(drawing):
    return next(row for row in drawing["rows"] if row["kind"] == "hnte")


def test_a_window_inside_a_valid_title_stands_on_a_line_of_its_own(sqlite_app):
    drawn = row_of(line_of([VALID], [SPRING]))

    assert [bar["style"] for bar in drawn["bars"]][:1] == ["fc"]
    assert (drawn["window"]["text"], drawn["window"]["beside"]) == ("预计窗口 2027-03", False)


def test_a_window_after_the_last_title_stands_behind_it(sqlite_app):
    drawn = row_of(line_of([OVER], [SPRING]))

    ends = max(bar["x"] + bar["width"] for bar in drawn["bars"])
    assert drawn["window"]["beside"] is True
    assert drawn["window"]["x"] >= ends


def test_an_announced_window_is_no_expected_one(sqlite_app):
    announced = window(date(2027, 3, 18), date(2027, 5, 16), status="announced")

    assert row_of(line_of([OVER], [announced]))["window"]["text"] == "申报窗口 2027-03"


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("facts", [[VALID], [OVER]], ids=["valid", "over"])
def test_the_label_of_a_window_always_has_room(sqlite_app, facts, month):
    line = line_of(facts, [window(date(2027, month, 10), date(2027, month, 25))])

    for drawing, width in ((line, titles.WIDE_PX), (line["narrow"], titles.NARROW_PX)):
        row = row_of(drawing)
        box = row.get("window", {})
        room = (100 - box.get("x", 0) - box.get("width", 0)) / 100 * width
        said = [text for text in (box.get("text"), row.get("note")) if text]
        assert len(said) == 1
        assert "note" in row or room >= len(said[0]) * titles.CHARACTER_PX


def test_the_phone_shows_the_two_years_around_today(sqlite_app):
    narrow = line_of([VALID], [SPRING])["narrow"]

    assert [text for _, text in narrow["years"]] == ["", "2026", "2027"][-len(narrow["years"]) :]
    assert 40 < narrow["today"] < 60


@pytest.mark.parametrize("wide", [True, False], ids=["wide", "phone"])
def test_no_label_of_a_bar_crosses_today_or_its_end(sqlite_app, wide):
    facts = [OVER, VALID, certificate(date(2026, 6, 1), date(2027, 3, 31), "tech_sme")]
    line = line_of(facts, [SPRING])
    drawing, width = (line, titles.WIDE_PX) if wide else (line["narrow"], titles.NARROW_PX)

    for bar in [bar for row in drawing["rows"] for bar in row["bars"] if bar.get("text")]:
        ends = bar["x"] + sum(13 if ord(c) > 0x2E80 else 7.4 for c in bar["text"]) / width * 100
        assert ends <= bar["x"] + bar["width"]
        assert not bar["x"] < drawing["today"] < ends
