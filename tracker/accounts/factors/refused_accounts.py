"""Accounts whose credentials are refused, as the worker finds and records them.

The worker goes through all accounts in portions, again and again, so that a page that only asks
whether all is well needs one short statement.
"""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from tracker.accounts.factors import binding
from tracker.accounts.models import RefusedAccount, User
from tracker.core import clock
from tracker.core.db import db


def check_some(after: UUID | None = None, portion: int = binding.PORTION) -> UUID | None:
    """Judge the accounts that come next, note those that are refused, and return where it stopped.

    None begins again after the last. In a constant number of statements for a portion.
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
    """Tell whether the worker found an account that is refused."""
    return bool(db.session.scalar(sa.select(sa.exists().where(RefusedAccount.user_id == User.id))))


def _forget(settled: Collection[UUID]) -> None:
    if settled:
        db.session.execute(sa.delete(RefusedAccount).where(RefusedAccount.user_id.in_(settled)))


def _note(suspects: Collection[UUID]) -> None:
    """Hold accounts that seem to be refused, judge them again, and note those that are.

    A person may have changed a password or a passkey while the row, its passkeys and its event were
    read. Who changes them holds the row too, so now it is as it is.
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
