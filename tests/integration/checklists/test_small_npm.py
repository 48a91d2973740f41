"""An NPM of two people: both write, and its head reads the safeguards alone and says why."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories import checklists
from tests.factories.agreements import checklist_of
from tests.factories.cooperations import (
    Country,
    StoredCountry,
    bring_in,
    copied_country,
    load_checklists,
    open_one,
)
from tests.factories.negotiations import StoredNegotiation
from tests.pages import Page
from tracker.access.actor import Actor, Role
from tracker.accounts.models import User
from tracker.accounts.people import without_email
from tracker.accounts.people.without_email import NewPerson
from tracker.activity.stale import recompute
from tracker.agreements import frozen_text
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, ChecklistState
from tracker.checklists.negotiation import safeguards
from tracker.checklists.rules import completeness
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation, Mode
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision

REASON = "We are two, and both of us wrote. The Council has no other staff until July."
WRITER, HEAD = "vesna", "bo"


Small = tuple[Country, Cooperation]


def _open() -> StoredNegotiation:
    country = copied_country(db.session())
    load_checklists()
    country.person(
        "Bo Lind",
        "other_npm",
        Role.SIGNATORY,
        Role.MANAGER,
        Role.MEMBER,
        power="Act on the Prevention Council",
    )
    cooperation = open_one(country, "door", by=WRITER, modes=(Mode.INFO_F,))
    for key in (HEAD, "samira", "henrik"):
        bring_in(country, cooperation, key)
    recompute()
    return StoredNegotiation(cooperation.id, StoredCountry.of(country))


def loaded(session: Session, stored: StoredNegotiation) -> Small:
    negotiation = stored.load(session)
    return negotiation.country, negotiation.cooperation


@pytest.fixture
def opened(app: Flask, session: Session) -> Small:
    """A cooperation of a CSO and an NPM of two people."""
    return loaded(session, starting_points.of(app).use("npm_of_two", _open))


@pytest.fixture
def country(opened: Small) -> Country:
    return opened[0]


@pytest.fixture
def cooperation(opened: Small) -> Cooperation:
    return opened[1]


@pytest.fixture
def written(app: Flask, session: Session) -> Small:
    """The same cooperation, whose terms both people of the NPM have written."""
    points = starting_points.of(app)
    stored = points.use("npm_of_two", _open)

    def write() -> StoredNegotiation:
        written_by_both(*loaded(db.session(), stored))
        return stored

    return loaded(session, points.use("npm_of_two_written", write, on="npm_of_two"))


def actors(country: Country) -> dict[object, Actor]:
    return {
        country.id("other_npm"): country.actor(WRITER),
        country.id("door"): country.actor("samira"),
    }


def terms_of(cooperation: Cooperation) -> Checklist:
    recompute()
    return checklist_of(cooperation, ChecklistKind.TERMS)


def written_by_both(country: Country, cooperation: Cooperation) -> Checklist:
    """Have the head write one answer and the other person all the rest, with the head as reader."""
    terms = terms_of(cooperation)
    loaded = load(terms)
    service.save_answer(
        country.actor(HEAD),
        terms,
        "M6",
        AnswerScope.SHARED,
        checklists.whole(loaded, "M6"),
        base_version=0,
    )
    chosen = {"M5": {"second_reader": str(country.users[HEAD].id)}}
    checklists.complete_answers(load(terms), actors(country), chosen=chosen)  # type: ignore[arg-type]
    return terms_of(cooperation)


def test_an_administrator_who_wrote_nothing_is_no_second_reader_to_wait_for(
    country: Country, cooperation: Cooperation
) -> None:
    ina = country.person("Ina Holm", "other_npm", Role.MEMBER, Role.ADMINISTRATOR)
    bring_in(country, cooperation, "ina")
    terms = written_by_both(country, cooperation)
    assert ina.id not in load(terms).sheet.authors
    assert terms.is_complete
    assert safeguards.may_review(country.actor(HEAD), load(terms))


def test_one_person_is_named_wherever_the_npm_has_nobody_else(written: Small) -> None:
    """Coordinator and deputy (M7) too; while somebody else takes part, they are two people."""
    country, cooperation = written
    bo, vesna = country.users[HEAD], country.users[WRITER]
    terms = terms_of(cooperation)
    npm = str(country.id("other_npm"))

    def is_open(*users: User) -> bool:
        current = load(terms_of(cooperation)).sheet.shared("M7")
        assert current is not None
        named = dict(zip(("coordinator", "deputy"), (str(user.id) for user in users), strict=True))
        rows = [row | named if row["party"] == npm else row for row in current.values["contacts"]]
        values = {**current.values, "contacts": rows}
        loaded = load(terms_of(cooperation))
        item = loaded.template.by_code["M7"]
        around = (loaded.sheet, loaded.surroundings)
        return bool(completeness.value_problems(item, AnswerScope.SHARED, values, *around))

    assert terms.is_complete
    assert (is_open(vesna, vesna), is_open(vesna, bo)) == (True, False)
    assert is_open(vesna, country.users["samira"])
    cooperations.end_person(
        country.actor(WRITER),
        cooperation,
        user_id=bo.id,
        organisation_id=country.id("other_npm"),
    )
    assert (is_open(vesna, vesna), is_open(vesna, bo)) == (False, True)
    assert is_open(vesna, country.users["samira"])


def test_two_people_go_from_the_start_to_the_signature(written: Small, app: Flask) -> None:
    country, cooperation = written
    terms = terms_of(cooperation)
    assert terms.is_complete
    db.session.commit()
    browser = country.browser(app, HEAD)
    address = f"/checklists/{terms.id}/review"
    assert "You wrote answers too" in browser.page(address).text
    browser.submit(address, reason=REASON)
    terms = terms_of(cooperation)
    assert load(terms).review is not None
    signers = {
        country.id("other_npm"): country.actor(HEAD),
        country.id("door"): country.actor("henrik"),
    }
    checklists.send(terms, country.actor(WRITER), signers)
    db.session.commit()
    signing = country.browser(app, HEAD).page(f"/checklists/{terms.id}/sign").text
    checklists.sign(terms_of(cooperation), *signers.values())
    terms = terms_of(cooperation)
    assert terms.state is ChecklistState.IN_FORCE
    db.session.commit()
    record = country.browser(app, "samira").page(f"/checklists/{terms.id}/record").text
    history = (
        country.browser(app, "samira").page(f"/cooperations/{cooperation.reference}/history").text
    )
    assert all(REASON in page for page in (signing, record, history))
    document = signoff.document_of(db.session.get_one(Revision, terms.revision_in_force_id), None)
    assert document["second_reading"] == {"by": "Bo Lind", "because": REASON}
    about = dict(frozen_text.read(document, "en").about)
    assert REASON in str(about["Second reading"])


def test_without_a_reason_nothing_is_confirmed(written: Small, app: Flask) -> None:
    country, cooperation = written
    terms = terms_of(cooperation)
    with pytest.raises(RuleBrokenError, match="printed on the text"):
        checklists.read_second(country.actor(HEAD), terms, " ")
    db.session.commit()
    response = country.browser(app, HEAD).post(f"/checklists/{terms.id}/review", data={})
    assert "Enter" in Page.of(response).text or "reason" in Page.of(response).text.lower()
    assert load(terms_of(cooperation)).review is None


def test_the_reason_stays_when_the_text_changed_while_the_head_read(
    written: Small, app: Flask
) -> None:
    country, cooperation = written
    terms = terms_of(cooperation)
    db.session.commit()
    address, head = f"/checklists/{terms.id}/review", country.browser(app, HEAD)
    opened = head.page(address).form().filled_in(reason=REASON)
    checklists.flag_term(country.actor("samira"), terms_of(cooperation), "M1", "A donor decides?")
    db.session.commit()
    page = Page.of(head.post(address, data=opened, csrf=False))
    assert "The text changed after you opened it" in page.text
    assert page.form().filled_in()["reason"] in (REASON, [REASON])
    assert load(terms_of(cooperation)).review is None
    # A mistake on the form doesn't make the newest text count as read.
    opened = head.page(address).form().filled_in(reason="")
    checklists.flag_term(country.actor("samira"), terms_of(cooperation), "M3", "Another decides?")
    db.session.commit()
    page = Page.of(head.post(address, data=opened, csrf=False))
    page = Page.of(head.post(address, data=page.form().filled_in(reason=REASON), csrf=False))
    assert "The text changed after you opened it" in page.text
    assert load(terms_of(cooperation)).review is None


def test_who_is_not_the_head_does_not_read_their_own_words(written: Small) -> None:
    country, cooperation = written
    terms = terms_of(cooperation)
    answer = load(terms).sheet.shared("M5")
    assert answer is not None
    db.session.expire_all()
    with pytest.raises(RefusedError, match="Only the second reader named"):
        checklists.read_second(country.actor(WRITER), terms_of(cooperation), REASON)


def test_while_somebody_else_of_the_npm_could_read_they_do(written: Small) -> None:
    country, cooperation = written
    terms = terms_of(cooperation)
    country.person("Kai Moss", "other_npm", Role.MEMBER)
    with pytest.raises(RuleBrokenError, match="Kai Moss of the NPM wrote none of the answers"):
        checklists.read_second(country.actor(HEAD), terms, REASON)


def test_somebody_without_an_account_is_nobody_who_could_read(written: Small) -> None:
    country, cooperation = written
    npm_id = country.id("other_npm")
    user = without_email.add(country.actor(WRITER), NewPerson("Danil Rook", npm_id))
    cooperations.add_person(
        country.actor(WRITER),
        cooperation,
        user_id=user.id,
        organisation_id=npm_id,
        function="Driver",
    )
    recompute()
    checklists.read_second(country.actor(HEAD), terms_of(cooperation), REASON)
    assert load(terms_of(cooperation)).review is not None


def test_with_a_third_person_in_the_cooperation_an_author_is_no_second_reader(
    written: Small,
) -> None:
    country, cooperation = written
    terms = terms_of(cooperation)
    country.person("Kai Moss", "other_npm", Role.MEMBER)
    bring_in(country, cooperation, "kai")
    terms = terms_of(cooperation)
    assert not load(terms).standing().items["M5"].done
    with pytest.raises(RefusedError, match="somebody else has to read it"):
        checklists.read_second(country.actor(HEAD), terms, REASON)


def test_a_second_reader_who_wrote_nothing_gives_no_reason(
    country: Country, cooperation: Cooperation
) -> None:
    terms = terms_of(cooperation)
    checklists.agree(terms, actors(country), country.actor(HEAD))  # type: ignore[arg-type]
    review = load(terms_of(cooperation)).review
    assert review is not None
    assert review.alone_because is None


def test_a_model_answer_saved_as_it_is_makes_nobody_an_author(
    country: Country, cooperation: Cooperation
) -> None:
    terms = terms_of(cooperation)
    values = checklists.whole(load(terms), "M2")
    head = country.actor(HEAD)

    def save(version: int, **changed: object) -> None:
        service.save_answer(
            head,
            terms,
            "M2",
            AnswerScope.SHARED,
            {**values, **changed},
            base_version=version,
            loaded_from=values,
        )
        db.session.commit()

    save(0)
    assert head.user_id not in load(terms).sheet.authors
    text = next(key for key, value in values.items() if isinstance(value, str) and len(value) > 3)
    save(1, **{text: "Other words."})
    assert head.user_id in load(terms).sheet.authors
