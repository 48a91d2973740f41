"""Reads of the register: agreements a manager or auditor may see, and nothing of visits."""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from tracker.access.actor import Actor
from tracker.checklists.models import (
    Answer,
    AnswerScope,
    Checklist,
    ChecklistKind,
    ChecklistState,
)
from tracker.cooperations.models import Cooperation, Mode, Party
from tracker.cooperations.scope import visible
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations.models import Organisation
from tracker.oversight import policy
from tracker.signoff.models import (
    RequestState,
    Revision,
    Signature,
    SignatureKind,
    SignaturePlace,
    SignatureRequest,
)
from tracker.visits import queries as visits

SOON = dt.timedelta(days=60)
MAX_WORDS = 200
KINDS = (ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY, ChecklistKind.URGENT_PLAN)


class AgreementState(enum.StrEnum):
    """How an agreement stands, as the register tells it."""

    DRAFTING = "drafting"
    WAITING = "waiting"
    DECLINED = "declined"
    IN_FORCE = "in_force"
    AMENDING = "amending"
    ENDED = "ended"


class Narrowing(enum.StrEnum):
    """The ways to narrow the register."""

    IN_FORCE = "in_force"
    ENDS_SOON = "ends_soon"
    LACKS_SIGNATURES = "lacks_signatures"
    DECLINED = "declined"
    DRAFTING = "drafting"
    REVIEW_OVERDUE = "review_overdue"


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One agreement of the register; nothing of class K2 to K7 is in it."""

    checklist_id: UUID
    reference: str
    title: str
    kind: ChecklistKind
    parties: tuple[str, ...]
    modes: tuple[str, ...]
    form: str
    state: AgreementState
    signed: int
    to_sign: int
    from_on: dt.date | None
    until_on: dt.date | None
    review_on: dt.date | None
    in_force_at: dt.datetime | None
    revision: int | None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the register."""

    words: str = ""
    mode: Mode | None = None
    narrowing: Narrowing | None = None


def register(
    actor: Actor, question: Question, *, offset: int = 0, limit: int | None = 25
) -> tuple[int, list[RegisterLine]]:
    """Return how many agreements answer a question, and one page of them.

    Managers see those of their own organisation, auditors those of the NPM they audit; anybody
    else none. A constant number of queries, however many agreements there are.
    """
    wanted = _wanted(actor, question)
    total = db.session.scalar(sa.select(sa.func.count()).select_from(wanted.subquery())) or 0
    rows = db.session.execute(
        wanted.order_by(Cooperation.reference.desc(), Checklist.kind.desc())
        .offset(offset)
        .limit(limit)
        .options(
            selectinload(Checklist.parties),
        )
    ).all()
    return total, _lines(rows)


def counts(actor: Actor, words: str = "", mode: Mode | None = None) -> dict[str, int]:
    """Return how many agreements each way of narrowing keeps, in one query."""
    base = _wanted(actor, Question(words, mode)).with_only_columns(
        sa.func.count(Checklist.id).label("all"),
        *(
            sa.func.count(sa.case((_narrowed(one), Checklist.id))).label(one.value)
            for one in Narrowing
        ),
    )
    row = db.session.execute(base).one()._mapping  # noqa: SLF001 -- SQLAlchemy's public name
    return {"": int(row["all"]), **{one.value: int(row[one.value]) for one in Narrowing}}


def find(actor: Actor, checklist_id: UUID) -> RegisterLine | None:
    """Return one agreement of the register, or None where the person may not see it."""
    rows = db.session.execute(_wanted(actor, Question()).where(Checklist.id == checklist_id)).all()
    lines = _lines(rows)
    return lines[0] if lines else None


def cooperation_of(checklist_id: UUID) -> UUID | None:
    """Return the cooperation of an agreement that find() found."""
    return db.session.scalar(
        sa.select(Checklist.cooperation_id).where(Checklist.id == checklist_id)
    )


def visit_lines(actor: Actor) -> dict[str, list[visits.RegisterLine]]:
    """Return by reference that visits exist, their state and overrides; no place, no date."""
    cooperations = dict(
        db.session.execute(sa.select(Cooperation.id, Cooperation.reference).where(_may_see(actor)))
        .tuples()
        .all()
    )
    found = visits.register_lines(actor, cooperations)
    return {cooperations[key]: lines for key, lines in sorted(found.items(), key=str) if lines}


def _may_see(actor: Actor) -> sa.ColumnElement[bool]:
    return visible(actor) if policy.can_see_register(actor) else sa.false()


def _wanted(actor: Actor, question: Question) -> sa.Select[Any]:
    wanted: sa.Select[Any] = (
        sa.select(Checklist, Cooperation)
        .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
        .where(_may_see(actor), Checklist.visit_id.is_(None), Checklist.kind.in_(KINDS))
    )
    if question.words:
        wanted = wanted.where(_has_words(question.words[:MAX_WORDS]))
    if question.mode is not None:
        # Modes are codes in a JSON list; a code in quotation marks stands there only as itself.
        wanted = wanted.where(
            sa.cast(Cooperation.modes, sa.Text()).contains(f'"{question.mode.value}"')
        )
    if question.narrowing is not None:
        wanted = wanted.where(_narrowed(question.narrowing))
    return wanted


def _has_words(words: str) -> sa.ColumnElement[bool]:
    party = sa.exists().where(
        Party.cooperation_id == Cooperation.id,
        Organisation.id == Party.organisation_id,
        Organisation.name.icontains(words, autoescape=True),
    )
    return sa.or_(
        Cooperation.title.icontains(words, autoescape=True),
        Cooperation.reference.icontains(words, autoescape=True),
        party,
    )


def _ends_on() -> sa.ColumnElement[Any]:
    return sa.case((Checklist.kind == ChecklistKind.TERMS, Cooperation.ends_on))


def _narrowed(one: Narrowing) -> sa.ColumnElement[bool]:
    today = clock.today()
    in_force = Checklist.revision_in_force_id.is_not(None)
    not_over = sa.or_(_ends_on().is_(None), _ends_on() >= today)
    match one:
        case Narrowing.IN_FORCE:
            return sa.and_(in_force, not_over)
        case Narrowing.ENDS_SOON:
            return sa.and_(in_force, _ends_on().between(today, today + SOON))
        case Narrowing.LACKS_SIGNATURES:
            return Checklist.state == ChecklistState.SENT
        case Narrowing.DECLINED:
            return _is_declined()
        case Narrowing.DRAFTING:
            return sa.and_(Checklist.state == ChecklistState.DRAFTING, ~in_force, ~_is_declined())
        case Narrowing.REVIEW_OVERDUE:
            return sa.and_(
                in_force, Checklist.kind == ChecklistKind.TERMS, Cooperation.review_on < today
            )


def _is_declined() -> sa.ColumnElement[bool]:
    """Tell whether the newest revision of a draft was declined."""
    newest = (
        sa.select(sa.func.max(Revision.number))
        .where(Revision.subject_id == Checklist.id)
        .correlate(Checklist)
        .scalar_subquery()
    )
    declined = (
        sa.select(SignatureRequest.id)
        .join(Revision, Revision.id == SignatureRequest.revision_id)
        .where(
            Revision.subject_id == Checklist.id,
            Revision.number == newest,
            SignatureRequest.state == RequestState.DECLINED,
        )
        .correlate(Checklist)
        .exists()
    )
    return sa.and_(Checklist.state == ChecklistState.DRAFTING, declined)


def _lines(rows: Iterable[Any]) -> list[RegisterLine]:
    pairs = [(row[0], row[1]) for row in rows]
    parties = _party_names({cooperation.id for _checklist, cooperation in pairs})
    revisions = _revisions([checklist.id for checklist, _cooperation in pairs])
    answers = _answers([checklist.id for checklist, _cooperation in pairs])
    return [
        _line(
            checklist,
            cooperation,
            parties.get(cooperation.id, ()),
            revisions.get(checklist.id),
            answers.get(checklist.id, {}),
        )
        for checklist, cooperation in pairs
    ]


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest revision of an agreement, with how many of its signatures are given."""

    number: int
    state: RequestState
    signed: int
    to_sign: int


def _line(
    checklist: Checklist,
    cooperation: Cooperation,
    parties: tuple[str, ...],
    newest: _Newest | None,
    answers: Mapping[str, Mapping[str, Any]],
) -> RegisterLine:
    is_terms = checklist.kind is ChecklistKind.TERMS
    until = answers.get("C1", {}).get("until")
    ends_on = cooperation.ends_on if is_terms else _day(until)
    return RegisterLine(
        checklist_id=checklist.id,
        reference=cooperation.reference,
        title=cooperation.title,
        kind=checklist.kind,
        parties=parties,
        modes=tuple(cooperation.modes),
        form=str(answers.get("M3", {}).get("form", "")) if is_terms else "",
        state=_state(checklist, newest, ends_on),
        signed=newest.signed if newest else 0,
        to_sign=newest.to_sign if newest else len(checklist.parties),
        from_on=cooperation.starts_on if is_terms else _date_of(checklist.in_force_at),
        until_on=ends_on,
        review_on=cooperation.review_on if is_terms else None,
        in_force_at=checklist.in_force_at,
        revision=newest.number if newest else None,
    )


def _state(checklist: Checklist, newest: _Newest | None, ends_on: dt.date | None) -> AgreementState:
    if checklist.revision_in_force_id is not None:
        if ends_on is not None and ends_on < clock.today():
            return AgreementState.ENDED
        if checklist.state is not ChecklistState.IN_FORCE:
            return AgreementState.AMENDING
        return AgreementState.IN_FORCE
    if checklist.state is ChecklistState.SENT:
        return AgreementState.WAITING
    if newest is not None and newest.state is RequestState.DECLINED:
        return AgreementState.DECLINED
    return AgreementState.DRAFTING


def _party_names(cooperation_ids: set[UUID]) -> dict[UUID, tuple[str, ...]]:
    found: dict[UUID, list[str]] = {}
    for cooperation_id, name in db.session.execute(
        sa.select(Party.cooperation_id, Organisation.name)
        .join(Organisation, Organisation.id == Party.organisation_id)
        .where(Party.cooperation_id.in_(cooperation_ids))
        .order_by(Party.position)
    ):
        found.setdefault(cooperation_id, []).append(name)
    return {key: tuple(names) for key, names in found.items()}


def _revisions(checklist_ids: list[UUID]) -> dict[UUID, _Newest]:
    signed = (
        sa.select(sa.func.count(Signature.id))
        .where(Signature.revision_id == Revision.id, Signature.kind == SignatureKind.SIGNATURE)
        .correlate(Revision)
        .scalar_subquery()
    )
    places = (
        sa.select(sa.func.count(SignaturePlace.id))
        .where(SignaturePlace.request_id == SignatureRequest.id)
        .correlate(SignatureRequest)
        .scalar_subquery()
    )
    found: dict[UUID, _Newest] = {}
    for subject_id, number, state, given, asked in db.session.execute(
        sa.select(Revision.subject_id, Revision.number, SignatureRequest.state, signed, places)
        .join(SignatureRequest, SignatureRequest.revision_id == Revision.id)
        .where(Revision.subject_id.in_(checklist_ids))
        .order_by(Revision.number)
    ):
        found[subject_id] = _Newest(number, state, given, asked)
    return found


def _answers(checklist_ids: list[UUID]) -> dict[UUID, dict[str, Mapping[str, Any]]]:
    """Return the form (M3) and the last day (C1) as they are written now; both are class K8."""
    found: dict[UUID, dict[str, Mapping[str, Any]]] = {}
    for row in db.session.scalars(
        sa.select(Answer).where(
            Answer.checklist_id.in_(checklist_ids),
            Answer.item.in_(("M3", "C1")),
            Answer.scope == AnswerScope.SHARED,
            Answer.is_current,
        )
    ):
        found.setdefault(row.checklist_id, {})[row.item] = row.values or {}
    return found


def _day(text: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def _date_of(moment: dt.datetime | None) -> dt.date | None:
    return moment.astimezone(clock.zone()).date() if moment else None
