"""Files that came with a form and are to hang on a record: creations for an action to write with its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm.domain.acts import Act
from crm.domain.changes import Create
from crm.domain.media_types import MOST_FILES, with_true_ending
from crm.domain.media_types import refusal as refusal_of
from crm.domain.refusals import InvalidInput
from crm.store import file_store
from crm.store.file_store import Kept


@dataclass(frozen=True)
class Upload:
    """A file that lies in the file store already, under the name it came with."""

    kept: Kept
    name: str


def creations(
    uploads: Sequence[Upload],
    *,
    noun: str,
    record_id: Any,
    region_id: int,
    enterprise_id: Any,
    values: Mapping[str, Any] | None = None,
    act: Act,
) -> list[Create]:
    """The creations that hang these files on a record; rows of the stored files are made in the open unit of work.

    ``record_id`` and ``enterprise_id`` may be Refs of the same write. Raises InvalidInput on ``files`` for one that is
    not taken: see domain/media_types.py.
    """
    if len(uploads) > MOST_FILES:
        raise InvalidInput({"files": f"一次最多 {MOST_FILES} 份，这里有 {len(uploads)} 份。分几次传。"})
    refused = [said for one in uploads if (said := refusal_of(one.name, one.kept.size, one.kept.media_type))]
    if refused:
        raise InvalidInput({"files": "".join(refused)})
    found = []
    for one in uploads:
        name = with_true_ending(file_store.safe_name(one.name), one.kept.media_type)
        stored = file_store.record(
            one.kept,
            name=name,
            purpose="attachment",
            at=act.recorded_at,
            region_id=region_id,
            owner_id=act.viewer.user_id,
            enterprise_id=enterprise_id if isinstance(enterprise_id, int) else None,
        )
        stated = {key: value for key, value in (values or {}).items() if value is not None}
        if len(uploads) > 1 or not stated.get("title"):
            stated["title"] = stored.name
        hung = {"stored_file_id": stored.id, "noun": noun, "record_id": record_id, "region_id": region_id}
        found.append(Create("attachment", {**hung, "enterprise_id": enterprise_id, **stated}))
    return found
