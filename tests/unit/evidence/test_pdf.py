"""A signed PDF is sound, and every change to it is noticed; other tools agree."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.factories.evidence.certificates import (
    ATTACHED,
    NOW,
    YEAR,
    a_signer,
    damages,
    plain_values,
    with_another_title,
)
from tests.servers.timestamps import TimestampServer
from tracker.core import canonical
from tracker.evidence.certificates import pdf
from tracker.evidence.certificates.pdf import (
    Flaw,
    Signer,
    SignError,
    TimestampError,
)
from tracker.evidence.certificates.typesetting import typeset

TEMPLATE = "certificate.typ"
SIGNER = a_signer()


@pytest.fixture(scope="module")
def plain() -> bytes:
    return typeset(TEMPLATE, plain_values(), ATTACHED)


@pytest.fixture(scope="module")
def signed(plain: bytes) -> bytes:
    return pdf.sign(plain, SIGNER)


def flaw(data: bytes, original: bytes, signer: Signer = SIGNER) -> Flaw | None:
    return pdf.flaw_of(
        data, kept_digest=canonical.digest(original), certificate=signer.certificates[0]
    )


def signature_flaw(data: bytes, signer: Signer = SIGNER) -> Flaw | None:
    return pdf.signature_flaw(data, signer.certificates[0])


def test_a_pdf_is_sound_as_it_was_signed(signed: bytes) -> None:
    assert flaw(signed, signed) is None


def test_changing_adding_or_removing_any_of_a_thousand_bytes_is_noticed(signed: bytes) -> None:
    damaged = damages(signed, 1000, seed=20261125)
    assert len(damaged) > 990
    assert [damage.words for damage in damaged if flaw(damage.data, signed) is None] == []


def test_the_signature_alone_notices_what_lies_in_its_range(signed: bytes) -> None:
    """The stored digest is the stricter of the two; without it a few padding bytes are free."""
    damaged = damages(signed, 150, seed=7)
    unnoticed = [damage.words for damage in damaged if signature_flaw(damage.data) is None]
    assert len(unnoticed) < len(damaged) // 10


def test_a_change_added_at_the_end_is_noticed_although_its_signature_is_whole(
    signed: bytes,
) -> None:
    changed = with_another_title(signed)
    assert changed.startswith(signed)
    assert signature_flaw(changed) is Flaw.NOT_WHOLE
    assert flaw(changed, signed) is Flaw.OTHER_DIGEST


@pytest.mark.parametrize("junk", [b"\n", b"x", b"%%EOF\n", b"\x00" * 100])
def test_bytes_added_at_the_end_are_noticed(signed: bytes, junk: bytes) -> None:
    assert signature_flaw(signed + junk) in {Flaw.NOT_WHOLE, Flaw.UNREADABLE}
    assert flaw(signed + junk, signed) is Flaw.OTHER_DIGEST


def test_a_second_signature_is_noticed(signed: bytes) -> None:
    with pytest.raises(SignError):
        pdf.sign(signed, a_signer())


def test_a_pdf_signed_with_another_key_is_not_ours(plain: bytes, signed: bytes) -> None:
    forged = pdf.sign(plain, a_signer())
    assert signature_flaw(forged) is Flaw.BROKEN
    assert flaw(forged, signed) is Flaw.OTHER_DIGEST


def test_an_unsigned_file_or_one_that_is_not_a_pdf_is_noticed(plain: bytes) -> None:
    assert signature_flaw(plain) is Flaw.NOT_SIGNED
    assert signature_flaw(b"") is Flaw.UNREADABLE
    assert signature_flaw(b"%PDF-1.7\nnothing") is Flaw.UNREADABLE


def test_a_certificate_that_ended_since_does_not_end_what_it_signed(plain: bytes) -> None:
    ended = a_signer(begins=NOW - 3 * YEAR, lasts=YEAR)
    done = pdf.sign(plain, ended)
    assert flaw(done, done, ended) is None


def test_an_unreachable_timestamp_service_raises_its_own_error(plain: bytes) -> None:
    with pytest.raises(TimestampError, match="timestamp service can't be used"):
        pdf.sign(plain, SIGNER, "http://127.0.0.1:9/tsa")


def test_a_file_that_is_no_pdf_is_not_signed() -> None:
    with pytest.raises(SignError):
        pdf.sign(b"no pdf", SIGNER)


# Other tools ------------------------------------------------------------------------------------


def run(*command: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which(command[0])
    assert program, f"{command[0]} is not installed: type make test as root, or see .ci/system"
    return subprocess.run(
        [program, *command[1:]], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def file(signed: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "certificate.pdf"
    path.write_bytes(signed)
    return path


def test_poppler_says_that_the_signature_is_valid_and_covers_all(file: Path) -> None:
    output = run("pdfsig", "-nocert", str(file)).stdout
    assert "Signature Validation: Signature is Valid." in output
    assert "Total document signed" in output
    assert "Not total document signed" not in output
    assert "Signature Type: ETSI.CAdES.detached" in output


def test_qpdf_finds_nothing_wrong(file: Path) -> None:
    done = run("qpdf", "--check", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No syntax or stream encoding errors found" in done.stdout


def test_the_file_stays_archival_and_accessible_with_its_signature(
    file: Path, signed: bytes
) -> None:
    output = run("pdfinfo", "-isodates", str(file)).stdout
    assert "Tagged:          yes" in output
    assert "PDF version:     1.7" in output
    for mark in (b"<pdfaid:part>3<", b"<pdfaid:conformance>A<", b"<pdfuaid:part>1<"):
        assert signed.count(mark) == 1
    assert b"/Version" not in signed.replace(b"/BaseVersion", b"")


def test_archive_timestamps_leave_the_file_archival(plain: bytes, tmp_path: Path) -> None:
    path = tmp_path / "timestamped.pdf"
    with TimestampServer() as service:
        path.write_bytes(pdf.renew(pdf.sign(plain, SIGNER, service.url), service.url))
    assert run("qpdf", "--check", str(path)).returncode == 0
    assert "PDF version:     1.7" in run("pdfinfo", str(path)).stdout
    output = run("pdfsig", "-nocert", str(path)).stdout
    assert output.count("Signature Validation: Signature is Valid.") == 1
    assert output.count("  - Total document signed") == 1
    data = path.read_bytes()
    assert data.count(b"<pdfaid:part>3<") == 1
    assert b"/Version" not in data.replace(b"/BaseVersion", b"")


def test_the_canonical_document_travels_inside(file: Path, tmp_path: Path) -> None:
    assert run("pdfdetach", "-saveall", "-o", str(tmp_path), str(file)).returncode == 0
    assert (tmp_path / ATTACHED.name).read_text() == ATTACHED.text
