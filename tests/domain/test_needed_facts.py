"""Every fact that a national condition asks for is declared, so that a rule set can be written without a new column.

The clauses are those of the national rules in force in 2026, in the order of their documents. What a criterion needs is
either declared or worked out from registers. Left out on purpose: what an office does rather than the enterprise
(expert panels, auditors, windows), local parts that each municipality sets (63号 特色化), and 创新积分, whose
indicators and weights nobody has seen in a document.
"""

import pytest

from crm.domain.facts import DERIVED
from crm.domain.fields import CHOICES, FIELDS
from crm.domain.viewers import CONFIDENTIAL, PUBLIC

# clause → the facts it needs: figures without a noun, everything else in full.
NEEDED: dict[str, str] = {
    # 1. 科技型中小企业
    "115号 第六条（一）注册的居民企业": "enterprise.subject_type enterprise.status",
    "115号 第六条（二）规模": "staff_count sales total_assets",
    "115号 第六条（三）禁止限制淘汰": "restricted_products",
    "115号 第六条（四）上年和当年": "had_major_accident had_env_violation had_research_misconduct was_blacklisted",
    "115号 第七条 科技人员": "sci_staff_sme staff_count",
    "115号 第七条 研发投入": "rd_expense_deduction sales cost_expense",
    "115号 第七条 科技成果": "ip.class1_count ip.class2_count",
    "115号 第九条（五）在有效期、相关、无争议": (
        "intellectual_property.kind intellectual_property.granted_on intellectual_property.expires_on "
        "intellectual_property.supports_main_product intellectual_property.disputed"
    ),
    "115号 第八条 直接确认": "titles.hnte_valid national_award_top3 ministry_rd_institution led_standard",
    "67号 核算与税": "own_accounts rd_cost_traceable pays_income_tax enterprise.industry_code",
    "160号 现场核查情形": (
        "staff_count ip.any_count rd_expense_deduction enterprise.dishonest titles.tech_sme_revoked_3y"
    ),
    "160号 首次参评与造假": "titles.tech_sme_ever had_data_fraud",
    # 2. 高新技术企业
    "32号 第十一条（一）注册 365 天": "enterprise.registered_on",
    "32号 第十一条（二）知识产权": "ip.any_count core_ip_supports_product intellectual_property.obtained",
    "32号 第十一条（三）领域": "in_hightech_field enterprise.hightech_field",
    "32号 第十一条（四）科技人员": "sci_staff_hnte staff_count_hnte",
    "32号 第十一条（五）研发费用": "rd_expense_hnte rd_expense_domestic sales",
    "195号 三（五）委托外部与其他": "rd_external_hnte rd_other_hnte",
    "32号 第十一条（六）收入": "hightech_income total_income main_hightech_income",
    "32号 第十一条（七）评分": "innovation_score",
    "195号 三（七）1 知识产权": (
        "score_technology score_core_support score_ip_number score_ip_obtained score_standard joined_standard"
    ),
    "195号 三（七）2 成果转化": "conversions conversions_average score_conversion",
    "195号 三（七）3 研发组织管理": "score_rd_system score_rd_institution score_rd_incentive score_rd_talent",
    "195号 三（七）4 成长性": "net_assets sales score_net_assets_growth score_sales_growth",
    "32号 第十一条（八）申请前 365 天": "had_major_accident accident_on had_env_violation env_violation_on",
    "195号 Ⅱ类仅用一次、共有限一家": "intellectual_property.used_in_year intellectual_property.holder_rank",
    # 3. 创新型、专精特新、小巨人
    "63号 附件1 直接条件": (
        "provincial_award titles.hnte_valid innovation_demonstration ip_demonstration ministry_rd_institution "
        "equity_financing"
    ),
    "63号 附件1 创新能力": (
        "intellectual_property.high_value_reason intellectual_property.obtained intellectual_property.transferred_on "
        "rd_expense revenue"
    ),
    "63号 附件1 成长性、专业化": (
        "main_revenue total_liabilities total_assets in_strategic_industry main_revenue revenue"
    ),
    "2号 附件1 一 资格与年限": "titles.tech_innovative_sme_valid titles.tech_sme_valid niche_years",
    "2号 附件1 二 规模": "revenue equity_financing main_revenue total_liabilities total_assets",
    "2号 附件1 三 研发": "rd_expense revenue",
    "2号 附件1 四 Ⅰ类知识产权及豁免": (
        "intellectual_property.in_use intellectual_property.economic_benefit intellectual_property.holder_rank "
        "intellectual_property.obtained provincial_award_rank ministry_rd_institution"
    ),
    "2号 附件1 五 市场占有率": "market_share market_leading",
    "2号 附件1 六 平台得分": "platform_score",
    "2号 附件3 主导产品": "main_product_revenue revenue",
    "2号 附件3 近三年": (
        "had_production_accident had_data_incident had_env_violation had_quality_problem had_data_fraud was_blacklisted"
    ),
    "2号 附件3 划型": "sme_industry staff_count revenue total_assets",
    "2号 附件2 小巨人": (
        "titles.srdi_valid niche_years national_award_rank market_share market_share_rank industry_chain platform_score"
    ),
    "117号 不得申报": "single_champion group_has_little_giant had_data_fraud",
    "63号 附件2 评分 专业化": "main_revenue niche_years main_product_area",
    "63号 附件2 评分 精细化": (
        "digital_level quality_award quality_certified own_brand joined_standard net_profit total_liabilities"
    ),
    "63号 附件2 评分 创新": "rd_expense rd_staff_count staff_count rd_institution_level",
    "63号 附件2 直接条件": "national_award_rank provincial_award_rank maker_china_rank",
    "63号 附件3 复核用": "core_business_online quality_certified certified_abroad own_brand rd_institution_level",
    "申报材料 社保人数": "insured_count",
    # 5–7. 划型、规上、加计扣除
    "300号 划型": "sme_industry staff_count revenue total_assets",
    "统计 规上限上": "main_revenue revenue enterprise.industry_code enterprise.above_scale construction_qualified",
    "7号、44号 加计扣除": "rd_expense_deduction collection_method on_120_list",
    "119号 负面清单": "enterprise.industry_code negative_list_income total_income",
}


def keys(said: str) -> list[str]:
    return [key if "." in key else f"figures.{key}" for key in said.split()]


@pytest.mark.parametrize("clause", NEEDED, ids=str)
def test_every_fact_a_national_condition_needs_is_declared(clause):
    assert [key for key in keys(NEEDED[clause]) if key not in FIELDS and key not in DERIVED] == []


def test_every_declared_fact_has_label_class_and_a_list_to_choose_from():
    needed = {key for said in NEEDED.values() for key in keys(said) if key in FIELDS}

    for field in (FIELDS[key] for key in needed):
        assert field.label and field.owner and field.blank in ("leave", "none"), field.key
        assert field.cls == (CONFIDENTIAL if field.noun == "figures" else PUBLIC), field.key
        assert field.noun != "figures" or field.basis or field.code in USUAL, field.key
        assert field.type != "choice" or field.choices in CHOICES, field.key


# Ordinary figures that no clause defines.
USUAL = {"revenue", "rd_expense", "net_profit", "total_liabilities", "insured_count"}


def test_scores_and_ranks_have_bounds_so_that_an_unknown_one_is_a_range():
    bounded = {key: (f.minimum, f.maximum) for key, f in FIELDS.items() if key.startswith("figures.score_")}

    assert sum(highest for _, highest in bounded.values()) == 8 * 3 + 6 + 2 + 30 + 6 + 6 + 4 + 4 + 10 + 10
    assert all(lowest == 0 for lowest, _ in bounded.values())
    assert all(f.minimum == 1 for key, f in FIELDS.items() if key.endswith("_rank"))
