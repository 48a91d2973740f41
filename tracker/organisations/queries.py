"""Queries for organisations."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.core.db import db
from tracker.core.names import look
from tracker.organisations import page_parts
from tracker.organisations.models import Organisation, Succession


@dataclass(frozen=True, slots=True)
class OrganisationLine:
    """An organisation as listed and chosen."""

    id: UUID
    name: str
    kind: OrganisationKind
    mark: str
    country: str = ""


_LINE = (
    Organisation.id,
    Organisation.name,
    Organisation.kind,
    Organisation.mark,
    Organisation.country,
)


def page(
    actor: Actor,
    *,
    words: str = "",
    kind: OrganisationKind | None = None,
    nobody_acts: bool = False,
    offset: int = 0,
    limit: int = 25,
) -> tuple[int, list[OrganisationLine]]:
    """Return the number of organisations the person may see, and one page of them by name.

    With nobody_acts, only those for which nobody can act.
    """
    wanted = sa.and_(_seen_by(actor), _matching(words, kind))
    if nobody_acts:
        wanted = sa.and_(wanted, page_parts.WITHOUT_COORDINATOR.get()())
    total = db.session.scalar(sa.select(sa.func.count()).select_from(Organisation).where(wanted))
    rows = db.session.execute(
        sa.select(*_LINE).where(wanted).order_by(Organisation.name).offset(offset).limit(limit)
    )
    return total or 0, [OrganisationLine(*row) for row in rows]


def counts(actor: Actor, words: str = "") -> dict[OrganisationKind, int]:
    """Return how many of each kind match a search."""
    rows = db.session.execute(
        sa.select(Organisation.kind, sa.func.count())
        .where(_seen_by(actor), _matching(words, None))
        .group_by(Organisation.kind)
    )
    return dict(rows.all())


def count_without_coordinator(actor: Actor, words: str = "") -> int:
    """Return for how many organisations that match a search nobody can act."""
    wanted = (_seen_by(actor), _matching(words, None), page_parts.WITHOUT_COORDINATOR.get()())
    total = db.session.scalar(sa.select(sa.func.count()).select_from(Organisation).where(*wanted))
    return total or 0


def find_shown(actor: Actor, organisation_id: UUID) -> Organisation | None:
    """Return an organisation whose page the person may see: as find(), and their partners."""
    return db.session.scalar(
        sa.select(Organisation).where(Organisation.id == organisation_id, _shown_to(actor))
    )


def shown_among(actor: Actor, organisation_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return those of some organisations whose pages the person may see, in one query."""
    wanted = sa.select(Organisation.id).where(
        Organisation.id.in_(organisation_ids), _shown_to(actor)
    )
    return frozenset(db.session.scalars(wanted)) if organisation_ids else frozenset()


def find(actor: Actor, organisation_id: UUID) -> Organisation | None:
    """Return an organisation the person may see: administrators all, others their own."""
    return db.session.scalar(
        sa.select(Organisation).where(Organisation.id == organisation_id, _seen_by(actor))
    )


def choices(actor: Actor) -> list[OrganisationLine]:
    """Return all organisations to choose from, by name, for administrators."""
    rows = db.session.execute(sa.select(*_LINE).where(_seen_by(actor)).order_by(Organisation.name))
    return [OrganisationLine(*row) for row in rows]


def possible_parties(actor: Actor) -> list[OrganisationLine]:
    """Return the NPM bodies and CSOs that a cooperation may be opened with, by name.

    For coordinators and managers of an NPM, who open cooperations and add parties.
    """
    if not (actor.acts_for_npm and actor.has(Role.COORDINATOR, Role.MANAGER)):
        return []
    rows = db.session.execute(
        sa.select(*_LINE)
        .where(
            Organisation.kind.in_([OrganisationKind.NPM, OrganisationKind.CSO]),
            ~sa.exists().where(Succession.former_id == Organisation.id),
        )
        .order_by(Organisation.name)
    )
    return [OrganisationLine(*row) for row in rows]


def successors(actor: Actor, former: Organisation) -> list[OrganisationLine]:
    """Return the bodies that could replace an organisation, by name, for administrators."""
    rows = db.session.execute(
        sa.select(*_LINE)
        .where(
            _seen_by(actor),
            Organisation.kind == former.kind,
            Organisation.id != former.id,
            ~sa.exists().where(Succession.former_id == Organisation.id),
        )
        .order_by(Organisation.name)
    )
    return [OrganisationLine(*row) for row in rows]


def replaced_by(organisation_id: UUID) -> Succession | None:
    """Return the body that replaced an organisation; the caller found the latter in scope."""
    return db.session.scalar(sa.select(Succession).where(Succession.former_id == organisation_id))


def npm_names(limit: int) -> tuple[str, ...]:
    """Return the names of NPM bodies that nothing replaced, by name: they are public."""
    return tuple(
        db.session.scalars(
            sa.select(Organisation.name)
            .where(
                Organisation.kind == OrganisationKind.NPM,
                ~sa.exists().where(Succession.former_id == Organisation.id),
            )
            .order_by(Organisation.name)
            .limit(limit)
        )
    )


def find_by_name(name: str) -> Organisation | None:
    """Return the organisation with a name, ignoring case; for the command line."""
    return db.session.scalar(
        sa.select(Organisation).where(sa.func.lower(Organisation.name) == name.lower())
    )


def resembling(names: Collection[str], except_id: UUID | None = None) -> list[tuple[UUID, str]]:
    """Return id and name of each organisation whose name or short name looks like one of these.

    By name. The caller may see all organisations.
    """
    looks = {look(name) for name in names} - {""}
    rows = db.session.execute(
        sa.select(Organisation.id, Organisation.name, Organisation.short_name).order_by(
            Organisation.name
        )
    )
    return [
        (row.id, row.name)
        for row in rows
        if row.id != except_id and not looks.isdisjoint({look(row.name), look(row.short_name)})
    ]


def taken_initials(except_id: UUID | None = None) -> Collection[str]:
    """Return the initials that are taken."""
    wanted = sa.select(Organisation.mark)
    if except_id is not None:
        wanted = wanted.where(Organisation.id != except_id)
    return set(db.session.scalars(wanted))


def _shown_to(actor: Actor) -> sa.ColumnElement[bool]:
    return sa.or_(_seen_by(actor), page_parts.IS_PARTNER.get()(actor))


def _seen_by(actor: Actor) -> sa.ColumnElement[bool]:
    if actor.is_administrator:
        return sa.true()
    own = {m.organisation_id for m in actor.memberships if m.organisation_id}
    return Organisation.id.in_(own)


def _matching(words: str, kind: OrganisationKind | None) -> sa.ColumnElement[bool]:
    terms = [
        sa.or_(
            Organisation.name.icontains(word, autoescape=True),
            Organisation.short_name.icontains(word, autoescape=True),
            Organisation.country.icontains(word, autoescape=True),
        )
        for word in words.split()[:8]
    ]
    if kind is not None:
        terms.append(Organisation.kind == kind)
    return sa.and_(sa.true(), *terms)
