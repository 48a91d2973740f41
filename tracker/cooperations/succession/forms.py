"""The form that records which body replaces another."""

from flask_babel import lazy_gettext as _l

from tracker.ui.fields import ConfirmField, DateField, SelectOneField, TextField
from tracker.ui.form_base import Form
from tracker.ui.validators import Required


class ReplaceForm(Form):
    """Which body replaces this one, since when, and by which act."""

    successor = SelectOneField(
        _l("Which body replaces it?"),
        [Required()],
        choices=(),
        description=_l("It must be of the same kind. Add it first if it isn't in the list."),
    )
    since = DateField(
        _l("From which day?"),
        [Required()],
        description=_l("As the act says. Access changes immediately, on the day you record it."),
    )
    source = TextField(
        _l("Under which act, and why?"),
        [Required()],
        most=2000,
        description=_l("For example the law and its number. All parties can read this."),
    )
    sure = ConfirmField(_l("I have seen the act. I know that this can't be undone."), [Required()])
