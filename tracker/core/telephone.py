"""A str subclass for telephone numbers, which knows the address that a phone dials."""

import re

# "+00 (0)30 ..." is written for callers at home and abroad: after the country's code the 0 goes.
_TRUNK_ZERO = re.compile(r"(?<=\d)\s*\(0\)")
_NOT_DIALLED = re.compile(r"[^0-9+]")


class Telephone(str):
    """A telephone number as somebody typed it."""

    __slots__ = ()

    @property
    def address(self) -> str:
        """The address of a link that dials it, such as tel:+00555010 (RFC 3966)."""
        number = _TRUNK_ZERO.sub("", self) if self.startswith("+") else self
        return f"tel:{_NOT_DIALLED.sub('', number)}"
