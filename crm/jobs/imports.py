"""The long work of an import: reading and judging a file, and writing what somebody confirmed."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Thread
from typing import Any

from crm.actions import import_reading, import_undo, imports
from crm.actions.changes import UndoResult
from crm.domain.acts import Act
from crm.domain.pinyin import sort_key
from crm.domain.refusals import AlreadyDone, Conflict, Refused
from crm.extensions import db
from crm.jobs.registry import Cancelled, LeaseLost, work
from crm.sheets.refusals import SheetRefused
from crm.store.file_store import FileLost
from crm.store.unit_of_work import LIBRARY, DatabaseBusy, hold, is_full, unit_of_work
from crm.store.writer import prepare

# How often the file is judged again because somebody saved something between judging and writing.
_TRIES = 5
_BUSY = "库里一直有人在保存，没有写入。过一会儿再确认。"
_FAULT = "读这份文件时出了故障，什么也没有写入。重新预览；还不行就把文件交给管理员。"
_FULL = "磁盘满了，这一步没有写入。清出空间后再{again}。"


class InProcess:
    """The progress of work that a command or a test runs itself: nobody watches, nobody cancels."""

    job_id: int | None = None

    def step(self, done: int, total: int | None = None) -> None:
        """Nothing to say."""

    def confirm(self) -> None:
        """The work is ours."""


@contextmanager
def _heavy() -> Iterator[None]:
    """Ten thousand rows are a million small objects and no cycles: looking for those would take a fifth of the time.

    Meanwhile the dictionary of pinyin, which the first name of a process loads, is read beside the parsing child.
    """
    warming = Thread(target=sort_key, args=("巫溪",))
    warming.start()
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
        warming.join()


@work(imports.PREVIEW)
def preview(progress: Any, payload: dict[str, Any]) -> dict[str, Any]:
    """Read and judge a batch's file and keep the preview. A file that cannot be used ends the batch as refused."""
    batch_id = payload["batch"]
    with unit_of_work():
        begun = imports.begin_reading(batch_id)
    if not begun:
        return {"batch": batch_id, "skipped": True}
    began = time.perf_counter()
    try:
        source = import_reading.source_of(batch_id)
        act = import_reading.act_of(source, now=datetime.now(UTC))
        with _heavy():
            judgement = import_reading.judge_source(source, act, progress=progress.step)
            with unit_of_work():
                progress.confirm()
                imports.keep_preview(batch_id, judgement, seconds=time.perf_counter() - began)
        return {"batch": batch_id, "rows": len(judgement.rows), **judgement.counts}
    except SheetRefused as refusal:
        _end(batch_id, "refused", refusal.message)
        return {"batch": batch_id, "refused": refusal.code}
    except FileLost:
        _end(batch_id, "refused", "上传的文件不在服务器上了。再传一次。")
        return {"batch": batch_id, "refused": "file_lost"}
    except Cancelled:
        _end(batch_id, "cancelled", None)
        raise
    except (LeaseLost, DatabaseBusy):
        # Another worker has it, or the runner tries again: the batch stays as it is.
        raise
    except Exception as error:
        _end(batch_id, "failed", _FULL.format(again="预览") if is_full(error) else _FAULT)
        raise


@work(imports.COMMIT)
def commit(progress: Any, payload: dict[str, Any]) -> dict[str, Any]:
    """Judge a confirmed batch once more and write it in one unit of work, if it still does what the preview showed."""
    batch_id = payload["batch"]
    already = imports.written_as(batch_id)
    if already is not None:
        with unit_of_work():
            imports.mark_done(batch_id, already, now=datetime.now(UTC))
        return {"batch": batch_id, "change_set": already, "already": True}
    try:
        with _heavy():
            return _commit(progress, batch_id)
    except Cancelled:
        _end(batch_id, "cancelled", None)
        raise
    except AlreadyDone as done:
        with unit_of_work():
            imports.mark_done(batch_id, done.change_set_id, now=datetime.now(UTC))
        return {"batch": batch_id, "change_set": done.change_set_id, "already": True}
    except Refused as refusal:
        return _refused(batch_id, refusal.message)
    except (SheetRefused, FileLost):
        return _refused(batch_id, "文件已读不出来，什么也没有写入。再传一次。")
    except (LeaseLost, DatabaseBusy):
        raise
    except Exception as error:
        broken = "写入时出了故障，什么也没有写入。再确认一次；还不行就告诉管理员。"
        _refused(batch_id, _FULL.format(again="确认一次") if is_full(error) else broken)
        raise


def _commit(progress: Any, batch_id: int) -> dict[str, Any]:
    for _ in range(_TRIES):
        db.session.rollback()
        source = import_reading.source_of(batch_id)
        if source.state != "committing":
            return {"batch": batch_id, "skipped": True}
        act = import_reading.act_of(source, now=datetime.now(UTC))
        seen = _newest_change()
        judgement = import_reading.judge_source(source, act, progress=progress.step)
        if judgement.fingerprint != source.fingerprint:
            return _refused(batch_id, imports.STALE)
        # A record that somebody saved meanwhile is no clash yet: the file is judged again and may say the same.
        with suppress(Conflict):
            prepared = prepare(judgement.changes(), act=act)
            with unit_of_work():
                hold(LIBRARY)
                progress.confirm()
                if not imports.disturbed_since(seen, prepared.enterprise_ids):
                    written = imports.commit(source, prepared, act=act)
                    return {"batch": batch_id, "change_set": written.change_set_id, "records": written.record_count}
    return _refused(batch_id, _BUSY)


def _newest_change() -> int:
    """The newest change while nobody writes: a smaller one that is still in hand would never be seen later."""
    with unit_of_work():
        hold(LIBRARY)
        return imports.newest_change()


def _refused(batch_id: int, message: str) -> dict[str, Any]:
    with unit_of_work():
        imports.back_to_preview(batch_id, message)
    return {"batch": batch_id, "refused": message}


def _end(batch_id: int, state: str, message: str | None) -> None:
    with unit_of_work():
        imports.end_as(batch_id, state, message, now=datetime.now(UTC))


def undo(batch_id: int, act_now: Callable[[], Act]) -> UndoResult:
    """Undo a written batch for a command: worked out outside the lock, and again when somebody saved meanwhile.

    Raises what ``prepare_undo`` raises, and Refused when people keep saving.
    """
    for _ in range(_TRIES):
        act = act_now()
        with _heavy(), suppress(Conflict):
            ready = import_undo.prepare_undo(batch_id, act=act)
            with unit_of_work():
                result = import_undo.undo_import(batch_id, ready, act=act)
            if result is not None:
                return result
    raise Refused("库里一直有人在保存，没有撤销。过一会儿再试。")
