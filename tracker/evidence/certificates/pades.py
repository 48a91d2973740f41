"""Signatures of PDF files (PAdES), made and verified with pyHanko.

pyHanko's verdict alone accepts a file with bytes added at its end. Here a file is sound only if the
verdict is good, the last signature or timestamp covers the whole file, and nothing but validation
data and timestamps was added to what was signed.
"""

import asyncio
import datetime as dt
import io
from collections.abc import Collection, Iterable, Iterator

from asn1crypto import cms
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.general import SigningError, find_cms_attribute_iter
from pyhanko.sign.signers import constants
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper, TimestampDSSContentSettings
from pyhanko.sign.validation import (
    EmbeddedPdfSignature,
    SignatureCoverageLevel,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
)
from pyhanko.sign.validation.dss import collect_validation_info
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import InsufficientRevinfoError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tracker.core import clock
from tracker.evidence.certificates import remote
from tracker.evidence.certificates.pdf import (
    Flaw,
    Signer,
    SignError,
    TimestampError,
)

FIELD = "Certificate"
ARCHIVE_FIELD = "Archive"
DIGEST = "sha256"
LONGEST_ERROR = 200
SIGNATURE, TIMESTAMP = "/Sig", "/DocTimeStamp"
# What a signature may be followed by: nothing, or validation data and timestamps.
ALLOWED_ADDITIONS = {ModificationLevel.NONE, ModificationLevel.LTA_UPDATES}
# Printed and outside the page: the only invisible fields that PDF/A and PDF/UA both allow.
UNSEEN = fields.InvisSigSettings(set_print_flag=True, box_out_of_bounds=True)


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


def sign(
    plain: bytes, signer: Signer, timestamp_url: str = "", *, needs_revocation_data: bool = True
) -> bytes:
    """Return a PDF signed as a whole (PAdES B-B); it can't be changed after.

    With a timestamp service it has a timestamp, what is needed to check all certificates later, and
    an archive timestamp over everything (B-LTA). needs_revocation_data: whether a certificate that
    names sources of revocation data needs an answer from them.

    Raise TimestampError if the service or such a source can't be used, SignError if it can't be
    signed.
    """
    try:
        if not timestamp_url:
            return _signed(plain, signer, None)
        service = remote.TimestampService(timestamp_url)
        signed = _archived(
            _signed(plain, signer, service), service, needs_revocation_data=needs_revocation_data
        )
        flaw = signature_flaw(signed, signer.certificates[0])
    except (OSError, ValueError, PdfError, SigningError) as error:
        raise _error_from(error, timestamp_url) from error
    except Exception as error:
        if not timestamp_url:
            raise
        # Whatever the service's answer breaks must not keep a certificate from being made.
        raise _error_from(error, timestamp_url) from error
    if flaw is not None:
        message = f"The timestamp service can't be used: its timestamps aren't sound ({flaw.value})"
        raise TimestampError(message)
    return signed


def renew(pdf: bytes, timestamp_url: str) -> bytes:
    """Return a signed PDF with one more archive timestamp, and what the last one is checked with.

    Raise TimestampError if the service can't be used or the last timestamp can't be relied on any
    more, SignError if the file isn't sound. Nothing says here whose signature it is.
    """
    flaw = _flaw_of_what_it_names(pdf)
    if flaw is not None:
        message = f"The signature or a timestamp of this PDF isn't sound ({flaw.value})."
        raise SignError(message)
    try:
        service = remote.TimestampService(timestamp_url)
        renewed = _archived(pdf, service, needs_revocation_data=True)
    except Exception as error:
        raise _error_from(error, timestamp_url) from error
    if _flaw_of_what_it_names(renewed) is not None:
        message = "The timestamp service can't be used: its timestamp isn't sound."
        raise TimestampError(message)
    return renewed


def timestamp_end(pdf: bytes) -> dt.datetime:
    """Return when the certificate of the last archive timestamp of a PDF ends."""
    *_, last = PdfFileReader(io.BytesIO(pdf)).embedded_timestamp_signatures
    end: dt.datetime = last.signer_cert.not_valid_after
    return end


def _signed(plain: bytes, signer: Signer, service: remote.TimestampService | None) -> bytes:
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
    signed = _ArchivalSigner(
        metadata,
        signer=signers.SimpleSigner(
            signing_cert=own,
            signing_key=asn1_keys.PrivateKeyInfo.load(private),
            cert_registry=store,
        ),
        timestamper=service,
        new_field_spec=fields.SigFieldSpec(FIELD, invis_sig_settings=UNSEEN),
    ).sign_pdf(_Addition(io.BytesIO(plain)))
    pdf: bytes = signed.getvalue()
    return pdf


def _archived(
    pdf: bytes, service: remote.TimestampService, *, needs_revocation_data: bool
) -> bytes:
    """Return a PDF with a timestamp over its last signature, and what that is checked with.

    Both are one addition, so that a timestamp covers all that was added before it.
    """
    return asyncio.run(_archived_async(pdf, service, needs_revocation_data=needs_revocation_data))


async def _archived_async(
    pdf: bytes, service: remote.TimestampService, *, needs_revocation_data: bool
) -> bytes:
    await service.async_dummy_response(DIGEST)
    *_, last = signatures = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    known = [*_certificates_of(last), *service.cert_registry]
    failures: list[str] = []
    context = ValidationContext(
        trust_roots=_highest(known),
        other_certs=known,
        moment=clock.now(),
        allow_fetching=True,
        fetchers=remote.fetchers(failures),
        revocation_mode="hard-fail" if needs_revocation_data else "soft-fail",
    )
    stamper = PdfTimeStamper(service, f"{ARCHIVE_FIELD}-{len(signatures)}", UNSEEN)
    try:
        archived = await stamper.async_timestamp_pdf(
            _Addition(io.BytesIO(pdf)),
            DIGEST,
            validation_context=context,
            validation_paths=await collect_validation_info(last, context),
            dss_settings=TimestampDSSContentSettings(include_vri=False, update_before_ts=True),
        )
    except InsufficientRevinfoError as error:
        raise OSError("; ".join(failures) or str(error)) from error
    data: bytes = archived.getvalue()
    return data


def _highest(
    certificates: Collection[asn1_x509.Certificate],
) -> list[asn1_x509.Certificate]:
    """Return the certificates that no other of them issued: nothing here can vouch for them."""
    names = {certificate.subject.dump() for certificate in certificates}
    return [
        certificate
        for certificate in certificates
        if certificate.self_issued or certificate.issuer.dump() not in names
    ]


def _error_from(error: Exception, timestamp_url: str) -> SignError:
    words = " ".join(str(error).split())[:LONGEST_ERROR] or type(error).__name__
    if timestamp_url and not isinstance(error, PdfError | SigningError):
        return TimestampError(f"The timestamp service can't be used: {words}")
    return SignError(f"The PDF can't be signed: {words}")


# Verifying ----------------------------------------------------------------------------------------


def signature_flaw(pdf: bytes, certificate: x509.Certificate) -> Flaw | None:
    """Return what is wrong with the signature of a PDF; this alone is not the whole check."""
    return _flaw(pdf, _asn1(certificate))


def _flaw_of_what_it_names(pdf: bytes) -> Flaw | None:
    """Return what is wrong with the signature of a PDF if it is by the certificate it names."""
    return _flaw(pdf, None)


def _flaw(pdf: bytes, certificate: asn1_x509.Certificate | None) -> Flaw | None:
    try:
        return asyncio.run(_signature_flaw(pdf, certificate))
    except Exception:  # noqa: BLE001 -- whatever a forged file breaks in the reader, it is a flaw
        return Flaw.UNREADABLE


async def _signature_flaw(pdf: bytes, certificate: asn1_x509.Certificate | None) -> Flaw | None:
    signatures = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    if not signatures:
        return Flaw.NOT_SIGNED
    own, *timestamps = signatures
    if own.sig_object_type != SIGNATURE or any(
        timestamp.sig_object_type != TIMESTAMP for timestamp in timestamps
    ):
        return Flaw.NOT_WHOLE
    # Exactly this certificate, not another one from the same authority.
    context = _trusting([certificate or own.signer_cert])
    status = await async_validate_pdf_signature(
        own,
        signer_validation_context=context,
        ts_validation_context=_trusting(_certificates_of_timestamps(own)),
        key_usage_settings=KeyUsageConstraints(
            key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False
        ),
    )
    statuses = [
        await async_validate_pdf_timestamp(timestamp, _trusting(_embedded(timestamp.signed_data)))
        for timestamp in timestamps
    ]
    coverage = [status.coverage, *(of_timestamp.coverage for of_timestamp in statuses)]
    if coverage[-1] != SignatureCoverageLevel.ENTIRE_FILE or any(
        level != SignatureCoverageLevel.ENTIRE_REVISION for level in coverage[:-1]
    ):
        return Flaw.NOT_WHOLE
    if status.modification_level not in ALLOWED_ADDITIONS:
        return Flaw.NOT_WHOLE
    is_sound = status.bottom_line and all(
        of_timestamp.intact and of_timestamp.valid and of_timestamp.trusted
        for of_timestamp in statuses
    )
    return None if is_sound else Flaw.BROKEN


def _trusting(certificates: Iterable[asn1_x509.Certificate]) -> ValidationContext:
    """Return a context that trusts some certificates and nothing else.

    Of timestamps, those that came with them: the operator chose the service, and nothing here
    vouches for it; each timestamp itself must still be intact and match what it covers.
    """
    return ValidationContext(trust_roots=list(certificates), allow_fetching=False)


def _certificates_of(signature: EmbeddedPdfSignature) -> list[asn1_x509.Certificate]:
    """Return all certificates in a signature or timestamp, and in a timestamp of a signature."""
    return [*_embedded(signature.signed_data), *_certificates_of_timestamps(signature)]


def _certificates_of_timestamps(
    signature: EmbeddedPdfSignature,
) -> Iterator[asn1_x509.Certificate]:
    unsigned = signature.signer_info["unsigned_attrs"]
    for stamp in find_cms_attribute_iter(unsigned, "signature_time_stamp_token"):
        yield from _embedded(stamp["content"])


def _embedded(signed_data: cms.SignedData) -> Iterator[asn1_x509.Certificate]:
    return (choice.chosen for choice in signed_data["certificates"])


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
