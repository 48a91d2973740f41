"""The service function by which one body replaces another in its cooperations (N13)."""

import datetime as dt
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.accounts import queries as accounts
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.cooperations import people, service
from tracker.cooperations.models import Cooperation, Party
from tracker.cooperations.scope import is_party_or_joining
from tracker.cooperations.succession import messages as succession_messages
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.organisations import queries
from tracker.organisations.models import Organisation, Succession
from tracker.organisations.policy import can_replace

MAX_SOURCE = 2000
PARTIES = (OrganisationKind.NPM, OrganisationKind.CSO)


def replace(
    actor: Actor, former_id: UUID, successor_id: UUID, *, since: dt.date, source: str
) -> Succession:
    """Record that another body replaced an organisation, in all its cooperations immediately.

    From today the successor is a party in each of its cooperations, also to what is in force;
    signatures stay as they were given. The people of the old body lose access; their undertakings
    don't pass to anybody (S11). For administrators with no role in either body; raise RefusedError
    for others, and RuleBrokenError with the field that is invalid.
    """
    own = accounts.organisations_of(actor.user_id)
    can_replace(actor, own, former_id, successor_id).require()
    former, successor = _bodies(former_id, successor_id)
    words = source.strip()
    if since > clock.today():
        raise RuleBrokenError(
            _l("Record it once it has happened: the day is in the future."), "since"
        )
    if not words:
        raise RuleBrokenError(_l("Name the act by which it was replaced."), "source")
    row = Succession(
        id=uuid4(),
        former_id=former.id,
        former_name=former.name,
        successor_id=successor.id,
        successor_name=successor.name,
        since=since,
        source=words[:MAX_SOURCE],
        recorded_at=clock.now(),
        recorded_by_id=actor.user_id,
    )
    row.digest = canonical.digest_of(row.content())
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError as error:
        raise RuleBrokenError(_l("This body has already been replaced."), "successor") from error
    record(
        verbs.ORGANISATION_REPLACED,
        actor=actor,
        subject_type="organisation",
        subject_id=former.id,
        evidence=row.digest,
        former=former.name,
        successor=successor.name,
        since=since.isoformat(),
        source=row.source,
    )
    for cooperation in cooperations_of(former.id):
        _take_over(actor, cooperation, row, successor)
    return row


def cooperations_of(organisation_id: UUID) -> list[Cooperation]:
    """Return the cooperations an organisation is a party of today, only for this function."""
    return list(
        db.session.scalars(
            sa.select(Cooperation)
            .where(is_party_or_joining(organisation_id, clock.today()))
            .order_by(Cooperation.reference)
            .options(selectinload(Cooperation.parties))
            .with_for_update(of=Cooperation)
        )
    )


def _bodies(former_id: UUID, successor_id: UUID) -> tuple[Organisation, Organisation]:
    """Lock and return both bodies."""
    organisations = {
        organisation.id: organisation
        for organisation in db.session.scalars(
            sa.select(Organisation)
            .where(Organisation.id.in_([former_id, successor_id]))
            .order_by(Organisation.id)
            .with_for_update()
        )
    }
    former, successor = organisations[former_id], organisations.get(successor_id)
    if (
        successor is None
        or successor is former
        or successor.kind is not former.kind
        or former.kind not in PARTIES
        or queries.replaced_by(successor.id) is not None
    ):
        raise RuleBrokenError(
            _l("Choose another body of the same kind that hasn't been replaced itself."),
            "successor",
        )
    if queries.replaced_by(former.id) is not None:
        raise RuleBrokenError(_l("This body has already been replaced."), "successor")
    return former, successor


def _take_over(
    actor: Actor, cooperation: Cooperation, row: Succession, successor: Organisation
) -> None:
    today = clock.today()
    by_id = {party.organisation_id: party for party in cooperation.parties}
    former, party = by_id[row.former_id], by_id.get(successor.id)
    is_joining = former.is_joining
    # It is replaced, so its notice to leave is void.
    former.stay()
    former.left_on = today - dt.timedelta(days=1)
    former.replaced_by_id, former.replaced_on = successor.id, row.since
    if party is None:
        party = Party(
            cooperation_id=cooperation.id,
            organisation_id=successor.id,
            side=former.side,
            position=former.position,
            joined_on=today,
        )
        db.session.add(party)
        _take_over_joining(former, party, is_joining=is_joining)
    elif party.left_on is not None and party.left_on < today:
        party.joined_on = today
        party.stay()
        _take_over_joining(former, party, is_joining=is_joining)
    elif party.is_joining and not is_joining:
        # It takes over the agreement that the former body signed, so it need not join any more. If
        # it had left before, that no longer counts.
        party.stay()
        _take_over_joining(former, party, is_joining=False)
    db.session.flush()
    db.session.expire(cooperation, ["parties"])
    service.end_people(actor, cooperation.id, row.former_id)
    record(
        verbs.PARTY_REPLACED,
        actor=actor,
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        former=row.former_name,
        former_id=str(row.former_id),
        successor=row.successor_name,
        successor_id=str(row.successor_id),
        since=row.since.isoformat(),
        source=row.source,
    )
    person_ids = accounts.people_with_role(
        [party.organisation_id for party in people.current(cooperation.id)], [Role.COORDINATOR]
    )
    succession_messages.party_was_replaced(cooperation.reference, person_ids)


def _take_over_joining(former: Party, party: Party, *, is_joining: bool) -> None:
    """Let the successor of a party that is joining join in its place; it signs for itself.

    That of one that joined later needn't sign what was planned before either, and reads no more of
    what people declared (adr 78).
    """
    party.invited_at = former.invited_at if is_joining else None
    party.invited_by_id = former.invited_by_id if is_joining else None
    party.invite_reason = former.invite_reason if is_joining else None
    party.joins_confidentiality = is_joining and former.joins_confidentiality
    party.joined_at = None if is_joining else former.joined_at
    invited_at = former.invited_at or former.predecessor_invited_at
    party.predecessor_invited_at = None if is_joining else invited_at
