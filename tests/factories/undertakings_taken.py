"""A driver whose signature somebody takes, on paper or on a device, through the real services.

tomas is a signatory of the NPM, milan a manager and ilena a coordinator.
"""

from dataclasses import replace

import sqlalchemy as sa
from flask import Flask

from tests.factories import undertakings_on_paper as on_paper
from tests.factories.undertakings import Clearing
from tests.factories.undertakings_on_paper import DRIVER, NAME
from tracker.access.actor import Role
from tracker.accounts.models import Membership
from tracker.core import clock
from tracker.core.db import db
from tracker.core.localized import LocalizedStr
from tracker.mail.models import OutboxMessage
from tracker.undertakings import queries
from tracker.undertakings import service as undertakings
from tracker.undertakings.in_presence import service as in_presence

WAYS = ["on paper", "on their device"]
TAKER, OTHER = "tomas", "milan"
ANOTHER = "Another signatory or manager of the NPM"


def with_driver(app: Flask, clearing: Clearing) -> Clearing:
    """Reset to a cooperation whose driver was asked; the taker is a coordinator who also signs."""
    on_paper.with_driver(app, clearing)
    give_role(clearing, TAKER, Role.COORDINATOR)
    return clearing


def bring_in(clearing: Clearing) -> Clearing:
    """Add the driver to a cooperation; make the taker a coordinator who also signs for the NPM."""
    on_paper.bring_in(clearing)
    give_role(clearing, TAKER, Role.COORDINATOR)
    return clearing


def give_role(clearing: Clearing, key: str, role: Role) -> None:
    """Give a person a role in the NPM that has begun."""
    db.session.add(
        Membership(
            user_id=clearing.id(key),
            organisation_id=clearing.demo_people.bodies["npm"].id,
            role=role,
            starts_on=clock.today(),
            created_at=clock.now(),
            begun_at=clock.now(),
        )
    )
    db.session.commit()


def take_roles(clearing: Clearing, *keys: str) -> None:
    """End all roles by which people could act for the NPM."""
    user_ids = [clearing.id(key) for key in keys]
    db.session.execute(sa.delete(Membership).where(Membership.user_id.in_(user_ids)))
    db.session.commit()


def take(
    clearing: Clearing, way: str, interests: str = "", by: str = TAKER, confirmed_by: str = OTHER
) -> None:
    """Take the driver's signature; somebody else confirms a scan."""
    draft = on_paper.filled_in(clearing, interests)
    if way == "on paper":
        on_paper.record(clearing, by, draft=draft)
        on_paper.confirm(clearing, confirmed_by)
    else:
        undertaking = clearing.undertaking(DRIVER)
        host = clearing.actor(by)
        words = LocalizedStr(on_paper.OWN_WORDS, "en")
        seen = in_presence.token_of(host, undertaking)
        in_presence.save_draft(host, undertaking.id, replace(draft, is_ready=True), seen=seen)
        in_presence.sign(
            host,
            undertaking.id,
            page=undertakings.page_to_sign(queries.load(undertaking), words),
            name=NAME,
            known_by="Saw the identity card",
            sentence=words,
            identity=clearing.proof(by),
        )
    db.session.commit()


def address(clearing: Clearing, suffix: str = "") -> str:
    """Return the URL of the driver's undertaking for the NPM, or of a page below it."""
    reference, undertaking = clearing.cooperation.reference, clearing.undertaking(DRIVER)
    return f"/cooperations/{reference}/undertakings/{undertaking.id}{suffix}"


def mailed(kind: str) -> set[str]:
    """Return the recipients of mails of a kind."""
    wanted = sa.select(OutboxMessage.recipient).where(OutboxMessage.kind == kind)
    return set(db.session.scalars(wanted))
