"""Signatures of PDF files (PAdES), made and verified with pyHanko.

pyHanko's verdict alone accepts a file with bytes added at its end. Here a file is sound only if the
verdict is good and the last signature covers the whole file.
"""

import asyncio
import io
import urllib.error
import urllib.request

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.general import SigningError, find_cms_attribute_iter
from pyhanko.sign.signers import constants
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation import (
    EmbeddedPdfSignature,
    SignatureCoverageLevel,
    async_validate_pdf_signature,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tracker.evidence.certificates.pdf import (
    Flaw,
    Signer,
    SignError,
    TimestampError,
)

FIELD = "Certificate"
DIGEST = "sha256"
SECONDS = 10
LONGEST_ANSWER = 100_000


# Signing ------------------------------------------------------------------------------------------


class _ArchivalSigner(signers.PdfSigner):
    """A signer that doesn't turn the file into PDF 2.0, which PDF/A-3 does not allow."""

    def register_extensions(
        self,
        pdf_out: BasePdfFileWriter,
        *,
        md_algorithm: str,  # noqa: ARG002 -- pyHanko hands it over by this name
    ) -> None:
        """Declare the one extension that such signatures need in PDF 1.7."""
        pdf_out.register_extension(constants.ESIC_EXTENSION_1)


class _Addition(IncrementalPdfFileWriter):
    """An update of a file that leaves its metadata unchanged, which archives check."""

    def _update_meta(self) -> None:
        """Write neither a date of change nor a producer."""


class _WithoutRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it could lead to an address without TLS."""

    def redirect_request(self, *_: object) -> None:
        """Say that there is no further request."""


_OPENER = urllib.request.build_opener(_WithoutRedirects)


class _Service(TimeStamper):
    """A timestamp service (RFC 3161), called over HTTP."""

    def __init__(self, url: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # pyHanko's
        self._url = url

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Send a request and return the response."""
        return await asyncio.to_thread(self._ask, req.dump())

    def _ask(self, query: bytes) -> tsp.TimeStampResp:
        request = urllib.request.Request(  # noqa: S310 -- the operator's own address, http or https
            self._url,
            data=query,
            headers={
                "Content-Type": "application/timestamp-query",
                "Accept": "application/timestamp-reply",
            },
        )
        with _OPENER.open(request, timeout=SECONDS) as answer:
            return tsp.TimeStampResp.load(answer.read(LONGEST_ANSWER), strict=True)


def sign(plain: bytes, signer: Signer, timestamp_url: str = "") -> bytes:
    """Return a PDF signed as a whole (PAdES B-B, with a timestamp B-T); it can't be changed after.

    Raise TimestampError if the service can't be used, SignError if it can't be signed.
    """
    own, *others = map(_asn1, signer.certificates)
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # pyHanko's
    store.register_multiple(others)
    private = signer.private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm=DIGEST,
        subfilter=fields.SigSeedSubFilter.PADES,
        name=signer.name or None,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    # Printed and outside the page: the only invisible field that PDF/A and PDF/UA both allow.
    unseen = fields.InvisSigSettings(set_print_flag=True, box_out_of_bounds=True)
    try:
        writer = _Addition(io.BytesIO(plain))
        signed = _ArchivalSigner(
            metadata,
            signer=signers.SimpleSigner(
                signing_cert=own,
                signing_key=asn1_keys.PrivateKeyInfo.load(private),
                cert_registry=store,
            ),
            timestamper=_Service(timestamp_url) if timestamp_url else None,
            new_field_spec=fields.SigFieldSpec(FIELD, invis_sig_settings=unseen),
        ).sign_pdf(writer)
    except (OSError, ValueError, PdfError, SigningError) as error:
        words = " ".join(str(error).split())[:200] or type(error).__name__
        if timestamp_url and not isinstance(error, PdfError | SigningError):
            message = f"The timestamp service can't be used: {words}"
            raise TimestampError(message) from error
        message = f"The PDF can't be signed: {words}"
        raise SignError(message) from error
    pdf: bytes = signed.getvalue()
    return pdf


# Verifying ----------------------------------------------------------------------------------------


def signature_flaw(pdf: bytes, certificate: x509.Certificate) -> Flaw | None:
    """Return what is wrong with the signature of a PDF; this alone is not the whole check."""
    try:
        return asyncio.run(_signature_flaw(pdf, certificate))
    except Exception:  # noqa: BLE001 -- whatever a forged file breaks in the reader, it is a flaw
        return Flaw.UNREADABLE


async def _signature_flaw(pdf: bytes, certificate: x509.Certificate) -> Flaw | None:
    signatures = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    if not signatures:
        return Flaw.NOT_SIGNED
    # Exactly this certificate, not another one from the same authority.
    context = ValidationContext(trust_roots=[_asn1(certificate)], allow_fetching=False)
    status = await async_validate_pdf_signature(
        signatures[-1],
        signer_validation_context=context,
        ts_validation_context=_of_the_service(signatures[-1]),
        key_usage_settings=KeyUsageConstraints(
            key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False
        ),
    )
    if status.coverage != SignatureCoverageLevel.ENTIRE_FILE or len(signatures) > 1:
        return Flaw.NOT_WHOLE
    return None if status.bottom_line else Flaw.BROKEN


def _of_the_service(signature: EmbeddedPdfSignature) -> ValidationContext:
    """Return a context that trusts the certificate of the signature's timestamp.

    The operator chose the service, and nothing here vouches for it; the timestamp itself must still
    be intact and match the signature.
    """
    stamps = find_cms_attribute_iter(
        signature.signer_info["unsigned_attrs"], "signature_time_stamp_token"
    )
    chosen = [response.chosen for stamp in stamps for response in stamp["content"]["certificates"]]
    return ValidationContext(trust_roots=chosen, allow_fetching=False)


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
