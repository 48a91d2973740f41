"""When and how somebody signed, in words, whatever is in the database."""

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from tests.factories.ui import make_page_frame
from tracker.signoff import labels
from tracker.signoff.labels import how_signed, when_signed
from tracker.signoff.models import Method, Signature
from tracker.ui.locale import as_datetime

AT = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)
PAPER = {
    "signed_on": "2026-11-03",
    "recorded_by_name": "Samira Okell",
    "recorded_for": "Open Door",
    "confirmed_by_name": "Ilena Dorvath",
    "confirmed_for": "The NPM",
    "made": "here",
}
PRESENCE = {"host_name": "Ilena Dorvath", "host_for": "The NPM", "known_by": "An identity card"}


def test_a_signature_given_here_is_dated_by_its_time() -> None:
    when = when_signed(AT, None)
    assert (when.on, when.at, when.is_on_paper) == (AT, AT, False)


def test_a_signature_on_paper_is_dated_by_its_paper_and_keeps_the_moment_of_confirmation() -> None:
    when = when_signed(AT, PAPER)
    assert (when.on, when.at, when.is_on_paper) == (dt.date(2026, 11, 3), AT, True)


def test_words_name_each_moment_for_what_it_is(app: Flask) -> None:
    here, paper = when_signed(AT, None), when_signed(AT, PAPER)
    former = when_signed(AT, PAPER | {"made": "before"})
    with app.test_request_context():
        time = as_datetime(AT)
        assert (labels.signed_words(here), labels.scan_words(here)) == (time, "")
        assert labels.signed_words(paper) == "Signed on paper on 3 November 2026"
        assert labels.scan_words(paper) == f"Scan confirmed on {time}"
        assert labels.signed_words(former) == "Signed on paper on 3 November 2026"
        assert labels.scan_words(former) == f"All other parties had confirmed the scan by {time}"


def words(**values: Any) -> str:
    with make_page_frame().app.app_context(), force_locale("en"):
        return str(how_signed(Signature(**values)))


def test_it_says_how_somebody_signed_and_who_vouches_for_it() -> None:
    assert words(method=Method.PAPER, paper=PAPER) == (
        "Scan recorded by Samira Okell, Open Door, confirmed by Ilena Dorvath, The NPM"
    )
    present = words(method=Method.IN_PRESENCE, presence=PRESENCE | {"method": "passkey"})
    assert "On the device of Ilena Dorvath, The NPM, who was present (Passkey)" in present


@pytest.mark.parametrize("about", [[], "text", {}, {"made": 1}, {"signed_on": "soon"}])
def test_missing_or_malformed_values_are_left_empty_without_an_error(about: Any) -> None:
    assert words(method=Method.PAPER, paper=about).startswith("Scan recorded by")
    assert words(method=Method.IN_PRESENCE, presence=about).startswith("On the device of ")


@pytest.mark.parametrize("about", [[], "text", {}, {"made": 1}, {"signed_on": "soon"}])
def test_without_a_date_on_the_paper_none_is_given(about: Any) -> None:
    assert when_signed(AT, about).on is None
    with make_page_frame().app.app_context(), force_locale("en"):
        assert labels.signed_words(when_signed(AT, about)) == "Signed on paper on "
