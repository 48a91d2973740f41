"""Names beside lines are compared with few events, however many there are about other people."""

from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import plans
from tests.bench import growth
from tests.effort import tries
from tests.factories.demonstration import Demonstration
from tracker.accounts import bound
from tracker.accounts.models import User
from tracker.activity.models import IS_OF_THE_INSTANCE, Chain, Event
from tracker.activity.verbs import ROWS_NOTED
from tracker.core.db import db
from tracker.organisations.models import Organisation

MANY = tries(short=2_000, long=50_000)


@pytest.mark.both_databases
def test_changes_of_another_persons_row_cost_a_list_of_names_nothing(
    app: Flask, demonstration: Demonstration
) -> None:
    with app.app_context():
        iris = demonstration.users["iris"]
        change_again_and_again(db.session.get_one(User, iris))
        db.session.remove()
        people = set(db.session.scalars(sa.select(User.id).where(User.id != iris)))
        bodies = set(db.session.scalars(sa.select(Organisation.id)))
        taken = growth.Taken()
        with growth.noted(taken):
            assert bound.differing(people, bodies) == frozenset()
        connection = db.session.connection()
        used = plans.indexes(connection, taken.statements)
        rows = [len(connection.exec_driver_sql(*statement).all()) for statement in taken.statements]
    assert {name for name in used if "event" in name} == {"ix_event_subject"}
    assert len(rows) == 2
    assert sum(rows) < 6 * len(people | bodies) < MANY


def change_again_and_again(user: User) -> None:
    """Have many events bind a person's row, copied from the one that its change in fact makes."""
    user.language = "ar"
    db.session.commit()
    chain = db.session.scalars(sa.select(Chain).where(IS_OF_THE_INSTANCE)).one()
    noted = db.session.scalars(
        sa.select(Event).where(Event.chain_id == chain.id, Event.number == chain.count)
    ).one()
    assert (noted.verb, list(noted.state or {})) == (ROWS_NOTED.name, ["user"])
    values = {column.key: getattr(noted, column.key) for column in sa.inspect(Event).column_attrs}
    db.session.execute(
        sa.insert(Event),
        [{**values, "id": uuid4(), "number": noted.number + more} for more in range(1, MANY)],
    )
    db.session.execute(
        sa.update(Chain).where(Chain.id == chain.id).values(count=noted.number + MANY - 1)
    )
    # As in a real instance.
    db.session.execute(sa.text("ANALYZE"))
    db.session.commit()
