"""Many uploaded files as one archive: workbooks as they are, archives among them unpacked one level."""

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence

from crm.sheets.refusals import SheetRefused

# A county has some hundreds of enterprises to ask; a returned sheet is some 10 KB, a scan some MB.
MOST_FILES = 500
MOST_BYTES = 200 * 1024 * 1024
_TOO_LARGE = "展开后太大，没有收。分几次传。"


class BundleRefused(SheetRefused):
    """Files that cannot be taken in together; nothing was."""

    code = "bundle_refused"


def bundle(files: Sequence[tuple[str, bytes]]) -> tuple[bytes, int]:
    """One archive of all files given as (name, bytes), and how many there are. Nothing is written to disk.

    Raises BundleRefused with one sentence: nothing given, too many, too large, damaged or with a password.
    """
    members: list[tuple[str, bytes]] = []
    for name, content in files:
        if _is_plain_archive(content):
            members += _unpacked(name, content, room=MOST_BYTES - sum(len(body) for _, body in members))
        else:
            members.append((name, content))
        if len(members) > MOST_FILES:
            raise BundleRefused(f"一次最多收 {MOST_FILES} 份表。分几次传。")
    if not members:
        raise BundleRefused("没有选文件，或压缩包是空的。选交回的 .xlsx，可以多选，也可以选 .zip。")
    if sum(len(content) for _, content in members) > MOST_BYTES:
        raise BundleRefused(f"这些文件展开后超过 {MOST_BYTES // 1024 // 1024} MB。分几次传。")
    target = io.BytesIO()
    seen: Counter[str] = Counter()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            plain = _plain(name)
            seen[plain.lower()] += 1
            number = seen[plain.lower()]
            archive.writestr(plain if number == 1 else f"（{number}）{plain}", content)
    return target.getvalue(), len(members)


def _plain(name: str) -> str:
    """The last part of a file's name without control characters, its ending kept."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(character for character in last if character.isprintable()).strip() or "文件"
    stem, dot, ending = plain.rpartition(".")
    return f"{stem[:80]}{dot}{ending[:8]}" if dot else plain[:88]


def _is_plain_archive(content: bytes) -> bool:
    """A zip that is no office file."""
    if not content.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "[Content_Types].xml" not in archive.namelist()
    except (zipfile.BadZipFile, ValueError):
        # Begins like an archive and is none: read as a workbook it gets its own sentence.
        return False


def _unpacked(name: str, content: bytes, *, room: int) -> list[tuple[str, bytes]]:
    shown = name[:60]
    found = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir() and not _is_litter(one.filename)]
            if len(entries) > MOST_FILES:
                raise BundleRefused(
                    f"压缩包“{shown}”里有 {len(entries)} 份文件，一次最多收 {MOST_FILES} 份。分几次传。"
                )
            if any(one.flag_bits & 1 for one in entries):
                raise BundleRefused(f"压缩包“{shown}”有密码，打不开。去掉密码再传。")
            for one in entries:
                # The directory of an archive may lie about sizes, so what is read is counted.
                with archive.open(one) as member:
                    body = member.read(max(room, 0) + 1)
                room -= len(body)
                if room < 0:
                    raise BundleRefused(f"压缩包“{shown}”{_TOO_LARGE}")
                found.append((_name_of(one), body))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error):
        raise BundleRefused(f"压缩包“{shown}”不完整或已损坏，打不开。重新打包再传。") from None
    return found


def _is_litter(path: str) -> bool:
    """What operating systems and office programs add to archives."""
    last = path.replace("\\", "/").rsplit("/", 1)[-1]
    return path.startswith("__MACOSX") or last.startswith((".", "~$")) or last in ("Thumbs.db", "desktop.ini")


def _name_of(entry: zipfile.ZipInfo) -> str:
    """The name of a member; Windows in China writes GBK without saying so."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("gb18030")
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = entry.filename
    return name
