"""Exceptions for refused actions, broken rules and stored values that can't be read."""

from itertools import takewhile
from traceback import walk_tb


class RuleBrokenError(Exception):
    """Raised when something can't be done as asked; the message says why, field says where."""

    def __init__(self, message: object, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class RefusedError(Exception):
    """Raised when a person may see something but may not do this; reason says why."""

    def __init__(self, reason: object) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.reason)


class TooOftenError(Exception):
    """Raised when a person has to wait before they do something again; reason says why."""

    def __init__(self, reason: object) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.reason)


class StaleError(RuleBrokenError):
    """Raised when somebody else saved in the meantime; both values have to be shown."""


class UnreadableError(Exception):
    """Raised when a stored value can't be read: it was altered, or the disk is faulty.

    Says where, never what.
    """


class DamagedRowError(UnreadableError):
    """Raised when a value of a known row can't be read."""

    def __init__(self, table: str, row: object) -> None:
        super().__init__(f"A value of {table} {row} can't be read.")
        self.table = table
        self.row = row


class KeyDestroyedError(Exception):
    """Raised when a cooperation's key was destroyed: what it encrypted is erased for good."""


# Where types of columns turn stored values into Python's; the rest of the application comes before.
_TYPES = "tracker.core.db"


def is_unreadable(error: BaseException) -> bool:
    """Return whether an error says that a stored value can't be read.

    SQLite stores whatever it is given. If that can't be turned into a date, an id, a list or the
    like, the error is Python's own, from inside SQLAlchemy's reading of rows or a type of column.
    """
    if isinstance(error, UnreadableError):
        return True
    if not isinstance(error, LookupError | TypeError | ValueError):
        return False
    modules = [frame.f_globals.get("__name__", "") for frame, _line in walk_tb(error.__traceback__)]
    deepest = takewhile(
        lambda name: name == _TYPES or not name.startswith("tracker."), reversed(modules)
    )
    return any(name.startswith("sqlalchemy.engine.") for name in deepest)
