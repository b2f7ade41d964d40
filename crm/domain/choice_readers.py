"""Readers of yes and no, and of entries of a list by their label, code or what offices write for them."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from crm.domain.cells import SPACES, Reader, Unreadable, as_text, compact, or_empty, quoted
from crm.domain.fields import CHOICES, Field
from crm.domain.kinds import KINDS

# Words an office writes where it has nothing to say; they count as empty where the field's blank rule is "none".
BLANK_WORDS = frozenset({"-", "--", "---", "/", "\\", "—", "——", "–", "―", "─", "无", "暂无"})

# Types whose stored value is an id; on a sheet stands the name, looked up in the choices that are passed in.
BY_NAME = frozenset({"region", "person", "park", "carrier"})


_YES = frozenset({"是", "有", "√", "✓", "✔", "☑", "对", "y", "yes", "true", "1", "t"})
_NO = frozenset({"否", "无", "没有", "×", "✗", "✘", "☒", "x", "错", "n", "no", "false", "0", "f", "不是", "非"})


def yes_no_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    """Reads yes or no in the words and marks of offices → bool; raises Unreadable."""

    def read(raw: object) -> object:
        if isinstance(raw, bool):
            return raw
        word = compact(raw if isinstance(raw, str) else as_text(raw)).lower()
        if word in _YES:
            return True
        if word in _NO:
            return False
        raise Unreadable(f"{quoted(raw)}看不出是或否。填“是”或“否”{or_empty(field)}。", code="not_yes_or_no")

    return read


# What offices write for an entry of our closed lists. Labels, codes and labels without their brackets are known anyway.
_OTHER_WORDS: dict[str, dict[str, str]] = {
    "title_kind": {
        **{kind.short: kind.code for kind in KINDS.values()},
        **{kind.name: kind.code for kind in KINDS.values()},
        "科型": "cq_tech",
        "科技型企业": "cq_tech",
        "重庆市科技型企业": "cq_tech",
        "市级科技型企业": "cq_tech",
        "科小": "tech_sme",
        "国家科技型中小企业": "tech_sme",
        "国家高新技术企业": "hnte",
        "国高": "hnte",
        "专精特新企业": "srdi",
        "市级专精特新": "srdi",
        "专精特新小巨人": "little_giant",
        "国家级专精特新小巨人企业": "little_giant",
    },
    "subject_type": {
        "有限责任公司": "company",
        "有限公司": "company",
        "股份有限公司": "company",
        "企业法人": "company",
        "个人独资": "sole_proprietorship",
        "合伙": "partnership",
        "有限合伙企业": "partnership",
        "普通合伙企业": "partnership",
        "合作社": "cooperative",
        "专业合作社": "cooperative",
        "个体户": "self_employed",
        "个体": "self_employed",
        "有限责任公司分公司": "branch",
        "分支机构": "branch",
    },
    "status": {
        "在业": "active",
        "在营": "active",
        "开业": "active",
        "正常": "active",
        "正常经营": "active",
        "在营在册": "active",
        "存续（在营、开业、在册）": "active",
        "停产": "suspended",
        "歇业": "suspended",
        "停业": "suspended",
        "吊销，未注销": "licence_revoked",
        "吊销未注销": "licence_revoked",
        "清算": "liquidating",
        "破产": "liquidating",
    },
    "source": {"招商引资": "attracted", "招商": "attracted", "引进企业": "attracted", "本地企业": "local"},
    "end_reason": {
        "取消": "cancelled",
        "撤销": "revoked",
        "迁出": "relocated",
        "注销": "deregistered",
        "到期": "not_renewed",
    },
    "service_kind": {"实地走访": "visit", "上门走访": "visit", "电话联系": "phone", "培训会": "training"},
}

# Offices use columns of this name for other classifications (国有控股企业 is no subject type): a foreign word is told
# and left out instead of stopping the whole row.
_FOREIGN_WORDS_ARE_LEFT_OUT = frozenset({"enterprise.subject_type"})

_AMBIGUOUS = object()
_QUOTES = str.maketrans("", "", "“”‘’\"'《》、,，;；")
_BRACKETS = re.compile(r"\([^()]*\)")


def options_of(field: Field, choices: Mapping[Any, str] | None) -> Mapping[Any, str]:
    """Stored value → label: what was passed in, else the closed list of the field, else nothing."""
    return choices if choices is not None else CHOICES.get(field.choices or "", {})


def blank_words_of(field: Field, choices: Mapping[Any, str] | None) -> frozenset[str]:
    """The words that say nothing in this field: an entry of its own list, and 无 as an answer, say something."""
    if field.blank != "none":
        return frozenset()
    words = BLANK_WORDS - set(options_of(field, choices).values())
    return words - {"无"} if field.type == "yes_no" else words


def _word(text: str) -> str:
    return compact(text).translate(_QUOTES).lower()


def _lookup(field: Field, options: Mapping[Any, str]) -> dict[str, object]:
    """Every word that stands for an entry → the stored value, or _AMBIGUOUS when two entries share the word."""
    words: dict[str, object] = {}

    def learn(word: str, value: object) -> None:
        if word:
            words[word] = value if words.get(word, value) == value else _AMBIGUOUS

    for value, label in options.items():
        learn(_word(label), value)
    whole = set(words)
    for value, label in options.items():
        shorter = _BRACKETS.sub("", _word(label))
        if shorter not in whole:
            learn(shorter, value)
    if field.type not in BY_NAME:
        for value in options:
            words.setdefault(_word(str(value)), value)
    for other, code in _OTHER_WORDS.get(field.choices or "", {}).items():
        if code in options:
            words.setdefault(_word(other), code)
    return words


def _one_of(field: Field, options: Mapping[Any, str]) -> Callable[[object], object]:
    words = _lookup(field, options)

    def find(raw: object) -> object:
        word = _word(raw if isinstance(raw, str) else as_text(raw))
        value = words.get(word)
        if value is None:
            value = words.get(_BRACKETS.sub("", word))
        if value is None:
            raise _unknown_choice(field, raw, options)
        if value is _AMBIGUOUS:
            raise Unreadable(f"{quoted(raw)}在{field.label}里对应不止一个。写全称。", code="ambiguous_choice")
        return value

    return find


def _unknown_choice(field: Field, raw: object, options: Mapping[Any, str]) -> Unreadable:
    labels = list(options.values())
    some = "、".join(labels[:8]) + (" 等" if len(labels) > 8 else "")
    if field.key in _FOREIGN_WORDS_ARE_LEFT_OUT:
        return Unreadable(
            f"{quoted(raw)}不在{field.label}的可选词里，这一格没有读入。可选：{some}。",
            code="unknown_choice",
            severity="warning",
        )
    return Unreadable(
        f"{quoted(raw)}不在{field.label}的可选词里。改成 {some} 之一{or_empty(field)}。", code="unknown_choice"
    )


# A dictionary that was not passed in is looked up later by whoever has it; until then its words stay words.
_WORD_LENGTH = 120


def choice_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    """Reads one entry of a list → its stored value; without options the words as they stand. Raises Unreadable."""
    if options:
        return _one_of(field, options)

    def read(raw: object) -> object:
        text = SPACES.sub("", raw if isinstance(raw, str) else as_text(raw))
        if len(text) > _WORD_LENGTH:
            raise Unreadable(
                f"{field.label}有 {len(text)} 个字，最多 {_WORD_LENGTH} 个字。改短后再填。", code="too_long"
            )
        return text

    return read


_LIST_MARKS = re.compile(r"[；;\n]+")
_INNER_MARKS = re.compile(r"[、,，/]+")


def choices_reader(field: Field, unit: str | None, options: Mapping[Any, str], today: date) -> Reader:
    """Reads several entries of a list → stored values without repetition, None for none; raises Unreadable."""
    one = choice_reader(field, unit, options, today)

    def read(raw: object) -> object:
        parts = [part for part in _LIST_MARKS.split(raw if isinstance(raw, str) else as_text(raw)) if part.strip()]
        found: list[object] = []
        for part in parts:
            try:
                found.append(one(part))
            except Unreadable:
                # Labels may hold these marks themselves, so a part is only cut when it is no label as a whole.
                found.extend(one(piece) for piece in _INNER_MARKS.split(part) if piece.strip())
        return list(dict.fromkeys(found)) or None

    return read
