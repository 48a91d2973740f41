"""Emails with a receipt for a signature: the text's digest, and where to verify it."""

from urllib.parse import urlencode

from flask_babel import gettext as _

from tracker.mail import outbox
from tracker.mail.render import in_language, link, text
from tracker.signoff.models import Method, Signature


def verify_address(digest: str, reference: str) -> str:
    """Return the URL at which anybody can check a text by reference and digest."""
    return link("/verify?" + urlencode({"reference": reference, "digest": digest}))


def receipt(signature: Signature, *, email: str, reference: str) -> None:
    """Queue the receipt of a signature for its signer: digest and URL, nothing of the text.

    Signatures of the demonstration get none: nobody made them.
    """
    if signature.method is Method.DEMONSTRATION:
        return
    with in_language(signature.language):
        subject = _("Receipt of your signature")
        body = text(
            _("Your signature is recorded under the text with this digest (SHA-256):"),
            signature.document_digest,
            _("If you didn't sign, tell an administrator immediately."),
            _("Anyone can check the digest at the address below. The text isn't shown there."),
            name=signature.signer_name,
            address=verify_address(signature.document_digest, reference),
        )
    outbox.queue(email, signature.language, "signature_receipt", subject, body)
