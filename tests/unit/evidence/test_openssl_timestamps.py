"""Certificates with timestamps of a service that another program than the application's runs."""

import datetime as dt
import io
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import EmbeddedPdfSignature

from tests.factories.evidence.archives import is_valid
from tests.factories.evidence.bundles import a_pdf
from tests.factories.evidence.key_files import new_private
from tests.moments import standing_at, using
from tests.servers import openssl_timestamps
from tests.servers.openssl_timestamps import OpensslTimestampServer
from tracker.evidence.certificates import pdf, remote
from tracker.evidence.certificates.pdf import TimestampError

pytestmark = pytest.mark.skipif(
    openssl_timestamps.PROGRAM is None, reason="openssl is not installed"
)

PLAIN = a_pdf(key=None)
# OpenSSL takes the time from the system, whatever day it is to the test.
BEGUN, YEAR = dt.datetime(2011, 3, 1, 12, tzinfo=dt.UTC), dt.timedelta(days=365)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer than an application does: a busy machine is no slow service."""
    monkeypatch.setattr(remote, "SECONDS", 120)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[OpensslTimestampServer]:
    with running(tmp_path) as server:
        yield server


def running(folder: Path, digests: str = "sha256") -> OpensslTimestampServer:
    return OpensslTimestampServer(folder, digests, lasts=90 * YEAR, began=BEGUN)


def timestamps(data: bytes) -> list[EmbeddedPdfSignature]:
    return list(PdfFileReader(io.BytesIO(data)).embedded_timestamp_signatures)


def covered(data: bytes, stamp: EmbeddedPdfSignature) -> str:
    """Return the SHA-256 of the bytes that a timestamp in a file is about."""
    begin, first, after, second = stamp.byte_range
    return sha256(data[begin : begin + first] + data[after : after + second]).hexdigest()


def test_a_certificate_has_timestamps_that_openssl_makes_and_confirms(
    service: OpensslTimestampServer,
) -> None:
    with using(standing_at(BEGUN)):
        signer = service.signer(new_private(), 90 * YEAR)
    signed = pdf.sign(PLAIN, signer, service.url)
    assert pdf.signature_flaw(signed, signer.certificates[0]) is None
    (archive,) = timestamps(signed)
    token = archive.signed_data
    assert service.confirms(archive.pkcs7_content, covered(signed, archive))
    assert not service.confirms(archive.pkcs7_content, sha256(b"Another").hexdigest())
    at = token["encap_content_info"]["content"].parsed["gen_time"].native
    assert is_valid(signed, at + dt.timedelta(hours=1), signer, [service.root])
    assert pdf.timestamp_end(signed).year == (BEGUN + 90 * YEAR).year
    renewed = pdf.renew(signed, service.url)
    first, last = timestamps(renewed)
    for stamp in (first, last):
        assert service.confirms(stamp.pkcs7_content, covered(renewed, stamp))
    assert pdf.signature_flaw(renewed, signer.certificates[0]) is None


def test_a_service_that_refuses_is_named_as_the_reason(tmp_path: Path) -> None:
    """It accepts digests of another kind only, and says so in its answer."""
    with running(tmp_path, "sha512") as service:
        with using(standing_at(BEGUN)):
            signer = service.signer(new_private(), 90 * YEAR)
        with pytest.raises(TimestampError, match=r"it answers rejection \(.*algorithm"):
            pdf.sign(PLAIN, signer, service.url)
    assert service.requests
