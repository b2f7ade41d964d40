"""What may be asked by hand: the list to choose from, and the choice as a path."""

from flask import request

from crm.domain.collections import REGISTER, REGISTER_LABEL, may_be_asked, question
from crm.domain.fields import fields_of
from crm.web.addresses import whole
from crm.web.doors import today

FIRST_YEAR = 2000


def choosable(none: str) -> list[tuple[str, str]]:
    """The options of a select: figures by their code, fields of the enterprise by their key, the register of IP."""
    figures = [(field.code, field.label) for field in fields_of("figures") if may_be_asked(field)]
    own = [(field.key, field.label) for field in fields_of("enterprise") if may_be_asked(field)]
    return [("", none), *figures, *own, (REGISTER, REGISTER_LABEL)]


def chosen() -> tuple[str | None, str]:
    """The path that was chosen in this form, or the sentence that says why there is none."""
    code = request.form.get("extra_field", "")
    if not code:
        return None, "选要加问的数据。"
    if code == REGISTER or code.startswith("enterprise."):
        return (code, "") if question(code) is not None else (None, "没有这项数据。从列表里选。")
    year = whole(request.form.get("extra_year"), largest=9999)
    if year is None or not FIRST_YEAR <= year <= today().year:
        return None, f"年度填 {FIRST_YEAR} 到 {today().year} 之间的四位数字。"
    path = f"figures.{year}.{code}"
    return (path, "") if question(path) is not None else (None, "没有这项数据。从列表里选。")
