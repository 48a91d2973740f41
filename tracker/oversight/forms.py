"""The form with the days of the register's filter."""

from flask_babel import lazy_gettext as _l

from tracker.ui.fields import DateField
from tracker.ui.filters import QueryForm
from tracker.ui.validators import Optional


class DaysForm(QueryForm):
    """Between which days an agreement was in force."""

    from_on = DateField(_l("In force on or after"), [Optional()], name="from")
    until_on = DateField(_l("In force on or before"), [Optional()], name="until")
