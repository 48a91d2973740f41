"""The keys under which attempts are counted."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from tests.services import alone
from tracker.accounts.factors import attempts
from tracker.core import keys


@pytest.fixture(autouse=True)
def some_keys() -> Iterator[None]:
    some = keys.Keys(secret=b"s" * 32, fields=b"f" * 32, trail=b"t" * 32, totp=b"o" * 32)
    with alone(keys.KEYS.holding(some)):
        yield


def test_an_address_counts_once_however_it_is_typed() -> None:
    assert attempts.account(" A@b.example ").key == attempts.account("a@B.example").key


def test_kinds_of_attempts_are_counted_apart() -> None:
    counters = [
        attempts.account("a@b.example"),
        attempts.reset_account("a@b.example"),
        attempts.client("10.0.0.1"),
        attempts.reset_client("10.0.0.1"),
        attempts.passkey_client("10.0.0.1"),
        attempts.proof(UUID(int=1)),
        attempts.proof(UUID(int=2)),
    ]
    assert len({counter.key for counter in counters}) == len(counters)


@pytest.mark.parametrize(
    ("first", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        (None, "nonsense", True),
    ],
)
def test_a_client_is_an_address_or_a_network_of_ipv6(
    first: str | None, other: str, same: bool
) -> None:
    assert (attempts.client(first).key == attempts.client(other).key) is same


def test_the_key_depends_on_the_instances_secret() -> None:
    before = attempts.account("a@b.example").key
    others = keys.Keys(secret=b"x" * 32, fields=b"f" * 32, trail=b"t" * 32, totp=b"o" * 32)
    with alone(keys.KEYS.holding(others)):
        assert attempts.account("a@b.example").key != before
