"""Telephone numbers that people give in their own account, each encrypted for its person."""

import re
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.accounts.models import TelephoneNumber
from tracker.core import crypto
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError

PATTERN = re.compile(r"[+(0-9][+() 0-9]{4,29}")


def number_context(user_id: UUID) -> str:
    """Return what a number is encrypted for: its person, so that it is nobody else's."""
    return f"telephone number of {user_id}"


def numbers_of(user_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Return the numbers of people who have given one, in one query.

    For people whom the reader sees where the number is used; their account's page shows only its
    owner's.
    """
    if not user_ids:
        return {}
    rows = db.session.scalars(
        sa.select(TelephoneNumber).where(TelephoneNumber.user_id.in_(user_ids))
    )
    numbers = {row.user_id: _unsealed(row) for row in rows}
    return {user_id: number for user_id, number in numbers.items() if number}


def own(actor: Actor) -> str:
    """Return the actor's own number; empty if they gave none."""
    return numbers_of([actor.user_id]).get(actor.user_id, "")


def change(actor: Actor, number: str) -> None:
    """Store the actor's own number, or delete it if it is empty.

    No event: nothing rests on it (docs/adr/0107). Raise RuleBrokenError if nobody can dial it.
    """
    row = db.session.get(TelephoneNumber, actor.user_id)
    before = _unsealed(row) if row else ""
    if number == before and (number or row is None):
        return
    if not number:
        erase(actor.user_id)
        return
    if not PATTERN.fullmatch(number):
        raise RuleBrokenError(
            _l("Use 5 to 30 characters: digits, spaces, + and brackets, as in +356 2122 0000"),
            "telephone",
        )
    sealed = crypto.seal_field(number.encode(), number_context(actor.user_id))
    if row is None:
        db.session.add(TelephoneNumber(user_id=actor.user_id, sealed_number=sealed))
    else:
        row.sealed_number = sealed
    db.session.flush()


def keep(actor: Actor, numbers: Sequence[str]) -> None:
    """Store what a form elsewhere gives as the actor's own number, unless it is the stored one.

    Raise RuleBrokenError if it is no number that an account can have.
    """
    before = own(actor)
    new = next((number for number in numbers if number != before), before)
    if new == before:
        return
    if not PATTERN.fullmatch(new):
        raise RuleBrokenError(
            _l(
                "Your account takes a telephone number of 5 to 30 characters: digits, spaces, + "
                "and brackets"
            ),
            "own_telephone",
        )
    change(actor, new)


def erase(user_id: UUID) -> None:
    """Delete somebody's number."""
    db.session.execute(sa.delete(TelephoneNumber).where(TelephoneNumber.user_id == user_id))


def _unsealed(row: TelephoneNumber) -> str:
    """Return the number of a row; empty if it was written outside the application."""
    try:
        return crypto.unseal_field(row.sealed_number, number_context(row.user_id)).decode()
    except crypto.SealBrokenError:
        return ""
