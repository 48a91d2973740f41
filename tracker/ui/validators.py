"""Form validators, with messages that say what to do."""

from collections.abc import Sequence
from typing import Any, ClassVar

from wtforms.validators import StopValidation

from tracker.ui.words import bare, too_long

LINE_LENGTH = 200
TEXT_LENGTH = 5000
ADDRESS_LENGTH = 254


class Required:
    """An answer must be given. The field's own words (ask) do so unless a message is given."""

    def __init__(self, message: object = None) -> None:
        self.message = message

    def __call__(self, _form: Any, field: Any) -> None:
        """Stop when nothing was answered; leave what can't be read to the field's own message."""
        if field.process_errors:
            raise StopValidation
        if _holds_nothing(getattr(field, "filled", field.data)):
            raise StopValidation(_words(self.message, field))


class RequiredWithout:
    """An answer must be given where another field holds none, which answers for both."""

    def __init__(self, other: str, message: object = None) -> None:
        self.other = other
        self.required = Required(message)

    def __call__(self, form: Any, field: Any) -> None:
        """Ask no further for what the other field has answered."""
        if form[self.other].data:
            field.errors = []
            raise StopValidation
        self.required(form, field)


class Optional:
    """An answer may be left out; the label says so."""

    field_flags: ClassVar[dict[str, bool]] = {"optional": True}

    def __call__(self, _form: Any, field: Any) -> None:
        """Go no further when nothing was answered."""
        if is_blank(field):
            field.errors = []
            raise StopValidation


class MaxLength:
    """No more than so many characters. The browser is not told: it would cut pasted text unseen."""

    def __init__(self, most: int) -> None:
        self.max = most

    def __call__(self, _form: Any, field: Any) -> None:
        """Refuse a longer text and test it no further."""
        if field.data is not None and len(field.data) > self.max:
            raise StopValidation(bare(too_long(self.max)))


def is_blank(field: Any) -> bool:
    """Tell whether nothing was sent for a field; before sending, whether it holds nothing."""
    if isinstance(field.raw_data, Sequence):
        return not any(str(value).strip() for value in field.raw_data)
    return _holds_nothing(field.data)


def _holds_nothing(data: Any) -> bool:
    return data is None or data is False or data in ("", [], ())


def _words(message: object, field: Any) -> str:
    if message is not None:
        return str(message)
    return bare(field.ask)
