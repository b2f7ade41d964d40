"""What the preview of an import shows: which columns, how each cell reads, and the words for outcomes and keys."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crm.domain import words
from crm.domain.collections import question
from crm.domain.fields import FIELDS, Field
from crm.sheets.layouts import field_behind
from crm.store.imports import ImportRow
from crm.store.jobs import Job

OUTCOME_LOOKS = {
    "new": "ok",
    "changed": "acc",
    "same": "na",
    "conflict": "soon",
    "duplicate": "soon",
    "unmatched": "hold",
    "not_ours": "na",
    "error": "bad",
}
OUTCOME_ICONS = {
    "new": "plus",
    "changed": "edit",
    "same": "check",
    "conflict": "git-compare",
    "duplicate": "copy",
    "unmatched": "help",
    "not_ours": "map-pin",
    "error": "alert-circle",
}
MATCHED_BY = {
    "credit_code": "信用代码",
    "old_number": "15 位旧号",
    "name": "全称",
    "former_name": "曾用名",
    "file": "本文件",
    "stamp": "识别码",
    "chosen": "人工认定",
}
# A guess from less than this says nothing yet.
_TELLS_SECONDS, _TELLS_SHARE = 3.0, 0.05
STATES = {
    "uploaded": ("排队", "hold"),
    "reading": ("正在读", "prog"),
    "preview": ("预览", "prog"),
    "committing": ("正在写入", "prog"),
    "done": ("已写入", "ok"),
    "undone": ("已撤销", "na"),
    "refused": ("读不了", "bad"),
    "failed": ("出了故障", "bad"),
    "cancelled": ("已放弃", "na"),
}
NOUNS = {"enterprise": "企业", "qualification": "认定资格", "figures": "年度指标", "service_log": "服务记录"} | {
    "collection_enterprise": "采集表"
}
WARNINGS = {
    "code_doubtful": "信用代码存疑，照存",
    "old_number": "15 位旧注册号",
    "unknown_person": "服务专员没有账号",
    "ambiguous_person": "服务专员重名",
    "unknown_choice": "词不在名单里，没有读入",
    "code_as_number": "代码在表里是数字",
    "unit_assumed": "金额没有写单位",
    "unknown_area": "区县认不出，按本区读",
    "month_only": "日期只有年月",
    "percent_assumed": "比率按百分数读",
    "former_name": "表里用的是曾用名",
    "number_doubted": "编号与常见样式不同",
    "code_differs": "名称相同、代码不同",
    "differs": "要人来定的列与库里不同",
    "name_kept": "认定的企业名称不同，名称没有改动",
    "left": "按所选不写入",
    "not_asked": "不是这次问的，没有读入",
    "not_signed": "签字人或签字日期没有写全",
}
# What speaks for a candidate, before the word that both share.
EVIDENCE = {
    "organisation": "组织机构代码同为",
    "short_name": "字号、行业同为",
    "core": "字号同为",
    "phone": "联系电话同为",
    "legal_person": "法定代表人同为",
    "address": "地址同为",
}
# Unmatched rows of which the same kind of thing is known, to be decided in one press.
ALIKE = {
    "organisation": "组织机构代码相同，只有一家",
    "short_name": "字号、行业都相同，只有一家",
    "core": "只有字号相同，只有一家",
    "several": "相近的有几家",
    "none": "没有相近的",
}
# Fields that a column of their own tells nothing new about beside the enterprise's name.
_IN_NAME = frozenset({"enterprise.name"})
_COLUMNS = 2


@dataclass(frozen=True)
class Cell:
    """One field of one row: what it was and what it would be; ``is_new`` when there is nothing before it."""

    label: str
    before: str
    after: str
    is_new: bool


def counted_by_noun(records: Iterable[tuple[str, int]]) -> str:
    """What records there are, each kind with its number: 企业 145 家、认定资格 303 项."""
    counted = Counter(noun for noun, _ in records)
    said = [
        f"{words.NOUNS[n]} {words.count(counted[n], n if n in words.MEASURES else '条')}"
        for n in words.NOUNS
        if n in counted
    ]
    return "、".join(said)


def head(key: str) -> str:
    """A column's heading, money with its unit."""
    declared = _declared(key)
    return f"{declared.label}（万元）" if declared.type == "money" else declared.label


def columns_for(rows: Sequence[ImportRow]) -> list[str]:
    """The fields that most of these rows are about, in their order of declaration."""
    counted = Counter(key for row in rows for key in row.diff or () if key not in _IN_NAME)
    most = {key for key, _ in counted.most_common(_COLUMNS)}
    return sorted(most, key=lambda key: list(FIELDS).index(key) if key in FIELDS else -1)


def cells_of(row: ImportRow, names: Mapping[str, Mapping[Any, str]]) -> dict[str, Cell]:
    """Every field that the row would change, in words."""
    return {key: _cell(key, content, row.outcome, names) for key, content in (row.diff or {}).items()}


def _cell(key: str, content: Any, outcome: str, names: Mapping[str, Mapping[Any, str]]) -> Cell:
    declared = _declared(key)
    known = names.get(declared.choices or "") or names.get(declared.type)
    if outcome == "new":
        return Cell(declared.label, "", _said(declared, content, known), True)
    before, after = content
    return Cell(declared.label, _said(declared, before, known), _said(declared, after, known), False)


def _said(declared: Field, content: Any, known: Mapping[Any, str] | None) -> str:
    if content is None:
        return ""
    if declared.type == "money":
        return words.money(content)
    said = words.value(declared, content, known)
    return said if len(said) <= 60 else f"{said[:60]}…"


def _declared(key: str) -> Field:
    asked = question(key)
    if asked is not None and asked.field is not None:
        # A returned sheet speaks of a figure with its year.
        return replace(asked.field, label=f"{asked.title}（万元）" if asked.field.type == "money" else asked.title)
    if key == "collection_enterprise.returned_on":
        return Field("collection_enterprise", "returned_on", "交回", "date")
    try:
        return field_behind(key)
    except KeyError:
        # A batch of an earlier release may speak of a field that is no more.
        return Field(key.split(".")[0], key.split(".")[-1], key.split(".")[-1])


def time_left(job: Job | None, now: datetime) -> str:
    """How long a running job still takes at the pace so far, in words; "" before that can be said."""
    if job is None or job.started_at is None or not job.total or not job.progress:
        return ""
    done = job.progress / job.total
    taken = (now - job.started_at).total_seconds()
    if taken < _TELLS_SECONDS or done < _TELLS_SHARE or done >= 1:
        return ""
    left = taken * (1 - done) / done
    return f"{max(round(left / 5) * 5, 5)} 秒" if left < 60 else f"{round(left / 60)} 分钟"
