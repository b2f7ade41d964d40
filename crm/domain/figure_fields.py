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


def _score(code: str, label: str, highest: int, basis: str) -> Field:
    return Field("figures", code, label, "count", CONFIDENTIAL, unit="分", owner="bureau", minimum=0, maximum=highest,
                 basis=basis)


def _rank(code: str, label: str, basis: str, *aliases: str) -> Field:
    return Field("figures", code, label, "count", CONFIDENTIAL, unit="名", minimum=1, maximum=100_000, aliases=aliases,
                 basis=basis)


def _day(code: str, label: str, basis: str) -> Field:
    return Field("figures", code, label, "date", CONFIDENTIAL, basis=basis)


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
    yield Field("figures", "innovation_score", "创新能力评分（专家）", "count", CONFIDENTIAL, unit="分", owner="bureau",
                minimum=0, maximum=100, basis="32号 第十一条（七）")
    yield from _hnte_score()
    yield from _recognition()
    yield Field("figures", "source_note", "数据来源说明", length=200, cls=CONFIDENTIAL, blank="leave")


def _hnte_score() -> Iterator[Field]:
    # The parts of the innovation-capability score as experts gave them; bands with ranges are left to the comparison.
    yield _score("score_technology", "评分：技术的先进程度", 8, "195号 三（七）1")
    yield _score("score_core_support", "评分：对主要产品的核心支持作用", 8, "195号 三（七）1")
    yield _score("score_ip_number", "评分：知识产权数量", 8, "195号 三（七）1")
    yield _score("score_ip_obtained", "评分：知识产权获得方式", 6, "195号 三（七）1")
    yield _score("score_standard", "评分：参与编制标准（加分）", 2, "195号 三（七）1")
    yield Field("figures", "conversions_average", "科技成果转化年均数（近三年）", "number", CONFIDENTIAL, unit="项",
                minimum=0, maximum=10_000, basis="195号 三（七）2：同一成果转化多次只计一次")
    yield _score("score_conversion", "评分：科技成果转化能力", 30, "195号 三（七）2")
    yield _score("score_rd_system", "评分：研发制度、核算体系与辅助账", 6, "195号 三（七）3")
    yield _score("score_rd_institution", "评分：研发机构、条件与产学研", 6, "195号 三（七）3")
    yield _score("score_rd_incentive", "评分：转化激励与创新创业平台", 4, "195号 三（七）3")
    yield _score("score_rd_talent", "评分：人才培养、引进与绩效", 4, "195号 三（七）3")
    yield _score("score_net_assets_growth", "评分：净资产增长率", 10, "195号 三（七）4")
    yield _score("score_sales_growth", "评分：销售收入增长率", 10, "195号 三（七）4")
    # Scopes of 高企 that differ from the figures of the same name.
    yield _people("staff_count_hnte", "职工总数（高企口径）", "高企职工总数", basis="195号 三（四）：全年月平均")
    yield _money("main_hightech_income", "主要产品（服务）收入（高企口径）", "主要产品收入",
                 basis="195号 三（三）：超过高新技术产品（服务）收入的 50%")
    yield _money("rd_external_hnte", "委托外部研发费用（全额）", "委托外部研发费用",
                 basis="195号 三（五）：按 80% 计入")
    yield _money("rd_other_hnte", "其他研发费用（高企口径）", basis="195号 三（五）：不超过研发费用的 20%")
    # 365 days before the application, and never the calendar year: the day counts, not only that it happened.
    yield _day("accident_on", "重大安全、重大质量事故日期（当年最近一次）", "32号 第十一条（八）：申请前 365 天内")
    yield _day("env_violation_on", "严重环境违法日期（当年最近一次）", "32号 第十一条（八）：申请前 365 天内")


def _recognition() -> Iterator[Field]:
    yield _yes_no("innovation_demonstration", "国家级技术创新示范企业", "技术创新示范企业", basis="63号 附件1")
    yield _yes_no("ip_demonstration", "知识产权优势或示范企业", "知识产权示范企业", "知识产权优势企业",
                  basis="63号 附件1")
    yield _rank("national_award_rank", "近三年国家级科技奖励最好排名", "63号 附件2；2号：排名前三、前五")
    yield _rank("provincial_award_rank", "近三年省部级科技奖励最好排名", "2号；63号 附件2：排名前三")
    yield _rank("maker_china_rank", "“创客中国”全国名次", "63号 附件2、附件3：500 强、50 强", "创客中国名次")
    yield _rank("market_share_rank", "主导产品全国市场占有率排名", "2号 附件2：全国前三", "市场占有率排名")
    yield _yes_no("market_leading", "主导产品市场占有率较为靠前", basis="2号：专精特新条件五")
    yield Field("figures", "main_product_area", "主导产品领域", "choice", CONFIDENTIAL, choices="main_product_area",
                basis="63号 附件2")
    yield Field("figures", "industry_chain", "产业链位置", "choice", CONFIDENTIAL, choices="industry_chain",
                aliases=("产业链关键环节",), basis="2号 附件2：六基或产业链关键环节")
    yield _yes_no("quality_award", "获省级以上质量奖", "质量奖", basis="63号 附件2")
    yield _yes_no("quality_certified", "通过管理体系认证", "体系认证", basis="63号 附件2、附件3")
    yield _yes_no("certified_abroad", "产品通过国外认证", basis="63号 附件3")
    yield _yes_no("own_brand", "有自主品牌", "自主品牌", basis="63号 附件2、附件3")
    yield _yes_no("core_business_online", "核心业务采用信息系统支撑", basis="63号 附件3")
    yield _yes_no("single_champion", "已是制造业单项冠军", "单项冠军", basis="117号")
    yield _yes_no("group_has_little_giant", "受小巨人控股，或集团内小巨人产品相近", basis="117号")
    # Three years back for 专精特新 and 小巨人; 较大 is a lower bar than the 重大 of 科小 and 高企.
    yield _yes_no("had_production_accident", "发生较大以上生产安全事故", "较大生产安全事故", basis="2号 附件3")
    yield _yes_no("had_data_incident", "发生重大网络和数据安全事件", "网络和数据安全事件", basis="2号 附件3")
    yield _yes_no("had_quality_problem", "发生严重质量问题", "严重质量问题", basis="2号 附件3")
    yield _yes_no("had_data_fraud", "申报数据造假", "数据造假", basis="2号 附件3；160号；117号：三年内不得申报")
    yield _yes_no("pays_income_tax", "缴纳企业所得税", basis="67号；32号 第十条")
    yield _yes_no("rd_cost_traceable", "能准确归集研发费用", basis="67号")
    yield Field("figures", "collection_method", "企业所得税征收方式", "choice", CONFIDENTIAL,
                choices="collection_method", basis="财税〔2015〕119号：核定征收不能加计扣除")
    yield _money("negative_list_income", "负面清单行业主营业务收入", basis="财税〔2015〕119号：占收入总额 50% 以上")
    yield _yes_no("on_120_list", "列入集成电路或工业母机企业清单", basis="2023年第44号：加计扣除 120%")
    yield _yes_no("construction_qualified", "有资质等级的建筑业企业", basis="国家统计局：资质内建筑业")


# fmt: on
