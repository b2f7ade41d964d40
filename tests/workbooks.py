"""Small workbooks made on the spot, so that a test shows what stands in its file."""

import io
from datetime import date

import xlsxwriter


def workbook(sheets: dict[str, list[list]]) -> bytes:
    """An .xlsx of these sheets, each a list of rows; text stays text, numbers are numbers, dates are dates."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if cell is None:
                        continue
                    if isinstance(cell, date):
                        sheet.write_datetime(number, column, cell, day)
                    elif isinstance(cell, str):
                        sheet.write_string(number, column, cell)
                    else:
                        sheet.write(number, column, cell)
    return target.getvalue()


def csv(text: str, encoding: str = "utf-8") -> bytes:
    """A .csv as an office saves it."""
    return text.encode(encoding)
