"""The pages about users and the own account, in a browser's words."""

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from crm.domain.changes import Update
from crm.extensions import db
from crm.store.changes import Change
from crm.store.jobs import Job
from crm.store.unit_of_work import unit_of_work
from crm.store.users import Credential, Grant, User, grants_in_force
from crm.store.writer import write
from tests.builders import PASSWORD, TODAY, act, county, make_unit, make_user, township
from tests.web.conftest import csrf_of, post, queries, sign_in


def admin_of(app):
    make_user("boss", "admin", name="管理员")
    client = app.test_client()
    sign_in(client, "boss")
    return client


def user_named(login: str) -> User | None:
    db.session.rollback()
    return db.session.scalar(select(User).where(User.login == login))


def add(client, **values):
    wanted = {
        "request_key": "k",
        "login": "xianghe",
        "name": "向禾",
        "email": "",
        "region_id": county().id,
        "role": "township",
        "place": f"region:{township().id}",
        "valid_from": "",
        "valid_to": "",
        **values,
    }
    return post(client, "/users/new", wanted)


def test_a_township_user_without_a_township_is_told_beside_the_place(app):
    client = admin_of(app)

    answer = add(client, place=f"region:{county().id}", name="")
    mended = add(client, place=f"region:{county().id}", request_key="k2")

    assert "改正 1 处后再保存：" in answer.text and 'href="#f-name">姓名</a>' in answer.text
    assert mended.status_code == 422
    assert re.search(r'id="f-place-error">.*?</svg>乡镇（街道）经办人选一个乡镇（街道）。', mended.text)
    assert user_named("xianghe") is None


def test_users_stand_in_the_order_of_their_names(app):
    client = admin_of(app)
    for login, name in (("a", "周远"), ("b", "陈述"), ("c", "冯桓")):
        make_user(login, "leader", name=name)

    page = client.get("/users").text

    assert sorted(("周远", "陈述", "冯桓"), key=page.index) == ["陈述", "冯桓", "周远"]


def change(noun: str, values: dict, record_id: int) -> None:
    with unit_of_work():
        write([Update(noun, record_id, values)], act=act(), action="test")


def failed_job() -> None:
    with unit_of_work() as work:
        now = datetime.now(UTC)
        work.add(Job(kind="recompute", payload={}, state="failed", region_id=county().id, created_at=now))


def password_on(page: str) -> str:
    return re.search(r"<code>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</code>", page).group(1)


def test_an_added_user_signs_in_with_the_password_shown_once(app):
    client = admin_of(app)

    page = add(client)
    mate = app.test_client()
    sign_in(mate, "xianghe", password_on(page.text))

    user = user_named("xianghe")
    assert page.status_code == 200
    assert [g.role for g in grants_in_force(user.id, TODAY)] == ["township"]
    assert mate.get("/account").status_code == 200
    assert password_on(page.text) not in client.get(f"/users/{user.id}").text


def test_adding_twice_makes_one_user(sqlite_app):
    client = admin_of(sqlite_app)
    add(client)

    again = add(client, login="another")

    assert again.status_code == 302
    assert user_named("another") is None


def test_a_refused_user_comes_back_with_everything_typed(sqlite_app):
    client = admin_of(sqlite_app)

    page = add(client, login="向禾", email="keine", place="region:999999")

    assert page.status_code == 422
    assert "登录名用 2 到 40 个" in page.text
    assert "不是信箱地址" in page.text
    assert 'value="向禾"' in page.text
    assert 'value="keine"' in page.text


def test_a_place_that_does_not_fit_the_role_is_said(sqlite_app):
    client = admin_of(sqlite_app)

    page = add(client, role="township", place=f"region:{county().id}")

    assert page.status_code == 422
    assert "乡镇（街道）经办人选一个乡镇（街道）。" in page.text
    assert user_named("xianghe") is None


def test_a_department_that_has_ended_is_neither_offered_nor_granted(sqlite_app):
    client = admin_of(sqlite_app)
    gone = make_unit("县经济信息委（旧）", "srdi")
    change("unit", {"valid_to": datetime.now(UTC).date() - timedelta(days=1)}, gone)

    page = add(client, role="unit", place=f"unit:{gone}")

    assert page.status_code == 422
    assert "县经济信息委（旧）在" in page.text and "已停用" in page.text
    assert f'value="unit:{gone}"' not in client.get("/users/new").text


def test_a_date_that_is_none_keeps_its_text(sqlite_app):
    client = admin_of(sqlite_app)

    page = add(client, valid_from="下周一")

    assert page.status_code == 422
    assert "“下周一”不是日期。写成 2026-11-23。" in page.text
    assert 'value="下周一"' in page.text


def test_the_list_shows_roles_and_places_and_leaves_ended_grants_out(sqlite_app):
    client = admin_of(sqlite_app)
    make_user("old", "leader", name="旧领导", valid_to=TODAY.replace(year=2020))
    make_user("clerk", "township", name="经办", region=township())

    page = client.get("/users").text

    assert "凤凰镇" in page
    assert "分管领导" not in page
    assert "没有授权" in page


def test_what_the_administrators_mail_counts_opens_as_many_rows(app):
    client = admin_of(app)
    make_user("xianghe", "case_manager", name="向禾")
    make_user("chenshu", "case_manager", name="陈述")
    ends = {"valid_to": datetime.now(UTC).date() + timedelta(days=20)}
    change("user", {"email": None}, user_named("chenshu").id)
    change("grant", ends, grants_in_force(user_named("xianghe").id, TODAY)[0].id)
    failed_job()

    mail = client.get("/desk/week").text
    counted = re.findall(r'(\d+) (?:个|人)</span>.*?href="(/(?:jobs|users)\?[^"]+)"', mail)
    jobs = client.get("/jobs?job=failed").text.partition('aria-label="后台任务"')[2].partition("时间表")[0]
    rows = [jobs.count('<td class="fa">')]
    rows += [client.get(f"/users?show={show}").text.count('<td class="fa">') for show in ("unreachable", "ending")]

    assert counted == [("1", "/jobs?job=failed"), ("1", "/users?show=unreachable"), ("1", "/users?show=ending")]
    assert rows == [1, 1, 1]


def test_the_list_asks_as_often_for_many_users_as_for_one(sqlite_app):
    client = admin_of(sqlite_app)
    make_user("one", "township", region=township())
    client.get("/users")
    few = queries(client, "/users")
    for number in range(3):
        make_user(f"more{number}", "township", region=township())
    client.get("/users")

    assert queries(client, "/users") == few


def test_a_grant_is_given_and_ended_with_a_day(app):
    client = admin_of(app)
    add(client)
    user = user_named("xianghe")
    post(client, f"/users/{user.id}/grants", {"role": "bureau", "place": f"region:{county().id}"})
    grant = grants_in_force(user.id, TODAY)[-1]

    answer = post(
        client, f"/users/{user.id}/grants/{grant.id}/end", {"ends_on": "2026-11-23", "version": grant.version}
    )

    db.session.rollback()
    assert answer.status_code == 302
    assert db.session.get(Grant, grant.id).valid_to == TODAY


def test_a_deactivated_user_is_out_and_comes_back(app):
    client = admin_of(app)
    page = add(client)
    user = user_named("xianghe")
    mate = app.test_client()
    sign_in(mate, "xianghe", password_on(page.text))

    post(client, f"/users/{user.id}/active", {"version": user.version})
    out = mate.get("/account").status_code
    version = user_named("xianghe").version
    post(client, f"/users/{user.id}/active", {"version": version, "active": "1"})

    assert out == 302
    assert user_named("xianghe").active is True


def test_a_reset_password_is_shown_once_and_ends_the_sessions(app):
    client = admin_of(app)
    page = add(client)
    user = user_named("xianghe")
    mate = app.test_client()
    sign_in(mate, "xianghe", password_on(page.text))

    shown = post(client, f"/users/{user.id}/password")

    assert shown.status_code == 200
    assert mate.get("/account").status_code == 302
    sign_in(mate, "xianghe", password_on(shown.text))


def test_two_people_editing_one_user_do_not_overwrite_each_other(sqlite_app):
    client = admin_of(sqlite_app)
    add(client)
    user = user_named("xianghe")
    data = {"name": "甲", "email": "", "region_id": county().id, "version": user.version}
    post(client, f"/users/{user.id}", data)

    answer = post(client, f"/users/{user.id}", data | {"name": "乙"})

    assert answer.status_code == 409
    assert 'value="乙"' in answer.text
    assert user_named("xianghe").name == "甲"


def test_who_changes_the_own_grants_goes_on_working(sqlite_app):
    client = admin_of(sqlite_app)
    user = user_named("boss")

    post(client, f"/users/{user.id}/grants", {"role": "bureau", "place": f"region:{county().id}"})

    assert client.get("/users").status_code == 200


def test_the_own_password_is_changed_with_the_old_one_and_ends_other_devices(app):
    make_user("lina", "leader")
    desk, phone = app.test_client(), app.test_client()
    sign_in(desk, "lina")
    sign_in(phone, "lina")

    answer = post(
        desk,
        "/account/password",
        {"old_password": PASSWORD, "new_password": "新的密码有八个字", "again_password": "新的密码有八个字"},
    )

    assert answer.status_code == 302
    assert desk.get("/account").status_code == 200
    assert phone.get("/account").status_code == 302
    sign_in(app.test_client(), "lina", "新的密码有八个字")


def test_a_new_password_that_cannot_be_is_refused_beside_its_field(sqlite_app):
    viewer = make_user("lina", "leader")
    client = sqlite_app.test_client()
    sign_in(client, "lina")
    before = db.session.get(Credential, viewer.user_id).password_hash
    cases = [
        (
            {"old_password": "falsch-falsch", "new_password": "ganz-neues-8", "again_password": "ganz-neues-8"},
            "现在的密码不对。",
        ),
        ({"old_password": PASSWORD, "new_password": "kurz", "again_password": "kurz"}, "密码至少 8 个字符。"),
        (
            {"old_password": PASSWORD, "new_password": "ganz-neues-8", "again_password": "ganz-anders-8"},
            "两次填的新密码不一样。",
        ),
        ({"old_password": PASSWORD, "new_password": PASSWORD, "again_password": PASSWORD}, "新密码与现在的一样。"),
    ]

    answers = [post(client, "/account/password", data) for data, _ in cases]

    db.session.rollback()
    assert [answer.status_code for answer in answers] == [422] * 4
    assert all(words in answer.text for answer, (_, words) in zip(answers, cases, strict=True))
    assert db.session.get(Credential, viewer.user_id).password_hash == before


def test_guessing_the_old_password_on_an_open_screen_is_slowed(sqlite_app):
    make_user("lina", "leader")
    client = sqlite_app.test_client()
    sign_in(client, "lina")
    wrong = {"old_password": "falsch-falsch", "new_password": "ganz-neues-8", "again_password": "ganz-neues-8"}

    statuses = [post(client, "/account/password", wrong).status_code for _ in range(12)]

    assert statuses == [422] * 10 + [429] * 2


def test_no_password_stands_in_the_history(app):
    client = admin_of(app)
    page = add(client)
    post(client, f"/users/{user_named('xianghe').id}/password")

    db.session.rollback()
    said = repr([change.fields for change in db.session.scalars(select(Change))])
    hashes = [row.password_hash for row in db.session.scalars(select(Credential))]
    assert password_on(page.text) not in said
    assert not any(one in said for one in hashes)
    assert "$argon2" not in said


def test_the_sessions_of_the_own_account_name_the_devices(sqlite_app):
    make_user("lina", "leader")
    client = sqlite_app.test_client()
    data = {"csrf_token": csrf_of(client), "login": "lina", "password": PASSWORD}
    client.post(
        "/sign-in", data=data, headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537.36"}
    )

    page = client.get("/account").text

    assert "Chrome · Windows" in page
    assert "这台" in page
