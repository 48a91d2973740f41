"""Changes made directly in the database, with its triggers dropped."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tracker.activity import chain as arithmetic
from tracker.activity.chain import START, Link
from tracker.activity.models import Chain, Event, EventDetail
from tracker.checklists.models import Notice, Renewal
from tracker.core import canonical
from tracker.core.db import Base, db
from tracker.evidence.models import (
    Certificate,
    EvidenceKey,
    LogLeaf,
    LogNode,
    SignedCheckpoint,
)
from tracker.oversight import stored
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision, Signature

# Triggers that protect rows from changes, by a part of their names.
REFUSING = "%_refuse_%"


@contextmanager
def hands(*, keep: bool = True) -> Iterator[Connection]:
    """Open a connection that allows everything, as somebody with the database's password has.

    What is done there is committed, or with keep=False rolled back.
    """
    with db.engine.connect() as connection:
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            driver.text_factory = stored.any_bytes
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            triggers = sa.text(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE :x"
            )
            for name in connection.scalars(triggers, {"x": REFUSING}).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        try:
            yield connection
            if keep:
                connection.commit()
        finally:
            connection.rollback()
            if isinstance(driver, sqlite3.Connection):
                driver.text_factory = str
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def table_of(model: type[Base]) -> sa.Table:
    table = model.__table__
    assert isinstance(table, sa.Table)
    return table


EVENTS, DETAILS, CHAINS = table_of(Event), table_of(EventDetail), table_of(Chain)
REVISIONS, SIGNATURES = table_of(Revision), table_of(Signature)
KEYS, LEAVES, NODES = table_of(EvidenceKey), table_of(LogLeaf), table_of(LogNode)
CHECKPOINTS, CERTIFICATES = table_of(SignedCheckpoint), table_of(Certificate)
NOTICES, RENEWALS = table_of(Notice), table_of(Renewal)


@dataclass(frozen=True, slots=True)
class Tampering:
    """What can be tampered with in one cooperation, and how."""

    connection: Connection
    cooperation_id: UUID

    @property
    def chain_id(self) -> UUID:
        chain_id = self.connection.scalar(
            sa.select(CHAINS.c.id).where(CHAINS.c.cooperation_id == self.cooperation_id)
        )
        assert isinstance(chain_id, UUID)
        return chain_id

    def event_id(self, number: int) -> UUID:
        event_id = self.connection.scalar(
            sa.select(EVENTS.c.id).where(
                EVENTS.c.chain_id == self.chain_id, EVENTS.c.number == number
            )
        )
        assert isinstance(event_id, UUID)
        return event_id

    def last(self) -> int:
        number = self.connection.scalar(
            sa.select(sa.func.max(EVENTS.c.number)).where(EVENTS.c.chain_id == self.chain_id)
        )
        assert isinstance(number, int)
        return number

    def update(self, table: sa.Table, row_id: object, **values: object) -> None:
        key = next(iter(table.primary_key))
        done = self.connection.execute(sa.update(table).where(key == row_id).values(**values))
        assert done.rowcount == 1

    def delete(self, table: sa.Table, row_id: object) -> None:
        key = next(iter(table.primary_key))
        assert self.connection.execute(sa.delete(table).where(key == row_id)).rowcount == 1

    def copy(self, table: sa.Table, row_id: object, **values: object) -> None:
        key = next(iter(table.primary_key))
        row = self.connection.execute(sa.select(table).where(key == row_id)).mappings().one()
        self.connection.execute(sa.insert(table).values({**row, **values}))

    def swap(self, table: sa.Table, first: UUID, other: UUID, column: str, between: object) -> None:
        """Swap a value of two rows; between is the first one's value meanwhile (unique columns)."""
        key = next(iter(table.primary_key))
        rows = {
            row_id: self.connection.scalar(sa.select(table.c[column]).where(key == row_id))
            for row_id in (first, other)
        }
        self.update(table, first, **{column: between})
        self.update(table, other, **{column: rows[first]})
        self.update(table, first, **{column: rows[other]})

    def rows(self, table: sa.Table) -> list[Any]:
        """Return the cooperation's revisions, signatures or certificates, in order."""
        if table is REVISIONS:
            query = sa.select(REVISIONS).order_by(REVISIONS.c.frozen_at)
            query = query.where(REVISIONS.c.cooperation_id == self.cooperation_id)
        elif table is CERTIFICATES:
            query = (
                sa.select(CERTIFICATES)
                .join(REVISIONS, REVISIONS.c.id == CERTIFICATES.c.revision_id)
                .where(REVISIONS.c.cooperation_id == self.cooperation_id)
                .order_by(CERTIFICATES.c.made_at, CERTIFICATES.c.language)
            )
        else:
            query = (
                sa.select(SIGNATURES)
                .join(REVISIONS, REVISIONS.c.id == SIGNATURES.c.revision_id)
                .where(REVISIONS.c.cooperation_id == self.cooperation_id)
                .order_by(SIGNATURES.c.signed_at)
            )
        return list(self.connection.execute(query))

    def rewrite(self, change: Callable[[Link], Link] = lambda link: link) -> None:
        """Rebuild the whole chain with all its digests, as somebody without the key can."""
        self.rewrite_chain(self.chain_id, change)

    def rewrite_chain(self, chain_id: UUID, change: Callable[[Link], Link]) -> None:
        """Rebuild a chain, including the instance's."""
        head, count = START, 0
        events = self.connection.execute(
            sa.select(EVENTS).where(EVENTS.c.chain_id == chain_id).order_by(EVENTS.c.number)
        ).all()
        for row in events:
            link = change(
                Link(
                    event_id=row.id,
                    chain_id=row.chain_id,
                    number=row.number,
                    verb=row.verb,
                    subject_type=row.subject_type,
                    subject_id=row.subject_id,
                    at=row.at,
                    details_digest=self._details_digest(row.id, row.details_digest),
                    evidence=row.evidence,
                    previous=head,
                    state=None if row.state is None else arithmetic.state_digest(row.state),
                )
            )
            link = replace(link, previous=head)
            head, count = link.digest(), link.number
            self.update(
                EVENTS,
                row.id,
                verb=link.verb,
                details_digest=link.details_digest,
                evidence=link.evidence,
                previous=link.previous,
                digest=head,
            )
        self.update(CHAINS, chain_id, head=head, count=count)

    def _details_digest(self, event_id: UUID, otherwise: str) -> str:
        row = self.connection.execute(
            sa.select(DETAILS).where(DETAILS.c.event_id == event_id)
        ).one_or_none()
        return arithmetic.details_digest(row.salt, row.content) if row else otherwise


def signature_digest(row: Any, **values: object) -> str:
    """Return the digest a signature would have with other values."""
    return canonical.digest_of(Signature(**{**row._mapping, **values}).content())


def revision_evidence(row: Any, **values: object) -> str:
    """Return what an event would bind for a revision with other values."""
    return signoff.evidence_of_revision(Revision(**{**row._mapping, **values}))


def certificate_evidence(row: Any, **values: object) -> str:
    """Return what an event would bind for a certificate with other values."""
    return canonical.digest_of(Certificate(**{**row._mapping, **values}).content())


def fresh() -> UUID:
    """Return the id of nothing."""
    return uuid4()
