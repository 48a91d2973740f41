"""Many cooperations in one instance, copied from built ones by set-based SQL.

Each copy is a cooperation of its own with all its rows under new ids. The NPM and its people take
part in all; nine of ten copies have CSOs and people of their own, the tenth keeps those of its
source, who thereby take part in a tenth of all. A copy consists only of rows: its chain binds the
rows it was copied from, so pages say that its signed texts disagree. Of what is encrypted, only
what lists and tasks read can be decrypted: keys, plans of visits, answers and drafts.
"""

from collections.abc import Iterator, Sequence
from typing import cast
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import OrganisationKind
from tracker.accounts.models import Membership
from tracker.checklists.models import Answer, Checklist, Draft
from tracker.cooperations import keys
from tracker.cooperations.models import Cooperation, CooperationKey, Party
from tracker.core import crypto
from tracker.core.db import Base, db
from tracker.visits.models import Visit
from tracker.worker import statistics

# The first copies keep the CSOs of their source, and so does one in this many of the later ones.
ALL_KEEP_THEIR_PARTNERS, KEEPS_ITS_PARTNERS = 200, 10
# Rows of the instance as a whole, and files that no list reads.
_NOT_COPIED = frozenset({"invitation", "log_leaf", "certificate", "certificate_failure"})
_PEOPLE = frozenset({"user", "organisation"})
# Columns without a foreign key that contain the id of a person or an organisation, or NULL.
_MAY_BE_PEOPLE = frozenset({("answer", "owner_id"), ("signature", "in_place_of_id")})
_PRIME, _RANGE = 2_654_435_761, 2**32


def multiply(sources: Sequence[UUID], total: int) -> None:
    """Copy cooperations in turn until the instance has this many; commit.

    sources are ids of cooperations that were committed.
    """
    existing = db.session.scalar(sa.select(sa.func.count(Cooperation.id))) or 0
    numbers = range(existing, total)
    for place, source in enumerate(sources):
        chosen = [number for number in numbers if number % len(sources) == place]
        if chosen:
            _Copying(source, chosen).run()
    db.session.commit()
    if db.engine.dialect.name == "sqlite":
        # As in a real instance.
        statistics.refresh()
    else:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))


def copied(row_id: UUID, number: int) -> UUID:
    """Return the id of a row in a copy."""
    return UUID(hex=f"{number * _PRIME % _RANGE:08x}{row_id.hex[8:]}")


class _Copying:
    """The copies of one cooperation, table by table."""

    def __init__(self, source: UUID, numbers: Sequence[int]) -> None:
        self._source = source
        self._numbers = numbers
        self._is_postgres = db.engine.dialect.name == "postgresql"
        organisations = set(
            db.session.scalars(
                sa.select(Party.organisation_id).where(
                    Party.cooperation_id == source, Party.side == OrganisationKind.CSO
                )
            )
        )
        of_others = sa.select(Membership.user_id).where(
            Membership.organisation_id.is_distinct_from(None),
            Membership.organisation_id.not_in(organisations),
        )
        people = set(
            db.session.scalars(
                sa.select(Membership.user_id).where(
                    Membership.organisation_id.in_(organisations),
                    Membership.user_id.not_in(of_others),
                )
            )
        )
        self._of_partners = [f"'{row_id.hex}'" for row_id in organisations | people] or ["NULL"]

    def run(self) -> None:
        """Copy all tables, then encrypt again what has to be decrypted later."""
        db.session.execute(sa.text("DROP TABLE IF EXISTS copy_number"))
        db.session.execute(
            sa.text("CREATE TEMPORARY TABLE copy_number (n INTEGER, h CHAR(8), own INTEGER)")
        )
        db.session.execute(
            sa.text("INSERT INTO copy_number VALUES (:n, :h, :own)"),
            [
                {
                    "n": number,
                    "h": f"{number * _PRIME % _RANGE:08x}",
                    "own": int(
                        number >= ALL_KEEP_THEIR_PARTNERS and place % KEEPS_ITS_PARTNERS > 0
                    ),
                }
                for place, number in enumerate(self._numbers)
            ],
        )
        owned: dict[str, str] = {}
        for table in Base.metadata.sorted_tables:
            condition = self._condition(table, owned)
            if condition is not None:
                if table.name not in _PEOPLE | {"membership"}:
                    owned[table.name] = condition
                self._copy(table, condition)
        self._seal_anew()

    def _condition(self, table: sa.Table, owned: dict[str, str]) -> str | None:
        """Return which rows of a table are copied."""
        if table.name in _PEOPLE:
            return f"s.id IN ({','.join(self._of_partners)}) AND c.own <> 0"
        if table.name == "membership":
            return f"s.user_id IN ({','.join(self._of_partners)}) AND c.own <> 0"
        source = f"'{self._source.hex}'"
        if table.name == "cooperation":
            return f"s.id = {source}"
        if table.name in _NOT_COPIED:
            return None
        if "cooperation_id" in table.columns:
            return f"s.cooperation_id = {source}"
        return self._by_owner(table, owned)

    def _by_owner(self, table: sa.Table, owned: dict[str, str]) -> str | None:
        """Return which rows of a table belong to rows of other tables that are copied."""
        for column in table.columns:
            for key in column.foreign_keys:
                owner = key.column.table.name
                if owner in owned and not column.nullable:
                    inner = owned[owner].replace("s.", f"{owner}.")
                    return (
                        f"s.{column.name} IN (SELECT {key.column.name} FROM {owner} WHERE {inner})"
                    )
        return None

    def _copy(self, table: sa.Table, condition: str) -> None:
        names = [f'"{column.name}"' for column in table.columns]
        values = [self._value(table, column) for column in table.columns]
        db.session.execute(
            sa.text(
                f'INSERT INTO "{table.name}" ({", ".join(names)}) '
                f'SELECT {", ".join(values)} FROM copy_number c JOIN "{table.name}" s '
                f"ON {condition}"
            )
        )

    def _value(self, table: sa.Table, column: sa.Column[object]) -> str:
        name, value = column.name, f's."{column.name}"'
        if isinstance(column.type, sa.Uuid):
            return self._id(table, column, value)
        special = {
            ("cooperation", "reference"): self._text("'C-2020-' || {}", 6),
            ("cooperation_entry", "reference"): self._text("'C-2020-' || {}", 6),
            ("cooperation_entry", "words"): f"{value} || ' ' || c.n",
            ("register_entry", "newest_first"): "-2020000000 - c.n",
            ("cooperation", "title"): f"{value} || ' ' || c.n",
            ("organisation", "name"): f"{value} || ' ' || c.n",
            ("user", "name"): f"{value} || ' ' || c.n",
            ("user", "email"): f"c.n || '.' || {value}",
            ("user", "fs_uniquifier"): f"c.h || {value}",
            ("user", "fs_webauthn_user_handle"): "NULL",
        }
        return special.get((table.name, name), value)

    def _id(self, table: sa.Table, column: sa.Column[object], value: str) -> str:
        new = f"(c.h || substr({value}, 9))"
        if self._is_postgres:
            new = f"CAST(c.h || substr(replace(CAST({value} AS text), '-', ''), 9) AS uuid)"
        targets = {key.column.table.name for key in column.foreign_keys}
        is_people = targets & _PEOPLE or (table.name, column.name) in _MAY_BE_PEOPLE
        if is_people:
            theirs = f"c.own <> 0 AND {value} IN ({','.join(self._of_partners)})"
            return f"CASE WHEN {theirs} THEN {new} ELSE {value} END"
        if targets & {"checklist_template", "evidence_key"} or column.name.startswith("source_"):
            return value
        return new

    def _text(self, form: str, digits: int) -> str:
        padded = f"substr('{'0' * digits}' || c.n, -{digits})"
        if self._is_postgres:
            padded = f"lpad(CAST(c.n AS text), {digits}, '0')"
        return form.format(padded)

    def _seal_anew(self) -> None:
        source = self._source
        key = keys.key_of(source)
        new = [(number, copied(source, number)) for number in self._numbers]
        _update(
            CooperationKey.__table__,
            "cooperation_id",
            "wrapped",
            (
                (cooperation_id, crypto.wrap(key, f"cooperation:{cooperation_id}"))
                for _number, cooperation_id in new
            ),
        )
        of_checklists = sa.select(Checklist.id).where(Checklist.cooperation_id == source)
        for column, wanted, context in (
            (Visit.sealed_plan, Visit.cooperation_id == source, "visit:{}:plan"),
            (Answer.sealed, Answer.checklist_id.in_(of_checklists), "values:{}"),
            (Draft.sealed, Draft.checklist_id.in_(of_checklists), "draft:{}"),
        ):
            self._seal_column(key, column, wanted, context)

    def _seal_column(
        self,
        key: bytes,
        column: sa.orm.InstrumentedAttribute[bytes | None],
        wanted: sa.ColumnElement[bool],
        context: str,
    ) -> None:
        model = column.class_
        rows = db.session.execute(sa.select(model.id, column).where(wanted, column.is_not(None)))
        plain = [
            (cooperation_id, crypto.unseal(key, sealed, context.format(cooperation_id)))
            for cooperation_id, sealed in rows
        ]

        def anew() -> Iterator[tuple[UUID, bytes]]:
            for row_id, opened in plain:
                for number in self._numbers:
                    other = copied(row_id, number)
                    yield other, crypto.seal(key, opened, context.format(other))

        _update(model.__table__, "id", column.key, anew())


def _update(
    table: sa.FromClause, key: str, name: str, values: Iterator[tuple[UUID, bytes]]
) -> None:
    rows = [{"row": row, "value": value} for row, value in values]
    if rows:
        db.session.execute(
            sa.update(cast("sa.Table", table))
            .where(table.c[key] == sa.bindparam("row"))
            .values({name: sa.bindparam("value")}),
            rows,
        )
