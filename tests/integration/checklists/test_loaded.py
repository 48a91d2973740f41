"""A transaction reads a checklist again only after it changed."""

import datetime as dt
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.checklists import flag_term
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import a_field, a_template, an_item
from tracker.activity.service import lock_chain
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import heads, loading, parts, queries, service
from tracker.checklists.heads import lock
from tracker.checklists.loaded import READ_BY
from tracker.checklists.loading import load, load_for_update
from tracker.checklists.models import Answer, Checklist, ChecklistParty
from tracker.checklists.negotiation import positions
from tracker.cooperations.models import CooperationPerson
from tracker.core.db import db

Statements = Callable[[], AbstractContextManager[list[str]]]

_EXISTS = re.compile(r"EXISTS \(SELECT .*?\)", re.DOTALL)


def reads(sent: list[str]) -> list[str]:
    """Return the tables that statements read, each as often as it was read."""
    whole = [_EXISTS.sub("", statement) for statement in sent]
    selects = [statement.split() for statement in whole if statement.startswith("SELECT")]
    return [_first_table(words) for words in selects]


def _first_table(words: list[str]) -> str:
    after = words[words.index("FROM") + 1 :]
    return _first_table(after) if after[0] == "(SELECT" else after[0].strip('"')


def test_a_checklist_is_read_once_in_a_transaction(
    negotiation: Negotiation, statements: Statements
) -> None:
    checklist = negotiation.checklist()
    before = load_for_update(checklist)
    with statements() as sent:
        assert load(checklist) is before
        assert load_for_update(checklist) is before
    assert sent == []


def test_after_an_answer_nothing_is_read_again_but_what_it_changed(
    negotiation: Negotiation, statements: Statements
) -> None:
    checklist = negotiation.checklist()
    load_for_update(checklist)
    answer = negotiation.save("ilena", "M1")
    load_for_update(checklist)
    with statements() as sent:
        _write_again(answer)
        after = load(checklist)
    assert set(reads(sent)) == {"answer"}
    shared = after.sheet.shared("M1")
    assert shared is not None
    assert shared.version == 2


@pytest.mark.parametrize("scope", [AnswerScope.SHARED, AnswerScope.PARTY])
def test_an_answer_just_saved_is_as_it_is_read_later(
    session: Session, statements: Statements, scope: AnswerScope
) -> None:
    """The answers that were read stay in step with what is written, and aren't read again."""
    words_of_all, words_of_each = a_field(), a_field(sets="each_party", accepts="none")
    field = words_of_all if scope is AnswerScope.SHARED else words_of_each
    negotiation = set_out(session, template=a_template(an_item("M1", field), an_item("M2")))
    negotiation.save("samira", "M2", words="Of another.")
    session.commit()
    checklist, ilena = negotiation.checklist(), negotiation["ilena"]
    for version, words in enumerate(("First.", "Second.")):
        load_for_update(checklist)
        with statements() as sent:
            service.save_answer(
                ilena, checklist, "M1", scope, {"words": words}, base_version=version
            )
            in_step = load(checklist).sheet
        assert "answer" not in reads(sent)
        session.commit()
        read_anew = load(negotiation.checklist()).sheet
        assert in_step.answers == read_anew.answers
        assert in_step.authors == read_anew.authors


def _write_again(before: Answer) -> None:
    """Add a version of an answer by hand, as a service function does within its transaction."""
    db.session.execute(sa.update(Answer).where(Answer.id == before.id).values(is_current=False))
    db.session.add(
        Answer(
            checklist_id=before.checklist_id,
            item=before.item,
            scope=AnswerScope.SHARED,
            taken_over=False,
            owner_id=before.owner_id,
            version=2,
            values={"words": "Again."},
            author_id=before.author_id,
            organisation_id=before.organisation_id,
            saved_at=before.saved_at,
        )
    )


def test_a_removed_person_is_no_longer_among_the_people(negotiation: Negotiation) -> None:
    checklist = negotiation.checklist()
    user_id = negotiation.country.users["dora"].id
    negotiation.country.session.commit()
    assert user_id in load(checklist).people
    row = db.session.scalars(
        sa.select(CooperationPerson).where(CooperationPerson.user_id == user_id)
    ).one()
    row.until_on = row.from_on - dt.timedelta(days=365)
    assert user_id not in load(checklist).people


def test_the_writers_of_a_loaded_checklist_take_one_statement_and_follow_its_parties(
    negotiation: Negotiation, statements: Statements
) -> None:
    checklist = negotiation.checklist()
    negotiation.session.commit()
    load(checklist)
    with statements() as sent:
        writers = {person.user_id for person in queries.writers(checklist)}
    assert len(sent) == 1
    samira = negotiation.country.users["samira"].id
    assert samira in writers
    db.session.delete(
        db.session.get_one(
            ChecklistParty,
            {"checklist_id": checklist.id, "organisation_id": negotiation.country.id("door")},
        )
    )
    db.session.flush()
    assert samira not in {person.user_id for person in queries.writers(checklist)}


def test_whether_a_person_writes_comes_with_the_checklist_until_something_is_written(
    negotiation: Negotiation, statements: Statements
) -> None:
    checklist_id = negotiation.checklist().id
    negotiation.session.commit()
    samira, auditor, outsider = (negotiation[first] for first in ("samira", "ada", "marek"))
    assert heads.find(outsider, checklist_id) is None
    seen = heads.find(auditor, checklist_id)
    assert seen is not None
    with statements() as sent:
        assert not heads.writes_on(auditor, seen)
    assert sent == []
    with statements() as sent:
        checklist = heads.find(samira, checklist_id)
        assert checklist is not None
        assert heads.writes_on(samira, checklist)
    assert len(sent) == 1
    db.session.delete(
        db.session.get_one(
            ChecklistParty,
            {"checklist_id": checklist.id, "organisation_id": negotiation.country.id("door")},
        )
    )
    db.session.flush()
    assert not heads.writes_on(samira, checklist)


def test_rolled_back_changes_are_read_again(negotiation: Negotiation) -> None:
    checklist = negotiation.checklist()
    load_for_update(checklist)
    savepoint = db.session.begin_nested()
    db.session.add(_reading_of(checklist))
    assert load(checklist).sheet.shared("M1") is not None
    savepoint.rollback()
    assert load(checklist).sheet.shared("M1") is None


def _reading_of(checklist: Checklist) -> Answer:
    author = db.session.scalars(
        sa.select(CooperationPerson).where(
            CooperationPerson.cooperation_id == checklist.cooperation_id
        )
    ).first()
    assert author is not None
    return Answer(
        checklist_id=checklist.id,
        item="M1",
        scope=AnswerScope.SHARED,
        taken_over=False,
        owner_id=checklist.id,
        version=1,
        values={"words": "Not kept."},
        is_current=True,
        not_applicable=False,
        author_id=author.user_id,
        organisation_id=author.organisation_id,
        saved_at=checklist.started_at,
    )


@pytest.mark.both_databases
@pytest.mark.parametrize("hold", [lock, lambda checklist: lock_chain(checklist.cooperation_id)])
def test_changes_made_before_the_lock_are_read(
    negotiation: Negotiation, hold: Callable[[Checklist], object]
) -> None:
    checklist = negotiation.checklist()
    negotiation.session.commit()
    assert load(checklist).sheet.shared("M1") is None
    written = _reading_of(checklist)
    columns = {column.key: getattr(written, column.key) for column in Answer.__table__.columns}
    if db.engine.dialect.name == "sqlite":
        db.session.commit()  # one writer at a time: nobody writes during this transaction
    with db.engine.begin() as other:
        other.execute(sa.insert(Answer).values(**columns | {"id": uuid4()}))
    hold(checklist)
    answer = load(checklist).sheet.shared("M1")
    assert answer is not None


def test_locking_a_checklist_locks_its_chain_too(
    negotiation: Negotiation, statements: Statements
) -> None:
    checklist = negotiation.checklist()
    negotiation.session.commit()
    lock(checklist)
    with statements() as sent:
        lock_chain(checklist.cooperation_id)
        lock(checklist)
    assert sent == []


def test_every_table_that_is_read_is_watched() -> None:
    """A change in a table that is not watched would not be seen in the same transaction."""
    statements: list[sa.Select[Any]] = [
        value
        for module in (loading, heads, parts)
        for value in vars(module).values()
        if isinstance(value, sa.Select)
    ]
    names = {
        table.name
        for statement in statements
        for table in sa.sql.visitors.iterate(statement.get_final_froms()[0])
        if isinstance(table, sa.Table)
    }
    relations = {
        "user",
        "organisation",
        "checklist_template",
        "checklist_party",
        "party",
    }
    assert len(statements) > 8
    assert names | relations <= READ_BY.keys()


def test_saving_an_answer_reads_the_checklist_once_and_then_what_changed(
    negotiation: Negotiation, statements: Statements
) -> None:
    negotiation.save("ilena", "M3")
    checklist, ilena = negotiation.checklist(), negotiation["ilena"]
    negotiation.session.commit()
    with statements() as sent:
        service.save_answer(
            ilena,
            checklist,
            "M1",
            AnswerScope.SHARED,
            {"words": "As agreed."},
            base_version=0,
        )
        negotiation.session.commit()
    often = {name: reads(sent).count(name) for name in ("flag", "proposal")}
    assert often == {"flag": 0, "proposal": 0}
    assert sum("JOIN checklist_party" in statement for statement in sent) == 2


def test_a_flag_raised_and_a_suggestion_made_are_read_in_the_same_transaction(
    negotiation: Negotiation,
) -> None:
    checklist = negotiation.checklist()
    negotiation.save("ilena", "M1")
    before = load_for_update(checklist)
    assert (before.flags, before.proposals) == ((), ())
    flag = flag_term(negotiation["samira"], checklist, "M1", "It limits visits.")
    assert load(checklist).flags == (flag,)
    answer = before.sheet.shared("M1")
    assert answer is not None
    proposal = positions.propose(
        negotiation["samira"],
        checklist,
        "M1",
        {"words": "As we see it."},
        answer_id=answer.answer_id,
        reason="Shorter.",
    )
    assert load(checklist).proposals == (proposal,)
