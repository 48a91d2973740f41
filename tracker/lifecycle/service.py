"""Service functions that open a cooperation with its checklists and advance its stage."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor, Role
from tracker.activity import verbs
from tracker.activity.service import DomainEvent, lock_chain, record
from tracker.activity.stale import Stale, mark
from tracker.agreements import amendments, frozen_text, notices, renewal, text_facts
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.heads import lock
from tracker.checklists.models import Checklist, ChecklistState
from tracker.checklists.queries import SIGNED_BY_NEWCOMERS
from tracker.checklists.rules.values import as_date
from tracker.cooperations import people
from tracker.cooperations import queries as cooperation_queries
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation, CooperationPerson, Mode, Stage
from tracker.cooperations.modes import Column, Purpose
from tracker.cooperations.scope import runs_on
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.lifecycle import bound, policy, queries
from tracker.lifecycle.stages import MOVED_BY_GATES, REVIEWABLE, RUNNING, stage_after
from tracker.signoff.labels import DIFFERS
from tracker.signoff.outcomes import Validity, validity


def open_cooperation(  # noqa: PLR0913 -- the head of a cooperation, as plain values
    actor: Actor,
    *,
    title: str,
    purpose: str,
    organisation_ids: Sequence[UUID],
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    review_on: dt.date | None = None,
    modes: Iterable[Mode] = (),
    questions: Mapping[str, str] | None = None,
    is_demonstration: bool = False,
) -> Cooperation:
    """Open a cooperation, start the checklists its modes require, and advance it.

    Raise what cooperations.service.open_cooperation raises.
    """
    cooperation = cooperations.open_cooperation(
        actor,
        title=title,
        purpose=purpose,
        organisation_ids=organisation_ids,
        starts_on=starts_on,
        ends_on=ends_on,
        review_on=review_on,
        modes=modes,
        questions=questions,
        is_demonstration=is_demonstration,
    )
    start_checklists(actor, cooperation)
    mark(Stale.COOPERATION, [cooperation.id], actor)
    return cooperation


def start_checklists(actor: Actor | None, cooperation: Cooperation) -> list[ChecklistKind]:
    """Start the checklists that a cooperation needs and has not started; return them.

    Always the terms (S1); confidentiality and a standing urgent-action plan where they are
    required. Checklists of a visit are started with the visit. A checklist stays when its mode is
    removed: its answers and signatures are history.
    """
    begun = queries.own_checklists(cooperation.id)
    needed = queries.needs(cooperation, queries.loaded_terms(begun))
    started = [
        requirement.kind
        for requirement in needed
        if requirement.purpose is Purpose.COOPERATION
        and policy.is_to_do(requirement)
        and requirement.kind not in begun
    ]
    for kind in started:
        _start(actor, cooperation, kind)
    return started


def start_recommended(actor: Actor, cooperation: Cooperation, column: Column) -> Checklist:
    """Start a checklist that is recommended for a cooperation, or return it if it was started.

    Two people who start it at the same time get the same one. Raise RefusedError if the person may
    not. The caller found the cooperation with its parties.
    """
    lock_chain(cooperation.id)
    begun = queries.own_checklists(cooperation.id)
    needed = queries.needs(cooperation, queries.loaded_terms(begun))
    requirement = next(
        requirement for requirement in needed if (requirement.kind, requirement.purpose) == column
    )
    policy.can_start(actor, cooperation_queries.fact(cooperation), requirement).require()
    return begun.get(requirement.kind) or _start(actor, cooperation, requirement.kind)


def _start(actor: Actor | None, cooperation: Cooperation, kind: ChecklistKind) -> Checklist:
    return checklists.start(actor, cooperation.id, kind, _parties_of(cooperation.id, kind))


def _parties_of(cooperation_id: UUID, kind: ChecklistKind) -> list[UUID]:
    """Return who agrees on a cooperation's checklist; joining parties only if they have to sign."""
    return [
        party.organisation_id
        for party in people.current(cooperation_id)
        if kind in SIGNED_BY_NEWCOMERS or not party.is_joining
    ]


def advance(cooperation_id: UUID, actor: Actor | None) -> Stage:
    """Move a cooperation forward as far as its gates allow, or back; record STAGE_CHANGED.

    If no gate can move it, for example once it is active, nothing else is read. One that doesn't
    agree with its signatures and events stays where it is.
    """
    cooperation = db.session.get_one(Cooperation, cooperation_id)
    before = cooperation.stage
    if before not in MOVED_BY_GATES:
        return before
    facts = queries.facts_of(cooperation)
    after = stage_after(
        before,
        policy.passed(facts, policy.gates(facts)),
        terms_in_force=facts.terms_in_force,
    )
    if after is before or not bound.agreeing_in_stage(cooperation):
        return before
    _enter(cooperation, actor, before, after)
    return after


def begin_review(actor: Actor | None, cooperation: Cooperation) -> None:
    """Enter stage P5 of a cooperation that is active by its events; running work continues.

    Whatever its texts and other rows say: a review can always begin. Raise RuleBrokenError if it is
    active by its row only.
    """
    before = bound.stage_of(cooperation)
    if before not in REVIEWABLE:
        raise RuleBrokenError(DIFFERS)
    _enter(cooperation, actor, before, Stage.UNDER_REVIEW)


def end_review(actor: Actor | None, cooperation: Cooperation) -> None:
    """Leave stage P5 for the stage that the gates allow: P4 unless something is missing.

    One that doesn't agree with its signatures and events returns to P4, where its review began:
    gates that read its rows could be deceived.
    """
    before = bound.stage_of(cooperation)
    if before is not Stage.UNDER_REVIEW:
        return
    after, agrees = Stage.ACTIVE, bound.agreeing_in_stage(cooperation)
    if agrees:
        facts = queries.facts_of(cooperation)
        after = stage_after(
            Stage.CLEARED,
            policy.passed(facts, policy.gates(facts)),
            terms_in_force=facts.terms_in_force,
        )
    _enter(cooperation, actor, before, after, tells_days=agrees)


def _enter(
    cooperation: Cooperation,
    actor: Actor | None,
    before: Stage,
    after: Stage,
    *,
    tells_days: bool = True,
) -> None:
    """Enter a stage; record STAGE_CHANGED if it is a different one according to events.

    The event states days only if the cooperation agrees with its signatures and events.
    """
    cooperation.stage = after
    db.session.flush()
    if after is before:
        return
    record(
        verbs.STAGE_CHANGED,
        actor=actor,
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        before=before.value,
        after=after.value,
        **(_not_active_today(cooperation) if tells_days else {}),
    )


def _not_active_today(cooperation: Cooperation) -> dict[str, str]:
    """Return the event detail that says why a cooperation in stage P4 isn't active today.

    It is its first day if that is still to come, or the last day of expired terms.
    """
    if cooperation.stage is not Stage.ACTIVE:
        return {}
    first, last = cooperation.starts_on, cooperation.ends_on
    match validity(first, last, clock.today()):
        case Validity.BEGINS_LATER if first is not None:
            return {"begins_on": first.isoformat()}
        case Validity.RUN_OUT if last is not None:
            return {"ran_out_on": last.isoformat()}
    return {}


def follow(event: DomainEvent) -> None:
    """Mark the cooperation's stage as stale: its gates depend on this. A handler."""
    if event.cooperation_id is not None:
        mark(Stale.COOPERATION, [event.cooperation_id], event.actor)


def follow_person(event: DomainEvent) -> None:
    """Mark the stages of a person's cooperations as stale: gates depend on people.

    A handler. For events in the whole instance whose subject is the person. When roles end, the
    gates only depend on coordinators (G1): with the last role the person leaves, which is an event
    of its own.
    """
    ended = event.verb is verbs.ROLE_ENDED
    if ended and event.details.get("role") != Role.COORDINATOR.value:
        return
    query = (
        sa.select(CooperationPerson.cooperation_id)
        .join(Cooperation, Cooperation.id == CooperationPerson.cooperation_id)
        .where(
            CooperationPerson.user_id == event.subject_id,
            runs_on(clock.today()),
            Cooperation.stage.in_(MOVED_BY_GATES),
        )
        .distinct()
    )
    mark(Stale.COOPERATION, db.session.scalars(query), event.actor)


def follow_modes(event: DomainEvent) -> None:
    """Start what new modes, or the answer to M9, newly require, and advance. A handler."""
    if event.cooperation_id is None:
        return
    cooperation = db.session.get_one(Cooperation, event.cooperation_id)
    if cooperation.stage in RUNNING:
        start_checklists(event.actor, cooperation)
    follow(event)


def follow_answer(event: DomainEvent) -> None:
    """Advance after an answer to the terms; M9 may require checklist 2. A handler."""
    if event.details.get("kind") != ChecklistKind.TERMS.value:
        return
    details = event.details
    if "M9" in details.get("items", [details.get("item")]):
        follow_modes(event)
    else:
        follow(event)


def follow_force(event: DomainEvent) -> None:
    """Copy the dates of M19 when terms come into force, or a renewal's end; advance. A handler."""
    if event.cooperation_id is None:
        return
    if event.details.get("kind") == ChecklistKind.TERMS.value:
        _take_over_dates(event)
    follow_lift(event)


def follow_stop(event: DomainEvent) -> None:
    """Suspend or close the cooperation with its terms (P6, P7). A handler.

    For TEXT_SUSPENDED and TEXT_ENDED. Other texts stop only what is based on them. Closing it calls
    back every text that waits for signatures, and calls off every open amendment: nobody can write
    or sign any more. Its visits follow the stage (visits/service.settle).
    """
    if event.details.get("kind") != ChecklistKind.TERMS.value:
        return
    cooperation = db.session.get_one(Cooperation, event.cooperation_id)
    after = Stage.CLOSED if event.verb is verbs.TEXT_ENDED else Stage.SUSPENDED
    if after is Stage.CLOSED:
        _call_back_all(event.actor, cooperation.id, event.details["reason"])
    _enter(cooperation, event.actor, bound.stage_of(cooperation), after)
    if after is Stage.CLOSED:
        # After parties that were joining have left the texts with the stage.
        amendments.call_off_all(event.actor, cooperation.id, event.details["reason"])


def _call_back_all(actor: Actor | None, cooperation_id: UUID, reason: str) -> None:
    """Withdraw the requests for all texts of a cooperation that wait, its visits' texts too."""
    waiting = db.session.scalars(
        sa.select(Checklist)
        .where(Checklist.cooperation_id == cooperation_id, Checklist.revision_sent_id.is_not(None))
        .order_by(Checklist.id)
    )
    for checklist in waiting.all():
        lock(checklist)
        agreements.withdraw_request(actor, checklist, reason)


def follow_lift(event: DomainEvent) -> None:
    """Resume the cooperation when its terms are in force again. A handler.

    For SUSPENSION_LIFTED; and for CAME_INTO_FORCE, when everybody has signed again.
    """
    cooperation = db.session.get_one(Cooperation, event.cooperation_id)
    suspended = Stage.SUSPENDED
    if (
        cooperation.stage is suspended
        and queries.facts_of(cooperation).terms_in_force
        and bound.stage_of(cooperation) is suspended
    ):
        _enter(cooperation, event.actor, suspended, Stage.CLEARED)
    follow(event)


def follow_renewal(event: DomainEvent) -> None:
    """Copy the last day of the new term. Handler of TEXT_RENEWED.

    The review stays due on its day: nobody has held it by letting the terms go on (G5).
    """
    cooperation = db.session.get_one(Cooperation, event.cooperation_id)
    cooperations.follow_dates(
        event.actor,
        cooperation,
        starts_on=cooperation.starts_on,
        ends_on=as_date(event.details.get("until")),
        review_on=cooperation.review_on,
    )


def follow_party(event: DomainEvent) -> None:
    """Ask a new party to agree to whatever is still being drafted.

    Handler of PARTY_JOINED.
    """
    if event.cooperation_id is None:
        return
    for kind, checklist in queries.own_checklists(event.cooperation_id).items():
        if checklist.state is ChecklistState.DRAFTING:
            checklists.set_parties(checklist, _parties_of(event.cooperation_id, kind))
    follow(event)


def follow_reopened(event: DomainEvent) -> None:
    """Ask parties that joined while a text could not be changed to agree to it.

    A handler. For DECLINED, SIGNATURE_REQUEST_WITHDRAWN and AMENDMENT_OPENED. The parties of a
    visit's checklists follow its team.
    """
    checklist = db.session.get_one(Checklist, event.subject_id)
    if checklist.visit_id is None and event.cooperation_id is not None:
        checklists.set_parties(checklist, _parties_of(event.cooperation_id, checklist.kind))


def _take_over_dates(event: DomainEvent) -> None:
    """Copy dates and reminder days from the text that all signed, not from its answers.

    Of a prior agreement, the end named on the paper takes precedence over M19. If neither names
    one, there is none: all signed no day that one side had planned.
    """
    cooperation = db.session.get_one(Cooperation, event.cooperation_id)
    terms = queries.own_checklists(cooperation.id).get(ChecklistKind.TERMS)
    document = notices.standing_document(terms) if terms else None
    if terms is None or document is None:
        return
    first, last = text_facts.days(ChecklistKind.TERMS, document)
    signed = frozen_text.values_in(document, renewal.ITEM)
    reminder_days = signed.get("reminder_days")
    if validity(None, last, clock.today()) is Validity.RUN_OUT:
        last = renewal.renew_signed_late(terms) or last
    cooperations.follow_term(
        event.actor,
        cooperation,
        starts_on=first,
        ends_on=last,
        signed_review=as_date(signed.get("review")),
        reminder_days=reminder_days if isinstance(reminder_days, int) else None,
    )
