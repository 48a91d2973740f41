"""Until when the duty of confidentiality lasts once a cooperation has ended (C17)."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, Notice, NoticeKind
from tracker.core.db import db
from tracker.signoff.models import Revision
from tracker.undertakings import queries as undertakings
from tracker.undertakings.models import Undertaking


def last_days(
    cooperation_id: UUID, *, ended_on: dt.date, standing_id: UUID | None
) -> list[dt.date]:
    """Return the last days of confidentiality of a cooperation that has ended (C17).

    It lasts for the years of each text under which anybody had access, else of the standing one,
    from the day on which the notice ended the cooperation, or ended_on without a notice. Whoever
    signed for ten years is bound by them, also if the parties agreed on fewer later.
    """
    first_day = _ended_on(cooperation_id) or ended_on
    texts = _texts_of_access(cooperation_id, standing_id)
    all_years = [years for text in texts if (years := undertakings.terms_of(text).years)]
    return [_years_later(first_day, years) for years in all_years]


def _ended_on(cooperation_id: UUID) -> dt.date | None:
    """Return the first day without the terms, by the notice that ended them; None without one."""
    return db.session.scalar(
        sa.select(sa.func.max(Notice.from_on))
        .join(Checklist, Checklist.id == Notice.checklist_id)
        .where(
            Checklist.cooperation_id == cooperation_id,
            Checklist.kind == ChecklistKind.TERMS,
            Checklist.visit_id.is_(None),
            Notice.kind == NoticeKind.ENDED,
            Notice.taken_effect_at.is_not(None),
        )
    )


def _texts_of_access(cooperation_id: UUID, or_else: UUID | None) -> Sequence[Revision]:
    """Return the terms on confidentiality under which anybody had access, else another."""
    signed = sa.select(Undertaking.terms_revision_id).where(
        Undertaking.cooperation_id == cooperation_id, Undertaking.countersigned_at.is_not(None)
    )
    return db.session.scalars(
        sa.select(Revision)
        .where(sa.or_(Revision.id.in_(signed), sa.and_(Revision.id == or_else, ~signed.exists())))
        .order_by(Revision.number)
    ).all()


def _years_later(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)
