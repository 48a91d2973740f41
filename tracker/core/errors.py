"""Exceptions for refused actions and broken rules, which views turn into messages."""


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


class DamagedRowError(Exception):
    """Raised when a stored value can't be read: it was altered, or the disk is faulty.

    Says where, never what.
    """

    def __init__(self, table: str, row: object) -> None:
        super().__init__(f"A value of {table} {row} can't be read.")
        self.table = table
        self.row = row


class KeyDestroyedError(Exception):
    """Raised when a cooperation's key was destroyed: what it encrypted is erased for good."""
