"""The languages an organisation works in, however it writes them."""

import pytest

from tracker.organisations.languages import language_codes


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        (["en"], ("en",)),
        (["English", "Arabic"], ("en", "ar")),
        (["العربية", "الإنجليزية"], ("ar", "en")),
        (["الإنكليزية"], ("en",)),
        (["ENGLISH", " english "], ("en",)),
        (["French", "Arabic", ""], ("ar",)),
        (["Englishman"], ()),
        ([], ()),
    ],
)
def test_a_language_is_known_by_its_code_and_by_its_names(
    written: list[str], codes: tuple[str, ...]
) -> None:
    assert language_codes(written) == codes
