"""Settings per region: a declared default, overridden by a recorded row of the region or of one above it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ForeignKey, Index, select, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import db
from crm.store.records import Model, Record
from crm.store.regions import Region
from crm.store.types import Json, Words

_LIVE = text("NOT deleted")


class Setting(Record, Model):
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    key: Mapped[str] = mapped_column(Words(60))
    value: Mapped[Any] = mapped_column(Json)

    extra_args = (
        Index("uq_setting_region_id_key", "region_id", "key", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    )


@dataclass(frozen=True)
class Declared:
    """One setting: its words on screen, its type and its default.

    Types: "yes_no", "count", "text", "email", "date" (ISO text, or empty).
    """

    key: str
    label: str
    type: str
    default: Any
    help: str = ""
    minimum: int | None = None
    maximum: int | None = None


DECLARED: dict[str, Declared] = {
    entry.key: entry
    for entry in (
        Declared("office_name", "单位名称", "text", "科学技术局", "显示在导航和邮件上；没有改过时前面加区县名"),
        Declared("demo_notice", "页面上提示“演示数据，均为虚构”", "yes_no", False, "演示库自动打开，正式使用时关掉"),
        Declared("manager_word", "“服务专员”的叫法", "text", "服务专员", "各地叫法不同，只改屏幕和邮件上的字"),
        Declared("colleagues_visible", "服务专员可看本区县其他人的企业", "yes_no", True, "只读，不含保密字段"),
        Declared(
            "second_factor_required",
            "系统管理员和业务科室登录要两步验证",
            "yes_no",
            False,
            "从各人下次登录起，没开的先开",
        ),
        Declared("digest_on", "发送每周邮件", "yes_no", True, "每周第一个工作日"),
        Declared("digest_hour", "每周邮件几点发", "count", 8, "0 到 23", 0, 23),
        Declared("silence_days", "多少个工作日没有联系算久未联系", "count", 45, "", 1, 400),
        Declared("silence_days_titled", "高企、专精特新的久未联系天数", "count", 45, "", 1, 400),
        Declared(
            "visit_months",
            "高企、专精特新、科小、规上企业几个月走访一次",
            "count",
            3,
            "走访计划按它预选企业；0 不预选",
            0,
            24,
        ),
        Declared("visit_months_other", "其他企业几个月走访一次", "count", 0, "0 不预选", 0, 24),
        Declared("request_days", "诉求交办后几个工作日内回复", "count", 5, "交办时可另填期限", 1, 120),
        Declared(
            "reports_tracked_from",
            "年度发展情况报表从哪天起登记齐全",
            "date",
            "",
            "这天起到期而没有办结的按缺报提醒；留空，只有登记为未报的才算",
        ),
        Declared(
            "redirect_all_mail", "所有邮件改发到", "email", "", "试用时填一个信箱，其他人收不到邮件；留空按本人信箱发"
        ),
    )
}


# Obligations are computed with these: changing one asks for all of them to be computed anew.
PROJECTED = frozenset({"reports_tracked_from"})


def setting(key: str, region_id: int | None) -> Any:
    """The value in force for a region: its own, else that of the nearest region above it, else the default."""
    values = dict(
        db.session.execute(select(Setting.region_id, Setting.value).where(Setting.key == key, ~Setting.deleted)).all()
    )
    while region_id is not None and values:
        if region_id in values:
            return values[region_id]
        region_id = db.session.scalar(select(Region.parent_id).where(Region.id == region_id))
    return DECLARED[key].default


def settings_in_force(region_id: int | None) -> dict[str, Any]:
    """Every setting of a region at once, for pages that need several."""
    rows = db.session.execute(select(Setting.key, Setting.region_id, Setting.value).where(~Setting.deleted)).all()
    own = {(key, region): value for key, region, value in rows}
    values = {key: declared.default for key, declared in DECLARED.items()}
    open_keys = {key for key, _ in own}
    while region_id is not None and open_keys:
        for key in [key for key in open_keys if (key, region_id) in own]:
            values[key] = own[(key, region_id)]
            open_keys.remove(key)
        if open_keys:
            region_id = db.session.scalar(select(Region.parent_id).where(Region.id == region_id))
    return values


def office_name(region_id: int | None, name: str | None = None) -> str:
    """What the office of a region calls itself: its setting, else the region's name before the usual word.

    ``name`` is the setting's value where the caller has read it already.
    """
    name = str(setting("office_name", region_id)) if name is None else name
    if name != DECLARED["office_name"].default or region_id is None:
        return name
    return f"{db.session.scalar(select(Region.name).where(Region.id == region_id)) or ''}{name}"
