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
        description=_l("Of the same kind. Add it first if it is not here yet."),
    )
    since = DateField(
        _l("Since which day?"),
        [Required()],
        description=_l("As the act says. Access changes at once, on the day it is recorded."),
    )
    source = TextField(
        _l("By which act, and why?"),
        [Required()],
        most=2000,
        description=_l("Such as the law and its number. All parties read this."),
    )
    sure = ConfirmField(
        _l("I have seen the act. I know that this can't be taken back."), [Required()]
    )
