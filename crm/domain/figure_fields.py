"""The yearly figures (年度指标) of an enterprise: amounts, people and what is declared for a year."""

from collections.abc import Iterator

from crm.domain.field import Field
from crm.domain.viewers import CONFIDENTIAL

# A field stands on a line or two, so that the declarations read as a table.
# fmt: off


def _money(code: str, label: str, *aliases: str, basis: str = "", minimum: int | None = 0) -> Field:
    return Field("figures", code, label, "money", CONFIDENTIAL, unit="元", minimum=minimum, aliases=aliases,
                 basis=basis)


def _people(code: str, label: str, *aliases: str, basis: str = "") -> Field:
    return Field("figures", code, label, "count", CONFIDENTIAL, unit="人", minimum=0, maximum=1_000_000,
                 aliases=aliases, basis=basis)


def _yes_no(code: str, label: str, *aliases: str, basis: str = "") -> Field:
    return Field("figures", code, label, "yes_no", CONFIDENTIAL, aliases=aliases, basis=basis)


def figure_fields() -> Iterator[Field]:
    """The yearly figures (年度指标) in the order of forms and sheets."""
    # Sales (销售收入) is main plus other business income; total income (总收入) is a tax-law term. They are kept apart.
    yield _money("revenue", "营业收入", "营收", "年营业收入", "上一年营业额", "营业额")
    yield _money("sales", "销售收入", "年销售收入", basis="115号 第九条（四）；195号 三（五）")
    yield _money("main_revenue", "主营业务收入", "主营收入", basis="63号 附件1")
    yield _money("main_product_revenue", "主导产品收入", basis="2号 附件3")
    yield _money("total_income", "总收入", "收入总额", basis="195号 三（六）：收入总额减不征税收入")
    yield _money("hightech_income", "高新技术产品（服务）收入", "高新收入", "高新技术产品收入",
                 basis="32号 第十一条（六）")
    yield _money("cost_expense", "成本费用支出", "成本费用", "成本费用支出总额", basis="115号 第七条")
    # The three scopes of R&D cost differ by rule and are never computed from one another.
    yield _money("rd_expense", "研发费用（会计口径）", "研发费用", "研发投入", "研发支出")
    yield _money("rd_expense_deduction", "研发费用（加计扣除口径）", "加计扣除研发费用",
                 basis="财税〔2015〕119号；115号 第九条（三）")
    yield _money("rd_expense_hnte", "研发费用（高企口径）", "高企研发费用", basis="195号 三（五）")
    yield _money("rd_expense_domestic", "境内研发费用（高企口径）", "境内研发费用", basis="32号 第十一条（五）")
    yield _money("total_assets", "资产总额", "总资产", basis="115号 第六条（二）")
    yield _money("total_liabilities", "负债总额", "总负债")
    yield _money("net_assets", "净资产", "所有者权益", basis="195号 三（七）：资产总额减负债总额", minimum=None)
    yield _money("net_profit", "净利润", minimum=None)
    yield _money("tax_paid", "纳税额", "实缴税金", "上一年纳税额", "纳税总额")
    yield _money("equity_financing", "当年新增股权融资", "股权融资", basis="63号 附件1；2号")
    yield _money("export_revenue", "出口额", "出口创汇")
    yield _people("staff_count", "从业人员", "职工总数", "员工人数", "员工总人数", "从业人数", "职工人数",
                  basis="115号 第六条（二）")
    # Three people definitions: 6 months for 科小, 183 days for 高企, R&D staff for 专精特新.
    yield _people("sci_staff_sme", "科技人员（科小口径）", "科技人员", basis="115号 第九条（一）：当年累计 6 个月以上")
    yield _people("sci_staff_hnte", "科技人员（高企口径）", basis="195号 三（四）：累计 183 天以上")
    yield _people("rd_staff_count", "研发人员", "研发人员数", basis="63号")
    yield _people("insured_count", "年末社保人数", "社保人数")
    yield Field("figures", "conversions", "科技成果转化数", "count", CONFIDENTIAL, unit="项", minimum=0, maximum=10_000,
                basis="195号 三（七）2")
    yield Field("figures", "market_share", "主导产品市场占有率", "ratio", CONFIDENTIAL, minimum=0, maximum=1,
                basis="2号")
    yield Field("figures", "platform_score", "平台发展评价得分", "number", CONFIDENTIAL, unit="分", minimum=0,
                maximum=100, basis="75号，由平台计算")
    yield Field("figures", "niche_years", "细分市场年限", "count", CONFIDENTIAL, unit="年", minimum=0, maximum=200,
                basis="2号")
    yield Field("figures", "digital_level", "数字化水平等级", "count", CONFIDENTIAL, unit="级", minimum=0, maximum=5,
                basis="63号 附件2")
    # Clean record of the year, as declared by the enterprise and checked by the bureau. Yes = it happened.
    yield _yes_no("had_major_accident", "发生重大安全、重大质量事故", "重大事故",
                  basis="115号 第六条（四）；32号 第十一条（八）")
    yield _yes_no("had_env_violation", "发生严重环境违法", "严重环境违法", basis="115号 第六条（四）")
    yield _yes_no("had_research_misconduct", "发生科研严重失信", "科研严重失信", basis="115号 第六条（四）")
    yield _yes_no("was_blacklisted", "列入经营异常或严重违法失信名单", "列入异常或失信名单", basis="115号 第六条（四）")
    yield _yes_no("restricted_products", "产品（服务）属禁止、限制或淘汰类", "禁止限制淘汰类",
                  basis="115号 第六条（三）")
    yield _yes_no("own_accounts", "会计核算健全且实行查账征收", "查账征收", basis="67号")
    # Ways of direct confirmation, and institutions.
    yield _yes_no("national_award_top3", "近五年获国家级科技奖励且排名前三", "国家科技奖前三", basis="115号 第八条")
    yield _yes_no("ministry_rd_institution", "有省部级以上研发机构", "省部级以上研发机构",
                  basis="115号 第八条、第九条（七）")
    yield _yes_no("led_standard", "近五年主导制定国际、国家或行业标准", "主导制定标准",
                  basis="115号 第八条、第九条（六）：前 5 位起草单位")
    yield _yes_no("provincial_award", "近三年获国家级或省级科技奖励", "省级以上科技奖", basis="63号 附件1")
    yield _yes_no("joined_standard", "参与编制标准、检测方法或技术规范", basis="195号 三（七）1")
    yield Field("figures", "rd_institution_level", "研发机构级别", "choice", CONFIDENTIAL,
                choices="rd_institution_level", basis="63号 附件2")
    yield Field("figures", "sme_industry", "划型行业", "choice", CONFIDENTIAL, choices="sme_industry",
                basis="工信部联企业〔2011〕300号")
    yield _yes_no("core_ip_supports_product", "知识产权对主要产品有核心支持作用", basis="32号 第十一条（二）")
    yield _yes_no("in_hightech_field", "核心技术属于国家重点支持的高新技术领域", basis="32号 第十一条（三）")
    yield _yes_no("in_strategic_industry", "主导产品属于战略性新兴产业", basis="63号 附件1")
    yield Field("figures", "innovation_score", "创新能力评分（专家）", "count", CONFIDENTIAL, unit="分", minimum=0,
                maximum=100, basis="32号 第十一条（七）")
    yield Field("figures", "source_note", "数据来源说明", length=200, cls=CONFIDENTIAL, blank="leave")


# fmt: on
