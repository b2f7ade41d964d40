"""Why a file or a sheet was not read: named errors with one Chinese sentence fit for the screen."""


class SheetRefused(Exception):
    """A file or sheet that cannot be used. ``message`` says where, what and what to do; ``code`` names the case."""

    code = "sheet_refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SheetFileMissing(SheetRefused):
    """No file, or one of no bytes."""

    code = "no_file"


class SheetTooLarge(SheetRefused):
    """The file itself, what it unpacks to, or its extent in cells passes a limit."""

    code = "too_large"


class SheetEncrypted(SheetRefused):
    """A workbook with a password."""

    code = "encrypted"


class SheetDamaged(SheetRefused):
    """The bytes begin like a workbook and do not go on like one."""

    code = "damaged"


class SheetUnsafe(SheetRefused):
    """A workbook with parts no office program writes: a DTD, or a member that names a place outside."""

    code = "unsafe"


class SheetOfOtherType(SheetRefused):
    """A file that is no .xlsx, .xls or .csv whatever its name says."""

    code = "not_a_spreadsheet"


class SheetTooHeavy(SheetRefused):
    """Reading took more memory or time than one file may take, or the reader died."""

    code = "too_heavy"


class SheetHasNoHeader(SheetRefused):
    """No row with known column names was found."""

    code = "no_header"


class SheetHasNoKey(SheetRefused):
    """There is a header, but no column tells which enterprise a row is about."""

    code = "no_key"


class SheetHasNoRows(SheetRefused):
    """A header and nothing under it."""

    code = "no_rows"


class ProfileInvalid(SheetRefused):
    """A profile that cannot be used; English, since a profile is written by whoever installs it."""

    code = "profile_invalid"


BY_CODE: dict[str, type[SheetRefused]] = {
    kind.code: kind
    for kind in (
        SheetRefused,
        SheetFileMissing,
        SheetTooLarge,
        SheetEncrypted,
        SheetDamaged,
        SheetUnsafe,
        SheetOfOtherType,
        SheetTooHeavy,
    )
}
