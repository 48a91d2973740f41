"""Messages of forms in plain words, and tidying of the text people type."""

import re
import unicodedata
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

# Characters that show nothing or turn other text around: a text must read as it is signed.
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202d\u202e\ufeff]")
_SPACES = re.compile(r"\s+")

# The words of the form library, and what is said instead.
_PLAIN: dict[str, object] = {
    "This field is required.": _l("Enter an answer"),
    "Invalid input.": _l("Enter it in the form that is asked for"),
    "Invalid email address.": _l("Enter an email address, such as name@example.org"),
    "Not a valid choice.": _l("Choose one of the answers offered"),
    "Invalid Choice: could not coerce.": _l("Choose one of the answers offered"),
    "Invalid choice(s): one or more data inputs could not be coerced.": _l(
        "Choose one of the answers offered"
    ),
    "Not a valid integer value.": _l("Enter a whole number, such as 7"),
    "Not a valid date value.": _l("Enter a date, such as 2027-01-15"),
    "Not a valid time value.": _l("Enter a time, such as 14:30"),
    "Number must be at least %(min)s.": _l("Enter %(min)s or more"),
    "Number must be at most %(max)s.": _l("Enter %(max)s or less"),
    "Number must be between %(min)s and %(max)s.": _l("Enter a number from %(min)s to %(max)s"),
    "Field must be equal to %(other_name)s.": _l("Enter the same twice"),
    "The CSRF token is missing.": _l("The form was open too long. Send it once more"),
    "The CSRF session token is missing.": _l("The form was open too long. Send it once more"),
    "The CSRF token has expired.": _l("The form was open too long. Send it once more"),
    "The CSRF token is invalid.": _l("The form was open too long. Send it once more"),
    "The CSRF tokens do not match.": _l("The form was open too long. Send it once more"),
}


class BareMessage(str):
    """A message that does not name its field; a list of problems puts the label before it."""

    __slots__ = ()

    def __mod__(self, values: Any) -> "BareMessage":
        return BareMessage(super().__mod__(values))


def bare(message: object) -> BareMessage:
    """Return a message that needs its field's label where it stands alone."""
    return BareMessage(str(message))


class PlainTranslations:
    """Gives the form library's own messages in our words and the reader's language."""

    def gettext(self, string: str) -> str:
        """Return the plain words for a message of the library; other text as it is."""
        plain = _PLAIN.get(string)
        return string if plain is None else bare(plain)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """Return the plain words for a message of the library with a number."""
        if singular.startswith("Field cannot be longer than"):
            return bare(too_long(n))
        if singular.startswith("Field must be at least"):
            words = ngettext(
                "Enter at least %(num)s character", "Enter at least %(num)s characters", n
            )
            return bare(words)
        if "not a valid choice" in singular:
            return self.gettext("Not a valid choice.")
        return singular if n == 1 else plural


def too_long(most: int) -> str:
    """Return the words for a text beyond its limit."""
    return str(ngettext("Use at most %(num)s character", "Use at most %(num)s characters", most))


def tidy_text(text: Any) -> Any:
    """Tidy a text of several lines: one kind of line end, no hidden characters, no outer spaces."""
    if not isinstance(text, str):
        return text
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _HIDDEN.sub("", lines)).strip()


def tidy_line(text: Any) -> Any:
    """Tidy a text of one line: as tidy_text, with every run of spaces made one."""
    if not isinstance(text, str):
        return text
    return _SPACES.sub(" ", tidy_text(text)).strip()
