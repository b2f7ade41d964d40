"""One week's world for digests and mail: four people who read, firms with something late, due, silent and imported."""

from dataclasses import dataclass
from datetime import date, timedelta

from crm.actions.service_logs import log_service
from crm.store.unit_of_work import unit_of_work
from tests.builders import TODAY, act, make_enterprise, make_user, township


@dataclass(frozen=True)
class World:
    """Ids of the people and firms by what they are for."""

    manager: int
    colleague: int
    bureau: int
    leader: int
    township: int
    late: int
    soon: int
    silent: int
    quiet: int


def visited(enterprise_id: int, on: date, *, author: int, step: str | None = None, step_on: date | None = None) -> None:
    values = {"happened_on": on, "kind": "visit", "text": "看了生产线", "next_step": step, "next_step_on": step_on}
    with unit_of_work():
        log_service([enterprise_id], values, author_id=author, act=act())


def make_week() -> World:
    """Of the case manager's four firms one has a step three days late, one due on Friday, one is silent since June."""
    manager = make_user("xianghe", "case_manager", name="向禾").user_id
    colleague = make_user("chenshu", "case_manager", name="陈述").user_id
    bureau = make_user("liwen", "bureau", name="李闻").user_id
    leader = make_user("zhouyuan", "leader", name="周远").user_id
    town = make_user("fenghuang", "township", name="冯桓", region=township()).user_id
    late = make_enterprise("重庆宁谷生物科技有限公司", manager=manager, township=township().id)
    soon = make_enterprise("巫溪县青禾食品有限责任公司", manager=manager)
    silent = make_enterprise("巫溪县白鹿溪酒业有限公司", manager=manager)
    quiet = make_enterprise("巫溪县巴岩竹编有限公司", manager=manager)
    theirs = make_enterprise("巫溪县云脊矿业有限公司", manager=colleague)
    visited(late, TODAY - timedelta(days=20), author=manager, step="送更名材料", step_on=TODAY - timedelta(days=3))
    visited(soon, TODAY - timedelta(days=10), author=manager, step="送审计报告初稿", step_on=TODAY + timedelta(days=4))
    visited(silent, date(2026, 6, 1), author=manager)
    visited(theirs, TODAY - timedelta(days=9), author=colleague, step="回访", step_on=TODAY - timedelta(days=1))
    return World(manager, colleague, bureau, leader, town, late, soon, silent, quiet)
