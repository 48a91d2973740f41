"""Checking a document without an account: only the file's digest is sent."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import expect

from tests.browser.accessibility import grave_faults
from tests.browser.conftest import PHONE, WIDE, NewContext
from tests.browser.demonstration import DEMONSTRATION, FirstStart
from tests.browser.instances import StartingPoint
from tests.servers.application import Application
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.evidence.bundles import bundle, service
from tracker.evidence.models import Certificate
from tracker.signoff.models import Revision

DROP = """([name, words]) => {
    const data = new DataTransfer();
    data.items.add(new File([words], name));
    const form = document.getElementById("verify-file");
    form.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
}"""


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[FirstStart]:
    """The demonstration."""
    return DEMONSTRATION


@pytest.fixture
def certificate(inside: Flask, live: Application, tmp_path: Path) -> Path:
    """A certificate made by the demonstration's worker, of a text whose term has begun."""
    wanted = (
        sa.select(Certificate.document)
        .join(Revision, Revision.id == Certificate.revision_id)
        .where(~Certificate.is_sealed, Revision.kind == "confidentiality")
        .limit(1)
    )
    with inside.app_context():
        certificate = db.session.scalar(wanted)
        db.session.remove()
    assert certificate, live.log()
    path = tmp_path / "certificate.pdf"
    path.write_bytes(certificate)
    return path


def test_a_bundle_of_evidence_is_sent_and_checked(
    inside: Flask, new_context: NewContext, tmp_path: Path
) -> None:
    with inside.app_context():
        wanted = sa.select(Cooperation).order_by(Cooperation.reference).limit(1)
        cooperation = db.session.scalars(wanted).one()
        taken = service.export(None, cooperation.id, cooperation.reference)
        db.session.commit()
        path = tmp_path / "evidence.zip"
        path.write_bytes(bundle.build(taken))
        db.session.remove()
    page = new_context(viewport=WIDE).new_page()
    page.goto("/verify")
    expect(page.get_by_text("An evidence bundle (ZIP) is sent")).to_be_visible()
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("A genuine evidence bundle.")).to_be_visible()
    assert grave_faults(page) == []


@pytest.mark.parametrize("viewport", [WIDE, PHONE])
def test_only_the_digest_of_a_file_leaves_the_browser(
    new_context: NewContext, certificate: Path, viewport: dict[str, int]
) -> None:
    page = new_context(viewport=viewport).new_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.goto("/verify")
    page.get_by_label("File", exact=True).set_input_files(certificate)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("Genuine.")).to_be_visible()
    assert "?file=" in page.url
    assert set(sent) == {"GET"}
    assert grave_faults(page) == []


def test_a_file_can_be_dropped_and_an_altered_one_is_reported(
    new_context: NewContext, certificate: Path, tmp_path: Path
) -> None:
    page = new_context().new_page()
    page.goto("/verify")
    page.evaluate(DROP, ["note.txt", "Something else"])
    expect(page.get_by_text("Unknown.")).to_be_visible()
    altered = tmp_path / "altered.pdf"
    altered.write_bytes(certificate.read_bytes() + b"x")
    page.get_by_label("File", exact=True).set_input_files(altered)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("Altered.")).to_be_visible()


def test_without_scripts_the_file_is_sent_and_the_answer_is_the_same(
    new_context: NewContext, certificate: Path
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/verify")
    page.get_by_label("File", exact=True).set_input_files(certificate)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("Genuine.")).to_be_visible()
    assert page.url.endswith("/verify")
