"""An organisation's working languages, matched to the languages known here. Pure."""

from collections.abc import Iterable
from functools import cache

from babel import Locale

from tracker.search.words import folded
from tracker.settings import KNOWN_LANGUAGES

# Names in use that Babel's tables don't have.
OTHER_NAMES = {"الإنكليزية": "en"}


def language_codes(names: Iterable[str]) -> tuple[str, ...]:
    """Return the known languages that a text names, in its order.

    Organisations may write a language by its code, or by its name in any known language.
    """
    codes = (_codes().get(folded(name)) for name in names)
    return tuple(dict.fromkeys(code for code in codes if code))


def other_languages(names: Iterable[str]) -> tuple[str, ...]:
    """Return the languages in a list that aren't known here, as they were typed."""
    return tuple(name for name in names if folded(name) not in _codes())


@cache
def _codes() -> dict[str, str]:
    codes = {folded(name): code for name, code in OTHER_NAMES.items()}
    for code in KNOWN_LANGUAGES:
        codes[code] = code
        for reader in KNOWN_LANGUAGES:
            codes[folded(Locale.parse(reader).languages.get(code, code))] = code
    return codes
