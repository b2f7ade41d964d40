"""Lists of names and nothing more, judged: who is known here, who is not; nobody is entered by a name."""

from crm.actions.import_court import Court
from crm.actions.import_rows import ERROR, NEW, SAME, Judged, Sheet
from crm.sheets.rows import TypedRow


def judge_listed(court: Court, sheet: Sheet, answer: Judged, row: TypedRow) -> None:
    """Judge one row of a list of names: an enterprise of the library, one named before, or unmatched.

    It changes nothing by itself. A name that nobody here has is unmatched, however like another one it is, until a
    person says whose it is or that it is a new firm's.
    """
    subject = court.place(sheet, answer, row)
    if subject is None:
        return
    if court.is_repeated(sheet, answer, (subject.key, "listed"), court.key_cell(row), "是同一家企业"):
        return
    if court.has_errors(answer):
        answer.outcome = ERROR
    else:
        # Without an id the enterprise is one that a person said this row brings.
        answer.outcome = SAME if subject.id is not None else NEW
