"""A process that lives says so again after whatever kept it from saying so."""

import threading

from sqlalchemy import select, text

from crm.extensions import db
from crm.jobs import heartbeats
from crm.store.jobs import Heartbeat
from crm.store.unit_of_work import unit_of_work


def names() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Heartbeat.name)))


def rename_table(old: str, new: str) -> None:
    with unit_of_work() as work:
        work.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


class Beats:
    """Counts the beats of a thread and lets a test wait for the next ones."""

    def __init__(self, monkeypatch) -> None:
        self.tried = threading.Semaphore(0)
        real = heartbeats.beat

        def beat(name: str) -> None:
            try:
                real(name)
            finally:
                self.tried.release()

        monkeypatch.setattr(heartbeats, "beat", beat)

    def wait_for(self, number: int) -> None:
        for _ in range(number):
            assert self.tried.acquire(timeout=10), "the heart has stopped"


def test_the_heart_beats_on_after_a_fault_of_the_database(app, monkeypatch):
    beats = Beats(monkeypatch)
    rename_table("heartbeat", "elsewhere")

    with heartbeats.beating(app, "scheduler", seconds=0.02, forget_at_end=False):
        beats.wait_for(3)
        rename_table("elsewhere", "heartbeat")
        # One may have begun before the table was back.
        beats.wait_for(3)

    assert names() == ["scheduler"]


def test_an_end_in_order_needs_no_database(app):
    with heartbeats.beating(app, "worker:here:1", seconds=60):
        pass
    assert names() == []

    with heartbeats.beating(app, "worker:here:1", seconds=60):
        rename_table("heartbeat", "elsewhere")
