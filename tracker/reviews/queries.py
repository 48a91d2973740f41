"""Queries for reviews, of cooperations found with a query scoped to the actor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.agreements import frozen_text, renewal
from tracker.agreements.frozen_text import FrozenItem
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import encryption
from tracker.checklists.heads import latest_start
from tracker.checklists.models import Checklist, ChecklistState
from tracker.cooperations import people
from tracker.cooperations.models import Cooperation, CooperationEntry, Stage
from tracker.cooperations.scope import listed, visible
from tracker.core import clock
from tracker.core.db import db, load_joined
from tracker.lifecycle import bound
from tracker.lifecycle import queries as lifecycle
from tracker.organisations.models import Organisation
from tracker.reviews.models import Review, ReviewConfirmation, ReviewVersion
from tracker.reviews.policy import RecordFact, ReviewFact
from tracker.reviews.records import PROMISES
from tracker.signoff import service as signoff

_IS_OPEN = sa.and_(Review.concluded_at.is_(None), Review.called_off_at.is_(None))
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
    version = last_version(review) if review else None
    return ReviewFact(
        stage=bound.stage_of(cooperation),
        parties=_parties(cooperation),
        terms_in_force=terms is not None and terms.revision_in_force_id is not None,
        terms_are_settled=terms is not None and terms.state is ChecklistState.IN_FORCE,
        is_open=review is not None and review.is_open,
        begun_by=review.begun_by_id if review else None,
        begun_for=review.organisation_id if review else None,
        is_complete=version is not None and version.is_complete,
        confirmed=tuple(
            (row.organisation_id, row.user_id) for row in standing_confirmations(review)
        )
        if review
        else (),
    )


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
    term = renewal.term_of(terms)
    return RecordFact(
        today=clock.today(),
        promises={code: by_code[code].label for code in PROMISES if is_promised(by_code, code)},
        parties=_parties(cooperation),
        starts_on=term.start if term else cooperation.starts_on,
        ends_on=term.end if term else cooperation.ends_on,
        review_on=term.review if term else cooperation.review_on,
        latest_start=latest_start(terms, cooperation),
        renews_itself=term is not None and term.renews_itself,
    )


def open_for(actor: Actor) -> list[OpenReview]:
    """Return the reviews being held to which a person's organisation is a party, in one query.

    Also the cooperations that are still under review because notice of the end has yet to be given.
    """
    confirmed = sa.exists().where(
        ReviewConfirmation.review_id == Review.id,
        ReviewConfirmation.version == Review.version,
        sa.or_(
            ReviewConfirmation.organisation_id == actor.organisation_id,
            ReviewConfirmation.user_id == actor.user_id,
        ),
    )
    rows = db.session.execute(
        sa.select(
            Cooperation.reference,
            Cooperation.title,
            Review.number,
            sa.func.coalesce(ReviewVersion.is_complete, sa.false()),
            confirmed,
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
    return [OpenReview(*row) for row in rows]


def names(cooperation: Cooperation) -> dict[UUID, str]:
    """Return the names of all organisations that are or were a party, by id."""
    return {party.organisation_id: party.organisation.name for party in cooperation.parties}


def _parties(cooperation: Cooperation) -> tuple[tuple[UUID, str], ...]:
    return tuple(
        (party.organisation_id, party.organisation.name)
        for party in people.joined_parties(cooperation)
    )
