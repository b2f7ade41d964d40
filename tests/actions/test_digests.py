"""The week's digest: who is owed one, what stands in it and in which order, and what must not."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from sqlalchemy import func, select

from crm.actions.digest_material import compose
from crm.domain.changes import Create, Update
from crm.domain.digests import week_of
from crm.extensions import db
from crm.jobs.digests import queue_digests
from crm.mail.compose import digest as mail_digest
from crm.store.imports import ImportBatch
from crm.store.messages import Message
from crm.store.obligations import obligations_of
from crm.store.projections import all_ids, refresh
from crm.store.unit_of_work import unit_of_work
from crm.store.users import Grant, User
from crm.store.writer import write
from tests.builders import NOW, OTHER, TODAY, act, county, make_enterprise, make_unit, make_user, township
from tests.jobs.week import make_week, visited


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


SME = ("tech_sme", date(2026, 7, 1), None, {"cohort_year": 2026})


def change(noun: str, values: dict, record_id: int | None = None, **more) -> None:
    with unit_of_work():
        one = Update(noun, record_id, values) if record_id else Create(noun, values)
        write([one], act=act(**more), action="test")


def lines(content) -> list[tuple[str, list[str]]]:
    return [
        (
            section.title,
            [f"{line.chip} {'、'.join(name for name, _ in line.names)} {line.verb}" for line in section.lines],
        )
        for section in content.sections
    ]


def test_a_case_manager_reads_own_firms_the_latest_first_each_line_with_one_verb(app):
    world = make_week()

    content = compose(world.manager, TODAY, now=NOW)

    assert content.subject == "本周提醒（第 48 周）：1 项逾期，1 项 7 天内到期"
    assert lines(content) == [
        ("逾期", ["逾期 3 天 重庆宁谷生物科技有限公司 去办结"]),
        ("7 天内到期", ["11-27 巫溪县青禾食品有限责任公司 去办结"]),
        ("久未联系", ["120 个工作日 巫溪县白鹿溪酒业有限公司 记走访"]),
    ]
    assert content.notes == ("另有 1 家还没有任何联系记录，不算在久未联系里。",)
    assert content.scope == "只含你负责的 4 家企业"


def test_the_sections_follow_how_soon_it_is(sqlite_app):
    manager = make_user("xianghe", "case_manager", name="向禾").user_id
    firm = make_enterprise(manager=manager)
    for days in (-2, 0, 7, 8, 30, 31, 60, 61, 90, 95):
        visited(
            firm, TODAY - timedelta(days=30), author=manager, step=f"第 {days}", step_on=TODAY + timedelta(days=days)
        )

    content = compose(manager, TODAY, now=NOW)

    assert [(section.title, section.count) for section in content.sections] == [
        ("逾期", 1),
        ("7 天内到期", 2),
        ("8～30 天到期", 2),
        ("31～60 天到期", 2),
        ("61～90 天到期", 2),
    ]


def test_the_same_thing_due_on_the_same_day_is_one_line_from_three_firms_on(sqlite_app):
    manager = make_user("xianghe", "case_manager", name="向禾").user_id
    title = ("hnte", date(2024, 11, 28), date(2027, 11, 27))
    names = ["重庆宁谷生物科技有限公司", "巫溪县青禾食品有限责任公司", "巫溪县云脊矿业有限公司"]
    for name in names:
        make_enterprise(name, titles=[title], manager=manager)
    on = date(2027, 5, 24)

    content = compose(manager, on, now=NOW)

    together = [line for section in content.sections for line in section.lines if len(line.names) == 3]
    assert [(line.chip, line.verb, line.path) for line in together] == [
        ("05-31", "逐家办", "/due?kind=hnte_annual_report&month=2027-05-31")
    ]
    assert sorted(name for name, _ in together[0].names) == sorted(names)


def test_thousands_with_one_deadline_are_counted_and_the_first_are_named(app, monkeypatch):
    """What is read is little, what is said is all of it: the section, the line, the heading and the managers."""
    monkeypatch.setattr("crm.actions.digest_material.MOST_OVERDUE", 3)
    manager, bureau = (
        make_user(login, role).user_id for login, role in (("xianghe", "case_manager"), ("li", "bureau"))
    )
    for n in range(5):
        make_enterprise(f"巫溪县企{n}食品有限公司", manager=manager, titles=[SME])
    day = datetime(2027, 3, 1, 2, tzinfo=UTC)
    with unit_of_work():
        refresh(all_ids(), at=day)
    due_at = next(one.due_at for one in obligations_of(1) if one.kind == "tech_sme_round")
    at = due_at - timedelta(days=5)
    with unit_of_work():
        refresh(all_ids(), at=at)

    with time_machine.travel(at, tick=False):
        content = compose(bureau, at.date(), now=at)

    week, managers = (next(s for s in content.sections if s.code == code) for code in ("due_7", "managers"))
    assert (week.count, len(week.lines), week.more) == (5, 1, None)
    assert (len(week.lines[0].names), week.lines[0].others) == (3, 2)
    assert "，5 家" in week.lines[0].text
    assert content.subject.endswith("5 项 7 天内到期")
    assert managers.lines[0].text == "xianghe：逾期 0 项，30 天内到期 5 项，久未联系 0 家"
    assert "等 5 家" in mail_digest(content, user_id=bureau).html


def test_a_firm_due_for_silence_is_left_out_when_it_is_gone(sqlite_app):
    manager = make_user("xianghe", "case_manager", name="向禾").user_id
    for name, status in (("甲有限公司", "deregistered"), ("乙有限公司", "active")):
        firm = make_enterprise(name, manager=manager, status=status)
        visited(firm, date(2026, 6, 1), author=manager)

    content = compose(manager, TODAY, now=NOW)

    assert lines(content) == [("久未联系", ["120 个工作日 乙有限公司 记走访"])]


def test_silence_counts_by_the_regions_own_limit(sqlite_app):
    world = make_week()
    change("setting", {"region_id": county().id, "key": "silence_days", "value": 200})

    content = compose(world.manager, TODAY, now=NOW)

    assert [section.code for section in content.sections] == ["overdue", "due_7"]


def imported(firm: int, *, at: datetime, state: str = "done") -> None:
    with unit_of_work() as work:
        batch = ImportBatch(
            region_id=county().id,
            who="李闻",
            file_name="科技型第六批.xlsx",
            effective_on=at.date(),
            state=state,
            created_at=at,
        )
        work.add(batch)
        work.flush()
        one = Update("enterprise", firm, {"address": f"马镇坝 {batch.id} 号"})
        write([one], act=act(now=at, import_batch_id=batch.id), action="import")


def listed(firm: int, kind: str, *, at: datetime) -> None:
    """A title that a list brought."""
    with unit_of_work() as work:
        batch = ImportBatch(
            region_id=county().id,
            who="李闻",
            file_name="名单.xlsx",
            effective_on=at.date(),
            state="done",
            created_at=at,
        )
        work.add(batch)
        work.flush()
        values = {"enterprise_id": firm, "kind": kind, "valid_from": at.date(), "recorded_at": at}
        write([Create("qualification", values)], act=act(now=at, import_batch_id=batch.id), action="import")


def queued(user_id: int, week: str, at: datetime, state: str = "sent") -> Message:
    return Message(
        user_id=user_id,
        channel="mail",
        kind="digest",
        period=week,
        recipient="xianghe@example.org",
        subject="本周提醒",
        text="",
        headers={},
        message_id=f"<{week}@example.org>",
        state=state,
        attempts=1,
        queued_at=at,
        state_at=at,
    )


def stuck(user_id: int, state: str) -> None:
    """A message that did not simply arrive."""
    with unit_of_work() as work:
        work.add(queued(user_id, "2026-W47", NOW, state))


def test_what_an_import_changed_last_week_is_told_and_what_was_undone_is_not(app):
    manager = make_user("xianghe", "case_manager", name="向禾").user_id
    firm = make_enterprise(manager=manager)
    imported(firm, at=NOW - timedelta(days=3))
    imported(firm, at=NOW - timedelta(days=2), state="undone")
    imported(firm, at=NOW - timedelta(days=9))

    content = compose(manager, TODAY, now=NOW)

    (section,) = content.sections
    assert [(line.chip, line.text, line.verb) for line in section.lines] == [
        ("11-20", "企业有变化，来自科技型第六批.xlsx（11-20 导入）", "看变更")
    ]


def days_told(manager: int, firm: int, *digests: date) -> list[int]:
    """For each day of two months, how many of these mails tell of an import of that day."""
    counts = []
    for day in range(60):
        at = datetime(2026, 1, 26, 4, 0, tzinfo=UTC) + timedelta(days=day)
        imported(firm, at=at)
    for on in digests:
        content = compose(manager, on, now=datetime.combine(on, datetime.min.time(), UTC))
        with unit_of_work() as work:
            message = queued(manager, week_of(on), datetime.combine(on, datetime.min.time(), UTC))
            work.add(message)
        section = [s for s in content.sections if s.code == "imported"]
        counts.append((section[0].more and int(re.search(r"\d+", section[0].more[0])[0]) + 8) or len(section[0].lines))
    return counts


def test_no_import_falls_between_two_mails_of_a_holiday(sqlite_app):
    manager = make_user("xianghe", "case_manager", name="向禾").user_id
    firm = make_enterprise(manager=manager)
    # The Spring Festival of 2026 takes the whole of week 8; the Qingming Monday shifts week 15.
    mondays = [date(2026, 2, 2), date(2026, 2, 9), date(2026, 2, 24), date(2026, 3, 2)]

    told = days_told(manager, firm, *mondays)

    assert told == [7, 7, 15, 6]


def test_before_the_first_mail_the_last_week_with_a_working_day_counts(sqlite_app):
    manager = make_user("xianghe", "case_manager", name="向禾").user_id
    firm = make_enterprise(manager=manager)
    imported(firm, at=datetime(2026, 2, 11, 4, 0, tzinfo=UTC))
    imported(firm, at=datetime(2026, 2, 8, 4, 0, tzinfo=UTC))

    content = compose(manager, date(2026, 2, 24), now=NOW)

    assert [line.chip for s in content.sections for line in s.lines if s.code == "imported"] == ["02-11"]


def test_no_news_is_one_line(sqlite_app):
    manager = make_user("xianghe", "case_manager", name="向禾").user_id

    content = compose(manager, TODAY, now=NOW)

    assert (content.nothing, content.sections) == (True, ())
    assert "这一周没有要办的事项，也没有变化。" in mail_digest(content, user_id=manager).text


def test_the_bureau_reads_how_much_lies_with_whom(sqlite_app):
    world = make_week()
    change("affiliation", {"enterprise_id": world.quiet, "kind": "status", "value": "active"})

    content = compose(world.bureau, TODAY, now=NOW)

    summary = next(section for section in content.sections if section.code == "managers")
    assert [line.text for line in summary.lines] == [
        "向禾：逾期 1 项，30 天内到期 1 项，久未联系 1 家",
        "陈述：逾期 1 项，30 天内到期 0 项，久未联系 0 家",
    ]
    assert content.subject == "本周提醒（第 48 周）：2 项逾期，1 项 7 天内到期"


def test_a_leader_reads_numbers_that_open_their_lists(sqlite_app):
    world = make_week()
    make_enterprise("重庆清河新材料有限公司", titles=[("hnte", date(2025, 11, 28), date(2028, 11, 27))])

    content = compose(world.leader, TODAY, now=NOW)

    numbers = content.sections[0]
    assert (numbers.code, numbers.lines[1].text, numbers.lines[1].path) == (
        "counts",
        "最高梯次为高企 1 家",
        "/enterprises?rung=3",
    )
    assert [section.code for section in content.sections[1:]] == ["overdue"]


def test_a_leader_is_not_told_that_nothing_is_coming(sqlite_app):
    manager = make_user("xianghe", "case_manager", name="向禾").user_id
    leader = make_user("zhouyuan", "leader", name="周远").user_id
    visited(make_enterprise(manager=manager), TODAY, author=manager, step="回访", step_on=TODAY + timedelta(days=3))

    assert compose(leader, TODAY, now=NOW).subject == "本周提醒（第 48 周）：没有逾期事项"


def test_a_department_reads_about_the_titles_it_owns_and_nothing_inside(app):
    world = make_week()
    unit = make_user("jingxin", "unit", name="钟秋").user_id
    ending = (TODAY - timedelta(days=1000), TODAY + timedelta(days=20))
    firm = make_enterprise("重庆清河新材料有限公司", titles=[("srdi", *ending)], manager=world.manager)
    make_enterprise("重庆云谷电子有限公司", titles=[("hnte", *ending)])
    visited(firm, TODAY - timedelta(days=9), author=world.manager, step="送立项书", step_on=TODAY)

    content = compose(unit, TODAY, now=NOW)

    assert content.subject == "本周提醒（第 48 周）：1 家归口资格临近到期"
    assert [(s.code, [line.text for line in s.lines]) for s in content.sections] == [
        ("counts", ["持有创新型 0 家", "持有科技和创新型 0 家", "持有专精特新 1 家", "持有小巨人 0 家"]),
        ("endings", ["专精特新有效期至 12-13"]),
    ]
    assert "送立项书" not in mail_digest(content, user_id=unit).text


def test_a_department_is_told_of_imported_titles_it_owns_only(sqlite_app):
    unit = make_user("jingxin", "unit", name="钟秋").user_id
    imported(make_enterprise("重庆清河新材料有限公司"), at=NOW - timedelta(days=2))
    for name, kind in (("重庆云谷电子有限公司", "srdi"), ("重庆竹溪机械有限公司", "hnte")):
        listed(make_enterprise(name), kind, at=NOW - timedelta(days=1))

    content = compose(unit, TODAY, now=NOW)

    assert [line.names[0][0] for s in content.sections if s.code == "imported" for line in s.lines] == [
        "重庆云谷电子有限公司"
    ]


def test_an_administrator_reads_what_only_an_administrator_can_put_right(app):
    world = make_week()
    admin = make_user("tianyan", "admin", name="田砚").user_id
    change("user", {"email": None}, world.colleague)
    ended = db.session.scalar(select(Grant.id).where(Grant.user_id == world.township))
    change("grant", {"valid_to": TODAY + timedelta(days=30)}, ended)
    make_enterprise("重庆清河新材料有限公司")
    stuck(world.manager, "uncertain")

    content = compose(admin, TODAY, now=NOW)

    assert content.subject == "本周提醒（第 48 周）：4 类事等你处理"
    assert [(line.text, line.path) for line in content.sections[0].lines] == [
        ("邮件不确定是否送达 1 封", "/jobs?state=uncertain"),
        ("没有服务专员的企业 1 家", "/enterprises?view=unassigned"),
        ("要收周邮件却没有信箱的用户 1 人", "/users?show=unreachable"),
        ("30 天内授权到期的用户 1 人", "/users?show=ending"),
    ]


def test_an_administrator_is_reminded_of_next_years_holidays_in_december(sqlite_app):
    admin = make_user("tianyan", "admin", name="田砚").user_id

    november, december = (compose(admin, date(2031, month, 3), now=NOW) for month in (11, 12))

    assert november.subject.endswith("没有等着处理的事")
    assert [line.text for line in december.sections[0].lines] == ["2032 年的放假安排没有录入 1 项"]


def test_a_township_reads_its_own_firms_and_the_other_district_nothing(sqlite_app):
    world = make_week()
    stranger = make_user("stranger", "bureau", region=county(OTHER)).user_id

    own = compose(world.township, TODAY, now=NOW)
    foreign = compose(stranger, TODAY, now=NOW)

    assert lines(own) == [("逾期", ["逾期 3 天 重庆宁谷生物科技有限公司 打开"])]
    assert foreign.nothing is True


def test_who_may_not_settle_reads_no_verb_that_would_be_refused(app):
    """A leader and a township look; the office and the firm's own case manager act; a promise is one's own to keep."""
    world = make_week()
    title = ("hnte", date(2024, 11, 28), date(2027, 11, 27))
    for name in ("重庆清河新材料有限公司", "巫溪县竹溪机械有限公司", "巫溪县云谷电子有限公司"):
        make_enterprise(name, titles=[title], township=township().id)
    visited(
        world.late, TODAY - timedelta(days=5), author=world.township, step="送材料", step_on=TODAY - timedelta(days=1)
    )
    on = date(2027, 6, 2)

    verbs = {
        user_id: {line.verb for section in compose(user_id, day, now=NOW).sections for line in section.lines}
        for user_id, day in ((world.leader, TODAY), (world.manager, TODAY))
    }
    town = compose(world.township, TODAY, now=NOW)
    together = [
        {line.verb for section in content.sections for line in section.lines if len(line.names) == 3}
        for content in (compose(user_id, on, now=NOW) for user_id in (world.leader, world.bureau))
    ]

    assert verbs[world.leader] & {"去办结", "逐家办"} == set()
    assert "去办结" in verbs[world.manager]
    assert [line.verb for line in town.sections[0].lines] == ["打开", "去办结"]
    assert together == [{"看名单"}, {"逐家办"}]


def test_a_step_promised_at_a_colleagues_firm_is_owed_by_who_promised(sqlite_app):
    world = make_week()
    visited(
        world.late, TODAY - timedelta(days=5), author=world.colleague, step="带样品", step_on=TODAY + timedelta(days=2)
    )

    today = compose(world.colleague, TODAY, now=NOW)
    tomorrow = compose(world.colleague, TODAY + timedelta(days=1), now=NOW)

    for content in (today, tomorrow):
        assert ("7 天内到期", ["11-25 重庆宁谷生物科技有限公司 去办结"]) in lines(content)
        assert sum(section.count for section in content.sections if section.code.startswith(("due", "over"))) == 2


def test_no_figure_ever_stands_in_a_mail(sqlite_app):
    world = make_week()
    change(
        "figures", {"enterprise_id": world.late, "year": 2025, "revenue": Decimal("87654321.09"), "staff_count": 4321}
    )

    for user_id in (world.manager, world.bureau, world.leader, world.township):
        composed = mail_digest(compose(user_id, TODAY, now=NOW), user_id=user_id)
        assert not any(figure in composed.text + composed.html for figure in ("8765", "87,65", "4321", "4,321"))


def test_another_day_is_computed_and_writes_nothing(sqlite_app):
    world = make_week()

    content = compose(world.manager, TODAY + timedelta(days=14), now=NOW)

    assert content.subject == "本周提醒（第 50 周）：2 项逾期"
    assert compose(world.manager, TODAY, now=NOW).subject == "本周提醒（第 48 周）：1 项逾期，1 项 7 天内到期"


def test_a_computed_day_says_the_same_as_the_stored_one(app):
    world = make_week()
    later = datetime(2026, 12, 7, 0, 0, tzinfo=UTC)
    computed = compose(world.manager, later.date(), now=NOW)
    with unit_of_work():
        refresh([world.late, world.soon, world.silent, world.quiet], at=later)

    stored = compose(world.manager, later.date(), now=later)

    assert lines(stored) == lines(computed)


def test_a_year_without_holidays_is_counted_by_weekends_and_says_so(sqlite_app):
    world = make_week()

    content = compose(world.manager, date(2031, 3, 3), now=NOW)

    assert content.notes[0] == "2031 年的放假安排还没有录入，工作日按周末推算。"


def test_queueing_again_queues_nothing(app):
    make_week()

    first = queue_digests(TODAY, act(), now=NOW)
    again = queue_digests(TODAY + timedelta(days=2), act(), now=NOW)

    assert (first.week, first.queued, first.already) == ("2026-W48", 5, 0)
    assert (again.queued, again.already) == (0, 5)
    assert db.session.scalar(select(func.count()).select_from(Message)) == 5


def test_the_next_week_is_owed_anew(sqlite_app):
    make_week()
    queue_digests(TODAY, act(), now=NOW)

    week = queue_digests(TODAY + timedelta(days=7), act(), now=NOW + timedelta(days=7))

    assert (week.week, week.queued) == ("2026-W49", 5)


def test_message_ids_are_the_same_for_the_same_message_only(sqlite_app):
    world = make_week()
    content = compose(world.manager, TODAY, now=NOW)

    first = mail_digest(content, user_id=world.manager).message_id
    second = mail_digest(content, user_id=world.manager).message_id
    other = mail_digest(content, user_id=world.colleague).message_id

    assert first == second != other
    assert first.startswith("<digest.2026-W48.")


def test_who_gets_none_is_named_with_the_reason(sqlite_app):
    manager = make_user("xianghe", "case_manager", name="向禾")
    silent = make_user("wunian", "case_manager", name="吴念")
    off = make_user("qiyun", "case_manager", name="齐云", region=county(OTHER))
    registers = make_unit("县市场监管局", "intellectual_property")
    make_user("unit", "unit", name="市监", unit_id=registers)  # it owns no title: nothing to tell yet
    change("user", {"wants_digest": False}, manager.user_id)
    change("user", {"email": None}, silent.user_id)
    change("setting", {"region_id": county(OTHER).id, "key": "digest_on", "value": False})

    week = queue_digests(TODAY, act(), now=NOW)

    assert [(person["name"], person["state"]) for person in week.people] == [
        ("向禾", "not_wanted"),
        ("吴念", "no_email"),
        ("齐云", "switched_off"),
    ]
    assert db.session.get(User, off.user_id).active is True


def test_every_line_leads_to_a_page_that_exists(sqlite_app):
    world = make_week()
    adapter = sqlite_app.url_map.bind("localhost")

    ending = ("srdi", TODAY - timedelta(days=1000), TODAY + timedelta(days=20))
    make_enterprise("重庆清河新材料有限公司", titles=[ending])
    unit, admin = (make_user(role, role).user_id for role in ("unit", "admin"))

    for user_id in (world.manager, world.bureau, world.leader, world.township, unit, admin):
        content = compose(user_id, TODAY, now=NOW)
        assert content.sections
        paths = [line.path for section in content.sections for line in section.lines]
        paths += [path for section in content.sections for line in section.lines for _, path in line.names]
        for path in paths:
            assert adapter.match(path.partition("?")[0].partition("#")[0])


def late_and_coming(manager: int, name: str) -> int:
    """A firm of somebody's with a step that is late and one that comes within a week."""
    firm = make_enterprise(name, manager=manager)
    for days in (-4, 5):
        on = TODAY + timedelta(days=days)
        visited(firm, TODAY - timedelta(days=20), author=manager, step=f"第 {days}", step_on=on)
    return firm


def test_a_deputy_reads_the_lines_of_whoever_is_away_under_that_persons_name(app):
    manager = make_user("xianghe", "case_manager", name="向禾").user_id
    deputy = make_user("chenshu", "case_manager", name="陈述").user_id
    late_and_coming(manager, "巫溪县石泉沟食品有限公司")
    until = TODAY + timedelta(days=6)
    change("absence", {"user_id": manager, "deputy_id": deputy, "starts_on": TODAY, "ends_on": until})

    content = compose(deputy, TODAY, now=NOW)

    assert content.headline == "陈述，代向禾 2 项"
    assert lines(content) == [
        (
            "代向禾（离岗到 11-29）",
            ["逾期 4 天 巫溪县石泉沟食品有限公司 去办结", "11-28 巫溪县石泉沟食品有限公司 去办结"],
        )
    ]
    assert compose(deputy, until + timedelta(days=1), now=NOW).nothing


def test_a_supervisor_reads_only_what_is_late_of_the_own_people(app):
    leader = make_user("fangju", "leader", name="方局").user_id
    manager = make_user("xianghe", "case_manager", name="向禾").user_id
    other = make_user("chenshu", "case_manager", name="陈述").user_id
    late_and_coming(manager, "巫溪县石泉沟食品有限公司")
    late_and_coming(other, "巫溪县盐泉食品有限公司")
    change("user", {"supervisor_id": leader}, manager)

    content = compose(leader, TODAY, now=NOW)

    [section] = [section for section in content.sections if section.code == "late_of"]
    assert (section.title, section.count) == ("你带的人逾期", 1)
    assert [(line.chip, line.text, line.path) for line in section.lines] == [
        ("逾期 4 天", "向禾：逾期 1 项，最久的是下一步", f"/due?month=late&manager={manager}")
    ]
