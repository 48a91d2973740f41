"""Texts signed on paper are dated by the paper: on pages, certificates and the public check."""

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import agreements, paper
from tests.factories.cooperations import Country, load_checklists, make_country, open_one, signed_in
from tests.factories.evidence.certificates import make_all, words_of
from tests.pages import Page
from tests.starting_points import noon_in
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.agreements import renewal
from tracker.agreements.paper import prior_agreements
from tracker.agreements.paper.prior_agreements import Person
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.evidence.keys import signing_keys
from tracker.signoff.models import Revision
from tracker.ui.locale import as_date, as_datetime

Clock = Callable[[dt.datetime | None], None]
START, END = noon_in(-315).date(), noon_in(414).date()
PAIR = {"npm": "tomas", "door": "henrik"}
PAPER, CONFIRMED, COMPLETE, LATER = noon_in(2).date(), noon_in(5), noon_in(7), noon_in(8)
FORMERLY = dt.date(2019, 3, 9)


@pytest.fixture
def country(session: Session) -> Country:
    load_checklists()
    signing_keys.make_missing()
    return make_country(session)


@pytest.fixture
def on_paper(country: Country, frozen_time: Clock) -> Checklist:
    """Terms whose partner signed on paper; the NPM confirmed that later, and signed here."""
    terms = agreements.checklist_of(open_one(country, "door"), ChecklistKind.TERMS)
    agreements.answer(country, terms, "M19", **agreements.term(START, END))
    agreements.send(country, terms, PAIR)
    frozen_time(CONFIRMED)
    paper.confirm(
        country.actor("ilena"), terms, paper.record(country.actor("samira"), terms, signed_on=PAPER)
    )
    frozen_time(COMPLETE)
    agreements.sign(country, terms, "tomas")
    return settled(terms, frozen_time)


@pytest.fixture
def former(country: Country, frozen_time: Clock) -> Checklist:
    """An agreement made on paper years ago that three parties confirmed on different days."""
    terms = agreements.checklist_of(open_one(country, "door", "lantern"), ChecklistKind.TERMS)
    record = prior_agreements.record(
        country.actor("ilena"),
        terms,
        page=paper.page_of_known(terms),
        signed_on=FORMERLY,
        ends_on=END,
        signers={
            country.id("npm"): [Person("Ada Former", "Head of the NPM")],
            country.id("door"): [Person("Bo Earlier", "Chair")],
            country.id("lantern"): [Person("Di Before", "President")],
        },
        scan=paper.pdf(),
    )
    frozen_time(CONFIRMED)
    paper.confirm(country.actor("samira"), terms, record)
    frozen_time(COMPLETE)
    paper.confirm(country.actor("joana"), terms, record)
    return settled(terms, frozen_time)


def settled(terms: Checklist, frozen_time: Clock) -> Checklist:
    cooperation = db.session.get_one(Cooperation, terms.cooperation_id)
    cooperation.shows_signers = True
    record(
        verbs.VERIFICATION_CHANGED,
        actor=None,
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        shows_signers=True,
    )
    db.session.commit()
    frozen_time(LATER)
    return terms


def record_page(app: Flask, country: Country, terms: Checklist) -> str:
    db.session.commit()
    browser = signed_in(app, db.session.merge(country.users["ilena"]))
    return browser.page(f"/checklists/{terms.id}/record").text


def checked(app: Flask, terms: Checklist) -> Page:
    assert terms.revision_in_force_id is not None
    revision = db.session.get_one(Revision, terms.revision_in_force_id)
    reference = db.session.get_one(Cooperation, terms.cooperation_id).reference
    query = {"reference": reference, "digest": revision.digest}
    return Page.of(app.test_client().get("/verify", query_string=query))


def certificate_words() -> str:
    (rows,) = make_all().values()
    row = next(certificate for certificate in rows if certificate.language == "en")
    return " ".join(words_of(row).split())


def test_the_record_gives_the_date_of_the_paper_and_when_its_scan_was_confirmed(
    app: Flask, country: Country, on_paper: Checklist
) -> None:
    text = record_page(app, country, on_paper)
    assert f"Signed on paper on {as_date(PAPER)}" in text
    assert f"Scan confirmed on {as_datetime(CONFIRMED)}" in text
    # The NPM's own signature, which was given here.
    assert as_datetime(COMPLETE) in text


def test_history_gives_the_date_of_the_paper(
    app: Flask, country: Country, on_paper: Checklist
) -> None:
    reference = db.session.get_one(Cooperation, on_paper.cooperation_id).reference
    browser = signed_in(app, db.session.merge(country.users["ilena"]))
    text = browser.page(f"/cooperations/{reference}/history").text
    assert f"was signed on paper on {as_date(PAPER)} for Open Door" in text


def test_who_signs_gives_the_date_of_the_paper_while_others_still_have_to(
    app: Flask, country: Country, frozen_time: Clock
) -> None:
    terms = agreements.checklist_of(open_one(country, "door"), ChecklistKind.TERMS)
    agreements.answer(country, terms, "M19", **agreements.term(START, END))
    agreements.send(country, terms, PAIR)
    frozen_time(CONFIRMED)
    paper.confirm(
        country.actor("ilena"), terms, paper.record(country.actor("samira"), terms, signed_on=PAPER)
    )
    text = record_page(app, country, terms)
    assert f"signed on paper on {as_date(PAPER)}" in text
    # Only in its block, where it is labelled.
    assert text.count(as_datetime(CONFIRMED)) == text.count(
        f"Scan confirmed on {as_datetime(CONFIRMED)}"
    )


def test_the_certificate_gives_the_date_of_the_paper(on_paper: Checklist) -> None:
    words = certificate_words()
    assert words.count(f"Signed on paper on {as_date(PAPER)}") == 2
    assert words.count(f"Scan confirmed on {as_datetime(CONFIRMED)}") == 2


def test_the_public_check_gives_the_date_of_the_paper(app: Flask, on_paper: Checklist) -> None:
    text = checked(app, on_paper).text
    assert f"Signed on paper on {as_date(PAPER)}" in text
    assert f"Scan confirmed on {as_datetime(CONFIRMED)}" in text
    assert as_datetime(COMPLETE) in text


def test_an_earlier_agreement_is_dated_by_its_paper_wherever_its_signatures_are_shown(
    app: Flask, country: Country, former: Checklist
) -> None:
    signed = f"Signed on paper on {as_date(FORMERLY)}"
    # Whoever confirmed it for one party may have done so before the others.
    confirmed = f"All other parties had confirmed the scan by {as_datetime(COMPLETE)}"
    for text in (record_page(app, country, former), checked(app, former).text):
        assert text.count(signed) == text.count(confirmed) == text.count(as_datetime(COMPLETE)) == 3
    words = certificate_words()
    # In the block of signatures and where the proof is described; the date also in the text.
    assert (words.count(signed), words.count(confirmed)) == (7, 6)


def test_the_history_of_an_agreement_in_the_register_gives_the_date_of_the_paper(
    app: Flask, country: Country, former: Checklist
) -> None:
    db.session.commit()
    browser = signed_in(app, db.session.merge(country.users["nadia"]))
    text = browser.page(f"/register/{former.id}").text
    assert f"Signed on paper on {as_date(FORMERLY)}" in text


def test_an_agreement_whose_dates_only_its_paper_says_is_renewed_from_its_date(
    country: Country, former: Checklist
) -> None:
    """M19, which nobody filled in, has no answer that could be changed."""
    review = END + dt.timedelta(days=100)
    renewal.propose_renewal(
        country.actor("joana"), former, review=review, end=review, reason="It went well."
    )
    answer = load(former).sheet.shared("M19")
    assert answer is not None
    dates = {"start": FORMERLY, "review": review, "end": review}
    assert answer.values == {key: day.isoformat() for key, day in dates.items()}
