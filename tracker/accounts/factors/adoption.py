"""One-off binding of accounts created before credentials were bound to people."""

from dataclasses import dataclass

import sqlalchemy as sa

from tracker.accounts.factors import binding, seals
from tracker.accounts.factors.binding import Change
from tracker.accounts.factors.seals import Credentials
from tracker.accounts.models import Passkey, User
from tracker.activity import queries as activity
from tracker.activity import service as trail
from tracker.activity.verbs import CREDENTIALS_ADOPTED, CREDENTIALS_BOUND
from tracker.core.db import db


class AlteredTrailError(Exception):
    """Raised when the instance's chain was altered, so it can't prove what was adopted before."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """The number of accounts and passkeys that were bound as they were."""

    accounts: int
    passkeys: int


def adopt() -> Adopted | None:
    """Bind all accounts that were never bound, as they are; return None if this was done before.

    It happens once in the life of an instance. An event in its chain records it, and the chain is
    verified from its beginning first, so that the event can't be removed to repeat it. Later a row
    without a seal is refused, unless it is exactly what its last event binds (a migration dropped
    the columns of the seals and added them again). Raises AlteredTrailError. The caller commits.
    """
    # Lock people before the chain, the order in which everything that changes credentials does.
    unsealed = _unsealed()
    chain = trail.lock_chain(None)
    unknown = [user for user in unsealed if not _seal_as_bound(user)]
    if activity.has_happened(CREDENTIALS_ADOPTED):
        return None
    fault = activity.fault_of_instance()
    if fault is not None:
        raise AlteredTrailError(fault.value)
    for user in unknown:
        binding.bind_new(None, user, Change.ADOPTED)
    adopted = Adopted(len(unknown), _count_passkeys(unknown))
    trail.record(
        CREDENTIALS_ADOPTED,
        actor=None,
        subject_type="instance",
        subject_id=chain.id,
        accounts=adopted.accounts,
        passkeys=adopted.passkeys,
    )
    return adopted


def _unsealed() -> list[User]:
    """Lock and return the accounts without a seal."""
    return list(
        db.session.scalars(
            sa.select(User)
            .where(User.credentials_seal.is_(None))
            .order_by(User.created_at, User.id)
            .with_for_update(of=User)
            .execution_options(populate_existing=True)
        )
    )


def _seal_as_bound(user: User) -> bool:
    """Seal a row if it is what its last event binds; return whether it is."""
    bound = activity.last_evidence(CREDENTIALS_BOUND, "user", user.id)
    user.passkeys_digest = binding.passkeys_digest(user.id)
    seal = Credentials.of(user).seal()
    if bound != seals.evidence_of(seal):
        user.passkeys_digest = None
        return False
    user.credentials_seal = seal
    user.address_seal = seals.address_seal(user.id, user.email)
    return True


def _count_passkeys(users: list[User]) -> int:
    ids = {user.id for user in users}
    return sum(holder_id in ids for holder_id in db.session.scalars(sa.select(Passkey.user_id)))
