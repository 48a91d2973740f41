"""Service functions for a cooperation: open, change head and modes, add parties and people.

In one file: head, parties and people of a cooperation are locked, and people notified, in one way.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from tracker.access.actor import TAKE_NO_PART, Actor, OrganisationKind, Role
from tracker.access.decision import Decision
from tracker.accounts import queries as accounts
from tracker.accounts.models import Membership, User
from tracker.accounts.people import invitations, powers
from tracker.accounts.people.invitations import NewInvitation, SentInvitation
from tracker.activity import verbs
from tracker.activity.service import DomainEvent, lock_chain, record, start_chain
from tracker.activity.verbs import Verb
from tracker.cooperations import clearances, keys, messages, people, policy, queries
from tracker.cooperations.models import (
    ClearanceEnd,
    Cooperation,
    CooperationPerson,
    Knowledge,
    Mode,
    Party,
    ReferenceCounter,
)
from tracker.cooperations.modes import questions_behind
from tracker.cooperations.scope import runs_on
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.organisations.models import Organisation

MAX_TITLE = 200
MAX_TEXT = 5000
# Who is mailed when a cooperation is opened with their organisation: they see it, and can begin.
INFORMED_OF_OPENING = (Role.COORDINATOR, Role.MANAGER)


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
    """Open and return a cooperation between the actor's NPM and other organisations.

    organisation_ids are the partner CSOs, and further NPM bodies. Starts its chain, creates its
    key, gives it the next reference of the year, and adds the actor. Raise RefusedError for anybody
    but a coordinator of an NPM, RuleBrokenError with the field that is invalid.
    """
    policy.can_open(actor).require()
    own = db.session.get_one(Organisation, actor.organisation_id)
    partners = _partners(own, organisation_ids)
    today = clock.today()
    chosen = _modes(modes)
    cooperation = Cooperation(
        id=uuid4(),
        reference=_next_reference(today.year),
        title=_text(title, "title", MAX_TITLE),
        purpose=_text(purpose, "purpose", MAX_TEXT),
        modes=[mode.value for mode in chosen],
        questions=_answers(chosen, questions or {}),
        opened_at=clock.now(),
        opened_by_id=actor.user_id,
        is_demonstration=is_demonstration,
        parties=[
            Party(organisation=partner, side=partner.kind, position=place, joined_on=today)
            for place, partner in enumerate([own, *partners])
        ],
    )
    _set_dates(cooperation, starts_on, review_on, ends_on)
    db.session.add(cooperation)
    db.session.flush()
    start_chain(cooperation.id)
    keys.new_key(cooperation.id)
    _record(
        verbs.COOPERATION_OPENED,
        actor,
        cooperation,
        reference=cooperation.reference,
        title=cooperation.title,
        parties=[own.name, *(partner.name for partner in partners)],
        modes=cooperation.modes,
        demonstration=is_demonstration,
    )
    record(
        verbs.COOPERATION_REGISTERED,
        actor=actor,
        subject_type="cooperation",
        subject_id=cooperation.id,
        reference=cooperation.reference,
    )
    _bring_in(actor, cooperation, actor.user_id, own, "")
    informed = accounts.people_with_role([partner.id for partner in partners], INFORMED_OF_OPENING)
    messages.cooperation_opened(cooperation.reference, informed - {actor.user_id})
    return cooperation


def change_head(
    actor: Actor,
    cooperation: Cooperation,
    *,
    version: int | None,
    title: str,
    purpose: str,
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    review_on: dt.date | None,
) -> bool:
    """Change title, purpose and dates; return False if nothing differs.

    version is the one the person saw: raise StaleError if somebody else saved in the meantime. Once
    the terms are sent or in force, M19 sets the dates (RefusedError if they differ).
    """
    lock_chain(cooperation.id)
    fact = queries.fact(cooperation)
    policy.can_change(actor, fact).require()
    _lock(cooperation, version)
    before = _head(cooperation)
    if (starts_on, ends_on, review_on) != (
        cooperation.starts_on,
        cooperation.ends_on,
        cooperation.review_on,
    ):
        can_change_dates(actor, cooperation, fact).require()
        _set_dates(cooperation, starts_on, review_on, ends_on)
    cooperation.title = _text(title, "title", MAX_TITLE)
    cooperation.purpose = _text(purpose, "purpose", MAX_TEXT)
    return _note_change(actor, cooperation, before)


def can_change_dates(
    actor: Actor, cooperation: Cooperation, fact: policy.CooperationFact
) -> Decision:
    """Decide whether a person may change the dates of a cooperation now."""
    terms_are_sent = not fact.terms_in_force and queries.terms_state(cooperation.id).is_sent
    return policy.can_change_dates(actor, fact, terms_are_sent=terms_are_sent)


def follow_term(
    actor: Actor | None,
    cooperation: Cooperation,
    *,
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    signed_review: dt.date | None,
    reminder_days: int | None = None,
) -> bool:
    """Copy the dates of terms that came into force; return False if nothing differs.

    signed_review is the review day in M19 of their text; without one, the planned day stays. It
    doesn't replace a day that a record has set, as policy.is_review_agreed says.
    """
    review_on = cooperation.review_on
    if signed_review and not policy.is_review_agreed(cooperation.reviewed_for, signed_review):
        cooperation.reviewed_for, review_on = None, signed_review
    return follow_dates(
        actor,
        cooperation,
        starts_on=starts_on,
        ends_on=ends_on,
        review_on=review_on,
        reminder_days=reminder_days,
    )


def follow_dates(
    actor: Actor | None,
    cooperation: Cooperation,
    *,
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    review_on: dt.date | None,
    reminder_days: int | None = None,
) -> bool:
    """Set the dates that the parties agreed; return False if nothing differs.

    People are reminded reminder_days before review and end; None leaves that as it is. The last
    person to sign or confirm may not be a coordinator, so no policy is checked.
    """
    before = _head(cooperation)
    days = cooperation.reminder_days if reminder_days is None else reminder_days
    is_new = days != cooperation.reminder_days
    if is_new or review_on != cooperation.review_on:
        cooperation.remind_of_review_on = _reminder(review_on, days)
    if is_new or ends_on != cooperation.ends_on:
        cooperation.remind_of_end_on = _reminder(ends_on, days)
    cooperation.reminder_days = days
    cooperation.starts_on = starts_on
    cooperation.ends_on = ends_on
    cooperation.review_on = review_on
    return _note_change(actor, cooperation, before)


def _reminder(day: dt.date | None, days: int | None) -> dt.date | None:
    """Return when to remind people of a date; None if it has passed, or no reminder is agreed."""
    if day is None or days is None or day < clock.today():
        return None
    return day - dt.timedelta(days=days)


def move_review(
    actor: Actor | None,
    cooperation: Cooperation,
    *,
    held_on: dt.date,
    signed_review: dt.date | None,
    next_on: dt.date | None,
) -> bool:
    """Set the day of the next review after one has been held (G6); False if nothing differs.

    signed_review is the review day in M19 of the text in force, if it names one. Without next_on,
    because the parties end the terms, the day stays the one of the terms or of an earlier record.
    """
    cooperation.reviewed_on = held_on
    if next_on is None:
        return False
    cooperation.reviewed_for = signed_review or cooperation.review_on or held_on
    return follow_dates(
        actor,
        cooperation,
        starts_on=cooperation.starts_on,
        ends_on=cooperation.ends_on,
        review_on=next_on,
    )


def set_modes(
    actor: Actor,
    cooperation: Cooperation,
    *,
    version: int | None,
    modes: Iterable[Mode],
    questions: Mapping[str, str],
) -> bool:
    """Set the ways of working and their answers; return False if nothing differs.

    Raise StaleError as change_head does; RefusedError also if one would be added to what all
    parties signed. Handlers of MODES_CHANGED start what the new modes require.
    """
    chosen = _modes(modes)
    can_set_modes(actor, cooperation, chosen).require()
    _lock(cooperation, version)
    codes, answers = [mode.value for mode in chosen], _answers(chosen, questions)
    if (codes, answers) == (cooperation.modes, cooperation.questions):
        return False
    before = {"modes_before": cooperation.modes, "questions_before": cooperation.questions}
    cooperation.modes, cooperation.questions = codes, answers
    cooperation.version += 1
    db.session.flush()
    _record(verbs.MODES_CHANGED, actor, cooperation, modes=codes, questions=answers, **before)
    return True


def can_set_modes(actor: Actor, cooperation: Cooperation, modes: Iterable[Mode]) -> Decision:
    """Decide whether a person may set these ways of working now."""
    return policy.can_set_modes(
        actor,
        queries.fact(cooperation),
        modes,
        queries.modes(cooperation),
        queries.terms_state(cooperation.id),
    )


def set_verification(actor: Actor, cooperation: Cooperation, *, shows_signers: bool) -> bool:
    """Set whether the public check names who signed; return False if nothing differs.

    It never does so for visits or undertakings. Records VERIFICATION_CHANGED.
    """
    policy.can_change_verification(actor, queries.fact(cooperation)).require()
    db.session.refresh(cooperation, ["shows_signers"], with_for_update=True)
    if cooperation.shows_signers is shows_signers:
        return False
    cooperation.shows_signers = shows_signers
    db.session.flush()
    _record(verbs.VERIFICATION_CHANGED, actor, cooperation, shows_signers=shows_signers)
    return True


def join_party(actor: Actor, cooperation: Cooperation, organisation_id: UUID) -> Party:
    """Make an organisation a party; record PARTY_JOINED.

    Raise RuleBrokenError if it can't be one.
    """
    fact = queries.fact(cooperation)
    policy.can_change(actor, fact).require()
    organisation = db.session.get(Organisation, organisation_id)
    if organisation is None:
        raise RuleBrokenError(_l("Choose an organisation from the list."), "organisation_id")
    decision = policy.can_join(fact, organisation.id, organisation.kind)
    if not decision:
        raise RuleBrokenError(decision.reason, "organisation_id")
    party = next(
        (party for party in cooperation.parties if party.organisation_id == organisation_id), None
    )
    if party is None:
        party = Party(
            organisation=organisation,
            side=organisation.kind,
            position=max(party.position for party in cooperation.parties) + 1,
            joined_on=clock.today(),
        )
        cooperation.parties.append(party)
    party.joined_on = clock.today()
    party.stay()
    db.session.flush()
    _record(verbs.PARTY_JOINED, actor, cooperation, organisation=organisation.name)
    return party


def add_person(
    actor: Actor,
    cooperation: Cooperation,
    *,
    user_id: UUID,
    organisation_id: UUID,
    function: str = "",
) -> CooperationPerson:
    """Add a person of the actor's own organisation; record PERSON_JOINED.

    Raise RefusedError for another party's people, RuleBrokenError if the person has no current role
    there or already takes part.
    """
    policy.can_change_people(actor, queries.fact(cooperation), organisation_id).require()
    if not _has_running_role(user_id, organisation_id):
        raise RuleBrokenError(_l("Choose a person from the list."), "user_id")
    if people.takes_part(cooperation.id, user_id, organisation_id):
        raise RuleBrokenError(_l("This person already takes part."), "user_id")
    organisation = db.session.get_one(Organisation, organisation_id)
    return _bring_in(actor, cooperation, user_id, organisation, function)


def invite_person(
    actor: Actor,
    cooperation: Cooperation,
    *,
    email: str,
    name: str = "",
    function: str = "",
    outside_expert: bool = False,
    language: str = "en",
    days: int = 14,
) -> SentInvitation:
    """Invite somebody to the actor's organisation as member, to take part here after accepting.

    Raise RefusedError for another party's people, RuleBrokenError as the invitation itself does
    (email, outside_expert).
    """
    fact = queries.fact(cooperation)
    organisation_id = actor.organisation_id
    if organisation_id is None:
        raise RefusedError(_l("You aren't acting for any organisation."))
    policy.can_change_people(actor, fact, organisation_id).require()
    return invitations.invite(
        actor,
        NewInvitation(
            email=email,
            name=name,
            organisation_id=organisation_id,
            roles={Role.MEMBER},
            outside_expert=outside_expert,
            language=language,
            cooperation_id=cooperation.id,
            function=function.strip()[:MAX_TITLE],
            days=days,
        ),
    )


def end_person(
    actor: Actor, cooperation: Cooperation, *, user_id: UUID, organisation_id: UUID
) -> None:
    """Remove a person of the actor's organisation immediately; close their clearances here.

    Raise RefusedError for another party's people, RuleBrokenError if the person does not take part,
    or is the last coordinator of the NPM (G1).
    """
    policy.can_change_people(actor, queries.fact(cooperation), organisation_id).require()
    row = _taking_part(cooperation.id, user_id, organisation_id)
    if row is None:
        raise RuleBrokenError(_l("This person doesn't take part in the cooperation."))
    coordinators = people.coordinators_for_npm(cooperation.id)
    if [(coordinator.user_id, coordinator.organisation_id) for coordinator in coordinators] == [
        (user_id, organisation_id)
    ]:
        raise RuleBrokenError(
            _l("This is the only coordinator of the NPM here. Add another one first.")
        )
    take_out(actor, cooperation.id, row)


def follow_departure(event: DomainEvent) -> None:
    """Remove a person everywhere their role ended, and close clearances (product.md, section 7).

    Handler of ROLE_ENDED and PERSON_SUSPENDED, whose subject is the person. A suspended person
    still takes part, in case they come back, but has no clearance.
    """
    user_id = event.subject_id
    if event.verb is verbs.PERSON_SUSPENDED:
        clearances.close_for_person(event.actor, user_id, ClearanceEnd.SUSPENDED)
        return
    organisation_id = _id_in(event.details, "organisation_id")
    if organisation_id is None or _has_running_role(user_id, organisation_id):
        return
    rows = db.session.scalars(
        sa.select(CooperationPerson)
        .where(
            CooperationPerson.user_id == user_id,
            CooperationPerson.organisation_id == organisation_id,
            runs_on(clock.today()),
        )
        .order_by(CooperationPerson.cooperation_id)
    ).all()
    for row in rows:
        take_out(event.actor, row.cooperation_id, row)


def run_out_people(day: dt.date) -> Sequence[UUID]:
    """Return the participations of people whose last role there has expired; for the worker.

    Each is ended in its own transaction (end_run_out) before the role is
    (accounts.end_role_run_out), which would end all of them in one. Nobody sees more or less in
    between: a role gives no access from the day after its last one.
    """
    has_run_out = Membership.ended_at.is_(None) & (Membership.ends_on < day)
    return db.session.scalars(
        sa.select(CooperationPerson.id)
        .join(
            Membership,
            sa.and_(
                Membership.user_id == CooperationPerson.user_id,
                Membership.organisation_id == CooperationPerson.organisation_id,
            ),
        )
        .where(has_run_out, runs_on(day), _holds_none())
        .distinct()
    ).all()


def end_run_out(row_id: UUID, day: dt.date) -> bool:
    """End the participation of a person whose last role has expired; for the worker.

    Return False if the person has already left, or was given another role.
    """
    row = db.session.get_one(CooperationPerson, row_id)
    powers.hold(row.user_id, row.organisation_id)
    lock_chain(row.cooperation_id)
    due = sa.select(CooperationPerson).where(
        CooperationPerson.id == row_id, runs_on(day), _holds_none()
    )
    if db.session.scalar(due.execution_options(populate_existing=True)) is None:
        return False
    take_out(None, row.cooperation_id, row)
    return True


def _holds_none() -> sa.ColumnElement[bool]:
    """Return the condition that a person has no role to take part with (CooperationPerson)."""
    membership = aliased(Membership)
    runs = sa.exists().where(
        membership.user_id == CooperationPerson.user_id,
        membership.organisation_id == CooperationPerson.organisation_id,
        accounts.runs_on(clock.today(), membership),
        membership.role.not_in(TAKE_NO_PART),
    )
    return ~runs


def tell_of_power(event: DomainEvent) -> None:
    """Tell the other parties that an administrator confirmed who signs or decides for a partner.

    Handler of ROLE_ACCEPTED (product.md, section 2).
    """
    organisation_id = _id_in(event.details, "organisation_id")
    if organisation_id is not None:
        messages.power_by_administrator(people.other_sides(organisation_id))


def follow_invitation(event: DomainEvent) -> None:
    """Add a person who accepted an invitation to a cooperation.

    Handler of INVITATION_ACCEPTED. Does nothing if the cooperation has ended or the organisation is
    no longer a party.
    """
    cooperation_id = _id_in(event.details, "cooperation")
    organisation_id = _id_in(event.details, "organisation_id")
    if cooperation_id is None or organisation_id is None:
        return
    cooperation = db.session.get(Cooperation, cooperation_id)
    if cooperation is None or cooperation.stage in policy.ENDED:
        return
    current = {party.organisation_id: party for party in people.current(cooperation.id)}
    user_id = event.subject_id
    if organisation_id not in current:
        return
    if people.takes_part(cooperation.id, user_id, organisation_id):
        return
    organisation = current[organisation_id].organisation
    function = str(event.details.get("function") or "")
    _bring_in(event.actor, cooperation, user_id, organisation, function)


def _id_in(details: Mapping[str, Any], key: str) -> UUID | None:
    text = details.get(key)
    return UUID(str(text)) if text else None


def _partners(own: Organisation, organisation_ids: Sequence[UUID]) -> list[Organisation]:
    wanted = list(dict.fromkeys(organisation_ids))
    organisations = {
        organisation.id: organisation
        for organisation in db.session.scalars(
            sa.select(Organisation).where(Organisation.id.in_(wanted))
        )
    }
    if len(organisations) != len(wanted):
        raise RuleBrokenError(_l("Choose organisations from the list."), "organisation_ids")
    decision = policy.fit_together(
        own.id,
        [
            policy.PartyFact(organisation.id, organisation.kind)
            for organisation in organisations.values()
        ],
    )
    if not decision:
        raise RuleBrokenError(decision.reason, "organisation_ids")
    partners = [organisations[partner_id] for partner_id in wanted]
    # NPM bodies come first in the list.
    return sorted(partners, key=lambda organisation: organisation.kind is not OrganisationKind.NPM)


def _next_reference(year: int) -> str:
    """Return the next reference of a year; locks the counter until this transaction ends."""
    wanted = (
        sa.select(ReferenceCounter)
        .where(ReferenceCounter.year == year)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    counter = db.session.scalar(wanted)
    if counter is None:
        try:
            with db.session.begin_nested():
                counter = ReferenceCounter(year=year, last=0)
                db.session.add(counter)
        except IntegrityError:  # somebody else opened the first one of the year at the same moment
            counter = db.session.execute(wanted).scalar_one()
    counter.last += 1
    return f"C-{year}-{counter.last:04d}"


def _text(text: str, field: str, most: int) -> str:
    tidy = text.strip()
    if not tidy:
        raise RuleBrokenError(_l("Enter an answer"), field)
    if len(tidy) > most:
        raise RuleBrokenError(_l("Use at most %(most)s characters", most=most), field)
    return tidy


def _set_dates(
    cooperation: Cooperation,
    starts_on: dt.date | None,
    review_on: dt.date | None,
    ends_on: dt.date | None,
) -> None:
    problem = policy.dates_problem(starts_on, review_on, ends_on)
    if problem is not None:
        field, message = problem
        raise RuleBrokenError(message, field)
    cooperation.starts_on, cooperation.review_on = starts_on, review_on
    cooperation.ends_on = ends_on


def _modes(modes: Iterable[Mode]) -> list[Mode]:
    chosen = set(modes)
    return [mode for mode in Mode if mode in chosen]


def _answers(modes: Sequence[Mode], questions: Mapping[str, str]) -> dict[str, str]:
    """Keep the answers to the questions of these modes; missing ones are not known yet."""
    return {
        question.value: Knowledge(questions.get(question.value) or Knowledge.NOT_KNOWN).value
        for question in questions_behind(modes)
    }


def _lock(cooperation: Cooperation, version: int | None) -> None:
    current = db.session.scalar(
        sa.select(Cooperation.version).where(Cooperation.id == cooperation.id).with_for_update()
    )
    if current != version:
        raise StaleError(
            _l("Somebody else changed this in the meantime. Compare both and save again.")
        )


def _head(cooperation: Cooperation) -> dict[str, object]:
    keys_of_head = ("title", "purpose", "starts_on", "ends_on", "review_on")
    return {key: getattr(cooperation, key) for key in keys_of_head}


def _note_change(actor: Actor | None, cooperation: Cooperation, before: dict[str, object]) -> bool:
    after = _head(cooperation)
    changed = [key for key, value in after.items() if value != before[key]]
    if not changed:
        return False
    cooperation.version += 1
    db.session.flush()
    _record(verbs.COOPERATION_CHANGED, actor, cooperation, changed=changed)
    return True


def _has_running_role(user_id: UUID, organisation_id: UUID) -> bool:
    """Return whether a person has a role there that lets them take part."""
    condition = sa.exists().where(
        Membership.user_id == user_id,
        Membership.organisation_id == organisation_id,
        User.id == Membership.user_id,
        people.membership_counts(),
    )
    return bool(db.session.scalar(sa.select(condition)))


def _taking_part(
    cooperation_id: UUID, user_id: UUID, organisation_id: UUID
) -> CooperationPerson | None:
    return db.session.scalar(
        sa.select(CooperationPerson).where(
            CooperationPerson.cooperation_id == cooperation_id,
            CooperationPerson.user_id == user_id,
            CooperationPerson.organisation_id == organisation_id,
            runs_on(clock.today()),
        )
    )


def _bring_in(
    actor: Actor | None,
    cooperation: Cooperation,
    user_id: UUID,
    organisation: Organisation,
    function: str,
) -> CooperationPerson:
    row = db.session.scalar(
        sa.select(CooperationPerson).where(
            CooperationPerson.cooperation_id == cooperation.id,
            CooperationPerson.user_id == user_id,
            CooperationPerson.organisation_id == organisation.id,
        )
    )
    if row is None:
        row = CooperationPerson(
            cooperation_id=cooperation.id, user_id=user_id, organisation_id=organisation.id
        )
        db.session.add(row)
    row.function = function.strip()[:MAX_TITLE]
    row.from_on, row.until_on = clock.today(), None
    row.user = db.session.get_one(User, user_id)
    db.session.flush()
    _record(
        verbs.PERSON_JOINED,
        actor,
        cooperation,
        person=row.user.name,
        person_id=str(row.user_id),
        organisation=organisation.name,
        organisation_id=str(organisation.id),
        function=row.function,
    )
    return row


def take_out(actor: Actor | None, cooperation_id: UUID, row: CooperationPerson) -> None:
    """End a person's participation in a cooperation: record PERSON_LEFT, close their clearances.

    For callers that have decided this themselves: no policy is checked.
    """
    row.until_on = clock.today() - dt.timedelta(days=1)
    db.session.flush()
    record(
        verbs.PERSON_LEFT,
        actor=actor,
        subject_type="cooperation",
        subject_id=cooperation_id,
        cooperation_id=cooperation_id,
        person=db.session.get_one(User, row.user_id).name,
        organisation=db.session.get_one(Organisation, row.organisation_id).name,
    )
    clearances.close_for_person(
        actor,
        row.user_id,
        ClearanceEnd.LEFT,
        cooperation_id=cooperation_id,
        organisation_id=row.organisation_id,
    )


def _record(verb: Verb, actor: Actor | None, cooperation: Cooperation, **details: Any) -> None:
    record(
        verb,
        actor=actor,
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        **details,
    )


def end_people(actor: Actor | None, cooperation_id: UUID, organisation_id: UUID) -> None:
    """Remove all people of an organisation that leaves or is replaced; close their clearances.

    A person's undertaking never passes to somebody else (S11), so the party's policy isn't asked.
    """
    rows = db.session.scalars(
        sa.select(CooperationPerson)
        .where(
            CooperationPerson.cooperation_id == cooperation_id,
            CooperationPerson.organisation_id == organisation_id,
            runs_on(clock.today()),
        )
        .order_by(CooperationPerson.user_id)
    ).all()
    for row in rows:
        take_out(actor, cooperation_id, row)
