"""Signed PDFs judged as an archive does: by another validator, long after, from the file alone."""

import asyncio
import datetime as dt
import io
from collections.abc import Collection

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESStatus
from pyhanko.sign.validation.ades import AdESLTAValidationResult, ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.registry import SimpleTrustManager

from tracker.evidence.certificates.pdf import Signer

_DECLARED = RevocationCheckingRule.CHECK_IF_DECLARED


def validated(
    pdf: bytes, at: dt.datetime, signer: Signer, authorities: Collection[x509.Certificate]
) -> AdESLTAValidationResult:
    """Return what a PAdES validator says of a PDF at a moment (ETSI EN 319 102-1, 5.6.3).

    It trusts the authority of the signer, and authorities for timestamps, and asks nobody.
    """
    signature = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures[0]
    specification = SignatureValidationSpec(
        cert_validation_policy=_trusting([signer.certificates[-1]]),
        ts_cert_validation_policy=_trusting(authorities),
        key_usage_settings=KeyUsageConstraints(
            key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False
        ),
    )
    moment = ValidationTimingInfo(
        validation_time=at, best_signature_time=at, point_in_time_validation=True
    )
    return asyncio.run(
        ades_lta_validation(signature, PdfSignatureValidationSpec(specification), moment)
    )


def is_valid(
    pdf: bytes, at: dt.datetime, signer: Signer, authorities: Collection[x509.Certificate]
) -> bool:
    """Return whether that validator calls the signature valid."""
    result = validated(pdf, at, signer, authorities)
    return result.ades_subindic.status is AdESStatus.PASSED


def _trusting(certificates: Collection[x509.Certificate]) -> CertValidationPolicySpec:
    roots = [
        asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
        for certificate in certificates
    ]
    return CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=roots),
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(_DECLARED, _DECLARED)),
    )
