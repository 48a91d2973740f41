"""Labels for a visit's stages, gates, requirements and cells, and for what is missing.

In one file: it contains only texts, and a gate's labels are read together with its reasons.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext

from tracker.signoff.labels import DISAGREES
from tracker.ui.locale import as_date, with_commas
from tracker.visits.facts import (
    CellCode,
    ChecklistFact,
    Facts,
    ItemFact,
    MemberFact,
    Missing,
    MissingRequirement,
    PageKind,
    PartyFact,
    Requirement,
    RequirementKind,
    Signing,
    Target,
    Turn,
)
from tracker.visits.models import VisitStage

STAGES: dict[VisitStage, object] = {
    VisitStage.PROPOSED: _l("Proposing"),
    VisitStage.PLANNED: _l("Planning"),
    VisitStage.CLEARED: _l("Clearing the team"),
    VisitStage.ON_SITE: _l("On site"),
    VisitStage.STOPPED: _l("Stopped"),
}

# Why a visit was stopped that nobody stopped: the reason stored is empty.
STOPPED_WITH_COOPERATION = _l("The cooperation ended.")

GATES: dict[str, object] = {"J1": _l("Proposed"), "J2": _l("Planned"), "J3": _l("Cleared")}

# The text for a gate that is met.
GATES_MET: dict[str, object] = {
    "J1": _l("The cooperation is active and a joint visit is one of its ways of working."),
    "J2": _l("The roles are settled and accepted, and the people of the team are cleared."),
    "J3": _l("Everything is signed, and everyone is briefed. The team can go."),
}

REQUIREMENTS: dict[Requirement, object] = {
    Requirement.BRIEFING: _l("Briefing"),
    Requirement.INTERESTS: _l("Interests decided"),
    Requirement.UNDERTAKING: _l("Undertaking"),
    Requirement.ROLE: _l("Role accepted"),
    Requirement.CREDENTIAL: _l("Letter of access"),
    Requirement.PLAN: _l("Urgent plan read"),
}

# The label of a cell, with %(day)s if it names a day, and its style mark.
CELLS: dict[CellCode, tuple[object, str]] = {
    CellCode.YES: (_l("Yes"), "done"),
    CellCode.NOT_ASKED: (_l("Not asked"), "off"),
    CellCode.EXCUSED: (_l("Excused"), "half"),
    CellCode.BRIEFING_AHEAD: (_l("On %(day)s"), "other"),
    CellCode.NO_BRIEFING: (_l("No date yet"), "wait"),
    CellCode.BRIEFED_ELSEWHERE: (_l("For another place"), "wait"),
    CellCode.BRIEFED_BEFORE: (_l("Joined later"), "wait"),
    CellCode.NOT_BRIEFED: (_l("Not confirmed"), "wait"),
    CellCode.NONE_DECLARED: (_l("None declared"), "done"),
    CellCode.ACCEPTED: (_l("Accepted"), "done"),
    CellCode.LIMITED: (_l("Limited"), "done"),
    CellCode.TO_REPLACE: (_l("To be replaced"), "stop"),
    CellCode.NOT_DECLARED: (_l("Not declared"), "wait"),
    CellCode.NOT_DECIDED: (_l("To be decided"), "other"),
    CellCode.CLEARED: (_l("Until %(day)s"), "done"),
    CellCode.NOT_SIGNED: (_l("Not signed"), "wait"),
    CellCode.DISAGREES: DISAGREES,
    CellCode.TO_COUNTERSIGN: (_l("To be countersigned"), "other"),
    CellCode.RUNS_OUT: (_l("Only until %(day)s"), "wait"),
    CellCode.NOT_COVERED: (_l("Not open"), "wait"),
    CellCode.NO_ROLE: (_l("No task yet"), "wait"),
    CellCode.ROLE_OPEN: (_l("Not accepted"), "wait"),
    CellCode.NOT_ISSUED: (_l("Not issued"), "wait"),
    CellCode.PLAN_NOT_SIGNED: (_l("Not signed yet"), "off"),
    CellCode.CLOSED: (_l("Doesn't count now"), "off"),
    CellCode.NOT_CONFIRMED: (_l("Not confirmed"), "wait"),
}

# The pages of the read log, by the names under which they are logged.
READ_PAGES: dict[str, object] = {
    "visits": _l("The list of visits"),
    "my_work": _l("days, on My work"),
    "visit": _l("place and days"),
    "visit_readiness": _l("readiness"),
    "visit_my_part": _l("their part"),
    "visit_record_part": _l("the part of a person without an account"),
    "visit_plan": _l("changing place and days"),
    "visit_team": _l("changing the team"),
    "visit_team_before": _l("who was on the team, for a new visit"),
    "visit_stop": _l("stopping"),
    "visit_override": _l("overriding a gate"),
    "evidence": _l("exporting evidence"),
    "closing": _l("What a person wrote about their copies"),
}
# A checklist's certificate: it may be that of the agreed terms, which are of class K8.
READ_CERTIFICATE = ("certificate", "checklist")
# Pages of other packages, by the subject type they are about.
READ_SUBJECTS: dict[str, object] = {
    "checklist": _l("roles or urgent-action plan"),
    "undertaking": _l("The undertaking of a person"),
}


# What is missing, as text -------------------------------------------------------------------------

_PLANNERS = Turn(planners=True)
_ADMINISTRATORS = Turn(administrators=True)
_SIGN_FIRST = _l("A valid signature comes before anyone sees sensitive information.")
_BRIEFING_FIRST = _l(
    "At the briefing everyone hears tasks, method, limits and the urgent-action plan."
)
_AGREE_FIRST = _l("Both sides agree beforehand what they do if they find something serious.")
_SETTLE_ROLES = _l("Both sides agree in advance on roles, responsibilities and approach.")
_LETTERS = _l("Letters not delivered in time have kept people outside.")
_CHECK = _l("Ask them to check that nothing was altered.")
_STAYS_OUTSIDE = _l("The safety contact stays outside and knows whom to call.")
_NAMED_UNTIL_THE_END = _l("Everyone who is named takes part until the last day of the visit.")
_NAMED_IN_ROLES = _l(
    "Whoever is named there learns of the visit. Or name somebody else in the roles."
)
_LISTED_FIRST = _l("Only people on the list know the place and date.")
_EVERY_DAY = _l("Each must be valid on every day of the visit.")
_CONFIDENTIALITY_FIRST = _l(
    "Confidentiality is settled before anything else, above all before a visit."
)
_RECORDED_BY = _l(
    "This person never signs in. The team lead, or a coordinator or manager of the NPM, reads it "
    "to them and records it."
)
_SIGN = "settling-terms/sign-before-access"
_MANDATE = "settling-terms/mandate-rules"
_VISITS = "settling-terms/joint-visits"
_URGENT = "settling-terms/urgent-action"
_POWERS = "why-work-together/powers-and-duties"


def in_words(
    kind: RequirementKind, facts: Facts, requirements: Sequence[MissingRequirement]
) -> Missing:
    """Return one line for the missing things of one kind; there is at least one."""
    return _WORDS[kind](facts, requirements)


def _members(requirements: Sequence[MissingRequirement]) -> list[MemberFact]:
    return [requirement.member for requirement in requirements if requirement.member is not None]


def _turn_of_parties(parties: Sequence[PartyFact]) -> Turn:
    if not parties:
        return _PLANNERS
    return Turn(
        party_ids=frozenset(party.organisation_id for party in parties),
        names=tuple(party.name for party in parties),
    )


@dataclass(frozen=True, slots=True)
class _OfPeople:
    """The texts for something that is missing for people on the team."""

    words: Callable[[int, str], object]
    why: object
    passage: str
    place: PageKind
    item: str = ""
    # Whether each does it for themselves; otherwise those who plan the visit do.
    by_themselves: bool = False
    note: object = ""
    # What is said of each person, since an override covers no more than what is shown.
    of_each: Callable[[MemberFact], object] | None = None
    # What is said of what terms that stopped have closed.
    once_closed: Callable[[int, str], object] | None = None

    def __call__(self, facts: Facts, requirements: Sequence[MissingRequirement]) -> Missing:
        members = _members(requirements)
        names = tuple(member.name for member in members)
        turn = Turn(user_ids=frozenset(member.user_id for member in members), names=names)
        target = Target(self.place, facts.roles.checklist_id if self.item else None, self.item)
        note = self.note
        recorded_for = requirements[0].recorded_for
        if recorded_for is not None:
            turn, note = _PLANNERS, _RECORDED_BY
            target = Target(PageKind.PART_OF_ANOTHER, user_id=recorded_for)
        if self.of_each is not None:
            note = " ".join(str(words) for words in (*map(self.of_each, members), note))
        turn = turn if self.by_themselves else _PLANNERS
        if self.place is PageKind.UNDERTAKINGS and (closed := _why_nobody_signs(facts)):
            turn, note = Turn(), closed
        words = (facts.has_closed_undertakings and self.once_closed) or self.words
        return Missing(
            text=words(len(members), names[0]),
            why=self.why,
            target=target,
            turn=turn,
            passage=self.passage,
            names=names,
            count=len(members),
            note=note,
        )


def _why_nobody_signs(facts: Facts) -> object:
    """Return why nobody can sign an undertaking or be cleared now; empty if people can."""
    if facts.is_suspended:
        return _l("Nobody can sign or be cleared until the suspension is lifted.")
    if facts.confidentiality.signing not in {Signing.IN_FORCE, Signing.AMENDED}:
        return _l("Nobody can sign or be cleared before the confidentiality terms are in force.")
    return ""


def _who_leaves(words: Callable[[int, str], object]) -> _OfPeople:
    """Return the texts for people named in a text of the visit who leave before the visit ends."""
    return _OfPeople(words, _NAMED_UNTIL_THE_END, _SIGN, PageKind.COOPERATION)


@dataclass(frozen=True, slots=True)
class _OfVisit:
    """The texts for something that is missing for the visit as a whole."""

    text: object
    why: object
    passage: str
    place: PageKind
    item: str = ""
    turn: Turn = _PLANNERS
    note: object = ""

    def __call__(self, facts: Facts, _wants: Sequence[MissingRequirement]) -> Missing:
        return Missing(
            self.text,
            self.why,
            Target(self.place, facts.roles.checklist_id if self.item else None, self.item),
            self.turn,
            self.passage,
            note=self.note,
        )


@dataclass(frozen=True, slots=True)
class _OfChecklist:
    """The texts for a checklist that is not fully signed."""

    which: Callable[[Facts], ChecklistFact]
    texts: dict[Signing, object]
    why: object
    passage: str
    # What is said of a text in force that a party hasn't signed, if an amendment comes first.
    to_amend: object = ""

    def __call__(self, facts: Facts, _wants: Sequence[MissingRequirement]) -> Missing:
        words = self.which(facts)
        turn: Turn = _PLANNERS
        note: object = ""
        if words.signing is Signing.IN_FORCE and self.to_amend:
            note = self.to_amend
        elif words.signing is Signing.HELD_UP:
            note = next(iter(words.obstacles), "")
        elif words.signing in {Signing.SENT, Signing.IN_FORCE}:
            turn = _turn_of_parties(words.unsigned)
        elif words.signing is Signing.DISAGREES:
            # No party can settle that: somebody has to find out what was altered.
            turn, note = _ADMINISTRATORS, _CHECK
        return Missing(
            self.texts[words.signing],
            self.why,
            Target(PageKind.CHECKLIST, words.checklist_id),
            turn,
            self.passage,
            note=note,
        )


def _names_of(items: Iterable[ItemFact]) -> str:
    return with_commas(str(_l("“%(item)s”", item=item.label)) for item in items)


# More names than this would make the sentence, which is a link, too long to read.
_NAMED_IN_SENTENCE = 3


def _roles_items(facts: Facts, requirements: Sequence[MissingRequirement]) -> Missing:
    items = [requirement.item for requirement in requirements if requirement.item is not None]
    only = items[0] if len(items) == 1 else None
    parties = dict.fromkeys(party for item in items for party in item.waiting_for)
    note: object = ""
    if len(items) > _NAMED_IN_SENTENCE:
        words = lazy_ngettext(
            "%(num)s item of the roles isn't settled.",
            "%(num)s items of the roles aren't settled.",
            len(items),
        )
        note = _names_of(items)
    else:
        words = lazy_ngettext(
            "One item of the roles isn't settled: %(items)s.",
            "%(num)s items of the roles aren't settled: %(items)s.",
            len(items),
            items=_names_of(items),
        )
        if only:
            note = _l("%(label)s: %(what)s", label=only.label, what=only.what)
    return Missing(
        words,
        _SETTLE_ROLES,
        Target(
            PageKind.ITEM if only else PageKind.CHECKLIST,
            facts.roles.checklist_id,
            only.code if only else "",
        ),
        _turn_of_parties(list(parties)),
        _VISITS,
        count=len(items),
        note=note,
    )


@dataclass(frozen=True, slots=True)
class _PlanItems:
    """The texts for items of a plan in force that no longer fit the visit."""

    which: Callable[[Facts], ChecklistFact]
    words: Callable[[object], object]

    def __call__(self, facts: Facts, wants: Sequence[MissingRequirement]) -> Missing:
        items = [want.item for want in wants if want.item is not None]
        return Missing(
            self.words(_names_of(items)),
            _AGREE_FIRST,
            Target(PageKind.ITEM, self.which(facts).checklist_id, items[0].code),
            _PLANNERS,
            _URGENT,
            count=len(items),
            note=" ".join(
                str(_l("%(label)s: %(what)s", label=item.label, what=item.what)) for item in items
            ),
        )


def _undertakings_disagree(_facts: Facts, wants: Sequence[MissingRequirement]) -> Missing:
    names = tuple(member.name for member in _members(wants))
    return Missing(
        _l(
            "Undertakings that don't match their signatures: %(names)s.",
            names=with_commas(names),
        ),
        _SIGN_FIRST,
        Target(PageKind.UNDERTAKINGS),
        _ADMINISTRATORS,
        _SIGN,
        names=names,
        count=len(names),
        note=_CHECK,
    )


def _confidentiality_runs_out(facts: Facts, _wants: Sequence[MissingRequirement]) -> Missing:
    return Missing(
        _l("The confidentiality terms end before the visit does."),
        _CONFIDENTIALITY_FIRST,
        Target(PageKind.CHECKLIST, facts.confidentiality.checklist_id),
        _PLANNERS,
        "settling-terms/settle-before-visits",
    )


def _briefing(facts: Facts, _wants: Sequence[MissingRequirement]) -> Missing:
    is_ahead = facts.briefing_on is not None and not facts.briefed_elsewhere
    if facts.briefed_elsewhere:
        text: object = _l("The place changed after the team was briefed. Brief the team again.")
    elif is_ahead:
        text = _l("The team hasn't been briefed yet.")
    else:
        text = _l("The briefing of the team has no date yet.")
    return Missing(
        text,
        _BRIEFING_FIRST,
        Target(PageKind.ITEM, facts.roles.checklist_id, "V18"),
        Turn() if is_ahead else _PLANNERS,
        _VISITS,
        note=_l("The briefing is on %(day)s.", day=as_date(facts.briefing_on)) if is_ahead else "",
    )


def _not_active(facts: Facts, _wants: Sequence[MissingRequirement]) -> Missing:
    return Missing(
        _l("The agreed terms are suspended.")
        if facts.is_suspended
        else _l("The cooperation isn't active."),
        _l("A joint visit takes place while the cooperation is active and its terms are in force."),
        Target(PageKind.COOPERATION),
        Turn() if facts.is_suspended else _PLANNERS,
        "settling-terms/settle-before-visits",
        note=_l("The NPM can still visit on its own, without this cooperation."),
    )


def _outside_term(facts: Facts, _wants: Sequence[MissingRequirement]) -> Missing:
    term = facts.term
    is_early = term.starts_on is not None and facts.starts_on < term.starts_on
    text = _l("The visit ends after the agreed terms do.")
    if is_early:
        text = _l("The visit begins before the agreed terms do.")
    return Missing(
        text,
        _l("Every day of a joint visit is covered by terms that are in force."),
        Target(PageKind.COOPERATION),
        _PLANNERS,
        "settling-terms/settle-before-visits",
        note=_l("Change the days of the visit, or renew the terms first."),
    )


_WORDS: dict[RequirementKind, Callable[[Facts, Sequence[MissingRequirement]], Missing]] = {
    RequirementKind.NOT_ACTIVE: _not_active,
    RequirementKind.COOPERATION_DISAGREES: _OfVisit(
        _l("The stage or the days of the cooperation don't match its signatures."),
        _l("A joint visit takes place while the cooperation is active and its terms are in force."),
        "settling-terms/settle-before-visits",
        PageKind.COOPERATION,
        turn=_ADMINISTRATORS,
        note=_CHECK,
    ),
    RequirementKind.PEOPLE_DISAGREE: _OfVisit(
        _l(
            "The team, the roles of its people or the list of those who may know differ from the "
            "history."
        ),
        _l("Only people whom the events name count as the team and as listed."),
        _MANDATE,
        PageKind.TEAM,
        turn=_ADMINISTRATORS,
        note=_CHECK,
    ),
    RequirementKind.NO_MODE: _OfVisit(
        _l("Joint visits are no longer among the ways of working."),
        _l("They are the most sensitive part of cooperation, so they are chosen expressly."),
        _VISITS,
        PageKind.MODES,
    ),
    RequirementKind.MODE_NOT_SIGNED: _OfVisit(
        _l("Joint visits aren't in the terms that all parties signed."),
        _l(
            "They count once all parties have signed an amendment that names them, under “Ways "
            "of working” and “Safety, insurance, liability”."
        ),
        _VISITS,
        PageKind.COOPERATION,
    ),
    RequirementKind.OUTSIDE_TERM: _outside_term,
    RequirementKind.ROLES_ITEM: _roles_items,
    RequirementKind.LEFT: _OfPeople(
        lambda n, name: lazy_ngettext(
            "%(name)s no longer takes part in the cooperation.",
            "%(num)s people of the team no longer take part in the cooperation.",
            n,
            name=name,
        ),
        _l("Anyone who leaves the cooperation also leaves the team."),
        _SIGN,
        PageKind.TEAM,
    ),
    RequirementKind.LEAVES: _OfPeople(
        lambda n, name: lazy_ngettext(
            "%(name)s leaves the cooperation before the visit ends.",
            "%(num)s people leave the cooperation before the visit ends.",
            n,
            name=name,
        ),
        _l("Everyone on the team takes part in the cooperation until the last day of the visit."),
        _SIGN,
        PageKind.COOPERATION,
    ),
    RequirementKind.JOINING: _OfPeople(
        lambda n, name: lazy_ngettext(
            "The organisation of %(name)s hasn't signed the agreed terms yet.",
            "The organisations of %(num)s people haven't signed the agreed terms yet.",
            n,
            name=name,
        ),
        _SIGN_FIRST,
        _SIGN,
        PageKind.COOPERATION,
    ),
    RequirementKind.NOT_LISTED: _OfPeople(
        lambda n, name: lazy_ngettext(
            "%(name)s is on the team but not on the visit list.",
            "%(num)s people are on the team but not on the visit list.",
            n,
            name=name,
        ),
        _LISTED_FIRST,
        _MANDATE,
        PageKind.TEAM,
    ),
    RequirementKind.UNDERTAKING_DISAGREES: _undertakings_disagree,
    RequirementKind.NOT_SIGNED: _OfPeople(
        lambda n, name: lazy_ngettext(
            "The undertaking of %(name)s is not signed.",
            "%(num)s undertakings are not signed.",
            n,
            name=name,
        ),
        _SIGN_FIRST,
        _SIGN,
        PageKind.UNDERTAKINGS,
        by_themselves=True,
        note=_l("Each person signs for themselves; nobody can do it for them."),
        once_closed=lambda n, name: lazy_ngettext(
            "%(name)s has no undertaking that counts now.",
            "%(num)s people have no undertaking that counts now.",
            n,
            name=name,
        ),
    ),
    RequirementKind.NOT_DECIDED: _OfPeople(
        lambda n, name: lazy_ngettext(
            "The interests that %(name)s declared are to be decided.",
            "The interests that %(num)s people declared are to be decided.",
            n,
            name=name,
        ),
        _l("The NPM looks at declared interests before it opens anything."),
        _SIGN,
        PageKind.UNDERTAKINGS,
    ),
    RequirementKind.CONFLICT: _OfPeople(
        lambda n, name: lazy_ngettext(
            "%(name)s is to be replaced because of declared interests.",
            "%(num)s people are to be replaced because of declared interests.",
            n,
            name=name,
        ),
        _l("Nobody with an open conflict of interest comes near sensitive information."),
        _SIGN,
        PageKind.TEAM,
    ),
    RequirementKind.NOT_COUNTERSIGNED: _OfPeople(
        lambda n, name: lazy_ngettext(
            "The undertaking of %(name)s is to be countersigned.",
            "%(num)s undertakings are to be countersigned.",
            n,
            name=name,
        ),
        _SIGN_FIRST,
        _SIGN,
        PageKind.UNDERTAKINGS,
    ),
    RequirementKind.RUNS_OUT: _OfPeople(
        lambda n, name: lazy_ngettext(
            "The clearance of %(name)s runs out before the visit ends.",
            "%(num)s clearances run out before the visit ends.",
            n,
            name=name,
        ),
        _SIGN_FIRST,
        _SIGN,
        PageKind.UNDERTAKINGS,
    ),
    RequirementKind.NOT_COVERED: _OfPeople(
        lambda n, name: lazy_ngettext(
            "The clearance of %(name)s has ended, or doesn't cover this visit.",
            "%(num)s clearances have ended, or don't cover this visit.",
            n,
            name=name,
        ),
        _SIGN_FIRST,
        _SIGN,
        PageKind.UNDERTAKINGS,
    ),
    RequirementKind.ROLE: _OfPeople(
        lambda n, name: lazy_ngettext(
            "%(name)s hasn't accepted their task yet.",
            "%(num)s people have yet to accept their task.",
            n,
            name=name,
        ),
        _l("Everyone needs to understand their task, who steps in, and where the limits are."),
        _VISITS,
        PageKind.MY_PART,
        by_themselves=True,
    ),
    RequirementKind.BRIEFING: _briefing,
    RequirementKind.MISSED_BRIEFING: _OfPeople(
        lambda n, name: lazy_ngettext(
            "%(name)s joined the team after the briefing.",
            "%(num)s people joined the team after the briefing.",
            n,
            name=name,
        ),
        _BRIEFING_FIRST,
        _VISITS,
        PageKind.ITEM,
        "V18",
        note=_l("Brief them too, and give the date of that briefing."),
    ),
    RequirementKind.NOT_BRIEFED: _OfPeople(
        lambda n, name: lazy_ngettext(
            "%(name)s has not confirmed the briefing on the NPM's duties.",
            "%(num)s people have not confirmed the briefing on the NPM's duties.",
            n,
            name=name,
        ),
        _l("People keep rules better when they know the reason."),
        "settling-terms/explain-duties",
        PageKind.UNDERTAKINGS,
        by_themselves=True,
        once_closed=lambda n, name: lazy_ngettext(
            "The briefing of %(name)s on the NPM's duties doesn't count now.",
            "The briefing of %(num)s people on the NPM's duties doesn't count now.",
            n,
            name=name,
        ),
    ),
    RequirementKind.CREDENTIAL: _OfPeople(
        lambda n, name: lazy_ngettext(
            "The letter of access of %(name)s is not issued.",
            "%(num)s letters of access are not issued.",
            n,
            name=name,
        ),
        _LETTERS,
        _POWERS,
        PageKind.ITEM,
        item="V13",
        note=_EVERY_DAY,
    ),
    RequirementKind.CREDENTIAL_RUNS_OUT: _OfPeople(
        lambda n, name: lazy_ngettext(
            "A credential of %(name)s is not valid through the last day.",
            "Credentials of %(num)s people are not valid through the last day.",
            n,
            name=name,
        ),
        _LETTERS,
        _POWERS,
        PageKind.ITEM,
        item="V13",
        note=_EVERY_DAY,
        of_each=lambda member: _l(
            "%(name)s: valid until %(day)s.", name=member.name, day=as_date(member.credential_until)
        ),
    ),
    RequirementKind.SAFETY_CONTACT: _OfVisit(
        _l("No safety contact is named with a phone number."),
        _STAYS_OUTSIDE,
        _POWERS,
        PageKind.ITEM,
        "V13",
    ),
    RequirementKind.SAFETY_CONTACT_UNFIT: lambda facts, _wants: Missing(
        _l("Somebody else has to be the safety contact."),
        _STAYS_OUTSIDE,
        Target(PageKind.ITEM, facts.roles.checklist_id, "V13"),
        _PLANNERS,
        _POWERS,
        note=facts.safety_contact_problem,
    ),
    RequirementKind.CONFIDENTIALITY: _OfChecklist(
        lambda facts: facts.confidentiality,
        {
            Signing.NOT_BEGUN: _l("The confidentiality terms haven't been started."),
            Signing.INCOMPLETE: _l("The confidentiality terms are not agreed yet."),
            Signing.TO_SEND: _l("The confidentiality terms are ready to be sent for signature."),
            Signing.HELD_UP: _l("The confidentiality terms can't be sent for signature yet."),
            Signing.SENT: _l("The confidentiality terms are waiting for signatures."),
            Signing.AMENDED: _l("An amendment to the confidentiality terms isn't signed."),
            Signing.IN_FORCE: _l("A party hasn't signed the confidentiality terms."),
            Signing.STOPPED: _l("The confidentiality terms are suspended or have ended."),
            Signing.DISAGREES: _l("The confidentiality terms don't match their signatures."),
        },
        _CONFIDENTIALITY_FIRST,
        "settling-terms/settle-before-visits",
    ),
    RequirementKind.CONFIDENTIALITY_RUNS_OUT: _confidentiality_runs_out,
    RequirementKind.ROLES: _OfChecklist(
        lambda facts: facts.roles,
        {
            Signing.NOT_BEGUN: _l("The roles of this visit haven't been started."),
            Signing.INCOMPLETE: _l("The roles of this visit are not agreed yet."),
            Signing.TO_SEND: _l("The roles of this visit are ready to be sent for signature."),
            Signing.HELD_UP: _l("The roles of this visit can't be sent for signature yet."),
            Signing.SENT: _l("The roles of this visit are waiting for signatures."),
            Signing.AMENDED: _l("An amendment to the roles isn't signed."),
            Signing.IN_FORCE: _l("A party with people on the team hasn't signed the roles."),
            Signing.STOPPED: _l("The roles of this visit are no longer in force."),
            Signing.DISAGREES: _l("The roles of this visit don't match their signatures."),
        },
        _SETTLE_ROLES,
        _VISITS,
    ),
    RequirementKind.PLAN: _OfChecklist(
        lambda facts: facts.plan,
        {
            Signing.NOT_BEGUN: _l("The urgent-action plan hasn't been started."),
            Signing.INCOMPLETE: _l("The urgent-action plan is not agreed yet."),
            Signing.TO_SEND: _l("The urgent-action plan is ready to be sent for signature."),
            Signing.HELD_UP: _l("The urgent-action plan can't be sent for signature yet."),
            Signing.SENT: _l("The urgent-action plan is waiting for signatures."),
            Signing.AMENDED: _l("An amendment to the urgent-action plan isn't signed."),
            Signing.IN_FORCE: _l("A party with people on the team hasn't signed the plan."),
            Signing.STOPPED: _l("The urgent-action plan is no longer in force."),
            Signing.DISAGREES: _l("The urgent-action plan doesn't match its signatures."),
        },
        _AGREE_FIRST,
        _URGENT,
    ),
    RequirementKind.PLAN_ITEM: _PlanItems(
        lambda facts: facts.plan,
        lambda items: _l(
            "The urgent-action plan no longer fits the visit: %(items)s.", items=items
        ),
    ),
    RequirementKind.STANDING_PLAN_ITEM: _PlanItems(
        lambda facts: facts.standing_plan,
        lambda items: _l(
            "The cooperation's urgent-action plan names people who can't act any more: %(items)s.",
            items=items,
        ),
    ),
    RequirementKind.STANDING_PLAN: _OfChecklist(
        lambda facts: facts.standing_plan,
        {
            Signing.NOT_BEGUN: _l("The cooperation's urgent-action plan hasn't been started."),
            Signing.INCOMPLETE: _l("The cooperation's urgent-action plan is not agreed yet."),
            Signing.TO_SEND: _l(
                "The cooperation's urgent-action plan is ready to be sent for signature."
            ),
            Signing.HELD_UP: _l(
                "The cooperation's urgent-action plan can't be sent for signature yet."
            ),
            Signing.SENT: _l("The cooperation's urgent-action plan is waiting for signatures."),
            Signing.AMENDED: _l(
                "An amendment to the cooperation's urgent-action plan isn't signed."
            ),
            Signing.IN_FORCE: _l(
                "A party with people on the team hasn't signed the cooperation's urgent-action "
                "plan."
            ),
            Signing.STOPPED: _l("The cooperation's urgent-action plan is no longer in force."),
            Signing.DISAGREES: _l(
                "The cooperation's urgent-action plan doesn't match its signatures."
            ),
        },
        _l(
            "Regular visits need a standing plan for serious findings, which every visit then "
            "starts from."
        ),
        _URGENT,
        to_amend=_l("This party joined later: it signs the plan with its next amendment."),
    ),
    RequirementKind.ROLES_PERSON: _OfPeople(
        lambda n, name: lazy_ngettext(
            "%(name)s, named in the roles, isn't cleared for this visit.",
            "%(num)s people named in the roles aren't cleared for this visit.",
            n,
            name=name,
        ),
        _SIGN_FIRST,
        _SIGN,
        PageKind.UNDERTAKINGS,
        note=_NAMED_IN_ROLES,
    ),
    RequirementKind.ROLES_PERSON_NOT_LISTED: _OfPeople(
        lambda n, name: lazy_ngettext(
            "%(name)s, named in the roles, isn't on the visit list from the first day of the "
            "visit.",
            "%(num)s people named in the roles aren't on the visit list from the first day of "
            "the visit.",
            n,
            name=name,
        ),
        _LISTED_FIRST,
        _MANDATE,
        PageKind.TEAM,
        note=_NAMED_IN_ROLES,
    ),
    RequirementKind.ROLES_PERSON_LEAVES: _who_leaves(
        lambda n, name: lazy_ngettext(
            "%(name)s, named in the roles, leaves the cooperation before the visit ends.",
            "%(num)s people named in the roles leave the cooperation before the visit ends.",
            n,
            name=name,
        ),
    ),
    RequirementKind.PLAN_PERSON_LEAVES: _who_leaves(
        lambda n, name: lazy_ngettext(
            "%(name)s, named in the urgent-action plan, leaves the cooperation before the visit "
            "ends.",
            "%(num)s people named in the urgent-action plan leave the cooperation before the visit "
            "ends.",
            n,
            name=name,
        ),
    ),
    RequirementKind.PLAN_PERSON: _OfPeople(
        lambda n, name: lazy_ngettext(
            "%(name)s, named in the urgent-action plan, isn't cleared for this visit.",
            "%(num)s people named in the urgent-action plan aren't cleared for this visit.",
            n,
            name=name,
        ),
        _SIGN_FIRST,
        _SIGN,
        PageKind.UNDERTAKINGS,
        note=_l("Whoever acts on an urgent case learns of it. Or name somebody else in the plan."),
    ),
    RequirementKind.PLAN_NOT_READ: _OfPeople(
        lambda n, name: lazy_ngettext(
            "%(name)s has yet to confirm the urgent-action plan.",
            "%(num)s people have yet to confirm the urgent-action plan.",
            n,
            name=name,
        ),
        _AGREE_FIRST,
        _URGENT,
        PageKind.MY_PART,
        by_themselves=True,
    ),
}
