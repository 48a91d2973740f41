"""How the texts of a visit begin as it is planned: with the model text, or as at an earlier visit.

Nobody has read any of it then: each party reads and accepts it like any text from elsewhere
(adr 22, 93 and 125).

In one file: how the texts begin, and what is known about people to begin them with.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.accounts import queries as accounts
from tracker.activity import service as trail
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import policy
from tracker.checklists import queries as checklists
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.model_texts import library
from tracker.checklists.model_texts.schema import Task
from tracker.checklists.models import Answer, Checklist, CopiedAnswer, CopySource
from tracker.checklists.reuse import beginning, copying, visit_tasks
from tracker.checklists.rules.values import as_id
from tracker.cooperations import people
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.ui import locale
from tracker.undertakings.facts import LIST, rows_of_list
from tracker.visits import queries
from tracker.visits.models import Visit, VisitStage

# The texts of a visit, in the order in which they are agreed.
ROLES = ChecklistKind.VISIT_ROLES
KINDS = (ROLES, ChecklistKind.URGENT_PLAN)
LATER = "later"
# The pages in the read log: that of copying answers, and who was on a team.
COPIED, TEAM_BEFORE = "copied", "visit_team_before"
TASKS = tuple(task for task in Task if task in visit_tasks.CIRCLES)
MODEL, FORMER = "model-", "visit-"
BRIEFING = "V18"
# The skill written for lead and deputy if no other is known (V4).
LEADERS = (_l("Team lead"), _l("Deputy"))
UNUSED = _l("Choose the model text, or leave this empty.")


@dataclass(frozen=True, slots=True)
class TextPlan:
    """How the texts begin: in which language of the model text, or as at an earlier visit.

    former is that visit, None if the person may read none; it says who was on a team before, even
    if nothing is copied. fallback is for a copy of what other parties agreed. tasks says who takes
    which task of the visit, where the model text has a place for somebody; briefing is its day,
    None if it is counted from the visit as the text does.
    """

    language: str = ""
    former: Visit | None = None
    is_copied: bool = False
    # The language of the model text that takes the place of a copy; empty if nothing does.
    fallback: str = ""
    tasks: Mapping[str, UUID] = field(default_factory=dict)
    briefing: dt.date | None = None

    @property
    def given(self) -> copying.GivenValues:
        """What was entered that takes the place of a text's values, by item."""
        return {BRIEFING: {"briefing": self.briefing.isoformat()}} if self.briefing else {}


def may_copy(actor: Actor) -> bool:
    """Return whether a person's roles let them begin texts with copied answers."""
    return actor.has(*policy.COPIERS)


def may_use_model(actor: Actor) -> bool:
    """Return whether a person's roles let them begin texts with the model text (M5, S6)."""
    return actor.acts_for_npm and actor.has(*policy.MODEL_USERS)


def can_open_next(actor: Actor, cooperation_id: UUID) -> bool:
    """Return whether a person can open the texts of a visit once they have planned it (K2).

    They are listed for it then, but an outside expert needs a clearance for the cooperation.
    """
    return not actor.needs_clearance or actor.cleared_for(cooperation_id)


def former_visit(actor: Actor, cooperation_id: UUID, *, but: UUID | None = None) -> Visit | None:
    """Return the newest visit of which both texts have something to copy, or None.

    It is open to the person and wasn't stopped. but is the visit that is being planned, which a
    form that is sent twice has planned already.
    """
    written = [
        sa.exists()
        .where(
            Checklist.visit_id == Visit.id,
            Checklist.kind == kind,
            Answer.checklist_id == Checklist.id,
            Answer.is_current,
            Answer.not_applicable.is_(False),
            Answer.item.not_in(beginning.PLANNED),
            sa.or_(Answer.scope == AnswerScope.SHARED, Answer.owner_id == actor.organisation_id),
        )
        .correlate(Visit)
        for kind in KINDS
    ]
    return db.session.scalar(
        sa.select(Visit)
        .where(
            Visit.cooperation_id == cooperation_id,
            Visit.stage != VisitStage.STOPPED,
            sa.true() if but is None else Visit.id != but,
            queries.planning_visible(actor),
            *written,
        )
        .order_by(Visit.number.desc())
        .limit(1)
    )


def languages(offered: Iterable[str]) -> list[str]:
    """Return those of some languages in which both texts exist."""
    written = [set(library.languages(kind)) for kind in KINDS]
    return [code for code in offered if all(code in codes for codes in written)]


def text_plan(
    way: str | None,
    former: Visit | None,
    tasks: Mapping[str, UUID],
    briefing: dt.date | None = None,
    *,
    fallback: str = "",
) -> TextPlan:
    """Return what was chosen on the form.

    Raise RuleBrokenError with the field if something was given that this way doesn't use.
    """
    if way and way.startswith(MODEL):
        return TextPlan(way.removeprefix(MODEL), former, tasks=tasks, briefing=briefing)
    is_copied = former is not None and way == f"{FORMER}{former.number}"
    if briefing is not None and not is_copied:
        raise RuleBrokenError(UNUSED, "briefing")
    for task in tasks:
        raise RuleBrokenError(UNUSED, task)
    return TextPlan(former=former, is_copied=is_copied, fallback=fallback, briefing=briefing)


class Begun(enum.Enum):
    """How the texts of a visit that was planned begin."""

    EMPTY = "empty"
    WITH_WORDS = "with_words"
    # With the model text, since other parties agreed the texts that were to be copied.
    REPLACED = "replaced"


def how_begun(actor: Actor, visit: Visit, way: str | None, former: Visit | None) -> Begun:
    """Return how the texts of a visit begin, also if its form was sent twice.

    way is what was chosen on the form, and former the visit that could be copied.
    """
    sources = set(
        db.session.scalars(
            sa.select(CopiedAnswer.source)
            .join(Checklist, Checklist.id == CopiedAnswer.checklist_id)
            .where(Checklist.visit_id == visit.id)
            .distinct()
        )
    )
    if not sources:
        return Begun.EMPTY
    is_copied = CopySource.CHECKLIST in sources
    if is_copied or former is None or way != f"{FORMER}{former.number}":
        return Begun.WITH_WORDS
    is_replaced = _others_agreed(actor, _of_visit(visit.id)[ROLES], former)
    return Begun.REPLACED if is_replaced else Begun.WITH_WORDS


def fitting(actor: Actor, roles: Checklist, chosen: TextPlan) -> TextPlan:
    """Return how the texts of a visit begin, whose roles have their parties by now.

    With the model text where they would be copied from a visit that other parties agreed.
    """
    former = chosen.former if chosen.is_copied and chosen.fallback else None
    if former is None or not _others_agreed(actor, roles, former):
        return chosen
    return replace(chosen, is_copied=False, language=chosen.fallback)


def _others_agreed(actor: Actor, roles: Checklist, former: Visit) -> bool:
    """Return whether an earlier visit's roles had other parties than these, so can't be copied."""
    before = checklists.of_visit(actor, former.id).get(ROLES)
    return before is not None and checklists.earlier_checklist(actor, roles, before.id) is None


def begin(actor: Actor, visit: Visit, chosen: TextPlan) -> None:
    """Begin both texts of a visit that is being planned, unless that is chosen later.

    Raise RuleBrokenError with the field if somebody who was chosen can't take that task, if a text
    has no place for what was given, or if the earlier visit had other parties.
    """
    if not chosen.is_copied and not chosen.language:
        return
    texts = _of_visit(visit.id)
    if chosen.is_copied and chosen.former is not None:
        formers = checklists.of_visit(actor, chosen.former.id)
        read = [formers[kind] for kind in KINDS if kind in formers]
        if read:
            _note_reading(actor, read, COPIED)
        for kind in KINDS:
            _copy(actor, texts[kind], formers.get(kind), chosen)
        return
    loaded = {kind: load(texts[kind]) for kind in KINDS}
    leaders = visit_tasks.leaders(actor, loaded[ROLES])
    offered = {kind: _offered(loaded[kind]) for kind in KINDS}
    _require_offered(chosen.tasks, offered.values())
    for kind in KINDS:
        # A task of the other text only: the roles say it of whoever takes it (V5).
        elsewhere = {t: person for t, person in chosen.tasks.items() if t not in offered[kind]}
        beginning.begin(
            actor,
            texts[kind],
            chosen.language,
            seen=None,
            chosen={t: str(person) for t, person in chosen.tasks.items() if t in offered[kind]},
            given=chosen.given,
            leaders={**leaders, **elsewhere},
            loaded=loaded[kind],
        )


def _note_reading(actor: Actor, read: Sequence[Checklist], page: str) -> None:
    """Log that a person has an earlier visit's checklists read for a new one (K2)."""
    trail.log_reads(
        actor,
        cooperation_id=read[0].cooperation_id,
        subject_type="checklist",
        subject_ids=[checklist.id for checklist in read],
        page=page,
    )


def _of_visit(visit_id: UUID) -> dict[ChecklistKind, Checklist]:
    rows = db.session.scalars(sa.select(Checklist).where(Checklist.visit_id == visit_id))
    return {row.kind: row for row in rows}


# Who can be chosen, by task.
Offered = Mapping[str, set[UUID]]


def _offered(loaded: LoadedChecklist) -> Offered:
    return {
        given.task.value: {person for person, _name in given.people}
        for given in visit_tasks.to_give(loaded)
    }


def _require_offered(tasks: Mapping[str, UUID], offered: Iterable[Offered]) -> None:
    """Require that each task is one of a text, and that whoever was chosen can take it there."""
    texts = list(offered)
    for task, person in tasks.items():
        circles = [text[task] for text in texts if task in text]
        if not circles:
            raise RuleBrokenError(
                _l("Neither text has a place for this person. Leave this empty."), task
            )
        if not all(person in circle for circle in circles):
            raise RuleBrokenError(_l("Choose somebody on the team, or a person of the NPM."), task)


def _copy(actor: Actor, checklist: Checklist, former: Checklist | None, chosen: TextPlan) -> None:
    before = former and checklists.earlier_checklist(actor, checklist, former.id)
    look = copying.preview(actor, load(checklist), load(before)) if before else None
    number = chosen.former.number if chosen.former else ""
    if before is None or look is None or not look.codes:
        words = _l(
            "The texts of joint visit %(number)s can't be copied, because other parties agreed "
            "them or nothing is written in them. Choose another way to begin.",
            number=number,
        )
        raise RuleBrokenError(words, "beginning")
    if checklist.kind is ROLES and chosen.given and not _is_shared(look, BRIEFING):
        words = _l(
            "Joint visit %(number)s says nothing of a briefing that can be copied. Leave this "
            "empty, or choose the model text.",
            number=number,
        )
        raise RuleBrokenError(words, "briefing")
    copying.copy(
        actor, checklist, before.id, sorted(look.codes), seen=look.seen, given=chosen.given
    )


def _is_shared(look: copying.Preview, code: str) -> bool:
    """Return whether what all parties agree on would be copied of an item."""
    return any(
        offer.item.code == code and part.scope is AnswerScope.SHARED
        for offer in look.offers
        for part in offer.answers
    )


# What is known of people -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a person, for their row in the team (V4)."""

    skill: str = ""
    languages: str = ""

    def completed_by(self, other: "Known | None") -> "Known":
        """Return this with what only the other one says."""
        if other is None:
            return self
        return Known(self.skill or other.skill, self.languages or other.languages)


def complete(
    actor: Actor,
    roles: Checklist,
    typed: Mapping[UUID, Known],
    texts: TextPlan,
) -> dict[UUID, Known]:
    """Return what is known of the people on a new visit's team, where nothing was typed.

    From the team of an earlier visit, why somebody was on it only if its roles had the same
    parties; otherwise from the list of who must sign (C2) and from the language of people's
    accounts. roles are those of the new visit. Reading the earlier team is logged if it was of use
    and isn't logged anyway, as copying its text is.
    """
    former = texts.former
    earlier = checklists.of_visit(actor, former.id).get(ROLES) if former else None
    before = dict(_team_before(actor, roles, earlier)) if earlier is not None else {}
    known = {user_id: own.completed_by(before.get(user_id)) for user_id, own in typed.items()}
    if earlier is not None and known != typed and not texts.is_copied:
        _note_reading(actor, [earlier], TEAM_BEFORE)
    functions = _functions(roles.cooperation_id)
    contacts = accounts.contacts(typed)
    return {
        user_id: own.completed_by(
            Known(
                functions.get(user_id, ""),
                locale.name_of(contacts[user_id].language) if user_id in contacts else "",
            )
        )
        for user_id, own in known.items()
    }


def _team_before(
    actor: Actor, roles: Checklist, earlier: Checklist
) -> Iterator[tuple[UUID, Known]]:
    """Yield what an earlier team's rows say of people (V4), without the words for its leaders."""
    same_parties = checklists.earlier_checklist(actor, roles, earlier.id) is not None
    leading = _words_for_leaders()
    for row in load(earlier).sheet.value("V4", "team") or ():
        user_id = as_id(row.get("person"))
        if user_id is None:
            continue
        skill = (row.get("skill") or "").strip()
        counts = same_parties and skill not in leading
        yield user_id, Known(skill if counts else "", row.get("languages") or "")


def _words_for_leaders() -> set[str]:
    """Return the words that planning writes for lead and deputy, in each language."""
    words = set()
    for language in locale.languages():
        with force_locale(language.code):
            words |= {str(leader) for leader in LEADERS}
    return words


def _functions(cooperation_id: UUID) -> dict[UUID, str]:
    """Return what people do for a cooperation, as the parties in it today list them (C2)."""
    checklist = db.session.scalar(
        sa.select(Checklist).where(
            Checklist.cooperation_id == cooperation_id,
            Checklist.kind == ChecklistKind.CONFIDENTIALITY,
            Checklist.visit_id.is_(None),
        )
    )
    if checklist is None:
        return {}
    loaded = load(checklist)
    parties = {party.organisation_id for party in people.parties(loaded.cooperation)}
    return {
        user_id: row["function"]
        for (code, scope, owner), answer in loaded.sheet.answers.items()
        if code == LIST and scope is AnswerScope.PARTY and owner in parties
        if not answer.not_applicable
        for user_id, row in rows_of_list(answer.values)
        if row.get("function")
    }
