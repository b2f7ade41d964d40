"""Refusals: what stops an action, as named errors with one Chinese sentence and the field it belongs to."""


class Refused(Exception):
    """An action that was not done. ``message`` is shown as it stands; ``field`` is where it belongs on a form."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(Refused):
    """Several fields are wrong at once: ``problems`` is {field: sentence}."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("；".join(problems.values()))
        self.problems = problems


class NotFound(Refused):
    """No such record, or not this viewer's: both read the same on purpose."""

    def __init__(self, what: str = "这条记录") -> None:
        super().__init__(f"找不到{what}，或不归你看。")


class NotAllowed(Refused):
    """The record may be seen, but this may not be done to it."""


SAME_FIELD = "同一处已被别人改过。"


class Conflict(Refused):
    """Somebody else changed the same fields meanwhile: ``theirs`` is {field: (before, theirs, mine)}."""

    def __init__(self, message: str, theirs: dict[str, tuple[object, object, object]] | None = None) -> None:
        super().__init__(message)
        self.theirs = theirs or {}


class AlreadyDone(Refused):
    """The same request key was written before; ``change_set_id`` is what it did."""

    def __init__(self, change_set_id: int) -> None:
        super().__init__("这一步已经保存过，没有重复写入。")
        self.change_set_id = change_set_id
