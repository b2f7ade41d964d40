"""What goes out of a collection: its sheets as files and on paper, and the text to remind with."""

from typing import Any

from flask import render_template, request, url_for

from crm.actions import collection_sheets
from crm.actions.collections import sheet_for, sheets_of
from crm.actions.exports import file_name
from crm.domain import words
from crm.store import enterprise_lists
from crm.store.access_log import note_access
from crm.store.collections import Collection, CollectionEnterprise
from crm.store.scope import visible_enterprise, visible_record
from crm.web import downloads
from crm.web.collections import READERS, blueprint
from crm.web.doors import new_act, open_to, today, viewer

# How many names a text to remind with holds before it says how many more there are.
NAMED = 60


@blueprint.get("/collections/<int:collection_id>/sheets")
@open_to(*READERS)
def download(collection_id: int):
    """The sheets to send: a zip with a workbook for each enterprise, or one workbook with a sheet for each."""
    row: Collection = visible_record(Collection, collection_id, viewer(), "这次采集")
    sheets = _to_send(row)
    asks = _asks_first(sheets)
    if asks is not None:
        return asks
    together = request.args.get("as") == "book"
    act = new_act()
    make = collection_sheets.workbook if together else collection_sheets.archive
    content = make(row, sheets, viewer=viewer())
    note_access(act, "export", subject=f"{row.title} 采集表", filter={"collection": row.id}, rows=len(sheets))
    name = file_name(f"{row.title}_采集表", act, "xlsx" if together else "zip")
    return downloads.as_download(content, name)


def _asks_first(sheets: list[CollectionEnterprise]):
    """A collection that asks every enterprise takes out as much as the list of them."""
    person = viewer()
    return downloads.asks_first(
        len(sheets),
        lambda: enterprise_lists.count(enterprise_lists.Filter(), person, today=today()),
        "导出全部企业的采集表",
    )


def _to_send(row: Collection) -> list[CollectionEnterprise]:
    """The sheets that are still to come back; all of them once everything is back."""
    every = sheets_of(row.id, viewer())
    waiting = [sheet for sheet in every if sheet.is_outstanding]
    return waiting if waiting and request.args.get("all") != "1" else every


@blueprint.get("/collections/<int:collection_id>/print")
@open_to(*READERS)
def print_all(collection_id: int):
    row: Collection = visible_record(Collection, collection_id, viewer(), "这次采集")
    sheets = _to_send(row)
    asks = _asks_first(sheets)
    if asks is not None:
        return asks
    made = collection_sheets.questionnaires(row, sheets, viewer=viewer())
    return _printed(row, made, url_for("collections.show", collection_id=row.id))


@blueprint.get("/collections/sheets/<int:sheet_id>/file")
@open_to(*READERS)
def download_one(sheet_id: int):
    one, row, _ = sheet_for(sheet_id, viewer())
    content = collection_sheets.workbook(row, [one], viewer=viewer())
    enterprise, _ = visible_enterprise(one.enterprise_id, viewer())
    act = new_act()
    title = f"{enterprise.name}_采集表"
    note_access(act, "export", subject=title, filter={"collection": row.id, "sheet": one.id}, rows=1)
    name = file_name(title, act, "xlsx")
    return downloads.as_download(content, name)


@blueprint.get("/collections/sheets/<int:sheet_id>/print")
@open_to(*READERS)
def print_one(sheet_id: int):
    one, row, _ = sheet_for(sheet_id, viewer())
    made = collection_sheets.questionnaires(row, [one], viewer=viewer())
    return _printed(row, made, url_for("collections.sheet", sheet_id=sheet_id))


def _printed(row: Collection, made: list[Any], back: str) -> str:
    note_access(
        new_act(), "export", subject=f"{row.title} 采集表（打印）", filter={"collection": row.id}, rows=len(made)
    )
    return render_template("collections/print.html", row=row, made=[one for _, one in made], back=back)


# --- the text to remind with -----------------------------------------------------------------------------------------


def reminder(row: Collection, lines: list[dict[str, Any]]) -> str:
    """A text to paste into a chat: who has not answered and how many data are missing, never a figure."""
    waiting = [line for line in lines if not line["sheet"].returned_on and not line["sheet"].excused_reason]
    if not waiting:
        return ""
    said = []
    for number, line in enumerate(waiting[:NAMED], start=1):
        missing = len(line["missing"])
        said.append(f"{number}. {line['name']}" + (f"（还缺 {missing} 项）" if missing else ""))
    if len(waiting) > NAMED:
        said.append(f"……另有 {len(waiting) - NAMED} 家")
    head = f"《{row.title}》还有 {len(waiting)} 家没有交回，{_by_when(row)}："
    return "\n".join([head, *said, "表已发过，填浅黄色的格，签字盖章后交回。"])


def reminder_for_one(row: Collection, sheet: CollectionEnterprise, name: str, missing: list[str]) -> str:
    """The same for one enterprise: which data it is asked for, by name."""
    if sheet.returned_on is not None or sheet.excused_reason:
        return ""
    asked = f"还缺：{words.join(missing, 6, '项')}。" if missing else "数据已有，还差盖章的表。"
    return f"{name}：《{row.title}》的采集表还没有收到，{_by_when(row)}。{asked}填好签字盖章后交回，谢谢配合。"


def _by_when(row: Collection) -> str:
    return f"{words.day_long(row.due_on, today())}前交回" if row.due_on else "尽快交回"
