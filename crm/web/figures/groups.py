"""In which groups the yearly figures stand, on the form and in the grid of an enterprise's file."""

FIGURE_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("收入与利润", ("revenue", "sales", "main_revenue", "main_product_revenue", "total_income", "hightech_income",
                    "net_profit", "tax_paid", "equity_financing", "export_revenue")),
    ("费用", ("cost_expense", "rd_expense", "rd_expense_deduction", "rd_expense_hnte", "rd_expense_domestic")),
    ("资产", ("total_assets", "total_liabilities", "net_assets")),
    ("人员", ("staff_count", "sci_staff_sme", "sci_staff_hnte", "rd_staff_count", "insured_count")),
    ("其他指标", ("conversions", "market_share", "platform_score", "niche_years", "digital_level",
                  "rd_institution_level", "sme_industry", "innovation_score")),
    ("合规与声明", ("had_major_accident", "had_env_violation", "had_research_misconduct", "was_blacklisted",
                    "restricted_products", "own_accounts", "national_award_top3", "ministry_rd_institution",
                    "led_standard", "provincial_award", "joined_standard", "core_ip_supports_product",
                    "in_hightech_field", "in_strategic_industry")),
    ("来源", ("source_note",)),
)  # fmt: skip
# What only a comparison asks for; folded away on the form, so that a year of ordinary figures stays a page.
RECOGNITION_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("高企创新能力评分", ("score_technology", "score_core_support", "score_ip_number", "score_ip_obtained",
                          "score_standard", "conversions_average", "score_conversion", "score_rd_system",
                          "score_rd_institution", "score_rd_incentive", "score_rd_talent",
                          "score_net_assets_growth", "score_sales_growth")),
    ("高企口径", ("staff_count_hnte", "main_hightech_income", "rd_external_hnte", "rd_other_hnte", "accident_on",
                  "env_violation_on")),
    ("专精特新类", ("main_product_area", "industry_chain", "market_share_rank", "market_leading",
                          "quality_award", "quality_certified", "certified_abroad", "own_brand",
                          "core_business_online", "single_champion", "group_has_little_giant")),
    ("奖励与示范", ("national_award_rank", "provincial_award_rank", "maker_china_rank", "innovation_demonstration",
                    "ip_demonstration")),
    ("安全与诚信", ("had_production_accident", "had_data_incident", "had_quality_problem", "had_data_fraud")),
    ("税务与统计", ("pays_income_tax", "rd_cost_traceable", "collection_method", "negative_list_income",
                    "on_120_list", "construction_qualified")),
)  # fmt: skip
