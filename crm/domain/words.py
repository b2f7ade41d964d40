"""How dates, money and states are said: the same words on pages, in mails and on sheets (filters over plain values)."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, NamedTuple

from crm.domain.clock import SHANGHAI
from crm.domain.fields import CHOICES, FIELDS, Field
from crm.domain.industries import industry_words
from crm.domain.kinds import KINDS, POOL, POOL_KIND, STATES
from crm.domain.materials import MATERIAL_STATES
from crm.domain.relations import KINDS as RELATIONS
from crm.domain.stages import ENDS, STAGES, STEP_KINDS
from crm.domain.viewers import CLASSES, ROLES

BLANK = "未填"
NOT_APPLICABLE = "不适用"
YES, NO = "是", "否"
MINUS = "−"  # the sign of a number, wider than the hyphen of a code
ARROW = "→"

# --- words of closed lists -------------------------------------------------------------------------------------------

ASSESSMENT = "条件比对（预评）"
RULE_SETS: dict[str, str] = {
    "tech_sme": "科技型中小企业",
    "cq_tech": "科技型企业（市库）",
    "innovative_sme": "创新型中小企业",
    "tech_innovative_sme": "科技和创新型中小企业",
    "hnte_pool": "高新技术企业培育库",
    "hnte": "高新技术企业",
    "srdi": "专精特新中小企业",
    "little_giant": "专精特新“小巨人”企业",
    "size_class": "中小企业划型",
    "above_scale": "规模以上",
}
RESULTS: dict[str, str] = {
    "met": "满足",
    "unmet": "不满足",
    "unknown": "未知",
    "needs_person": "需人工",
    "not_applicable": NOT_APPLICABLE,
}
SIZE_CLASSES: dict[str, str] = {"large": "大型", "medium": "中型", "small": "小型", "micro": "微型"}

OBLIGATION_KINDS: dict[str, str] = {
    "hnte_renewal": "高企重新认定申报",
    "hnte_annual_report": "高企年度发展情况报表",
    "torch_flash": "火炬统计快报",
    "torch_annual": "火炬统计年报",
    "tech_sme_round": "科小年度更新",
    "cq_tech_update": "科型年度更新",
    "srdi_review": "专精特新复核",
    "innovative_update": "创新型年度更新",
    "change_report": "更名（重大变化）报告",
    "srdi_update": "专精特新年度更新",
    "hnte_tax_note": "高企到期年度预缴提示",
    "evidence_expiry": "材料到期",
    "application_stage": "申报环节",
    "rd_statistics": "规上研发统计",
    "ip_fee": "专利年费",
    "next_step": "下一步",
    "request": "诉求回复",
    "silence": "久未联系",
}
OBLIGATION_STATES: dict[str, str] = {
    "upcoming": "未开始",
    "open": "待办",
    "urgent": "临近期限",
    "overdue": "逾期",
    "done": "已办结",
    "waived": "免办",
    "lapsed": "已过期",
}
OBLIGATION_CLASSES: dict[str, str] = {
    "upcoming": "na",
    "open": "prog",
    "urgent": "soon",
    "overdue": "bad",
    "done": "ok",
    "waived": "na",
    "lapsed": "laps",
}

# Title states: the words are in kinds.STATES; the class of the pill and the edge of the seal are those of tokens.css.
STATE_CLASSES: dict[str, str] = {
    "valid": "ok",
    "expiring": "soon",
    "awaiting_update": "hold",
    "renewing": "prog",
    "expired_unverified": "hold",
    "lapsed_unrenewed": "laps",
    "revoked": "bad",
    "relocated": "laps",
}
SEAL_CLASSES: dict[str, str] = {
    "valid": "",
    "expiring": "soon",
    "awaiting_update": "pend",
    "renewing": "re",
    "expired_unverified": "gone",
    "lapsed_unrenewed": "gone",
    "revoked": "void",
    "relocated": "gone",
}
POOL_STATES: dict[str, str] = {"proposed": "拟入库", "decided": "已决定", "in_pool": "在库", "out": "已出库"}
TRANSITIONS: dict[str, str] = {
    "advance": "晋层",
    "lapse": "期满未续",
    "revoke": "取消/撤销",
    "relocate": "整体迁移",
    "deregister": "企业注销",
    "renew": "续认",
    "correction": "更正",
    "new_fact": "新事实",
}

IMPORT_OUTCOMES: dict[str, str] = {
    "new": "新增",
    "changed": "变更",
    "same": "相同",
    "conflict": "需决定",
    "duplicate": "重复",
    "unmatched": "未匹配",
    "not_ours": "非本区",
    "error": "错误",
}
IMPORT_STATES: dict[str, str] = {
    "uploaded": "已上传",
    "reading": "读取中",
    "preview": "待确认",
    "committing": "写入中",
    "done": "已导入",
    "undone": "已撤销",
    "refused": "未写入",
    "failed": "失败",
    "cancelled": "已放弃",
}
PROFILES: dict[str, str] = {
    "county_workbook": "县级台账",
    "cq_tech_list": "科技型企业入库名单",
    "tech_sme_list": "科技型中小企业名单",
    "hnte_list": "高新技术企业名单",
    "hnte_notices": "高企公告（更名、取消、异地搬迁）",
    "srdi_list": "专精特新名单",
    "names_only": "只有企业名称的名单",
    "figures": "年度指标",
    "ip": "知识产权",
    "service_logs": "服务记录",
    "generic": "通用企业名单",
    "collection": "采集回表",
}

# Kinds of long work and entries of the timetable.
JOB_KINDS: dict[str, str] = {
    "recompute": "重算梯次和到期事项",
    "digest": "编每周邮件",
    "send_outbox": "发待发消息",
    "put_back_lost_jobs": "找回中断的任务",
    "prune": "清理过期的登录和记录",
    "import_preview": "读取导入文件",
    "import_commit": "写入导入批次",
}
JOB_STATES: dict[str, str] = {
    "queued": "排队中",
    "running": "进行中",
    "done": "已完成",
    "failed": "失败",
    "cancelled": "已取消",
}
MESSAGE_STATES: dict[str, str] = {
    "queued": "待发",
    "sending": "发送中",
    "sent": "已发",
    "written": "已写成文件，未寄出",
    "failed": "未发出",
    "uncertain": "不确定是否送达",
    "cancelled": "不再发送",
}
WINDOW_STATES: dict[str, str] = {"announced": "已公布", "expected": "预计", "assumed": "推定", "closed": "已结束"}
REGION_LEVELS: dict[str, str] = {"city": "市", "county": "区县", "township": "乡镇（街道）"}
DOORS: dict[str, str] = {
    "web": "网页",
    "import": "导入",
    "job": "定时任务",
    "cli": "命令行",
    "demo": "演示数据",
    "api": "接口",
}
NOUNS: dict[str, str] = {
    "region": "区划",
    "unit": "部门",
    "enterprise": "企业",
    "enterprise_alias": "曾用名（旧号）",
    "affiliation": "归属",
    "relation": "关联企业",
    "qualification": "认定（入库）资格",
    "pool_membership": "培育库",
    "figures": "年度指标",
    "intellectual_property": "知识产权",
    "service_log": "服务记录",
    "service_log_enterprise": "服务记录涉及企业",
    "window": "申报窗口",
    "application": "申报",
    "application_review": "区县初审",
    "submission": "报送",
    "submission_file": "报送文件",
    "submission_application": "报送名单",
    "application_step": "申报环节",
    "application_material": "申报材料",
    "application_objection": "公示异议",
    "obligation": "到期事项",
    "obligation_outcome": "到期事项登记",
    "assessment": ASSESSMENT,
    "park": "园区",
    "carrier": "载体",
    "user": "用户",
    "grant": "授权",
    "request": "诉求",
    "comment": "批注",
    "confirmation": "月度确认",
    "absence": "离岗",
    "holiday": "节假日",
    "setting": "设置",
    "dictionary_entry": "词表",
    "import_batch": "导入批次",
    "stored_file": "文件",
    "attachment": "附件",
    "visit_plan": "走访计划",
    "visit_plan_enterprise": "走访计划里的企业",
    "job": "后台任务",
    "message": "待发消息",
    "saved_view": "视图",
    "collection": "采集",
    "collection_enterprise": "采集表",
    "pool_selection": "年度遴选",
}

# How many of what: measure words by noun (design.md §7, count).
MEASURES: dict[str, str] = {
    "enterprise": "家",
    "obligation": "项",
    "intellectual_property": "件",
    "person": "人",
    "user": "人",
    "row": "行",
    "service_log": "条",
    "application": "件",
    "file": "份",
    "day": "天",
    "message": "封",
    "qualification": "项",
    "change": "处",
    "time": "次",
    "request": "件",
    "comment": "条",
    "notice": "条",
}

# What a department may own besides titles: the names of places.REGISTERS.
REGISTERS: dict[str, str] = {"intellectual_property": "知识产权", "award": "奖补兑现"}

WORDS: dict[str, Mapping[str, str]] = {
    "state": STATES,
    "state_class": STATE_CLASSES,
    "seal_class": SEAL_CLASSES,
    "obligation": OBLIGATION_KINDS,
    "obligation_state": OBLIGATION_STATES,
    "obligation_class": OBLIGATION_CLASSES,
    "result": RESULTS,
    "rules": RULE_SETS,
    "size_class": SIZE_CLASSES,
    "outcome": IMPORT_OUTCOMES,
    "import_state": IMPORT_STATES,
    "profile": PROFILES,
    "job_kind": JOB_KINDS,
    "job_state": JOB_STATES,
    "message_state": MESSAGE_STATES,
    "window_state": WINDOW_STATES,
    "pool_state": POOL_STATES,
    "stage": STAGES,
    "application_end": ENDS,
    "application_step_kind": STEP_KINDS,
    "material_state": MATERIAL_STATES,
    "transition": TRANSITIONS,
    "level": REGION_LEVELS,
    "door": DOORS,
    "role": ROLES,
    "field_class": CLASSES,
    "noun": NOUNS,
    "title": {kind.code: kind.name for kind in (*KINDS.values(), POOL_KIND)},
    "title_short": {kind.code: kind.short for kind in (*KINDS.values(), POOL_KIND)},
    "relation": RELATIONS,
    "owned": {kind.code: kind.short for kind in KINDS.values()} | REGISTERS,
    "seal": {kind.code: kind.seal for kind in (*KINDS.values(), POOL_KIND)},
    **CHOICES,
}


def word(code: str | None, table: str) -> str:
    """The Chinese word of a code in one of the tables above; a code nobody named comes back as it stands.

    Raises KeyError when there is no such table, which is a slip in a template and not in the data.
    """
    words = WORDS[table]
    return BLANK if code is None else words.get(code, code)


def seal_label(kind: str, state: str) -> str:
    """What a seal says aloud: title and state, 科技型企业（市库）：临近到期; for the pool its own state."""
    states = POOL_STATES if kind == POOL else STATES
    return f"{word(kind, 'title')}：{states.get(state, state)}"


# --- days and moments ------------------------------------------------------------------------------------------------


def local(moment: datetime) -> datetime:
    """An aware moment on the clocks of the county; raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a moment must know its time zone")
    return moment.astimezone(SHANGHAI)


def _as_day(value: date | datetime | str) -> date:
    """The day of a value; midnight belongs to the day that ends with it, as deadlines are meant."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
    if not isinstance(value, datetime):
        return value
    there = local(value)
    return there.date() - timedelta(days=1) if there.time() == time(0) else there.date()


def _today(now: date | datetime) -> date:
    return local(now).date() if isinstance(now, datetime) else now


def day(value: date | datetime | None, today: date | datetime | None = None) -> str:
    """05-24 in the year of ``today``, else 2027-05-24; 未填 for None."""
    if value is None:
        return BLANK
    d = local(value).date() if isinstance(value, datetime) else value
    return f"{d:%m-%d}" if today is not None and d.year == _today(today).year else d.isoformat()


def day_long(value: date | datetime | None, today: date | datetime | None = None) -> str:
    """As in a sentence: 5 月 24 日, in another year 2028 年 5 月 24 日."""
    if value is None:
        return BLANK
    d = local(value).date() if isinstance(value, datetime) else value
    words = f"{d.month} 月 {d.day} 日"
    return words if today is not None and d.year == _today(today).year else f"{d.year} 年 {words}"


def moment(value: datetime | None, today: date | datetime | None = None) -> str:
    """07-16 12:00 on the clocks of the county, with the year when it is not that of ``today``; 24:00 ends a day."""
    if value is None:
        return BLANK
    there = local(value)
    ends_a_day = there.time() in (time(0), time(23, 59, 59))
    d = _as_day(value)
    with_year = today is not None and d.year != _today(today).year
    return f"{d.isoformat() if with_year else f'{d:%m-%d}'} {'24:00' if ends_a_day else f'{there:%H:%M}'}"


def clock(value: datetime | None) -> str:
    """14:02 on the clocks of the county."""
    return BLANK if value is None else f"{local(value):%H:%M}"


class DaysLeft(NamedTuple):
    """How long there is: the words, and the class of the deadline chip (late, soon, "" or far)."""

    text: str
    css: str


def days_left(due: date | datetime, now: date | datetime) -> DaysLeft:
    """剩 7 天, 今天, 逾期 3 天, counted in calendar days of the county.

    Up to 7 days are ``soon``, up to 60 plain, more are ``far`` (design.md §4, deadline chip). A deadline with an hour
    that has passed today is late.
    """
    left = (_as_day(due) - _today(now)).days
    if left < 0:
        return DaysLeft(f"逾期 {-left} 天", "late")
    if left == 0:
        gone = isinstance(due, datetime) and isinstance(now, datetime) and due < now
        return DaysLeft("今天已过", "late") if gone else DaysLeft("今天", "soon")
    return DaysLeft(f"剩 {left} 天", "soon" if left <= 7 else "" if left <= 60 else "far")


class Deadline(NamedTuple):
    """A deadline chip: days first, date second (with its hour if it has one), and the class."""

    text: str
    date: str
    css: str


def deadline(due: date | datetime, now: date | datetime) -> Deadline:
    """Both cells of a deadline chip; in another year only 2028-08, because the days would say nothing."""
    text, css = days_left(due, now)
    d, today = _as_day(due), _today(now)
    if d.year != today.year and css == "far":
        return Deadline("", f"{d:%Y-%m}", css)
    has_hour = isinstance(due, datetime) and local(due).time() not in (time(0), time(23, 59, 59))
    return Deadline(text, moment(due, today) if has_hour and isinstance(due, datetime) else day(d, today), css)


def week(value: date | datetime) -> str:
    """第 21 周, by ISO 8601."""
    return f"第 {_today(value).isocalendar().week} 周"


def weekday(value: date | datetime) -> str:
    """周一 to 周日."""
    return "周" + "一二三四五六日"[_today(value).weekday()]


def working_days(n: int) -> str:
    """46 个工作日: silence counts working days and says so."""
    return f"{n} 个工作日"


# --- numbers ---------------------------------------------------------------------------------------------------------

MONEY_UNITS: dict[str, int] = {"元": 1, "万元": 10_000, "亿元": 100_000_000}


def _signed(text: str) -> str:
    """A number with the true minus; a rounded zero has no sign."""
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.,%") else MINUS + text[1:]
    return text


def _rounded(value: Decimal | Fraction | int, places: int) -> Decimal:
    """Half up, away from zero, exactly: a fraction never passes through binary."""
    if isinstance(value, Fraction):
        scaled = abs(value) * 10**places
        whole = (scaled.numerator * 2 + scaled.denominator) // (scaled.denominator * 2)
        return Decimal(whole if value >= 0 else -whole).scaleb(-places)
    return Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _exact(value: object) -> Decimal | Fraction:
    if isinstance(value, bool | float):
        raise TypeError("money and ratios are exact: pass Decimal, Fraction, int or text")
    return value if isinstance(value, Decimal | Fraction) else Decimal(str(value))


def money(amount: Decimal | int | str | None, unit: str = "万元") -> str:
    """The number alone, because the unit stands once in the head: 3,770.6 for 37,706,000 元.

    One decimal in 万元 and 亿元, half up; in 元 two decimals only when there are 分. 未填 for None; 0 stays a plain 0.
    Raises KeyError for a unit that is none of 元, 万元, 亿元.
    """
    if amount is None:
        return BLANK
    value = Fraction(_exact(amount)) / MONEY_UNITS[unit]
    if value == 0:
        return "0"
    in_yuan = 0 if value.denominator == 1 else 2
    return _signed(f"{_rounded(value, in_yuan if unit == '元' else 1):,}")


def money_words(amount: Decimal | int | str | None, unit: str = "万元") -> str:
    """Number and unit, as in a sentence: 3,770.6 万元."""
    return BLANK if amount is None else f"{money(amount, unit)} {unit}"


def money_sentence(amount: Decimal | int | str | None) -> str:
    """In 亿元 from one 亿 on, else in 万元."""
    if amount is None:
        return BLANK
    return money_words(amount, "亿元" if abs(Fraction(_exact(amount))) >= MONEY_UNITS["亿元"] else "万元")


def money_gap(amount: Decimal | int | str, unit: str = "万元") -> str:
    """What is short, as a positive amount: 差 41.2 万元."""
    return f"差 {money(abs(Decimal(amount)), unit)} {unit}"


def gap(n: int | Decimal, measure: str) -> str:
    """What is short of something counted: 差 1 人."""
    return f"差 {number(abs(Decimal(n)))} {measure}"


def number(value: Decimal | Fraction | int | str | None, places: int | None = None) -> str:
    """A plain number with thousands commas; as many decimals as it has unless ``places`` says otherwise."""
    if value is None:
        return BLANK
    exact = _exact(value)
    if places is not None:
        return _signed(f"{_rounded(exact, places):,}")
    plain = exact if isinstance(exact, Decimal) else _rounded(exact, 2)
    text = f"{plain:,f}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def ratio(value: Decimal | Fraction | int | str | None) -> str:
    """4.6%: one decimal, half up, from a share of 1."""
    if value is None:
        return BLANK
    return _signed(f"{_rounded(_exact(value) * 100, 1):,}%")


def ratio_needed(value: Decimal | Fraction | int | str) -> str:
    """A threshold without a useless decimal: 5%, 2.5%."""
    return number(_exact(value) * 100) + "%"


def difference(value: Decimal | Fraction | int | str) -> str:
    """+3, −5.5, 0."""
    exact = _exact(value)
    return ("+" if exact > 0 else "") + number(exact)


def count(n: int | None, measure: str = "") -> str:
    """318 家, 47 项: the measure word always, given itself or by the noun that is counted."""
    if n is None:
        return BLANK
    return f"{number(n)} {MEASURES.get(measure, measure)}".rstrip()


def size(n_bytes: int) -> str:
    """The size of a file: 812 B, 24 KB, 2.5 MB."""
    if n_bytes < 1024:
        return f"{n_bytes} B"
    value, unit = Fraction(n_bytes, 1024), "KB"
    if value >= 1024:
        value, unit = value / 1024, "MB"
    return f"{number(value, 0 if unit == 'KB' else 1)} {unit}"


# --- fields and changes ----------------------------------------------------------------------------------------------


def value(field: Field | str, content: Any, names: Mapping[Any, str] | None = None, unit: str = "万元") -> str:
    """A field's value as it is shown; None is 未填, 0 is 0.

    ``content`` is the Python value or its form in a change record (ISO dates and decimals as text). ``names`` gives
    the words for ids of regions, people, parks and carriers and for the codes of dictionaries kept in the database.
    ``field`` may be the field's key; an undeclared key shows the content as text. Money carries its unit.
    """
    if content is None or content == "" or content == []:
        return BLANK
    declared = FIELDS.get(field) if isinstance(field, str) else field
    if declared is None:
        return _undeclared(content)
    if isinstance(content, list | tuple):
        return "、".join(value(declared, item, names, unit) for item in content)
    if names is not None and content in names:
        return names[content]
    try:
        return _said(declared, content, unit)
    except (ValueError, InvalidOperation):
        # A record of an earlier release may hold text where a number is declared today.
        return str(content)


def _said(field: Field, content: Any, unit: str) -> str:
    match field.type:
        case "money":
            return money_words(content, unit)
        case "ratio":
            return ratio(content)
        case "date":
            return _as_day(content).isoformat()
        case "yes_no":
            return YES if content in (True, 1, "true", "1", YES) else NO
        case "year":
            return str(int(content))
        case "count" | "number":
            return f"{number(content)} {field.unit}".rstrip()
        case "industry":
            return industry_words(str(content))
        case "choice" | "choices":
            return CHOICES.get(field.choices or "", {}).get(str(content), str(content))
    return str(content)


def _undeclared(content: Any) -> str:
    if isinstance(content, bool):
        return YES if content else NO
    if isinstance(content, datetime):
        return moment(content)
    if isinstance(content, Decimal | Fraction):
        return number(content)
    return str(content)


def label(field: Field | str) -> str:
    """The field's word on screen; an undeclared key comes back as it stands."""
    declared = FIELDS.get(field) if isinstance(field, str) else field
    return str(field) if declared is None else declared.label


def change_line(field: Field | str, before: Any, after: Any, names: Mapping[Any, str] | None = None) -> str:
    """One field of a change in a line: 研发费用（会计口径）：171.0 万元 → 179.2 万元."""
    return f"{label(field)}：{value(field, before, names)} {ARROW} {value(field, after, names)}"


def join(words: list[str] | tuple[str, ...], most: int | None = None, measure: str = "家", others: int = 0) -> str:
    """石泉沟、盐泉、青禾; with ``most`` the rest is counted, with ``others`` beside it: 石泉沟、盐泉、青禾 等 5 家."""
    if not others and (most is None or len(words) <= most):
        return "、".join(words)
    return f"{'、'.join(words[:most])} 等 {len(words) + others:,} {measure}"
