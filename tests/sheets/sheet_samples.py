"""Files of every illness, made from bytes when a test asks for them; nothing of the kind is kept in the repository."""

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl

from crm.domain.codes import check_character, organisation_digit

CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
ROOT_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
BOOK_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>'
)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
WORKBOOK = (
    f'<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
# Excelize writes an empty <fill/>, on which openpyxl gives up.
STYLES_WITH_EMPTY_FILL = (
    f'<?xml version="1.0" encoding="UTF-8"?><styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts>'
    '<fills count="1"><fill></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="1"><xf/></cellXfs></styleSheet>'
)


def credit_code(number: int) -> str:
    """A valid code of no real firm: its division is not assigned."""
    organisation = f"{number:08}"
    first17 = f"91500299{organisation}{organisation_digit(organisation)}"
    return first17 + check_character(first17)


def workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], *, merged: Sequence[str] = ()) -> Path:
    """An ordinary .xlsx; ``merged`` areas are of the first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    for area in merged:
        book.worksheets[0].merge_cells(area)
    book.save(path)
    return path


def inline_workbook(path: Path, rows: Sequence[Sequence[str]], *, merged: str = "") -> Path:
    """An .xlsx as Excelize writes it: inline strings, no shared strings, an empty fill."""
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = "".join(
            f'<c r="{chr(65 + index)}{number}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'
            for index, text in enumerate(row)
        )
        lines.append(f'<row r="{number}">{cells}</row>')
    merge = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    return raw_workbook(path, f"<sheetData>{''.join(lines)}</sheetData>{merge}")


def raw_workbook(path: Path, body: str | bytes, *, more: Mapping[str, bytes] | None = None, prolog: str = "") -> Path:
    """A workbook whose sheet is exactly this XML, with any further members."""
    content = body.encode() if isinstance(body, str) else body
    head = f'<?xml version="1.0" encoding="UTF-8"?>{prolog}<worksheet xmlns="{_MAIN}">'.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("_rels/.rels", ROOT_RELATIONS)
        archive.writestr("xl/workbook.xml", WORKBOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", BOOK_RELATIONS)
        archive.writestr("xl/styles.xml", STYLES_WITH_EMPTY_FILL)
        archive.writestr("xl/worksheets/sheet1.xml", head + content + b"</worksheet>")
        for name, part in (more or {}).items():
            archive.writestr(name, part)
    return path


def cell(reference: str, text: str = "x") -> str:
    row = "".join(filter(str.isdigit, reference))
    return f'<row r="{row}"><c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c></row>'


# --- BIFF, the .xls of old --------------------------------------------------------------------------------------


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _biff(sheet_name: str, values: Mapping[tuple[int, int], str | float]) -> bytes:
    """A workbook stream of one sheet with text and number cells, {(row, column): value}."""
    start_book = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    code_page = _record(0x0042, struct.pack("<H", 1200))
    name = sheet_name.encode("utf-16-le")
    end = _record(0x000A, b"")
    bound_length = 4 + 8 + len(name)
    offset = len(start_book) + len(code_page) + bound_length + len(end)
    bound = _record(0x0085, struct.pack("<IBBBB", offset, 0, 0, len(sheet_name), 1) + name)
    cells = [_record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))]
    height, width = (max(place[axis] for place in values) + 1 for axis in (0, 1))
    cells.append(_record(0x0200, struct.pack("<IIHHH", 0, height, 0, width, 0)))
    for (row, column), value in values.items():
        place = struct.pack("<HHH", row, column, 0)
        if isinstance(value, str):
            text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
            cells.append(_record(0x0204, place + text))
        else:
            cells.append(_record(0x0203, place + struct.pack("<d", value)))
    return start_book + code_page + bound + end + b"".join(cells) + end


def ole(path: Path, stream_name: str, content: bytes) -> Path:
    """A compound file with one stream: sector 0 is the table of sectors, 1 the directory, the stream follows."""
    content = content.ljust(max(4096, -(-len(content) // 512) * 512), b"\0")
    sectors = len(content) // 512
    free, end, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    chain = [table, end, *range(3, 2 + sectors), end]
    allocation = struct.pack(f"<{len(chain)}I", *chain).ljust(512, b"\xff")
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"",
        0, 1, 1, 0, 4096, end, 0, end, 0, 0,
    ) + struct.pack("<108I", *[free] * 108)  # fmt: skip

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        encoded = name.encode("utf-16-le")
        return struct.pack(
            "<64sHBBIII16sIQQIQ",
            encoded, len(encoded) + 2, kind, 1, free, free, child, b"", 0, 0, 0, start, size,
        )  # fmt: skip

    directory = entry("Root Entry", 5, 1, end, 0) + entry(stream_name, 2, free, 2, len(content))
    path.write_bytes(header + allocation + directory.ljust(512, b"\0") + content)
    return path


def old_workbook(
    path: Path, rows: Sequence[Sequence[str | float]], *, also: Mapping[tuple[int, int], str | float] | None = None
) -> Path:
    """A genuine BIFF8 file, written byte by byte since nothing here writes the format any more."""
    values = {(row, column): value for row, cells in enumerate(rows) for column, value in enumerate(cells)}
    return ole(path, "Workbook", _biff("details", {**values, **(also or {})}))


# --- the shapes of real templates, with invented firms ----------------------------------------------------------

PARK_HEADINGS = (
    "企业名称(必填)", "注册地址", "实际经营地址", "法人代表(必填)", "联系电话(必填)", "是否为分公司(必填)",
    "注册资金(元)", "是否规上企业(必填)", "上一年营业额(元)", "上一年纳税额(元)", "企业性质", "经营范围",
    "员工总人数", "荣誉,资质", "企业希望提供的服务", "所属类型", "所属名称", "楼栋名称(所属类型填写时必填)", "详细地址",
    "联系人(所属类型填写时必填)", "联系人电话(所属类型填写时必填)", "备注",
)  # fmt: skip
REGISTER_HEADINGS = (
    "公司名称", "电话号码", "邮箱", "统一社会信用代码", "注册号", "组织机构代码", "经营状态", "公司类型", "成立日期",
    "法定代表人", "注册资本", "营业期限", "登记机关", "发照日期", "公司规模", "所属行业", "英文名", "曾用名",
    "企业地址", "经营范围",
)  # fmt: skip


def excelize_empty_fill(path: Path) -> Path:
    """A members' template: mark, filling instructions, header, explanation, sample row; inline strings."""
    return inline_workbook(
        path,
        [
            ["c_lang=zh-CN"],
            ["填写须知：\n一、表的结构不要改；\n二、红色的列必填；\n三、表头下一行是说明，不会导入。"],
            ["User ID", "姓名", "手机号", "邮箱", "账号类型", "部门", "职位", "工号", "入职时间"],
            ["非必填\n不填由系统给出", "必填\n", "不能重复", "", "必填\n填写选项", "非必填", "", "", "日期格式"],
            ["demo111", "云小栈（示例 上传时请删除）", "13800000000", "", "免费", "测试部", "策划", "", "2019-01-01"],
        ],
        merged="A2:I2",
    )


def park_template(path: Path) -> Path:
    """A park's template: 22 columns, marks inside headings, one row, 33 formatted blank rows below."""
    firm = {
        "企业名称(必填)": "巫溪云栈电子有限责任公司", "注册地址": "巫溪县某路1号", "法人代表(必填)": "云某",
        "联系电话(必填)": "023-00000000", "是否为分公司(必填)": "否", "注册资金(元)": 30000,
        "是否规上企业(必填)": "是", "企业性质": "国有控股企业", "所属类型": "园区",
    }  # fmt: skip
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sheet1"
    sheet.append(PARK_HEADINGS)
    sheet.append([firm.get(heading) for heading in PARK_HEADINGS])
    for row in range(3, 36):
        for column in range(1, 23):
            sheet.cell(row, column).number_format = "@"
    book.save(path)
    return path


def register_header_only(path: Path) -> Path:
    """An .xls with a header row and nothing else."""
    return old_workbook(path, [REGISTER_HEADINGS])
