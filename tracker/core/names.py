"""What the name of a person or an organisation may hold: letters, marks, numbers, a few signs.

A name is repeated in emails to strangers and beside signatures. It must not carry an address to
visit, nor look like another name that is written with letters of another script. Forms and
services ask the same rule.
"""

import enum
import re
import unicodedata

from flask_babel import lazy_gettext as _l

from tracker.core.errors import RuleBrokenError

# The longest name.
LENGTH = 200

# Signs within names, beside letters, marks, digits and spaces: also those of Arabic and Hebrew, and
# the joiners that some scripts are written with.
_SIGNS = frozenset(
    " '\u2019\u2018\u02bc\u00b4`-\u2010\u2011\u2012\u2013\u2014.,&()/+:;!?\u00b7"
    '"\u201c\u201d\u201e\u00ab\u00bb'
    "\u060c\u061b\u061f\u0640\u05f3\u05f4\u05be\u30fb\u200c\u200d\u200e\u200f\u2116\u00b0\u00aa\u00ba"
)
# "evil.example", "www.", "//", "http:", "192.0.2.1"; "St. Peter", "St. 12" and "e.V." are none.
_ADDRESS = re.compile(
    r"[^\W_]\.[^\W\d_]{2}|\bwww\b|//|\bhttps?:|(?<!\d)\d{1,3}(\.\d{1,3}){3}(?!\d)", re.IGNORECASE
)
_WORD_ENDS = re.compile(r"[\s\-\u2010-\u2014/.,&()+:;]+")
# Scripts of which letters look like letters of another one.
_ALIKE = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC", "GEORGIAN"})

# The names of marks that are vowels of their own; those of Arabic are left out in most texts.
_VOWEL_SIGN = re.compile(r"(?!ARABIC).*\bVOWEL SIGN\b|THAI CHARACTER (SARA|MAI HAN-AKAT)")

# Letters that look like others once case, marks and ligatures are gone: Cyrillic and Greek ones
# (many as capitals only), Latin ones with a stroke or without a dot, and Arabic ones of which
# spellings differ. The Unicode list of such letters is far longer; this is what a name of words of
# one alphabet can be made of.
_LOOKS_LIKE = str.maketrans(
    "\u0430\u0432\u0435\u0437\u0456\u0458\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u04bb\u04cf"
    "\u0501\u051b\u051d\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03b6"
    "\u00f8\u0142\u0111\u0131\u0127i10"
    "\u0649\u06cc\u0629\u0647\u06a9",
    "abe3ljkmhopctyxshldqwabehlkmnoptyxzoldlhllo\u064a\u064a\u0647\u0647\u0643",
)


class NameProblem(enum.Enum):
    """Why a name can't be used."""

    SIGN = enum.auto()
    ADDRESS = enum.auto()
    SCRIPTS = enum.auto()


PROBLEMS = {
    NameProblem.SIGN: _l("Use letters, digits, spaces, hyphens, apostrophes and full stops"),
    NameProblem.ADDRESS: _l("A name can't contain a web address. Put a space after each full stop"),
    NameProblem.SCRIPTS: _l(
        "Write each word in one alphabet: letters of another one can look the same"
    ),
}


def tidied(name: str, field: str = "name", *, former: str = "", most: int = LENGTH) -> str:
    """Return a name as it is stored, without surplus spaces; an empty one stays empty.

    Raise RuleBrokenError, with the field, if it can't be used. The former name can stay: it may
    have been stored before there was a rule.
    """
    tidy = " ".join(name.split())
    if tidy == former:
        return tidy
    if len(tidy) > most:
        raise RuleBrokenError(_l("Use at most %(num)s characters", num=most), field)
    if problem := problem_of(tidy):
        raise RuleBrokenError(PROBLEMS[problem], field)
    return tidy


def problem_of(name: str) -> NameProblem | None:
    """Return why a name can't be used; None if it can."""
    if not all(sign in _SIGNS or unicodedata.category(sign)[0] in "LMN" for sign in name):
        return NameProblem.SIGN
    # As it looks: letters of full width are the same letters.
    alike = unicodedata.normalize("NFKC", name)
    if _ADDRESS.search(alike):
        return NameProblem.ADDRESS
    if any(len(_scripts(word)) > 1 for word in _WORD_ENDS.split(alike)):
        return NameProblem.SCRIPTS
    return None


def look(name: str) -> str:
    """Return what two names have in common that look the same.

    Without case, accents, spaces and signs; letters that look like another one are that one. Vowels
    that some scripts write as marks are letters.
    """
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", name).casefold())
    letters = (sign for sign in folded if sign.isalnum() or _is_vowel_sign(sign))
    alike = "".join(letters).replace("\u0640", "").translate(_LOOKS_LIKE)
    return alike.replace("rn", "m").replace("vv", "w")


def _is_vowel_sign(sign: str) -> bool:
    """Return whether a mark is a vowel, as in Hindi or Thai, rather than an accent or a point."""
    return _VOWEL_SIGN.match(unicodedata.name(sign, "")) is not None


def _scripts(word: str) -> frozenset[str]:
    """Return the scripts of a word's letters, of those that can be mistaken for another."""
    names = (unicodedata.name(sign, "") for sign in word if sign.isalpha())
    return _ALIKE.intersection(name.partition(" ")[0] for name in names)
