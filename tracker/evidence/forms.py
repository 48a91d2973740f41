"""Forms of the public check: a file, or what stands on paper."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField

from tracker.ui.fields import LineField
from tracker.ui.form_base import Form


class FileForm(Form):
    """A file that is to be checked; it is read and not kept."""

    file = FileField(_l("File"), description=_l("A certificate (PDF), as you got it."))

    def content(self) -> bytes:
        """Return the bytes of the file; empty when none was chosen."""
        held = self.file.data
        return bytes(held.read()) if held else b""


class PaperForm(Form):
    """Reference and digest, as they stand on paper. Sent in the address, so that it can be kept."""

    class Meta(Form.Meta):
        """Without a token: it changes nothing, and its address is passed on."""

        csrf = False

    reference = LineField(_l("Reference"), description=_l("Such as C-2026-0001."))
    digest = LineField(
        _l("Digest of the text"),
        description=_l("64 letters and figures in groups of eight; spaces do not matter."),
    )
