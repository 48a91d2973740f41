"""Checklists' own rows: found in scope, locked, and cached so that loading needn't read them."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.util import identity_key

from tracker.access.actor import Actor, OrganisationKind
from tracker.access.conditions import built_for_all
from tracker.activity import service as trail
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import parts, queries
from tracker.checklists.loaded import Part, of_this_transaction
from tracker.checklists.models import (
    Checklist,
    ChecklistParty,
    Flag,
    Proposal,
    SafeguardReview,
)
from tracker.checklists.rules.consistency import TIES
from tracker.checklists.rules.facts import PartyFact
from tracker.cooperations.models import Cooperation, Party
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations.languages import language_codes
from tracker.signoff.outcomes import Validity, validity

Heads = sa.Select[Checklist, bool, bool, bool]
# The relations read with a checklist's own row (HEADS).
_RELATIONS = ("template", "reading", "parties")
# Statements that never change shape are built once: building them takes as long as sending them.
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
# Most checklists have none of these, and then need no query for them.
_HAS_PROPOSALS, _HAS_FLAGS, _HAS_REVIEWS = (
    sa.exists().where(*conditions).correlate(Checklist)
    for conditions in (
        (Proposal.checklist_id == Checklist.id, parts.IS_SHOWN_PROPOSAL),
        (Flag.checklist_id == Checklist.id,),
        (SafeguardReview.checklist_id == Checklist.id, ~SafeguardReview.is_void),
    )
)
_OFTEN_EMPTY = (Part.PROPOSALS, Part.FLAGS, Part.REVIEWS)
HEADS = (
    sa.select(Checklist, _HAS_PROPOSALS, _HAS_FLAGS, _HAS_REVIEWS)
    .options(
        joinedload(Checklist.template),
        joinedload(Checklist.reading),
        joinedload(Checklist.parties).joinedload(ChecklistParty.organisation),
    )
    .execution_options(populate_existing=True)
)
_OWN = HEADS.where(Checklist.cooperation_id.in_(_IDS), Checklist.visit_id.is_(None))
_CHECKLISTS = HEADS.where(Checklist.id.in_(_IDS))
_COOPERATIONS = (
    sa.select(Cooperation)
    .where(Cooperation.id.in_(_IDS))
    .options(joinedload(Cooperation.parties).joinedload(Party.organisation))
    .execution_options(populate_existing=True)
)
_LOCKED = (
    sa.select(Checklist.id)
    .where(Checklist.id.in_(_IDS))
    .order_by(Checklist.id)
    .with_for_update(of=Checklist)
)


def find(actor: Actor, checklist_id: UUID) -> Checklist | None:
    """Return a checklist the person may open, with its template and parties, or None.

    Loading it as a whole later doesn't read it again, unless it is locked first, and writes_on()
    needs no query until something is written.
    """
    query, reader = _visible(actor)
    rows = _read(query, {"checklist_id": checklist_id, **reader})
    if not rows:
        return None
    [(checklist, [writes])] = rows
    loaded = of_this_transaction([checklist.cooperation_id])
    loaded.once((actor, checklist_id), lambda: bool(writes))
    return checklist


@built_for_all
def _visible(actor: Actor) -> sa.Select[Checklist, bool, bool, bool, bool]:
    return HEADS.add_columns(queries.is_worked_on(actor)).where(
        Checklist.id == sa.bindparam("checklist_id"), queries.visible(actor)
    )


def read(statement: Heads, values: Mapping[str, Any] | None = None) -> list[Checklist]:
    """Return and cache the checklists of a statement based on HEADS.

    The statement is scoped to the actor, or the caller found them with a query that is.
    """
    return [checklist for checklist, _more in _read(statement, values or {})]


def _read(
    statement: sa.Select[*tuple[Any, ...]], values: Mapping[str, Any]
) -> list[tuple[Checklist, list[bool]]]:
    """Return and cache checklists, each with what the statement selects besides HEADS."""
    rows = db.session.execute(statement, values).unique().all()
    loaded = of_this_transaction([row[0].cooperation_id for row in rows])
    loaded.forget_unless_whole(Part.CHECKLIST, _RELATIONS)
    checklists = []
    for checklist, has_proposals, has_flags, has_reviews, *more in rows:
        loaded.put(Part.CHECKLIST, checklist.id, checklist)
        loaded.put(Part.EMPTY, checklist.id, _empty((has_proposals, has_flags, has_reviews)))
        checklists.append((checklist, more))
    return checklists


def _empty(has: Sequence[bool]) -> frozenset[Part]:
    return frozenset(part for part, has_some in zip(_OFTEN_EMPTY, has, strict=True) if not has_some)


def of_cooperation(cooperation_id: UUID) -> list[Checklist]:
    """Return a cooperation's own checklists, without those of its visits.

    The caller found the cooperation with a query scoped to the actor.
    """
    loaded = of_this_transaction([cooperation_id])
    loaded.forget_unless_whole(Part.OWN, _RELATIONS)
    checklists: list[Checklist] = loaded.parts(Part.OWN, [cooperation_id], _own_checklists)[
        cooperation_id
    ]
    return checklists


def _own_checklists(cooperation_ids: list[UUID]) -> dict[UUID, list[Checklist]]:
    checklists: dict[UUID, list[Checklist]] = {
        cooperation_id: [] for cooperation_id in cooperation_ids
    }
    for row in read(_OWN, {"ids": cooperation_ids}):
        checklists[row.cooperation_id].append(row)
    return checklists


def writes_on(actor: Actor, checklist: Checklist) -> bool:
    """Return, with a cached query, whether a person may open a checklist and writes for a party."""
    loaded = of_this_transaction([checklist.cooperation_id])
    return loaded.once((actor, checklist.id), lambda: queries.works_on(actor, checklist.id))


def lock(*checklists: Checklist) -> None:
    """Lock checklists and their cooperations until this transaction ends.

    A checklist's row is locked before its cooperation's chain, as in the worker, which skips locked
    rows. If this transaction has locked the chain already, it needs no row: any other that has
    locked a row waits for the chain before it reads.
    """
    apart = [
        checklist for checklist in checklists if not trail.holds_chain(checklist.cooperation_id)
    ]
    if apart:
        db.session.execute(_LOCKED, {"ids": [checklist.id for checklist in apart]}).all()
        for cooperation_id in sorted({checklist.cooperation_id for checklist in apart}):
            trail.lock_chain(cooperation_id)
    load_heads(checklists)


def load_heads(checklists: Sequence[Checklist]) -> dict[UUID, Checklist]:
    """Return checklists by id with their parties, read again unless this transaction has them."""
    loaded = of_this_transaction([checklist.cooperation_id for checklist in checklists])
    loaded.forget_unless_whole(Part.CHECKLIST, _RELATIONS)
    loaded.forget_unless_whole(Part.COOPERATION, ("parties",))
    return loaded.parts(Part.CHECKLIST, [checklist.id for checklist in checklists], _checklists)


def parties(checklist: Checklist) -> tuple[PartyFact, ...]:
    """Return the current parties of a checklist, for callers that need nothing else of it."""
    row = load_heads([checklist])[checklist.id]
    return party_facts(row, cooperation(row))


def own_party(actor: Actor, checklist: Checklist) -> PartyFact | None:
    """Return the party a person acts for, None if it is no party of the checklist."""
    own = (row for row in parties(checklist) if row.organisation_id == actor.organisation_id)
    return next(own, None)


def cooperation(checklist: Checklist) -> Cooperation:
    """Return the cooperation of a checklist with its parties."""
    loaded = of_this_transaction([checklist.cooperation_id])
    cooperations = loaded.parts(Part.COOPERATION, [checklist.cooperation_id], read_cooperations)
    cooperation: Cooperation = cooperations[checklist.cooperation_id]
    return cooperation


def party_facts(checklist: Checklist, cooperation: Cooperation) -> tuple[PartyFact, ...]:
    """Return the current parties of a checklist, from rows that were read with them."""
    sides = {party.organisation_id: party.side for party in cooperation.parties}
    joining = {party.organisation_id for party in cooperation.parties if party.is_joining}
    return tuple(
        PartyFact(
            organisation_id=row.organisation_id,
            side=sides.get(row.organisation_id, OrganisationKind.OTHER),
            name=row.organisation.name,
            mark=row.organisation.mark,
            short_name=row.organisation.short_name,
            languages=language_codes(row.organisation.languages),
            ties=frozenset(key for key in TIES if getattr(row.organisation, key)),
            is_joining=row.organisation_id in joining,
        )
        for row in checklist.parties
    )


def _checklists(ids: Collection[UUID]) -> dict[UUID, Checklist]:
    loaded = of_this_transaction(())
    checklists: dict[UUID, Checklist] = {}
    for checklist, *has in db.session.execute(_CHECKLISTS, {"ids": list(ids)}).unique():
        loaded.put(Part.EMPTY, checklist.id, _empty(has))
        checklists[checklist.id] = checklist
    return checklists


def latest_start(checklist: Checklist, cooperation: Cooperation) -> dt.date | None:
    """Return the last day on which terms may start that replace terms in force: today.

    The new text takes effect as soon as all have signed. If it started later, nothing would be
    agreed until then. None if no terms run today: they may have run out, ended or not begun.
    """
    if checklist.kind is not ChecklistKind.TERMS or checklist.revision_in_force_id is None:
        return None
    today = clock.today()
    status = validity(cooperation.starts_on, cooperation.ends_on, today)
    return today if status is Validity.IN_FORCE else None


def read_cooperations(ids: Collection[UUID]) -> dict[UUID, Cooperation]:
    """Return cooperations by id; those whose chain is locked are read again."""
    known = {
        cooperation_id: row
        for cooperation_id in ids
        if (row := _read_before(cooperation_id)) is not None
    }
    missing = [cooperation_id for cooperation_id in ids if cooperation_id not in known]
    if missing:
        rows = db.session.scalars(_COOPERATIONS, {"ids": missing}).unique()
        known.update({row.id: row for row in rows})
    return known


def _read_before(cooperation_id: UUID) -> Cooperation | None:
    """Return a cooperation already read with its parties; None if it may be out of date."""
    if trail.holds_chain(cooperation_id):
        return None
    row = db.session.identity_map.get(identity_key(Cooperation, cooperation_id))
    if not isinstance(row, Cooperation) or sa.inspect(row).expired:
        return None
    if "parties" in sa.inspect(row).unloaded:
        return None
    is_whole = all("organisation" not in sa.inspect(party).unloaded for party in row.parties)
    return row if is_whole else None
