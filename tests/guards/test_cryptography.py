"""Which modules use cryptography or chance, connect to other machines, or build expressions."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.guards.sources import nodes_of, package_modules, text_of
from tests.guards.test_layers import MODULES, imports
from tracker.core.paths import PACKAGE

# Each module that uses cryptography itself, by the library. To move to another algorithm, begin
# with these (docs/asvs.md, 11.1.3).
USES = {
    "access/page_tokens.py": {"hashlib", "hmac", "itsdangerous"},
    "accounts/factors/attempts.py": {"hashlib", "hmac"},
    "accounts/factors/mailed_codes.py": {"hashlib", "hmac", "secrets"},
    "accounts/factors/passkeys.py": {"hashlib", "hmac", "secrets", "webauthn"},
    "accounts/factors/second_factor.py": {"hashlib", "hmac", "passlib"},
    "accounts/people/invitations.py": {"secrets"},
    "accounts/queries.py": {"hashlib"},
    "accounts/sign_in/passkeys.py": {"webauthn"},
    "activity/checked.py": {"hashlib", "hmac"},
    "activity/service.py": {"secrets"},
    "backup/encrypted_files.py": {"pyrage"},
    "backup/key_files.py": {"hashlib"},
    "backup/transfer.py": {"hashlib"},
    "checklist_templates/risky_phrases.py": {"hmac", "secrets"},
    "checklists/editing.py": {"itsdangerous"},
    "core/canonical.py": {"hashlib"},
    "core/crypto.py": {"cryptography", "hashlib", "hmac", "secrets"},
    "core/csrf.py": {"secrets"},
    "core/keys.py": {"hashlib", "hmac", "secrets"},
    "core/logs.py": {"secrets"},
    "core/security.py": {"hashlib", "itsdangerous"},
    "demo/people.py": {"secrets"},
    "evidence/bundles/verify.py": {"cryptography"},
    "evidence/certificates/pades.py": {
        "asn1crypto",
        "cryptography",
        "pyhanko",
        "pyhanko_certvalidator",
    },
    "evidence/certificates/pdf.py": {"cryptography"},
    "evidence/certificates/remote.py": {"asn1crypto", "pyhanko", "pyhanko_certvalidator"},
    "evidence/keys/signing_keys.py": {"cryptography"},
    "evidence/log/checkpoints.py": {"cryptography"},
    "evidence/log/merkle.py": {"hashlib"},
    "evidence/log/notes.py": {"cryptography"},
    "getting_started/service.py": {"itsdangerous"},
    "guidance/library.py": {"hashlib"},
    "mail/transport.py": {"ssl"},
    "oversight/export.py": {"hashlib"},
    "signoff/assertion.py": {"cryptography", "hashlib", "webauthn"},
    "signoff/identity_proof.py": {"secrets"},
    "ui/assets.py": {"hashlib"},
    "ui/compression.py": {"secrets"},
    "visits/encryption.py": {"hashlib", "hmac"},
}
LIBRARIES = {
    "argon2",
    "asn1crypto",
    "cryptography",
    "hashlib",
    "hmac",
    "itsdangerous",
    "passlib",
    "pyhanko",
    "pyhanko_certvalidator",
    "pyrage",
    "secrets",
    "ssl",
    "webauthn",
}
CONNECTING = {"evidence/certificates/remote.py", "mail/transport.py"}
# What opens a connection; "socket" alone also listens.
CLIENTS = {"aiohttp", "ftplib", "httpx", "requests", "smtplib", "telnetlib", "urllib3"}
# These listen, but for the first three, which connect and cut their own connections.
WITH_SOCKETS = {
    "core/deadlines.py",
    "evidence/certificates/remote.py",
    "mail/transport.py",
    "worker/cli.py",
    "worker/web_server.py",
}
# Turns the verification of a server off, or makes a context without it.
UNVERIFIED = re.compile(
    r"CERT_NONE|_create_unverified|check_hostname\s*=\s*False|SSLContext\(|verify\s*=\s*False"
)
MADE_OF_CONSTANTS = {"evidence/keys/signing_keys.py"}


def test_each_module_that_uses_cryptography_is_known() -> None:
    using: dict[str, set[str]] = {}
    for module in MODULES:
        if libraries := LIBRARIES & {name.split(".")[0] for name in imports(module)}:
            using[module] = libraries
    assert using == USES


def test_what_is_encrypted_is_encrypted_by_one_module_and_authenticated() -> None:
    ciphers = {
        (module, name)
        for module in MODULES
        for name in imports(module)
        if name.startswith("cryptography.hazmat.primitives.ciphers.")
    }
    assert ciphers == {
        ("core/crypto.py", "cryptography.hazmat.primitives.ciphers.aead"),
        ("core/crypto.py", "cryptography.hazmat.primitives.ciphers.aead.AESGCM"),
    }


def test_nothing_unguessable_comes_from_a_predictable_generator() -> None:
    predictable = {"random", "numpy"}
    using = {m for m in MODULES if predictable & {name.split(".")[0] for name in imports(m)}}
    assert {module for module in using if not module.startswith("demo/")} == set()
    assert [str(path) for path in package_modules() if "uuid1" in text_of(path)] == []


def test_two_modules_connect_to_other_machines_and_verify_who_answers() -> None:
    clients = {
        module
        for module in MODULES
        for name in imports(module)
        if name.split(".")[0] in CLIENTS or name.startswith(("urllib.request", "http.client"))
    }
    assert clients == CONNECTING
    assert {module for module in MODULES if "socket" in set(imports(module))} == WITH_SOCKETS
    assert [str(path) for path in package_modules() if UNVERIFIED.search(text_of(path))] == []


def test_no_expression_is_built_from_text_that_is_not_escaped() -> None:
    offending = {
        module
        for module in MODULES
        for node in nodes_of(PACKAGE / module)
        if isinstance(node, ast.Call) and _is_built_of_more_than_constants(node)
    }
    assert offending == MADE_OF_CONSTANTS


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("re.compile(rf'a{re.escape(name)}')", False),
        ("re.compile(rf'a{LENGTH - 1}')", False),
        ("re.compile(rf'a{name}')", True),
        ("re.search('a' + name, text)", True),
        ("re.sub(pattern, '', text)", True),
        ("re.sub(PATTERN, '', text)", False),
        ("re.sub(r'[ab]', name, text)", False),
    ],
)
def test_each_way_to_build_one_is_seen(code: str, expected: bool) -> None:
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    assert _is_built_of_more_than_constants(call) is expected


def _is_built_of_more_than_constants(call: ast.Call) -> bool:
    function = call.func
    if not (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
        and function.attr != "escape"
        and call.args
    ):
        return False
    return any(True for _name in _unescaped(call.args[0]))


def _unescaped(node: ast.AST) -> Iterator[str]:
    """Yield the names in an expression that are no constants and aren't escaped."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.escape":
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not node.id.isupper():
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _unescaped(child)
