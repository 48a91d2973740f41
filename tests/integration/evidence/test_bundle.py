"""Evidence exported as one file that two verifiers accept; confidential texts are left out.

In one file: all tests open the same export, which takes seconds.
"""

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.factories.comments import comment
from tests.factories.demonstration import Demonstration
from tests.factories.evidence.bundles import judged
from tests.factories.evidence.tampering import (
    REVISIONS,
    SIGNATURES,
    Tampering,
    hands,
)
from tests.factories.visits import JointVisit, planned, standing_plan
from tests.pages import Page
from tests.services import put
from tracker.activity import queries as trail
from tracker.activity import verbs
from tracker.activity.models import Chain, ReadLogEntry
from tracker.activity.service import record
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations import clearances, keys
from tracker.cooperations.models import AudienceMember, ClearanceEnd, CooperationKey
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.core.paths import ROOT
from tracker.evidence.bundles import (
    bundle,
    container,
    parts,
    queries,
    service,
)
from tracker.evidence.bundles.bundle import DamagedError
from tracker.evidence.keys import signing_keys
from tracker.evidence.keys.signing_keys import KEY_FOLDER, KeyFolder
from tracker.evidence.log import checkpoints
from tracker.evidence.models import Anchor, KeyUse
from tracker.mail.models import OutboxMessage
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision, Signature, SignatureKind
from tracker.undertakings.models import Undertaking
from tracker.visits import service as service_of_visits

Statements = Callable[[], AbstractContextManager[list[str]]]
EVIDENCE = "/cooperations/{}/evidence"


def call_back_as(joint_visit: JointVisit, person: str, checklist: Checklist) -> None:
    """Record that a person called back a visit's text."""
    record(
        verbs.SIGNATURE_REQUEST_WITHDRAWN,
        actor=joint_visit.actor(person),
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=joint_visit.cooperation.id,
        kind=checklist.kind.value,
        revision=2,
        reason="",
    )


def take_out(app: Flask, stage: Demonstration, person: str, **ticked: str) -> TestResponse:
    reference = stage.references["complete"]
    return stage.browser(app, person).post(EVIDENCE.format(reference), data=ticked)


def rows(files: dict[str, bytes], kind: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in files[parts.ROWS].splitlines()]
    return [line["row"] for line in lines if line["kind"] == kind]


def closed(files: dict[str, bytes]) -> set[str]:
    """Return the kinds of the confidential texts in a bundle."""
    return {str(row["kind"]) for row in rows(files, parts.REVISION) if row["is_sealed"]}


def manifest(files: dict[str, bytes]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(files[parts.MANIFEST])
    return content


# By the page --------------------------------------------------------------------------------------


def test_managers_of_both_sides_get_a_file_that_two_verifiers_take_for_sound(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    reference = demonstration.references["complete"]
    cooperation = demonstration.cooperations["complete"]
    texts = session.scalars(
        sa.select(Revision).where(
            Revision.cooperation_id == cooperation, Revision.is_sealed.is_(False)
        )
    ).all()
    assert len(texts) > 1
    for person, name in (("henrik", "Henrik Asante"), ("milan", "Milan Osterin")):
        answer = take_out(app, demonstration, person)
        assert answer.status_code == 200
        assert answer.mimetype == "application/zip"
        assert answer.headers["Content-Disposition"] == (
            f'attachment; filename="evidence-{reference}.zip"'
        )
        assert answer.headers["Cache-Control"] == "no-store"
        assert judged(answer.data) == {}, person
        files = container.unpack(answer.data)
        revisions = rows(files, parts.REVISION)
        assert {row["id"] for row in revisions} == {str(text.id) for text in texts}
        assert {data for name, data in files.items() if name.startswith(parts.DOCUMENTS)} == {
            text.document for text in texts
        }
        assert len(rows(files, parts.SIGNATURE)) >= len(texts)
        has_pdfs_of_its_texts_alone(files)
        # Confidential texts are left out unless requested, but their events are included.
        assert closed(files) == set()
        assert len(manifest(files)["left_out"]["rows"]) > 3
        # The export is its own last event.
        last = json.loads(files[parts.EVENTS].splitlines()[-1])
        assert last["event"]["verb"] == "evidence_exported"
        assert last["details"]["content"]["who"]["name"] == name
        assert last["details"]["content"]["closed"] is False
        line = trail.history(cooperation)[1][0]
        assert (line.verb, line.who) == ("evidence_exported", name)
    assert (
        session.scalars(sa.select(ReadLogEntry).where(ReadLogEntry.page == "evidence")).all() == []
    )
    # All parties see that it was exported.
    page = demonstration.browser(app, "samira").page(f"/cooperations/{reference}/history")
    assert "Evidence was exported." in page.text


def has_pdfs_of_its_texts_alone(files: dict[str, bytes]) -> None:
    """Check that the signed PDFs of the texts go along, and no others."""
    texts = {row["id"] for row in rows(files, parts.REVISION)}
    certificates = rows(files, parts.CERTIFICATE)
    assert {row["revision"] for row in certificates} == texts
    pdfs = [data for name, data in files.items() if name.startswith(parts.CERTIFICATES)]
    assert {canonical.digest(pdf) for pdf in pdfs} == {row["sha256"] for row in certificates}


def test_what_somebody_may_open_goes_along_if_asked_for_and_is_noted_as_read(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    """The NPM's manager decides on undertakings, and is in no audience."""
    answer = take_out(app, demonstration, "milan", with_closed="y")
    assert judged(answer.data) == {}
    files = container.unpack(answer.data)
    assert closed(files) == {"undertaking"}
    has_pdfs_of_its_texts_alone(files)
    cooperation = demonstration.cooperations["complete"]
    noted = session.scalars(sa.select(ReadLogEntry).where(ReadLogEntry.page == "evidence")).all()
    assert {entry.user_id for entry in noted} == {demonstration.users["milan"]}
    sealed = [row for row in rows(files, parts.REVISION) if row["is_sealed"]]
    assert {str(entry.subject_id) for entry in noted} == {row["subject"] for row in sealed}
    key = keys.key_of(cooperation)
    for row in sealed:
        text = session.get_one(Revision, UUID(str(row["id"])))
        assert signoff.plain_bytes(text, key) in files.values()


def test_who_takes_it_out_gets_no_closed_text_and_no_name_that_they_may_not_open(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    """Henrik exports a visit's texts besides his own undertaking, and then only the latter."""
    answer = take_out(app, demonstration, "henrik", with_closed="y")
    assert judged(answer.data) == {}
    visits = container.unpack(answer.data)
    assert closed(visits) == {"undertaking", "visit_roles", "urgent_plan"}
    subjects = {
        str(row["subject"]) for row in rows(visits, parts.REVISION) if row["kind"] == "undertaking"
    }
    assert [
        session.get_one(Undertaking, UUID(undertaking_id)).user_id for undertaking_id in subjects
    ] == [demonstration.users["henrik"]]
    # By the rule of the history: a manager sees their own organisation's people.
    named = {str(details.get("person")) for details in of_undertakings(answer.data)}
    assert "Henrik Asante" in named
    assert named.isdisjoint({"Leyla Marchetti", "Otto Brandis", "Marek Tull"})
    # The events of the two exports don't tell that somebody may open a visit's texts.
    session.execute(sa.delete(AudienceMember))
    session.commit()
    files = container.unpack(take_out(app, demonstration, "henrik", with_closed="y").data)
    assert closed(files) == {"undertaking"}
    history = trail.history(demonstration.cooperations["complete"])[1]
    after, before = [line for line in history if line.verb == "evidence_exported"]
    assert after.details == before.details == {"texts": before.details["texts"], "closed": True}
    page = demonstration.browser(app, "greta").page(
        f"/cooperations/{demonstration.references['complete']}/history"
    )
    assert "Confidential texts that this person may open were included." in page.text


Hides = Callable[[JointVisit], None]


def of_the_team(files: dict[str, bytes]) -> tuple[dict[UUID, int], dict[UUID, int]]:
    """Count, by subject, the events that would reveal a team: those with details, those without."""
    counts: dict[UUID, int] = {}
    silent: dict[UUID, int] = {}
    left_out = set(manifest(files)["left_out"]["details"])
    for line in map(json.loads, files[parts.EVENTS].splitlines()):
        event, details = line["event"], line["details"]
        subject = UUID(event["subject"])
        if details is None:
            assert event["number"] in left_out
            silent[subject] = silent.get(subject, 0) + 1
        elif trail.tells_the_team(event["verb"], details["content"], is_after_stop=False):
            counts[subject] = counts.get(subject, 0) + 1
    return counts, silent


def of_visit(joint_visit: JointVisit, number: int = 1) -> set[UUID]:
    """Return a visit and its checklists: the subjects of the events about it."""
    kinds = (ChecklistKind.VISIT_ROLES, ChecklistKind.URGENT_PLAN)
    return {
        joint_visit.visit(number).id,
        *(joint_visit.checklist(kind, number).id for kind in kinds),
    }


def not_cleared(joint_visit: JointVisit) -> None:
    clearances.close(None, joint_visit.clearance("henrik"), ClearanceEnd.WITHDRAWN)


def not_listed(joint_visit: JointVisit) -> None:
    joint_visit.session.execute(
        sa.delete(AudienceMember).where(AudienceMember.user_id == joint_visit.user("henrik"))
    )


def not_listed_yet(joint_visit: JointVisit) -> None:
    joint_visit.session.execute(
        sa.update(AudienceMember)
        .where(AudienceMember.user_id == joint_visit.user("henrik"))
        .values(from_on=clock.today() + dt.timedelta(days=1))
    )


def listed_alone(joint_visit: JointVisit) -> None:
    """Listed, but exported by a manager whom nobody listed."""


def test_who_may_know_of_a_visit_gets_the_details_of_what_was_done_for_it(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    joint_visit = JointVisit(session, demonstration)
    standing = standing_plan(joint_visit)
    second = planned(joint_visit, audience=("milan",))
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    spoken = comment(joint_visit.actor("pavo"), roles, "V1")
    service_of_visits.stop(joint_visit.actor("pavo"), second, reason="The road is closed.")
    session.commit()
    answer = take_out(app, demonstration, "henrik", with_closed="y")
    assert judged(answer.data) == {}
    counts, silent = of_the_team(container.unpack(answer.data))
    assert counts[roles.id] > 20, "answers and positions, those of each person too"
    assert counts[spoken.id] == 1
    assert not {spoken.id, *of_visit(joint_visit)} & set(silent)
    # Nothing is revealed about the visit that he isn't listed for, or about what belongs to no
    # visit.
    assert set(counts) <= {spoken.id, *of_visit(joint_visit)}
    assert {second.id, standing.id} <= set(silent)
    noted = session.scalars(
        sa.select(ReadLogEntry.subject_id).where(ReadLogEntry.page == "evidence")
    ).all()
    assert of_visit(joint_visit) - {joint_visit.visit().id} <= set(noted)


@pytest.mark.parametrize(
    ("person", "ticked", "hide"),
    [
        ("henrik", "", listed_alone),
        ("henrik", "y", not_cleared),
        ("henrik", "y", not_listed),
        ("henrik", "y", not_listed_yet),
        ("milan", "y", listed_alone),
    ],
)
def test_details_that_would_tell_who_is_in_a_visits_team_stay_out_for_everybody_else(
    app: Flask,
    demonstration: Demonstration,
    session: Session,
    person: str,
    ticked: str,
    hide: Hides,
) -> None:
    """Not asked for, not cleared, not listed or not yet, or a manager outside the audience."""
    joint_visit = JointVisit(session, demonstration)
    hide(joint_visit)
    session.commit()
    counts, silent = of_the_team(
        container.unpack(take_out(app, demonstration, person, with_closed=ticked).data)
    )
    assert counts == {}
    assert joint_visit.checklist(ChecklistKind.VISIT_ROLES).id in silent


def test_an_auditor_and_the_command_may_know_of_no_visit(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    joint_visit = JointVisit(session, demonstration)
    assert queries.planning(joint_visit.actor("greta"), joint_visit.cooperation.id) == []
    assert queries.planning(joint_visit.actor("henrik"), joint_visit.cooperation.id) != []
    data = bundle.build(exported(demonstration))
    assert judged(data) == {}
    counts, _silent = of_the_team(container.unpack(data))
    assert counts == {}
    # Nor of undertakings and interests, since anybody may get its file: whose interests were
    # decided on, by whom, and when access to one visit ended.
    assert of_undertakings(data) == []


def test_a_bundle_names_nobody_who_stopped_a_visit_by_the_text_that_came_back(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    """Earlier versions named whoever stopped the visit; whoever calls back a text is no secret."""
    joint_visit = JointVisit(session, demonstration)
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    call_back_as(joint_visit, "milan", roles)
    service_of_visits.stop(
        joint_visit.actor("pavo"), joint_visit.visit(), reason="The road is closed."
    )
    call_back_as(joint_visit, "pavo", roles)
    call_back_as(joint_visit, "pavo", joint_visit.checklist(ChecklistKind.URGENT_PLAN))
    session.commit()
    data = bundle.build(exported(demonstration))
    assert judged(data) == {}
    events = [json.loads(line) for line in container.unpack(data)[parts.EVENTS].splitlines()]
    names = [
        line["details"] and line["details"]["content"]["who"]["name"]
        for line in events
        if line["event"]["verb"] == "signature_request_withdrawn"
    ]
    assert names == ["Milan Osterin", None, None]


def of_undertakings(data: bytes) -> list[dict[str, Any]]:
    """Return the details in a bundle of events about undertakings, clearances and interests."""
    return [
        line["details"]["content"]
        for line in map(json.loads, container.unpack(data)[parts.EVENTS].splitlines())
        if line["details"]
        and line["event"]["verb"].startswith(("undertaking", "clearance", "interest"))
    ]


NOBODY_ELSE = {
    "ilena": 403,
    "tomas": 403,
    "nadia": 403,
    "samira": 403,
    "iris": 404,
    "vera": 404,
    "greta": 403,
    "celia": 404,
}


def test_nobody_else_takes_it_out_and_managers_only_by_the_form_of_the_page(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    cooperation = demonstration.cooperations["complete"]
    address = EVIDENCE.format(demonstration.references["complete"])
    before = trail.history(cooperation)[0]
    for person, status in NOBODY_ELSE.items():
        browser = demonstration.browser(app, person)
        assert browser.get(address).status_code == status, person
        assert browser.post(address).status_code == status, person
    browser = demonstration.browser(app, "milan")
    page = browser.page(address)
    # The page tells the key to compare.
    fingerprint = signing_keys.current(KeyUse.CHECKPOINT).fingerprint
    assert fingerprint in page.text.replace(" ", "")
    assert '<a href="/register" aria-current="true">' in page.html
    # Neither a link nor a form from elsewhere exports anything.
    assert browser.get(address).mimetype == "text/html"
    assert browser.open(address, method="POST", data={}, csrf=False).status_code == 400
    assert trail.history(cooperation)[0] == before
    assert browser.submit(address).mimetype == "application/zip"
    assert trail.history(cooperation)[0] == before + 1


def test_a_manager_finds_the_button_where_the_history_is_and_nobody_else(
    app: Flask, demonstration: Demonstration
) -> None:
    terms = demonstration.checklists["complete", "terms"]
    address = EVIDENCE.format(demonstration.references["complete"])
    for person, is_there in (("milan", True), ("henrik", True), ("greta", False)):
        page = demonstration.browser(app, person).page(f"/register/{terms}")
        assert (address in page.addresses()) is is_there, person


def test_with_a_lost_key_nothing_is_recorded_and_the_page_says_so(
    app: Flask, demonstration: Demonstration, session: Session, tmp_path: Path
) -> None:
    before = trail.history(demonstration.cooperations["complete"])[0]
    put(app, KEY_FOLDER.holding(KeyFolder(tmp_path / "elsewhere", "localhost")))
    answer = take_out(app, demonstration, "milan")
    assert answer.mimetype == "text/html"
    assert "It can't be exported now." in Page.of(answer).text
    assert trail.history(demonstration.cooperations["complete"])[0] == before


# What it is made of -------------------------------------------------------------------------------


def exported(stage: Demonstration) -> service.Export:
    taken = service.export(None, stage.cooperations["complete"], stage.references["complete"])
    db.session.commit()
    return taken


def test_checkpoints_that_people_hold_stand_in_it_and_prove_what_was_there(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    stored = checkpoints.of_sizes(set(session.scalars(sa.select(Anchor.size))))
    assert stored
    data = bundle.build(exported(demonstration))
    files = container.unpack(data)
    assert {parts.checkpoint_name(checkpoint.size) for checkpoint in stored} <= set(files)
    assert judged(data, *(checkpoint.text() for checkpoint in stored)) == {}


def test_what_was_taken_out_later_grew_out_of_what_was_taken_out_before(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    first = container.unpack(bundle.build(exported(demonstration)))
    second = bundle.build(exported(demonstration))
    anchor = first[parts.CHECKPOINT].decode()
    assert "/checkpoints/" in judged(second, anchor)["Anchor 0"]
    small, large = manifest(first)["size"], manifest(container.unpack(second))["size"]
    proof = app.test_client().get(f"/checkpoints/{large}/from/{small}").text
    flaws = judged(second, f"{anchor}\n{proof}")
    assert flaws == {}
    assert container.unpack(second)[parts.EVENTS].startswith(first[parts.EVENTS])


def test_all_keys_ever_used_are_in_it(
    app: Flask, demonstration: Demonstration, session: Session, folder: Path
) -> None:
    for use in KeyUse:
        signing_keys.rotate(use)
        signing_keys.rotate(use)
    data = bundle.build(exported(demonstration))
    assert judged(data) == {}
    files = container.unpack(data)
    assert {"keys/document-1.pem", "keys/document-2.pem", "keys/document-3.pem"} <= set(files)
    assert files[parts.KEYS].count(b"common-terms/public-key/1") == 6


def test_texts_whose_key_was_destroyed_are_left_out_and_the_rest_is_sound(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    cooperation = demonstration.cooperations["complete"]
    taken = exported(demonstration)
    sealed = frozenset(
        session.scalars(
            sa.select(Revision.id).where(
                Revision.cooperation_id == cooperation, Revision.is_sealed.is_(True)
            )
        )
    )
    both = service.Export(
        taken.cooperation_id,
        taken.reference,
        taken.count,
        taken.size,
        taken.revision_ids | sealed,
    )
    session.execute(
        sa.update(CooperationKey)
        .where(CooperationKey.cooperation_id == cooperation)
        .values(wrapped=None)
    )
    session.expire_all()
    data = bundle.build(both)
    files = container.unpack(data)
    assert len(manifest(files)["left_out"]["documents"]) >= len(sealed) > 0
    flaws = judged(data)
    assert "no event says that it was erased" in flaws["Texts"]


def test_a_signature_that_was_changed_in_the_database_is_noticed_in_the_bundle(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    taken = exported(demonstration)
    session.close()
    with hands() as connection:
        own = Tampering(connection, taken.cooperation_id)
        own.update(SIGNATURES, own.rows(SIGNATURES)[0].id, signer_name="Somebody Else")
    flaws = judged(bundle.build(taken))
    assert "was changed: event" in flaws["Texts"]


@pytest.mark.parametrize(
    ("kind", "which"),
    [
        ("terms", SignatureKind.SIGNATURE),
        ("undertaking", SignatureKind.SIGNATURE),
        ("undertaking", SignatureKind.COUNTERSIGNATURE),
    ],
)
def test_a_certificate_of_a_text_that_lacks_a_signature_is_named_in_the_bundle(
    app: Flask, demonstration: Demonstration, session: Session, kind: str, which: SignatureKind
) -> None:
    """The event is still there, as it might be for a text that stays confidential."""
    taken = service.export(
        JointVisit(session, demonstration).actor("henrik"),
        demonstration.cooperations["complete"],
        demonstration.references["complete"],
        with_closed=True,
    )
    session.commit()
    assert judged(bundle.build(taken)) == {}
    signed = session.scalars(
        sa.select(Signature.id)
        .join(Revision, Revision.id == Signature.revision_id)
        .where(Revision.id.in_(taken.revision_ids), Revision.kind == kind, Signature.kind == which)
    ).first()
    session.close()
    with hands() as connection:
        Tampering(connection, taken.cooperation_id).delete(SIGNATURES, signed)
    ((link, words),) = judged(bundle.build(taken)).items()
    assert link == "Certificates"
    assert words.endswith("is of a text that was not signed by all whom it names.")


def test_a_frozen_text_that_was_changed_in_the_database_is_never_passed_over(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    taken = exported(demonstration)
    text = min(taken.revision_ids)
    session.close()
    with hands() as connection:
        Tampering(connection, taken.cooperation_id).update(REVISIONS, text, number=7)
    with pytest.raises(DamagedError, match="run tracker audit verify"):
        bundle.build(taken)
    session.close()
    with hands() as connection:
        connection.execute(
            sa.update(REVISIONS)
            .where(REVISIONS.c.id == text)
            .values(number=1, document=canonical.to_bytes({"revision": 1}))
        )
    session.close()
    assert "doesn't match its digest" in judged(bundle.build(taken))["Texts"]


def test_more_events_and_texts_ask_the_database_no_more_often(
    app: Flask, demonstration: Demonstration, session: Session, statements: Statements
) -> None:
    counts = []
    for name in ("waiting", "complete"):
        taken = service.export(None, demonstration.cooperations[name], name)
        db.session.commit()
        with statements() as seen:
            bundle.build(taken)
        counts.append((len(taken.revision_ids), len(seen)))
    (few, before), (many, after) = counts
    assert few < many
    assert after <= before


def test_each_cooperation_of_the_demonstration_gives_a_sound_bundle(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    for name, cooperation in demonstration.cooperations.items():
        taken = service.export(None, cooperation, demonstration.references[name])
        db.session.commit()
        data = bundle.build(taken)
        assert judged(data) == {}, name
        assert manifest(container.unpack(data))["chain"] == str(
            session.scalar(sa.select(Chain.id).where(Chain.cooperation_id == cooperation))
        )


# By the commands ----------------------------------------------------------------------------------


def run(app: Flask, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["evidence", *args])


@pytest.fixture
def file(app: Flask, demonstration: Demonstration, tmp_path: Path) -> Path:
    """A bundle, exported by the command."""
    path = tmp_path / "evidence.zip"
    done = run(app, "export", demonstration.references["complete"], "-o", str(path))
    assert done.exit_code == 0, done.output
    return path


def test_the_command_writes_a_new_file_for_its_owner_alone_and_records_it(
    app: Flask, demonstration: Demonstration, file: Path, session: Session
) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir() if path.name.endswith("zip")] == [file.name]
    assert judged(file.read_bytes()) == {}
    line = trail.history(demonstration.cooperations["complete"])[1][0]
    assert (line.verb, line.who) == ("evidence_exported", None)
    assert closed(container.unpack(file.read_bytes())) == set()
    # It writes over nothing and knows no other reference.
    before = trail.history(demonstration.cooperations["complete"])[0]
    again = run(app, "export", demonstration.references["complete"], "-o", str(file))
    assert again.exit_code == 1
    assert "already exists" in again.output
    unknown = run(app, "export", "C-2026-9999", "-o", str(file.with_name("other.zip")))
    assert unknown.exit_code == 1
    assert "There is no cooperation C-2026-9999." in unknown.output
    nowhere = file.parent / "nowhere" / "other.zip"
    lost = run(app, "export", demonstration.references["complete"], "-o", str(nowhere))
    assert lost.exit_code == 1
    assert "can't be written" in lost.output
    assert trail.history(demonstration.cooperations["complete"])[0] == before


def test_a_check_says_of_each_link_that_it_holds_what_was_signed_and_what_it_rests_on(
    app: Flask, file: Path, demonstration: Demonstration
) -> None:
    done = run(app, "verify", str(file))
    assert done.exit_code == 3, done.output
    lines = done.output.splitlines()
    assert [line[7:].split(":")[0] for line in lines if line.startswith("valid")] == [
        "File",
        "List",
        "Keys",
        "Seal",
        "Chain",
        "Texts",
        "Signatures",
        "Passkeys",
        "Certificates",
        "Log",
        "Earlier checkpoints",
    ]
    assert "FLAW" not in done.output
    assert any("terms, revision 1: Tomas Beridan for" in line for line in lines)
    assert "is sound in itself, compared with nothing you hold." in done.output
    with app.app_context():
        key = signing_keys.current(KeyUse.CHECKPOINT).fingerprint
    assert key in done.output
    grouped = " ".join(key[at : at + 8].upper() for at in range(0, 64, 8))
    compared = run(app, "verify", str(file), "--key", grouped)
    assert compared.exit_code == 0
    assert f"valid  Key {key[:8]}: It sealed this bundle." in compared.output
    assert "Nothing was altered in the evidence of" in compared.output
    assert "This depends on the server's key, which is the one you gave." in compared.output
    other = run(app, "verify", str(file), "--key", "0" * 64)
    assert other.exit_code == 1
    assert "FLAW   Key 00000000: This key did not seal the bundle" in other.output
    mistyped = run(app, "verify", str(file), "--key", "0" * 63)
    assert (mistyped.exit_code, "is not a SHA-256" in mistyped.output) == (2, True)


def test_a_mail_with_a_checkpoint_is_given_along_as_it_was_received(
    app: Flask, file: Path, demonstration: Demonstration, session: Session
) -> None:
    mail = next(
        message.body
        for message in session.scalars(sa.select(OutboxMessage))
        if "common-terms/checkpoint/1" in message.body
    )
    mail_file = file.with_name("mail.eml")
    mail_file.write_text(f"Subject: A checkpoint\n\n{mail}")
    done = run(app, "verify", str(file), "--anchor", str(mail_file))
    assert done.exit_code == 0, done.output
    assert "valid  Anchor mail.eml: Signed on" in done.output
    assert "checkpoints you gave, not on the server; for the others on the server's key." in (
        done.output
    )
    mail_file.write_text("Nothing of the kind.")
    other = run(app, "verify", str(file), "--anchor", str(mail_file))
    assert other.exit_code == 2
    assert "contains no checkpoint" in other.output


def test_a_changed_bundle_ends_the_check_with_1_and_the_link_is_named(
    app: Flask, file: Path
) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    done = run(app, "verify", str(file))
    assert done.exit_code == 1
    assert "FLAW   File:" in done.output
    assert "This is not sound evidence: 1 of 1 links are not valid." in done.output


def test_a_check_needs_neither_settings_nor_keys_nor_a_database(file: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    done = subprocess.run(
        [sys.executable, "-m", "tracker", "evidence", "verify", str(file)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "TRACKER_DATA_DIR": str(away),
            "TRACKER_DATABASE_URL": "no database",
            "TRACKER_WRONG": "a setting that there is not",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "is sound in itself, compared with nothing you hold." in done.stdout
    assert not away.exists()


def test_a_reference_finds_its_cooperation_for_the_command_alone(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    cooperation = queries.find_for_command(demonstration.references["complete"])
    assert cooperation == demonstration.cooperations["complete"]
