"""A form of which exactly what its last preview showed is published."""

from flask_babel import gettext as _

from tracker.ui.fields import HiddenValueField
from tracker.ui.form_base import Form


class PreviewedForm(Form):
    """What somebody writes, which is shown before it is published."""

    # The digest of what the last preview showed.
    previewed = HiddenValueField()

    def is_as_previewed(self, digest: str, step: str | None) -> bool:
        """Return whether to publish: only if it is exactly what the preview showed."""
        seen = bool(self["previewed"].data == digest)
        self["previewed"].data = digest
        if step != "publish":
            return False
        if not seen:
            self.form_errors.append(
                _("The text was changed since its preview. Look at the new one, then publish.")
            )
        return seen
