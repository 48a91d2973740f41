"""Forms of the closing: what became of copies, one's own or another's; exception; completion."""

from flask_babel import lazy_gettext as _l

from tracker.closing.labels import DISPOSALS, DISPOSALS_OF_ANOTHER, HOW
from tracker.closing.models import Disposal, RecordedHow
from tracker.closing.service import MAX_LESSONS, MAX_WORDS
from tracker.ui.fields import ChoiceField, Option, TextField
from tracker.ui.form_base import Form
from tracker.ui.validators import Optional, Required


class ConfirmReturnForm(Form):
    """What a person did with their copies."""

    disposal = ChoiceField(
        _l("What became of your copies?"),
        [Required(_l("Choose what became of your copies"))],
        coerce=Disposal,
        description=_l("Paper, files, photos, notes, and messages on your phone."),
        choices=[Option(disposal.value, words) for disposal, words in DISPOSALS.items()],
    )
    words = TextField(
        _l("Anything to add"),
        [Optional()],
        description=_l(
            "For example when you handed them over, and to whom. Don't name or describe any "
            "person deprived of liberty."
        ),
        most=MAX_WORDS,
    )


class RecordReturnForm(Form):
    """What a person without an account confirms to the NPM about their copies."""

    disposal = ChoiceField(
        _l("What became of their copies?"),
        [Required(_l("Choose what became of their copies"))],
        coerce=Disposal,
        description=_l("Paper, files, photos, notes, and messages on their phone."),
        choices=[Option(disposal.value, words) for disposal, words in DISPOSALS_OF_ANOTHER.items()],
    )
    how = ChoiceField(
        _l("How did they confirm it?"),
        [Required(_l("Choose how they confirmed it"))],
        coerce=RecordedHow,
        choices=[Option(how.value, words) for how, words in HOW.items()],
    )
    words = TextField(
        _l("When, and to whom?"),
        [Required(_l("Say when and how they confirmed it"))],
        description=_l(
            "If they signed a paper, say where it is kept. Don't name or describe any person "
            "deprived of liberty."
        ),
        most=MAX_WORDS,
    )


class ExceptionForm(Form):
    """Why the NPM continues without a person's confirmation."""

    reason = TextField(
        _l("Why is there no confirmation?"),
        [Required(_l("Say why there is no confirmation"))],
        description=_l(
            "The NPM's signatories and managers can read it. The history shows who recorded it."
        ),
        most=MAX_WORDS,
    )


class CompleteForm(Form):
    """The lessons learned, and the end of the work."""

    lessons = TextField(
        _l("Lessons learned"),
        [Optional()],
        description=_l("All parties and auditors can read this."),
        most=MAX_LESSONS,
    )
