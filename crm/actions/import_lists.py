"""Lists of names and nothing more, judged: who is known here, who is not; nobody is entered by a name."""

from crm.actions.import_court import Court
from crm.actions.import_rows import ERROR, SAME, Judged, Sheet
from crm.sheets.rows import TypedRow


def judge_listed(court: Court, sheet: Sheet, answer: Judged, row: TypedRow) -> None:
    """Judge one row of a list of names: an enterprise of the library, one named before, or unmatched.

    It changes nothing. A name that nobody here has is unmatched, however like another one it is.
    """
    subject = court.place(sheet, answer, row)
    if subject is None:
        return
    if court.is_repeated(sheet, answer, (subject.key, "listed"), court.key_cell(row), "是同一家企业"):
        return
    answer.outcome = ERROR if court.has_errors(answer) else SAME
