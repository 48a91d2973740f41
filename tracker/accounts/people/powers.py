"""Service functions that confirm and accept signatory and manager roles.

Nobody can give themselves a power (product.md, section 2): somebody else gives such a role, and it
begins once another signatory or manager of the organisation has confirmed it. Where there is none,
an administrator confirms, and the person accepts with a proof of identity.
"""

import datetime as dt
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from tracker.access.actor import POWERS, Actor, Confirmation
from tracker.accounts import messages, policy, queries
from tracker.accounts.models import Membership, User
from tracker.accounts.policy import Holders, RoleFacts
from tracker.activity import service as trail
from tracker.activity.verbs import ROLE_ACCEPTED, ROLE_CONFIRMED, ROLE_ENDED
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.organisations.models import Organisation

REPLACED = "replaced"
_CHANGED = _l("The role was changed in the meantime. Read it again.")


def hold(user_id: UUID, organisation_id: UUID | None) -> User:
    """Lock and return a person, with their roles and the powers of an organisation.

    The lock lasts until the transaction ends: two holders can't end each other's role at the same
    moment, nor can one confirm with a power that is being ended. Each function that changes roles
    does this before it reads any, and in this order, so that there are no deadlocks.
    """
    user = queries.hold(user_id)
    if organisation_id is not None:
        db.session.execute(
            sa.select(Organisation.id)
            .where(Organisation.id == organisation_id)
            .with_for_update(key_share=True)
        )
    return user


def lock_role(membership_id: UUID) -> Membership:
    """Lock and return a role that has not ended, with its person and the organisation's powers.

    Raises RuleBrokenError if it has ended.
    """
    whose = sa.select(Membership.user_id, Membership.organisation_id)
    user_id, organisation_id = db.session.execute(whose.where(Membership.id == membership_id)).one()
    hold(user_id, organisation_id)
    membership = db.session.scalars(
        sa.select(Membership)
        .options(joinedload(Membership.user), joinedload(Membership.organisation))
        .where(Membership.id == membership_id)
        .with_for_update(of=Membership)
        .execution_options(populate_existing=True)
    ).one()
    if membership.ended_at is not None:
        raise RuleBrokenError(_l("This role has already ended."))
    return membership


def begin(actor: Actor | None, membership: Membership, *, confirms: bool = True) -> None:
    """Start a signatory or manager role that was just given, if it may begin.

    It may if the person who gave it could confirm it as well: another signatory or manager does so
    by giving it, and so does an administrator where there is none, but then the person has to
    accept. Otherwise, or if giving it didn't confirm it, it stays pending, and those who can
    confirm it get an email. The caller has called hold().
    """
    if membership.begun_at is not None:  # another role, which began when it was given
        return
    others = queries.holders_of_power(membership.organisation_id).without(membership.user_id)
    if confirms and policy.can_confirm(actor, facts_of(membership), others):
        _confirm(actor, membership, others)
    else:
        messages.power_waits(
            queries.contacts(others.open or queries.administrators()).values(), membership.user_id
        )


def confirm(actor: Actor | None, membership_id: UUID, *, digest: str | None = None) -> Membership:
    """Confirm a signatory or manager role; actor None is the command line.

    digest is that of the role and its person as the page showed them (shown_digest). Raises
    RefusedError, or RuleBrokenError if it has ended, the person may not have it, or it differs from
    what was shown.
    """
    membership = lock_role(membership_id)
    others = queries.holders_of_power(membership.organisation_id).without(membership.user_id)
    policy.can_confirm(actor, facts_of(membership), others).require()
    require_holdable(membership.user_id, membership)
    how = policy.confirmation_by(actor, facts_of(membership), others)
    if digest is not None and digest != shown_digest(membership.id, how):
        raise RuleBrokenError(_CHANGED)
    _confirm(actor, membership, others)
    return membership


def accept(actor: Actor, membership_id: UUID, *, digest: str, method: str) -> Membership:
    """Accept the actor's own role that an administrator confirmed, so that it begins.

    The caller has proved who accepts; digest is that of the role as its page showed it, method is
    the proof used. Raises RefusedError, or RuleBrokenError if it has ended or differs from what was
    shown.
    """
    membership = lock_role(membership_id)
    policy.can_accept(actor, facts_of(membership)).require()
    require_holdable(membership.user_id, membership)
    if digest != digest_of(membership):
        raise RuleBrokenError(_CHANGED)
    _start(membership)
    trail.record(
        ROLE_ACCEPTED,
        actor=actor,
        subject_type="user",
        subject_id=membership.user_id,
        evidence=digest,
        **named(membership),
        method=method,
    )
    _tell_of_change(actor, membership)
    return membership


def facts_of(membership: Membership) -> RoleFacts:
    """Return a role's plain values for the rules."""
    return RoleFacts(
        person=membership.user_id,
        organisation_id=membership.organisation_id,
        role=membership.role,
        has_begun=membership.begun_at is not None,
        confirmed_how=membership.confirmed_how,
    )


def content_of(membership: Membership) -> dict[str, Any]:
    """Return a role as the person accepts it, as plain values for its digest."""
    return {
        "id": str(membership.id),
        "user": str(membership.user_id),
        "organisation": str(membership.organisation_id or ""),
        "role": membership.role.value,
        "office": membership.office,
        "power": membership.power,
        "starts_on": _day(membership.starts_on),
        "ends_on": _day(membership.ends_on),
        "power_from": _day(membership.power_from),
        "power_until": _day(membership.power_until),
        "confirmed_by": membership.confirmed_by,
        "confirmed_how": membership.confirmed_how.value if membership.confirmed_how else "",
    }


def digest_of(membership: Membership) -> str:
    """Return the digest of a role as the person accepts it, which its event binds."""
    return canonical.digest_of(content_of(membership))


def shown_digest(membership_id: UUID, how: Confirmation) -> str:
    """Return the digest of what a page shows of a role to be confirmed: also whose it is, and how.

    The page and the act read it from the same rows.
    """
    membership, name, organisation = db.session.execute(
        sa.select(Membership, User.name, Organisation.name)
        .join(User, User.id == Membership.user_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.id == membership_id)
    ).one()
    shown = {"role": content_of(membership), "person": name, "organisation": organisation}
    return canonical.digest_of({**shown, "how": how.value})


def require_holdable(user_id: UUID, *new: Membership) -> None:
    """Refuse roles that one person may not combine with those they have, begun or not."""
    rows = db.session.execute(
        sa.select(Membership.organisation_id, Membership.role).where(
            Membership.user_id == user_id,
            Membership.ended_at.is_(None),
            sa.or_(Membership.ends_on.is_(None), Membership.ends_on >= clock.today()),
        )
    )
    holders = {(where, role) for where, role in rows}
    holders |= {(role.organisation_id, role.role) for role in new}
    decision = policy.can_hold(holders)
    if not decision:
        raise RuleBrokenError(decision.reason, "role")


def tell_of_end(actor: Actor | None, membership: Membership) -> None:
    """Tell the organisation's managers and signatories that such a role ended."""
    if membership.role in POWERS:
        _tell_of_change(actor, membership)


def named(membership: Membership) -> dict[str, Any]:
    """Return whose role it is and where, for the details of events."""
    where = db.session.get_one(Organisation, membership.organisation_id)
    return {
        "person": db.session.get_one(User, membership.user_id).name,
        "organisation": where.name,
        "organisation_id": str(where.id),
        "role": membership.role.value,
    }


def _confirm(actor: Actor | None, membership: Membership, others: Holders) -> None:
    how = policy.confirmation_by(actor, facts_of(membership), others)
    membership.confirmed_how = how
    membership.confirmed_by_id = actor.user_id if actor else None
    membership.confirmed_by = actor.name if actor else ""
    membership.confirmed_at = clock.now()
    if how is Confirmation.COLLEAGUE:
        _start(membership)
    db.session.flush()
    trail.record(
        ROLE_CONFIRMED,
        actor=actor,
        subject_type="user",
        subject_id=membership.user_id,
        **named(membership),
        how=how.value,
        since=_day(membership.starts_on),
        until=_day(membership.ends_on),
    )
    if how is Confirmation.COLLEAGUE:
        _tell_of_change(actor, membership)
    else:
        messages.power_to_accept(queries.contacts([membership.user_id]).values(), membership.id)


def _start(membership: Membership) -> None:
    """Start a role; it replaces the same role that the person has had until then.

    So a power is widened or extended by a new role that others confirm.
    """
    membership.starts_on = max(membership.starts_on, clock.today())
    membership.begun_at = clock.now()
    former = db.session.scalars(
        sa.select(Membership)
        .where(
            Membership.user_id == membership.user_id,
            Membership.organisation_id == membership.organisation_id,
            Membership.role == membership.role,
            Membership.id != membership.id,
            Membership.begun_at.is_not(None),
            Membership.ended_at.is_(None),
        )
        .with_for_update()
    ).all()
    if former and membership.power_from is not None:
        # The previous role continues until the new power begins.
        membership.starts_on = max(membership.starts_on, membership.power_from)
    for role in former:
        if membership.starts_on <= clock.today():
            role.ended_at = clock.now()
        else:
            day_before = membership.starts_on - dt.timedelta(days=1)
            role.ends_on = min(role.ends_on or day_before, day_before)
    db.session.flush()
    for role in former:
        if role.ended_at is not None:
            trail.record(
                ROLE_ENDED,
                actor=None,
                subject_type="user",
                subject_id=membership.user_id,
                **named(membership),
                last=False,
                reason=REPLACED,
            )


def _tell_of_change(actor: Actor | None, membership: Membership) -> None:
    person_ids = queries.holders_of_power(membership.organisation_id).open - {membership.user_id}
    person_ids -= {actor.user_id} if actor else set()
    messages.powers_changed(queries.contacts(person_ids).values())


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day else ""
