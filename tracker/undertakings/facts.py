"""Plain values for the rules and pages of undertakings. Pure."""

import datetime as dt
import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tracker.checklist_templates.conditions import Truth, evaluate
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import (
    FieldType,
    Item,
    Template,
    TemplateField,
)
from tracker.checklists.rules.completeness import is_required
from tracker.checklists.rules.facts import Sheet, Surroundings
from tracker.checklists.rules.values import as_date, as_id
from tracker.cooperations.models import Stage
from tracker.core import canonical
from tracker.core.localized import LocalizedText
from tracker.undertakings import signed_beside
from tracker.undertakings.models import InterestsDecision, UndertakingState
from tracker.undertakings.signed_beside import Signers, TermsDocument

# Items of checklist 2 with a section of their own on the person's page.
COVERS = "C1"
LIST = "C2"
BRIEFING = "C3"
INTERESTS = "C13"
LEAKS = "C16"
LASTING = "C17"
SIGNATURE = "C18"
OWN_PLACE = frozenset({BRIEFING, INTERESTS, SIGNATURE})

NO_INTERESTS = "none"
DECLARED = "declared"


class Scope(enum.StrEnum):
    """The scope of an undertaking (C1)."""

    ALL_UNTIL = "all_until"
    ONE_VISIT = "one_visit"
    ONE_PROJECT = "one_project"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a person has to know about the confidentiality terms, read from the frozen revision."""

    revision: int
    digest: str
    frozen_at: dt.datetime
    reference: str
    title: str
    npm_names: tuple[str, ...]
    scope: Scope
    which: str
    until: dt.date
    years: int | None
    return_by: dt.date | None
    # What happens to copies, by language; and the binding language of the terms.
    copies: LocalizedText
    binding: str
    # Whom to tell about a leak, at which number, within how many hours.
    contact: str
    phone: str
    hours: int | None
    # The documents that people sign with the undertaking, in the order of the terms.
    documents: tuple[TermsDocument, ...] = ()

    def documents_for(self, *, of_npm: bool) -> tuple[TermsDocument, ...]:
        """Return the documents that people of the NPM sign, or those of people of a CSO."""
        signers = (Signers.EVERYONE, Signers.NPM if of_npm else Signers.CSO)
        signed = (document for document in self.documents if document.signers in signers)
        # Each once, even if several rows name it.
        return tuple({document.name: document for document in signed}.values())

    def is_over(self, day: dt.date) -> bool:
        """Return whether the period that the terms cover has passed; the last day is included."""
        return day > self.until


@dataclass(frozen=True, slots=True)
class Point:
    """A sentence the person confirms, with its item."""

    code: str
    key: str
    label: str
    sentence: str
    help: str = ""

    @property
    def name(self) -> str:
        """Its name in a form and in a draft."""
        return f"{self.code.lower()}_{self.key}"


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions that the current template asks each person, as they currently apply."""

    points: tuple[Point, ...]
    briefing: Item | None
    briefing_required: bool
    interests: Item | None
    # What is signed with the undertaking: the kind as a label, and the document.
    documents: tuple[tuple[str, TermsDocument], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names in a form and a draft of all that the person confirms, with documents."""
        documents = (document.name for _kind, document in self.documents)
        return (*(point.name for point in self.points), *documents)

    @property
    def interest_options(self) -> tuple[tuple[str, str], ...]:
        """The answers to whether there is anything to declare: stored value and label."""
        if self.interests is None:
            return ()
        return tuple((option.value, option.label) for option in _choice(self.interests).options)

    @property
    def interest_question(self) -> str:
        """The question whether there is anything to declare."""
        return "" if self.interests is None else _choice(self.interests).label

    def briefing_field(self, kind: FieldType) -> TemplateField | None:
        """Return the field of the briefing that is a confirmation, or the one that is a date."""
        if self.briefing is None:
            return None
        return next((field for field in self.briefing.fields if field.type is kind), None)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person has entered so far; private until it is signed."""

    confirmed: frozenset[str] = frozenset()
    briefed: bool = False
    briefed_on: dt.date | None = None
    has_interests: bool | None = None
    interests: str = ""
    saved_at: dt.datetime | None = None
    # Whether the person has completed everything and proceeds to sign.
    is_ready: bool = False
    # The host on whose device somebody without an account entered it; shown to nobody else.
    host_id: UUID | None = None

    def to_values(self) -> dict[str, Any]:
        """Return it as plain values, to be stored encrypted."""
        return {
            "confirmed": sorted(self.confirmed),
            "briefed": self.briefed,
            "briefed_on": self.briefed_on.isoformat() if self.briefed_on else None,
            "has_interests": self.has_interests,
            "interests": self.interests,
            "saved_at": self.saved_at.isoformat() if self.saved_at else None,
            "is_ready": self.is_ready,
            "host": str(self.host_id) if self.host_id else None,
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "Draft":
        """Parse what to_values() returned."""
        saved_at = values.get("saved_at")
        return cls(
            confirmed=frozenset(values.get("confirmed", ())),
            briefed=bool(values.get("briefed")),
            briefed_on=as_date(values.get("briefed_on")),
            has_interests=values.get("has_interests"),
            interests=str(values.get("interests", "")),
            saved_at=dt.datetime.fromisoformat(saved_at) if saved_at else None,
            is_ready=bool(values.get("is_ready")),
            host_id=as_id(values.get("host")),
        )

    @property
    def digest(self) -> str:
        """Return a digest that differs for different drafts."""
        return canonical.digest_of(self.to_values())


@dataclass(frozen=True, slots=True)
class UndertakingStatus:
    """The plain values of one undertaking, for the rules."""

    user_id: UUID
    organisation_id: UUID
    state: UndertakingState
    # Whether it is based on the terms that are in force.
    is_current: bool
    # The last day of the terms (C1), inclusive.
    until: dt.date
    # The NPM bodies that are parties today.
    npm_ids: frozenset[UUID] = field(default_factory=frozenset)
    has_interests: bool | None = None
    # Whether a party that the person takes part for litigates or represents people concerned (M1).
    party_has_interest: bool = False
    decision: InterestsDecision | None = None
    # Whether a limit holds that the NPM set on an earlier undertaking of the person.
    has_earlier_limit: bool = False
    # Whether the person is on the list of people who must sign, and takes part today.
    is_listed: bool = True
    # Whether the person has another open undertaking.
    has_open: bool = False
    withdrawn_by_person: bool = False
    # Whether the NPM lets people in this cooperation sign with a code sent by email.
    mailed_codes: bool = False
    # Of the person's added interests: how many wait for the NPM, and whether it decided that
    # somebody else has to replace the person.
    undecided_added: int = 0
    added_refused: bool = False
    # Whether the person has an account; without one they sign on paper, or on somebody's device.
    signs_in: bool = True
    # Whether the person's account isn't suspended, and they have a role today in the organisation
    # that named them.
    has_role: bool = True
    # Who recorded the scan of what the person signed on paper.
    recorded_by_id: UUID | None = None
    # On whose device the person signed, in their presence.
    host_id: UUID | None = None
    # Whether the person's own party has yet to sign the terms in force (adr 70).
    is_joining: bool = False
    # The stage of the cooperation, whether the last day of its agreed terms has passed, and whether
    # a notice stops them, or the terms on confidentiality, from today or an earlier day on.
    stage: Stage = Stage.ACTIVE
    agreed_terms_have_run_out: bool = False
    is_stopped_by_notice: bool = False

    @property
    def taken_by(self) -> frozenset[UUID]:
        """Who took the person's signature, on paper or on their own device; empty for nobody."""
        takers = (self.recorded_by_id, self.host_id)
        return frozenset(user_id for user_id in takers if user_id is not None)

    @property
    def needs_decision(self) -> bool:
        """Whether the NPM has to decide, on a declaration or because of the party's interest."""
        return bool(self.has_interests) or self.party_has_interest

    @property
    def waits_for_decision(self) -> bool:
        """Whether the NPM has yet to decide on the declaration."""
        return (
            self.state is UndertakingState.SIGNED and self.needs_decision and self.decision is None
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """A person on the list of those who must sign (C2)."""

    user_id: UUID
    organisation_id: UUID
    function: str


def read_terms(document: Mapping[str, Any], digest: str) -> Terms:
    """Return what a person has to know from the frozen document of checklist 2's terms part."""
    items = {
        item["code"]: item["answers"][0]
        for section in document["sections"]
        for item in section["items"]
        if item["answers"]
    }
    covers, leaks, lasting = (_values(items, code) for code in (COVERS, LEAKS, LASTING))
    until = as_date(covers.get("until"))
    if until is None:
        raise ValueError("The confidentiality terms name no last day (C1).")
    return Terms(
        revision=document["revision"],
        digest=digest,
        frozen_at=dt.datetime.fromisoformat(document["frozen_at"]),
        reference=document["cooperation"]["reference"],
        title=document["cooperation"]["title"],
        npm_names=tuple(party["name"] for party in document["parties"] if party["side"] == "npm"),
        scope=Scope(covers.get("scope", Scope.ALL_UNTIL)),
        which=str(covers.get("which") or ""),
        until=until,
        years=lasting.get("years"),
        return_by=as_date(lasting.get("return_by")),
        copies=_text(items, LASTING, "copies"),
        binding=str(document.get("binding_language") or document["language"]),
        contact=str(_text(items, LEAKS, "contact")),
        phone=str(leaks.get("phone") or ""),
        hours=leaks.get("hours"),
        documents=tuple(signed_beside.read(covers.get(signed_beside.FIELD) or ())),
    )


def questions(
    template: Template,
    sheet: Sheet,
    surroundings: Surroundings,
    documents: Sequence[TermsDocument] = (),
) -> Questions:
    """Return what each person is asked: the personal items that currently apply.

    A sentence that is not required here is left out; the briefing stays as a recommendation.
    documents are those that the terms in force require of this person.
    """
    shown = sorted(
        (item for item in template.items if _is_shown(item, sheet, surroundings)),
        key=lambda item: int(item.code[1:]),
    )
    by_code = {item.code: item for item in shown}
    covers = template.by_code[COVERS]
    briefing = by_code.get(BRIEFING)
    return Questions(
        points=tuple(
            Point(item.code, field.key, item.label, field.label, item.help or "")
            for item in shown
            if item.code not in OWN_PLACE and is_required(item, sheet, surroundings)
            for field in item.fields_of(AnswerScope.PERSON)
            if field.type is FieldType.CONFIRM
        ),
        briefing=briefing,
        briefing_required=briefing is not None and is_required(briefing, sheet, surroundings),
        interests=by_code.get(INTERESTS),
        documents=tuple(
            (signed_beside.kind_of(document, covers), document) for document in documents
        ),
    )


def listed_in(
    sheet: Sheet, surroundings: Surroundings, homes: Mapping[UUID, Sequence[UUID]]
) -> list[Listed]:
    """Return the people on the parties' lists (C2), each once, if they take part today.

    homes are the organisations each person takes part for. A party lists its own people; a person
    listed by another party is asked all the same, for an organisation of their own.
    """
    people: dict[UUID, Listed] = {}
    for party in surroundings.parties:
        answer = sheet.of_party(LIST, party.organisation_id)
        if answer is None or answer.not_applicable:
            continue
        for user_id, row in rows_of_list(answer.values):
            if user_id in homes:
                own = homes[user_id]
                home = party.organisation_id if party.organisation_id in own else own[0]
                function = str(row.get("function") or "")
                people.setdefault(user_id, Listed(user_id, home, function))
    return list(people.values())


def rows_of_list(values: Mapping[str, Any]) -> Iterator[tuple[UUID, Mapping[str, Any]]]:
    """Yield the people on a party's list (C2), each with their row."""
    for row in (values.get("persons") or ()) if values.get("listed") == "people" else ():
        user_id = as_id(row.get("person"))
        if user_id is not None:
            yield user_id, row


def missing(questions: Questions, draft: Draft, today: dt.date) -> Iterable[str]:
    """Yield the names of what a draft still lacks before it can be signed."""
    for name in questions.names:
        if name not in draft.confirmed:
            yield name
    if questions.briefing_required and not draft.briefed:
        yield "briefed"
    if draft.briefed and (draft.briefed_on is None or draft.briefed_on > today):
        yield "briefed_on"
    if questions.interests is not None and draft.has_interests is None:
        yield "has_interests"
    if draft.has_interests and not draft.interests:
        yield "interests"


def _is_shown(item: Item, sheet: Sheet, surroundings: Surroundings) -> bool:
    shown = evaluate(
        item.shown_when,
        modes=surroundings.modes,
        questions=surroundings.questions,
        value_of=sheet.value,
    )
    return shown is Truth.TRUE and AnswerScope.PERSON in item.scopes


def _choice(item: Item) -> TemplateField:
    return next(field for field in item.fields if field.type is FieldType.CHOICE)


def _values(items: Mapping[str, Any], code: str) -> dict[str, Any]:
    return dict(items[code].get("values", {})) if code in items else {}


def _text(items: Mapping[str, Any], code: str, key: str) -> LocalizedText:
    fields = items[code]["fields"] if code in items else ()
    return next((field["text"] for field in fields if field["key"] == key), "")
