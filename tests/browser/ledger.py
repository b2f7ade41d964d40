"""企业台账2025.xlsx as a bureau keeps it (invented firms): titles above, merged townships, 万元 in the heads, codes as
text and as numbers, repeated and faulty rows."""

from datetime import date
from itertools import islice
from pathlib import Path

from openpyxl import Workbook

from crm.cli.demo_bench import bench_enterprises
from crm.domain.codes import make_code
from crm.rules.places import regions

NEW, REPEATED, WRONG = 214, 31, 6
ROWS = NEW + REPEATED + WRONG
TODAY = date(2026, 11, 23)


def write_ledger(path: Path) -> Path:
    """Four sheets; the first has 251 firms: 214 new, 31 repeated, 6 that cannot be read."""
    townships = [r.name for r in regions() if r.level == "township"]
    firms = list(islice(bench_enterprises(NEW, 11), NEW))
    book = Workbook()
    _firms(book.active, firms, townships)
    _titles(book.create_sheet("认定资格"), firms)
    _figures(book.create_sheet("年度指标"), firms)
    _services(book.create_sheet("服务记录"), firms)
    book.save(path)
    return path


def _firms(sheet, firms, townships) -> None:
    sheet.title = "企业台账"
    sheet.append(["巫溪县企业台账（2025年）"])
    sheet.append(["填表单位：科技局　　填表说明：金额按表头单位"])
    sheet.append(
        ["乡镇", "序号", "企业名称\n(全称)", "统一社会信用代码 ", "成立时间", "注册资本(万元)", "服务专员", "联系电话"]
    )
    lines = []
    for n, firm in enumerate(firms):
        code = firm["credit_code"]
        if n % 36 == 5:
            code = f"5002380000{n:05d}"  # an old registration number
        elif n % 36 == 17:
            code = code[:-1] + ("A" if code[-1] != "A" else "B")  # fails its check character
        day = firm["registered_on"]
        written = [f"{day.year}.{day.month}.{day.day}", f"{day.year}年{day.month}月{day.day}日", day][n % 3]
        capital, manager = float(firm["capital"] / 10_000), "向禾" if n % 3 == 0 else None
        lines.append([firm["name"], code, written, capital, manager, firm["contact_phone"]])
    lines += [list(line) for line in lines[20 : 20 + REPEATED]]
    lines += [
        ["巫溪县云栈岭食品有限公司", 915002990000123456, "2015.5.6", 150, None, "-"],
        ["巫溪县丹泉湾饮品有限公司", make_code(900_001), "2099-01-01", 80, None, "/"],
        ["巫溪县栖霞坪茶业有限公司", make_code(900_002), "2018/7/1", "若干", None, "无"],
        [None, None, "2019.3.2", 60, None, "02300000000"],
        ["巫溪县" + "长" * 300 + "有限公司", make_code(900_003), "2019.3.2", 60, None, None],
        ["巫溪县老鹰嘴养殖有限公司", "9150023", "2019.3.2", 60, None, None],
    ]
    for number, line in enumerate(lines, 1):
        group = (number - 1) // 8
        first = (number - 1) % 8 == 0
        sheet.append([townships[group % len(townships)] if first else None, number, *line])
    for start in range(4, 4 + len(lines), 8):
        end = min(start + 7, 3 + len(lines))
        if end > start:
            sheet.merge_cells(start_row=start, start_column=1, end_row=end, end_column=1)
    sheet.append(["合计", None, f"{len(lines)} 家"])
    sheet.append(["注：数据截至2025年底"])


def _titles(sheet, firms) -> None:
    sheet.append(["认定（入库）资格"])
    sheet.append(["统一社会信用代码", "企业名称", "资格种类", "编号", "批次", "公告日期", "有效期起", "有效期止"])
    for n, firm in enumerate(firms):
        if n % 36 in (5, 17):
            continue
        whose = [firm["credit_code"], firm["name"]]
        if n % 3 == 0:
            since = date(2025, 5, 20)
            sheet.append([*whose, "科技型企业", f"CQ{n:06d}", "2025年第三批", since, since, None])
        if n % 8 == 0:
            since, number = date(2026, 7, 20), f"2026500299A0{n:06d}"
            sheet.append([*whose, "科技型中小企业", number, "2026年", since, since, date(2027, 3, 31)])
        if n % 20 == 0:
            since, number = "2024.11.28", f"GR2024519{n:05d}"
            sheet.append([*whose, "高新技术企业", number, "2024年第一批", since, since, "2027.11.27"])
        if n % 50 == 1:
            since = "2025-06-25"
            sheet.append([*whose, "专精特新中小企业", None, "2025年", since, since, "2028-06-24"])


def _figures(sheet, firms) -> None:
    sheet.append(["2025年度主要指标"])
    sheet.append(["单位：万元"])
    heads = ["企业名称", "统一社会信用代码", "年度", "营业收入", "销售收入", "研发费用（加计扣除口径）", "资产总额"]
    sheet.append([*heads, "从业人员", "科技人员（科小口径）"])
    for n, firm in enumerate(firms[:60]):
        if n % 36 in (5, 17):
            continue
        revenue = float(firm["figures"][2025]["revenue"] / 10_000)
        money = [revenue, revenue, round(revenue * 0.05, 2), revenue * 1.2]
        scientists = 3 + n % 9 if n % 4 else None
        sheet.append([firm["name"], firm["credit_code"], "2025年", *money, 20 + n, scientists])


def _services(sheet, firms) -> None:
    sheet.append(["企业名称", "日期", "方式", "内容", "记录人", "下一步", "下一步期限"])
    for n, firm in enumerate(firms[:12]):
        if n in (5,):
            continue
        text = f"到厂里看了生产线，问了研发费用归集的情况（{n + 1}）。"
        promised = ["送研发费用归集的表样", "2026-11-20" if n < 4 else "2026-12-08"] if n % 2 else [None, None]
        sheet.append([firm["name"], f"2026-11-{2 + n:02d}", "走访", text, "向禾", *promised])
