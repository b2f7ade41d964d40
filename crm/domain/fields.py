"""Every field of the product, declared once: forms, sheets, facts, changes, filters and permissions read it here."""

from collections.abc import Iterator

from crm.domain.field import Field
from crm.domain.figure_fields import figure_fields
from crm.domain.viewers import INTERNAL

# Closed lists that are part of the product's meaning. Open lists (featured industries …) are dated dictionaries.
CHOICES: dict[str, dict[str, str]] = {
    "subject_type": {
        "company": "公司",
        "sole_proprietorship": "个人独资企业",
        "partnership": "合伙企业",
        "cooperative": "农民专业合作社",
        "self_employed": "个体工商户",
        "branch": "分公司",
        "institution": "事业单位",
    },
    "status": {
        "active": "存续",
        "suspended": "停产歇业",
        "lost": "失联",
        "licence_revoked": "吊销",
        "liquidating": "清算破产",
        "deregistered": "注销",
        "moved_in": "迁入",
        "moved_out": "迁出",
    },
    "source": {"local": "本地", "attracted": "引进"},
    "hightech_field": {
        "1": "电子信息",
        "2": "生物与新医药",
        "3": "航空航天",
        "4": "新材料",
        "5": "高技术服务",
        "6": "新能源与节能",
        "7": "资源与环境",
        "8": "先进制造与自动化",
    },
    "title_kind": {
        "cq_tech": "科技型企业（市库）",
        "tech_sme": "科技型中小企业",
        "innovative_sme": "创新型中小企业",
        "tech_innovative_sme": "科技和创新型中小企业",
        "hnte": "高新技术企业",
        "srdi": "专精特新中小企业",
        "little_giant": "专精特新“小巨人”企业",
    },
    "end_reason": {
        "not_renewed": "期满未续",
        "cancelled": "取消资格",
        "revoked": "撤销登记编号",
        "relocated": "整体迁移",
        "deregistered": "企业注销",
        "merged": "合并分立",
        "withdrawn": "主动放弃",
    },
    "ip_class": {"1": "Ⅰ类", "2": "Ⅱ类"},
    "ip_kind": {
        "invention": "发明专利",
        "plant_variety": "植物新品种",
        "national_crop": "国家级农作物品种",
        "national_drug": "国家新药",
        "tcm_protected": "国家一级中药保护品种",
        "ic_layout": "集成电路布图设计专有权",
        "utility_model": "实用新型",
        "design": "外观设计",
        "software": "软件著作权",
    },
    "ip_obtained": {"own": "自主研发", "transferred": "受让", "gift": "受赠", "acquired": "并购"},
    "high_value_reason": {
        "strategic": "战略性新兴产业",
        "family": "海外有同族专利",
        "maintained": "维持超过 10 年",
        "pledged": "实现质押融资",
        "awarded": "获国家科技奖或专利奖",
    },
    "service_kind": {
        "visit": "走访",
        "phone": "电话",
        "training": "培训",
        "request": "诉求",
        "material": "材料辅导",
        "other": "其他",
    },
    "pool_class": {"key": "重点", "long_term": "中长期"},
    "rd_institution_level": {
        "none": "无",
        "county": "市级以下",
        "city": "市级",
        "province": "省部级",
        "state": "国家级",
    },
    "standard_level": {"none": "无", "industry": "行业标准", "national": "国家标准", "international": "国际标准"},
    "main_product_area": {
        "strength": "补短板、锻长板或填补空白",
        "base": "六基领域、老字号或为龙头配套",
        "other": "其他",
    },
    "industry_chain": {
        "six_bases": "工业六基",
        "traditional": "传统产业升级关键环节",
        "emerging": "新兴产业链关键环节",
        "future": "未来产业链关键环节",
        "none": "不在其中",
    },
    "collection_method": {"audited": "查账征收", "assessed": "核定征收"},
    "sme_industry": {
        "agriculture": "农、林、牧、渔业",
        "industry": "工业",
        "construction": "建筑业",
        "wholesale": "批发业",
        "retail": "零售业",
        "transport": "交通运输业",
        "warehousing": "仓储业",
        "postal": "邮政业",
        "accommodation": "住宿业",
        "catering": "餐饮业",
        "information": "信息传输业",
        "software": "软件和信息技术服务业",
        "real_estate": "房地产开发经营",
        "property": "物业管理",
        "leasing": "租赁和商务服务业",
        "other": "其他未列明行业",
    },
}


# A field stands on a line or two, so that the declarations read as a table.
# fmt: off


def _enterprise() -> Iterator[Field]:
    f = "enterprise"
    yield Field(f, "name", "企业名称", length=120, required=True, owner="市场监管局",
                aliases=("单位名称", "公司名称", "企业全称", "名称", "申报单位", "现名称"))
    yield Field(f, "credit_code", "统一社会信用代码", "code", length=18, owner="市场监管局", basis="GB 32100-2015",
                aliases=("信用代码", "社会信用代码", "统一代码", "组织机构代码", "18位社会信用代码"))
    yield Field(f, "old_number", "原注册号", "code", length=15, owner="市场监管局",
                aliases=("工商注册号", "注册号", "15位注册号"))
    yield Field(f, "former_name", "曾用名", length=120, owner="市场监管局", aliases=("原名称", "变更前名称"))
    yield Field(f, "subject_type", "主体类型", "choice", choices="subject_type",
                aliases=("企业类型", "企业性质", "市场主体类型"))
    yield Field(f, "industry_code", "国民经济行业", "industry", length=5, basis="GB/T 4754-2017",
                aliases=("行业代码", "行业小类", "国民经济行业代码", "所属行业"))
    yield Field(f, "featured_industry", "特色产业", "choice", choices="featured_industry",
                aliases=("产业", "主导产业", "所属产业"))
    yield Field(f, "hightech_field", "高新技术领域", "choice", choices="hightech_field",
                basis="国科发火〔2016〕32号 附件", aliases=("技术领域", "技术领域一级", "所属领域", "八大领域"))
    yield Field(f, "registered_on", "成立日期", "date", owner="市场监管局",
                aliases=("注册日期", "成立时间", "注册时间", "登记日期"))
    yield Field(f, "capital", "注册资本", "money", unit="元", minimum=0, owner="市场监管局", aliases=("注册资金",))
    yield Field(f, "legal_person", "法定代表人", length=60, cls=INTERNAL, aliases=("法人代表", "法人", "负责人"))
    yield Field(f, "contact_name", "联系人", length=60, cls=INTERNAL, aliases=("企业联系人", "经办人"))
    yield Field(f, "contact_phone", "联系电话", "code", length=40, cls=INTERNAL,
                aliases=("电话", "手机", "联系人电话", "手机号"))
    yield Field(f, "address", "地址", length=200,
                aliases=("注册地址", "企业注册地", "实际经营地址", "详细地址", "住所"))
    yield Field(f, "main_product", "主导产品（服务）", length=200, aliases=("主要产品", "主导产品", "主营产品"))
    yield Field(f, "source", "来源", "choice", choices="source", owner="bureau", aliases=("引进或本地",))
    yield Field(f, "notes", "备注", "long_text", length=2000, cls=INTERNAL, blank="leave", owner="bureau",
                aliases=("说明",))
    # Dated affiliations. On a sheet they stand beside the other columns; in the database each has its own dated rows.
    yield Field(f, "township", "乡镇（考核）", "region", owner="bureau",
                aliases=("乡镇", "所属乡镇", "乡镇（街道）", "乡镇街道", "街道", "所在乡镇", "行政区域", "考核乡镇"))
    yield Field(f, "township_registered", "乡镇（注册）", "region", aliases=("注册乡镇",))
    yield Field(f, "township_operating", "乡镇（经营）", "region", aliases=("经营乡镇",))
    yield Field(f, "township_tax", "乡镇（纳税）", "region", aliases=("纳税乡镇",))
    yield Field(f, "park", "园区", "park", owner="bureau", aliases=("所属园区", "园区/组团"))
    yield Field(f, "carrier", "载体", "carrier", owner="bureau", aliases=("孵化载体", "所属载体"))
    yield Field(f, "manager", "服务专员", "person", owner="bureau",
                aliases=("专员", "包联专员", "负责专员", "联系专员"))
    yield Field(f, "above_scale", "规上", "yes_no", owner="统计局", aliases=("是否规上", "是否规上企业", "规上企业"))
    yield Field(f, "status", "存续状态", "choice", choices="status", owner="市场监管局",
                aliases=("经营状态", "登记状态", "企业状态"))
    yield Field(f, "abnormal", "经营异常", "yes_no", owner="市场监管局", aliases=("经营异常名录",))
    yield Field(f, "dishonest", "严重违法失信", "yes_no", owner="市场监管局", aliases=("失信", "严重失信"))


def _qualification() -> Iterator[Field]:
    f = "qualification"
    b = "bureau"
    yield Field(f, "kind", "资格种类", "choice", choices="title_kind", required=True, owner=b,
                aliases=("称号", "资格", "认定类型", "资质类型", "资格名称", "资格类型", "认定资格", "称号名称",
                         "资质名称", "认定类别", "资格类别"))
    yield Field(f, "number", "编号", "code", length=40, owner=b,
                aliases=("证书编号", "入库登记编号", "登记编号", "入库编号", "评价编号"))
    yield Field(f, "batch", "批次", length=60, owner=b, aliases=("认定批次", "入库批次"))
    yield Field(f, "document", "公告文号", length=200, owner=b, aliases=("文号", "依据文件", "公告文件"))
    yield Field(f, "publicity_on", "公示日期", "date", owner=b, aliases=("公示时间",))
    yield Field(f, "announced_on", "公告日期", "date", owner=b,
                aliases=("公告时间", "入库日期", "入库时间", "认定日期", "认定时间"))
    yield Field(f, "cohort_year", "认定年度", "year", owner=b, minimum=2000, maximum=2100,
                aliases=("年度", "认定年份", "入库年度"))
    yield Field(f, "issued_on", "发证日期", "date", owner=b, aliases=("发证时间",))
    yield Field(f, "valid_from", "有效期起", "date", owner=b, aliases=("有效期自", "有效期开始"))
    yield Field(f, "valid_to", "有效期止", "date", owner=b, aliases=("有效期至", "到期日期", "有效期截止", "到期时间"))
    yield Field(f, "ended_on", "终止日期", "date", owner=b, aliases=("取消日期", "撤销日期"))
    yield Field(f, "end_reason", "终止原因", "choice", choices="end_reason", owner=b, aliases=("取消原因", "异动情况"))
    yield Field(f, "note", "说明", length=500, cls=INTERNAL, owner=b)


def _intellectual_property() -> Iterator[Field]:
    f = "intellectual_property"
    yield Field(f, "name", "名称", length=200, required=True, aliases=("知识产权名称", "专利名称"))
    yield Field(f, "ip_class", "类别", "choice", choices="ip_class", basis="115号 第九条（五）", aliases=("Ⅰ类/Ⅱ类",))
    yield Field(f, "kind", "种类", "choice", choices="ip_kind", required=True, aliases=("知识产权类型", "专利类型"))
    yield Field(f, "number", "授权号", "code", length=60, aliases=("专利号", "登记号", "证书号"))
    yield Field(f, "granted_on", "授权日期", "date", aliases=("授权公告日", "登记日期"))
    yield Field(f, "obtained", "取得方式", "choice", choices="ip_obtained", aliases=("获得方式",))
    yield Field(f, "transferred_on", "转让日期", "date")
    yield Field(f, "expires_on", "保护期止", "date")
    yield Field(f, "supports_main_product", "与主要产品相关", "yes_no", basis="115号 第七条")
    yield Field(f, "disputed", "有权属争议", "yes_no", basis="115号 第七条")
    yield Field(f, "high_value_reason", "高价值理由", "choice", choices="high_value_reason")
    yield Field(f, "holder_rank", "权利人位次", "count", unit="位", minimum=1, maximum=100,
                aliases=("权利人排名", "专利权人位次"), basis="2号 附件3：前三位权利人；195号：共有的限一家使用")
    yield Field(f, "in_use", "已实际应用", "yes_no", basis="2号：与主导产品相关并实际应用")
    yield Field(f, "economic_benefit", "产生经济效益", "yes_no", basis="2号：应用并产生经济效益")
    yield Field(f, "used_in_year", "已用于高企认定（年度）", "year", minimum=2008, maximum=2100,
                basis="195号：Ⅱ类仅限使用一次")


def _service_log() -> Iterator[Field]:
    f = "service_log"
    yield Field(f, "happened_on", "日期", "date", INTERNAL, required=True, owner="bureau",
                aliases=("走访日期", "服务日期", "时间"))
    yield Field(f, "kind", "方式", "choice", INTERNAL, choices="service_kind", required=True, owner="bureau",
                aliases=("服务方式", "类型"))
    yield Field(f, "text", "内容", "long_text", INTERNAL, length=4000, required=True, owner="bureau",
                aliases=("服务内容", "走访内容", "走访记录", "情况"))
    yield Field(f, "author_name", "记录人", length=60, cls=INTERNAL, owner="bureau",
                aliases=("走访人", "服务人", "专员姓名", "服务人员"))
    yield Field(f, "next_step", "下一步", length=300, cls=INTERNAL, owner="bureau", aliases=("下步工作", "后续工作"))
    yield Field(f, "next_step_on", "下一步期限", "date", INTERNAL, owner="bureau", aliases=("下一步日期", "完成时限"))


def _pool_membership() -> Iterator[Field]:
    f = "pool_membership"
    b = "bureau"
    yield Field(f, "year", "入库年度", "year", required=True, owner=b, minimum=2000, maximum=2100)
    yield Field(f, "pool_class", "类别", "choice", choices="pool_class", required=True, owner=b)
    yield Field(f, "proposed_on", "拟入库日期", "date", owner=b)
    yield Field(f, "decided_on", "决定日期", "date", owner=b)
    yield Field(f, "meeting", "会议", length=120, owner=b)
    yield Field(f, "document", "文号", length=120, owner=b)
    yield Field(f, "entered_on", "入库日期", "date", owner=b)
    yield Field(f, "left_on", "出库日期", "date", owner=b)
    yield Field(f, "leave_reason", "出库原因", length=200, owner=b)
    yield Field(f, "planned_year", "拟申报年度", "year", owner=b, minimum=2000, maximum=2100)
    yield Field(f, "planned_batch", "拟申报批次", length=40, owner=b)
    yield Field(f, "reason", "列入理由", length=200, owner=b)


def _request() -> Iterator[Field]:
    f = "request"
    yield Field(f, "raised_on", "提出日期", "date", INTERNAL, required=True, owner="bureau")
    yield Field(f, "category", "类别", "choice", INTERNAL, choices="request_category", required=True, owner="bureau")
    yield Field(f, "text", "诉求内容", "long_text", INTERNAL, length=2000, required=True, owner="enterprise")
    yield Field(f, "platform_number", "平台编号", "code", INTERNAL, length=60, owner="bureau",
                basis="企业吹哨·部门报到")
    yield Field(f, "transferred_on", "转平台日期", "date", INTERNAL, owner="bureau")
    yield Field(f, "dispatched_on", "交办日期", "date", INTERNAL, owner="bureau")
    yield Field(f, "due_on", "回复期限", "date", INTERNAL, owner="bureau")
    yield Field(f, "reply", "回复", "long_text", INTERNAL, length=2000, owner="unit")
    yield Field(f, "replied_on", "回复日期", "date", INTERNAL, owner="unit")
    yield Field(f, "replied_by", "回复人", length=60, cls=INTERNAL, owner="unit")
    yield Field(f, "rating", "企业评价", "count", INTERNAL, unit="分", minimum=1, maximum=5, owner="enterprise")
    yield Field(f, "rating_note", "评价说明", length=500, cls=INTERNAL, owner="enterprise")
    yield Field(f, "closed_on", "办结日期", "date", INTERNAL, owner="bureau")
    yield Field(f, "close_reason", "办结说明", length=300, cls=INTERNAL, owner="bureau")


def _comment() -> Iterator[Field]:
    yield Field("comment", "text", "批注", "long_text", INTERNAL, length=2000, required=True, owner="bureau")


# fmt: on

FIELDS: dict[str, Field] = {
    field.key: field
    for group in (
        _enterprise,
        _qualification,
        figure_fields,
        _intellectual_property,
        _service_log,
        _pool_membership,
        _request,
        _comment,
    )
    for field in group()
}

# Fields of an enterprise that live as dated rows of their own (store: affiliation); the key is the affiliation's kind.
AFFILIATIONS: tuple[str, ...] = (
    "township",
    "township_registered",
    "township_operating",
    "township_tax",
    "park",
    "carrier",
    "manager",
    "above_scale",
    "status",
    "abnormal",
    "dishonest",
)


def fields_of(noun: str) -> list[Field]:
    """The fields of one noun in the order of declaration."""
    return [field for field in FIELDS.values() if field.noun == noun]


def field_of(noun: str, code: str) -> Field:
    """One field; raises KeyError with the full key when it was never declared."""
    return FIELDS[f"{noun}.{code}"]
