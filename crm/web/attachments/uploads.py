"""Files out of a form: judged and put into the file store before any transaction begins."""

from collections.abc import Iterable
from dataclasses import asdict

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.datastructures import FileStorage

from crm.actions.uploads import Upload
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


def carried(tokens: Iterable[str], user_id: int | None) -> list[Upload]:
    """Files that lie in the store since an earlier try of the same form, by the tokens the page carried for them.

    A token is of one person; what is no token, or whose bytes are gone, is left out.
    """
    found = []
    for token in list(tokens)[:MOST_FILES]:
        try:
            name, kept = _serializer(user_id).loads(token)
            upload = Upload(file_store.Kept(**kept), name)
        except (BadSignature, TypeError, ValueError):
            continue
        if file_store.path_of(upload.kept.sha256).is_file():
            found.append(upload)
    return found


def tokens_of(uploads: Iterable[Upload], user_id: int | None) -> list[tuple[str, str, int]]:
    """(token, name, size) of files for the page of a form that came back: nobody chooses them twice."""
    serializer = _serializer(user_id)
    return [(str(serializer.dumps([u.name, asdict(u.kept)])), u.name, u.kept.size) for u in uploads]


def _serializer(user_id: int | None) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"upload:{user_id}")


def _size(file: FileStorage) -> int:
    size = file.stream.seek(0, 2)
    file.stream.seek(0)
    return size
