"""Flask extensions that belong to no feature: CSRF protection, Babel."""

from functools import cached_property

from babel import Locale
from babel.support import NullTranslations
from flask_babel import Babel, Domain, get_locale

from tracker.core.csrf import MaskedCSRFProtect

LocaleParts = tuple[str | None, ...]


def locale_parts(locale: Locale | None) -> LocaleParts:
    """Return a key that identifies a locale and compares faster than the locale itself."""
    if locale is None:
        return ()
    return locale.language, locale.script, locale.territory, locale.variant


class _Catalogues(Domain):  # type: ignore[misc] # the library has no types
    """The catalogues by locale.

    The library looks them up by a name that it builds from the locale for each text: on a page with
    hundreds of texts that takes a tenth of the time.
    """

    def __init__(self, domain: str) -> None:
        super().__init__(domain=domain)
        self._by_locale: dict[LocaleParts, NullTranslations] = {}

    def get_translations(self) -> NullTranslations:
        """Return the catalogue of the current locale."""
        parts = locale_parts(get_locale())
        if parts not in self._by_locale:
            self._by_locale[parts] = super().get_translations()
        return self._by_locale[parts]


class _Babel(Babel):  # type: ignore[misc] # the library has no types
    """Babel with catalogues that can be looked up quickly."""

    @cached_property
    def domain_instance(self) -> Domain:
        """The catalogues of the application's texts."""
        return _Catalogues(self.domain)


csrf = MaskedCSRFProtect()
babel = _Babel()
