"""Forms for verifying a file or a printed digest, and for exporting evidence."""

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from tracker.ui.fields import ConfirmField, FileField, LineField
from tracker.ui.form_base import Form
from tracker.ui.locale import file_size

# A bundle contains the certificates of a cooperation; larger ones are verified on the command line.
MAX_BYTES = 10 * 1024 * 1024


class ExportForm(Form):
    """What to include. Confidential texts are included only on request."""

    with_closed = ConfirmField(
        _l("Include what I can see about visits and people"),
        description=_l(
            "The texts of visits you're allowed to know about, and who did what. "
            "Anyone who gets the file can read them. The read log shows that you "
            "exported it. Tick this only if you need it."
        ),
    )


class FileForm(Form):
    """A file to verify; it is read and not stored."""

    file = FileField(
        _l("File"),
        description=_l(
            "A certificate (PDF), a bundle of evidence (ZIP) or an exported list (CSV) of up to "
            "%(size)s, as you got it.",
            size=LazyString(file_size, MAX_BYTES),
        ),
    )

    def content(self) -> bytes:
        """Return the bytes of the file; empty when none was chosen."""
        upload = self.file.data
        if not upload:
            return b""
        try:
            return bytes(upload.read())
        finally:
            upload.close()


class PaperForm(Form):
    """Reference and digest as printed on paper. Sent in the URL, so that it can be bookmarked."""

    class Meta(Form.Meta):
        """No token: the form changes nothing, and its URL is passed on."""

        csrf = False

    reference = LineField(_l("Reference"), description=_l("Such as C-2026-0001."))
    digest = LineField(
        _l("Digest of the text"),
        description=_l("64 letters and digits in groups of eight; spaces don't matter."),
    )
