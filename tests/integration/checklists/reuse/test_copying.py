"""Copying from an earlier checklist: what is copied, what is left out, who has read it.

In one file: copying, refusing and reading are tested on the same pair of checklists.
"""

from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories.checklists import complete_answers, shown_answers
from tests.factories.negotiations import Negotiation, StoredNegotiation, another, begin, set_out
from tests.factories.templates import (
    KINDS,
    a_column,
    a_field,
    a_table,
    a_template,
    an_item,
    publish,
    small_terms,
)
from tests.pages import Page
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Template
from tracker.checklists import obstacles, queries, service
from tracker.checklists.loading import load
from tracker.checklists.models import (
    Answer,
    Checklist,
    ChecklistParty,
    ChecklistState,
    CopiedAnswer,
    Position,
    Stance,
)
from tracker.checklists.negotiation import positions
from tracker.checklists.reuse import copies, copying, template_upgrade
from tracker.checklists.reuse.copying import Preview, Why
from tracker.checklists.rules.completeness import WorkState
from tracker.cooperations import service as cooperations
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError

Statements = Callable[[], AbstractContextManager[list[str]]]
PARTY = AnswerScope.PARTY


@dataclass
class Pair:
    """An earlier cooperation with answers, and a new one of the same parties."""

    former: Negotiation
    now: Negotiation

    def look(self, first: str = "ilena") -> Preview:
        return copying.preview(self.now[first], self.now.loaded(), load(self.former.checklist()))

    def offered(self, first: str = "ilena") -> list[str]:
        return [offer.item.code for offer in self.look(first).offers]

    def copy(self, first: str = "ilena", *codes: str, seen: str = "") -> tuple[str, ...]:
        """Copy some items, or all that are offered if none is given, and commit."""
        look = self.look(first)
        copied = copying.copy(
            self.now[first],
            self.now.checklist(),
            self.former.checklist().id,
            codes or sorted(look.codes),
            seen=seen or look.seen,
        )
        self.now.session.commit()
        return copied

    def read(self, first: str, *items: str) -> tuple[str, ...]:
        """Mark the shared answers of some items as read for a party, and commit."""
        sheet = self.now.loaded().sheet
        answers = [answer.answer_id for item in items if (answer := sheet.shared(item))]
        assert len(answers) == len(items)
        read = self.say_read(first, answers)
        self.now.session.commit()
        return read

    def say_read(self, first: str, answers: Iterable[UUID]) -> tuple[str, ...]:
        """Mark answers as read for a party, as its page shows them now."""
        shown = shown_answers(self.now.loaded(), self.now[first], answers)
        return copying.say_read(self.now[first], self.now.checklist(), shown)

    def unread(self, item: str) -> set[str]:
        """Return the keys of the organisations that have not read what was copied into an item."""
        names = {body.id: key for key, body in self.now.country.organisations.items()}
        return {names[party_id] for party_id in self.now.standing(item).unread_by}


def after(former: Negotiation) -> Pair:
    return Pair(former, another(former.country, "door", "lantern"))


def on(session: Session, template: Template) -> Pair:
    """Open two cooperations on a checklist."""
    return after(set_out(session, template=template))


@pytest.fixture
def pair(app: Flask, session: Session) -> Pair:
    """The earlier terms with answers to M1 to M3, M7 and M10, M1 agreed."""
    former, now = starting_points.of(app).use("pair", _pair)
    negotiation = former.load(session)
    return Pair(negotiation, replace(now.load(session), country=negotiation.country))


def _pair() -> tuple[StoredNegotiation, StoredNegotiation]:
    publish(small_terms())
    negotiation = begin(db.session())
    negotiation.settle("M1")
    negotiation.save("ilena", "M2", kind="prison")
    negotiation.save("ilena", "M3")
    negotiation.save("ilena", "M4")
    negotiation.save("samira", "M10")
    for first in ("ilena", "samira"):
        service.save_answer(
            negotiation[first],
            negotiation.checklist(),
            "M7",
            PARTY,
            {"words": first},
            base_version=0,
        )
    negotiation.session.commit()
    return StoredNegotiation.of(negotiation), StoredNegotiation.of(after(negotiation).now)


# What can be copied


def test_a_party_copies_what_it_writes_and_no_other_partys_answer(pair: Pair) -> None:
    assert pair.offered("ilena") == ["M1", "M2", "M3", "M4", "M7"]
    assert pair.look("ilena").behind == {Why.OTHERS: ("M10",)}
    assert pair.offered("samira") == ["M1", "M7", "M10"]
    # What Open Door says for itself isn't Lantern's.
    assert pair.offered("joana") == ["M1", "M10"]


def test_a_copied_answer_is_a_first_version_by_the_person_who_copied_it(pair: Pair) -> None:
    assert pair.copy("samira") == ("M1", "M7", "M10")
    loaded = pair.now.loaded()
    for code in ("M1", "M10"):
        copied, former = loaded.sheet.shared(code), pair.former.loaded().sheet.shared(code)
        assert copied is not None
        assert former is not None
        assert dict(copied.values) == dict(former.values)
        assert (copied.version, copied.author_name) == (1, "Samira Okell")
        assert copied.organisation_id == pair.now.country.id("door")
        assert copied.copied_from == pair.former.checklist().id
    own = loaded.sheet.of_party("M7", pair.now.country.id("door"))
    assert own is not None
    assert dict(own.values) == {"words": "samira"}
    assert loaded.sheet.of_party("M7", pair.now.country.id("npm")) is None
    # The trail names the copied items and not their source.
    (event,) = pair.now.events("answers_copied")
    assert {key: value for key, value in event.items() if key != "who"} == {
        "kind": "terms",
        "items": ["M1", "M7", "M10"],
        "organisation": "Open Door Legal Aid",
    }
    assert pair.former.events("answers_copied") == []


def test_items_that_are_answered_are_not_overwritten_unless_they_were_cleared(
    pair: Pair,
) -> None:
    pair.former.save("ilena", "M6")
    pair.now.save("ilena", "M6", words="Wrong.")
    pair.now.save("ilena", "M6", seen=1, words="")
    pair.now.save("joana", "M1", words="Anew.")
    assert pair.look().behind[Why.ANSWERED] == ("M1",)
    pair.copy()
    former_answer = pair.now.loaded().sheet.shared("M1")
    assert former_answer is not None
    assert dict(former_answer.values) == {"words": "Anew."}
    copied = pair.now.loaded().sheet.shared("M6")
    assert copied is not None
    assert (copied.version, copied.values["words"]) == (3, "As ilena writes it.")
    current = pair.now.session.scalars(
        sa.select(Answer.version).where(
            Answer.checklist_id == pair.now.checklist().id, Answer.item == "M6", Answer.is_current
        )
    ).all()
    assert current == [3]


@pytest.mark.both_databases
def test_lists_of_people_and_items_left_out_before_are_not_copied(pair: Pair) -> None:
    service.save_answer(
        pair.former["ilena"],
        pair.former.checklist(),
        "M6",
        AnswerScope.SHARED,
        {},
        base_version=0,
        not_applicable_because="Not with us.",
    )
    pair.former.save("ilena", "M8")
    behind = pair.look().behind
    assert behind[Why.LEFT_OUT] == ("M6",)
    assert behind[Why.LISTS] == ("M8",)


def test_a_conditional_item_is_copied_only_with_the_item_it_depends_on(pair: Pair) -> None:
    with pytest.raises(
        RuleBrokenError, match=r"“Item M4”: applies only with .* another item"
    ) as error:
        pair.copy("ilena", "M1", "M4")
    assert error.value.field == "items"
    pair.now.session.rollback()
    pair.now.save("ilena", "M2", kind="police")
    assert pair.look().behind[Why.HIDDEN] == ("M4",)
    pair.now.save("ilena", "M2", seen=1, kind="prison")
    assert pair.copy("ilena", "M4") == ("M4",)


def test_answers_that_people_give_for_themselves_are_never_copied(session: Session) -> None:
    own = a_field(sets="each_person", accepts="none")
    pair = on(session, a_template(an_item("M1"), an_item("M2", own, part="person")))
    service.save_answer(
        pair.former["samira"],
        pair.former.checklist(),
        "M2",
        AnswerScope.PERSON,
        {"words": "Mine."},
        base_version=0,
    )
    pair.former.save("samira", "M1")
    assert pair.offered("samira") == ["M1"]
    assert pair.look("samira").behind == {}
    with pytest.raises(RuleBrokenError, match="M2"):
        pair.copy("samira", "M1", "M2")


def test_people_unknown_to_this_cooperation_are_left_out_and_named(session: Session) -> None:
    pair = on(
        session,
        a_template(
            an_item(
                "M1",
                a_field(),
                a_table("rows", a_column("what"), a_column("who", "person"), required=False),
            ),
            an_item("M2", a_field("contact", "person")),
        ),
    )
    dora, oren = (str(pair.now.country.users[first].id) for first in ("dora", "oren"))
    rows = [{"what": "Reads", "who": dora}, {"what": "Writes", "who": oren}]
    pair.former.save("ilena", "M1", words="Words", rows=rows)
    pair.former.save("ilena", "M2", contact=dora)
    cooperations.end_person(
        pair.now["samira"],
        pair.now.cooperation,
        user_id=pair.now.country.users["dora"].id,
        organisation_id=pair.now.country.id("door"),
    )
    session.commit()
    (offer,) = pair.look().offers
    assert offer.answers[0].left_out == (("rows", "who"),)
    assert pair.look().behind == {Why.UNFIT: ("M2",)}
    pair.copy()
    copied = pair.now.loaded().sheet.shared("M1")
    assert copied is not None
    assert dict(copied.values) == {
        "words": "Words",
        "rows": [{"what": "Reads"}, {"what": "Writes", "who": oren}],
    }


def test_copying_skips_items_the_new_version_dropped_and_names_reworded_ones(pair: Pair) -> None:
    content = small_terms().model_dump(mode="json", by_alias=True)
    items = [item for item in content["sections"][0]["items"] if item["code"] != "M3"]
    items[0]["prompt"] = "What else about M1?"
    content["sections"][0]["items"] = items
    move_to(pair, content)
    look = pair.look()
    assert look.behind[Why.GONE] == ("M3",)
    title = pair.former.loaded().template.by_code["M3"].label
    (words,) = [line for line in copies.behind(look, pair.now.loaded()) if "Not asked" in line]
    assert f"“{title}”" in words
    assert {offer.item.code for offer in look.offers if offer.is_reworded} == {"M1"}


def test_in_an_amendment_only_the_open_items_are_filled(pair: Pair) -> None:
    checklist = pair.now.sign()
    agreements.amend(pair.now["ilena"], checklist, reason="More.", items=["M3"])
    pair.now.session.commit()
    pair.former.save("ilena", "M6")
    assert pair.look().behind[Why.CLOSED][-1] == "M6"
    assert pair.offered() == []


# From where


def formers(pair: Pair, first: str) -> list[str]:
    offered = queries.earlier_checklists(pair.now[first], pair.now.checklist())[0]
    return [former.reference for former in offered]


def test_only_answered_checklists_of_the_same_parties_are_offered_for_copying(pair: Pair) -> None:
    assert formers(pair, "ilena") == [pair.former.cooperation.reference]
    assert formers(pair, "dora") == [pair.former.cooperation.reference]
    # In the other direction there is nothing yet.
    assert queries.earlier_checklists(pair.former["ilena"], pair.former.checklist()) == ([], False)


@pytest.mark.both_databases
def test_former_checklists_are_found_by_words_where_there_are_many(app: Flask, pair: Pair) -> None:
    reference = pair.former.cooperation.reference
    actor, checklist = pair.now["ilena"], pair.now.checklist()
    for words in (reference, reference.lower(), pair.former.cooperation.title.split()[0]):
        assert [
            former.reference for former in queries.earlier_checklists(actor, checklist, words)[0]
        ] == [reference]
    for words in ("nowhere", f"{reference} nowhere", "%", "_"):
        assert queries.earlier_checklists(actor, checklist, words) == ([], False)
    assert queries.earlier_checklists(actor, checklist, limit=0) == ([], True)
    browser = pair.now.country.browser(app, "ilena")
    page = browser.page(f"{address(pair, '/copy')}?q=nowhere")
    assert "No earlier checklists found" in page.text
    assert reference in browser.page(f"{address(pair, '/copy')}?q={reference}").text


def test_other_parties_answers_are_not_copied(pair: Pair) -> None:
    for partners in (("door",), ("lantern",), ("door", "lantern", "bridge")):
        other = another(pair.now.country, *partners)
        other.save("ilena", "M1")
        assert formers(pair, "ilena") == [pair.former.cooperation.reference], partners
        with pytest.raises(RuleBrokenError, match="You can no longer copy anything from there"):
            copying.copy(
                pair.now["ilena"], pair.now.checklist(), other.checklist().id, ["M1"], seen="x"
            )
        pair.now.session.rollback()


def test_a_checklist_of_another_kind_or_the_same_checklist_cannot_be_copied_from(
    pair: Pair,
) -> None:
    for former in (pair.now.checklist(), pair.former.checklist(ChecklistKind.CONFIDENTIALITY)):
        assert queries.earlier_checklist(pair.now["ilena"], pair.now.checklist(), former.id) is None


def test_a_person_who_does_not_see_the_former_checklist_copies_nothing_from_it(pair: Pair) -> None:
    cooperations.end_person(
        pair.now["samira"],
        pair.former.cooperation,
        user_id=pair.now.country.users["dora"].id,
        organisation_id=pair.now.country.id("door"),
    )
    pair.now.session.commit()
    assert formers(pair, "dora") == []
    with pytest.raises(RuleBrokenError, match="You can no longer copy anything from there"):
        pair.copy("dora")


def test_a_person_who_may_not_fill_in_copies_nothing_and_others_only_what_was_offered(
    pair: Pair,
) -> None:
    seen = pair.look().seen

    def copy(first: str, *codes: str) -> None:
        former = pair.former.checklist().id
        copying.copy(pair.now[first], pair.now.checklist(), former, codes, seen=seen)

    for first, words in (
        ("marek", "Only people acting for one of the parties"),
        ("ada", "Only people acting for one of the parties"),
        ("henrik", "Only a coordinator or member"),
        ("nadia", "Only a coordinator or member"),
    ):
        with pytest.raises(RefusedError, match=words):
            copy(first, "M1")
        pair.now.session.rollback()
    with pytest.raises(RuleBrokenError, match="Choose at least one item"):
        copy("ilena")
    for code in ("M10", "M99"):
        with pytest.raises(RuleBrokenError, match=code):
            copy("ilena", code)
        pair.now.session.rollback()


def test_nothing_is_copied_into_a_text_that_was_sent(pair: Pair) -> None:
    seen = pair.look().seen
    pair.now.send()
    pair.now.session.commit()
    with pytest.raises(RefusedError, match="only copy answers while the text is a draft"):
        pair.copy("ilena", "M6", seen=seen)


# Something changed meanwhile


def test_what_changed_meanwhile_has_to_be_reviewed_first(pair: Pair) -> None:
    seen = pair.look().seen
    pair.former.save("ilena", "M3", seen=1, words="Changed.")
    with pytest.raises(StaleError, match="Something changed while you were choosing"):
        pair.copy("ilena", "M1", seen=seen)
    pair.now.session.rollback()
    # So does an item that was answered meanwhile.
    seen = pair.look().seen
    pair.now.save("joana", "M1")
    with pytest.raises(StaleError, match="Something changed while you were choosing"):
        pair.copy("ilena", "M1", seen=seen)
    pair.now.session.rollback()
    # Copying twice has no further effect.
    seen = pair.look().seen
    pair.copy("ilena", seen=seen)
    with pytest.raises(StaleError):
        pair.copy("ilena", "M2", seen=seen)
    pair.now.session.rollback()
    assert len(pair.now.events("answers_copied")) == 1


# Unread


def test_reading_a_copied_answer_accepts_it_for_its_party_and_asks_the_others(pair: Pair) -> None:
    """product.md, 4.1: saving an answer accepts it."""
    pair.copy()
    # Copying makes nobody an author.
    assert pair.now.loaded().sheet.authors == frozenset()
    # Nobody has accepted a copied answer before reading it.
    assert pair.unread("M1") == {"npm", "door", "lantern"}
    assert pair.now.waiting("M1") == {"npm", "door", "lantern"}
    assert pair.now.standing("M1").state is WorkState.WAITING
    taken = pair.now.session.scalars(
        sa.select(Position).where(Position.checklist_id == pair.now.checklist().id)
    ).all()
    assert taken == []
    for first in ("marek", "ada"):
        with pytest.raises(RefusedError):
            pair.read(first, "M1")
        pair.now.session.rollback()
    assert pair.read("oren", "M1") == ("M1",)
    assert pair.unread("M1") == {"door", "lantern"}
    assert pair.now.waiting("M1") == {"door", "lantern"}
    # One reading is recorded and counts for the whole party.
    assert pair.read("samira", "M3", "M1") == ("M1", "M3")
    assert pair.read("dora", "M1", "M3") == ()
    _of_npm, event = pair.now.events("copies_read")
    assert (event["items"], event["organisation"]) == (["M1", "M3"], "Open Door Legal Aid")
    assert event["who"]["name"] == "Samira Okell"
    # Reading isn't accepting: Open Door still has to take a position.
    assert pair.unread("M1") == {"lantern"}
    assert pair.now.waiting("M1") == {"door", "lantern"}
    # Accepting says that it was read.
    pair.now.accept("M1", "samira", "joana")
    assert pair.unread("M1") == set()
    assert pair.now.standing("M1").done


def test_every_party_also_reads_a_copied_answer_that_needs_no_acceptance(pair: Pair) -> None:
    pair.copy()
    assert pair.now.waiting("M2") == {"npm", "door", "lantern"}
    pair.read("ilena", "M2")
    pair.read("dora", "M2")
    assert not pair.now.standing("M2").done
    pair.read("joana", "M2")
    assert pair.now.standing("M2").done
    # Whoever changes a copied answer is its author.
    pair.now.save("joana", "M1", seen=1)
    assert pair.now.loaded().sheet.authors == {pair.now["joana"].user_id}


def test_asking_to_talk_and_proposing_say_that_it_was_read(pair: Pair) -> None:
    pair.copy()
    answer = pair.now.loaded().sheet.shared("M1")
    assert answer is not None
    positions.take_position(
        pair.now["samira"],
        pair.now.checklist(),
        "M1",
        Stance.WANTS_TALK,
        answer_id=answer.answer_id,
        reason="Why so?",
    )
    positions.propose(
        pair.now["joana"],
        pair.now.checklist(),
        "M1",
        {"words": "Other."},
        answer_id=answer.answer_id,
        reason="Better.",
    )
    pair.now.session.commit()
    assert pair.unread("M1") == {"npm"}
    # Once its party has read it, others change it by proposal.
    pair.read("ilena", "M1")
    with pytest.raises(RuleBrokenError, match="Suggest a change instead"):
        pair.now.save("joana", "M1", seen=1)
    pair.now.session.rollback()
    # A party's own answer is read by the others too.
    own = pair.now.loaded().sheet.of_party("M7", pair.now.country.id("npm"))
    assert own is not None
    for first in ("samira", "joana"):
        pair.say_read(first, [own.answer_id])
    assert pair.unread("M7") == {"npm"}
    assert pair.now.waiting("M7") == {"npm", "door", "lantern"}


def test_a_copy_that_is_changed_stays_unread_by_those_who_have_not_read_it(pair: Pair) -> None:
    pair.former.save("ilena", "M6")
    pair.copy()
    old = pair.now.loaded().sheet.shared("M1")
    assert old is not None
    pair.now.save("joana", "M1", seen=1, words="Anew.")
    for answers in ([old.answer_id], [], [uuid4()]):
        with pytest.raises(StaleError, match="An answer changed while you were reading"):
            pair.say_read("samira", answers)
    pair.now.session.rollback()
    assert pair.unread("M1") == {"npm", "door"}
    assert pair.now.waiting("M1") == {"npm", "door"}
    pair.now.accept("M1", "ilena", "samira")
    assert pair.now.standing("M1").done
    # One that needs no acceptance is not done once its party has changed it.
    pair.read("samira", "M2")
    pair.now.save("ilena", "M2", seen=1, kind="police")
    assert pair.unread("M2") == {"lantern"}
    assert not pair.now.standing("M2").done
    pair.read("joana", "M2")
    pair.now.save("ilena", "M2", seen=2, kind="prison")
    assert pair.now.standing("M2").done
    # Nothing is left to read of one that was emptied.
    pair.now.save("ilena", "M6", seen=1, words="")
    assert pair.unread("M6") == set()


def test_columns_hidden_when_a_copy_was_read_are_not_agreed_once_shown_again(
    session: Session,
) -> None:
    prison = {"item": "M2", "field": "kind", "in": ["prison"]}
    wings = a_table("places", a_column("place"), a_column("wing", shown_when=prison))
    kinds = an_item("M2", a_field("kind", "choice", options=KINDS))
    pair = on(session, a_template(an_item("M1", wings), kinds))
    pair.former.save("ilena", "M2", kind="prison")
    pair.former.save("ilena", "M1", places=[{"place": "One", "wing": "North"}])
    pair.copy()
    pair.now.save("ilena", "M2", seen=1, kind="police")
    pair.read("ilena", "M1")
    pair.now.save("ilena", "M2", seen=2, kind="prison")
    current = pair.now.loaded().sheet.shared("M1")
    assert current is not None
    assert current.values["places"] == [{"place": "One"}]
    assert not pair.now.standing("M1").done


def test_a_copy_whose_question_changed_while_it_was_read_is_not_read(
    pair: Pair, app: Flask
) -> None:
    pair.copy("ilena", "M1")
    browser = pair.now.country.browser(app, "ilena")
    seen = browser.page(address(pair)).forms(address(pair, "/copies/read"))[0].filled_in()
    reword(pair, "M1")
    page = Page.of(browser.post(address(pair, "/copies/read"), data=seen, follow_redirects=True))
    assert "The text changed after you opened it, so nothing was done." in page.text
    assert "What else about M1?" in page.text
    assert pair.unread("M1") == {"npm", "door", "lantern"}
    assert pair.now.events("copies_read") == []


def test_a_page_that_does_not_say_what_it_showed_reads_nothing(pair: Pair, app: Flask) -> None:
    pair.copy("ilena", "M1", "M2")
    browser = pair.now.country.browser(app, "samira")
    reading = address(pair, "/copies/read")
    answers = [form.values["answer"][0] for form in browser.page(address(pair)).forms(reading)]
    of_joana = pair.now.country.browser(app, "joana").page(address(pair)).forms(reading)
    for tokens in ([], ["", ""], [form.values["page_token"][0] for form in of_joana]):
        browser.post(reading, data={"answer": answers, "page_token": tokens})
    for answer in (str(uuid4()), "nonsense", ""):
        response = browser.post(reading, data={"answer": answer}, follow_redirects=True)
        assert "An answer changed while you were reading" in Page.of(response).text, answer
    assert pair.now.events("copies_read") == []


def reword(pair: Pair, code: str) -> None:
    """Move the new checklist to a version that asks something else."""
    content = small_terms().model_dump(mode="json", by_alias=True)
    item = next(item for item in content["sections"][0]["items"] if item["code"] == code)
    item["prompt"] = f"What else about {code}?"
    move_to(pair, content)


def move_to(pair: Pair, content: dict[str, Any]) -> None:
    publish(Template.model_validate(content | {"version": 91}))
    pair.now.session.commit()
    to = template_upgrade.newer(pair.now.checklist())
    assert to is not None
    template_upgrade.move(pair.now["ilena"], pair.now.checklist(), to.id)
    pair.now.session.commit()


def test_nothing_is_sent_while_a_copy_is_unread(pair: Pair) -> None:
    """Everybody has accepted everything; the last reading blocks what needs no acceptance."""
    pair.copy()
    chosen = {"M5": {"second_reader": str(pair.now["oren"].user_id)}}
    complete_answers(pair.now.loaded(), pair.now.writers, chosen=chosen)
    pair.now.session.commit()
    loaded = pair.now.loaded()
    assert loaded.standing().blocking == ("M2", "M3", "M7")
    obstacle, *_more = obstacles.to_sending(loaded)
    assert str(obstacle) == "3 items still to agree: Item M2; Item M3; Item M7."
    own = loaded.sheet.of_party("M7", pair.now.country.id("npm"))
    shared = loaded.sheet.shared("M2"), loaded.sheet.shared("M3")
    answers = [answer.answer_id for answer in (own, *shared) if answer]
    for first in ("ilena", "samira"):
        pair.say_read(first, answers)
    pair.now.session.commit()
    with pytest.raises(RuleBrokenError, match="2 items still to agree: Item M2; Item M7"):
        agreements.send(pair.now["ilena"], pair.now.checklist(), {})
    pair.now.session.rollback()
    pair.say_read("joana", answers)
    pair.now.session.commit()
    assert pair.now.loaded().standing().is_complete


@pytest.mark.both_databases
def test_counts_of_lists_follow_copying_and_reading(pair: Pair) -> None:
    def counts() -> dict[str, int]:
        rows = pair.now.session.execute(
            sa.select(ChecklistParty.organisation_id, ChecklistParty.unread_count).where(
                ChecklistParty.checklist_id == pair.now.checklist().id
            )
        )
        names = {body.id: key for key, body in pair.now.country.organisations.items()}
        return {names[party_id]: count for party_id, count in rows}

    pair.copy()
    assert counts() == {"npm": 5, "door": 5, "lantern": 5}
    pair.read("joana", "M1", "M3")
    assert counts() == {"npm": 5, "door": 5, "lantern": 3}
    # M4 no longer applies, so that nobody needs to read it; who changed M2 has read it.
    pair.now.save("ilena", "M2", seen=1, kind="police")
    assert counts() == {"npm": 3, "door": 4, "lantern": 2}


def test_a_party_that_joins_later_reads_what_was_copied(pair: Pair) -> None:
    pair.copy()
    bodies: Collection[str] = ("npm", "door", "lantern", "bridge")
    service.set_parties(pair.now.checklist(), [pair.now.country.id(key) for key in bodies])
    pair.now.session.commit()
    for first in ("ilena", "samira", "joana"):
        pair.read(first, "M1")
    pair.now.accept("M1", "samira", "joana")
    assert pair.unread("M1") == {"bridge"}
    assert not pair.now.standing("M1").done


def test_the_rest_of_a_copy_on_a_newer_version_is_still_a_copy(session: Session) -> None:
    pair = on(session, a_template(an_item("M1", a_field(accepts="none"), a_field("more"))))
    pair.former.save("ilena", "M1", words="Kept", more="Let go")
    pair.copy()
    pair.read("samira", "M1")
    publish(a_template(an_item("M1", a_field(accepts="none")), version=91))
    session.commit()
    to = template_upgrade.newer(pair.now.checklist())
    assert to is not None
    template_upgrade.move(pair.now["ilena"], pair.now.checklist(), to.id)
    session.commit()
    current = pair.now.loaded().sheet.shared("M1")
    assert current is not None
    assert (current.version, dict(current.values)) == (2, {"words": "Kept"})
    assert pair.unread("M1") == {"npm", "lantern"}
    assert not pair.now.standing("M1").done
    marks = session.scalars(sa.select(CopiedAnswer.answer_id)).all()
    assert len(marks) == 2


# Pages


def address(pair: Pair, more: str = "") -> str:
    return f"/checklists/{pair.now.checklist().id}{more}"


def copy_page(pair: Pair) -> str:
    return address(pair, f"/copy/{pair.former.checklist().id}")


def boxes(page: Page) -> dict[str, bool]:
    """Return each box of the page with whether it is ticked."""
    form = page.form()
    offered = [e for e in page.root.iter("input") if e.attrib.get("type") == "checkbox"]
    return {e.attrib["value"]: e.attrib["value"] in form.values.get("items", []) for e in offered}


def test_an_empty_checklist_offers_a_former_one_and_all_of_it_is_chosen(
    pair: Pair, app: Flask
) -> None:
    browser = pair.now.country.browser(app, "ilena")
    page = browser.page(address(pair))
    page = browser.page(page.links()["Choose how to begin"])
    assert page.links()["Start from an earlier checklist"] == address(pair, "/copy")
    page = browser.page(address(pair, "/copy"))
    assert pair.former.cooperation.reference in page.text
    assert copy_page(pair) in page.addresses()
    page = browser.page(copy_page(pair))
    assert page.h1 == f"Copy answers from {pair.former.cooperation.reference}"
    assert boxes(page) == dict.fromkeys(["M1", "M2", "M3", "M4", "M7"], True)
    for words in ("As ilena writes it.", "Our own answer", "Written by another party: “Item M10”."):
        assert words in page.text
    assert set(boxes(browser.page(f"{copy_page(pair)}?chosen=none")).values()) == {False}
    done = Page.of(browser.submit(copy_page(pair), items=["M1", "M3", "M7"]))
    assert "3 items are copied. They don't count as agreed until every party" in done.text
    assert done.h1 == "A small checklist"
    words = f"Copied from {pair.former.cooperation.reference}. Not read yet for: Office of the"
    assert done.text.count(words) == 3
    assert "Prepared, not read by us yet 3" in done.text


def test_a_former_text_is_in_force_only_if_it_was_signed(
    pair: Pair, app: Flask, session: Session
) -> None:
    """product.md, 5.9: a stored state alone is no evidence."""
    browser = pair.now.country.browser(app, "ilena")
    assert "Draft" in browser.page(address(pair, "/copy")).text
    session.execute(
        sa.update(Checklist)
        .where(Checklist.id == pair.former.checklist().id)
        .values(state=ChecklistState.IN_FORCE, in_force_at=clock.now())
    )
    session.commit()
    page = browser.page(address(pair, "/copy"))
    assert "Doesn't match its signatures" in page.text
    assert "In force" not in page.text
    assert "agreed on" not in page.text


def test_copied_answers_are_read_one_by_one_or_by_section(pair: Pair, app: Flask) -> None:
    pair.copy("ilena", "M1", "M2", "M3")
    browser = pair.now.country.browser(app, "samira")
    page = browser.page(address(pair))
    assert "3 items have answers, copied or from a model text," in page.text
    assert page.text.count("I have read it") == 3
    assert "I have read all" not in page.text
    answer = pair.now.loaded().sheet.shared("M1")
    assert answer is not None
    reading = address(pair, "/copies/read")
    form = next(
        form for form in page.forms(reading) if form.values["answer"] == [str(answer.answer_id)]
    )
    response = browser.post(reading, data=form.filled_in())
    assert response.location == address(pair, "#m1")
    page = browser.page(address(pair, "?filter=copied"))
    assert "Prepared, not read by us yet 2" in page.text
    assert page.links()["Read the draft, and accept whole sections"] == address(pair, "/read")
    assert "m1" not in {element.attrib.get("id") for element in page.root.iter("article")}
    whole = max(page.forms(reading), key=lambda form: len(form.values["answer"]))
    assert "I have read all 2 prepared answers of “All of it”" in page.text
    response = browser.post(reading, data=whole.filled_in())
    assert response.location == address(pair, "?filter=copied")
    assert pair.unread("M2") == pair.unread("M3") == {"npm", "lantern"}
    assert "Read for Open Door Legal Aid." in browser.page(response.location).text
    history = browser.page(f"/cooperations/{pair.now.cooperation.reference}/history").text
    assert "copied answers from an earlier checklist: “Item M1”, “Item M2”, “" in history
    assert "prepared answers were read for Open Door Legal Aid: “Item M2”, “" in history


def test_the_person_who_copied_an_answer_reads_it_before_it_counts(pair: Pair, app: Flask) -> None:
    pair.copy("ilena", "M1")
    browser = pair.now.country.browser(app, "ilena")
    page = browser.page(address(pair))
    assert "Wrote this answer" not in page.text
    assert "Prepared, not read yet" in page.text
    accepting = address(pair, "/items/M1/accept")
    assert accepting not in page.html
    assert accepting in pair.now.country.browser(app, "joana").page(address(pair)).html
    pair.read("ilena", "M1")
    page = browser.page(address(pair))
    assert "Wrote this answer" in page.text
    assert accepting not in page.html


def test_my_work_says_that_copies_are_to_be_read_and_the_history_who_read_them(
    pair: Pair, app: Flask
) -> None:
    pair.copy("ilena", "M1", "M2")
    label = "2 items to read"
    for first in ("ilena", "samira"):
        page = pair.now.country.browser(app, first).page("/")
        assert page.links()[label] == address(pair, "?filter=copied"), first
    # Members see only what is theirs.
    assert label not in pair.now.country.browser(app, "dora").page("/").links()
    pair.read("dora", "M1", "M2")
    assert label not in pair.now.country.browser(app, "samira").page("/").links()
    assert label not in pair.now.country.browser(app, "ada").page("/").links()
    page = pair.now.country.browser(app, "joana").page(address(pair, "/items/M1/history"))
    assert "Office of the People's Advocate copied an answer from an earlier checklist" in page.text
    assert "Open Door Legal Aid has read the prepared answer" in page.text
    assert "Dora Lund" in page.text


def test_a_change_made_while_somebody_was_choosing_is_shown_with_their_choice(
    pair: Pair, app: Flask
) -> None:
    browser = pair.now.country.browser(app, "ilena")
    seen = browser.page(copy_page(pair)).form().filled_in(items=["M1", "M3"])
    pair.now.save("joana", "M1")
    page = Page.of(browser.post(copy_page(pair), data=seen))
    assert "Something changed while you were choosing." in page.text
    assert boxes(page) == {"M2": False, "M3": True, "M4": False, "M7": False}
    assert pair.now.events("answers_copied") == []
    done = browser.post(copy_page(pair), data=page.form().filled_in())
    assert done.status_code == 303
    assert pair.now.events("answers_copied")[0]["items"] == ["M3"]


def test_choosing_nothing_or_half_of_a_pair_shows_an_error_on_the_page(
    pair: Pair, app: Flask
) -> None:
    browser = pair.now.country.browser(app, "ilena")
    page = Page.of(browser.submit(copy_page(pair), items=None))
    assert "Choose at least one item" in page.text
    page = Page.of(browser.submit(copy_page(pair), items=["M4"]))
    assert "“Item M4”: applies only with the answer to another item." in page.text
    # A form that does not say what was seen copies nothing.
    for fields in ({}, {"items": "M1"}):
        page = Page.of(browser.post(copy_page(pair), data=fields))
        assert "Something changed while you were choosing." in page.text
    pair.copy("ilena")
    page = Page.of(browser.post(copy_page(pair), data={}))
    assert "Nothing in it can be copied." in page.text
    assert len(pair.now.events("answers_copied")) == 1


def test_the_wrong_side_is_refused_or_finds_nothing(pair: Pair, app: Flask) -> None:
    pair.copy("ilena", "M1")
    places = [("", "/copy"), ("", f"/copy/{pair.former.checklist().id}"), ("post", "/copies/read")]
    for first, status in (("nadia", 403), ("henrik", 403), ("ada", 403), ("marek", 404)):
        browser = pair.now.country.browser(app, first)
        for method, more in places:
            reads = more == "/copies/read" and first in {"nadia", "henrik"}
            if reads:
                continue  # they may say that they have read it
            ask = browser.post if method else browser.get
            assert ask(address(pair, more)).status_code == status, (first, more)
    page = pair.now.country.browser(app, "ada").page(address(pair))
    assert "I have read it" not in page.text
    assert "Start from an earlier checklist" not in page.text
    # An auditor can open the earlier one too, and may be told where it comes from.
    assert pair.former.cooperation.reference in page.text


def test_a_former_checklist_that_one_may_not_open_is_not_named(pair: Pair, app: Flask) -> None:
    pair.copy("ilena", "M1")
    cooperations.end_person(
        pair.now["samira"],
        pair.former.cooperation,
        user_id=pair.now.country.users["dora"].id,
        organisation_id=pair.now.country.id("door"),
    )
    pair.now.session.commit()
    browser = pair.now.country.browser(app, "dora")
    page = browser.page(address(pair))
    assert "Copied from another checklist of the same parties." in page.text
    assert pair.former.cooperation.reference not in page.html
    assert str(pair.former.checklist().id) not in page.html
    browser.page(copy_page(pair), status=404)
    assert "There is no other checklist" in browser.page(address(pair, "/copy")).text


# Queries


@pytest.mark.both_databases
def test_many_are_copied_and_read_in_as_many_queries_as_few(
    session: Session, statements: Statements
) -> None:
    codes = [f"M{number}" for number in range(21, 33)]
    pair = on(session, a_template(*(an_item(code) for code in codes)))
    counts = []
    for some in (codes[:1], codes[1:]):
        for code in some:
            pair.former.save("ilena", code)
        look = pair.look()
        session.expire_all()
        with statements() as copied:
            copying.copy(
                pair.now["ilena"],
                pair.now.checklist(),
                pair.former.checklist().id,
                some,
                seen=look.seen,
            )
        session.commit()
        with statements() as read:
            pair.read("ilena", *some)
        counts.append((len(copied), len(read)))
    few, many = counts
    assert many == few


def test_pages_take_as_many_queries_with_many_copies_as_with_few(
    session: Session, app: Flask, statements: Statements
) -> None:
    codes = [f"M{number}" for number in range(21, 31)]
    pair = on(session, a_template(*(an_item(code) for code in codes)))
    browser = pair.now.country.browser(app, "joana")
    places = (copy_page(pair), address(pair), address(pair, "?filter=copied"), "/")
    counts = []
    for some in (codes[:2], codes[2:]):
        for code in some:
            pair.former.save("ilena", code)
        pair.copy("ilena", *some[:-1])
        for place in places:
            browser.page(place)
        seen = []
        for place in places:
            with statements() as sent:
                browser.page(place)
            seen.append(len(sent))
        counts.append(seen)
    assert counts[0] == counts[1]
