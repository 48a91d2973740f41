"""Prior agreements made on paper: recorded with what is known, then confirmed."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.agreements import service as agreements
from tracker.agreements.document import applies, document, languages_for
from tracker.agreements.paper import service as paper
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import policy, queries
from tracker.checklists.loading import LoadedChecklist, load_for_update
from tracker.checklists.models import Checklist, ChecklistState
from tracker.checklists.rules.facts import PartyFact
from tracker.checklists.rules.values import as_date
from tracker.cooperations import keys
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.signoff import paper as papers
from tracker.signoff import paper_policy, scans, shown
from tracker.signoff import service as signoff
from tracker.signoff.identity_proof import SigningPage
from tracker.signoff.paper import Signer
from tracker.signoff.paper_models import PaperKind, PaperRecord

MOST_SIGNERS = 10
MOST_LETTERS = 200
# The last day of the confidentiality terms, on which undertakings depend.
LAST_DAY = ("C1", "until")


@dataclass(frozen=True, slots=True)
class Person:
    """A person who signed an agreement for a party, and their office, according to the paper."""

    name: str
    office: str = ""


def can_record(actor: Actor, checklist: Checklist, parties: Sequence[PartyFact]) -> Decision:
    """Decide whether a person may record that these terms were previously agreed on paper."""
    goes_on = queries.goes_on(checklist)
    own = next((party for party in parties if party.organisation_id == actor.organisation_id), None)
    return goes_on and policy.can_record_prior_agreement(actor, own, checklist)


def not_known(loaded: LoadedChecklist) -> list[str]:
    """Return the codes of the items that have no answer."""
    standing = loaded.standing()
    return [
        item.code
        for item in loaded.template.items
        if applies(item, standing) and not loaded.has_answer(item)
    ]


def known_text(loaded: LoadedChecklist) -> dict[str, Any]:
    """Return the text to freeze, without what the form adds: who signed, and when.

    It is independent of the reader: loaded must be in the template's own language.
    """
    binding = agreements.binding_by_default(loaded)
    languages = languages_for(
        loaded.checklist.template, list(agreements.languages(loaded)), binding
    )
    # No guidance is named, since the parties didn't have it when they agreed.
    return {**document(loaded, [], [], languages, as_known=True), "format": signoff.FORMAT}


def digest_of(text: Mapping[str, Any]) -> str:
    """Return the digest of that text, which the page's token contains."""
    return canonical.digest_of(text)


def record(
    actor: Actor,
    checklist: Checklist,
    *,
    page: SigningPage | None,
    signed_on: dt.date,
    ends_on: dt.date | None,
    signers: Mapping[UUID, Sequence[Person]],
    scan: bytes,
) -> PaperRecord:
    """Freeze what is known of a prior agreement on paper, with its scan; the others confirm it.

    page is the one on which the text was read: raise NotShownError if it showed a different text,
    since recording it binds the actor's party. signers are the people who signed for each party.
    Every answer that is filled in becomes part of the frozen text, agreed or not; the other items
    are frozen as not known. Once every other party has confirmed, the text is in force as of its
    date, with signatures of method *paper*: it was neither reviewed (G3) nor signed here. M1
    doesn't matter here: nobody is asked to sign, and the paper shows who did.
    """
    loaded = load_for_update(checklist)
    can_record(actor, checklist, loaded.parties).require()
    text = known_text(loaded)
    shown.require(page, digest_of(text))
    _check_dates(loaded, signed_on, ends_on)
    scans.checked(scan)
    known = _signers(loaded, signers)
    revision = signoff.freeze(
        actor,
        cooperation_id=checklist.cooperation_id,
        subject_type=agreements.SUBJECT,
        subject_id=checklist.id,
        kind=checklist.kind.value,
        document=_document(loaded, text, known, signed_on, ends_on, scan),
    )
    # Nobody is asked to sign it here, so there are no slots.
    signoff.request(actor, revision, [])
    checklist.state = ChecklistState.SENT
    checklist.revision_sent_id = revision.id
    db.session.flush()
    trail.record(
        verbs.FORMER_AGREEMENT_RECORDED,
        actor=actor,
        subject_type=agreements.SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        evidence=signoff.evidence_of_revision(revision),
        kind=checklist.kind.value,
        revision=revision.number,
        document_digest=revision.digest,
        signed_on=signed_on.isoformat(),
        ends_on=ends_on.isoformat() if ends_on else "",
    )
    paper_record = papers.record(
        actor,
        revision,
        kind=PaperKind.FORMER,
        signed_on=signed_on,
        ends_on=ends_on,
        signers=known,
        scan=scan,
        key=keys.key_of(checklist.cooperation_id),
    )
    paper.note_recorded(actor, loaded, signoff.locked_request(revision.id), paper_record)
    return paper_record


def _check_dates(loaded: LoadedChecklist, signed_on: dt.date, ends_on: dt.date | None) -> None:
    dated = paper_policy.can_be_dated(signed_on, clock.today())
    if not dated:
        raise RuleBrokenError(dated.reason, "signed_on")
    if ends_on is not None and ends_on <= signed_on:
        raise RuleBrokenError(_l("The end must come after the date on the paper."), "ends_on")
    code, key = LAST_DAY
    is_asked = loaded.checklist.kind is ChecklistKind.CONFIDENTIALITY
    if is_asked and as_date(loaded.sheet.value(code, key)) is None:
        raise RuleBrokenError(
            _l("Fill in “What it covers” first: people's undertakings depend on its last day.")
        )


def _signers(loaded: LoadedChecklist, signers: Mapping[UUID, Sequence[Person]]) -> list[Signer]:
    """Return who signed, party by party; raise RuleBrokenError if nobody did for a party."""
    lines: list[Signer] = []
    for party in loaded.parties:
        field = f"signers_{party.organisation_id}"
        people = signers.get(party.organisation_id, ())
        if not people:
            raise RuleBrokenError(_l("Name who signed for %(party)s.", party=party.name), field)
        if len(people) > MOST_SIGNERS or any(
            not person.name or len(person.name) + len(person.office) > MOST_LETTERS
            for person in people
        ):
            raise RuleBrokenError(
                _l(
                    "One person per line, at most %(most)s, with a short office.", most=MOST_SIGNERS
                ),
                field,
            )
        lines.append(
            Signer(
                organisation_id=party.organisation_id,
                organisation_name=party.name,
                name="; ".join(person.name for person in people),
                office="; ".join(person.office for person in people if person.office),
            )
        )
    return lines


def _document(
    loaded: LoadedChecklist,
    text: Mapping[str, Any],
    signers: Sequence[Signer],
    signed_on: dt.date,
    ends_on: dt.date | None,
    scan: bytes,
) -> dict[str, Any]:
    named = [
        {
            "organisation": signer.organisation_name,
            "organisation_id": str(signer.organisation_id),
            "name": signer.name,
            "office": signer.office,
            "power": "",
        }
        for signer in signers
    ]
    return {
        **text,
        "signatories": named,
        "made_before": {
            "signed_on": signed_on.isoformat(),
            "ends_on": ends_on.isoformat() if ends_on else None,
            "scan_digest": canonical.digest(scan),
            "not_known": not_known(loaded),
        },
    }
