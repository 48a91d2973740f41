"""The domain imports nothing of the web, and pure modules read no database and no clock.

For every module that exists: a new one need not be listed anywhere.
"""

import ast
from collections.abc import Iterator

from tests.guards.sources import nodes_of, outline_of, package_modules
from tracker.core.paths import PACKAGE

WEB = {"flask", "flask_login", "flask_security", "flask_wtf", "jinja2", "werkzeug", "wtforms"}
# Modules and folders with these names belong to the web: views, and what they show.
WEB_NAMES = {
    "cli",
    "cooperation_page",
    "editing",
    "forms",
    "my_work",
    "pages",
    "part_pages",
    "routes",
    "wording",
}
# Packages that are the web, or build the application.
WEB_PARTS = {"access", "app", "commands", "core", "ui"}
MAY = {
    "accounts/factors/passkeys.py": "the address of the instance, from its settings",
    "accounts/factors/passwords.py": "the library's hashing",
    "accounts/factors/second_factor.py": "the library's codes",
    "accounts/models.py": "the sign-in machinery's user is ours",
    "accounts/sign_in/passkeys.py": "the sign-in machinery",
    "accounts/sign_in/sessions.py": "a session is the web's",
    "accounts/sign_in/setup.py": "the sign-in machinery",
    "evidence/certificates/contents.py": "what happened is told by the templates of the history",
    "mail/render.py": "mails are templates",
    "mail/sending.py": "the sender, from the settings",
    "worker/preloading.py": "it loads the application for the web server",
    "worker/metrics.py": "its thread opens a context of the application",
    "worker/storage.py": "the data directory, from the settings",
    "worker/schema.py": "the database is migrated by an extension",
}
NOT_PURE = {"flask_sqlalchemy", "sqlalchemy", "time", "tracker.core.clock", "tracker.core.db"}
# Rules may use a model class as a type; they receive its rows.
PURE_NAMES = {"policy", "rules"}
MODULES = [
    str(path.relative_to(PACKAGE)) for path in package_modules() if path.name != "__init__.py"
]


def imports(module: str) -> Iterator[str]:
    """Yield the modules that a module imports, and the names it imports from them."""
    for node in nodes_of(PACKAGE / module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def belongs_to_the_web(module: str) -> bool:
    parts = module.removesuffix(".py").split("/")
    return parts[0] in WEB_PARTS or not WEB_NAMES.isdisjoint(parts)


def is_pure(module: str) -> bool:
    first = outline_of(PACKAGE / module).docstring.splitlines()[0]
    return first.endswith("Pure.")


def test_the_domain_imports_nothing_of_the_web_but_for_the_exceptions() -> None:
    using = {
        module
        for module in MODULES
        if not belongs_to_the_web(module)
        and WEB & {imported.split(".")[0] for imported in imports(module)}
    }
    assert using == set(MAY)


def test_pure_modules_read_no_database_and_no_clock() -> None:
    pure = [module for module in MODULES if is_pure(module)]
    assert len(pure) > 50
    reading = {
        f"{module}: {imported}"
        for module in pure
        for imported in imports(module)
        if imported in NOT_PURE
        or imported.split(".")[0] in NOT_PURE
        or imported.endswith((".queries", ".service"))
    }
    assert reading == set()


def test_every_policy_and_every_rule_is_pure() -> None:
    rules = [
        module for module in MODULES if PURE_NAMES & set(module.removesuffix(".py").split("/"))
    ]
    assert len(rules) > 15
    assert [module for module in rules if not is_pure(module)] == []
