"""Loading several checklists together: the same result as one by one, in as many queries as one."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tracker.checklists.loading import LoadedChecklist, load, load_all
from tracker.checklists.models import Checklist
from tracker.cooperations import keys
from tracker.core.db import db

pytestmark = pytest.mark.both_databases

Statements = Callable[[], AbstractContextManager[list[str]]]


def everything(session: Session) -> list[Checklist]:
    return list(session.scalars(sa.select(Checklist).order_by(Checklist.id)))


def seen_by_rules(loaded: LoadedChecklist) -> tuple[object, ...]:
    """Return everything that policies and pages read."""
    return (
        loaded.checklist.id,
        loaded.cooperation.id,
        loaded.standing(),
        loaded.surroundings,
        dict(loaded.sheet.answers),
        loaded.sheet.authors,
        dict(loaded.people),
        loaded.names,
        loaded.positions,
        loaded.proposals,
        loaded.turned_down,
        loaded.flags,
        loaded.review,
    )


def test_loading_several_checklists_gives_the_same_as_loading_each(
    session: Session, demonstration: Demonstration
) -> None:
    checklists = everything(session)
    together = load_all(checklists)
    assert together.keys() == {checklist.id for checklist in checklists}
    for single in checklists:
        assert seen_by_rules(together[single.id]) == seen_by_rules(load(single))


def test_several_take_as_many_queries_as_one(
    session: Session, demonstration: Demonstration, statements: Statements
) -> None:
    roles = session.get_one(Checklist, demonstration.checklists["complete", "visit_roles"])
    # Templates are read once per process; whether this one has, depends on the tests before.
    load_all(everything(session))
    counts = []
    for wanted in ([roles], everything(session)):
        db.session.info.pop("cooperation_keys", None)
        session.expunge_all()
        with statements() as sent:
            load_all(wanted)
        counts.append(len(sent))
    # One more each for suggestions, flags and second readings, since there are some.
    assert counts[0] <= counts[1] <= counts[0] + 3


def test_keys_are_fetched_together_and_held(
    session: Session, demonstration: Demonstration, statements: Statements
) -> None:
    wanted = set(demonstration.cooperations.values())
    apart = {cooperation_id: keys.key_of(cooperation_id) for cooperation_id in wanted}
    db.session.info.pop("cooperation_keys")
    session.expunge_all()
    with statements() as sent:
        keys.hold(wanted)
        assert {cooperation_id: keys.key_of(cooperation_id) for cooperation_id in wanted} == apart
        keys.hold(wanted)
    assert len(sent) == 1
