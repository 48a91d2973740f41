"""Accounts whose credentials are refused, as the worker finds and records them.

The worker goes through all accounts in batches, over and over, so that the health page needs only
one short query.
"""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from tracker.accounts.factors import binding
from tracker.accounts.models import RefusedAccount, User
from tracker.core import clock
from tracker.core.db import db


def check_some(after: UUID | None = None, portion: int = binding.PORTION) -> UUID | None:
    """Check the next accounts, record those that are refused, and return the last id checked.

    None starts again after the last one. Takes a constant number of queries per batch.
    """
    judged = binding.judge_next(after, portion)
    ids = [account.user_id for account in judged]
    noted = set(
        db.session.scalars(sa.select(RefusedAccount.user_id).where(RefusedAccount.user_id.in_(ids)))
    )
    refused = {account.user_id for account in judged if account.fault is not None}
    _forget(noted - refused)
    _note(refused - noted)
    return ids[-1] if len(ids) == portion else None


def is_any() -> bool:
    """Return whether the worker has found an account that is refused."""
    return bool(db.session.scalar(sa.select(sa.exists().where(RefusedAccount.user_id == User.id))))


def count() -> int:
    """Return how many accounts the worker has found to be refused."""
    wanted = sa.select(sa.func.count()).join(User, RefusedAccount.user_id == User.id)
    return db.session.scalar(wanted.select_from(RefusedAccount)) or 0


def _forget(settled: Collection[UUID]) -> None:
    if settled:
        db.session.execute(sa.delete(RefusedAccount).where(RefusedAccount.user_id.in_(settled)))


def _note(suspects: Collection[UUID]) -> None:
    """Lock accounts that seem to be refused, check them again, and record those that are.

    A person may have changed a password or a passkey while the row, its passkeys and its event were
    being read. Whoever changes them locks the row too, so now the state is consistent.
    """
    if not suspects:
        return
    wanted = sa.select(User).where(User.id.in_(suspects)).order_by(User.id)
    db.session.execute(wanted.with_only_columns(User.id).with_for_update(of=User)).all()
    db.session.add_all(
        RefusedAccount(user_id=account.user_id, noticed_at=clock.now())
        for account in binding.judge(wanted)
        if account.fault is not None
    )
    db.session.flush()
