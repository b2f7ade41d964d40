"""Settings of a region on screen, and the infrastructure's settings to read."""

import platform
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, current_app, render_template, request, url_for
from wtforms import BooleanField, StringField
from wtforms.validators import Optional

from crm.actions import settings as deeds
from crm.domain.refusals import NotFound
from crm.extensions import db
from crm.store.schema import schema_state
from crm.store.settings import DECLARED, setting
from crm.web.addresses import whole
from crm.web.doors import attempt, done, new_act, open_to, viewer
from crm.web.editing import THEIRS, EditForm, last_writers
from crm.web.inputs import WholeField

blueprint = Blueprint("settings", __name__)

# The settings in groups, as a person looks for them.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("名称", ("office_name", "manager_word", "demo_notice")),
    ("谁能看什么，怎么登录", ("colleagues_visible", "second_factor_required")),
    ("每周邮件", ("digest_on", "digest_hour", "redirect_all_mail")),
    ("久未联系", ("silence_days", "silence_days_titled")),
    ("走访计划", ("visit_months", "visit_months_other")),
    ("到期事项", ("reports_tracked_from", "request_days")),
)


# What a setting is called that has no value of its own any more.
GIVEN_BACK = "不单独设，用上级的或默认值"


class _SettingsForm(EditForm):
    """The region comes with the form; the settings themselves are declared in the store, one field each."""

    edited = tuple(DECLARED)

    region_id = WholeField(validators=[Optional()])

    def value_of(self, name: str, text: str) -> Any:
        return deeds.read_setting(DECLARED[name], text)

    def said(self, name: str, value: Any) -> str:
        return GIVEN_BACK if value is deeds.INHERIT else super().said(name, value)

    def given_back(self, name: str) -> bool:
        """Whether a setting is to follow the region above again."""
        return bool(request.form.get(f"inherit-{name}")) and request.form.get(f"pick_{name}") != THEIRS

    def touched(self, name: str) -> bool:
        # A setting that the form did not show is left alone.
        return name in self.seen_texts and not self.given_back(name) and super().touched(name)

    def read(self, *, changed_only: bool = False) -> dict[str, Any]:
        given_back = {name: deeds.INHERIT for name in self.edited if self.given_back(name)}
        return super().read(changed_only=changed_only) | given_back


SettingsForm = type(
    "SettingsForm",
    (_SettingsForm,),
    {key: BooleanField(one.label) if one.type == "yes_no" else StringField(one.label) for key, one in DECLARED.items()},
)


@blueprint.get("/settings")
@open_to("bureau", "admin")
def index():
    return _page(_region(whole(request.args.get("region_id"))))


@blueprint.post("/settings")
@open_to("bureau", "admin")
def change():
    form = SettingsForm()
    region = _region(form.region_id.data)
    if form.validate():
        form.settle(request.form)
        values, act, region_id = form.read(changed_only=True), new_act(), region.id
        seen = form.seen_values(values)
        if not form.has_errors:
            written = attempt(form, lambda: deeds.change_settings(region_id, values, seen=seen, act=act))
            if written is not None:
                said = "设置已保存。" if written.change_set_id else "没有改动。"
                return done(said, url_for("settings.index", region_id=region_id), written)
    return _page(region, form), 409 if form.conflict else 422


@blueprint.get("/settings/infrastructure")
@open_to("admin")
def infrastructure():
    return render_template("settings/infrastructure.html", rows=_infrastructure(), tabs=_tabs("infrastructure"))


def _region(region_id: int | None):
    regions = deeds.regions_set_by(viewer())
    if region_id is None:
        counties = [region for region in regions if region.level == "county"]
        if not regions:
            raise NotFound("这个区划")
        return (counties or regions)[0]
    for region in regions:
        if region.id == region_id:
            return region
    raise NotFound("这个区划")


def _page(region: Any, form: Any = None) -> str:
    own = deeds.own_settings(region.id)
    if form is None:
        form = SettingsForm(formdata=None)
        form.fill({key: setting(key, region.id) for key in DECLARED})
    by = {key: last_writers("setting", own[key].id).get("value", "") for key in form.conflict if key in own}
    return render_template(
        "settings/index.html",
        region=region,
        regions=deeds.regions_set_by(viewer()),
        groups=GROUPS,
        declared=DECLARED,
        own=own,
        above={key: setting(key, region.parent_id) for key in own},
        form=form,
        conflicts=form.clashes(by) if form.conflict else [],
        tabs=_tabs("index"),
    )


def _tabs(current: str) -> list[dict[str, Any]]:
    tabs = [{"href": url_for("settings.index"), "label": "本区设置", "current": current == "index"}]
    if viewer().has("admin"):
        tabs.append(
            {"href": url_for("settings.infrastructure"), "label": "运行环境", "current": current == "infrastructure"}
        )
    return tabs


def _infrastructure() -> list[tuple[str, str, str]]:
    """(name, value without any secret, what it is for)."""
    settings = current_app.config["SETTINGS"]
    url = db.engine.url
    database = f"PostgreSQL {url.host}:{url.port or 5432}/{url.database}" if url.host else f"SQLite {url.database}"
    smtp = urlsplit(settings.smtp_url) if settings.smtp_url else None
    return [
        ("HOST、PORT", f"{settings.host}:{settings.port}", "本机监听的地址"),
        ("PUBLIC_URL", settings.public_url, "邮件里的链接用这个地址"),
        ("DATABASE_URL", database, "数据库，不显示口令"),
        ("INSTANCE_DIR", str(settings.instance_dir), "数据库、文件、密钥所在的文件夹"),
        (
            "SMTP_URL",
            f"{smtp.scheme}://{smtp.hostname}:{smtp.port or ''}".rstrip(":")
            if smtp
            else "未设：邮件写成 .eml 文件，不发出去",
            "发邮件的服务器，不显示口令",
        ),
        ("MAIL_FROM", settings.mail_from, "发件人"),
        ("WEB_WORKERS、JOB_WORKERS", f"{settings.web_workers}、{settings.job_workers}", "网页进程数、后台进程数"),
        ("TZ_NAME", settings.tz_name, "时区"),
        ("DEMO", "演示数据" if settings.demo else "正式使用", "首次启动时装不装演示数据"),
        ("数据库结构", schema_state().have or "空", "与程序一致才能启动"),
        ("Python", platform.python_version(), ""),
    ]
