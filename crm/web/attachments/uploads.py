"""Files out of a form: judged and put into the file store before any transaction begins."""

from collections.abc import Iterable

from werkzeug.datastructures import FileStorage

from crm.actions.attachments import Upload
from crm.domain.media_types import LARGEST, MOST_FILES, refusal
from crm.store import file_store


def received(files: Iterable[FileStorage]) -> tuple[list[Upload], list[str]]:
    """(what is taken, one sentence for each file that is not). What the browser left empty is neither.

    The bytes of what is taken lie in the store afterwards; the action makes their rows. A file over the limit is never
    copied. Raises OSError when the disk is full.
    """
    taken: list[Upload] = []
    refused: list[str] = []
    for file in files:
        if not file.filename:
            continue
        name = file_store.safe_name(file.filename)
        size = _size(file)
        if size > LARGEST or not size:
            refused.append(refusal(name, size, file_store.UNKNOWN) or "")
            continue
        if len(taken) == MOST_FILES:
            refused.append(f"“{name}”没有收：一次最多 {MOST_FILES} 份。存好后再传一次。")
            continue
        kept = file_store.keep(file.stream)
        said = refusal(name, kept.size, kept.media_type)
        if said:
            refused.append(said)
        else:
            taken.append(Upload(kept, name))
    return taken, refused


def _size(file: FileStorage) -> int:
    size = file.stream.seek(0, 2)
    file.stream.seek(0)
    return size
