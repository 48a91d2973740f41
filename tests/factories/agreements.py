"""Agreements with every status: answered, sent, signed and declined by the real services."""

import datetime as dt

import sqlalchemy as sa

from tests.factories.cooperations import Country
from tests.factories.passkeys import Device
from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.agreements import service as agreements
from tracker.agreements.document import document, languages_for
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, ChecklistState, Stance
from tracker.checklists.negotiation import positions
from tracker.checklists.rules.facts import Filled
from tracker.cooperations import keys
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import assertion
from tracker.signoff import service as signoff
from tracker.signoff.identity_proof import Identity
from tracker.signoff.models import Method, Revision
from tracker.signoff.signers import Named, PartySigners

COORDINATORS = {"npm": "ilena", "door": "samira", "lantern": "joana", "bridge": "marek"}


def checklist_of(cooperation: Cooperation, kind: ChecklistKind) -> Checklist:
    """Return a cooperation's own checklist of a kind."""
    return db.session.scalars(
        sa.select(Checklist).where(
            Checklist.cooperation_id == cooperation.id,
            Checklist.kind == kind,
            Checklist.visit_id.is_(None),
        )
    ).one()


def term(start: dt.date, end: dt.date, review: dt.date | None = None) -> dict[str, object]:
    """Return an answer to M19 with a first and a last day, both inclusive."""
    return {
        "start": start.isoformat(),
        "review": (review or end - dt.timedelta(days=1)).isoformat(),
        "end": end.isoformat(),
        "renewal": "none",
        "reminder_days": 30,
    }


def answer(country: Country, checklist: Checklist, item: str, **values: object) -> None:
    """Answer an item for the NPM, and accept it for the partners."""
    saved = service.save_answer(
        country.actor("ilena"), checklist, item, AnswerScope.SHARED, values, base_version=0
    )
    wanted = load(checklist)
    if wanted.template.by_code[item].accepted_by.value != "all":
        return
    for key, first in COORDINATORS.items():
        if key != "npm" and wanted.party(country.id(key)) is not None:
            positions.take_position(
                country.actor(first), checklist, item, Stance.ACCEPTS, answer_id=saved.id
            )


def send(
    country: Country,
    checklist: Checklist,
    signers: dict[str, str],
    *,
    also: dict[str, tuple[str, ...]] | None = None,
    until: dt.date | None = None,
) -> Revision:
    """Freeze the text as it is and send it for signature, as if it were complete.

    signers are the first names of those who sign, by the key of the organisation; also are others
    who have to sign in addition. until is the last day to sign.
    """
    actor = country.actor("ilena")
    loaded = load(checklist)
    revision = signoff.freeze(
        actor,
        cooperation_id=checklist.cooperation_id,
        subject_type=agreements.SUBJECT,
        subject_id=checklist.id,
        kind=checklist.kind.value,
        document={
            **document(loaded, [], [], languages_for(loaded.checklist.template, [], "")),
            **({"signing": _rule(country, signers, also, until)} if also or until else {}),
        },
    )
    ask(actor, checklist, revision, country, signers, also, until)
    return revision


def _rule(
    country: Country,
    signers: dict[str, str],
    also: dict[str, tuple[str, ...]] | None,
    until: dt.date | None,
) -> dict[str, object]:
    many = {key: 1 + len((also or {}).get(key, ())) for key in signers}
    parties = [
        {"organisation_id": str(country.id(key)), "needed": many[key], "named": many[key]}
        for key in signers
    ]
    return {"until": until.isoformat() if until else None, "order": "together", "parties": parties}


def send_sealed(
    country: Country, checklist: Checklist, text: str, signers: dict[str, str]
) -> Revision:
    """Freeze a text of class K2 and send it for signature."""
    actor = country.actor("ilena")
    revision = signoff.freeze(
        actor,
        cooperation_id=checklist.cooperation_id,
        subject_type=agreements.SUBJECT,
        subject_id=checklist.id,
        kind=checklist.kind.value,
        document={"text": text, "parties": [{"id": str(country.id(key))} for key in signers]},
        key=keys.key_of(checklist.cooperation_id),
    )
    ask(actor, checklist, revision, country, signers)
    return revision


def ask(
    actor: Actor,
    checklist: Checklist,
    revision: Revision,
    country: Country,
    signers: dict[str, str],
    also: dict[str, tuple[str, ...]] | None = None,
    until: dt.date | None = None,
) -> None:
    """Ask for signatures on a revision and record that it was sent."""
    parties = [
        PartySigners(
            country.id(key),
            tuple(
                Named(country.users[signer_key].id)
                for signer_key in (first, *(also or {}).get(key, ()))
            ),
        )
        for key, first in signers.items()
    ]
    signoff.request(actor, revision, parties, expires_on=until)
    checklist.state = ChecklistState.SENT
    checklist.revision_sent_id = revision.id
    db.session.flush()
    trail.record(
        verbs.SENT_FOR_SIGNATURE,
        actor=actor,
        subject_type=agreements.SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        evidence=signoff.evidence_of_revision(revision),
        kind=checklist.kind.value,
        revision=revision.number,
        document_digest=revision.digest,
        signatories=[country.users[first].name for first in signers.values()],
    )


def sign(country: Country, checklist: Checklist, *signers: str) -> None:
    """Sign the pending text; the last signature brings it into force."""
    for first in signers:
        actor = country.actor(first)
        agreements.sign(
            actor,
            checklist,
            page=agreements.page_with(checklist),
            sentence=f"I sign this text for {actor.organisation_name}.",
            language="en",
            identity=Identity(actor.user_id, Method.PASSWORD_TOTP, clock.now()),
        )


def sign_with_passkey(country: Country, checklist: Checklist, first: str, device: Device) -> None:
    """Sign the pending text with a passkey."""
    actor, nonce = country.actor(first), "0a" * 32
    sentence = f"I sign this text for {actor.organisation_name}."
    revision = db.session.get_one(Revision, checklist.revision_sent_id)
    proof = device.proof(assertion.challenge(revision.digest, sentence, nonce), nonce)
    agreements.sign(
        actor,
        checklist,
        page=agreements.page_with(checklist),
        sentence=sentence,
        language="en",
        identity=Identity(actor.user_id, Method.PASSKEY, clock.now(), proof),
    )


def current(checklist: Checklist, item: str) -> Filled:
    """Return the current answer to an item."""
    answer = load(checklist).sheet.shared(item)
    assert answer is not None
    return answer


def change(
    country: Country, checklist: Checklist, item: str, before: Filled, **values: object
) -> None:
    """Change an accepted answer as people do: one proposes, the others accept."""
    proposal = positions.propose(
        country.actor("ilena"),
        checklist,
        item,
        values,
        answer_id=before.answer_id,
        reason="It fits better.",
    )
    positions.accept_proposal(country.actor("samira"), checklist, proposal.id)
    for party_id in load(checklist).standing().items[item].waiting_for:
        (key,) = [key for key in COORDINATORS if country.id(key) == party_id]
        positions.take_position(
            country.actor(COORDINATORS[key]),
            checklist,
            item,
            Stance.ACCEPTS,
            answer_id=current(checklist, item).answer_id,
        )
