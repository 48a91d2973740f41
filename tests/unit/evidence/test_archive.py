"""A PDF signed with a timestamp service can be checked after its key and the service have ended."""

import datetime as dt
import io
from collections.abc import Callable, Iterator

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from tests.factories.evidence.archives import is_valid, validated
from tests.factories.evidence.bundles import (
    a_pdf,
    begun,
    document_note,
    document_signer,
    judged,
    key_note,
)
from tests.factories.evidence.certificates import a_signer, damages, with_another_title
from tests.factories.evidence.key_files import new_private
from tests.moments import standing_at, using
from tests.servers.timestamps import TimestampServer
from tracker.core import canonical
from tracker.core.deadlines import Deadline
from tracker.evidence.bundles import verify
from tracker.evidence.certificates import pades, pdf, remote
from tracker.evidence.certificates.pdf import Flaw, Signer, SignError, TimestampError

PLAIN = a_pdf(key=None)
HOUR, DAY, YEAR = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(days=365)
# All of it is past, since the validator also compares with the clock of the machine. The first
# authority ends between RENEWED and LATER, after its revocation list; the second one's answer is
# still good then.
SIGNED = dt.datetime(2011, 3, 1, 12, tzinfo=dt.UTC)
RENEWED = SIGNED + 5 * YEAR
LATER = RENEWED + DAY

Freeze = Callable[[dt.datetime | None], None]


@pytest.fixture(autouse=True, scope="module")
def _patience() -> Iterator[None]:
    """Wait longer than an application does: a busy machine is no slow service."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remote, "SECONDS", 120)
        yield


@pytest.fixture(autouse=True)
def _standing_clock(frozen_time: Freeze) -> None:
    frozen_time(SIGNED)


@pytest.fixture(scope="module")
def service() -> Iterator[TimestampServer]:
    """An authority whose certificates name a revocation list."""
    lasts = RENEWED + 12 * HOUR - SIGNED
    with TimestampServer(lasts=lasts, lists=True, good_for=6 * HOUR) as server:
        with using(standing_at(SIGNED)):
            server.begin()
        yield server


@pytest.fixture
def others() -> Iterator[TimestampServer]:
    """Another authority, whose certificate names a service that answers on revocation."""
    with TimestampServer("Others", lasts=20 * YEAR, ocsp=True) as server:
        yield server


@pytest.fixture(scope="module")
def signer(service: TimestampServer) -> Signer:
    """A key whose certificate, issued by an authority, ends after thirty days."""
    with using(standing_at(SIGNED)):
        return service.signer(new_private(), 30 * DAY)


@pytest.fixture(scope="module")
def signed(service: TimestampServer, signer: Signer) -> bytes:
    with using(standing_at(SIGNED)):
        return pdf.sign(PLAIN, signer, service.url)


def flaw(data: bytes, signer: Signer) -> Flaw | None:
    return pdf.signature_flaw(data, signer.certificates[0])


def as_it_was_signed(data: bytes) -> bytes:
    """Return what was there before the archive timestamp was added."""
    first, *_ = PdfFileReader(io.BytesIO(data)).embedded_signatures
    _, _, begins, length = first.byte_range
    return data[: begins + length]


# Later ------------------------------------------------------------------------------------------


def test_a_signed_file_is_valid_without_asking_anybody_and_only_with_its_authority(
    service: TimestampServer, signer: Signer, signed: bytes, others: TimestampServer
) -> None:
    requests = len(service.requests)
    assert flaw(signed, signer) is None
    assert is_valid(signed, SIGNED + HOUR, signer, [service.root])
    assert len(service.requests) == requests
    assert not validated(
        signed, SIGNED + HOUR, signer, [others.root]
    ).oldest_evidence_record_timestamp


def test_a_renewed_file_is_valid_after_the_key_and_the_first_authority_ended(
    service: TimestampServer,
    signer: Signer,
    signed: bytes,
    others: TimestampServer,
    frozen_time: Freeze,
) -> None:
    frozen_time(RENEWED)
    renewed = pdf.renew(signed, others.url)
    roots = [service.root, others.root]
    assert renewed.startswith(signed)
    assert flaw(renewed, signer) is None
    assert is_valid(renewed, LATER, signer, roots)
    # Not with one authority alone, and not as it was before.
    assert not is_valid(renewed, LATER, signer, [service.root])
    assert not is_valid(renewed, LATER, signer, [others.root])
    assert not is_valid(signed, LATER, signer, roots)
    frozen_time(LATER)
    with pytest.raises(TimestampError, match="expired"):
        pdf.renew(signed, others.url)


def test_what_validators_need_is_in_the_file(signed: bytes, others: TimestampServer) -> None:
    store = PdfFileReader(io.BytesIO(signed)).root["/DSS"]
    names = [len(store[name]) for name in ("/Certs", "/CRLs")]
    assert (names, "/OCSPs" in store) == ([4, 2], False)
    store = PdfFileReader(io.BytesIO(pdf.renew(signed, others.url))).root["/DSS"]
    assert len(store["/Certs"]) == 6
    assert len(store["/OCSPs"]) == 1


def test_a_removed_archive_timestamp_is_noticed(
    service: TimestampServer, signer: Signer, signed: bytes
) -> None:
    cut = as_it_was_signed(signed)
    results = [
        validated(data, SIGNED + HOUR, signer, [service.root]).oldest_evidence_record_timestamp
        for data in (signed, cut)
    ]
    assert results == [SIGNED, None]
    digest, own = canonical.digest(signed), signer.certificates[0]
    assert pdf.flaw_of(cut, kept_digest=digest, certificate=own) is Flaw.OTHER_DIGEST


# Changes ----------------------------------------------------------------------------------------


def test_a_byte_changed_in_what_was_added_is_noticed(signer: Signer, signed: bytes) -> None:
    begins = len(as_it_was_signed(signed))
    damaged = [
        damage
        for damage in damages(signed, 200, seed=20261130)
        if damage.data.startswith(signed[:begins])
    ]
    assert len(damaged) > 50
    unnoticed = [damage.words for damage in damaged if flaw(damage.data, signer) is None]
    # The padding of the timestamp means nothing; the stored digest covers that too.
    assert len(unnoticed) < len(damaged) // 4


def test_what_is_added_after_the_archive_timestamp_is_noticed(
    signer: Signer, signed: bytes
) -> None:
    assert flaw(with_another_title(signed), signer) is Flaw.NOT_WHOLE
    assert flaw(signed + b"\n", signer) is Flaw.NOT_WHOLE


def test_a_timestamp_over_a_changed_page_hides_no_change(
    service: TimestampServer, signer: Signer, signed: bytes
) -> None:
    changed = with_another_title(as_it_was_signed(signed))
    forged = pades._archived(
        changed, remote.TimestampService(service.url), needs_revocation_data=True
    )
    assert flaw(forged, signer) is Flaw.NOT_WHOLE
    with pytest.raises(SignError, match="isn't sound"):
        pdf.renew(changed, service.url)


# The service ------------------------------------------------------------------------------------


def test_timestamps_of_somebody_elses_key_are_refused(
    service: TimestampServer, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "signs_with", "Others")
    with pytest.raises(TimestampError, match="aren't sound"):
        pdf.sign(PLAIN, signer, service.url)


@pytest.mark.parametrize("answer", [b"", b"no timestamp", bytes.fromhex("30053003020102")])
def test_an_answer_that_is_no_timestamp_is_an_error_of_the_service(
    service: TimestampServer, signer: Signer, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(service, "answer", answer)
    with pytest.raises(TimestampError, match="timestamp service can't be used"):
        pdf.sign(PLAIN, signer, service.url)


def test_revocation_data_that_is_away_is_required_unless_the_caller_does_without(
    service: TimestampServer, others: TimestampServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = a_signer()
    for server, words in ((service, "no revocation list"), (others, "no answer on revocation")):
        monkeypatch.setattr(server, "revocation_is_away", True)
        with pytest.raises(TimestampError, match=f"{words} from {server.address}"):
            pdf.sign(PLAIN, signer, server.url)
        done = pdf.sign(PLAIN, signer, server.url, needs_revocation_data=False)
        assert flaw(done, signer) is None


def test_an_answer_that_is_too_long_or_too_slow_is_not_read_to_its_end() -> None:
    minute = Deadline(60)
    assert remote._read(io.BytesIO(b"12345"), minute, 5) == b"12345"
    with pytest.raises(ValueError, match="longer than 4 bytes"):
        remote._read(io.BytesIO(b"12345"), minute, 4)
    with pytest.raises(TimeoutError):
        remote._read(io.BytesIO(b"12345"), Deadline(0), 5)


def test_only_addresses_of_http_are_asked() -> None:
    with pytest.raises(ValueError, match="isn't an address of HTTP"):
        remote.exchange("file:///etc/passwd", {}, longest=10)


# In a bundle ------------------------------------------------------------------------------------


def bundle_with(data: bytes, *, is_mailed: bool = False) -> tuple[bytes, str]:
    """Return a bundle with the PDF of its only text, and a checkpoint mailed after it was made."""
    instance = begun(keys=[key_note(), document_note()])
    instance.certificate(instance.agree(), data)
    mailed = instance.checkpoint()
    return instance.take_out([mailed] if is_mailed else ()), mailed.text()


def test_both_verifiers_accept_a_timestamped_and_a_renewed_certificate_in_a_bundle(
    service: TimestampServer,
) -> None:
    timestamped = pdf.sign(PLAIN, document_signer(), service.url)
    for data in (timestamped, pdf.renew(timestamped, service.url)):
        assert judged(bundle_with(data)[0]) == {}


def test_both_verifiers_notice_what_is_wrong_with_an_archive_timestamp(
    service: TimestampServer,
) -> None:
    timestamped = pdf.sign(PLAIN, document_signer(), service.url)
    begins = len(as_it_was_signed(timestamped))
    archive = PdfFileReader(io.BytesIO(timestamped)).embedded_signatures[1]
    length = len(archive.pkcs7_content.rstrip(b"\0"))
    place = archive.byte_range[1] + 2 * length - 10  # in the signature, which comes last
    digit = b"1" if timestamped[place : place + 1] == b"0" else b"0"
    for forged in (
        timestamped[: begins + 30] + b"%" + timestamped[begins + 31 :],
        timestamped[:place] + digit + timestamped[place + 1 :],
        timestamped + b"\n",
        timestamped[:-1],
    ):
        assert set(judged(bundle_with(forged)[0])) == {"Certificates"}


def test_without_a_service_a_mailed_checkpoint_shows_for_good_that_a_certificate_was_there() -> (
    None
):
    """Whoever has all keys later can make another PDF, but none that the checkpoint covers."""
    bundle, mailed = bundle_with(a_pdf(), is_mailed=True)
    assert judged(bundle, mailed) == {}
    assert verify.verify(bundle, [verify.Anchor.read("mail", mailed.encode())]).is_compared
    forged, _ = bundle_with(a_pdf("ar"), is_mailed=False)
    assert judged(forged) == {}
    assert list(judged(forged, mailed)) == ["Anchor 0"]
