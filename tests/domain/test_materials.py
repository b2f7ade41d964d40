"""The checklist of materials: what counts, what is offered, how complete it is, and what is told once."""

from datetime import date

import pytest

from crm.domain.kinds import KINDS
from crm.domain.materials import (
    Checklist,
    Completeness,
    Evidence,
    Item,
    completeness,
    judge,
    missing_sentences,
    notice_text,
)
from crm.domain.periods import Citation
from crm.rules.loader import RuleFileError, parse
from crm.rules.materials import load_checklists

ON = date(2026, 4, 20)
FORM = Item("form", "申请书", fresh_from=(0, 1, 1), carries=False)
LICENCE = Item("licence", "营业执照", note="复印件")
AUDIT = Item("audit", "审计报告", check="最近一年的补上")
ISO = Item("iso", "体系证书", required=False)
CITED = Citation("195号", "二（三）", "原文", "A", ON, False)
LIST = Checklist(("hnte",), (FORM, LICENCE, AUDIT, ISO), date(2016, 1, 1), None, CITED)


def states(*evidence, former=(), on=ON):
    return judge(LIST, evidence, former, year=2026, on=on)


def short(found):
    return {one.item.code: one.state for one in found}


def test_what_is_required_present_expired_and_waived_is_told_apart():
    found = states(
        Evidence("form", "present", 2026, dated_on=date(2026, 4, 1)),
        Evidence("licence", "present", 2026, expires_on=date(2026, 4, 19)),
        Evidence("audit", "waived", 2026, waived_reason="成立不满一年"),
    )

    assert short(found) == {"form": "present", "licence": "expired", "audit": "waived", "iso": "missing"}
    assert [one.why for one in found][1:3] == ["有效期到 2026-04-19，已过", "成立不满一年"]
    assert completeness(found) == Completeness(required=3, present=1, waived=1, expired=1)
    assert completeness(found).percent == 66
    assert completeness(found).words == "必交 3 项：已有 1 项，免交 1 项，缺 1 项（其中过期 1 项）。"


def test_a_piece_is_there_on_its_last_day_and_expired_the_day_after():
    piece = Evidence("licence", "present", 2026, expires_on=ON)

    assert short(states(piece))["licence"] == "present"
    assert short(states(piece, on=date(2026, 4, 21)))["licence"] == "expired"


def test_a_form_of_last_year_belongs_to_the_last_cycle_even_when_it_was_recorded_here():
    found = states(Evidence("form", "present", 2026, dated_on=date(2025, 12, 31)))

    assert (found[0].state, found[0].why) == ("expired", "日期 2025-12-31，2026 年申报要 2026-01-01 以后的")


def test_a_former_piece_is_offered_and_counts_only_when_it_was_confirmed():
    former = (
        Evidence("audit", "present", 2025, dated_on=date(2025, 3, 1), material_id=8),
        Evidence("audit", "present", 2024, dated_on=date(2024, 3, 1), material_id=5),
        Evidence("form", "present", 2025, dated_on=date(2025, 3, 1), material_id=9),
        Evidence("licence", "present", 2025, expires_on=date(2026, 1, 1), material_id=7),
        Evidence("iso", "waived", 2025, material_id=6),
    )

    found = {one.item.code: one for one in states(former=former)}

    assert found["audit"].offer.material_id == 8
    assert [found[code].offer for code in ("form", "licence", "iso")] == [None, None, None]
    assert completeness(found.values()).percent == 0


def test_what_is_asked_if_there_is_any_changes_no_percentage():
    bare = states()
    rich = states(Evidence("iso", "present", 2026))

    assert completeness(bare) == completeness(rich)
    assert completeness([one for one in bare if not one.item.required]).percent == 100


def test_the_notice_names_everything_required_once_and_by_when():
    found = states(Evidence("licence", "present", 2026, expires_on=date(2026, 4, 1)))
    sentences = missing_sentences(found)

    assert sentences == [
        "申请书。",
        "营业执照（复印件）：有效期到 2026-04-01，已过，须换新的。",
        "审计报告。",
    ]
    text = notice_text(
        "甲公司",
        "高新技术企业",
        "2026 年第一批",
        sentences,
        mend_by="5 月 16 日 12:00",
        office="县科技局",
        on="4 月 20 日",
    )
    assert "材料还缺以下 3 项，现一次性告知" in text
    assert "3. 审计报告。" in text
    assert "须于 5 月 16 日 12:00 前补齐" in text


def test_a_complete_list_is_told_as_complete():
    assert "必交材料已齐" in notice_text("甲公司", "高企", "2026 年", [], mend_by="", office="科技局", on="4 月 20 日")


def test_every_kind_has_a_checklist_that_says_where_it_is_from():
    for kind in KINDS:
        found = load_checklists().of(kind, date(2026, 12, 31))
        assert any(item.required for item in found.items)
        assert found.citation.document


SLIPS = [
    ('name = "甲"', "code must be a word"),
    ('code = "a"', "name is missing"),
    ('code = "a"\nname = "甲"\nfresh_from = "13-01"', "fresh_from must be a day like 05-31"),
    ('code = "a"\nname = "甲"\nfresh_from = "01-01"\nyears_back = -1', "years_back must be a whole number"),
]


@pytest.mark.parametrize(("item", "said"), SLIPS, ids=[said for _, said in SLIPS])
def test_a_slip_in_a_checklist_is_named_with_its_place(item, said, monkeypatch):
    head = 'kinds = ["hnte"]\nvalid_from = 2016-01-01\ndocument = "d"\nclause = "c"\nsource = "s"\nconfidence = "A"\n'
    text = f"[[checklist]]\n{head}checked_on = 2026-11-23\n[[checklist.item]]\n{item}\n"
    monkeypatch.setattr("crm.rules.entries.read", lambda name: parse(text, f"{name}.toml"))

    with pytest.raises(RuleFileError) as slip:
        load_checklists.__wrapped__()

    assert "checklist 1: item 1: " in str(slip.value)
    assert said in str(slip.value)
