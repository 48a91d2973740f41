"""Form fields for the scan of a signed paper and the date on it, used by every form with a scan."""

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from tracker.access.page_tokens import NotShownError
from tracker.signoff import scans, shown
from tracker.signoff.identity_proof import SigningPage
from tracker.signoff.scans import MAX_BYTES
from tracker.ui import malware
from tracker.ui.fields import ConfirmField, DateField, FileField
from tracker.ui.form_base import Form
from tracker.ui.locale import file_size
from tracker.ui.proof_fields import ShownFields
from tracker.ui.validators import Required

ACCEPTED = "application/pdf,image/jpeg,image/png"


class ScanFields(Form):
    """A scan and the date on it."""

    scan = FileField(
        _l("Scan of the signed paper"),
        [Required(_l("Choose the file of the scan"))],
        description=_l(
            "PDF, JPEG or PNG, at most %(size)s. All pages in one file.",
            size=LazyString(file_size, MAX_BYTES),
        ),
        render_kw={"accept": ACCEPTED},
    )
    signed_on = DateField(_l("Date on the paper"), [Required()])

    def checked_scan(self) -> bytes:
        """Return the bytes of the file; raise RuleBrokenError if it isn't a scan, or isn't clean.

        Checking for malware ends the transaction (malware.require_clean).
        """
        data = bytes(self.scan.data.stream.read(MAX_BYTES + 1))
        scans.checked(data)
        malware.require_clean(data, scans.FIELD)
        return data


class ReadScanFields(ShownFields, ScanFields):
    """A scan and the date on it, on a page that shows the text it belongs to."""

    scan = FileField(
        _l("Scan of the signed paper"),
        [Required(_l("Choose the file of the scan"))],
        description=_l(
            "PDF, JPEG or PNG, at most %(size)s. All pages in one file. If this page comes "
            "back, choose the file again: browsers don't keep it.",
            size=LazyString(file_size, MAX_BYTES),
        ),
        render_kw={"accept": ACCEPTED},
    )

    def refuse_unless_shown(self, page: SigningPage | None, digest: str) -> None:
        """Add a message that the page showed another text, unless the form already says so."""
        try:
            shown.require(page, digest)
        except NotShownError as error:
            if str(error) not in self.form_errors:
                self.refuse(error)


class ComparedFields(ShownFields):
    """The confirmation that somebody compared the scan with the text."""

    compared = ConfirmField(
        _l(
            "I have opened the scan and compared it with the text: it shows this text, signed by "
            "the people named here on the date given here."
        ),
        [Required()],
    )
