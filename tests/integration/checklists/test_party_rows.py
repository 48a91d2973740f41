"""A table with a row for each party: each writes its own, and positions are kept on each row.

In one file: the rules, any order of them, and the pages, on one table.
"""

from functools import partial
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.effort import tries
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import a_column, a_field, a_table, a_template, an_item
from tests.pages import Page
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import service
from tracker.checklists.models import Position, Proposal, ProposalState, Stance
from tracker.checklists.negotiation import positions, safeguards, undoing
from tracker.checklists.negotiation.text_digest import item_digest
from tracker.checklists.rules.completeness import WorkState
from tracker.core.errors import RuleBrokenError, StaleError

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(3)]

WRITERS = {"npm": "ilena", "door": "samira", "lantern": "joana"}
EACH = an_item(
    "M4",
    a_table("rows", a_column("party", "party"), a_column("offers"), rows={"min": 2}),
    a_field("rule", required=False),
    done={"checks": [{"check": "row_per_party", "field": "rows", "column": "party"}]},
)


@pytest.fixture
def rows(session: Session) -> Negotiation:
    """Return a cooperation whose item M4 has a row for each of its three parties."""
    return set_out(session, template=a_template(EACH, an_item("M1")))


def row(negotiation: Negotiation, key: str, offers: str) -> dict[str, str]:
    return {"party": str(negotiation.country.id(key)), "offers": offers}


def current(negotiation: Negotiation) -> list[dict[str, str]]:
    answer = negotiation.loaded().sheet.shared("M4")
    return list(answer.values["rows"]) if answer else []


def write(
    negotiation: Negotiation, key: str, offers: str, *, rule: str = "", seen: int | None = None
) -> None:
    """Have a party write its own row, and leave the rows of the others as they are."""
    answer = negotiation.loaded().sheet.shared("M4")
    own = str(negotiation.country.id(key))
    others = [given for given in current(negotiation) if given["party"] != own]
    values: dict[str, Any] = {"rows": [*others, row(negotiation, key, offers)]}
    before = answer.values.get("rule") if answer else None
    if rule or before:
        values["rule"] = rule or before
    version = answer.version if answer else 0
    service.save_answer(
        negotiation[WRITERS[key]],
        negotiation.checklist(),
        "M4",
        AnswerScope.SHARED,
        values,
        base_version=version if seen is None else seen,
    )


def accept(negotiation: Negotiation, *keys: str) -> None:
    for key in keys:
        answer = negotiation.loaded().sheet.shared("M4")
        assert answer is not None
        positions.take_position(
            negotiation[WRITERS[key]],
            negotiation.checklist(),
            "M4",
            Stance.ACCEPTS,
            answer_id=answer.answer_id,
            outcome="We agreed on it.",
        )


def waiting(negotiation: Negotiation) -> set[str]:
    ids = {negotiation.country.id(key): key for key in WRITERS}
    return {ids[party_id] for party_id in negotiation.standing("M4").waiting_for}


def agreed(negotiation: Negotiation) -> Negotiation:
    for key in WRITERS:
        write(negotiation, key, f"What {key} offers.")
    accept(negotiation, *WRITERS)
    assert negotiation.standing("M4").state is WorkState.AGREED
    return negotiation


def accepted(negotiation: Negotiation, key: str) -> list[UUID | None]:
    """Return the parts of the current answer that a party has accepted."""
    own = negotiation.country.id(key)
    return [
        position.part_id
        for position in negotiation.loaded().all_positions_on["M4"]
        if position.organisation_id == own and position.stance is Stance.ACCEPTS
    ]


def discuss(negotiation: Negotiation, key: str, row_of: UUID) -> None:
    answer = negotiation.loaded().sheet.shared("M4")
    assert answer is not None
    positions.take_position(
        negotiation[WRITERS[key]],
        negotiation.checklist(),
        "M4",
        Stance.WANTS_TALK,
        answer_id=answer.answer_id,
        reason="Who pays?",
        row_of=row_of,
    )


def suggest(negotiation: Negotiation, first: str, key: str, offers: str) -> Proposal:
    answer = negotiation.loaded().sheet.shared("M4")
    assert answer is not None
    changed = [
        row(negotiation, key, offers)
        if given["party"] == str(negotiation.country.id(key))
        else given
        for given in answer.values["rows"]
    ]
    return positions.propose(
        negotiation[first],
        negotiation.checklist(),
        "M4",
        {**answer.values, "rows": changed},
        answer_id=answer.answer_id,
        reason="Clearer.",
    )


def test_whoever_wrote_the_last_row_undoes_their_acceptance_of_the_whole_answer_but_not_of_that_row(
    rows: Negotiation,
) -> None:
    for key in WRITERS:
        write(rows, key, f"What {key} offers.")
    own_row = [rows.country.id("lantern")]
    # What a party writes is accepted by writing: there is nothing to undo.
    assert accepted(rows, "lantern") == own_row
    assert undoing.undoable(rows.loaded(), rows["joana"]) == []
    accept(rows, "lantern")
    assert accepted(rows, "lantern") == [None]
    assert undoing.undo_accepting(rows["joana"], rows.checklist(), ["M4"]) == ["M4"]
    assert accepted(rows, "lantern") == own_row
    assert waiting(rows) == set(WRITERS)
    accept(rows, *WRITERS)
    assert rows.standing("M4").state is WorkState.AGREED
    # Not once another party has acted since.
    with pytest.raises(StaleError):
        undoing.undo_accepting(rows["samira"], rows.checklist(), ["M4"])
    # What was accepted by writing and doubted since isn't accepted again.
    discuss(rows, "lantern", own_row[0])
    accept(rows, "lantern")
    undoing.undo_accepting(rows["joana"], rows.checklist(), ["M4"])
    assert accepted(rows, "lantern") == []


def test_three_parties_complete_a_table_each_with_its_own_row(rows: Negotiation) -> None:
    write(rows, "npm", "Training.")
    assert waiting(rows) == {"door", "lantern"}
    write(rows, "door", "Lawyers.")
    # The NPM has to accept the row of Open Door; Open Door has to accept that of the NPM.
    assert waiting(rows) == {"npm", "door", "lantern"}
    accept(rows, "npm")
    assert waiting(rows) == {"door", "lantern"}
    write(rows, "lantern", "Physicians.")
    accept(rows, "door", "lantern")
    assert waiting(rows) == {"npm"}
    accept(rows, "npm")
    assert rows.standing("M4").state is WorkState.AGREED


def test_a_party_changes_its_own_row_though_all_have_accepted_it(rows: Negotiation) -> None:
    agreed(rows)
    write(rows, "door", "Two lawyers.")
    assert waiting(rows) == {"npm", "lantern"}
    accept(rows, "lantern")
    assert waiting(rows) == {"npm"}
    accept(rows, "npm")
    assert rows.standing("M4").state is WorkState.AGREED


def test_a_change_reopens_the_acceptances_of_its_row_alone(rows: Negotiation) -> None:
    agreed(rows)
    write(rows, "door", "Two lawyers.")
    write(rows, "door", "What door offers.")
    accepted = rows.session.execute(
        sa.select(Position.organisation_id, Position.part_id).where(
            Position.item == "M4", Position.is_current, Position.stance == Stance.ACCEPTS
        )
    ).all()
    ids = {key: rows.country.id(key) for key in WRITERS}
    assert {(party, part) for party, part in accepted} == {
        *((ids[key], ids[other]) for key in WRITERS for other in ("npm", "lantern")),
        (ids["door"], ids["door"]),
    }


def test_nobody_changes_the_accepted_row_of_another_party(rows: Negotiation) -> None:
    agreed(rows)
    changed = [
        row(rows, "lantern", "Nothing.")
        if given["party"] == str(rows.country.id("lantern"))
        else given
        for given in current(rows)
    ]
    without = [
        given for given in current(rows) if given["party"] != str(rows.country.id("lantern"))
    ]
    for wrong in (changed, without):
        with pytest.raises(RuleBrokenError, match="Another party has accepted what you changed"):
            rows.save("samira", "M4", seen=3, rows=wrong)
    assert rows.standing("M4").state is WorkState.AGREED


def test_the_rest_of_the_answer_is_changed_by_a_suggestion_once_accepted(rows: Negotiation) -> None:
    for key in WRITERS:
        write(rows, key, f"What {key} offers.", rule="Once a year.")
    accept(rows, *WRITERS)
    with pytest.raises(RuleBrokenError, match="Another party has accepted what you changed"):
        write(rows, "door", "What door offers.", rule="Never.")


def test_two_parties_write_their_rows_at_the_same_time(rows: Negotiation) -> None:
    """Neither overtakes the other: what one changed, the other can't change anyway."""
    agreed(rows)
    write(rows, "door", "Two lawyers.")
    write(rows, "lantern", "Two physicians.", seen=3)
    assert [given["offers"] for given in current(rows)].count("Two lawyers.") == 1
    assert waiting(rows) == {"npm", "door", "lantern"}


def test_whoever_saw_an_older_version_of_what_they_may_change_is_told(rows: Negotiation) -> None:
    write(rows, "lantern", "Physicians.")
    write(rows, "lantern", "Two physicians.")
    with pytest.raises(StaleError, match="Somebody else saved this item"):
        write(rows, "lantern", "Three physicians.", seen=1)


def test_a_suggestion_for_one_row_goes_on_when_another_row_changes(rows: Negotiation) -> None:
    agreed(rows)
    proposal = suggest(rows, "ilena", "door", "Three lawyers.")
    write(rows, "lantern", "Two physicians.")
    rows.session.commit()
    assert proposal.state is ProposalState.OPEN
    positions.accept_proposal(rows["samira"], rows.checklist(), proposal.id)
    assert {given["offers"] for given in current(rows)} == {
        "What npm offers.",
        "Three lawyers.",
        "Two physicians.",
    }
    # The NPM and Open Door agreed on that row; all but Lantern have to accept Lantern's.
    assert waiting(rows) == {"npm", "door", "lantern"}
    accept(rows, *WRITERS)
    assert rows.standing("M4").state is WorkState.AGREED


def test_a_suggestion_is_outdated_once_its_row_changes(rows: Negotiation) -> None:
    agreed(rows)
    proposal = suggest(rows, "ilena", "door", "Three lawyers.")
    write(rows, "door", "Two lawyers.")
    rows.session.refresh(proposal)
    assert proposal.state is ProposalState.OUTDATED
    with pytest.raises(StaleError, match="no longer open"):
        positions.accept_proposal(rows["samira"], rows.checklist(), proposal.id)


def test_a_suggestion_for_one_row_is_accepted_though_another_row_is_missing(
    rows: Negotiation,
) -> None:
    write(rows, "npm", "Training.")
    write(rows, "door", "Lawyers.")
    proposal = suggest(rows, "ilena", "door", "Three lawyers.")
    rows.session.commit()
    positions.accept_proposal(rows["samira"], rows.checklist(), proposal.id)
    assert {given["offers"] for given in current(rows)} == {"Training.", "Three lawyers."}
    assert waiting(rows) == {"door", "lantern"}


def test_a_flag_stays_open_when_a_party_changes_only_its_own_row(rows: Negotiation) -> None:
    """It doesn't say which row it is on, so no party can close it by changing its own."""
    agreed(rows)
    loaded = rows.loaded()
    seen = item_digest(loaded, loaded.item("M4"))
    reason = "Lantern decides alone."
    safeguards.raise_flag(rows["oren"], rows.checklist(), "M4", reason, seen=seen)
    write(rows, "door", "Two lawyers.")
    assert rows.loaded().flagged == {"M4"}


def test_a_flag_on_one_row_is_closed_when_that_row_changes_and_not_before(
    rows: Negotiation,
) -> None:
    """product.md, 4.8."""
    agreed(rows)
    loaded, lantern = rows.loaded(), rows.country.id("lantern")
    seen = item_digest(loaded, loaded.item("M4"))
    flag = partial(safeguards.raise_flag, rows["oren"], rows.checklist(), "M4", "They decide.")
    with pytest.raises(RuleBrokenError, match="Choose what you want to flag"):
        flag(seen=seen, row_of=UUID(int=1))
    raised = flag(seen=seen, row_of=lantern)
    write(rows, "door", "Two lawyers.")
    assert rows.loaded().flagged == {"M4"}
    assert safeguards.flagged_row(rows.loaded(), raised) == lantern
    write(rows, "lantern", "Three physicians.")
    assert rows.loaded().flagged == set()
    assert [event["how"] for event in rows.events("flag_closed")] == ["changed"]


def test_a_party_asks_to_discuss_one_row_and_goes_on_accepting_the_others(
    rows: Negotiation,
) -> None:
    agreed(rows)
    with pytest.raises(RuleBrokenError, match="Choose what you want to discuss"):
        discuss(rows, "lantern", UUID(int=1))
    discuss(rows, "lantern", rows.country.id("door"))
    assert waiting(rows) == {"lantern"}
    write(rows, "door", "Two lawyers, paid by Open Door.")
    accept(rows, "npm", "lantern")
    assert rows.standing("M4").state is WorkState.AGREED


ACTS = st.lists(
    st.tuples(
        st.sampled_from(sorted(WRITERS)),
        st.sampled_from(["write", "accept", "talk", "suggest", "answer"]),
        st.sampled_from(sorted(WRITERS)),
        st.integers(0, 2),
    ),
    min_size=3,
    max_size=14,
)


@given(acts=ACTS)
@settings(
    max_examples=tries(6, 60),
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_in_any_order_a_row_is_agreed_only_as_each_party_has_seen_it(
    rows: Negotiation, acts: list[tuple[str, str, str, int]]
) -> None:
    """The application agrees with a plain list of who accepted which row; rolled back each time."""
    with rows.session.begin_nested() as everything:
        _play(rows, acts)
        everything.rollback()
    rows.session.expire_all()


class _Beside:
    """The words of each row, who accepts them, and the open suggestions."""

    def __init__(self, negotiation: Negotiation) -> None:
        self.negotiation = negotiation
        self.words: dict[str, str] = {}
        self.accepted: set[tuple[str, str]] = set()
        self.open: list[tuple[UUID, str, str, str]] = []

    def change(self, row_of: str, words: str, *parties: str) -> None:
        self.words[row_of] = words
        self.accepted = {pair for pair in self.accepted if pair[1] != row_of}
        self.accepted |= {(party, row_of) for party in parties}
        self.open = [given for given in self.open if given[2] != row_of]

    def write(self, key: str, number: int) -> None:
        write(self.negotiation, key, f"{key} {number}")
        self.change(key, f"{key} {number}", key)

    def accept(self, key: str) -> None:
        accept(self.negotiation, key)
        self.accepted |= {(key, row_of) for row_of in self.words}
        self.open = [given for given in self.open if given[1] != key]

    def discuss(self, key: str, row_of: str) -> None:
        discuss(self.negotiation, key, self.negotiation.country.id(row_of))
        self.accepted -= {(key, row_of)}

    def suggest(self, key: str, row_of: str, number: int) -> None:
        words = f"{key} for {row_of} {number}"
        proposal = suggest(self.negotiation, WRITERS[key], row_of, words)
        self.open = [given for given in self.open if given[1] != key]
        self.open.append((proposal.id, key, row_of, words))
        self.accepted -= {(key, row_of)}

    def answer(self, key: str, pick: int) -> None:
        proposal_id, by, row_of, words = self.open[pick % len(self.open)]
        if by != key:
            positions.accept_proposal(
                self.negotiation[WRITERS[key]], self.negotiation.checklist(), proposal_id
            )
            self.change(row_of, words, by, key)

    @property
    def is_agreed(self) -> bool:
        return {(party, row_of) for party in WRITERS for row_of in WRITERS} <= self.accepted


def _play(negotiation: Negotiation, acts: list[tuple[str, str, str, int]]) -> None:
    beside = _Beside(negotiation)
    for number, (key, act, row_of, pick) in enumerate(acts):
        negotiation.session.expire_all()
        if act == "write" or not beside.words:
            beside.write(key, number)
        elif act == "accept":
            beside.accept(key)
        elif act == "answer" and beside.open:
            beside.answer(key, pick)
        elif act == "suggest" and row_of in beside.words:
            beside.suggest(key, row_of, number)
        elif act == "talk" and row_of in beside.words:
            beside.discuss(key, row_of)
        assert {given["party"]: given["offers"] for given in current(negotiation)} == {
            str(negotiation.country.id(party)): words for party, words in beside.words.items()
        }
        assert (negotiation.standing("M4").state is WorkState.AGREED) == beside.is_agreed


# Pages


def begun_row(page: Page) -> dict[str, list[str]]:
    """Return the fields of the table on a form for answers, without the empty rows."""
    return {
        name: values
        for name, values in page.form().values.items()
        if name.startswith("rows-") and any(values)
    }


def test_a_partys_form_begins_with_its_own_row(app: Flask, rows: Negotiation) -> None:
    rows.session.commit()
    samira = rows.country.browser(app, "samira")
    address = f"/checklists/{rows.checklist().id}/items/M4/answer"
    page = samira.page(address)
    assert [str(rows.country.id("door"))] in begun_row(page).values()
    # The row that the form began, with nothing in it, is no answer.
    nothing = Page.of(samira.post(address, data=page.form().values, csrf=False))
    assert "There's nothing to save yet. Write an answer first." in nothing.text
    assert current(rows) == []


def test_a_party_that_has_read_and_accepted_all_is_asked_for_its_own_row(
    app: Flask, rows: Negotiation
) -> None:
    for key in ("npm", "door"):
        write(rows, key, f"What {key} offers.")
    accept(rows, "door")
    rows.session.commit()
    joana, address = rows.country.browser(app, "joana"), f"/checklists/{rows.checklist().id}"
    for _ in ("before it accepts", "after"):
        page = joana.page(f"{address}/read")
        assert "1 item also needs an answer of your own: it's marked below." in page.text
        assert "Your organisation's own answer is missing here." in page.text
        accept(rows, "lantern")
        rows.session.commit()
    assert "Write our own row: Item M4" in joana.page(address).links()
    assert (
        "answer of your own" not in rows.country.browser(app, "samira").page(f"{address}/read").text
    )
    write(rows, "lantern", "What lantern offers.")
    rows.session.commit()
    assert "answer of your own" not in joana.page(f"{address}/read").text
    assert "Change our own row: Item M4" in joana.page(address).links()


def test_a_partys_form_has_its_own_row_and_shows_what_the_others_wrote(
    app: Flask, rows: Negotiation
) -> None:
    agreed(rows)
    rows.session.commit()
    samira = rows.country.browser(app, "samira")
    address = f"/checklists/{rows.checklist().id}"
    overview = samira.page(address)
    assert (
        overview.links()["Change our own row: Item M4"] == f"{address}/items/M4/answer?for=shared"
    )
    assert "Suggest a change: Item M4" in overview.links()
    page = samira.page(f"{address}/items/M4/answer")
    assert "What npm offers." in page.text
    offers = next(
        name for name, values in begun_row(page).items() if values == ["What door offers."]
    )
    assert len(begun_row(page)) == 2
    assert "Begun with what is known here" not in page.text
    sent = page.form().filled_in(**{offers: "Two lawyers."})
    assert samira.post(f"{address}/items/M4/answer", data=sent, csrf=False).status_code == 303
    rows.session.expire_all()
    assert [given["offers"] for given in current(rows)] == [
        "What npm offers.",
        "Two lawyers.",
        "What lantern offers.",
    ]
    ilena = rows.country.browser(app, "ilena")
    text = ilena.page(address).text
    assert "Not accepted yet: the row of Open Door Legal Aid." in text
    assert (
        "Open Door Legal Aid changed its own row: version 4"
        in ilena.page(f"{address}/items/M4/history").text
    )


def test_a_partys_row_offers_only_the_people_who_take_part_for_it(
    app: Flask, session: Session
) -> None:
    contacts = an_item(
        "M15",
        a_table("rows", a_column("party", "party"), a_column("who", "person"), rows={"min": 2}),
        done={"checks": [{"check": "row_per_party", "field": "rows", "column": "party"}]},
    )
    negotiation = set_out(session, template=a_template(contacts, an_item("M1")))
    country, address = negotiation.country, f"/checklists/{negotiation.checklist().id}"
    browser, url = country.browser(app, "joana"), f"{address}/items/M15/answer"
    page = browser.page(url)
    party, who = begun_row(page), "rows-0-who"
    assert [str(country.id("lantern"))] in party.values()

    def offered(page: Page) -> set[str]:
        select = next(s for s in page.root.iter("select") if s.attrib["name"] == who)
        return {option.attrib["value"] for option in select.iter("option")}

    ours = {str(country.actor(first).user_id) for first in ("joana", "oren", "otto", "leyla")}
    samira = str(country.actor("samira").user_id)
    assert offered(page) <= {"", *ours}
    assert str(country.actor("joana").user_id) in offered(page)
    # Whoever is named though they take part for another party stays in the list.
    sent = page.form().filled_in(**{who: samira})
    assert browser.post(url, data=sent, csrf=False).status_code == 303
    assert samira in offered(browser.page(url))
    assert "Who: choose someone who takes part for" in browser.page(f"{address}?open=M15").text


def test_whoever_wants_to_discuss_says_which_row(app: Flask, rows: Negotiation) -> None:
    agreed(rows)
    rows.session.commit()
    joana = rows.country.browser(app, "joana")
    address = f"/checklists/{rows.checklist().id}"
    form = joana.page(f"{address}/items/M4/talk").form()
    sent = form.filled_in(reason="Who pays?", row_of=str(rows.country.id("door")))
    assert joana.post(f"{address}/items/M4/talk", data=sent, csrf=False).status_code == 303
    assert "the row of Open Door Legal Aid: Who pays?" in joana.page(address).text
    assert waiting(rows) == {"lantern"}
    assert "row_of" not in joana.page(f"{address}/items/M1/talk", 403).text


def test_whoever_flags_a_term_says_on_which_row(app: Flask, rows: Negotiation) -> None:
    agreed(rows)
    rows.session.commit()
    joana = rows.country.browser(app, "joana")
    checklist = f"/checklists/{rows.checklist().id}"
    address = f"{checklist}/items/M4/flag"
    assert "What do you want to flag?" in joana.page(address).text
    joana.submit(address, reason="They decide alone.", row_of=str(rows.country.id("door")))
    about = "It is about the row of Open Door Legal Aid."
    ilena = rows.country.browser(app, "ilena")
    assert about in ilena.page(checklist).text
    write(rows, "npm", "Training for all.")
    rows.session.commit()
    assert about in ilena.page(checklist).text
    # Where there are no rows, there is nothing to choose.
    assert "What do you want to flag?" not in joana.page(f"{checklist}/items/M1/flag", 403).text
