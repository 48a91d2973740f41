"""Undertakings frozen in the first format are read and certified like new ones."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories.evidence.bundles import judged
from tests.factories.evidence.certificates import make_all, words_of
from tests.factories.evidence.leaves import unseen
from tests.factories.undertakings import TOLD, Clearing
from tracker.agreements import frozen_text
from tracker.cooperations import keys
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.evidence.bundles import (
    bundle,
    container,
    parts,
    service,
)
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision
from tracker.undertakings import frozen_text as undertakings
from tracker.undertakings.document import document


@pytest.fixture
def former(clearing: Clearing, monkeypatch: pytest.MonkeyPatch) -> Revision:
    """An undertaking signed and countersigned when texts had only one language."""

    def as_it_was(*given: Any, **named: Any) -> dict[str, Any]:
        return first_shape(document(*given, **named))

    monkeypatch.setattr("tracker.undertakings.service.document", as_it_was)
    monkeypatch.setattr(signoff, "FORMAT", frozen_text.FIRST)
    clearing.sign("leyla", TOLD)
    clearing.decide("leyla")
    clearing.countersign("leyla")
    db.session.commit()
    return db.session.scalars(sa.select(Revision).where(Revision.kind == "undertaking")).one()


def first_shape(today: Mapping[str, Any]) -> dict[str, Any]:
    """Return an undertaking in the first format, only in English."""
    gone = {"template", "languages", "binding_language", "time_zone"}
    old_document = {key: _in_english(value) for key, value in today.items() if key not in gone}
    del old_document["briefing"]["day"]
    return old_document | {"language": "en", "template_version": today["template"]["version"]}


def _in_english(tree: Any) -> Any:
    if isinstance(tree, dict):
        if "en" in tree:
            return tree["en"]
        return {key: _in_english(value) for key, value in tree.items()}
    return [_in_english(value) for value in tree] if isinstance(tree, list) else tree


def _read(revision: Revision) -> dict[str, Any]:
    return signoff.document_of(revision, keys.key_of(revision.cooperation_id))


def test_an_undertaking_in_the_first_shape_reads_like_a_new_one(former: Revision) -> None:
    text = undertakings.read(_read(former), "ar")
    assert (text.language, text.interests) == ("en", TOLD)
    assert text.points[0][0] == "C6"


def test_its_certificate_is_made_and_says_all_of_it(former: Revision) -> None:
    revision_id, document_read = former.id, _read(former)
    (row,) = make_all()[revision_id]
    assert unseen(document_read, words_of(row), "en", "en") == []


def test_two_verifiers_find_that_its_person_signed_it_and_another_countersigned(
    former: Revision,
) -> None:
    revision_id, cooperation = former.id, db.session.get_one(Cooperation, former.cooperation_id)
    assert make_all()[revision_id]
    taken = service.export(None, cooperation.id, cooperation.reference)
    db.session.commit()
    whole = replace(taken, revision_ids=taken.revision_ids | {revision_id})
    data = bundle.build(whole)
    assert judged(data) == {}
    names = container.unpack(data)
    assert len([name for name in names if name.startswith(parts.CERTIFICATES)]) > 1
