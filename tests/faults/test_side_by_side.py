"""Several people and processes at the same instant: one press is one record, two imports are sums that are right."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from crm.actions.imports import STALE
from crm.domain.codes import make_code
from crm.extensions import carrier, db
from crm.store.changes import ChangeSet
from crm.store.enterprises import Enterprise
from crm.store.imports import ImportBatch
from crm.store.service_logs import ServiceLog
from tests.builders import county, make_enterprise, make_user
from tests.conftest import build, fresh_settings
from tests.faults.installation import Installation, Person, until
from tests.faults.wholeness import is_written, problems_of_database
from tests.workbooks import workbook

PRESSES = 6
HEAD = ["企业名称", "统一社会信用代码", "联系人"]


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request, tmp_path):
    settings = fresh_settings(request.param, request, tmp_path)
    app = build(settings)
    with app.app_context():
        for login in ("tanyue", "liwen"):
            make_user(login, "bureau")
        running = Installation(settings, workers=2)
        try:
            running.wait_until_ready()
            yield running
        finally:
            running.stop()
            db.session.remove()
            db.engine.dispose()
            carrier.huey.storage.close()


def _at_once(*deeds):
    """Start these in threads of their own at the same instant; their answers."""
    together = Barrier(len(deeds))

    def one(deed):
        together.wait(20)
        return deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return [future.result(60) for future in [pool.submit(one, deed) for deed in deeds]]


def _press(person: Person, path: str, fields: dict[str, str]) -> list[tuple[int, str, str]]:
    body = {**fields, "csrf_token": person.token("/account")}
    return _at_once(*[lambda: person.post(path, body)] * PRESSES)


def test_pressing_at_the_same_instant_is_one_record_and_two_imports_are_right(installation):
    """One installation serves both, because starting it is most of the time."""
    _one_press_is_one_firm_and_one_visit(Person(installation.address, "tanyue"))
    _two_imports_of_overlapping_lists_are_right(installation)
    assert problems_of_database() == []


def _one_press_is_one_firm_and_one_visit(person: Person) -> None:
    firm = make_enterprise("巫溪县青禾食品有限责任公司")
    for n in range(3):
        named = {"name": f"巫溪县同时第{n}号有限公司", "credit_code": make_code(50 + n), "region": str(county().id)}
        answers = _press(person, "/enterprises/new", {**named, "request_key": f"firm-{n}"})
        db.session.rollback()
        found = db.session.scalars(select(Enterprise.id).where(Enterprise.name == named["name"])).all()
        assert [answer[0] for answer in answers] == [200] * PRESSES
        assert len(found) == 1

        visit = {"enterprises": str(firm), "kind": "visit", "text": f"第{n}次看了车间。", "happened_on": "2026-11-20"}
        answers = _press(person, "/visits/new", {**visit, "request_key": f"visit-{n}"})
        assert [answer[0] for answer in answers] == [200] * PRESSES
        db.session.rollback()

    texts = list(db.session.scalars(select(ServiceLog.text).order_by(ServiceLog.id)))
    keyed = select(ChangeSet.request_key).where(ChangeSet.action.in_(("create_enterprise", "log_service")))
    assert texts == [f"第{n}次看了车间。" for n in range(3)]
    assert len([key for key in db.session.scalars(keyed) if key]) == 6
    db.session.rollback()


def _two_imports_of_overlapping_lists_are_right(installation: Installation) -> None:
    before = _firms()
    people = [Person(installation.address, login) for login in ("tanyue", "liwen")]
    # A third of each list is in both; every second firm has no code, so that no constraint of the database helps.
    lists = [_list(range(0, 600)), _list(range(400, 1000))]
    batches = _at_once(*[lambda p=p, c=c: p.upload(c) for p, c in zip(people, lists, strict=True)])
    until(lambda: _states(batches) == ["preview", "preview"], "both previews")

    _at_once(*[lambda p=p, b=b: _confirm(p, b) for p, b in zip(people, batches, strict=True)])
    until(lambda: "committing" not in _states(batches), "the end of both")

    first, second = sorted(batches, key=lambda batch_id: _batch(batch_id).state != "done")
    assert is_written(first)
    if not is_written(second):
        assert (_batch(second).state, _batch(second).message) == ("preview", STALE)
        person = people[batches.index(second)]
        person.send(f"/imports/{second}/again", {})
        until(lambda: _batch(second).state == "preview", "the second preview")
        assert (_batch(second).summary["new"], _batch(second).summary["same"]) == (400, 200)
        _confirm(person, second)
        until(lambda: _batch(second).state == "done", "the second writing")
    assert is_written(second)
    assert _firms() == before + 1000


def _list(numbers: range) -> bytes:
    rows = [[f"巫溪县并行第{n}号有限公司", make_code(3_000_000 + n) if n % 2 else None, f"联系人{n}"] for n in numbers]
    return workbook({"企业": [HEAD, *rows]})


def _confirm(person: Person, batch_id: int) -> None:
    status, _, page = person.send(f"/imports/{batch_id}/confirm", {"mode": "all"})
    assert status == 200, page


def _batch(batch_id: int) -> ImportBatch:
    db.session.rollback()
    return db.session.get(ImportBatch, batch_id)


def _states(batches: list[int]) -> list[str]:
    return [_batch(batch_id).state for batch_id in batches]


def _firms() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Enterprise).where(~Enterprise.deleted)) or 0
