"""Terms, roles and names changed in the database: nobody signs or countersigns by them."""

import re
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories.evidence.tampering import REVISIONS, hands, table_of
from tests.factories.undertakings import Clearing
from tracker.accounts.models import Membership, User
from tracker.cooperations.models import Cooperation
from tracker.core.db import Base, db
from tracker.core.errors import RefusedError
from tracker.organisations.models import Organisation
from tracker.signoff.models import Revision
from tracker.undertakings.models import Undertaking

PERSON, SIGNED = "leyla", "joana"


def test_nobody_signs_or_countersigns_on_terms_that_differ_from_their_digest(
    clearing: Clearing,
) -> None:
    clearing.sign(SIGNED)
    clearing.put_in(PERSON)
    terms_id = clearing.undertaking(PERSON).terms_revision_id
    document = db.session.get_one(Revision, terms_id).document
    db.session.commit()
    with hands() as connection:
        connection.execute(
            sa.update(REVISIONS)
            .where(REVISIONS.c.id == terms_id)
            .values(document=document.replace(b'"salt":"', b'"salt":"0'))
        )
    db.session.expire_all()
    for act in (lambda: clearing.sign(PERSON), lambda: clearing.countersign(SIGNED)):
        with pytest.raises(RefusedError, match="Don't rely on it"):
            act()
        db.session.rollback()
    assert not clearing.is_cleared(SIGNED)


@pytest.mark.parametrize(
    ("model", "values"),
    [(Membership, {"office": "Secretary general"}), (User, {"name": "The Minister"})],
)
def test_nobody_countersigns_by_a_role_or_a_name_that_was_changed_by_hand(
    clearing: Clearing, model: type[Base], values: dict[str, str]
) -> None:
    clearing.sign(SIGNED)
    tomas = clearing.actor("tomas").user_id
    change(model, tomas, values)
    with pytest.raises(RefusedError, match="differs from the history"):
        clearing.countersign(SIGNED)
    db.session.rollback()
    assert not clearing.is_cleared(SIGNED)


@pytest.mark.parametrize("model", [User, Organisation])
def test_nobody_signs_their_undertaking_by_a_name_that_was_changed_by_hand(
    clearing: Clearing, model: type[Base]
) -> None:
    clearing.put_in(PERSON)
    actor = clearing.actor(PERSON)
    whose = actor.user_id if model is User else actor.organisation_id
    assert whose is not None
    change(model, whose, {"name": "Somebody Else"})
    with pytest.raises(RefusedError, match="differs from the history"):
        clearing.sign(PERSON)
    db.session.rollback()
    assert not clearing.is_cleared(PERSON)


def change(model: type[Base], whose: UUID, values: dict[str, str]) -> None:
    """Change a row, or a person's role, as somebody with the database's password does."""
    db.session.commit()
    table = table_of(model)
    column = table.c.user_id if model is Membership else table.c.id
    with hands() as connection:
        connection.execute(sa.update(table).where(column == whose).values(**values))
    db.session.expire_all()


def test_nobody_vanishes_from_the_lists_with_an_undertaking_that_was_altered(
    clearing: Clearing, app: Flask
) -> None:
    clearing.sign(SIGNED)
    clearing.countersign(SIGNED)
    undertaking = clearing.undertaking(SIGNED)
    row_id, row = undertaking.id, undertaking.cooperation_id
    name = undertaking.user.name
    reference = db.session.get_one(Cooperation, row).reference
    listed = f"/cooperations/{reference}/undertakings"
    addresses = (listed, "/register/undertakings", f"{listed}/{row_id}")
    milan = clearing.browser(app, "milan")
    one_is_cleared = ", 1 is cleared."
    assert one_is_cleared in milan.page(listed).text
    of_those = re.compile(r"1 of \d people asked are cleared")
    assert of_those.search(milan.page(f"/cooperations/{reference}").text)
    assert not any("match its signatures" in milan.page(page).text for page in addresses)
    table = table_of(Undertaking)
    for column in ("terms_revision_id", "user_id", "organisation_id"):
        before = getattr(clearing.undertaking(SIGNED), column)
        alter(table, row_id, {column: uuid4()})
        for address in addresses[:2]:
            text = milan.page(address).text
            assert "Doesn't match its signatures" in text, (column, address)
            assert one_is_cleared not in text
        assert not of_those.search(milan.page(f"/cooperations/{reference}").text), column
        assert "Don't rely on it" in milan.page(addresses[2], 403).text
        alter(table, row_id, {column: before})
    alter(table, row_id, {"cooperation_id": uuid4()})
    text = milan.page(listed).text
    assert "their undertakings are missing here" in text
    assert name in text


def alter(table: sa.Table, row_id: UUID, values: dict[str, object]) -> None:
    db.session.commit()
    with hands() as connection:
        connection.execute(sa.update(table).where(table.c.id == row_id).values(**values))
    db.session.expire_all()
