"""The form of taking evidence out."""

from flask_babel import lazy_gettext as _l

from tracker.ui.fields import ConfirmField
from tracker.ui.form_base import Form


class ExportForm(Form):
    """What goes along. Closed texts are taken along by those alone who say so."""

    with_closed = ConfirmField(
        _l("Also take along the texts about visits and of persons that I may open"),
        description=_l(
            "Whoever gets the file can read them. That you took them out is noted in the log of "
            "reads. Leave it unticked unless they are what is asked for."
        ),
    )
