"""Queries for single undertakings, scoped to the actor or a cooperation already found."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.accounts.models import Membership, User
from tracker.agreements.document import Languages
from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import heads
from tracker.checklists.loading import LoadedChecklist, retold
from tracker.checklists.loading import load as load_checklist
from tracker.checklists.models import Checklist
from tracker.checklists.queries import access_is_stopped
from tracker.cooperations.models import Cooperation, CooperationPerson
from tracker.cooperations.queries import have_terms_run_out
from tracker.cooperations.scope import is_of_npms
from tracker.core import clock
from tracker.core.db import db, load_joined
from tracker.core.errors import RefusedError
from tracker.core.services import Slot
from tracker.organisations.models import Organisation
from tracker.signoff import queries as signoff
from tracker.signoff import service as signing
from tracker.signoff.labels import DIFFERS
from tracker.signoff.models import Revision
from tracker.undertakings import added_interests, scope
from tracker.undertakings import people as around
from tracker.undertakings.facts import (
    Listed,
    Questions,
    Terms,
    UndertakingStatus,
    listed_in,
    questions,
    read_terms,
)
from tracker.undertakings.models import (
    Undertaking,
    UndertakingEnd,
    UndertakingState,
)
from tracker.undertakings.places import ANOTHER_KIND
from tracker.undertakings.policy import DECIDERS
from tracker.undertakings.signed_beside import TermsDocument

WITH_NAMES = (
    # The language of emails; the address, which says if they sign here or on paper; whether they
    # are suspended and can't sign.
    load_joined(
        Undertaking.user,
        User.name,
        User.language,
        User.email,
        User.active,
        User.suspended_at,
    ),
    load_joined(Undertaking.organisation, Organisation.name),
)


# What a page of one undertaking needs ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loaded:
    """An undertaking with the terms it is based on and the plain values for the rules."""

    undertaking: Undertaking
    terms: Terms
    standing: UndertakingStatus
    # The checklist whose terms these are.
    checklist: Checklist

    @property
    def documents(self) -> tuple[TermsDocument, ...]:
        """The documents the person signs with the undertaking, according to its terms (C1)."""
        of_npm = self.undertaking.organisation_id in self.standing.npm_ids
        return self.terms.documents_for(of_npm=of_npm)


def find_own(actor: Actor, undertaking_id: UUID) -> Undertaking | None:
    """Return the person's own undertaking."""
    return _find_one(Undertaking.id == undertaking_id, scope.own(actor))


def own_signed(actor: Actor, cooperation_id: UUID) -> Undertaking | None:
    """Return the person's own undertaking in a cooperation, signed and not closed."""
    return _find_one(
        scope.own(actor),
        Undertaking.cooperation_id == cooperation_id,
        Undertaking.state.in_(added_interests.SIGNED),
    )


def find_for_npm(actor: Actor, undertaking_id: UUID) -> Undertaking | None:
    """Return an undertaking of somebody else that the person may decide on or countersign."""
    return _find_one(Undertaking.id == undertaking_id, scope.decided_by(actor))


def find_for_paper(actor: Actor, undertaking_id: UUID) -> Undertaking | None:
    """Return an undertaking whose scan the person may record or confirm for the NPM."""
    return _find_one(Undertaking.id == undertaking_id, scope.handles_paper(actor))


def load(undertaking: Undertaking) -> Loaded:
    """Return an undertaking with its terms and status; the caller found it with a scoped query.

    Raise RefusedError if its terms, its person or their organisation aren't in the database: there
    is nothing true to show.
    """
    revision = db.session.get(Revision, undertaking.terms_revision_id)
    checklist = db.session.get(Checklist, revision.subject_id) if revision else None
    person: User | None = undertaking.user
    organisation: Organisation | None = undertaking.organisation
    if revision is None or checklist is None or person is None or organisation is None:
        raise RefusedError(DIFFERS)
    terms = terms_of(revision)
    return Loaded(undertaking, terms, standing(undertaking, checklist, terms), checklist)


def terms_of(revision: Revision) -> Terms:
    """Return what a person has to know of a frozen revision of the confidentiality terms (K8)."""
    return read_terms(signing.document_of(revision, None), revision.digest)


def standing(undertaking: Undertaking, checklist: Checklist, terms: Terms) -> UndertakingStatus:
    """Return the rules' plain values; for a closed undertaking also whether to ask again."""
    is_closed = undertaking.state is UndertakingState.CLOSED
    bearing = added_interests.bearing_of(undertaking)
    taken = signoff.taken_by(undertaking.revision_id)
    revision = db.session.get_one(Revision, undertaking.terms_revision_id)
    parties = around.party_ids(undertaking.cooperation_id, revision.frozen_at)
    cooperation = db.session.get_one(Cooperation, undertaking.cooperation_id)
    return UndertakingStatus(
        user_id=undertaking.user_id,
        organisation_id=undertaking.organisation_id,
        state=undertaking.state,
        is_current=checklist.revision_in_force_id == undertaking.terms_revision_id,
        until=terms.until,
        npm_ids=parties.npm,
        has_interests=undertaking.has_interests,
        party_has_interest=bool(undertaking.party_has_interest),
        decision=undertaking.decision,
        has_earlier_limit=undertaking.state is UndertakingState.SIGNED
        and added_interests.earlier_limit(undertaking) is not None,
        is_listed=not is_closed
        or any(
            person.user_id == undertaking.user_id for person in listed(load_checklist(checklist))
        ),
        has_open=is_closed and _has_open(undertaking),
        withdrawn_by_person=undertaking.closed_reason == UndertakingEnd.WITHDRAWN,
        mailed_codes=cooperation.mailed_codes,
        undecided_added=bearing.undecided,
        added_refused=bearing.is_refused,
        signs_in=undertaking.user.signs_in,
        has_role=around.has_role(undertaking.user_id, undertaking.organisation_id),
        recorded_by_id=taken.recorded_by,
        host_id=taken.host,
        is_joining=undertaking.organisation_id in parties.joining,
        stage=cooperation.stage,
        agreed_terms_have_run_out=have_terms_run_out(cooperation),
        is_stopped_by_notice=access_is_stopped(cooperation.id),
    )


def questions_of(loaded: Loaded, language: str = "") -> Questions:
    """Return the questions that template and terms now ask a person; for pages in a language."""
    return _questions(load_checklist(loaded.checklist, language), loaded.documents)


def questions_by_language(loaded: Loaded, languages: Languages) -> dict[str, Questions]:
    """Return the questions that template and terms now ask a person, by language."""
    checklist = load_checklist(loaded.checklist)
    return {
        code: _questions(retold(checklist, languages.words.get(code)), loaded.documents)
        for code in languages.codes
    }


def _questions(checklist: LoadedChecklist, documents: tuple[TermsDocument, ...]) -> Questions:
    return questions(checklist.template, checklist.sheet, checklist.surroundings, documents)


def terms_document(undertaking: Undertaking) -> tuple[Revision, Mapping[str, object]]:
    """Return the revision of the terms that an undertaking is based on, and its text (class K8)."""
    revision = signoff.revision(undertaking.terms_revision_id)
    if revision is None:
        raise LookupError("The terms of an undertaking are gone.")
    return revision, signing.document_of(revision, None)


def kinds_of_place(language: str, *, with_another: bool = False) -> list[tuple[str, str]]:
    """Return the types of place that visits' roles offer (V1), with or without *another type*."""
    template = library.localized(library.newest(ChecklistKind.VISIT_ROLES), language)
    item = next(item for item in template.items if item.code == "V1")
    return [
        (option.value, option.label)
        for option in item.field("place_type").options
        if with_another or option.value != ANOTHER_KIND
    ]


# Who is asked ----------------------------------------------------------------------------------


def confidentiality(cooperation_id: UUID) -> Checklist | None:
    """Return the confidentiality checklist of a cooperation, or None."""
    return next(
        (
            checklist
            for checklist in heads.of_cooperation(cooperation_id)
            if checklist.kind is ChecklistKind.CONFIDENTIALITY
        ),
        None,
    )


def listed(loaded: LoadedChecklist) -> list[Listed]:
    """Return who must sign: listed by a party (C2), taking part today, not suspended."""
    homes = around.homes(loaded.cooperation.id)
    return listed_in(loaded.sheet, loaded.surroundings, homes)


def open_ones(cooperation_id: UUID) -> list[Undertaking]:
    """Return the undertakings of a cooperation that are not closed, and lock them."""
    return list(
        db.session.scalars(
            sa.select(Undertaking)
            .where(
                Undertaking.cooperation_id == cooperation_id,
                Undertaking.state != UndertakingState.CLOSED,
            )
            .order_by(Undertaking.id)
            .options(*WITH_NAMES)
            .with_for_update(of=Undertaking)
            .execution_options(populate_existing=True)
        )
    )


def signed_of(whose: sa.ColumnElement[bool]) -> list[Undertaking]:
    """Return the signed undertakings that a condition chooses, in a fixed order; lock them."""
    return list(
        db.session.scalars(
            sa.select(Undertaking)
            .where(whose, Undertaking.state.in_(added_interests.SIGNED))
            .order_by(Undertaking.cooperation_id, Undertaking.id)
            .options(*WITH_NAMES)
            .with_for_update(of=Undertaking)
            .execution_options(populate_existing=True)
        )
    )


def all_of_person(cooperation_id: UUID, user_id: UUID) -> list[Undertaking]:
    """Return all undertakings of a person in a cooperation, to compare them with their events."""
    of_person = (Undertaking.cooperation_id == cooperation_id, Undertaking.user_id == user_id)
    return list(db.session.scalars(sa.select(Undertaking).where(*of_person)))


def has_signed_former_terms(undertaking: Undertaking) -> bool:
    """Return whether the person's last undertaking was signed, and closed because of new terms."""
    last = db.session.execute(
        sa.select(Undertaking.closed_reason, Undertaking.signed_at)
        .where(
            Undertaking.user_id == undertaking.user_id,
            Undertaking.cooperation_id == undertaking.cooperation_id,
            Undertaking.closed_at.is_not(None),
        )
        .order_by(Undertaking.closed_at.desc(), Undertaking.asked_at.desc(), Undertaking.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None or last.signed_at is None:
        return False
    return str(last.closed_reason) == UndertakingEnd.NEW_TERMS.value


def last_endings(terms_revision_id: UUID) -> dict[UUID, str]:
    """Return, by person, why the last undertaking on these terms was closed."""
    rows = db.session.execute(
        sa.select(Undertaking.user_id, Undertaking.closed_reason)
        .where(
            Undertaking.terms_revision_id == terms_revision_id,
            Undertaking.state == UndertakingState.CLOSED,
        )
        .order_by(Undertaking.closed_at, Undertaking.id)
    )
    return {row.user_id: row.closed_reason for row in rows}


def waiting_for_npm_of(user_id: UUID) -> list[Undertaking]:
    """Return what NPMs for which a person has decided still have to confirm or countersign."""
    bodies = db.session.scalars(
        sa.select(Membership.organisation_id).where(
            Membership.user_id == user_id, Membership.role.in_(DECIDERS)
        )
    )
    return list(
        db.session.scalars(
            sa.select(Undertaking)
            .where(
                Undertaking.state.in_([UndertakingState.ON_PAPER, UndertakingState.SIGNED]),
                is_of_npms(
                    frozenset(body for body in bodies if body),
                    Undertaking.cooperation_id,
                    on=clock.today(),
                ),
            )
            .order_by(Undertaking.id)
            .options(*WITH_NAMES)
        )
    )


def cooperations_of(user_id: UUID) -> list[UUID]:
    """Return the cooperations in which a person takes part or was ever asked."""
    asked_in = sa.select(Undertaking.cooperation_id).where(Undertaking.user_id == user_id)
    part_in = sa.select(CooperationPerson.cooperation_id).where(
        CooperationPerson.user_id == user_id
    )
    return sorted(db.session.scalars(sa.union(asked_in, part_in)))


def lock(undertaking_ids: Iterable[UUID]) -> None:
    """Lock undertakings until the transaction ends, in a fixed order."""
    wanted = sa.select(Undertaking.id).where(Undertaking.id.in_(list(undertaking_ids)))
    db.session.execute(wanted.order_by(Undertaking.id).with_for_update(of=Undertaking)).all()


def locked(undertaking_id: UUID) -> Undertaking:
    """Lock an undertaking until the transaction ends, and return its current state."""
    undertaking = locked_or_none(undertaking_id)
    if undertaking is None:
        raise LookupError("There is no such undertaking.")
    return undertaking


def locked_or_none(undertaking_id: UUID) -> Undertaking | None:
    """Return an undertaking as locked() does; None if there is none."""
    return db.session.scalar(
        sa.select(Undertaking)
        .where(Undertaking.id == undertaking_id)
        .options(*WITH_NAMES)
        .with_for_update(of=Undertaking)
        .execution_options(populate_existing=True)
    )


@dataclass(frozen=True, slots=True)
class VisitChoice:
    """A visit that an undertaking may be for; its number reveals neither place nor date."""

    id: UUID
    number: int


VisitReader = Callable[[UUID], list[VisitChoice]]


# The reader that finds a cooperation's visits that are still to come: visits is a higher package.
VISIT_READER: Slot[VisitReader] = Slot("visits_to_come", lambda _cooperation_id: [])


def visits(cooperation_id: UUID) -> list[VisitChoice]:
    """Return the visits of a cooperation that an undertaking may be for, by number."""
    return VISIT_READER.get()(cooperation_id)


# Parts of the above ----------------------------------------------------------------------------


def _find_one(*conditions: sa.ColumnElement[bool]) -> Undertaking | None:
    return db.session.scalar(sa.select(Undertaking).where(*conditions).options(*WITH_NAMES))


def _has_open(undertaking: Undertaking) -> bool:
    return bool(
        db.session.scalar(
            sa.select(
                sa.exists().where(
                    Undertaking.cooperation_id == undertaking.cooperation_id,
                    Undertaking.user_id == undertaking.user_id,
                    Undertaking.state != UndertakingState.CLOSED,
                )
            )
        )
    )
