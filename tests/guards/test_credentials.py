"""Credentials are written in few places, and each of these binds them to their person."""

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.guards.sources import nodes_of, package_modules
from tracker.core.paths import PACKAGE

SEALED = {
    "password",
    "tf_totp_secret",
    "tf_primary_method",
    "mf_recovery_codes",
    "fs_uniquifier",
    "credentials_seal",
    "address_seal",
    "passkeys_digest",
}
# service, second_factor and key_changes bind what they set; binding and adoption make the seals.
WRITERS = {
    "accounts/factors/adoption.py",
    "accounts/factors/binding.py",
    "accounts/factors/key_changes.py",
    "accounts/factors/second_factor.py",
    "accounts/people/service.py",
}


def writes(nodes: Iterable[ast.AST]) -> set[str]:
    """Return which sealed columns a module sets, in a row or in a statement."""
    return set(_assigned(nodes)) & SEALED


def _assigned(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Assign(targets=targets):
                yield from (target.attr for target in targets if isinstance(target, ast.Attribute))
            case ast.AugAssign(target=ast.Attribute(attr=name)):
                yield name
            case ast.Call(func=ast.Attribute(attr="values"), keywords=keywords):
                yield from (keyword.arg for keyword in keywords if keyword.arg)
            case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=str(name)), _]):
                yield name


def test_credentials_are_set_only_where_they_are_bound() -> None:
    places = {
        path.relative_to(PACKAGE).as_posix() for path in package_modules() if writes(nodes_of(path))
    }
    assert places == WRITERS


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("user.password = None", {"password"}),
        ("user.tf_totp_secret = user.tf_primary_method = None", {"tf_totp_secret"}),
        ("sa.update(User).values(fs_uniquifier='x')", {"fs_uniquifier"}),
        ("setattr(user, 'password', 'x')", {"password"}),
        ("user.name = 'x'", set()),
    ],
)
def test_the_guard_sees_each_way_of_setting(line: str, expected: set[str]) -> None:
    written = writes(ast.walk(ast.parse(line)))
    assert written >= expected
    assert bool(written) is bool(expected)
