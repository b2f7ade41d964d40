"""The bureau's own words, spelled one way: in templates, mails, sentences of the code and the Chinese README."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.domain import kinds, viewers, words
from crm.domain.conditions import Outcome
from crm.store import imports, jobs, messages

ROOT = Path(__file__).parent.parent

# What must not be written, and what is written instead.
WRONG: tuple[tuple[str, str], ...] = (
    (r"梯队", "梯次"),
    (r"包保|包联|包抓|客户经理|跟进人", "服务专员"),
    (r"复审", "重新认定（高企）或 复核（专精特新）"),
    (r"符合认定|认定合格|达到认定", "可量化条件差几项；从不说符合认定"),
    (r"创新型企业|创新性企业|创新性中小企业", "创新型中小企业"),
    (r"省级|省科技厅|科技厅", "市级、市科技局"),
    (r"高企年报|高企年检", "年度发展情况报表"),
    (r"高新企业|高新技术认定企业", "高新技术企业、高企"),
    (r"科技型中小型企业|科技中小企业", "科技型中小企业"),
    (r"专精特新企业库|专新特精|专特精新", "专精特新"),
    (r"培育池|入池|出池", "培育库、入库、出库"),
    (r"镇街|街镇|乡镇街道|乡镇[/、]街道", "乡镇（街道）"),
    (r"回滚导入|撤回导入|导入回退|取消导入批次", "撤销导入"),
    (r"取消认定资格|吊销高企|注销高企|撤销高企资格", "取消高企资格"),
    (r"注销登记编号|取消登记编号|取消入库编号", "撤销登记编号"),
    (r"整体搬迁|整体搬离", "整体迁移"),
    (r"驳回补正|退件|打回", "退回补正"),
    (r"服务日志|走访日志|跟进记录", "服务记录"),
    (r"督导", "督办"),
    (r"数据上报|上报批次", "报送"),
    (r"数据收集|填报任务", "采集"),
    (r"台帐", "台账"),
    (r"帐号|帐户", "账号"),
    (r"登陆", "登录"),
    (r"统一信用代码|社会统一信用代码", "统一社会信用代码"),
    (r"操作失败|系统错误|未知错误|系统异常", "哪里、什么、怎么办"),
    (r"确定要|是否确定|是否确认", "动词加宾语，带数量"),
    (r"(?<![申邀聘提敬恳宴])请(?![求假示])", "不写请"),
    (r"！", "不用感叹号"),
)

# Sentences that may hold such a word, because they quote an official text or speak of the word itself.
EXCEPTIONS: dict[str, str] = {
    "近三年获国家级或省级科技奖励": "63号 附件1 的原文；省级含直辖市",
    "省级以上科技奖": "63号 附件1 的原文",
    "国家级或省级": "63号 附件1 的原文",
    "省级以上": "国家文件的分级用语",
    "从不写“符合认定”": "样式页说的就是这个词",
}

# A word and how its other spellings look; every occurrence must be the word itself.
SPELLINGS: dict[str, str] = {
    "待更新（衔接期）": r"待更新\W{0,2}衔接期\W?|衔接期\W待更新",
    "条件比对（预评）": r"条件比对\W{0,2}预评[）)\]】]?",
    "认定（入库）资格": r"认定\W?入库\W?资格",
    "乡镇（街道）": r"乡镇\W街道[）)\]】]?|乡镇街道",
    "园区（载体）": r"园区\W载体[）)\]】](?=管理员)",
    "专精特新“小巨人”": r"专精特新\W?小巨人\W?",
    "年度发展情况报表": r"年度发展[\u4e00-\u9fff]{0,4}(?:报表|报告|年报)",
    "撤销导入": r"(?:撤销|撤回|回滚)(?:本次|这次)?导入",
    "库内有、名单无": r"(?:库内|本库)有\W?名单[无没]有?",
    "办结销号": r"办结\W?销号|销号\W?办结",
    "期满未续": r"(?:期满|到期|过期)未续",
    "序时进度": r"(?:序时|时序|时间)进度",
    "区县初审": r"(?:区县|县区|县级|区级)初审",
    "推荐上报": r"(?:推荐|初审)上报",
    "重新认定": r"(?:重新|再次|重复)认定(?!时)",
    "梯次": r"梯[次队]",
    "服务专员": r"(?:服务|包联|联系)专员",
}


def _template_lines(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text(encoding="utf-8")
    # Comments are not shown; their line breaks stay, so that a line number is the one in the file.
    text = re.sub(r"\{#.*?#\}|<!--.*?-->", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)
    yield from enumerate(text.splitlines(), start=1)


def _sentences_of_code(path: Path) -> Iterator[tuple[int, str]]:
    """String literals with Chinese in them; docstrings, patterns and spellings read from sheets are not shown."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {id(node) for node in _never_shown(tree)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in hidden:
            continue
        if re.search(r"[\u4e00-\u9fff！]", node.value):
            yield node.lineno, node.value


def _never_shown(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        if isinstance(node, ast.keyword) and node.arg in ("aliases", "basis"):
            yield from ast.walk(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("compile", "sub"):
            yield from ast.walk(node)


def _files() -> list[Path]:
    found = [path for path in (ROOT / "crm" / "templates").rglob("*") if path.suffix in (".html", ".txt")]
    rooms = ("domain", "actions", "web", "mail", "jobs", "cli")
    found += [path for room in rooms for path in (ROOT / "crm" / room).rglob("*.py")]
    found += [path for path in (ROOT / "README.zh-CN.md", ROOT / "crm" / "config.py") if path.exists()]
    # These list what others write (headings, parts of names, readings) and say nothing of their own.
    spoken_by_others = {"choice_readers.py", "names.py", "pinyin.py", "demo_words.py"}
    return sorted(path for path in found if path.name not in spoken_by_others)


def problems_of(path: Path) -> list[str]:
    """What a file spells otherwise than the glossary: file, line, word, and the right word."""
    lines = _sentences_of_code(path) if path.suffix == ".py" else _template_lines(path)
    found = []
    for number, line in lines:
        shown = line
        for sentence in EXCEPTIONS:
            shown = shown.replace(sentence, "")
        where = f"{path.name}:{number}"
        for pattern, right in WRONG:
            found += [f"{where} {hit[0]} → {right}" for hit in re.finditer(pattern, shown)]
        for word, pattern in SPELLINGS.items():
            found += [f"{where} {hit[0]} → {word}" for hit in re.finditer(pattern, shown) if hit[0] != word]
    return found


FILES = _files()


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_a_file_speaks_the_words_of_the_glossary(path):
    assert problems_of(path) == []


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("<p>高企梯队</p>", "梯次"),
        ("<p>包联专员</p>", "服务专员"),
        ("<p>今年要复审</p>", "重新认定（高企）或 复核（专精特新）"),
        ("<p>符合认定条件</p>", "可量化条件差几项；从不说符合认定"),
        ('<input placeholder="省级文号">', "市级、市科技局"),
        ("<p>待更新(衔接期)</p>", "待更新（衔接期）"),
        ("<p>条件比对(预评)</p>", "条件比对（预评）"),
        ("<p>到期未续</p>", "期满未续"),
        ("{{ _('撤回导入') }}", "撤销导入"),
        ("<p>请选择企业</p>", "不写请"),
        ("<p>保存成功！</p>", "不用感叹号"),
    ],
)
def test_a_wrong_word_in_a_template_is_found(tmp_path, written, right):
    page = tmp_path / "page.html"
    page.write_text(written, encoding="utf-8")

    assert any(problem.endswith(f"→ {right}") for problem in problems_of(page))


def test_right_words_comments_and_applications_pass(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        "{# 不写梯队，也不写请 #}<!-- 复审 -->\n梯次、待更新（衔接期）、条件比对（预评）、申请书、请求编号、撤销导入",
        encoding="utf-8",
    )

    assert problems_of(page) == []


def test_a_wrong_word_in_a_sentence_of_the_code_is_found_but_not_in_a_docstring(tmp_path):
    module = tmp_path / "module.py"
    module.write_text('"""不写梯队。"""\n\nA = "高企梯队"\nB = dict(aliases=("包联专员",))\n', encoding="utf-8")

    assert problems_of(module) == ["module.py:3 梯队 → 梯次", "module.py:3 梯队 → 梯次"]


def test_the_fixed_words_are_those_of_the_glossary():
    assert kinds.STATES["awaiting_update"] == "待更新（衔接期）"
    assert kinds.STATES["lapsed_unrenewed"] == "期满未续"
    assert kinds.STATES["renewing"] == "重新认定中"
    assert viewers.ROLES["case_manager"] == "服务专员"
    assert viewers.ROLES["township"] == "乡镇（街道）经办人"
    assert words.NOUNS["qualification"] == "认定（入库）资格"
    assert words.ASSESSMENT == "条件比对（预评）"
    assert words.OBLIGATION_KINDS["hnte_annual_report"] == "高企年度发展情况报表"


def test_every_state_that_is_kept_has_its_word():
    assert set(words.JOB_STATES) == set(jobs.STATES)
    assert set(words.MESSAGE_STATES) == set(messages.SHOWN_STATES)
    assert set(words.IMPORT_STATES) == set(imports.STATES)
    assert set(words.RESULTS) == {str(outcome) for outcome in Outcome}


def test_nobody_is_told_that_an_enterprise_meets_a_recognition():
    assert not [said for table in words.WORDS.values() for said in table.values() if "符合" in said]
