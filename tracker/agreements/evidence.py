"""The status of checklist texts as their evidence shows it, and whether the rows agree.

In one file: a text is compared beside the agreed terms of its cooperation, in the same statements.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm.attributes import set_committed_value

from tracker.activity import verbs, witness
from tracker.activity.witness import DetailedEvent, NotSoundError
from tracker.agreements import beginnings
from tracker.agreements.claims import Claims, open_notices, outcome_on, state_of
from tracker.agreements.text_facts import TextFacts, facts_of, facts_of_unencrypted
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.beside import TextOnPage
from tracker.checklists.labels import ENDED_WITH_VISIT, NOTICE_STATES
from tracker.checklists.models import (
    Checklist,
    ChecklistState,
    Notice,
    NoticeKind,
    Renewal,
)
from tracker.cooperations import keys
from tracker.core import canonical, clock
from tracker.core.db import Identifier, db
from tracker.core.errors import KeyDestroyedError, UnreadableError
from tracker.signoff import bound
from tracker.signoff import service as signoff
from tracker.signoff.bound import Bound
from tracker.signoff.labels import DISAGREES, REQUEST_STATES, validity_words
from tracker.signoff.models import RequestState, Revision, Signature, SignatureRequest
from tracker.signoff.outcomes import Course, Outcome, Validity, validity

SUBJECT = "checklist"
# A revision, the state of its signature request, and the last day to sign it.
_Request = tuple[UUID, RequestState, dt.date | None]
# The outcomes that change with the agreed terms beside a text.
GOES_ON = frozenset({Outcome.WAITING, Outcome.IN_FORCE, Outcome.SUSPENDED})
# How many texts are kept in memory at a time.
AT_A_TIME = 25
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
# For statements that read other events of a cooperation too; with the values of wanted().
IS_ABOUT = sa.or_(bound.IS_ABOUT, beginnings.IS_ABOUT)
VERBS = {*bound.VERBS, *beginnings.VERBS}
_EVENTS = witness.about_with_details(IS_ABOUT, VERBS)
_NO_ID = sa.cast(sa.null(), Identifier())
# What belongs to texts: their revisions, notices and renewals, each in rows of its own.
_PLACES = sa.union_all(
    sa.select(
        Revision.subject_id.label("checklist_id"),
        Revision.id.label("revision_id"),
        _NO_ID.label("notice_id"),
        _NO_ID.label("renewal_id"),
    ).where(Revision.subject_type == SUBJECT, Revision.subject_id.in_(_IDS)),
    sa.select(Notice.checklist_id, _NO_ID, Notice.id, _NO_ID).where(Notice.checklist_id.in_(_IDS)),
    sa.select(Renewal.checklist_id, _NO_ID, _NO_ID, Renewal.id).where(
        Renewal.checklist_id.in_(_IDS)
    ),
).subquery()
_TO_READ = sa.or_(
    Revision.id.in_(sa.bindparam("whole_ids", expanding=True)),
    sa.and_(
        Revision.id.in_(sa.bindparam("to_read", expanding=True)), Revision.is_sealed.is_(False)
    ),
)
_BESIDE = (
    sa.select(
        _PLACES.c.checklist_id,
        Revision.id.label("revision_id"),
        Revision.kind,
        Revision.digest,
        sa.case((_TO_READ, Revision.document)).label("document"),
        SignatureRequest.revision_id.label("sent_id"),
        SignatureRequest.state,
        SignatureRequest.expires_on,
        Notice,
        Renewal,
    )
    .outerjoin(Revision, Revision.id == _PLACES.c.revision_id)
    .outerjoin(SignatureRequest, SignatureRequest.revision_id == Revision.id)
    .outerjoin(Notice, Notice.id == _PLACES.c.notice_id)
    .outerjoin(Renewal, Renewal.id == _PLACES.c.renewal_id)
    .execution_options(yield_per=AT_A_TIME)
)
# Found by what was frozen, which events bind: nobody hides terms by changing their row.
_AGREED_TERMS = sa.select(Revision.cooperation_id, Checklist).where(
    Revision.cooperation_id.in_(_IDS),
    Revision.subject_type == SUBJECT,
    Revision.kind == ChecklistKind.TERMS.value,
    Revision.number == 1,
    Checklist.id == Revision.subject_id,
)


@dataclass(frozen=True, slots=True)
class Compared:
    """The outcome of a checklist's texts, and whether its rows agree with it."""

    course: Course
    # Whether texts, signatures and events agree with each other; and whether the rows agree too.
    is_sound: bool
    agrees: bool
    # For the revisions that were read.
    text_facts: Mapping[UUID, TextFacts] = field(default_factory=dict)
    # The last day of each revision's renewals, according to the events.
    renewed: Mapping[UUID, dt.date] = field(default_factory=dict)
    # The open notices, according to the events.
    notices: Collection[Notice] = ()
    # The last day to sign each revision, by its text, or by its request if that wasn't read.
    signed_until: Mapping[UUID, dt.date] = field(default_factory=dict)
    # Whether the visit it was started for was stopped, according to the events.
    visit_is_stopped: bool = False
    # Whether the agreed terms of its cooperation have ended, and their last day, also by a notice
    # that is still to come: both end it too.
    terms_have_ended: bool = False
    terms_last: dt.date | None = None
    # Whether nobody can tell that, since their texts, signatures and events disagree.
    terms_are_unknown: bool = False
    # The signatures that were read, by revision.
    signatures: Mapping[UUID, Sequence[Signature]] = field(default_factory=dict)
    # The revisions that were read whole (compare).
    whole: Mapping[UUID, Revision] = field(default_factory=dict)

    def outcome(self, revision_id: UUID) -> Outcome | None:
        """Return today's outcome of a revision by the evidence; None if it can't be determined.

        From the day of a notice on it's suspended or has ended, and after the last day to sign it
        has run out, even before the worker applies that. It ends with its visit, and with the
        agreed terms of its cooperation: what goes on can't be determined if these can't.
        """
        recorded = self.recorded(revision_id)
        if recorded is None or (self.terms_are_unknown and recorded in GOES_ON):
            return None
        today = clock.today()
        outcome = outcome_on(
            today,
            recorded,
            self.notices,
            signed_until=self.signed_until.get(revision_id),
            visit_is_stopped=self.visit_is_stopped,
            terms_have_ended=self.terms_have_ended or self._ends_what_waits(recorded),
            last=self.last(revision_id),
        )
        runs = outcome in {Outcome.IN_FORCE, Outcome.SUSPENDED}
        return Outcome.ENDED if runs and self._is_after_terms(today) else outcome

    def is_in_force(self, revision_id: UUID) -> bool:
        """Return whether a revision is in force today; not if its rows say something else."""
        return (
            self.agrees
            and self.outcome(revision_id) is Outcome.IN_FORCE
            and self.validity(revision_id) is Validity.IN_FORCE
        )

    def _ends_what_waits(self, recorded: Outcome) -> bool:
        """Return whether a notice has ended the text that a waiting one would amend.

        Only until the worker applies it: a text that has ended can be agreed again.
        """
        standing_id = self.course.standing_id
        if recorded is not Outcome.WAITING or standing_id is None:
            return False
        return self.recorded(standing_id) is not Outcome.ENDED and self.was_ended(standing_id)

    def _is_after_terms(self, day: dt.date) -> bool:
        return self.terms_last is not None and self.terms_last < day

    def ended_with_visit(self, revision_id: UUID) -> bool:
        """Return whether a revision ended because its visit was stopped."""
        recorded = self.recorded(revision_id)
        return (
            self.visit_is_stopped
            and recorded is not Outcome.ENDED
            and self.outcome(revision_id) is Outcome.ENDED
        )

    def beside(self, terms: "Compared") -> "Compared":
        """Return it as a text of the same cooperation as the agreed terms, which end it too.

        Agreed terms that nobody has signed yet end nothing. Beside terms whose signatures and
        events disagree, nothing that goes on agrees either.
        """
        if not terms.is_sound:
            goes_on = not GOES_ON.isdisjoint(self.course.outcomes.values())
            return replace(self, agrees=self.agrees and not goes_on, terms_are_unknown=True)
        standing_id = terms.course.standing_id
        if standing_id is None:
            return self
        has_ended = terms.was_ended(standing_id)
        return replace(self, terms_have_ended=has_ended, terms_last=terms.ends_on(standing_id))

    def was_ended(self, revision_id: UUID) -> bool:
        """Return whether a notice has ended a revision by today, whatever its last day is."""
        recorded = self.recorded(revision_id)
        if recorded is None:
            return False
        return outcome_on(clock.today(), recorded, self.notices) is Outcome.ENDED

    def recorded(self, revision_id: UUID) -> Outcome | None:
        """Return the outcome that events recorded, for what changes with them, such as stages."""
        return self.course.outcomes.get(revision_id) if self.is_sound else None

    def first(self, revision_id: UUID) -> dt.date | None:
        """Return the first day of a revision, if its text names one."""
        words = self.text_facts.get(revision_id)
        return words.first if words else None

    def last(self, revision_id: UUID) -> dt.date | None:
        """Return the last day of a revision including renewals, if it has one."""
        words = self.text_facts.get(revision_id)
        return self.renewed.get(revision_id) or (words.last if words else None)

    def ends_on(self, revision_id: UUID) -> dt.date | None:
        """Return the last day of a revision by its text, by notices, and by the agreed terms.

        A notice counts before its day too, unless it ends the text after its own last day.
        """
        days = [
            self.last(revision_id),
            self.terms_last,
            *(
                notice.from_on - dt.timedelta(days=1)
                for notice in self.notices
                if notice.kind is NoticeKind.ENDED
            ),
        ]
        return min((day for day in days if day), default=None)

    def validity(self, revision_id: UUID) -> Validity:
        """Return today's status of a fully signed revision that is not suspended or ended."""
        return validity(self.first(revision_id), self.last(revision_id), clock.today())


def on_pages(checklists: Collection[Checklist]) -> dict[UUID, TextOnPage]:
    """Return the status of checklists' texts as pages show it; nothing for a first draft."""
    texts = {checklist.id: TextOnPage(agrees=True) for checklist in checklists}
    compared = compare([checklist for checklist in checklists if not _is_first_draft(checklist)])
    texts.update({checklist_id: on_page(text) for checklist_id, text in compared.items()})
    return texts


def on_page(text: Compared) -> TextOnPage:
    """Return the status of a text that was compared, as pages show it."""
    standing_id = text.course.standing_id
    if standing_id is None:
        return TextOnPage(text.agrees)
    words, mark = words_of(text, standing_id)
    return TextOnPage(text.agrees, words, mark, text.is_in_force(standing_id))


def _is_first_draft(checklist: Checklist) -> bool:
    return checklist.state is ChecklistState.DRAFTING and not (
        checklist.revision_in_force_id or checklist.stopped_by
    )


def compare(
    checklists: Collection[Checklist],
    recorded: Iterable[DetailedEvent] | None = None,
    whole_ids: Collection[UUID] = (),
) -> dict[UUID, Compared]:
    """Compare rows of checklists with their signatures and events, for lists.

    Texts that are in force or waiting are read unless they are encrypted. Takes three statements,
    one more if agreed terms beside them have to be found, and none if there is nothing to compare.

    recorded are events that contain those of VERBS that are IS_ABOUT these checklists, if somebody
    has read them already, which saves one. Of whole_ids, revisions are read whole in the same
    statements, encrypted or not; the keys of their cooperations should be loaded.
    """
    if not checklists:
        return {}
    terms = _agreed_terms(checklists)
    whole = _unique([*checklists, *terms.values()])
    if recorded is None or {text.id for text in whole} != {text.id for text in checklists}:
        recorded = _recorded(whole)
    recorded = list(recorded)
    bound_rows = _read(whole, recorded)
    texts = {
        revision.id: revision
        for revisions in bound_rows.revisions.values()
        for revision in revisions
        if revision.id in whole_ids
    }
    compared = _compared(
        whole, bound_rows, recorded, _newest(bound_rows, whole), list(texts.values())
    )
    if texts:
        compared = {key: replace(text, whole=texts) for key, text in compared.items()}
    return _beside_terms(checklists, terms, compared)


def wanted(checklists: Collection[Checklist]) -> dict[str, Any]:
    """Return the values of IS_ABOUT for some checklists."""
    ids = [checklist.id for checklist in checklists]
    return bound.wanted(SUBJECT, ids) | beginnings.wanted(checklists)


def _recorded(checklists: Collection[Checklist]) -> list[DetailedEvent]:
    cooperation_ids = {checklist.cooperation_id for checklist in checklists}
    return witness.of_subjects_with_details(_EVENTS, cooperation_ids, **wanted(checklists))


def look(checklist: Checklist) -> Compared:
    """Compare one checklist with its texts, signatures and events, for its pages."""
    terms = _agreed_terms([checklist])
    whole = _unique([checklist, *terms.values()])
    recorded = _recorded(whole)
    bound_rows = _read(whole, recorded)
    own = bound_rows.revisions.get(checklist.id, ())
    compared = _compared(whole, bound_rows, recorded, _newest(bound_rows, whole[1:]), own)
    return _beside_terms([checklist], terms, compared)[checklist.id]


def last_day_of_terms(cooperation_id: UUID) -> dt.date | None:
    """Return the last day of a cooperation's agreed terms including renewals, by their evidence.

    For events, which say for good what the cooperation's row says today only. None if nobody has
    signed them yet, or if they name no end. Raise NotSoundError if their texts, signatures and
    events disagree.
    """
    terms = dict(_read_agreed_terms([cooperation_id])).get(cooperation_id)
    if terms is None:
        return None
    compared = compare([terms])[terms.id]
    if not compared.is_sound:
        raise NotSoundError
    standing_id = compared.course.standing_id
    return compared.last(standing_id) if standing_id else None


def _unique(checklists: Iterable[Checklist]) -> list[Checklist]:
    return list({checklist.id: checklist for checklist in checklists}.values())


def _read(checklists: Iterable[Checklist], recorded: Iterable[DetailedEvent]) -> Bound:
    return bound.read(SUBJECT, [checklist.id for checklist in checklists], recorded)


def _newest(bound_rows: Bound, checklists: Iterable[Checklist]) -> set[UUID]:
    """Return the revisions of some checklists that are in force or waiting."""
    courses = [bound_rows.course(checklist.id) for checklist in checklists]
    return {
        revision_id
        for course in courses
        for revision_id in (course.standing_id, course.sent_id)
        if revision_id
    }


def _agreed_terms(checklists: Collection[Checklist]) -> dict[UUID, Checklist]:
    """Return the agreed terms of checklists' cooperations, which end them too, by cooperation.

    In one statement, and none if they are all among them. Terms that were never frozen end nothing.
    """
    terms = {text.cooperation_id: text for text in checklists if _are_agreed_terms(text)}
    missing = {text.cooperation_id for text in checklists} - terms.keys()
    if missing:
        terms.update(_read_agreed_terms(missing))
    return terms


def _read_agreed_terms(cooperation_ids: Collection[UUID]) -> Iterator[tuple[UUID, Checklist]]:
    rows = db.session.execute(_AGREED_TERMS, {"ids": list(cooperation_ids)})
    return ((cooperation_id, text) for cooperation_id, text in rows)


def _are_agreed_terms(checklist: Checklist) -> bool:
    return checklist.kind is ChecklistKind.TERMS and checklist.visit_id is None


def _beside_terms(
    wanted: Collection[Checklist],
    terms: Mapping[UUID, Checklist],
    compared: Mapping[UUID, Compared],
) -> dict[UUID, Compared]:
    return {
        text.id: compared[text.id].beside(compared[beside.id])
        if (beside := terms.get(text.cooperation_id)) is not None and beside.id != text.id
        else compared[text.id]
        for text in wanted
    }


def look_whole(cooperation_id: UUID, checklists: Collection[Checklist]) -> dict[UUID, Compared]:
    """Compare checklists of one cooperation after verifying its whole chain, and passkeys too.

    For statements to outsiders.
    """
    try:
        bound_rows = bound.read_whole(
            SUBJECT, [sibling.id for sibling in checklists], cooperation_id
        )
    except NotSoundError:
        broken = Compared(Course(is_sound=False), is_sound=False, agrees=False)
        return dict.fromkeys([sibling.id for sibling in checklists], broken)
    comparisons = {}
    for checklist in checklists:
        own = bound_rows.revisions.get(checklist.id, ())
        compared = _compared([checklist], bound_rows, whole_texts=own)[checklist.id]
        proven = all(map(bound_rows.proven, bound_rows.revisions.get(checklist.id, ())))
        comparisons[checklist.id] = (
            compared if proven else replace(compared, is_sound=False, agrees=False)
        )
    return comparisons


def _facts_of_all(revisions: Iterable[Revision]) -> Iterator[tuple[UUID, TextFacts | None]]:
    """Yield the facts of revisions with their documents, but of those that were erased."""
    for revision in revisions:
        try:
            yield revision.id, _text_facts(revision)
        except KeyDestroyedError:  # erased for good; its events remain
            continue


def _compared(
    checklists: Collection[Checklist],
    bound: Bound,
    recorded: Iterable[DetailedEvent] | None = None,
    to_read: Collection[UUID] = (),
    whole_texts: Iterable[Revision] = (),
) -> dict[UUID, Compared]:
    """Compare checklists with what was read.

    Texts are read here: those of to_read unless they are encrypted, and whole_texts in any case.
    """
    beside = _rows_beside([checklist.id for checklist in checklists], to_read, whole_texts)
    text_facts = beside.text_facts
    begun = beginnings.read(checklists, recorded)
    compared = {
        checklist.id: compare_with_events(
            _claims(
                checklist,
                beside.requests.get(checklist.id, ()),
                beside.notices.get(checklist.id, ()),
            ),
            checklist.id,
            bound,
            {
                revision.id: text_facts[revision.id]
                for revision in bound.revisions.get(checklist.id, ())
                if revision.id in text_facts
            },
            beside.renewals.get(checklist.id, ()),
        )
        for checklist in checklists
    }
    return {
        checklist_id: replace(
            text,
            # It may have ended with its visit, whichever that is.
            is_sound=text.is_sound and checklist_id not in begun.of_unknown_visit,
            agrees=text.agrees and checklist_id not in begun.misplaced,
            visit_is_stopped=checklist_id in begun.of_stopped_visit,
        )
        for checklist_id, text in compared.items()
    }


def compare_with_events(
    claims: Claims,
    checklist_id: UUID,
    bound: Bound,
    text_facts: Mapping[UUID, TextFacts | None],
    renewals: Collection[Renewal],
) -> Compared:
    """Compare what a checklist's rows claim with the evidence that was read.

    text_facts contains what its texts say, None for a text that was altered.
    """
    readable = {key: value for key, value in text_facts.items() if value is not None}
    course = bound.course(checklist_id, {key: value.rule for key, value in readable.items()})
    renewing = [
        link.evidence
        for link in bound.links.get(checklist_id, ())
        if link.verb == verbs.TEXT_RENEWED.name
    ]
    renewed = _last_days(renewals, renewing)
    notices = open_notices(claims.notices, course)
    is_sound = (
        course.is_sound
        and len(readable) == len(text_facts)
        and renewed is not None
        and notices is not None
    )
    agrees = (
        is_sound
        and all(revision.kind == claims.kind for revision in bound.revisions.get(checklist_id, ()))
        and claims.agree_with(course, _since(course, readable))
        and all(
            text.signed_until in {None, claims.last_days.get(revision_id, text.signed_until)}
            for revision_id, text in readable.items()
        )
    )
    return Compared(
        course,
        is_sound,
        agrees,
        readable,
        renewed or {},
        notices or (),
        _last_days_to_sign(claims, readable),
        signatures=bound.signatures,
    )


def words_of(compared: Compared, revision_id: UUID) -> tuple[object, str]:
    """Return today's status of a revision as a label and its style mark."""
    outcome = compared.outcome(revision_id)
    if outcome is None or not compared.agrees:
        return DISAGREES
    match outcome:
        case Outcome.IN_FORCE:
            return validity_words(compared.validity(revision_id), compared.first(revision_id))
        case Outcome.SUSPENDED:
            return NOTICE_STATES[NoticeKind.SUSPENDED]
        case Outcome.ENDED if compared.ended_with_visit(revision_id):
            return ENDED_WITH_VISIT
        case Outcome.ENDED:
            return NOTICE_STATES[NoticeKind.ENDED]
        case Outcome.SUPERSEDED:
            return _("Replaced by a later revision"), "off"
    marks = {Outcome.WAITING: "other", Outcome.DECLINED: "stop"}
    return REQUEST_STATES[state_of(outcome)], marks.get(outcome, "off")


def _claims(
    checklist: Checklist, requests: Collection[_Request], notices: Collection[Notice]
) -> Claims:
    return Claims(
        kind=checklist.kind,
        state=checklist.state,
        in_force_id=checklist.revision_in_force_id,
        sent_id=checklist.revision_sent_id,
        stopped_by=checklist.stopped_by,
        stopped_id=checklist.stopped_id,
        in_force_at=checklist.in_force_at,
        requests={revision_id: state for revision_id, state, _last in requests},
        last_days={revision_id: last for revision_id, _state, last in requests},
        notices=notices,
    )


def _last_days_to_sign(claims: Claims, texts: Mapping[UUID, TextFacts]) -> dict[UUID, dt.date]:
    stated = {revision_id: text.signed_until for revision_id, text in texts.items()}
    days = {
        revision_id: stated.get(revision_id, last) for revision_id, last in claims.last_days.items()
    }
    return {revision_id: last for revision_id, last in days.items() if last is not None}


def _since(course: Course, text_facts: Mapping[UUID, TextFacts]) -> dt.datetime | None:
    text = text_facts.get(course.standing_id) if course.standing_id else None
    made_on = text.made_on if text else None
    return dt.datetime.combine(made_on, dt.time(), tzinfo=clock.zone()) if made_on else None


@dataclass(slots=True)
class _Beside:
    """Signature requests, notices and renewals of texts by checklist, and what texts say."""

    requests: dict[UUID, list[_Request]] = field(default_factory=dict)
    notices: dict[UUID, list[Notice]] = field(default_factory=dict)
    renewals: dict[UUID, list[Renewal]] = field(default_factory=dict)
    # By revision; None for a text that was altered.
    text_facts: dict[UUID, TextFacts | None] = field(default_factory=dict)


def _rows_beside(
    checklist_ids: Collection[UUID], to_read: Collection[UUID], whole_texts: Iterable[Revision]
) -> _Beside:
    """Return what belongs to checklists' texts, in one statement.

    With the facts of texts, as _compared() wants them.
    """
    beside = _Beside()
    whole = {revision.id: revision for revision in whole_texts}
    values = {"ids": list(checklist_ids), "to_read": list(to_read), "whole_ids": list(whole)}
    for row in db.session.execute(_BESIDE, values):
        if row.sent_id is not None:
            request = (row.sent_id, row.state, row.expires_on)
            beside.requests.setdefault(row.checklist_id, []).append(request)
        if row.revision_id in whole:
            set_committed_value(whole[row.revision_id], "document", row.document)
        elif row.document is not None:
            facts = facts_of_unencrypted(row.kind, row.digest, row.document)
            beside.text_facts[row.revision_id] = facts
        if row.Notice is not None:
            beside.notices.setdefault(row.checklist_id, []).append(row.Notice)
        if row.Renewal is not None:
            beside.renewals.setdefault(row.checklist_id, []).append(row.Renewal)
    beside.text_facts.update(_facts_of_all(whole.values()))
    return beside


# Renewals -----------------------------------------------------------------------------------------


def _last_days(
    rows: Iterable[Renewal], evidence: Collection[str | None]
) -> dict[UUID, dt.date] | None:
    """Return the last day of each revision's renewals; None if rows and events disagree."""
    days: dict[UUID, dt.date] = {}
    digests = set()
    for row in rows:
        digests.add(canonical.digest_of(row.content()))
        days[row.revision_id] = max(row.until_on, days.get(row.revision_id, row.until_on))
    return days if digests == set(evidence) else None


# What texts say -----------------------------------------------------------------------------------


def _text_facts(revision: Revision) -> TextFacts | None:
    try:
        key = keys.key_of(revision.cooperation_id) if revision.is_sealed else None
        return facts_of(revision.kind, revision.digest, signoff.plain_bytes(revision, key))
    except UnreadableError:
        return None
