"""Names of browsers and their systems, derived from the user agent string."""

from functools import lru_cache

from flask_babel import gettext as _
from ua_parser import Parser
from ua_parser.basic import Resolver
from ua_parser.loaders import load_lazy_builtins


def words(user_agent: str) -> str:
    """Return a browser and its system, such as "Firefox on Windows", as far as they are known."""
    parser = _parser()
    browser, system = parser.parse_user_agent(user_agent), parser.parse_os(user_agent)
    if browser is None:
        return str(_("Unknown browser"))
    if system is None:
        return browser.family
    return str(_("%(browser)s on %(system)s", browser=browser.family, system=system.family))


@lru_cache(maxsize=1)
def _parser() -> Parser:
    """Return the parser, whose patterns are compiled when they are first tried."""
    return Parser(Resolver(load_lazy_builtins()))
