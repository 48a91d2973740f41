"""The service functions in any order: only what is agreed is counted and in the text.

In one file: one state machine with every action on a checklist.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from tests.effort import tries
from tests.factories import checklists
from tests.factories.checklists import decline_text
from tests.factories.evidence import truth
from tests.factories.evidence.truth import Book, Story, Version, has_words
from tests.factories.negotiations import QUESTIONS, Negotiation, set_out
from tests.factories.templates import a_template, publish, small_terms
from tracker.access.actor import Actor, Role
from tracker.accounts.people import service as accounts
from tracker.agreements import amendments
from tracker.agreements import service as agreements
from tracker.agreements.document import Languages, document
from tracker.checklist_templates import library
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import (
    Answer,
    Checklist,
    ChecklistState,
    Proposal,
    Stance,
)
from tracker.checklists.negotiation import hints, positions
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Mode, Party
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError

pytestmark = pytest.mark.both_databases

SHARED, OWN = AnswerScope.SHARED, AnswerScope.PARTY
NOWHERE = UUID(int=0)
CODES = [f"M{n}" for n in range(1, 12)]
# Items that need no acceptance, so that nothing is proposed there.
NO_ACCEPTANCE = {"M1", "M5", "M9"}
BODIES = ("npm", "door", "lantern", "bridge")
SIGNERS = dict(zip(BODIES, ("tomas", "henrik", "otto", "rosa"), strict=True))
BODY = st.sampled_from(BODIES)
# Most of the time people have the newest version before them.
BEHIND = st.sampled_from([0, 0, 0, 0, 1])
MODES = st.sets(st.sampled_from(["VISIT", "PROJ", "ADVIS", "EXP"]), min_size=1)
Made = TypeVar("Made")
Pairs = list[tuple[str, UUID]]


@dataclass(frozen=True)
class Offer:
    """An open proposal: its item, its party and its stored values."""

    code: str
    body: UUID
    values: Mapping[str, Any]


@dataclass
class Modelled:
    """A checklist and the model beside it: what can be done now, and with which result."""

    negotiation: Negotiation
    book: Book
    offers: dict[UUID, Offer] = field(default_factory=dict)
    ids: dict[tuple[str, int], UUID] = field(default_factory=dict)
    state: str = "drafting"
    open_items: list[str] | None = None
    # Who joined while the text could not be changed.
    newcomers: dict[UUID, str] = field(default_factory=dict)

    @property
    def terms(self) -> Checklist:
        return self.negotiation.checklist()

    def id(self, key: str) -> UUID:
        return self.negotiation.country.id(key)

    def is_at_work(self, code: str) -> bool:
        """Return whether an item is shown and may be changed: live lists always, others in a draft.

        Once a text was reopened for some items, everything else that is agreed stays so.
        """
        if self.book.shown(code) != truth.YES:
            return False
        if self.book.by_code[code]["part"] == "people":
            return True
        is_asked_for = self.open_items is None or code in self.open_items
        return self.state == "drafting" and (is_asked_for or code in self.book.in_the_way())

    def stands(self, code: str) -> bool:
        """Return whether there is an answer that may be changed."""
        return self.is_at_work(code) and self.book.stories[code].now is not None

    def last(self, code: str) -> int:
        return len(self.book.stories[code].versions)

    def seen(self, code: str, behind: int = 0) -> UUID:
        """Return the id of the version that somebody is looking at."""
        return self.ids.get((code, self.last(code) - behind), NOWHERE)

    def shown_values(self, code: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that are stored: those with content, in columns that are shown."""
        shown = self.book.visible(code, values)
        return {key: value for key, value in shown.items() if has_words(value) or value is False}

    def is_taken(self, code: str, body: UUID) -> bool:
        """Return whether another party has accepted the current answer."""
        story = self.book.stories[code]
        return story.now is not None and any(
            story.stances.get(party) == (self.last(code), truth.ACCEPTS)
            for party in self.book.parties
            if party != body
        )

    def may_write(self, code: str, body: UUID, behind: int = 0) -> bool:
        return (
            self.is_at_work(code)
            and body in self.book.setters(code)
            and (behind == 0 or self.last(code) == 0)
            and not self.is_taken(code, body)
        )

    def may_agree(self, body: UUID, offer: Offer) -> bool:
        """Return whether a party may answer a proposal: one of the two writes the item."""
        is_other = body in self.book.parties and body != offer.body
        return is_other and bool({body, offer.body} & set(self.book.setters(offer.code)))

    def add_version(self, code: str, answer_id: UUID, values: Any, **more: bool) -> None:
        """Note a new version: all parties are asked again, and open proposals are outdated."""
        story = self.book.stories[code]
        story.versions.append(Version(len(story.versions) + 1, values, **more))
        story.stances = {}
        self.ids[code, len(story.versions)] = answer_id
        self.drop_offers(lambda offer: offer.code == code)

    def note_proposers(self) -> None:
        """Note in the model who is waiting for an answer to a proposal."""
        for code, story in self.book.stories.items():
            story.proposers = {offer.body for offer in self.offers.values() if offer.code == code}

    def drop_offers(self, is_past: Callable[[Offer], bool]) -> None:
        self.offers = {key: offer for key, offer in self.offers.items() if not is_past(offer)}

    def say(self, code: str, body: UUID, stance: str) -> None:
        if body in self.book.accepters(code):
            self.book.stories[code].stances[body] = (self.last(code), stance)

    def attempt(self, is_right: bool, act: Callable[[], Made]) -> Made | None:
        """Perform an action; it must be refused exactly when it isn't allowed."""
        try:
            with self.negotiation.session.begin_nested():
                result = act()
        except (RefusedError, RuleBrokenError):
            if is_right:
                raise
            return None
        assert is_right, "This should have been refused."
        return result


class AnyOrder(RuleBasedStateMachine):
    """Everything people can do on a checklist, in any order."""

    def __init__(self, negotiation: Negotiation, writers: Mapping[UUID, Actor]) -> None:
        super().__init__()
        self.negotiation, self.writers = negotiation, writers

    @initialize(
        items=truth.checklists(),
        focus=st.lists(st.sampled_from(CODES), min_size=2, max_size=3, unique=True),
    )
    def begin(self, items: list[dict[str, Any]], focus: list[str]) -> None:
        # Most of what happens is about a few items, so that much happens to each of them.
        self.focus = focus
        publish(a_template(*items, version=91))
        negotiation = self.negotiation
        terms = negotiation.checklist()
        terms.template_id = library.newest(ChecklistKind.TERMS).id
        negotiation.session.flush()
        service.recount(terms.id)
        parties = {
            party.organisation_id: party.side.value for party in negotiation.loaded().parties
        }
        book = Book(items, parties, set(negotiation.loaded().people), {"VISIT"}, dict(QUESTIONS))
        self.modelled = Modelled(negotiation, book)
        self.was_sent = self.was_signed = False
        # Each item as it was when the text was signed.
        self.signed: dict[str, Story] = {}

    def teardown(self) -> None:
        if hasattr(self, "modelled"):
            self._all_that_was_ever_written_is_kept()
        self.negotiation.session.rollback()

    def _pair(self, data: st.DataObject, likely: Pairs) -> tuple[str, UUID]:
        """Draw an item and a party: mostly a pair that makes sense, sometimes any."""
        is_sensible: bool = data.draw(st.sampled_from([True, True, True, True, False]))
        if likely and is_sensible:
            return data.draw(st.sampled_from(likely))
        return data.draw(st.sampled_from(CODES)), self.modelled.id(data.draw(BODY))

    def _pairs(self, bodies: Callable[[str], Iterable[UUID]]) -> Pairs:
        """Return each item that may be changed, with these parties."""
        at_work = [code for code in self.focus if self.modelled.is_at_work(code)]
        return [(code, body) for code in at_work for body in bodies(code)]

    # Answers

    @rule(data=st.data(), how=st.sampled_from(["save", "save", "save", "leave out", "own"]))
    def somebody_writes(self, data: st.DataObject, how: str) -> None:
        """Write the answer for all, leave an item out for all, or answer only for one party."""
        act = {"save": self._write, "leave out": self._leave_out, "own": self._answer_for_own}
        act[how](data)

    def _write(self, data: st.DataObject) -> None:
        modelled, behind = self.modelled, data.draw(BEHIND)
        code, body = self._pair(data, self._pairs(modelled.book.setters))
        values = data.draw(truth.answers(code, (self._oren, self._petra)))
        fits = code != "M5" or UUID(values["second_reader"]) in modelled.book.people
        seen = max(modelled.last(code) - behind, 0)
        result = modelled.attempt(
            fits
            and modelled.may_write(code, body, behind)
            and self._has_words_or_empties(
                code, values, modelled.book.stories[code].now is not None
            ),
            lambda: self._save(code, body, SHARED, values, seen),
        )
        if result:
            modelled.add_version(code, result.id, modelled.shown_values(code, values))
            modelled.say(code, body, truth.ACCEPTS)

    def _leave_out(self, data: st.DataObject) -> None:
        modelled, book = self.modelled, self.modelled.book
        likely = [pair for pair in self._pairs(book.setters) if not book.is_required(pair[0])]
        code, body = self._pair(data, likely)
        result = modelled.attempt(
            modelled.may_write(code, body) and not book.is_required(code),
            lambda: self._save(code, body, SHARED, {}, modelled.last(code), "No need."),
        )
        if result:
            modelled.add_version(code, result.id, {"reason": "No need."}, left_out=True)
            modelled.say(code, body, truth.ACCEPTS)

    def _answer_for_own(self, data: st.DataObject) -> None:
        modelled, code = self.modelled, data.draw(st.sampled_from(["M8", "M9"]))
        body = modelled.id(data.draw(BODY))
        values = data.draw(st.fixed_dictionaries(truth.OWN[code]))
        given = modelled.book.stories[code].own.get(body, [])
        has_answer = bool(given) and any(has_words(value) for value in given[-1].values())
        result = modelled.attempt(
            modelled.is_at_work(code)
            and body in modelled.book.parties
            and self._has_words_or_empties(code, values, has_answer),
            lambda: self._save(code, body, OWN, values, len(given)),
        )
        if result:
            modelled.book.stories[code].own[body] = [*given, modelled.shown_values(code, values)]

    def _has_words_or_empties(self, code: str, values: Mapping[str, Any], has_answer: bool) -> bool:
        """Return whether there is something to save: words, or an answer that may be emptied."""
        return bool(self.modelled.shown_values(code, values)) or (
            has_answer and not self.modelled.book.is_required(code)
        )

    def _save(
        self,
        code: str,
        body: UUID,
        scope: AnswerScope,
        values: Mapping[str, Any],
        seen: int,
        because: str = "",
    ) -> Answer:
        return service.save_answer(
            self.writers[body],
            self.modelled.terms,
            code,
            scope,
            values,
            base_version=seen,
            not_applicable_because=because,
        )

    @rule(data=st.data(), more=st.integers(0, 2))
    def items_are_settled(self, data: st.DataObject, more: int) -> None:
        """Parties that may answer items do, and all who are asked accept."""
        for _number in range(1 + more):
            code, _body = self._pair(data, self._pairs(lambda _code: self.modelled.book.parties))
            if self.modelled.is_at_work(code):
                self._settle_item(code)

    # Positions

    @rule(data=st.data(), how=st.sampled_from(["accept", "accept", "talk", "propose", "propose"]))
    def somebody_says_what_they_think(self, data: st.DataObject, how: str) -> None:
        """Accept an answer, ask to discuss, suggest a change or answer a proposal with one."""
        act = {"accept": self._accept_one, "talk": self._ask_to_talk, "propose": self._propose_any}
        act[how](data)

    def _accept_one(self, data: st.DataObject) -> None:
        code, body = self._pair(data, self._pairs(self._would_accept))
        self._accept(code, body, data.draw(BEHIND))

    def _would_accept(self, code: str) -> list[UUID]:
        book = self.modelled.book
        return book.lacking(code) if book.is_whole(code) else []

    def _accept(self, code: str, body: UUID, behind: int = 0) -> None:
        modelled, book = self.modelled, self.modelled.book
        may = body in book.accepters(code) and modelled.is_at_work(code) and behind == 0
        is_right = may and book.is_whole(code)
        seen = modelled.seen(code, behind)
        if modelled.attempt(is_right, lambda: self._take(code, body, Stance.ACCEPTS, seen)):
            self._unseen_goes_to_history(code)
            modelled.say(code, body, truth.ACCEPTS)
            # Whoever accepts the answer withdraws what they proposed instead.
            modelled.drop_offers(lambda offer: (offer.code, offer.body) == (code, body))

    def _unseen_goes_to_history(self, code: str) -> None:
        """Nobody accepts what they can't see: accepting drops values in hidden columns."""
        modelled, now = self.modelled, self.modelled.book.stories[code].now
        if now and not now.left_out and modelled.book.visible(code, now.values) != now.values:
            current = self.negotiation.loaded().sheet.shared(code)
            assert current is not None
            modelled.add_version(code, current.answer_id, modelled.shown_values(code, now.values))

    def _ask_to_talk(self, data: st.DataObject) -> None:
        modelled, book, behind = self.modelled, self.modelled.book, data.draw(BEHIND)
        code, body = self._pair(data, self._answered(book.accepters))
        is_right = body in book.accepters(code) and modelled.stands(code) and behind == 0
        seen = modelled.seen(code, behind)
        if modelled.attempt(is_right, lambda: self._take(code, body, Stance.WANTS_TALK, seen)):
            modelled.say(code, body, "wants_talk")

    def _answered(self, bodies: Callable[[str], Iterable[UUID]]) -> Pairs:
        return self._pairs(lambda code: bodies(code) if self.modelled.stands(code) else ())

    def _take(self, code: str, body: UUID, stance: Stance, seen: UUID) -> bool:
        positions.take_position(
            self.writers[body],
            self.modelled.terms,
            code,
            stance,
            answer_id=seen,
            reason="" if stance is Stance.ACCEPTS else "Let us talk.",
            outcome="We agreed." if stance is Stance.ACCEPTS else "",
        )
        return True

    # Proposals

    def _propose_any(self, data: st.DataObject) -> None:
        modelled, book = self.modelled, self.modelled.book
        code, body = self._pair(data, self._answered(book.accepters))
        values = data.draw(truth.answers(code, (self._oren, self._petra)))
        stored, now = modelled.shown_values(code, values), book.stories[code].now
        open_offers = [
            offer_id for offer_id, offer in modelled.offers.items() if offer.code == code
        ]
        replied = data.draw(st.sampled_from([None, *open_offers]))
        offer = modelled.offers[replied] if replied else None
        may = body in book.parties and code not in NO_ACCEPTANCE and modelled.stands(code)
        is_new = now is not None and (
            now.left_out or stored != modelled.shown_values(code, now.values)
        )
        is_answer = not offer or (modelled.may_agree(body, offer) and stored != offer.values)
        is_whole = all(book.is_full(code, field, stored) for field in book.fields(code))
        result = modelled.attempt(
            may and is_new and is_answer and is_whole,
            lambda: self._propose(code, body, values, replied),
        )
        if result:
            modelled.drop_offers(
                lambda other: other is offer or (other.code, other.body) == (code, body)
            )
            modelled.offers[result.id] = Offer(code, body, stored)
            modelled.say(code, body, "wants_change")

    def _propose(
        self, code: str, body: UUID, values: Mapping[str, Any], replied: UUID | None = None
    ) -> Proposal:
        return positions.propose(
            self.writers[body],
            self.modelled.terms,
            code,
            values,
            answer_id=self.modelled.seen(code),
            reason="It is clearer.",
            replies_to=replied,
        )

    @precondition(lambda self: self.modelled.offers)
    @rule(data=st.data(), how=st.sampled_from(["accept", "turn down", "take back"]))
    def somebody_ends_a_proposal(self, data: st.DataObject, how: str) -> None:
        """Accept or decline a proposal, or withdraw one."""
        proposal = data.draw(st.sampled_from(list(self.modelled.offers)))
        act = {
            "accept": self._accept_proposal,
            "turn down": self._turn_down,
            "take back": self._take_back,
        }
        act[how](proposal, self.modelled.id(data.draw(BODY)))

    def _accept_proposal(self, proposal: UUID, body: UUID) -> None:
        modelled, book = self.modelled, self.modelled.book
        offer = modelled.offers[proposal]
        code, values = offer.code, modelled.shown_values(offer.code, offer.values)
        is_whole = all(book.is_full(code, field, values) for field in book.fields(code))
        act = positions.accept_proposal
        result = modelled.attempt(
            modelled.may_agree(body, offer) and modelled.is_at_work(code) and is_whole,
            lambda: act(self.writers[body], modelled.terms, proposal),
        )
        if result:
            modelled.add_version(code, result.id, values)
            for party in (offer.body, body):
                modelled.say(code, party, truth.ACCEPTS)

    def _turn_down(self, proposal: UUID, body: UUID) -> None:
        modelled, offer = self.modelled, self.modelled.offers[proposal]

        def act() -> bool:
            positions.turn_down_proposal(self.writers[body], modelled.terms, proposal, "Not so.")
            return True

        if modelled.attempt(
            modelled.may_agree(body, offer) and modelled.is_at_work(offer.code), act
        ):
            del modelled.offers[proposal]

    def _take_back(self, proposal: UUID, body: UUID) -> None:
        modelled = self.modelled

        def act() -> bool:
            positions.withdraw_proposal(self.writers[body], modelled.terms, proposal)
            return True

        is_own = body == modelled.offers[proposal].body and body in modelled.book.parties
        if modelled.attempt(is_own, act):
            del modelled.offers[proposal]

    # Who takes part, and how they work

    @rule(data=st.data(), what=st.sampled_from(["party", "ways", "ways", "person"]))
    def something_around_it_changes(self, data: st.DataObject, what: str) -> None:
        """A party or a person joins or leaves, or the modes change."""
        if what == "ways":
            self._work_in_other_ways(data)
        elif what == "person":
            self._lose_oren_or_have_him_back(data)
        else:
            key = data.draw(st.sampled_from(["lantern", "bridge"]))
            if self.modelled.id(key) not in self.modelled.book.parties:
                self._join(key)
            elif self.modelled.state == "drafting":
                self._leave(key)

    def _join(self, key: str) -> None:
        modelled, body = self.modelled, self.modelled.id(key)
        cooperation = self.negotiation.cooperation
        is_there = any(
            party.organisation_id == body and party.left_on is None for party in cooperation.parties
        )
        joined = modelled.attempt(
            not is_there and not self.was_signed,
            lambda: cooperations.join_party(self.negotiation["ilena"], cooperation, body),
        )
        if joined:
            drafting = modelled.state == "drafting"
            (modelled.book.parties if drafting else modelled.newcomers)[body] = "cso"

    def _leave(self, key: str) -> None:
        """No page removes a party yet: this is what such an action will do."""
        body = self.modelled.id(key)
        del self.modelled.book.parties[body]
        row = self.negotiation.session.scalars(
            sa.select(Party).where(
                Party.cooperation_id == self.negotiation.cooperation.id,
                Party.organisation_id == body,
            )
        ).one()
        row.left_on = clock.today() - dt.timedelta(days=1)
        service.set_parties(self.modelled.terms, list(self.modelled.book.parties))

    def _work_in_other_ways(self, data: st.DataObject) -> None:
        modes = data.draw(MODES)
        personal_data = data.draw(st.sampled_from(["yes", "no", "not_known"]))
        cooperation = self.negotiation.cooperation
        cooperations.set_modes(
            self.negotiation["ilena"],
            cooperation,
            version=cooperation.version,
            modes=[Mode(mode) for mode in modes],
            questions={"personal_data": personal_data},
        )
        self.modelled.book.modes = set(cooperation.modes)
        self.modelled.book.questions = dict(cooperation.questions)

    def _lose_oren_or_have_him_back(self, data: st.DataObject) -> None:
        """He leaves the cooperation, his account is suspended, or he comes back."""
        people = self.modelled.book.people
        if self._oren not in people:
            self._have_oren_back()
        elif data.draw(st.booleans()):
            accounts.suspend(self.negotiation["root"], self._oren, reason="A lost telephone")
        else:
            self._people(cooperations.end_person)
        people ^= {self._oren}

    def _have_oren_back(self) -> None:
        if self.negotiation.country.users["oren"].active:
            self._people(cooperations.add_person)
        else:
            accounts.restore(self.negotiation["root"], self._oren)

    def _people(self, act: Callable[..., object]) -> None:
        act(
            self.negotiation["ilena"],
            self.negotiation.cooperation,
            user_id=self._oren,
            organisation_id=self.modelled.id("npm"),
        )

    @property
    def _oren(self) -> UUID:
        return self.negotiation.country.users["oren"].id

    @property
    def _petra(self) -> UUID:
        return self.negotiation.country.users["petra"].id

    # Sending, and afterwards

    @precondition(lambda self: self.modelled.state == "drafting" and not self.was_sent)
    @rule(
        after=st.sampled_from(["decline", "call back", "sign"]),
        code=st.sampled_from([code for code in CODES if code != "M11"]),
        joins=st.sampled_from([None, "lantern", "bridge"]),
    )
    def they_agree_and_send(self, after: str, code: str, joins: str | None) -> None:
        """Everything that blocks sending is settled; the text is sent and reopened for one item."""
        self.was_sent = True
        self._settle()
        modelled, terms = self.modelled, self.modelled.terms
        reader = hints.second_reader_of(self.negotiation.loaded())
        checklists.read_second(self.negotiation["oren" if reader == self._oren else "petra"], terms)
        signers = {modelled.id(key): self.negotiation[first] for key, first in SIGNERS.items()}
        present = {
            body: signatory for body, signatory in signers.items() if body in modelled.book.parties
        }
        checklists.send(terms, self.negotiation["ilena"], present)
        modelled.state = "sent"
        self.all_is_as_it_truly_is()
        self._nothing_can_be_changed(code)
        if joins:
            self._join(joins)
        if after == "call back":
            agreements.call_back(self.negotiation["ilena"], terms, reason="One more thing.")
        elif after == "decline":
            decline_text(
                self.negotiation["henrik"],
                terms,
                reason="Not so.",
                items=[code],
            )
            self._comes_back(code, modelled.id("door"))
        else:
            checklists.sign(terms, *present.values())
            modelled.state, self.was_signed = "in_force", True
            self.signed = deepcopy(modelled.book.stories)
            self._nothing_can_be_changed(code)
            agreements.amend(self.negotiation["samira"], terms, reason="It is time.", items=[code])
            self._comes_back(code, modelled.id("door"))
        modelled.state = "drafting"
        modelled.book.parties.update(modelled.newcomers)
        modelled.newcomers.clear()

    @precondition(lambda self: self.signed)
    @rule(code=st.sampled_from([code for code in CODES if code != "M11"]), data=st.data())
    def the_amendment_is_called_off_and_opened_again(self, code: str, data: st.DataObject) -> None:
        """The checklist says what was signed again; then another item is opened."""
        modelled, negotiation = self.modelled, self.negotiation
        for somebody_writes in (self._write, self._answer_for_own, self._propose_any):
            somebody_writes(data)
        for proposal, offer in list(modelled.offers.items()):
            for body in modelled.book.parties:
                if proposal in modelled.offers and modelled.may_agree(body, offer):
                    self._accept_proposal(proposal, body)
        amendments.call_off(negotiation["ilena"], modelled.terms, reason="We differ.")
        assert modelled.terms.state is ChecklistState.IN_FORCE
        loaded = negotiation.loaded()
        terms = [key for key, item in modelled.book.by_code.items() if item["part"] == "terms"]
        for key in terms:
            self._is_as_signed(loaded, key)
            self._note_as_it_is(loaded, key)
        modelled.drop_offers(lambda offer: offer.code in terms)
        agreements.amend(negotiation["samira"], modelled.terms, reason="It is time.", items=[code])
        self._comes_back(code, modelled.id("door"))

    def _is_as_signed(self, loaded: LoadedChecklist, code: str) -> None:
        then, now = self.signed[code], loaded.sheet.shared(code)
        if then.now is None:
            assert now is None or now.is_empty
        else:
            assert now is not None
            assert (now.values, now.not_applicable) == (then.now.values, then.now.left_out)
            accepted = [
                body
                for body, stance in then.stances.items()
                if stance == (then.now.number, truth.ACCEPTS) and loaded.party(body)
            ]
            for body in accepted:
                position = loaded.positions_on[code][body]
                assert (position.stance, position.answer_id) == (Stance.ACCEPTS, now.answer_id)
        for body, given in then.own.items():
            own = loaded.sheet.of_party(code, body)
            assert own is not None
            assert loaded.party(body) is None or own.values == given[-1]

    def _note_as_it_is(self, loaded: LoadedChecklist, code: str) -> None:
        """Note in the model what went back, and whose acceptance counts again."""
        modelled, now = self.modelled, loaded.sheet.shared(code)
        story = modelled.book.stories[code]
        if now is not None and now.version > modelled.last(code):
            modelled.add_version(code, now.answer_id, dict(now.values), left_out=now.not_applicable)
        story.stances = {
            body: (modelled.last(code), position.stance.value)
            for body, position in loaded.positions_on.get(code, {}).items()
            if now is not None and position.answer_id == now.answer_id
        }
        for body, given in story.own.items():
            own = loaded.sheet.of_party(code, body)
            if own is not None and own.version > len(given):
                story.own[body] = [*given, dict(own.values)]

    def _comes_back(self, code: str, body: UUID) -> None:
        self.modelled.open_items = [code]
        if self.modelled.last(code):
            self.modelled.say(code, body, "wants_change")

    def _nothing_can_be_changed(self, code: str) -> None:
        for body in self.modelled.book.parties:
            self._accept(code, body)
            self.modelled.attempt(False, partial(self._save, code, body, SHARED, {}, 0))

    def _settle(self) -> None:
        """Answer and accept everything that blocks sending, each by a person who may."""
        modelled, book = self.modelled, self.modelled.book
        while book.in_the_way():
            for code in book.in_the_way():
                self._settle_item(code)
        assert modelled.terms.is_complete

    def _settle_item(self, code: str) -> None:
        book = self.modelled.book
        for body in book.silent(code):
            own: dict[str, Any] = {"received": True} if code == "M8" else {"words": "Ours"}
            given = book.stories[code].own.get(body, [])
            self._save(code, body, OWN, own, len(given))
            book.stories[code].own[body] = [*given, own]
        if book.fields(code) and not book.is_whole(code):
            self._write_whole(code)
        for body in book.lacking(code):
            self._accept(code, body)
        for body in book.lacking(code):
            self._accept(code, body)

    def _write_whole(self, code: str) -> None:
        """Write a complete answer; where another party accepted the old one, propose it."""
        modelled, book = self.modelled, self.modelled.book
        wholes: dict[str, dict[str, Any]] = {
            "M1": {"kind": "other"},
            "M2": {"risks": ["police"]},
            "M3": {"decision": "prison"},
            "M5": {"second_reader": str(self._oren if self._oren in book.people else self._petra)},
            "M7": {"places": [{"place": "All", "wing": "Each"}]},
        }
        values = wholes.get(code, {"words": "As settled"})
        body = next(party for party in book.parties if party in book.setters(code))
        if not modelled.is_taken(code, body):
            answer = self._save(code, body, SHARED, values, modelled.last(code))
            modelled.add_version(code, answer.id, modelled.shown_values(code, values))
            modelled.say(code, body, truth.ACCEPTS)
            return
        proposal = self._propose(code, body, values).id
        modelled.offers[proposal] = Offer(code, body, modelled.shown_values(code, values))
        self._accept_proposal(
            proposal, next(party for party in book.accepters(code) if party != body)
        )

    # Invariants after each step

    @invariant()
    def all_is_as_it_truly_is(self) -> None:
        self.modelled.note_proposers()
        loaded = self.negotiation.loaded()
        self._items_stand_as_they_do(loaded)
        self._lists_show_what_is_true(loaded)
        self._text_is_what_is_agreed_and_shown(loaded)

    def _items_stand_as_they_do(self, loaded: LoadedChecklist) -> None:
        book, items = self.modelled.book, loaded.standing().items
        for code, status in items.items():
            expected = (status.state.value, status.required, set(status.waiting_for))
            assert expected == (book.state(code), book.is_required(code), book.waits_for(code)), (
                code
            )
        assert [code for code, status in items.items() if status.done and book.lacking(code)] == []

    def _lists_show_what_is_true(self, loaded: LoadedChecklist) -> None:
        """The stored counts are up to date while the text may change."""
        book, terms = self.modelled.book, loaded.checklist
        if self.modelled.state != "drafting":
            return
        shown = (terms.done_count, terms.total_count, terms.is_complete)
        assert shown == (len(book.agreed()), len(book.counted()), not book.in_the_way())
        assert {party.organisation_id: party.waiting_count for party in terms.parties} == {
            body: sum(body in book.waits_for(code) for code in CODES) for body in book.parties
        }

    def _text_is_what_is_agreed_and_shown(self, loaded: LoadedChecklist) -> None:
        agreed = {
            item["code"]: [answer for answer in item["answers"] if not answer["by"]]
            for section in document(loaded, [], [], Languages("en", {}, "en"))["sections"]
            for item in section["items"]
        }
        assert {
            code: [
                answer.get("values") or {"reason": answer["not_applicable_because"]}
                for answer in answers
            ]
            for code, answers in agreed.items()
        } == {
            code: [dict(answer)] if answer else []
            for code, answer in self.modelled.book.text().items()
        }

    def _all_that_was_ever_written_is_kept(self) -> None:
        terms = self.modelled.terms
        rows = self.negotiation.session.scalars(
            sa.select(Answer).where(Answer.checklist_id == terms.id).order_by(Answer.version)
        )
        versions: dict[tuple[str, UUID], list[Any]] = {}
        for row in rows:
            versions.setdefault((row.item, row.owner_id), []).append(row.values)
        written: dict[tuple[str, UUID], list[Any]] = {}
        for code, story in self.modelled.book.stories.items():
            if story.versions:
                written[code, terms.id] = [version.values for version in story.versions]
            written |= {(code, body): given for body, given in story.own.items()}
        assert versions == written


@pytest.mark.few_on_postgresql(0)
def test_in_any_order(session: Session) -> None:
    negotiation = set_out(session, template=small_terms())
    negotiation.country.person("Rosa Tull", "bridge", Role.SIGNATORY, power="Statutes, article 4")
    session.commit()
    writers = negotiation.writers

    class AtThisTable(AnyOrder):
        def __init__(self) -> None:
            super().__init__(negotiation, writers)

    run_state_machine_as_test(
        AtThisTable,
        settings=settings(
            max_examples=tries(4, 12),
            stateful_step_count=30,
            phases=[Phase.generate],
            derandomize=True,
        ),
    )
