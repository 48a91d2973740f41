"""The domain imports nothing of the web, and pure modules read no database and no clock.

For every module that exists: a new one need not be listed anywhere.
"""

import ast
from collections.abc import Iterator

import pytest

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
    "worker/metrics.py": "its thread opens a context of the application",
    "worker/storage.py": "the data directory, from the settings",
    "worker/schema.py": "the database is migrated by an extension",
}
NOT_PURE = {"flask_sqlalchemy", "sqlalchemy", "time", "tracker.core.clock", "tracker.core.db"}
# Rules may use a model class as a type; they receive its rows.
PURE_NAMES = {"policy", "rules"}
MODULES = [
    str(path.relative_to(PACKAGE))
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__init__.py"
]


def imports(module: str) -> Iterator[str]:
    """Yield the modules that a module imports, and the names it imports from them."""
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parsed(module: str) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text())


def belongs_to_the_web(module: str) -> bool:
    parts = module.removesuffix(".py").split("/")
    return parts[0] in WEB_PARTS or not WEB_NAMES.isdisjoint(parts)


def is_pure(module: str) -> bool:
    first = (ast.get_docstring(parsed(module)) or "").splitlines()[0]
    return first.endswith("Pure.")


@pytest.mark.parametrize("module", [module for module in MODULES if not belongs_to_the_web(module)])
def test_the_domain_imports_nothing_of_the_web(module: str) -> None:
    used = sorted(WEB & {imported.split(".")[0] for imported in imports(module)})
    assert not used or module in MAY


def test_each_exception_is_one() -> None:
    needed = {
        module
        for module in MODULES
        if not belongs_to_the_web(module)
        and WEB & {imported.split(".")[0] for imported in imports(module)}
    }
    assert needed == set(MAY)


@pytest.mark.parametrize("module", [module for module in MODULES if is_pure(module)])
def test_pure_modules_read_no_database_and_no_clock(module: str) -> None:
    used = set(imports(module))
    assert not {
        imported for imported in used if imported in NOT_PURE or imported.split(".")[0] in NOT_PURE
    }
    assert not {imported for imported in used if imported.endswith((".queries", ".service"))}


def test_every_policy_and_every_rule_is_pure() -> None:
    rules = [
        module for module in MODULES if PURE_NAMES & set(module.removesuffix(".py").split("/"))
    ]
    assert len(rules) > 15
    assert [module for module in rules if not is_pure(module)] == []
