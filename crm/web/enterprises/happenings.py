"""动态: everything of one enterprise in the order of time, by kind and paged; each line leads to its record."""

from typing import Any

from flask import request, url_for

from crm.domain import words
from crm.domain.fields import AFFILIATIONS, FIELDS
from crm.domain.kinds import KINDS
from crm.domain.relations import KINDS as RELATIONS
from crm.domain.relations import SEEN_FROM_THE_OTHER
from crm.extensions import policy
from crm.store import timelines
from crm.store.merges import with_merged
from crm.web import reference
from crm.web.addresses import page_number
from crm.web.changes.lines import action_words
from crm.web.doors import viewer
from crm.web.enterprises.belonging import names_of_firms, said
from crm.web.enterprises.file import File

GROUPS: dict[str, str] = {
    "titles": "资格",
    "pool": "培育库",
    "applications": "申报",
    "logs": "服务",
    "figures": "指标",
    "ip": "知识产权",
    "requests": "诉求",
    "comments": "批注",
    "files": "附件",
    "belongs": "归属、更名",
    "due": "到期事项",
    "compare": "比对",
    "imports": "导入",
}
_ICONS = {
    "title": "award",
    "pool": "list-check",
    "step": "file-check",
    "application": "file-check",
    "log": "map-pin",
    "figures": "table",
    "sheet": "file-spreadsheet",
    "ip": "bulb",
    "request": "user-question",
    "comment": "pencil-plus",
    "file": "file",
    "belongs": "building-community",
    "left": "building-community",
    "related": "link",
    "renamed": "forms",
    "merge": "git-compare",
    "outcome": "checklist",
    "confirmation": "check",
    "assessment": "scale",
    "import": "table-import",
}
_POOL = {"proposed_on": "拟入库", "entered_on": "入库", "left_on": "出库", "declined_on": "未通过入库"}
_REQUEST = {
    "raised_on": "提出诉求",
    "transferred_on": "诉求转平台",
    "dispatched_on": "诉求交办",
    "replied_on": "诉求回复",
    "closed_on": "诉求办结",
}
_OUTCOMES = {"done": "办结", "waived": "免办", "postponed": "改期", "missed": "确认未报", "assigned": "交办"}
_ANSWERS = {"same": "没有变化", "changed": "有变化", "unreachable": "联系不上", "closed": "已停业", "moved": "已迁走"}
_LONGEST = 90


def happenings(file: File, tab_of: Any) -> dict[str, Any]:
    """What the tab shows: a page of lines, how many there are of each group, and the way to the other pages."""
    asked = [group for group in request.args.getlist("of") if group in GROUPS]
    number = page_number(request.args)
    own = with_merged(file.row.id)
    found, counts = timelines.page(own, classes=file.classes, today=file.on, groups=asked, number=number)
    records = timelines.records(found)
    telling = _Telling(file, records, tab_of, own)
    total = sum(counts.get(group, 0) for group in asked) if asked else sum(counts.values())
    return {
        "happened": [telling.line(one) for one in found],
        "happened_of": [
            {
                "label": label,
                "n": counts[group],
                "href": tab_of("time", of=None if asked == [group] else group),
                "current": asked == [group],
            }
            for group, label in GROUPS.items()
            if counts.get(group)
        ],
        "happened_all": {"n": sum(counts.values()), "current": not asked},
        "happened_total": total,
        "happened_first": (number - 1) * timelines.PAGE + 1,
        "happened_page": number,
        "happened_pages": max(1, -(-total // timelines.PAGE)),
        "happened_href": lambda n: tab_of("time", of=asked[0] if len(asked) == 1 else None, page=n),
    }


class _Telling:
    """One page of happenings in words; names behind ids are read once."""

    def __init__(self, file: File, records: dict[tuple[str, int], Any], tab_of: Any, own: list[int]) -> None:
        self.file, self.records, self.tab_of = file, records, tab_of
        relations = [row for (what, _), row in records.items() if what == "related"]
        self.firms = names_of_firms(file.row.id, relations)
        people = {row.author_id for (what, _), row in records.items() if what == "log"}
        self.people = reference.people(people) if people else {}
        sets = [record_id for what, record_id in records if what == "figures"]
        self.years = timelines.years_of(sets, own) if sets else {}
        self.steps = {one.id: one for one in file.applications}

    def line(self, one: timelines.Happening) -> dict[str, Any]:
        record = self.records[one.what, one.record_id]
        root, _, rest = one.what.partition("_")
        title, note, href = getattr(self, f"_{root}")(record, rest)
        note = note if len(note) <= _LONGEST else note[:_LONGEST] + "…"
        return {"on": one.on, "icon": _ICONS[root], "title": title, "note": note, "href": href, "what": one.what}

    # Each answers (title, note, address).

    def _title(self, row: Any, rest: str) -> tuple[str, str, str]:
        kind = KINDS[row.kind].short if row.kind in KINDS else row.kind
        if rest == "granted":
            said_of = f"{row.cohort_year} 年度" if row.cohort_year else ""
            return f"取得{kind}资格", _join(said_of, row.batch, row.number), self.tab_of("titles")
        if rest == "expired":
            return f"{kind}资格到期", _join(row.number), self.tab_of("titles")
        return f"{kind}资格终止", words.word(row.end_reason, "end_reason"), self.tab_of("titles")

    def _pool(self, row: Any, rest: str) -> tuple[str, str, str]:
        why = {"left_on": row.leave_reason, "declined_on": row.declined_reason}.get(rest)
        chosen = words.word(row.pool_class, "pool_class") if row.pool_class else ""
        return f"培育库{_POOL[rest]}", _join(why, chosen, row.meeting, row.document), self.tab_of("titles")

    def _step(self, row: Any, rest: str) -> tuple[str, str, str]:
        application = self.steps.get(row.application_id)
        kind = application.kind if application is not None else ""
        template = policy.stages.of(kind, row.happened_on)
        stage = template.name(row.to_stage) if template is not None else row.to_stage
        short = KINDS[kind].short if kind in KINDS else ""
        year = f"{application.year} 年" if application is not None else ""
        return f"{year}{short}申报：{stage}", _join(row.reason, row.who), self._application_href(row.application_id)

    def _application(self, row: Any, rest: str) -> tuple[str, str, str]:
        short = KINDS[row.kind].short if row.kind in KINDS else row.kind
        return f"{row.year} 年{short}申报：{row.stage}", row.note or "", self._application_href(row.id)

    def _application_href(self, application_id: int) -> str:
        if self.file.may_edit:
            return url_for("applications.edit", application_id=application_id)
        return str(self.tab_of("applications"))

    def _log(self, row: Any, rest: str) -> tuple[str, str, str]:
        who = self.people.get(row.author_id) or row.author_name or ""
        return (
            f"{words.word(row.kind, 'service_kind')}：{row.text}"[:_LONGEST],
            _join(who, f"下一步 {row.next_step}" if row.next_step else ""),
            url_for("service_logs.show", log_id=row.id),
        )

    def _figures(self, row: Any, rest: str) -> tuple[str, str, str]:
        years = "、".join(f"{year} 年" for year in dict.fromkeys(self.years.get(row.id, ())))
        return f"{action_words(row)}{f'：{years}' if years else ''}", row.who, f"{self.tab_of('history')}#c{row.id}"

    def _sheet(self, row: Any, rest: str) -> tuple[str, str, str]:
        return "交回采集表", f"{len(row.questions)} 项", url_for("collections.sheet", sheet_id=row.id)

    def _ip(self, row: Any, rest: str) -> tuple[str, str, str]:
        verb = {"granted": "授权", "moved": "转让", "expired": "保护期满"}[rest]
        kind = words.word(row.kind, "ip_kind") if row.kind else "知识产权"
        return f"{kind}{verb}：{row.name}", _join(row.number), f"{self.tab_of('ip')}#ip-{row.id}"

    def _request(self, row: Any, rest: str) -> tuple[str, str, str]:
        text = row.reply if rest == "replied_on" else row.text
        return _REQUEST[rest], text or "", url_for("requests.show", request_id=row.id)

    def _comment(self, row: Any, rest: str) -> tuple[str, str, str]:
        return f"批注：{row.text}"[:_LONGEST], row.author_name, self.tab_of("comments")

    def _file(self, row: Any, rest: str) -> tuple[str, str, str]:
        href = url_for("attachments.show", attachment_id=row.id, back=self.tab_of("time"))
        return f"附件：{row.title or '没有名称的文件'}", row.note or "", href

    def _belongs(self, row: Any, rest: str) -> tuple[str, str, str]:
        if row.kind not in AFFILIATIONS:
            return "归属", "", self.tab_of("belongs")
        return f"{FIELDS[f'enterprise.{row.kind}'].label}：{said(row)}", "从这天起", self.tab_of("belongs")

    def _left(self, row: Any, rest: str) -> tuple[str, str, str]:
        if row.kind not in AFFILIATIONS:
            return "归属", "", self.tab_of("belongs")
        return f"{FIELDS[f'enterprise.{row.kind}'].label}：{said(row)}", "到这天止", self.tab_of("belongs")

    def _renamed(self, row: Any, rest: str) -> tuple[str, str, str]:
        return f"更名：此前叫{row.value}", "", self.tab_of("belongs")

    def _related(self, row: Any, rest: str) -> tuple[str, str, str]:
        mine = row.enterprise_id == self.file.row.id
        kind = (RELATIONS if mine else SEEN_FROM_THE_OTHER).get(row.kind, row.kind)
        return f"{kind}：{self.firms[row.id].name}", row.note or "", self.tab_of("belongs")

    def _merge(self, row: Any, rest: str) -> tuple[str, str, str]:
        return "合并重复企业", row.who, f"{self.tab_of('history')}#c{row.id}"

    def _outcome(self, row: Any, rest: str) -> tuple[str, str, str]:
        kind = words.OBLIGATION_KINDS.get(row.kind, row.kind)
        return f"{kind}{_OUTCOMES.get(row.outcome, '')}", row.note or "", self.tab_of("due")

    def _confirmation(self, row: Any, rest: str) -> tuple[str, str, str]:
        title = f"{row.month.year} 年 {row.month.month} 月核对：{_ANSWERS.get(row.answer, row.answer)}"
        return title, row.note or "", self.tab_of("time")

    def _assessment(self, row: Any, rest: str) -> tuple[str, str, str]:
        title = f"存比对记录：{words.word(row.rules, 'rules')}"
        return title, words.word(row.result, "result"), url_for("assessments.show", assessment_id=row.id)

    def _import(self, row: Any, rest: str) -> tuple[str, str, str]:
        own = row.user_id is not None and row.user_id == viewer().user_id
        office = viewer().has_in(row.region_id, "bureau", "admin")
        history = f"{self.tab_of('history')}#c{row.id}"
        to = url_for("imports.show", batch_id=row.import_batch_id) if own or office else history
        return "导入涉及这家企业", row.who, to


def _join(*parts: Any) -> str:
    return " · ".join(str(part) for part in parts if part)
