"""Terms whose bytes were changed in the database: nobody signs or countersigns on them."""

import pytest
import sqlalchemy as sa

from tests.factories.evidence.tampering import REVISIONS, hands
from tests.factories.undertakings import Stage
from tracker.core.db import db
from tracker.core.errors import RefusedError
from tracker.signoff.models import Revision

PERSON, SIGNED = "leyla", "joana"


def test_nobody_signs_or_countersigns_on_terms_that_differ_from_their_digest(stage: Stage) -> None:
    stage.sign(SIGNED)
    stage.put_in(PERSON)
    terms_id = stage.undertaking(PERSON).terms_revision_id
    document = db.session.get_one(Revision, terms_id).document
    db.session.commit()
    with hands() as connection:
        connection.execute(
            sa.update(REVISIONS)
            .where(REVISIONS.c.id == terms_id)
            .values(document=document.replace(b'"salt":"', b'"salt":"0'))
        )
    db.session.expire_all()
    for act in (lambda: stage.sign(PERSON), lambda: stage.countersign(SIGNED)):
        with pytest.raises(RefusedError, match="Don't rely on it"):
            act()
        db.session.rollback()
    assert not stage.is_cleared(SIGNED)
