"""The reader's language and its direction; dates and times in words, in the NPM's time zone."""

import datetime as dt
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from babel import Locale, dates, lists, negotiate_locale
from flask import Flask, current_app, g, has_request_context, request
from flask_babel import force_locale, get_domain, get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from tracker.core import clock
from tracker.core.extensions import locale_parts
from tracker.core.localized import LocalizedStr, language_of
from tracker.core.telephone import Telephone

COOKIE = "language"
ONE_YEAR = 365 * 24 * 60 * 60
Length = Literal["full", "long", "medium", "short"]
ProfileLanguage = Callable[[], str | None]

# English dates have the day first, as in most countries with an NPM, and lists have no comma before
# the last name.
_DATES_OF = {"en": "en_GB"}
_WITH_WEEKDAY = {"en": "EEEE d MMMM y"}
_DAY_AND_MONTH = "MMMd"
_NONE = Markup("")
_MEGABYTE = 1024 * 1024
_ISOLATE, _END_ISOLATE = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
# What is between the words of a list in the current language. In a script that reads from right to
# left the catalogue adds a mark, so that codes and Latin names follow each other in its direction.
_RIGHT_TO_LEFT = "\N{RIGHT-TO-LEFT MARK}"
_COMMA = _l("%(before)s, %(after)s", before="", after="")
_SEMICOLON = _l("%(before)s; %(after)s", before="", after="")
# The direction of text by the class of its first letter.
_DIRECTION_OF = {"L": "ltr", "R": "rtl", "AL": "rtl"}


@dataclass(frozen=True, slots=True)
class Language:
    """A language to choose: its code, own name and direction, and whether it is in use."""

    code: str
    name: str
    direction: str
    current: bool


def init_locale(app: Flask, profile_language: ProfileLanguage | None = None) -> None:
    """Give templates the formatting of dates; profile_language returns a person's own setting."""
    app.extensions["profile_language"] = profile_language
    app.jinja_env.filters.update(as_date=as_date, as_datetime=as_datetime, as_time=as_time)
    app.jinja_env.filters.update(
        called=called, localized=localized, marked=marked, text_attributes=text_attributes
    )
    app.jinja_env.filters.update(language_of=language_of)
    app.jinja_env.filters.update(
        listed=listed, with_commas=with_commas, with_semicolons=with_semicolons
    )
    app.jinja_env.globals.update(comma=_COMMA, semicolon=_SEMICOLON)
    app.jinja_env.filters.update(language_name=name_of, language_attributes=language_attributes)
    app.jinja_env.globals.update(day=day, moment=moment, language_note=language_note)


def select_language() -> str:
    """Choose the language: the one chosen here, the person's own, the browser's, the first.

    Outside a request (a command, the worker) it is the first.
    """
    offered: tuple[str, ...] = current_app.extensions["settings"].languages
    if not has_request_context():
        return offered[0]
    chosen = request.cookies.get(_cookie())
    if chosen in offered:
        return str(chosen)
    profile: ProfileLanguage | None = current_app.extensions.get("profile_language")
    own = profile() if profile else None
    if own in offered:
        return str(own)
    wanted = [code.replace("-", "_") for code in request.accept_languages.values()]
    return negotiate_locale(wanted, offered) or offered[0]


def keep_language(response: Response, code: str) -> None:
    """Store the chosen language in the browser for a year."""
    response.set_cookie(
        _cookie(), code, max_age=ONE_YEAR, httponly=True, samesite="Lax", secure=_is_secure()
    )
    g.pop("languages", None)


def _cookie() -> str:
    """Return the cookie's name: with https, browsers then take it from this host alone."""
    return f"__Host-{COOKIE}" if _is_secure() else COOKIE


def _is_secure() -> bool:
    return bool(current_app.extensions["settings"].secure)


def languages() -> tuple[Language, ...]:
    """Return the languages to choose from, each by its own name."""
    current = language()
    offered: tuple[str, ...] = current_app.extensions["settings"].languages
    return tuple(
        Language(code, _own_name(code), direction(code), code == current) for code in offered
    )


def language() -> str:
    """Return the code of the current language, for the lang attribute."""
    locale = get_locale()
    return _code(*locale_parts(locale)) if locale else "en"


@cache
def _code(*parts: str | None) -> str:
    return "-".join(part for part in parts if part)


def language_of_text() -> str:
    """Return the language chosen for a text on the page (doc_languages), else language."""
    return request.args.get("language", language())


@cache
def direction(code: str) -> str:
    """Return the direction of a language's script: ltr or rtl."""
    return str(Locale.parse(code.replace("-", "_")).text_direction)


def name_of(code: str) -> str:
    """Return a language's name in the current language, such as Arabic."""
    name = Locale.parse(code.replace("-", "_")).get_display_name(get_locale() or Locale("en"))
    return str(name or code)


def with_commas(words: Iterable[object]) -> str:
    """Return words with a comma of the current language between them: M1, M2."""
    return _joined(_COMMA, words)


def with_semicolons(words: Iterable[object]) -> str:
    """Return words with a semicolon of the current language between them."""
    return _joined(_SEMICOLON, words)


def listed(names: Iterable[str]) -> str:
    """Return several names as a list in the current language: A, B and C.

    A name in a script of another direction is isolated: else the list would be read in that one.
    """
    own = direction(language())
    return _as_list(
        name if _direction_of(name, own) == own else f"{_ISOLATE}{name}{_END_ISOLATE}"
        for name in names
    )


def listed_people(names: Iterable[str]) -> Markup:
    """Return names of people as listed() does, each isolated from the direction of the others."""
    return Markup(_as_list(f"<bdi>{escape(name)}</bdi>" for name in names))  # noqa: S704


def _as_list(names: Iterable[str]) -> str:
    return str(lists.format_list(list(names), locale=_dates_locale(str(get_locale() or "en"))))


def localized(words: object, around: str = "") -> Markup:
    """Return text as markup; marked if its language differs from the text around it.

    around is the language of the surrounding part, if it is not the page's. A telephone number is a
    link that dials it.
    """
    if isinstance(words, Telephone):
        return called(words)
    around = around or language()
    attributes = _attributes(words, around) or _own_direction(words, around)
    # Concatenated, not formatted with Markup.format: a long page has hundreds of these.
    return Markup(f"<bdi{attributes}>{escape(words)}</bdi>")  # noqa: S704


def called(number: str) -> Markup:
    """Return a telephone number as a link that dials it."""
    telephone = Telephone(number)
    link = Markup('<a href="{}"><bdi dir="ltr">{}</bdi></a>')
    return link.format(telephone.address, str(telephone))


def marked(words: object, around: str = "") -> Markup:
    """Return text, marked up only if its language differs from the text around it."""
    return localized(words, around) if _attributes(words, around) else escape(words)


def text_attributes(words: object, around: str = "") -> Markup:
    """Return the lang and dir attributes for an element with this text.

    None if it is in the surrounding language. The direction of what people typed follows its
    letters.
    """
    return _attributes(words, around) if language_of(words) else Markup(' dir="auto"')


def language_attributes(code: str, around: str = "") -> Markup:
    """Return the attributes for a part in another language than its surroundings, else none."""
    if not code or code == (around or language()):
        return _NONE
    return Markup(' lang="{}" dir="{}"').format(code, direction(code))


def language_note(shown: str, others: Iterable[str] = ()) -> str:
    """Return the note on a text that isn't in the reader's language; empty if it is.

    shown is the language it is shown in, empty if unknown; others are the other languages it can be
    read in.
    """
    codes = dict.fromkeys([shown, *others])
    if not shown or language() in codes:
        return ""
    note = _("Available in %(languages)s only.", languages=listed(map(name_of, codes)))
    return LocalizedStr(note, language())


def _joined(separator: object, words: Iterable[object]) -> str:
    """Join words; begin with the separator's direction mark, if any: messages isolate lists."""
    parts = [str(part) for part in words]
    between = str(separator)
    mark = _RIGHT_TO_LEFT if len(parts) > 1 and _RIGHT_TO_LEFT in between else ""
    return mark + between.join(parts)


def _attributes(words: object, around: str) -> Markup:
    return language_attributes(language_of(words), around)


def _own_direction(words: object, around: str) -> Markup:
    """Return a dir attribute for text in the surrounding language if its first letter differs.

    A bdi takes the direction of its first letter, and a label may begin with a code or a name. What
    people typed has no language.
    """
    if not isinstance(words, LazyString) and not language_of(words):
        return _NONE
    own = direction(around or language())
    is_own = _direction_of(str(words), "ltr") == own
    return _NONE if is_own else Markup(' dir="{}"').format(own)


def _direction_of(words: str, default: str) -> str:
    """Return the direction of a text's first letter."""
    classes = map(unicodedata.bidirectional, words)
    return next((_DIRECTION_OF[each] for each in classes if each in _DIRECTION_OF), default)


def file_size(size: int) -> str:
    """Return a number of bytes in words, such as 10 MB, which don't break across lines."""
    if size < _MEGABYTE:
        words = ngettext("%(num)s KB", "%(num)s KB", max(1, round(size / 1024)))
    else:
        words = ngettext("%(num)s MB", "%(num)s MB", round(size / _MEGABYTE))
    return str(words).replace(" ", _NO_BREAK_SPACE)


def time_zone_words() -> str:
    """Return whose time is shown: the country with the offset from UTC, or the zone's own name."""
    country = str(current_app.extensions["settings"].country)
    offset = clock.now().astimezone(clock.zone()).strftime("%z")
    hours = f"{offset[0]}{int(offset[1:3])}" + (f":{offset[3:5]}" if offset[3:5] != "00" else "")
    utc = "UTC" if hours in {"+0", "-0"} else f"UTC{hours}"
    place = country or clock.zone().key
    return utc if place == utc else f"{place} ({utc})"


def as_date(value: dt.date | None, length: Length = "long") -> str:
    """Return a date in words, such as 27 November 2026; a moment by its day in the NPM's zone."""
    if value is None:
        return ""
    date = _local(value).date() if isinstance(value, dt.datetime) else value
    return _in_words(date, length, str(get_locale() or "en"))


@lru_cache(maxsize=2048)
def _in_words(date: dt.date, length: Length, code: str) -> str:
    """Return a date in the words of a language, cached: long lists show the same few days."""
    locale = _dates_locale(code)
    if length == "short":
        return str(dates.format_skeleton(_DAY_AND_MONTH, date, locale=locale))
    pattern = _WITH_WEEKDAY.get(locale.language, length) if length == "full" else length
    return str(dates.format_date(date, format=pattern, locale=locale))


def as_time(value: dt.datetime | dt.time | None) -> str:
    """Return hours and minutes, such as 14:02, in the NPM's zone."""
    if value is None:
        return ""
    time = _local(value).timetz() if isinstance(value, dt.datetime) else value
    return time.strftime("%H:%M")


def as_datetime(value: dt.datetime | None, length: Length = "long") -> str:
    """Return a moment in words, such as 11 December 2026, 14:02, in the NPM's zone."""
    if value is None:
        return ""
    pattern = _dates_locale(str(get_locale() or "en")).datetime_formats["medium"]
    return str(pattern).replace("{1}", as_date(value, length)).replace("{0}", as_time(value))


def day(value: dt.date | None, length: Length = "long") -> Markup:
    """Return a date as a time element."""
    if value is None:
        return Markup("")
    date = _local(value).date() if isinstance(value, dt.datetime) else value
    return Markup('<time datetime="{}">{}</time>').format(date.isoformat(), as_date(date, length))


def moment(value: dt.datetime | None, length: Length = "long") -> Markup:
    """Return a moment as a time element."""
    if value is None:
        return Markup("")
    stamp = _local(value).isoformat(timespec="minutes")
    return Markup('<time datetime="{}">{}</time>').format(stamp, as_datetime(value, length))


def _local(value: dt.datetime) -> dt.datetime:
    if value.tzinfo is None:
        raise ValueError("a moment without a zone: it must come from the clock or the database")
    return value.astimezone(clock.zone())


def load_languages(app: Flask) -> None:
    """Load the texts and dates of all languages, as the first page in each would."""
    with app.test_request_context():
        for code in app.extensions["settings"].languages:
            with force_locale(code):
                get_domain().get_translations()
            _dates_locale(code).date_formats  # noqa: B018 -- loads what is known of the language


@cache
def _dates_locale(code: str) -> Locale:
    return Locale.parse(_DATES_OF.get(code, code))


def _own_name(code: str) -> str:
    locale = Locale.parse(code)
    name = str(locale.get_display_name(locale) or code)
    return name[0].upper() + name[1:]
