"""Queries for reviews, of cooperations found with a query scoped to the actor."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.agreements import frozen_text, renewal
from tracker.agreements.frozen_text import FrozenItem
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import encryption
from tracker.checklists.heads import latest_start
from tracker.checklists.models import Checklist, ChecklistState, Notice, NoticeKind
from tracker.cooperations import people
from tracker.cooperations.models import Cooperation, CooperationEntry, Party, Stage
from tracker.cooperations.scope import has_not_left, listed, visible
from tracker.core import clock
from tracker.core.db import db, load_joined
from tracker.lifecycle import bound
from tracker.lifecycle import queries as lifecycle
from tracker.organisations.models import Organisation
from tracker.reviews import records
from tracker.reviews.models import Outcome, Review, ReviewConfirmation, ReviewVersion
from tracker.reviews.policy import ConclusionFact, RecordFact, ReviewFact
from tracker.reviews.records import PROMISES
from tracker.signoff import service as signoff

_IS_OPEN = sa.and_(Review.concluded_at.is_(None), Review.called_off_at.is_(None))
_LATER = aliased(Review)
_IS_OPEN_END = sa.and_(Notice.kind == NoticeKind.ENDED, Notice.closed_at.is_(None))
# Over Review and the Checklist of its cooperation's agreed terms: the last review decided to end
# the terms in force. Terms signed since then are another agreement.
_DECIDED_TO_END = sa.and_(
    Review.outcome == Outcome.END,
    Review.concluded_at.is_not(None),
    ~sa.exists()
    .where(
        _LATER.cooperation_id == Review.cooperation_id,
        _LATER.number > Review.number,
        _LATER.concluded_at.is_not(None),
    )
    .correlate(Review),
    Checklist.cooperation_id == Review.cooperation_id,
    Checklist.kind == ChecklistKind.TERMS,
    Checklist.visit_id.is_(None),
    Checklist.in_force_at <= Review.concluded_at,
)
# Over Cooperation: the first day after the end that was decided, while a notice of it is open.
_END_DECIDED = (
    sa.select(sa.func.min(Notice.from_on))
    .select_from(Review)
    .join(Checklist, Checklist.cooperation_id == Review.cooperation_id)
    .join(Notice, Notice.checklist_id == Checklist.id)
    .where(Review.cooperation_id == Cooperation.id, _DECIDED_TO_END, _IS_OPEN_END)
    .correlate(Cooperation)
    .scalar_subquery()
)
_WHOLE = (
    load_joined(Review.begun_by, User.name),
    load_joined(Review.organisation, Organisation.name),
    joinedload(Review.revision),
    selectinload(Review.versions).options(load_joined(ReviewVersion.saved_by, User.name)),
    selectinload(Review.confirmations).options(
        load_joined(ReviewConfirmation.user, User.name),
        load_joined(ReviewConfirmation.organisation, Organisation.name),
    ),
)


@dataclass(frozen=True, slots=True)
class OpenReview:
    """A review that is being held, for a task: where it is, and what is left to do on it.

    Without a number: the parties have decided to end the cooperation, and nobody has given notice.
    """

    reference: str
    title: str
    number: int | None
    is_complete: bool
    # Whether the organisation acted for has confirmed the last version, or the reader has for
    # another party.
    is_confirmed: bool
    # The outcome that the last version names.
    outcome: Outcome | None = None
    # Of the last version: whether the organisation acted for is a body of the NPM and has confirmed
    # it, whether a party has not, and since when that party has been asked.
    is_confirmed_by_npm: bool = False
    has_missing: bool = False
    asked_on: dt.date | None = None

    @property
    def for_conclusion(self) -> ConclusionFact:
        """What the rule on concluding it without a missing party asks, for this organisation."""
        return ConclusionFact(
            is_open=self.number is not None,
            is_complete=self.is_complete,
            outcome=self.outcome,
            is_of_npm=self.is_confirmed_by_npm,
            has_confirmed=self.is_confirmed_by_npm,
            has_missing=self.has_missing,
            asked_on=self.asked_on,
        )


def is_to_come() -> sa.ColumnElement[bool]:
    """Return the condition over Cooperation that another review is due, or will be (G5).

    None is due while the parties carry out what the last one decided: to end the agreement. It is
    due again once the notice of the end is withdrawn.
    """
    return _END_DECIDED.is_(None)


def next_review() -> sa.ColumnElement[dt.date | None]:
    """Return the day of the next review over Cooperation, for lists; NULL if none is to come."""
    return sa.case((is_to_come(), Cooperation.review_on), else_=sa.null())


def end_decided(cooperation: Cooperation) -> dt.date | None:
    """Return the last day of a cooperation whose last review decided to end it, under notice.

    For lifecycle.queries.END_READER. Sends no query unless a review has been held.
    """
    if cooperation.reviewed_on is None:
        return None
    since = db.session.scalar(sa.select(_END_DECIDED).where(Cooperation.id == cooperation.id))
    return None if since is None else since - dt.timedelta(days=1)


def awaits_notice(cooperation_id: UUID) -> bool:
    """Return whether the last review decided to end the terms, and nobody has given notice since.

    Nor was there one then. If it was withdrawn, another review is due instead.
    """
    has_notice = sa.exists().where(
        Notice.checklist_id == Checklist.id,
        Notice.kind == NoticeKind.ENDED,
        sa.or_(Notice.closed_at.is_(None), Notice.closed_at > Review.concluded_at),
    )
    return bool(
        db.session.scalar(
            sa.select(
                sa.exists().where(
                    Review.cooperation_id == cooperation_id,
                    _DECIDED_TO_END,
                    ~has_notice.correlate(Checklist, Review),
                )
            )
        )
    )


def terms_of(cooperation: Cooperation) -> Checklist | None:
    """Return the agreed terms of a cooperation."""
    return lifecycle.own_checklists(cooperation.id).get(ChecklistKind.TERMS)


def reviews(cooperation: Cooperation) -> list[Review]:
    """Return all reviews of a cooperation with their records, the newest first."""
    return list(
        db.session.scalars(
            sa.select(Review)
            .where(Review.cooperation_id == cooperation.id)
            .order_by(Review.number.desc())
            .options(*_WHOLE)
            .execution_options(populate_existing=True)
        )
    )


def find(cooperation: Cooperation, number: int) -> Review | None:
    """Return a review of a cooperation with all versions and confirmations, as stored now."""
    return db.session.scalar(
        sa.select(Review)
        .where(Review.cooperation_id == cooperation.id, Review.number == number)
        .options(*_WHOLE)
        .execution_options(populate_existing=True)
    )


def is_last(review: Review) -> bool:
    """Return whether no other review of its cooperation has begun since."""
    later = sa.exists().where(
        Review.cooperation_id == review.cooperation_id, Review.number > review.number
    )
    return not db.session.scalar(sa.select(later))


def open_review(cooperation_id: UUID) -> Review | None:
    """Return the review that is being held, if there is one."""
    return db.session.scalar(
        sa.select(Review)
        .where(Review.cooperation_id == cooperation_id, _IS_OPEN)
        .options(*_WHOLE)
        .execution_options(populate_existing=True)
    )


def last_version(review: Review) -> ReviewVersion | None:
    """Return the last version of a review's record; None before one is saved."""
    return review.versions[-1] if review.versions else None


def standing_confirmations(review: Review) -> list[ReviewConfirmation]:
    """Return the confirmations of the last version; those of older ones no longer count."""
    return [row for row in review.confirmations if row.version == review.version]


def fact(cooperation: Cooperation, terms: Checklist | None, review: Review | None) -> ReviewFact:
    """Return the rules' plain values; the cooperation's parties are loaded."""
    return replace(
        record_state(cooperation, review),
        stage=bound.stage_of(cooperation),
        terms_in_force=terms is not None and terms.revision_in_force_id is not None,
        terms_are_settled=terms is not None and terms.state is ChecklistState.IN_FORCE,
    )


def record_state(cooperation: Cooperation, review: Review | None) -> ReviewFact:
    """Return what the rules on confirming ask, from what is loaded: nothing about the terms."""
    parties = people.joined_parties(cooperation)
    state = ReviewFact(cooperation.stage, _parties(cooperation), terms_in_force=True)
    if review is None:
        return state
    version, confirmations = last_version(review), standing_confirmations(review)
    begun_for = next(
        (
            party.organisation_id
            for party in parties
            if review.organisation_id in people.bodies(cooperation, party.organisation_id)
        ),
        None,
    )
    moments = [row.confirmed_at for row in confirmations]
    return replace(
        state,
        is_open=review.is_open,
        begun_by=review.begun_by_id,
        begun_for=begun_for,
        is_taken_over=begun_for not in {None, review.organisation_id},
        is_complete=version is not None and version.is_complete,
        confirmed=tuple(
            (row.organisation_id, row.user_id)
            for row in confirmations
            if any(party.organisation_id == row.organisation_id for party in parties)
        ),
        outcome=records.read(version.content).outcome if version else None,
        npm_bodies=frozenset(party.organisation_id for party in parties if party.is_of_npm),
        asked_on=_asked_on(
            max(moments, default=None),
            max((party.joined_at for party in parties if party.joined_at), default=None),
        ),
    )


def _asked_on(confirmed_at: dt.datetime | None, joined_at: dt.datetime | None) -> dt.date | None:
    """Return since when those who haven't confirmed have been asked, in the NPM's time zone."""
    if confirmed_at is None:
        return None
    return max(confirmed_at, joined_at or confirmed_at).astimezone(clock.zone()).date()


def text_of(terms: Checklist, review: Review) -> Mapping[str, Any]:
    """Return the terms that were in force when a review began, as signed."""
    return signoff.document_of(review.revision, encryption.key_for(terms))


def is_promised(by_code: Mapping[str, FrozenItem], code: str) -> bool:
    """Return whether an item was answered in a text."""
    return code in by_code and bool(by_code[code].answers)


def record_fact(
    cooperation: Cooperation, terms: Checklist, review: Review, language: str = ""
) -> RecordFact:
    """Return what a record is compared with: the text under review, and its current term.

    Its items are named in a language, or in the binding one.
    """
    by_code = frozen_text.read(text_of(terms, review), language).by_code
    term, signed = renewal.term_of(terms), renewal.signed_term(terms)
    return RecordFact(
        today=clock.today(),
        promises={code: by_code[code].label for code in PROMISES if is_promised(by_code, code)},
        parties=_parties(cooperation),
        # A further term begins no other agreement: what was held before it counts.
        starts_on=signed.start if signed else cooperation.starts_on,
        ends_on=term.end if term else cooperation.ends_on,
        review_on=term.review if term else cooperation.review_on,
        latest_start=latest_start(terms, cooperation),
        renews_itself=term is not None and term.renews_itself,
    )


def open_for(actor: Actor) -> list[OpenReview]:
    """Return the reviews being held to which a person's organisation is a party, in one query.

    Also the cooperations that are still under review because notice of the end has yet to be given.
    """
    of_version = sa.and_(
        ReviewConfirmation.review_id == Review.id, ReviewConfirmation.version == Review.version
    )
    is_ours = ReviewConfirmation.organisation_id == actor.organisation_id
    # What a person confirmed for a party that has left since keeps them from nothing.
    is_mine = sa.and_(
        ReviewConfirmation.user_id == actor.user_id,
        sa.exists()
        .where(
            Party.cooperation_id == Review.cooperation_id,
            Party.organisation_id == ReviewConfirmation.organisation_id,
            has_not_left(clock.today()),
            ~Party.is_joining,
        )
        .correlate(Review, ReviewConfirmation),
    )
    of_cooperation = sa.and_(
        Party.cooperation_id == Cooperation.id, has_not_left(clock.today()), ~Party.is_joining
    )
    has_confirmed = (
        sa.exists()
        .where(of_version, ReviewConfirmation.organisation_id == Party.organisation_id)
        .correlate(Review, Party)
    )
    rows = db.session.execute(
        sa.select(
            Cooperation.reference,
            Cooperation.title,
            Review.number,
            sa.func.coalesce(ReviewVersion.is_complete, sa.false()),
            sa.exists().where(of_version, sa.or_(is_ours, is_mine)).correlate(Review),
            ReviewVersion.content["outcome"].as_string(),
            sa.and_(CooperationEntry.is_of_npm, sa.exists().where(of_version, is_ours)),
            sa.exists().where(of_cooperation, ~has_confirmed).correlate(Cooperation, Review),
            sa.select(sa.func.max(ReviewConfirmation.confirmed_at))
            .where(of_version)
            .scalar_subquery(),
            sa.select(sa.func.max(Party.joined_at)).where(of_cooperation).scalar_subquery(),
        )
        .select_from(CooperationEntry)
        .join(Cooperation, Cooperation.id == CooperationEntry.cooperation_id)
        .outerjoin(Review, sa.and_(Review.cooperation_id == Cooperation.id, _IS_OPEN))
        .outerjoin(
            ReviewVersion,
            sa.and_(ReviewVersion.review_id == Review.id, ReviewVersion.number == Review.version),
        )
        .where(
            listed(actor),
            visible(actor),
            CooperationEntry.stage == Stage.UNDER_REVIEW,
            CooperationEntry.organisation_id == actor.organisation_id,
        )
        .order_by(Review.begun_at, Cooperation.id)
    )
    return [
        OpenReview(
            reference,
            title,
            number,
            is_complete,
            is_confirmed,
            Outcome(outcome) if outcome else None,
            is_confirmed_by_npm=is_confirmed_by_npm,
            has_missing=has_missing,
            asked_on=_asked_on(confirmed_at, joined_at),
        )
        for (
            reference,
            title,
            number,
            is_complete,
            is_confirmed,
            outcome,
            is_confirmed_by_npm,
            has_missing,
            confirmed_at,
            joined_at,
        ) in rows
    ]


def names(cooperation: Cooperation) -> dict[UUID, str]:
    """Return the names of all organisations that are or were a party, by id."""
    return {party.organisation_id: party.organisation.name for party in cooperation.parties}


def _parties(cooperation: Cooperation) -> tuple[tuple[UUID, str], ...]:
    return tuple(
        (party.organisation_id, party.organisation.name)
        for party in people.joined_parties(cooperation)
    )
