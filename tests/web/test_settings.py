"""The settings page: what is typed counts, is recorded, and nobody overwrites another."""

from crm.store.settings import setting
from tests.builders import OTHER, county, make_user
from tests.web.conftest import post, sign_in
from tests.web.pages import form_on


def office(app, role="bureau"):
    make_user(role, role)
    client = app.test_client()
    sign_in(client, role)
    return client


def form_of(client, url="/settings") -> dict[str, str]:
    """The settings form as the browser would send it back untouched."""
    return form_on(client.get(url).text, "/settings")


def test_an_untouched_form_changes_nothing(app):
    client = office(app)

    answer = post(client, "/settings", form_of(client))

    assert answer.status_code == 302
    assert "没有改动。" in client.get("/settings").text


def test_what_is_typed_counts_in_this_region(app):
    client = office(app)

    answer = post(client, "/settings", form_of(client) | {"office_name": "巫溪县科技局", "silence_days": "30"})

    assert answer.status_code == 302
    assert (setting("office_name", county().id), setting("silence_days", county().id)) == ("巫溪县科技局", 30)
    assert "巫溪县科技局" in client.get("/account").text


def test_a_box_that_is_cleared_switches_off(sqlite_app):
    client = office(sqlite_app)
    fields = form_of(client)
    fields.pop("digest_on")

    post(client, "/settings", fields)

    assert setting("digest_on", county().id) is False
    assert setting("colleagues_visible", county().id) is True


def test_the_top_of_the_page_says_what_is_wrong_farther_down(sqlite_app):
    client = office(sqlite_app)

    answer = post(client, "/settings", form_of(client) | {"silence_days": "很久"})

    assert "改正 1 处后再保存：" in answer.text
    assert 'href="#f-silence_days">' in answer.text


def test_a_wrong_value_is_kept_and_named_and_nothing_is_saved(sqlite_app):
    client = office(sqlite_app)

    answer = post(client, "/settings", form_of(client) | {"digest_hour": "25", "office_name": "新名字"})

    assert answer.status_code == 422
    assert "25 不在 0 到 23 之间。" in answer.text
    assert 'value="25"' in answer.text
    assert 'value="新名字"' in answer.text
    assert setting("office_name", county().id) == "科学技术局"


def test_the_same_setting_changed_by_two_shows_both(sqlite_app):
    client = office(sqlite_app)
    stale = form_of(client)
    post(client, "/settings", form_of(client) | {"silence_days": "30"})

    answer = post(client, "/settings", stale | {"silence_days": "60"})

    assert answer.status_code == 409
    assert "逐处选用哪个" in answer.text
    assert setting("silence_days", county().id) == 30


def test_a_setting_given_back_follows_the_default_again(sqlite_app):
    client = office(sqlite_app)
    post(client, "/settings", form_of(client) | {"silence_days": "30"})

    post(client, "/settings", form_of(client) | {"inherit-silence_days": "1"})

    assert setting("silence_days", county().id) == 45


def test_the_settings_of_another_district_are_not_there(app):
    foreign = county(OTHER).id
    client = office(app)

    shown = client.get(f"/settings?region_id={foreign}")
    answer = post(client, "/settings", form_of(client) | {"region_id": foreign, "office_name": "翻墙"})

    assert (shown.status_code, answer.status_code) == (404, 404)
    assert setting("office_name", foreign) == "科学技术局"


def test_the_infrastructure_is_shown_to_the_administrator_without_secrets(sqlite_settings):
    from dataclasses import replace

    from huey import MemoryHuey

    from crm.extensions import db
    from tests.conftest import build

    settings = replace(sqlite_settings, smtp_url="smtp://mailer:geheim@mail.example.org:587?starttls=1")
    app = build(settings, HUEY=MemoryHuey("tests", immediate=False))
    with app.app_context():
        page = office(app, "admin").get("/settings/infrastructure").text
        db.session.remove()
        db.engine.dispose()

    assert "smtp://mail.example.org:587" in page
    assert "geheim" not in page
    assert "mailer" not in page
    assert settings.secret_key not in page


def test_the_infrastructure_is_closed_to_the_office(sqlite_app):
    assert office(sqlite_app).get("/settings/infrastructure").status_code == 403
