"""Form validators, with messages that say what to do."""

from collections.abc import Sequence
from typing import Any, ClassVar

from wtforms.validators import StopValidation

from tracker.ui.words import bare, too_long

LINE_LENGTH = 200
TEXT_LENGTH = 5000
ADDRESS_LENGTH = 254


class Required:
    """Requires an answer. Its message is the field's own (ask) unless one is given."""

    def __init__(self, message: object = None) -> None:
        self.message = message

    def __call__(self, _form: Any, field: Any) -> None:
        """Stop if nothing was answered; leave invalid input to the field's own message."""
        if field.process_errors:
            raise StopValidation
        if _holds_nothing(getattr(field, "filled", field.data)):
            raise StopValidation(_words(self.message, field))


class RequiredWithout:
    """Requires an answer unless another field, which answers for both, has a value."""

    def __init__(self, other: str, message: object = None) -> None:
        self.other = other
        self.required = Required(message)

    def __call__(self, form: Any, field: Any) -> None:
        """Stop if the other field has answered."""
        if form[self.other].data:
            field.errors = []
            raise StopValidation
        self.required(form, field)


class Optional:
    """Allows an empty answer; the label says so."""

    field_flags: ClassVar[dict[str, bool]] = {"optional": True}

    def __call__(self, _form: Any, field: Any) -> None:
        """Stop if nothing was answered."""
        if is_blank(field):
            field.errors = []
            raise StopValidation


class MaxLength:
    """Limits the number of characters.

    The browser isn't told: it would silently cut pasted text.
    """

    def __init__(self, most: int) -> None:
        self.max = most

    def __call__(self, _form: Any, field: Any) -> None:
        """Refuse a longer text and stop."""
        if field.data is not None and len(field.data) > self.max:
            raise StopValidation(bare(too_long(self.max)))


def is_blank(field: Any) -> bool:
    """Return whether nothing was sent for a field, or before sending, whether it is empty."""
    if isinstance(field.raw_data, Sequence):
        return not any(str(value).strip() for value in field.raw_data)
    return _holds_nothing(field.data)


def _holds_nothing(data: Any) -> bool:
    return data is None or data is False or data in ("", [], ())


def _words(message: object, field: Any) -> str:
    if message is not None:
        return str(message)
    return bare(field.ask)
