"""View models for scans of a revision, signatures on paper, and tasks about them."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from tracker.access.actor import Actor
from tracker.agreements.paper import queries as paper_queries
from tracker.agreements.paper import service
from tracker.agreements.paper.queries import Waiting
from tracker.checklists import encryption
from tracker.checklists.labels import KINDS
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist
from tracker.cooperations.pages import task_heading
from tracker.signoff import paper, paper_policy, paper_view
from tracker.signoff.models import Revision, SignatureRequest
from tracker.signoff.paper_models import PaperKind, PaperRecord, PaperState
from tracker.signoff.paper_policy import CONFIRMERS
from tracker.signoff.paper_view import PaperView
from tracker.ui.locale import as_date, listed, with_semicolons
from tracker.ui.tasks import OTHERS, YOURS, Task, Tasks


def views(
    checklist: Checklist, pairs: Sequence[tuple[Revision, SignatureRequest | None]]
) -> dict[UUID, list[PaperView]]:
    """Return the scans recorded for some revisions of a checklist, by revision."""
    papers = paper.on_revisions(revision.id for revision, _request in pairs)
    return {pair[0].id: views_of(checklist, pair, papers.get(pair[0].id, ())) for pair in pairs}


def views_of(
    checklist: Checklist,
    pair: tuple[Revision, SignatureRequest | None],
    records: Iterable[PaperRecord],
) -> list[PaperView]:
    """Return some scans recorded for a revision of a checklist."""
    return [view(checklist, record, *pair) for record in records]


def view(
    checklist: Checklist,
    record: PaperRecord,
    revision: Revision,
    signature_request: SignatureRequest | None,
) -> PaperView:
    """Return a scan for display; the signatures of its revision must be loaded."""
    state = paper.state_of(
        record,
        signature_request.state if signature_request else None,
        paper.rests_on(revision.signatures),
    )
    return paper_view.view(record, state, encryption.key_for(checklist))


@dataclass(frozen=True, slots=True)
class Confirmers:
    """Who can confirm a pending scan, from the point of view of the reader of its page."""

    # Why nobody can confirm it any more, though the worker hasn't ended the request yet.
    too_late: object = ""
    # Why the reader can't confirm it, though others in their organisation can.
    reason: object = ""
    # Those others by name; if there are none, the parties whose people can.
    colleagues: str = ""
    parties: str = ""
    # The parties that still have to confirm it, but have nobody who can.
    lacking: str = ""
    # The parties that have only the reader, who may confirm for one party only.
    only_reader: str = ""


def confirmers(
    actor: Actor,
    loaded: LoadedChecklist,
    record: PaperRecord,
    signature_request: SignatureRequest,
) -> Confirmers | None:
    """Return who can confirm a scan; None if the scan is no longer pending."""
    fact = service.fact_of(record, signature_request)
    if fact.state is not PaperState.WAITING:
        return None
    if not (still := service.can_be_decided(loaded, signature_request)):
        return Confirmers(too_late=still.reason)
    able = service.who_can_decide(loaded, fact)
    own = {party_id for party_id in able if party_id == actor.organisation_id}
    vouches = paper_policy.can_vouch(actor, fact)
    is_waited_for = bool(own) and actor.has(*CONFIRMERS)
    nobody = {party_id for party_id, people in able.items() if not people}
    reader = {party_id for party_id, people in able.items() if set(people) == {actor.user_id}}
    # Every other party has to confirm a prior agreement; for any other text, one of them.
    needs_all = record.kind is PaperKind.FORMER

    def names(party_ids: AbstractSet[UUID]) -> str:
        return listed(party.name for party in loaded.parties if party.organisation_id in party_ids)

    return Confirmers(
        reason="" if vouches or not is_waited_for else vouches.reason,
        colleagues=listed(name for party_id in own for name in able[party_id].values()),
        parties="" if needs_all else names(able.keys() - nobody - own),
        lacking=names(nobody) if needs_all or nobody == able.keys() else "",
        only_reader=names(reader - own) if needs_all and vouches and is_waited_for else "",
    )


@dataclass(frozen=True, slots=True)
class Before:
    """What a frozen text says about the agreement on paper that it records."""

    signed_on: object
    ends_on: object
    not_known: tuple[str, ...]


def made_before(document: Mapping[str, Any]) -> Before | None:
    """Return what a text says about a prior agreement it records; None for other texts."""
    note = document.get("made_before")
    if note is None:
        return None
    ends_on = note["ends_on"]
    return Before(
        signed_on=as_date(dt.date.fromisoformat(note["signed_on"])),
        ends_on=as_date(dt.date.fromisoformat(ends_on)) if ends_on else "",
        not_known=tuple(note["not_known"]),
    )


def sentence(record: PaperRecord, revision: Revision, actor: Actor) -> str:
    """Return the sentence that the signatures of a scan store if this person confirms it."""
    words = {
        "day": as_date(record.signed_on),
        "names": with_semicolons(paper_view.signers(record)),
        "organisation": record.organisation_name,
        "number": revision.number,
        "digest": record.scan_digest,
        "recorder": record.user_name,
        "confirmer": actor.name,
        "confirmed_for": actor.organisation_name,
    }
    if record.kind is PaperKind.FORMER:
        return str(
            _(
                "Agreement made on paper on %(day)s, before this tool was used, and signed by "
                "%(names)s. Revision %(number)s tells what of it is known here; it was not "
                "reviewed here and not signed electronically. %(recorder)s recorded the scan "
                "(SHA-256 %(digest)s) for %(organisation)s; %(confirmer)s confirmed it for "
                "%(confirmed_for)s.",
                **words,
            )
        )
    return str(
        _(
            "Revision %(number)s was signed on paper on %(day)s for %(organisation)s by %(names)s. "
            "%(recorder)s recorded the scan (SHA-256 %(digest)s) for %(organisation)s; "
            "%(confirmer)s compared it with the text and confirmed it for %(confirmed_for)s.",
            **words,
        )
    )


def my_tasks(actor: Actor) -> Tasks:
    """Return tasks for scans to be confirmed by this person or by others.

    A source for My work.
    """
    if actor.organisation_id is None or not actor.has(*CONFIRMERS):
        return Tasks()
    waiting = paper_queries.waiting(actor)
    mine = [record for record in waiting if record.is_for(actor)]
    others = [record for record in waiting if record.organisation_id == actor.organisation_id]
    return Tasks(
        mine=tuple(_task(record, _("Waiting for you"), YOURS) for record in mine),
        others=tuple(_task(other, _("Waiting for another party"), OTHERS) for other in others),
    )


def _task(record: Waiting, state: object, s: str) -> Task:
    label = (
        _(
            "Confirm the agreement made before, on paper: %(kind)s",
            kind=KINDS[record.checklist_kind],
        )
        if record.kind is PaperKind.FORMER
        else _("Confirm the signature on paper: %(kind)s", kind=KINDS[record.checklist_kind])
    )
    if s == OTHERS:
        label = _("Signed on paper: %(kind)s", kind=KINDS[record.checklist_kind])
    url = url_for("paper.show", checklist_id=record.checklist_id, record_id=record.id)
    if s == OTHERS:
        return Task(label, str(state), s, url, record.title)
    return Task(label, str(state), s, url, under=task_heading(record.reference, record.title))
