"""When a signature was given: on the date of its paper, or at the time it was given here."""

import datetime as dt

from flask import Flask

from tracker.signoff import labels
from tracker.signoff.labels import when_signed
from tracker.ui.locale import as_datetime

AT = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)
PAPER = {"signed_on": "2026-11-03", "made": "here"}


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
