"""Renewal of a text in force: by its own rule, or by new dates that all parties sign (M19)."""

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import Decision, no
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.witness import NotSoundError
from tracker.agreements import evidence, frozen_text, notices
from tracker.agreements import service as agreements
from tracker.agreements.evidence import Compared
from tracker.agreements.service import SUBJECT
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import heads, messages, policy
from tracker.checklists import service as checklists
from tracker.checklists.heads import lock
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist, NoticeKind, Renewal
from tracker.checklists.negotiation import positions
from tracker.checklists.rules.values import as_date
from tracker.cooperations.models import Cooperation
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.signoff.models import Revision
from tracker.signoff.outcomes import Outcome

ITEM = "M19"
MONTHS = 12
# How much later a last day has to be for a further term; one that is less later was corrected.
# Nothing that all have signed or that events record says which it was: Renew opens the same
# amendment of M19 as others do, and its dates can change until everybody has signed. A corrected
# day that is taken for a further term only makes the terms that follow shorter. That is the safe
# mistake: they go on renewing, and each party can object sooner (S7).
SHORTEST = dt.timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Term:
    """The first and last day of a text, both inclusive, and the review day that all signed."""

    start: dt.date
    end: dt.date
    review: dt.date | None = None
    renews_itself: bool = False


def term_in(document: Mapping[str, Any]) -> Term | None:
    """Return the term named in the signed agreed terms; None if they name none."""
    values = frozen_text.values_in(document, ITEM)
    start, end = as_date(values.get("start")), as_date(values.get("end"))
    if start is None or end is None:
        return None
    return Term(start, end, as_date(values.get("review")), notices.renews_itself(document))


def signed_review(checklist: Checklist) -> dt.date | None:
    """Return the review day that M19 of the agreed terms in force names, whatever renewed since."""
    document = notices.standing_document(checklist)
    return as_date(frozen_text.values_in(document, ITEM).get("review")) if document else None


def signed_term(checklist: Checklist) -> Term | None:
    """Return the term that M19 of the agreed terms in force names, whatever renewed since."""
    document = notices.standing_document(checklist)
    return term_in(document) if document else None


def term_of(checklist: Checklist) -> Term | None:
    """Return the current term of a text, including renewals; None if it has none."""
    term = signed_term(checklist)
    revision_id = notices.standing_revision_id(checklist)
    if term is None or revision_id is None:
        return None
    last = _renewals(revision_id)
    return Term(last[-1][0], last[-1][1], last[-1][2], term.renews_itself) if last else term


def began(term: Term, earlier: Iterable[dt.date]) -> dt.date:
    """Return the first day of the term that ends with this text's.

    earlier are the last days of the texts that were in force before. A text that prolongs one of
    them keeps its first day (M19), but its term is the further one, which begins after that day.
    """
    ends = [end for end in earlier if term.start <= end <= term.end - SHORTEST]
    return max(ends) + dt.timedelta(days=1) if ends else term.start


def next_term(term: Term, since: dt.date | None = None) -> Term:
    """Return the following term, of the same length: in whole months if the current one is.

    The current one counts from since, as began() says, or else from the first day. The review keeps
    its distance from the end; if the term is shorter than that, it is in the middle.
    """
    start, first = term.end + dt.timedelta(days=1), since or term.start
    if start.day == first.day:
        months = (start.year - first.year) * MONTHS + start.month - first.month
        end = _months_later(start, months) - dt.timedelta(days=1)
    else:
        end = start + (term.end - first)
    review = end - (term.end - term.review) if term.review else None
    if review is not None and review <= start:
        review = start + (end - start) // 2
    return Term(start, end, review, term.renews_itself)


def term_after(checklist: Checklist, term: Term) -> Term:
    """Return the term that follows a text's current one."""
    return next_term(term, _began(evidence.look(checklist), term))


def _began(compared: Compared, term: Term) -> dt.date:
    replaced = [
        compared.last(revision_id)
        for revision_id, outcome in compared.course.outcomes.items()
        if outcome is Outcome.SUPERSEDED
    ]
    return began(term, [last for last in replaced if last is not None])


def _months_later(day: dt.date, months: int) -> dt.date:
    years, month = divmod(day.month - 1 + months, MONTHS)
    year = day.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return day.replace(year=year, month=month + 1, day=min(day.day, last))


def _renewals(revision_id: UUID) -> list[tuple[dt.date, dt.date, dt.date | None]]:
    """Return the terms added to a revision in order, each with first day, last day and review."""
    rows = db.session.scalars(
        sa.select(Renewal).where(Renewal.revision_id == revision_id).order_by(Renewal.number)
    ).all()
    return [(row.from_on, row.until_on, row.review_on) for row in rows]


def over(day: dt.date) -> Sequence[UUID]:
    """Return the agreed terms in force or suspended whose term ended before a day; for the worker.

    Includes those that don't renew automatically: only their text says so.
    """
    return db.session.scalars(
        sa.select(Checklist.id)
        .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
        .where(_is_over(day))
        .order_by(Cooperation.ends_on, Checklist.id)
    ).all()


def renew(checklist_id: UUID, day: dt.date) -> bool:
    """Renew a text whose term has ended, if it renews automatically; return whether it did.

    A text isn't renewed if a party has given notice that ends it by then (M19: unless a party says
    no in time). A suspended one is renewed and stays suspended: to suspend isn't to say no, and
    nobody agreed that it ends. For the worker; skips a text that is locked. Raise NotSoundError if
    its rows disagree with its signatures and events.
    """
    checklist = db.session.scalar(
        sa.select(Checklist)
        .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
        .where(Checklist.id == checklist_id, _is_over(day))
        .with_for_update(of=Checklist, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if checklist is None:
        return False
    lock(checklist)
    if not _renew_until(checklist, day):
        return False
    messages.notice_was_given(checklist.id, agreements.everyone(load(checklist)))
    return True


def goes_on_after_its_term(cooperation_id: UUID) -> bool:
    """Return whether a cooperation's agreed terms renew themselves: nobody has said no.

    For clearances.RENEWS_ITSELF.
    """
    own = (row for row in heads.of_cooperation(cooperation_id) if row.kind is ChecklistKind.TERMS)
    checklist = next(own, None)
    term = term_of(checklist) if checklist else None
    if checklist is None or term is None:
        return False
    return term.renews_itself and not _says_no(checklist, term)


def renew_signed_late(checklist: Checklist) -> dt.date | None:
    """Renew terms that were signed after their last day; return the new last day.

    An amendment signed after a renewal repeats the original dates of M19; if it renews
    automatically, its term continues like that of the text it replaces. None if it doesn't, or if
    its rows disagree with its signatures and events: the worker then reports that.
    """
    try:
        is_renewed = _renew_until(checklist, clock.today())
    except NotSoundError:
        return None
    if not is_renewed:
        return None
    term = term_of(checklist)
    return term.end if term else None


def _renew_until(checklist: Checklist, day: dt.date) -> bool:
    """Add terms until one contains a day; return False if none has to be added.

    A term that nobody signed has no review of its own: the one that all signed stays due until it
    is held (G5). Raise NotSoundError if rows disagree with signatures and events.
    """
    term = term_of(checklist)
    revision_id = notices.standing_revision_id(checklist)
    if term is None or revision_id is None or not term.renews_itself or term.end >= day:
        return False
    # A renewal is an event that others rely on: changed rows must not lead to one.
    compared = evidence.look(checklist)
    if not compared.agrees:
        raise NotSoundError
    if _says_no(checklist, term):
        return False
    while term.end < day:
        term = replace(next_term(term, _began(compared, term)), review=term.review)
        _add(checklist, revision_id, term)
    return True


def _is_over(day: dt.date) -> sa.ColumnElement[bool]:
    """Return the condition over Checklist and its cooperation, which has the dates of M19."""
    return sa.and_(
        Checklist.kind == ChecklistKind.TERMS,
        Checklist.visit_id.is_(None),
        sa.or_(
            Checklist.revision_in_force_id.is_not(None),
            Checklist.stopped_by == NoticeKind.SUSPENDED,
        ),
        Cooperation.ends_on < day,
    )


def _add(checklist: Checklist, revision_id: UUID, term: Term) -> None:
    """Add a term to a revision, and record its event."""
    renewal = Renewal(
        id=uuid4(),
        checklist_id=checklist.id,
        revision_id=revision_id,
        number=1 + len(_renewals(revision_id)),
        from_on=term.start,
        until_on=term.end,
        review_on=term.review,
        renewed_at=clock.now(),
    )
    db.session.add(renewal)
    db.session.flush()
    trail.record(
        verbs.TEXT_RENEWED,
        actor=None,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        evidence=canonical.digest_of(renewal.content()),
        kind=checklist.kind.value,
        revision=db.session.get_one(Revision, revision_id).number,
        since=term.start.isoformat(),
        until=term.end.isoformat(),
        review=term.review.isoformat() if term.review else "",
    )


def _says_no(checklist: Checklist, term: Term) -> bool:
    return any(
        notice.kind is NoticeKind.ENDED and notice.from_on <= term.end + dt.timedelta(days=1)
        for notice in notices.open_notices(checklist)
    )


def can_renew(actor: Actor, loaded: LoadedChecklist) -> Decision:
    """Decide whether a person may propose new dates for the agreed terms, as an amendment."""
    if loaded.checklist.kind is not ChecklistKind.TERMS:
        return no(_l("Only the agreed terms can be renewed; other texts are amended."))
    return policy.can_amend(
        actor, loaded.own_party(actor), loaded.checklist.state, goes_on=loaded.goes_on()
    )


def propose_renewal(
    actor: Actor,
    checklist: Checklist,
    *,
    start: dt.date | None = None,
    review: dt.date,
    end: dt.date,
    reason: str,
) -> None:
    """Open M19 as an amendment and propose new dates, in force once all have signed them.

    Raise RefusedError as can_renew says, otherwise like open_renewal.
    """
    can_renew(actor, load(checklist)).require()
    open_renewal(actor, checklist, start=start, review=review, end=end, reason=reason)


def open_renewal(
    actor: Actor,
    checklist: Checklist,
    *,
    start: dt.date | None = None,
    review: dt.date,
    end: dt.date,
    reason: str,
) -> None:
    """Open M19 and propose new dates, for a coordinator or because all parties decided so (G6).

    Without a start, the first day stays. The caller has asked whether the actor may. Raise
    RuleBrokenError with the field start or review.
    """
    cooperation = db.session.get_one(Cooperation, checklist.cooperation_id)
    first = start or cooperation.starts_on
    if not review <= end or (first is not None and not first < review):
        raise RuleBrokenError(
            _l("The review must come after the start and not after the end."), "review"
        )
    agreements.open_amendment(actor, checklist, reason=reason, items=[ITEM])
    current = load(checklist).sheet.shared(ITEM)
    days = {"start": first, "review": review, "end": end}
    dates = {key: day.isoformat() for key, day in days.items() if day is not None}
    if current is None:  # an agreement recorded from paper, whose dates nobody filled in
        checklists.save_answer(actor, checklist, ITEM, AnswerScope.SHARED, dates, base_version=0)
        return
    positions.propose(
        actor,
        checklist,
        ITEM,
        {**current.values, **dates},
        answer_id=current.answer_id,
        reason=reason,
    )
