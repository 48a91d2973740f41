"""Column widths on a certificate, the direction of texts, and in what capacity somebody signed."""

from uuid import uuid4

import pytest
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.ui import make_page_frame
from tracker.checklists.localized_values import Table
from tracker.evidence.certificates import contents
from tracker.signoff.labels import capacity_words
from tracker.signoff.models import Signature, SignatureKind

WORDS = st.lists(st.text("abc ", max_size=60), min_size=3, max_size=3).map(tuple)


@given(WORDS, st.lists(WORDS, max_size=4))
def test_no_word_exceeds_its_column_if_the_line_has_room(
    heads: tuple[str, ...], lines: list[tuple[str, ...]]
) -> None:
    widths = contents._widths(Table(heads, tuple(lines)))
    for column, width in zip(zip(heads, *lines, strict=True), widths, strict=True):
        assert width >= max(len(word) for text in column for word in [*text.split(), ""])
    longest = sum(max(len(text) for text in column) for column in zip(heads, *lines, strict=True))
    if longest < contents.LINE:
        assert sum(widths) <= contents.LINE + len(widths) * contents.NARROW


def test_long_texts_get_what_short_ones_leave() -> None:
    table = Table(("Party", "Measure"), (("NPM", "They keep the work and the cases apart."),))
    party, measure = contents._widths(table)
    assert party == contents.NARROW
    assert measure == contents.WIDE


def test_what_was_typed_runs_as_its_first_letter_does_and_numbers_stay_whole() -> None:
    def way(words: str, around: str) -> object:
        return contents._say(words, around).get("dir")

    assert way("Tomas", "ar") == "ltr"
    assert way("توماس", "en") == "rtl"
    assert way("(توماس)", "ar") is None
    assert way("Tomas", "en") is None
    assert way("+000 555 010", "ar") == "number"
    assert way("+000 555 010", "en") is None
    assert way("–", "ar") is None


@pytest.mark.parametrize(
    ("kind", "office", "capacity"),
    [
        (SignatureKind.SIGNATURE, "Director", "Director, for the NPM"),
        (SignatureKind.SIGNATURE, "", "Signatory, for the NPM"),
        (SignatureKind.COUNTERSIGNATURE, "Director", "Director, countersigned for the NPM"),
        # A manager countersigns too, and is no signatory.
        (SignatureKind.COUNTERSIGNATURE, "", "countersigned for the NPM"),
    ],
)
def test_whoever_countersigns_without_an_office_is_not_called_a_signatory(
    kind: SignatureKind, office: str, capacity: str
) -> None:
    signature = Signature(
        organisation_id=uuid4(), organisation_name="the NPM", kind=kind, office=office
    )
    with make_page_frame().app.app_context(), force_locale("en"):
        assert capacity_words(signature) == capacity
