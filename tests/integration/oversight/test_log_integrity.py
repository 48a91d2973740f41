"""Changes to log, checkpoints and keys are named, and chains that contradict them.

In one file: a table of alterations, each tested on the same log.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from flask import Flask
from sqlalchemy.engine import Connection

from tests import due
from tests.factories.cooperations import record_change
from tests.factories.evidence.tampering import (
    CHAINS,
    CHECKPOINTS,
    DETAILS,
    EVENTS,
    KEYS,
    LEAVES,
    NODES,
    Tampering,
    fresh,
    hands,
)
from tests.integration.oversight.conftest import Signed
from tracker.activity import chain as arithmetic
from tracker.activity.verify import ChainFault
from tracker.core import clock
from tracker.core.db import db
from tracker.evidence.keys import signing_keys
from tracker.evidence.log import checkpoints, merkle, notes
from tracker.evidence.log.notes import Checkpoint
from tracker.evidence.models import KeyUse
from tracker.oversight import integrity, labels, stored
from tracker.oversight.facts import (
    Fault,
    Finding,
    RowLocation,
    Table,
)
from tracker.oversight.reading import Reader

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(5)]

OTHER = "f" * 64
Act = Callable[[Connection], object]


@pytest.fixture
def logged(signed: Signed) -> list[Checkpoint]:
    """Four checkpoints, each after something happened in the first cooperation."""
    checkpoints_made = [checkpoints.newest()]
    for _ in range(3):
        happen(signed)
        checkpoints_made.append(due.make_checkpoint())
    db.session.commit()
    return [checkpoint for checkpoint in checkpoints_made if checkpoint is not None]


def happen(signed: Signed) -> None:
    record_change(signed.first.id)
    db.session.commit()


def finding(act: Act) -> Finding | None:
    with hands() as connection:
        act(connection)
    return integrity.check_all().finding


def update(table: sa.Table, where: sa.ColumnElement[bool], **values: object) -> Act:
    def act(connection: Connection) -> None:
        assert connection.execute(sa.update(table).where(where).values(**values)).rowcount == 1

    return act


def delete(table: sa.Table, where: sa.ColumnElement[bool]) -> Act:
    return lambda connection: connection.execute(sa.delete(table).where(where))


def reseal(own: Tampering) -> None:
    """Seal a chain's row as it is, as somebody with the trail's key can."""
    row: Any = own.connection.execute(sa.select(CHAINS).where(CHAINS.c.id == own.chain_id)).one()
    seal = arithmetic.seal_head(row.kind.value, row.id, row.cooperation_id, row.head, row.count)
    own.update(CHAINS, row.id, seal=seal)


def test_a_sound_log_is_counted(logged: list[Checkpoint]) -> None:
    verdict = integrity.check_all()
    assert verdict.finding is None
    counts = verdict.counts
    assert (counts.keys, counts.leaves, counts.checkpoints) == (2, 6, 4)


# Chains against the log ---------------------------------------------------------------------------


def test_a_chain_rewritten_as_a_whole_with_the_key_of_the_trail_is_named(
    signed: Signed, logged: list[Checkpoint]
) -> None:
    """The chain itself verifies, including its seal; what was signed of it before doesn't match."""

    def act(connection: Connection) -> None:
        own = Tampering(connection, signed.first.id)
        own.update(DETAILS, own.event_id(3), salt="0" * 32)
        own.rewrite()
        reseal(own)

    happen(signed)  # after the last checkpoint
    with hands() as connection:
        last = Tampering(connection, signed.first.id).last()
    result = finding(act)
    assert result == Finding(
        Fault.REWRITTEN,
        RowLocation(Table.CHAIN, signed.first.reference, last - 4, checkpoint=logged[0].size),
    )
    assert str(labels.finding_words(result)).startswith(
        f"Chain of {signed.first.reference}, event {last - 4}, beside the checkpoint of size "
        f"{logged[0].size}: The event is not the one that was there when"
    )


def test_what_was_rewritten_after_the_last_checkpoint_alone_is_not_noticed(
    signed: Signed, logged: list[Checkpoint]
) -> None:
    """Somebody with the key can rewrite what no checkpoint covers yet: this is the limit."""
    happen(signed)

    def act(connection: Connection) -> None:
        own = Tampering(connection, signed.first.id)
        own.update(DETAILS, own.event_id(own.last()), salt="0" * 32)
        own.rewrite()
        reseal(own)

    assert finding(act) is None


def test_a_chain_whose_end_was_cut_off_with_the_key_of_the_trail_is_named(
    signed: Signed, logged: list[Checkpoint]
) -> None:
    def act(connection: Connection) -> None:
        own = Tampering(connection, signed.first.id)
        event_id = own.event_id(own.last())
        own.delete(DETAILS, event_id)
        own.delete(EVENTS, event_id)
        own.rewrite()
        reseal(own)

    with hands() as connection:
        last = Tampering(connection, signed.first.id).last()
    assert finding(act) == Finding(
        Fault.SHORTENED,
        RowLocation(Table.CHAIN, signed.first.reference, last - 1, checkpoint=logged[-1].size),
    )


def test_without_the_key_the_missing_seal_is_reported_first(
    signed: Signed, logged: list[Checkpoint]
) -> None:
    result = finding(lambda connection: Tampering(connection, signed.first.id).rewrite())
    assert result is None  # building the same chain again changed nothing

    def act(connection: Connection) -> None:
        own = Tampering(connection, signed.first.id)
        own.rewrite(lambda link: replace(link, verb="signed") if link.number == 3 else link)

    result = finding(act)
    assert result is not None
    assert result.fault is ChainFault.UNSEALED


def test_the_managers_check_compares_with_the_log_too(
    signed: Signed, logged: list[Checkpoint]
) -> None:
    def act(connection: Connection) -> None:
        own = Tampering(connection, signed.first.id)
        own.update(DETAILS, own.event_id(3), salt="0" * 32)
        own.rewrite()
        reseal(own)

    with hands() as connection:
        act(connection)
    with stored.view() as connection:
        check = integrity._Check(Reader(connection, None), ())
        verdict = integrity._verdict(check, frozenset({signed.first.id}))
    assert verdict.finding is not None
    assert verdict.finding.fault is Fault.REWRITTEN


# The log itself -----------------------------------------------------------------------------------


def swap_leaves(connection: Connection) -> None:
    for before, after in ((3, 90), (4, 3), (90, 4)):
        update(LEAVES, LEAVES.c.number == before, number=after)(connection)


def extra_node(connection: Connection) -> None:
    connection.execute(sa.insert(NODES).values(level=7, place=0, hash=b"h" * 32))


def extra_leaf(connection: Connection) -> None:
    row = connection.execute(sa.select(LEAVES).where(LEAVES.c.number == 5)).mappings().one()
    connection.execute(sa.insert(LEAVES).values({**row, "number": 6, "count": 9000}))
    leaf = merkle.leaf_hash(notes.leaf(str(row["chain_id"]), 9000, row["head"]))
    connection.execute(sa.insert(NODES).values(level=0, place=6, hash=leaf))


def drop_the_last_leaf(connection: Connection) -> None:
    delete(LEAVES, LEAVES.c.number == 5)(connection)
    delete(NODES, sa.or_(sa.and_(NODES.c.level == 0, NODES.c.place == 5)))(connection)
    delete(NODES, sa.and_(NODES.c.level == 1, NODES.c.place == 2))(connection)


LOG_CASES: dict[str, tuple[Act, Fault, Table, str]] = {
    "head of a leaf edited": (
        update(LEAVES, LEAVES.c.number == 4, head=OTHER),
        Fault.OTHER_HASH,
        Table.LEAF,
        "4",
    ),
    "count of a leaf edited": (
        update(LEAVES, LEAVES.c.number == 4, count=1),
        Fault.OTHER_HASH,
        Table.LEAF,
        "4",
    ),
    "leaves changed places": (swap_leaves, Fault.OTHER_HASH, Table.LEAF, "3"),
    "leaf taken out": (
        delete(LEAVES, LEAVES.c.number == 4),
        Fault.NOT_NUMBERED,
        Table.LEAF,
        "5",
    ),
    "first leaf taken out": (
        delete(LEAVES, LEAVES.c.number == 0),
        Fault.NOT_NUMBERED,
        Table.LEAF,
        "1",
    ),
    "last leaf taken out": (drop_the_last_leaf, Fault.OTHER_ROOT, Table.CHECKPOINT, "6"),
    "leaf put in": (extra_leaf, Fault.CHECKPOINT_GONE, Table.LEAF, "6"),
    "hash edited": (
        update(NODES, sa.and_(NODES.c.level == 1, NODES.c.place == 0), hash=b"h" * 32),
        Fault.OTHER_HASH,
        Table.LEAF,
        "1",
    ),
    "hash taken out": (
        delete(NODES, sa.and_(NODES.c.level == 2, NODES.c.place == 0)),
        Fault.OTHER_HASH,
        Table.LEAF,
        "3",
    ),
    "hash put in": (extra_node, Fault.BELONGS_NOWHERE, Table.NODE, "7, 0"),
    "root edited": (
        update(CHECKPOINTS, CHECKPOINTS.c.size == 4, root=OTHER),
        Fault.NOT_SIGNED,
        Table.CHECKPOINT,
        "4",
    ),
    "signature edited": (
        update(CHECKPOINTS, CHECKPOINTS.c.size == 4, signature=b"s" * 64),
        Fault.NOT_SIGNED,
        Table.CHECKPOINT,
        "4",
    ),
    "time edited": (
        update(CHECKPOINTS, CHECKPOINTS.c.size == 4, at=clock.now()),
        Fault.NOT_SIGNED,
        Table.CHECKPOINT,
        "4",
    ),
    "address edited": (
        update(CHECKPOINTS, CHECKPOINTS.c.size == 4, origin="http://other.example"),
        Fault.NOT_SIGNED,
        Table.CHECKPOINT,
        "4",
    ),
    "checkpoint taken out": (
        delete(CHECKPOINTS, CHECKPOINTS.c.size == 4),
        Fault.CHECKPOINT_GONE,
        Table.CHECKPOINT,
        "5",
    ),
    "newest checkpoint taken out": (
        delete(CHECKPOINTS, CHECKPOINTS.c.size == 6),
        Fault.CHECKPOINT_GONE,
        Table.LEAF,
        "5",
    ),
}


@pytest.mark.few_on_postgresql(3)
@pytest.mark.parametrize("case", LOG_CASES)
def test_a_log_tampered_with_is_named(logged: list[Checkpoint], case: str) -> None:
    act, fault, table, row = LOG_CASES[case]
    result = finding(act)
    assert result == Finding(fault, RowLocation(table, row=row))
    assert labels.finding_words(result)


# Keys ---------------------------------------------------------------------------------------------

REVOKED = KEYS.c.reason != ""


def another_public_key(connection: Connection) -> None:
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    der = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    update(KEYS, REVOKED, public_key=der)(connection)


def second_key(connection: Connection) -> None:
    row = connection.execute(sa.select(KEYS).where(REVOKED)).mappings().one()
    more = {"id": fresh(), "number": 99, "fingerprint": OTHER}
    connection.execute(sa.insert(KEYS).values({**row, **more}))


KEY_CASES: dict[str, tuple[Act, Fault]] = {
    "public key edited": (another_public_key, Fault.NOT_BOUND),
    "number edited": (update(KEYS, REVOKED, number=99), Fault.NOT_BOUND),
    "put in": (second_key, Fault.NOT_BOUND),
    "revocation taken back": (update(KEYS, REVOKED, revoked_at=None, reason=""), Fault.END_CHANGED),
    "reason taken out": (update(KEYS, REVOKED, reason=""), Fault.END_CHANGED),
    "reason edited": (update(KEYS, REVOKED, reason="None."), Fault.END_CHANGED),
    "revoked at another time": (update(KEYS, REVOKED, revoked_at=clock.now()), Fault.END_CHANGED),
    "retired": (update(KEYS, REVOKED, retired_at=clock.now()), Fault.END_CHANGED),
    "taken out": (delete(KEYS, REVOKED), Fault.ROW_GONE),
}


@pytest.mark.few_on_postgresql(3)
@pytest.mark.parametrize("case", KEY_CASES)
def test_a_key_tampered_with_is_named(signed: Signed, case: str) -> None:
    number = signing_keys.current(KeyUse.DOCUMENT).number
    signing_keys.revoke(KeyUse.DOCUMENT, number, "The server was stolen.")
    db.session.commit()
    act, fault = KEY_CASES[case]
    result = finding(act)
    assert result is not None
    assert result.fault is fault
    assert result.place.table is (Table.EVENT if fault is Fault.ROW_GONE else Table.EVIDENCE_KEY)
    assert labels.finding_words(result)


def test_a_checkpoint_of_a_key_that_is_not_there_is_named(logged: list[Checkpoint]) -> None:
    result = finding(delete(KEYS, KEYS.c.use == KeyUse.CHECKPOINT))
    assert result == Finding(Fault.BELONGS_NOWHERE, RowLocation(Table.CHECKPOINT, row="3"))


# Anchors ------------------------------------------------------------------------------------------


def verify(app: Flask, *files: Path) -> Result:
    options = [part for file in files for part in ("--anchor", str(file))]
    return app.test_cli_runner().invoke(args=["audit", "verify", *options])


def saved(folder: Path, text: str, name: str = "anchor.txt") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_an_anchor_that_was_kept_elsewhere_agrees(
    app: Flask, logged: list[Checkpoint], tmp_path: Path
) -> None:
    files = [saved(tmp_path, checkpoint.text(), f"{checkpoint.size}.txt") for checkpoint in logged]
    result = verify(app, *files)
    assert result.exit_code == 0, result.output
    assert "anchors 4," in result.stdout


def test_an_anchor_reveals_a_restored_older_database(
    app: Flask, logged: list[Checkpoint], tmp_path: Path
) -> None:
    """All later rows are gone, with everything that refers to them: nothing inside shows it."""
    last = logged[-1]
    later = replace(last, size=last.size + 1)
    result = verify(app, saved(tmp_path, later.text()))
    assert result.exit_code == 1
    assert (
        f"The checkpoint of size {later.size}: This checkpoint doesn't exist here" in result.output
    )


def test_an_anchor_reveals_a_rebuilt_log(
    app: Flask, logged: list[Checkpoint], tmp_path: Path
) -> None:
    other = replace(logged[1], root=OTHER)
    result = verify(app, saved(tmp_path, other.text()))
    assert result.exit_code == 1
    assert "is a different one: the log was recreated" in result.output


def test_a_file_that_holds_no_checkpoint_is_refused(
    app: Flask, logged: list[Checkpoint], tmp_path: Path
) -> None:
    result = verify(app, saved(tmp_path, "words"))
    assert result.exit_code == 2
    assert "contains no checkpoint" in result.output
