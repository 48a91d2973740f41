"""View models for undertaking pages: statuses, what was signed, open tasks.

In one file: lists, records and tasks describe the status of an undertaking in the same words.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from markupsafe import Markup

from tracker.access.actor import Actor, Role
from tracker.access.decision import Decision
from tracker.access.gate import SAFE_METHODS, as_uuid, found_or_404, require
from tracker.access.reading import lacks_second_factor
from tracker.checklists.models import Checklist
from tracker.checklists.queries import access_is_stopped
from tracker.cooperations import keys
from tracker.cooperations import people as cooperation_people
from tracker.cooperations import queries as cooperation_queries
from tracker.cooperations.models import Clearance, ClearanceScope, Cooperation
from tracker.cooperations.pages import task_heading
from tracker.cooperations.policy import gives_access
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError
from tracker.core.localized import pick_language
from tracker.guidance.markdown import render
from tracker.guidance.queries import passages_for
from tracker.organisations.models import Organisation
from tracker.signoff import queries as signoff
from tracker.signoff import service as signing
from tracker.signoff.labels import (
    DIFFERS,
    DISAGREES,
    SignedWhen,
    capacity_words,
    confirmed_words,
    how_signed,
    power_words,
    when_signed,
)
from tracker.signoff.models import Revision, Signature, SignatureKind
from tracker.ui import locale
from tracker.ui.locale import as_date
from tracker.ui.tasks import OTHERS, YOURS, Task, TaskHeading, Tasks, Waiting
from tracker.undertakings import (
    added_interests,
    encryption,
    frozen_text,
    labels,
    lists,
    people,
    policy,
    queries,
    waiting,
)
from tracker.undertakings.facts import LIST, Questions, Scope, Terms
from tracker.undertakings.lists import Line, PartyLines
from tracker.undertakings.models import (
    AddedInterest,
    InterestsDecision,
    Reach,
    Undertaking,
    UndertakingState,
)
from tracker.undertakings.places import Places
from tracker.undertakings.queries import Loaded
from tracker.undertakings.waiting import TaskKind

# The passages of guidance that explain why a person is asked (S10, S11, S15).
WHY = ("settling-terms/explain-duties", "settling-terms/sign-before-access")

State = tuple[object, str]
# Of an undertaking that somebody has to go on with once the terms are renewed.
PAUSED: State = (_l("Paused: the agreed terms have run out"), "off")
PAUSED_BY_NOTICE: State = (_l("Paused: a notice has stopped the terms"), "off")


@dataclass(frozen=True, slots=True)
class WhyPassage:
    """A passage of guidance, to be read on the spot."""

    ref: str
    title: str
    text: Markup
    language: str


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """A signature as the signatures component shows it."""

    name: str
    capacity: str
    power: str
    confirmed: str
    when: SignedWhen
    method: object


@dataclass(frozen=True, slots=True)
class Signed:
    """What a person signed, read from the frozen text."""

    revision: Revision
    text: frozen_text.SignedText
    signatures: list[SignatureLine]
    # When the person signed; None before a scan was confirmed.
    when: SignedWhen | None
    is_countersigned: bool
    # In the languages that exist; none until they are made.
    certificates: list[signoff.CertificateMark]


@dataclass(frozen=True, slots=True)
class Decided:
    """What the NPM decided on declared interests."""

    words: object
    reason: str
    by: str
    at: dt.datetime
    # The places closed to the person, as text; empty if there is no limit, or it names none.
    limit: str = ""
    # Whether it is a limit of the time when places were only written in the reason.
    names_no_place: bool = False
    # Whether it is on an earlier undertaking, and holds; the reason stays there.
    is_earlier: bool = False


def why(language: str) -> list[WhyPassage]:
    """Return the passages that explain why a person is asked, if the guidance is loaded."""
    passages = passages_for(WHY, language)
    return [
        WhyPassage(ref, passage.title, render(passage.markdown, headings_from=4), passage.language)
        for ref, passage in passages.items()
    ]


def signed(undertaking: Undertaking, language: str) -> Signed | None:
    """Return what a person signed, in a language; None before.

    The caller has checked that the reader may see it.
    """
    if undertaking.revision_id is None:
        return None
    revision = signoff.revision(undertaking.revision_id)
    if revision is None:
        return None
    return replace(
        signed_text(undertaking, revision, language),
        certificates=signoff.certificates(revision.id),
    )


def signed_text(undertaking: Undertaking, revision: Revision, language: str) -> Signed:
    """Return the same from the text that the person signed, without certificates.

    Raise RefusedError if the row was moved to another cooperation than the text's: its key doesn't
    open the text, and there is nothing true to show.
    """
    if revision.cooperation_id != undertaking.cooperation_id:
        raise RefusedError(DIFFERS)
    document = signing.document_of(revision, keys.key_of(undertaking.cooperation_id))
    return Signed(
        revision,
        frozen_text.read(document, language),
        [_signature(signature) for signature in revision.signatures],
        when=next(
            (
                when_signed(signature.signed_at, signature.paper)
                for signature in revision.signatures
                if signature.kind is SignatureKind.SIGNATURE
            ),
            None,
        ),
        is_countersigned=any(
            signature.kind is SignatureKind.COUNTERSIGNATURE for signature in revision.signatures
        ),
        certificates=[],
    )


def decided(undertaking: Undertaking, language: str) -> Decided | None:
    """Return the decision on declared interests, or an earlier limit that holds; None before."""
    decided_on = (
        undertaking
        if undertaking.decision is not None
        else added_interests.earlier_limit(undertaking)
    )
    if decided_on is None or decided_on.decision is None or decided_on.decided_at is None:
        return None
    is_earlier = decided_on is not undertaking
    limit = encryption.limit_of(decided_on)
    return Decided(
        words=labels.DECIDED[decided_on.decision],
        reason="" if is_earlier else encryption.decision_reason_of(decided_on),
        by=people.name_of(decided_on.decided_by_id),
        at=decided_on.decided_at,
        limit=_places(limit, dict(queries.kinds_of_place(language))) if limit else "",
        names_no_place=decided_on.decision is InterestsDecision.LIMIT and limit is None,
        is_earlier=is_earlier,
    )


@dataclass(frozen=True, slots=True)
class Added:
    """An added interest, with the NPM's decision, for people who may see it."""

    id: UUID
    text: str
    # Whether it's what the person's party does, and not what they added themselves.
    of_party: bool
    # Who recorded it, if the person didn't write it themselves; empty otherwise.
    recorded_by: str
    places: str
    at: dt.datetime
    decided: Decided | None


def added(actor: Actor, undertaking: Undertaking, language: str) -> list[Added]:
    """Return what the person of an undertaking added, the newest first.

    The caller has checked that the reader may see it.
    """
    interests = added_interests.of_person(actor, undertaking.cooperation_id, undertaking.user_id)
    kinds = dict(queries.kinds_of_place(language)) if interests else {}
    return [_added(interest, undertaking.organisation, kinds) for interest in interests]


def _added(interest: AddedInterest, current: Organisation, kinds: Mapping[str, str]) -> Added:
    ties = added_interests.ties_in(interest)
    # The party that the person acted for then, which is nearly always the current one.
    acted_for = (
        current
        if ties.organisation_id in {None, current.id}
        else db.session.get_one(Organisation, ties.organisation_id)
    )
    of_party = labels.party_interest(acted_for.name, ties.ties)
    limit = added_interests.limit_of(interest)
    decision = None
    if interest.decision is not None and interest.decided_at is not None:
        decision = Decided(
            words=labels.DECIDED[interest.decision],
            reason=added_interests.reason_of(interest),
            by=people.name_of(interest.decided_by_id),
            at=interest.decided_at,
            limit=_places(limit, kinds) if limit else "",
        )
    return Added(
        id=interest.id,
        text=of_party or added_interests.text_of(interest),
        of_party=bool(of_party),
        recorded_by=people.name_of(added_interests.recorded_by_id(interest)),
        places=_places(added_interests.places_of(interest), kinds),
        at=interest.added_at,
        decided=decision,
    )


def _places(places: Places, kinds: Mapping[str, str]) -> str:
    match places.reach:
        case Reach.ALL:
            return str(_("all places"))
        case Reach.KIND:
            return kinds.get(places.kind, places.kind)
        case Reach.NAMED:
            return places.name


def words(loaded: Loaded, clearance: Clearance | None = None) -> dict[str, object]:
    """Return what most pages of an undertaking say about its terms, and about its access."""
    terms_ = loaded.terms
    copies = pick_language(terms_.copies, locale.language(), terms_.binding)
    return {
        "undertaking": loaded.undertaking,
        "person": loaded.undertaking.user,
        "organisation": loaded.undertaking.organisation,
        "terms": terms_,
        "copies": copies,
        "covers": covers(terms_, clearance),
        "lasts": lasts(terms_),
        "within": within(terms_),
        "direction": locale.direction,
    }


def covers(terms: Terms, clearance: Clearance | None = None) -> str:
    """Return as text what the terms cover, or what a countersignature opened of it."""
    if clearance and _tells_when_visit_is(clearance) and lacks_second_factor():
        clearance = None
    until = as_date(clearance.until_on if clearance else terms.until)
    return labels.scope_words(terms, until)


def lasts(terms: Terms) -> str:
    """Return as text how long the duty lasts."""
    if terms.years is None:
        return ""
    words: str = ngettext(
        "%(num)s year after the cooperation ends",
        "%(num)s years after the cooperation ends",
        terms.years,
    )
    return words


def within(terms: Terms) -> str:
    """Return as text within how many hours a leak has to be reported."""
    if terms.hours is None:
        return ""
    words: str = ngettext("within %(num)s hour", "within %(num)s hours", terms.hours)
    return words


def own_state(line: Line) -> State:
    """Return the status of an undertaking, as its person sees it."""
    undertaking = line.undertaking
    if not line.agrees:
        return DISAGREES
    if line.waits_for_terms:
        return _paused(line)
    if undertaking.state is UndertakingState.ASKED:
        return _l("Waiting for you"), "wait"
    if (
        undertaking.decision is InterestsDecision.REPLACE
        and undertaking.state is UndertakingState.SIGNED
    ):
        return labels.DECIDED[InterestsDecision.REPLACE], "off"
    return _state(line, in_full=True)


def state(line: Line, *, decides: bool) -> State:
    """Return the status of somebody else's undertaking; deciders also see what it waits for."""
    if not line.agrees:
        return DISAGREES
    if line.waits_for_terms:
        return _paused(line)
    for_npm = _state_for_npm(line) if decides else None
    # Whoever took the signature leaves it to others.
    if for_npm is None or (line.is_taken and for_npm[1] == "wait"):
        return _state(line, in_full=decides)
    return for_npm


def access(line: Line, *, in_full: bool) -> State:
    """Return what an undertaking opens, not whose turn it is; in full for people who decide on it.

    In full it says that an added interest closes some places.
    """
    if not line.agrees:
        return DISAGREES
    return _paused(line) if line.waits_for_terms else _state(line, in_full=in_full)


def _paused(line: Line) -> State:
    return PAUSED_BY_NOTICE if line.by_notice else PAUSED


def _state_for_npm(line: Line) -> State | None:
    """Return what the NPM has to do, or that it asked for somebody else; otherwise None."""
    undertaking = line.undertaking
    if undertaking.state is UndertakingState.SIGNED:
        needs_decision = undertaking.has_interests or undertaking.party_has_interest
        if needs_decision and undertaking.decision is None:
            return _l("Interests waiting for a decision"), "wait"
        if undertaking.decision is InterestsDecision.REPLACE:
            return labels.DECIDED[InterestsDecision.REPLACE], "off"
        if line.bearing.undecided:
            return _l("Interests waiting for a decision"), "wait"
        if line.bearing.is_refused:
            return labels.DECIDED[InterestsDecision.REPLACE], "off"
        return _l("Waiting for your countersignature"), "wait"
    if undertaking.state is UndertakingState.COUNTERSIGNED and line.bearing.undecided:
        return _l("Interests waiting for a decision"), "wait"
    return None


def _state(line: Line, *, in_full: bool) -> State:
    match line.undertaking.state:
        case UndertakingState.ASKED:
            return _l("Not signed yet"), "other"
        case UndertakingState.ON_PAPER:
            return _l("Signed on paper, waiting to be confirmed"), "other"
        case UndertakingState.SIGNED:
            return _l("Signed, waiting for the NPM"), "other"
        case UndertakingState.COUNTERSIGNED:
            return _opened(line, in_full=in_full)
        case UndertakingState.CLOSED:
            reason = labels.ended_because(line.undertaking.closed_reason)
            return _l("Closed: %(reason)s", reason=reason), "off"


def _opened(line: Line, *, in_full: bool) -> State:
    """Return what an undertaking opens; in full for its person and people who decide on it.

    Others see that all access is paused, if so, but not that an interest closes some places.
    """
    clearance = line.clearance
    if clearance is None or not line.is_cleared:
        if line.is_stopped_by_terms and line.by_notice:
            return _l("Closed: a notice has stopped the terms"), "off"
        if line.is_stopped_by_terms:
            return _l("Closed: the agreed terms have run out"), "off"
        if line.bearing.closes_all and clearance is not None and clearance.closed_at is None:
            return _l("Paused until the NPM decides"), "other"
        return _l("Closed: its last day has passed"), "off"
    if line.bearing.undecided and in_full:
        return _l("Partly paused until the NPM decides"), "other"
    if _tells_when_visit_is(clearance) and not (in_full and not lacks_second_factor()):
        return _l("Cleared for one visit"), "held"
    until = as_date(line.until_on)
    if line.bearing.is_limited and in_full:
        return _l("Cleared until %(until)s, with a limit", until=until), "held"
    return _l("Cleared until %(until)s", until=until), "held"


def _tells_when_visit_is(clearance: Clearance) -> bool:
    """Return whether the last day of a clearance would reveal when a visit is (class K2)."""
    return clearance.scope is ClearanceScope.VISIT


def summary(party: PartyLines) -> str:
    """Return as text how many people in a party were asked, and how many are cleared."""
    sentence = ngettext("%(num)s person was asked", "%(num)s people were asked", party.people_asked)
    cleared = (
        ngettext("%(num)s is cleared", "%(num)s are cleared", party.cleared)
        if party.cleared
        else _("nobody is cleared")
    )
    return str(_("%(asked)s, %(cleared)s.", asked=sentence, cleared=cleared))


def opens(
    terms: Terms,
    until: dt.date,
    visit_number: int | None,
    terms_end: dt.date | None,
    *,
    has_closed_places: bool,
) -> str:
    """Return what a countersignature opens, if it ends earlier with the terms, and its limits."""
    earlier = as_date(terms_end) if terms_end and terms_end < until else ""
    return labels.opens_words(
        terms, as_date(until), visit_number, earlier, has_closed_places=has_closed_places
    )


def with_names(sentence: str, *names: str) -> list[tuple[str, bool]]:
    """Return a sentence in parts, each with whether it is one of the names, shown in bold."""
    parts = [(sentence, False)]
    for name in dict.fromkeys(names):
        parts = [piece for part in parts for piece in _split(part, name)]
    return parts


def _split(part: tuple[str, bool], name: str) -> list[tuple[str, bool]]:
    before, name_part, after = part[0].partition(name) if not part[1] else (part[0], "", "")
    if not name_part:
        return [part]
    return [(before, False), (name_part, True), (after, False)]


def my_tasks(actor: Actor) -> Tasks:
    """Return what waits for a person on undertakings.

    A source for My work.
    """
    tasks = waiting.tasks(actor)
    incomplete = lists.all_incomplete_lists(actor)
    return Tasks(
        mine=(
            *map(_waiting, tasks.mine),
            *(
                Waiting(YOURS, task, _own_list_tasks, under=_heading(task))
                for task in incomplete
                if task.is_own
            ),
        ),
        others=(
            *(Waiting(OTHERS, other, _tasks) for other in tasks.others),
            *(Waiting(OTHERS, task, _list_tasks) for task in incomplete if not task.is_own),
        ),
        is_cut=tasks.is_cut,
    )


def _waiting(task: waiting.Task) -> Waiting[waiting.Task]:
    """Return a person's own undertaking as theirs alone, a decision as its cooperation's."""
    if task.kind is TaskKind.SIGN:
        return Waiting(YOURS, task, _tasks, is_first=True)
    return Waiting(YOURS, task, _decisions, under=_heading(task))


def _heading(task: waiting.Task | lists.IncompleteList) -> TaskHeading:
    return task_heading(task.reference, task.title)


def _decisions(shown: Sequence[waiting.Task]) -> list[Task]:
    return [replace(_task(task), why="") for task in shown]


def _own_list_tasks(shown: Sequence[lists.IncompleteList]) -> list[Task]:
    return [_list_task(task) for task in shown]


def _list_tasks(shown: Sequence[lists.IncompleteList]) -> list[Task]:
    return [_list_task(task, is_named=True) for task in shown]


def _tasks(shown: Sequence[waiting.Task]) -> list[Task]:
    return [_task(task) for task in shown]


class _Cleared(lists.ToClear, Protocol):
    @property
    def is_cleared(self) -> bool:
        """Whether they have an open clearance."""


class _GateFacts(Protocol):
    """What gate G4 depends on (lifecycle.policy.Facts, which is in a higher package)."""

    @property
    def people(self) -> Sequence[_Cleared]:
        """People who need a clearance."""


def cooperation_tasks(
    actor: Actor, cooperation: Cooperation, facts: _GateFacts, *_rest: object
) -> dict[str, Sequence[Task]]:
    """Return a cooperation's tasks on undertakings for its page, once terms are in force."""
    checklist = queries.confidentiality(cooperation.id)
    if checklist is None or checklist.revision_in_force_id is None:
        return {}
    mine = waiting.tasks_in(actor, cooperation.id)
    tasks = [
        replace(_task(task), why=_("About ten minutes."))
        for task in mine
        if task.kind is TaskKind.SIGN
    ]
    uncleared = [person for person in facts.people if not person.is_cleared]
    if not tasks and any(person.user_id == actor.user_id for person in uncleared):
        tasks += _own_waiting(actor, cooperation)
    tasks += map(_list_task, lists.incomplete_lists(actor, cooperation, checklist, uncleared))
    asked_count, counted = lists.progress(cooperation.id)
    # The gate compares each person's undertaking with its evidence, which a count in rows can't.
    cleared = min(counted, len(facts.people) - len(uncleared))
    # While anybody is cleared, the last day hasn't passed and needn't be read.
    last = None if cleared else lists.passed_last_day(cooperation, checklist, uncleared)
    if last is not None:
        tasks.append(_last_day_task(actor, cooperation, checklist, last))
    access = gives_access(
        cooperation.stage,
        has_run_out=cooperation_queries.have_terms_run_out(cooperation),
        is_stopped=access_is_stopped(cooperation.id),
    )
    why_ = _(
        "%(cleared)s of %(asked)s people asked are cleared.", cleared=cleared, asked=asked_count
    )
    if any(task.kind is not TaskKind.SIGN for task in mine):
        state_, mark = _l("Waiting for you"), YOURS
    elif not access:
        state_, mark, why_ = _l("Nobody has access now"), "off", str(access.reason)
    elif cleared < asked_count or uncleared:
        state_, mark = _l("In progress"), "half"
    else:
        state_, mark = (_l("All cleared") if asked_count else _l("Nobody is listed")), "done"
    url = url_for("undertakings.listed", reference=cooperation.reference)
    return {
        "confidentiality": [*tasks, Task(_l("Undertaking of each person"), state_, mark, url, why_)]
    }


def _own_waiting(actor: Actor, cooperation: Cooperation) -> Iterator[Task]:
    """Yield the person's own undertaking if it waits for the NPM: to decide, or to countersign."""
    undertaking = queries.own_signed(actor, cooperation.id)
    if undertaking is None:
        return
    words, mark = own_state(lists.line_of(actor, queries.load(undertaking)))
    if mark == OTHERS:
        url = url_for("undertakings.show", undertaking_id=undertaking.id)
        yield Task(_("Your undertaking of confidentiality"), words, OTHERS, url)


def _last_day_task(
    actor: Actor, cooperation: Cooperation, checklist: Checklist, last: dt.date
) -> Task:
    """Return a coordinator's task to amend terms whose last day has passed (C1)."""
    label = _("Set a later last day in the confidentiality terms")
    why_ = _(
        "It was %(day)s. Nobody has access before all parties have signed a later one.",
        day=as_date(last),
    )
    url = url_for("signing.record", checklist_id=checklist.id)
    is_party = any(
        party.organisation_id == actor.organisation_id
        for party in cooperation_people.joined_parties(cooperation)
    )
    if is_party and actor.has(Role.COORDINATOR):
        return Task(label, _("Waiting for you"), YOURS, url, why_, act=_("Open the terms"))
    return Task(label, _("Waiting for a coordinator"), OTHERS, url, why_)


def _list_task(task: lists.IncompleteList, *, is_named: bool = False) -> Task:
    """Return the task for a list that lacks people; is_named adds which cooperation it is."""
    if task.is_own:
        state_, mark = _("Waiting for you"), YOURS
    else:
        state_, mark = _("Waiting for %(names)s", names=task.organisation_name), OTHERS
    url = url_for(
        "checklists.show", checklist_id=task.checklist_id, open=LIST, _anchor=LIST.lower()
    )
    missing = _("Not on the list of people who must sign, so they get no access:")
    why_ = f"{missing} {locale.listed(task.names)}"
    if is_named:
        where = _("%(title)s, %(reference)s", title=task.title, reference=task.reference)
        why_ = f"{where}. {why_}"
    return Task(_("Complete the list of people who must sign"), state_, mark, url, why_)


def _task(task: waiting.Task) -> Task:
    url = url_for(task.page, **dict[str, Any](task.values))
    where = _("%(title)s, %(reference)s", title=task.title, reference=task.reference)
    match task.kind:
        case TaskKind.SIGN:
            label = _("Sign your undertaking of confidentiality")
            why_ = _("%(where)s. About ten minutes.", where=where)
            return Task(label, _("Waiting for you"), YOURS, url, why_, act=_("Read and sign"))
        case TaskKind.DECIDE:
            label = _("Decide on the interests of %(person)s", person=task.person)
            return Task(label, _("Waiting for you"), YOURS, url, where, act=_("Decide"))
        case TaskKind.DECIDE_ADDED:
            label = _("Decide on what %(person)s added to their interests", person=task.person)
            return Task(label, _("Waiting for you"), YOURS, url, where, act=_("Decide"))
        case TaskKind.COUNTERSIGN:
            label = _("Countersign the undertaking of %(person)s", person=task.person)
            return Task(label, _("Waiting for you"), YOURS, url, where, act=_("Read"))
        case TaskKind.CONFIRM_PAPER:
            label = _("Confirm the undertaking of %(person)s, signed on paper", person=task.person)
            return Task(label, _("Waiting for you"), YOURS, url, where, act=_("Compare"))
        case TaskKind.WAITS_FOR_NPM | TaskKind.WAITS_FOR_ANOTHER | TaskKind.WAITS_FOR_PEOPLE:
            label, state_ = _waited_for(task)
            return Task(label, state_, OTHERS, url, where)


def _waited_for(task: waiting.Task) -> tuple[str, str]:
    """Return as text what somebody waits for, and for whom."""
    match task.kind:
        case TaskKind.WAITS_FOR_ANOTHER:
            label = _("Undertaking of %(name)s", name=task.person)
            return label, _("Waiting for another signatory or manager")
        case TaskKind.WAITS_FOR_PEOPLE:
            label = ngettext(
                "%(num)s undertaking still to sign",
                "%(num)s undertakings still to sign",
                task.count,
            )
            return label, ngettext(
                "Waiting for %(num)s person", "Waiting for %(num)s people", task.count
            )
        case _:
            return _("Your undertaking of confidentiality"), _("Waiting for the NPM")


def _signature(signature: Signature) -> SignatureLine:
    named = power_words(signature.power, signature.power_from, signature.power_until)
    power = str(_("by %(power)s", power=named)) if signature.power else ""
    return SignatureLine(
        signature.signer_name,
        capacity_words(signature),
        power,
        confirmed_words(signature.power_confirmed),
        when_signed(signature.signed_at, signature.paper),
        how_signed(signature),
    )


def visit_number(visits: Sequence[queries.VisitChoice], visit_id: UUID | None) -> int | None:
    """Return the number of the visit that was chosen."""
    return next((visit.number for visit in visits if visit.id == visit_id), None)


def is_for_one_visit(terms: Terms) -> bool:
    """Return whether the terms cover one visit, which the countersigner names."""
    return terms.scope is Scope.ONE_VISIT


def has_passed(terms: Terms) -> bool:
    """Return whether the period that the terms cover has passed."""
    return terms.is_over(clock.today())


@dataclass(frozen=True, slots=True)
class Others:
    """Who acts in place of somebody who took a signature, or is about to."""

    # Those who decide for the NPM; empty if nobody else does.
    names: Markup
    # If nobody else does: whether another coordinator can take the signature.
    can_be_taken_by_another: bool


def others_who_decide(actor: Actor, loaded: Loaded) -> Others | None:
    """Return who decides in place of somebody who took the signature, or is about to.

    None for somebody who doesn't decide for the NPM anyway.
    """
    standing = loaded.standing
    if not policy.decides_for(actor, standing.npm_ids, clock.today()):
        return None
    cooperation_id = loaded.undertaking.cooperation_id
    besides = {actor.user_id, standing.user_id}
    deciders = people.all_deciders(cooperation_id, besides=besides | standing.taken_by)
    return Others(
        locale.listed_people(user.name for user in deciders),
        can_be_taken_by_another=not deciders
        and standing.is_current
        and bool(policy.is_covered(standing, clock.today()))
        and people.has_another_coordinator(cooperation_id, besides=besides),
    )


@dataclass(frozen=True, slots=True)
class Undecided:
    """Why someone of the NPM can't countersign or decide, though something waits for the NPM."""

    # Why not the reader, if they are a signatory; empty for others.
    reason: object
    is_somebody_else: bool


def nobody_decides(
    actor: Actor, cooperation_id: UUID, npm_ids: frozenset[UUID], *, waits: bool
) -> Undecided | None:
    """Return why what waits for the NPM isn't for the reader, as a notice says it to its people.

    None unless something waits, and the reader's power isn't current or nobody's is. Sends no query
    otherwise.
    """
    today = clock.today()
    is_of_npm = policy.acts_for(actor, npm_ids) and not actor.outside_expert
    if not waits or not is_of_npm or policy.decides_for(actor, npm_ids, today):
        return None
    reason = policy.can_decide_for(actor, npm_ids, today, "").reason or ""
    is_somebody_else = bool(people.all_deciders(cooperation_id, besides={actor.user_id}))
    return Undecided(reason, is_somebody_else) if reason or not is_somebody_else else None


@dataclass(frozen=True, slots=True)
class Taking:
    """An undertaking, whether the person may take its signature now, and what its pages show."""

    loaded: Loaded
    allowed: Decision
    questions: Questions
    # For render_template().
    words: dict[str, object]


def taking(actor: Actor, reference: str, undertaking_id: str) -> Taking:
    """Return an undertaking and whether the person may take its signature, or abort with 404.

    Raise RefusedError if they may not and only open the page: what was sent is shown again.
    Everything is read again, since a broken rule ends the transaction.
    """
    loaded = taken_or_404(actor, reference, undertaking_id)
    undertaking = loaded.undertaking
    allowed = policy.can_take_signature(actor, loaded.standing, clock.today())
    if request.method in SAFE_METHODS:
        require(allowed)
    questions = queries.questions_of(loaded, locale.language())
    return Taking(
        loaded,
        allowed,
        questions,
        words(loaded)
        | {
            "reference": reference,
            "questions": questions,
            "checklist_id": loaded.checklist.id,
            "because": labels.party_interests(people.ties_of(undertaking)),
            "others": others_who_decide(actor, loaded),
            "sentence": labels.sentence(undertaking.user.name, loaded.terms, loaded.documents),
        },
    )


def taken_or_404(actor: Actor, reference: str, undertaking_id: str) -> Loaded:
    """Return an undertaking whose signature the person may take for the NPM, or abort with 404."""
    cooperation = found_or_404(cooperation_queries.find(actor, reference))
    undertaking = found_or_404(queries.find_for_paper(actor, as_uuid(undertaking_id)))
    found_or_404(undertaking if undertaking.cooperation_id == cooperation.id else None)
    return queries.load(undertaking)
