"""A look at the bytes before anything parses them: what the file is, and whether it may be opened at all.

The limits are absolute. A cell at the far corner of a sheet makes the fast reader ask for memory until the process is
aborted, so the extent is measured here first; the reading itself happens in a child process as the second fence.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crm.sheets.refusals import (
    SheetDamaged,
    SheetEncrypted,
    SheetFileMissing,
    SheetOfOtherType,
    SheetTooLarge,
    SheetUnsafe,
)

MB = 1024 * 1024
# The largest real list met, 100,000 rows of 30 columns, is 25 MB and unpacks to 179 MB.
MAX_FILE_BYTES = 50 * MB
MAX_UNPACKED_BYTES = 300 * MB
MAX_CELLS = 5_000_000
# BIFF holds at most 65,536 rows of 256 columns; a full sheet of real rows is below this.
MAX_XLS_BYTES = 20 * MB
MAX_WORD_BYTES = 20 * MB
# A workbook has about ten parts and one per sheet.
MAX_ENTRIES = 2_000

_CHUNK = MB
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
A_PDF = "这是 PDF 文件，不是表格。能选中文字的，把表复制到导入页的“粘贴几行”里；扫描件请对方发 Excel 或 Word 原件。"
_OTHER_TYPES = (
    (
        b"%PDF",
        A_PDF,
    ),
    (b"\x89PNG", "这是图片，不是表格。传 .xlsx、.xls 或 .csv。"),
    (b"\xff\xd8\xff", "这是图片，不是表格。传 .xlsx、.xls 或 .csv。"),
    (b"GIF8", "这是图片，不是表格。传 .xlsx、.xls 或 .csv。"),
    (b"Rar!", "这是压缩包，不是表格。解压后传里面的 .xlsx。"),
    (b"7z\xbc\xaf", "这是压缩包，不是表格。解压后传里面的 .xlsx。"),
    (b"\x1f\x8b", "这是压缩包，不是表格。解压后传里面的 .xlsx。"),
)
NOT_A_SHEET = "这不是表格文件。能读 .xlsx、.xls、.csv 和 .docx 里的表，其他格式在 Excel 里另存为 .xlsx 再传。"


@dataclass(frozen=True)
class FileFacts:
    """What a file really is (``kind``: xlsx, xls, csv or docx) and what the user should know about it besides."""

    kind: str
    size: int
    notes: tuple[str, ...] = ()


def prescan(path: Path) -> FileFacts:
    """Judge a file by its bytes, never by its name. Raises a SheetRefused; reads at most 300 MB of unpacked bytes."""
    try:
        size = path.stat().st_size
    except OSError:
        raise SheetFileMissing("没有收到文件。选一份 .xlsx、.xls 或 .csv 再传。") from None
    if size == 0:
        raise SheetFileMissing("这份文件是空的，一个字节也没有。重新导出或另存后再传。")
    if size > MAX_FILE_BYTES:
        raise SheetTooLarge(f"这份文件有 {size // MB} MB，超过 {MAX_FILE_BYTES // MB} MB。拆成几份再传。")
    with path.open("rb") as file:
        head = file.read(4096)
        if head.startswith(b"PK"):
            kind, notes = _check_zip(file)
            return FileFacts(kind, size, notes)
        if head.startswith(_OLE):
            _check_ole(file, size)
            return FileFacts("xls", size)
        if head[:4] in (b"\x09\x08\x10\x00", b"\x09\x08\x08\x00", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00"):
            raise SheetOfOtherType("这是很老的 Excel 格式，读不了。在 Excel 里另存为 .xlsx 再传。")
        _check_text(head)
        return FileFacts("csv", size)


# --- zip --------------------------------------------------------------------------------------------------------


def _check_zip(file: IO[bytes]) -> tuple[str, tuple[str, ...]]:
    damaged = SheetDamaged("这份文件不完整或已损坏，打不开。重新下载，或在 Excel 里另存一次再传。")
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_members(entries)
            names = {entry.filename for entry in entries}
            kind = _kind_of(names, archive)
            if kind == "docx":
                _check_word(entries)
            _check_parts(archive, entries)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError, ValueError, OSError, RuntimeError):
        # RuntimeError is what zipfile raises for a member that wants a password.
        raise damaged from None
    notes = []
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        notes.append("文件里有宏，没有运行，只读表格。")
    if any(name.startswith("xl/externalLinks/") for name in names):
        notes.append("文件里有指向别的文件的链接，没有打开，只读已存的值。")
    return kind, tuple(notes)


def _check_word(entries: list[zipfile.ZipInfo]) -> None:
    """A document is held in memory whole, many times its size."""
    if any(entry.file_size > MAX_WORD_BYTES for entry in entries if entry.filename.endswith((".xml", ".rels"))):
        raise SheetTooLarge("这份 Word 文件太大，没有打开。把里面的表复制到 Excel，存成 .xlsx 再传。")


def _check_members(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise SheetTooLarge(f"这份文件里有 {len(entries)} 个部件，正常的表格没有这么多。另存一次再传。")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise SheetTooLarge(f"这份文件展开后超过 {MAX_UNPACKED_BYTES // MB} MB，没有打开。删掉空行和多余的表再传。")
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if name.startswith("/") or ":" in name or ".." in name.split("/"):
            raise SheetUnsafe("这份文件里有指向别处的部件，没有打开。在 Excel 里另存一次再传。")
        if entry.flag_bits & 0x1:
            raise SheetEncrypted("这份文件有密码，打不开。在 Excel 里去掉密码再传。")


def _kind_of(names: set[str], archive: zipfile.ZipFile) -> str:
    if "xl/workbook.bin" in names:
        raise SheetOfOtherType("这是二进制工作簿（.xlsb）。在 Excel 里另存为 .xlsx 再传。")
    if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
        return "xlsx"
    if "mimetype" in names and archive.read("mimetype")[:60].startswith(b"application/vnd.oasis.opendocument"):
        raise SheetOfOtherType("这是 OpenDocument 文件（.ods）。另存为 .xlsx 再传。")
    if "[Content_Types].xml" in names and "word/document.xml" in names:
        return "docx"
    raise SheetOfOtherType("这是压缩包，不是表格。解压后传里面的 .xlsx。")


def _check_parts(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    budget = MAX_UNPACKED_BYTES
    cells = 0
    for entry in entries:
        if entry.is_dir():
            continue
        is_sheet = entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml")
        extent = _Extent() if is_sheet else None
        is_xml = entry.filename.endswith((".xml", ".rels", ".vml"))
        for number, chunk in enumerate(_chunks(archive, entry)):
            budget -= len(chunk)
            if budget < 0:
                raise SheetTooLarge(
                    f"这份文件展开后超过 {MAX_UNPACKED_BYTES // MB} MB，没有打开。删掉空行和多余的表再传。"
                )
            if is_xml and number == 0 and chunk.startswith((b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")):
                raise SheetUnsafe("这份文件的编码不是表格程序写的，没有打开。在 Excel 里另存一次再传。")
            if is_xml and (b"<!DOCTYPE" in chunk or b"<!ENTITY" in chunk):
                raise SheetUnsafe("这份文件里有不该出现的定义（DTD），没有打开。在 Excel 里另存一次再传。")
            if extent is not None:
                extent.take(chunk)
                if cells + extent.cells > MAX_CELLS:
                    raise SheetTooLarge(_too_wide(extent))
        if extent is not None:
            cells += extent.cells


def _too_wide(extent: "_Extent") -> str:
    return (
        f"表的范围到第 {extent.rows} 行、第 {extent.columns} 列，超过 {MAX_CELLS // 10_000} 万格。"
        "多半是远处有一个不该有的格子，删掉表外的行和列再传。"
    )


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The unpacked bytes of a member in pieces that overlap, so that nothing is cut in two unseen."""
    tail = b""
    with archive.open(entry) as member:
        while piece := member.read(_CHUNK):
            yield tail + piece
            tail = piece[-64:]


class _Extent:
    """How far the filled cells of a sheet reach. Formatted empty cells and rows far below are common and do no harm,
    because the reader skips them; a filled cell makes it reserve everything from the first cell to the last."""

    _FILLED = re.compile(
        rb"""<(?:\w{1,20}:)?c(?:\s[^>]*?)?\sr\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["'](?:[^>]*[^/>])?>"""
    )
    _CELL = re.compile(rb"<(?:\w{1,20}:)?c(?:\s[^>]*[^/>])?>")
    _ROW = re.compile(rb"<(?:\w{1,20}:)?row[\s/>]")

    def __init__(self) -> None:
        self.rows = 0
        self.columns = 0
        self._letters: set[bytes] = set()
        self._seen_cells = 0
        self._seen_rows = 0

    def take(self, chunk: bytes) -> None:
        found = self._FILLED.findall(chunk)
        if found:
            letters = {reference[0] for reference in found} - self._letters
            self._letters |= letters
            self.columns = max([self.columns, *(_column_number(word) for word in letters)])
            self.rows = max(self.rows, max(int(reference[1]) for reference in found))
        # Cells may stand without a reference; then they follow one another.
        self._seen_cells += max(len(found), chunk.count(b"<c>"), 0 if found else len(self._CELL.findall(chunk)))
        self._seen_rows += len(self._ROW.findall(chunk))

    @property
    def cells(self) -> int:
        return max(self.rows * self.columns, self._seen_cells, self._seen_rows)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


# --- OLE and text -----------------------------------------------------------------------------------------------


def _check_ole(file: IO[bytes], size: int) -> None:
    file.seek(0)
    content = file.read(MAX_FILE_BYTES)
    if _utf16("EncryptedPackage") in content:
        raise SheetEncrypted("这份文件有密码，打不开。在 Excel 里去掉密码再传。")
    if _utf16("WordDocument") in content:
        raise SheetOfOtherType("这是 Word 文件（.doc），读不了。在 Word 里另存为 .docx 再传，里面的表就能读。")
    if _utf16("Workbook") not in content and _utf16("Book") not in content:
        raise SheetOfOtherType(NOT_A_SHEET)
    if size > MAX_XLS_BYTES:
        raise SheetTooLarge(f"这份 .xls 有 {size // MB} MB，超过 {MAX_XLS_BYTES // MB} MB。另存为 .xlsx 再传。")


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-le")


_MARKUP = re.compile(rb"\s*(<!doctype\s+html|<html|<head|<body|<table|<meta|<div)", re.I)


def _check_text(head: bytes) -> None:
    for start, sentence in _OTHER_TYPES:
        if head.startswith(start):
            raise SheetOfOtherType(sentence)
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _MARKUP.match(text):
        raise SheetOfOtherType("这是网页（HTML），只是改了名字。用 Excel 打开后另存为 .xlsx 再传。")
    if text.lstrip().startswith(b"<?xml"):
        raise SheetOfOtherType("这是 XML 文件。用 Excel 打开后另存为 .xlsx 再传。")
    is_utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not is_utf16 and (b"\x00" in head or _control_share(head) > 0.02):
        raise SheetOfOtherType(NOT_A_SHEET)


def _control_share(head: bytes) -> float:
    return sum(byte < 32 and byte not in b"\t\n\r\x0b\x0c" for byte in head) / max(len(head), 1)
