"""What a batch's file holds, and what it would do to the library as it is now. Nothing is written, no lock is held."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from crm.actions import collection_returns
from crm.actions.import_judging import Progress, judge
from crm.actions.import_rows import Judgement
from crm.actions.import_said import Said
from crm.domain.acts import Act
from crm.domain.viewers import the_machine
from crm.extensions import db
from crm.sheets.marks import corrected, without_marks
from crm.sheets.profiles import Profile, Reading, load_profile, read, says_names_only
from crm.sheets.reading import read_sheets
from crm.sheets.refusals import SheetRefused
from crm.store import file_store
from crm.store.collections import Collection
from crm.store.files import StoredFile
from crm.store.imports import ImportBatch
from crm.store.projections import local_day
from crm.store.users import User, viewer_of

# The profiles this version knows, in the order of the menu.
PROFILES = (
    "county_workbook",
    "hnte_list",
    "cq_tech_list",
    "tech_sme_list",
    "srdi_list",
    "figures",
    "service_logs",
    "names_only",
    "generic",
)
# Those that a file may follow without anybody saying so, the more exact first. Which title a list is about it seldom
# says itself, so the lists of one title are chosen by a person; names alone never enter an enterprise.
_AUTOMATIC, _NAMES = ("county_workbook", "generic"), "names_only"


def request_key(batch_id: int) -> str:
    """The key under which a batch is written, once."""
    return f"import-{batch_id}"


def read_tables(
    path: Path,
    *,
    name: str,
    profile: str | None = None,
    said: Said | None = None,
    progress: Any = None,
) -> tuple[Profile, Reading]:
    """What a file holds and leaves open after what was ``said`` of it, and the profile it follows.

    Of several profiles the one that knows more of its columns. Raises a SheetRefused that says why nothing can be read.
    """
    said = said or Said()
    sheets = corrected(without_marks(read_sheets(path, name=name, progress=progress)), said.cells)
    if profile is not None:
        chosen = load_profile(profile)
        return chosen, read(chosen, sheets, only=said.sheet, answers=said.answers, once=said.once)
    refusal: SheetRefused | None = None
    best: tuple[int, Profile, Reading] | None = None
    for code in _AUTOMATIC:
        candidate = load_profile(code)
        try:
            found = read(candidate, sheets, only=said.sheet, answers=said.answers, once=said.once)
        except SheetRefused as error:
            refusal = refusal or error
            continue
        columns = sum(len(table.match.columns) for table in found.tables)
        columns += sum(len(question.headings) for question in found.questions)
        if best is None or columns > best[0]:
            best = (columns, candidate, found)
    if best is None:
        assert refusal is not None
        raise refusal
    # Whether a file is a list of names is its own affair, whatever is said of it: it may be unsaid again.
    bare = read(best[1], sheets, only=said.sheet, answers=said.answers) if said.once else best[2]
    if says_names_only(bare):
        names = load_profile(_NAMES)
        return names, read(names, sheets, only=said.sheet, answers=said.answers, once=said.once)
    return best[1], best[2]


@dataclass(frozen=True)
class Source:
    """What judging a batch needs, as plain values: it is read before and must not hold a transaction open."""

    id: int
    region_id: int
    user_id: int | None
    who: str
    path: Path
    name: str
    profile: str | None
    full_list: bool
    good_rows_only: bool
    effective_on: date
    state: str
    fingerprint: str | None
    said: Said
    # The task whose returned sheets these are, with its name, and whether sealed originals of them have come.
    collection_id: int | None = None
    collection: str = ""
    sealed: bool = False


def source_of(batch_id: int) -> Source:
    """The plain values of a batch; raises FileLost when its bytes are gone."""
    batch = db.session.get(ImportBatch, batch_id)
    assert batch is not None
    stored = db.session.get(StoredFile, batch.stored_file_id)
    assert stored is not None
    summary = batch.summary or {}
    return Source(
        id=batch.id,
        region_id=batch.region_id,
        user_id=batch.user_id,
        who=batch.who,
        path=file_store.bytes_of(stored),
        name=batch.file_name,
        profile=batch.profile,
        full_list=batch.full_list,
        good_rows_only=batch.good_rows_only,
        effective_on=batch.effective_on,
        state=batch.state,
        fingerprint=summary.get("fingerprint"),
        said=Said.of(summary),
        collection_id=batch.collection_id,
        collection=db.session.scalar(select(Collection.title).where(Collection.id == batch.collection_id)) or "",
        sealed=bool(summary.get("sealed")),
    )


def act_of(source: Source, *, now: datetime) -> Act:
    """The act of writing a batch: in the name of who brought the file, with that person's rights of today."""
    user = db.session.get(User, source.user_id) if source.user_id is not None else None
    viewer = viewer_of(user, local_day(now)) if user is not None else the_machine(source.who)
    return Act(
        viewer=viewer,
        door="import",
        recorded_at=now,
        effective_on=source.effective_on,
        request_id=f"import-{source.id}",
        reason=_reason(source),
        request_key=request_key(source.id),
        import_batch_id=source.id,
    )


def _reason(source: Source) -> str:
    """What the history says of where a batch's values come from."""
    if source.collection_id is not None:
        return f"采集：{source.collection}"
    mended = len(source.said.corrected)
    return f"导入 {source.name}{f'，预览里改过 {mended} 格' if mended else ''}"[:500]


def judge_source(source: Source, act: Act, *, progress: Progress | None = None) -> Judgement:
    """Read and judge a batch's file against the library as it is now."""
    if source.collection_id is not None:
        return collection_returns.judge(
            source.path,
            collection_id=source.collection_id,
            batch_id=source.id,
            sealed=source.sealed,
            viewer=act.viewer,
            on=source.effective_on,
            recorded_at=act.recorded_at,
            decided=source.said.decided,
            progress=progress,
        )
    profile, found = read_tables(source.path, name=source.name, profile=source.profile, said=source.said)
    return judge(
        found,
        profile=profile.code,
        viewer=act.viewer,
        region_id=source.region_id,
        on=source.effective_on,
        recorded_at=act.recorded_at,
        full_list=source.full_list,
        decided=source.said.decided,
        placed=source.said.placed,
        progress=progress,
    )
