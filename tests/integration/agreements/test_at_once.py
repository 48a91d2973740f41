"""Two people sign at the same moment: both count, and one of them completes (issue 4, point 4)."""

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.at_once import at_once, before_commit
from tests.effort import tries
from tests.factories import checklists
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY
from tests.integration.agreements.test_signers import (
    party,
    pass_on,
    send,
    sign,
)
from tracker.access.actor import Actor
from tracker.activity import queries as trail
from tracker.agreements import amendments, notices, renewal, signature_requests
from tracker.agreements import service as agreements
from tracker.checklists.models import Checklist, ChecklistState, NoticeKind
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity
from tracker.signoff.models import RequestState, Signature, SignatureRequest

pytestmark = pytest.mark.both_databases

Act = Callable[[Checklist], object]


def on_checklist(app: Flask, checklist_id: UUID, *acts: Act) -> list[Exception]:
    """Start every act on a checklist at the same moment; return the errors."""

    def of(act: Act) -> Callable[[], object]:
        return lambda: act(db.session.get_one(Checklist, checklist_id))

    return at_once(app, *(of(act) for act in acts))


def signs(actor: Actor) -> Act:
    return lambda checklist: checklists.sign(checklist, actor)


def count(checklist_id: UUID, verb: str) -> int:
    lines = trail.subject_history(*_scope(checklist_id))
    return sum(line.verb == verb for line in lines)


def _scope(checklist_id: UUID) -> tuple[UUID, list[UUID]]:
    cooperation_id = db.session.get_one(Checklist, checklist_id).cooperation_id
    signatures = db.session.scalars(sa.select(Signature.id)).all()
    return cooperation_id, [checklist_id, *signatures]


def seen(checklist_id: UUID) -> tuple[ChecklistState, RequestState, int]:
    db.session.rollback()
    checklist = db.session.get_one(Checklist, checklist_id, populate_existing=True)
    request = db.session.scalars(
        sa.select(SignatureRequest).execution_options(populate_existing=True)
    ).one()
    number = db.session.scalar(sa.select(sa.func.count()).select_from(Signature)) or 0
    return checklist.state, request.state, number


@pytest.mark.parametrize("turn", range(tries(2, 4)))
def test_two_simultaneous_last_signatures_both_count_and_one_completes(
    app: Flask, many: Negotiation, turn: int
) -> None:
    send(many)
    sign(many, "otto")
    checklist_id = many.checklist().id
    actors = [many[first] for first in ("tomas", "henrik")]
    many.session.commit()
    assert on_checklist(app, checklist_id, *(signs(actor) for actor in actors)) == []
    assert seen(checklist_id) == (ChecklistState.IN_FORCE, RequestState.COMPLETED, 3)
    assert count(checklist_id, "signed") == 3
    assert count(checklist_id, "came_into_force") == 1
    db.session.rollback()
    assert integrity.check_all().finding is None


def test_only_one_of_two_possible_signatories_signs_the_last_place(
    app: Flask, many: Negotiation
) -> None:
    send(many, party(many, "npm", "tomas", "milan", needed=1))
    sign(many, "otto", "henrik")
    checklist_id = many.checklist().id
    actors = [many[first] for first in ("tomas", "milan")]
    many.session.commit()
    (error,) = on_checklist(app, checklist_id, *(signs(actor) for actor in actors))
    assert isinstance(error, RefusedError | RuleBrokenError)
    assert seen(checklist_id) == (ChecklistState.IN_FORCE, RequestState.COMPLETED, 3)


def test_the_same_person_in_two_windows_signs_only_once(app: Flask, many: Negotiation) -> None:
    send(many)
    checklist_id, tomas = many.checklist().id, many["tomas"]
    many.session.commit()
    (error,) = on_checklist(app, checklist_id, signs(tomas), signs(tomas))
    assert isinstance(error, RefusedError | RuleBrokenError)
    assert seen(checklist_id) == (ChecklistState.SENT, RequestState.WAITING, 1)


@pytest.mark.parametrize("turn", range(tries(1, 2)))
def test_the_last_signature_and_a_call_back_never_both_win(
    app: Flask, many: Negotiation, turn: int
) -> None:
    send(many)
    sign(many, "otto", "henrik")
    checklist_id, tomas, ilena = many.checklist().id, many["tomas"], many["ilena"]
    many.session.commit()
    (error,) = on_checklist(
        app,
        checklist_id,
        signs(tomas),
        lambda checklist: agreements.call_back(ilena, checklist, reason="A wrong date."),
    )
    assert isinstance(error, RefusedError | RuleBrokenError)
    assert seen(checklist_id) in {
        (ChecklistState.IN_FORCE, RequestState.COMPLETED, 3),
        (ChecklistState.DRAFTING, RequestState.WITHDRAWN, 2),
    }


def test_a_line_is_signed_or_passed_on_and_not_both(app: Flask, many: Negotiation) -> None:
    send(many)
    checklist_id, tomas, ilena = many.checklist().id, many["tomas"], many["ilena"]
    greta = many.country.users["greta"].id
    many.session.commit()
    failed = on_checklist(
        app,
        checklist_id,
        signs(tomas),
        lambda checklist: signature_requests.pass_on(
            ilena,
            checklist,
            tomas.user_id,
            greta,
            page=agreements.page_with(checklist),
            reason="He is away.",
        ),
    )
    assert len(failed) == 1
    assert isinstance(failed[0], RefusedError | RuleBrokenError)
    many.session.rollback()
    places = db.session.scalars(
        sa.select(SignatureRequest).execution_options(populate_existing=True)
    ).one()
    assert places.state is RequestState.WAITING


def amended(negotiation: Negotiation) -> UUID:
    """Open an amendment of the small terms in force, and agree on it as it was."""
    negotiation.sign()
    agreements.amend(
        negotiation["ilena"], negotiation.checklist(), reason="A new law.", items=["M1"]
    )
    negotiation.accept("M1", "ilena", "samira", "joana")
    return negotiation.checklist().id


def calls_off(actor: Actor) -> Act:
    return lambda checklist: amendments.call_off(actor, checklist, reason="Not needed.")


def test_two_people_call_off_an_amendment_at_once_and_it_is_called_off_once(
    app: Flask, negotiation: Negotiation
) -> None:
    checklist_id = amended(negotiation)
    acts = [calls_off(negotiation[first]) for first in ("ilena", "samira")]
    negotiation.session.commit()
    (error,) = on_checklist(app, checklist_id, *acts)
    assert isinstance(error, RefusedError)
    assert count(checklist_id, "amendment_called_off") == 1
    assert negotiation.checklist().state is ChecklistState.IN_FORCE
    negotiation.session.rollback()
    assert integrity.check_all().finding is None


def test_an_amendment_is_called_off_or_sent_and_not_both(
    app: Flask, negotiation: Negotiation
) -> None:
    checklist_id = amended(negotiation)
    ilena, signatories = negotiation["ilena"], negotiation.signatories
    acts = calls_off(negotiation["samira"]), lambda text: checklists.send(text, ilena, signatories)
    negotiation.session.commit()
    (error,) = on_checklist(app, checklist_id, *acts)
    assert isinstance(error, RefusedError | RuleBrokenError)
    db.session.rollback()
    was_sent = count(checklist_id, "sent_for_signature") == 2
    assert was_sent is (count(checklist_id, "amendment_called_off") == 0)
    state = ChecklistState.SENT if was_sent else ChecklistState.IN_FORCE
    assert negotiation.checklist().state is state
    negotiation.session.rollback()
    assert integrity.check_all().finding is None


def test_terms_that_are_suspended_meanwhile_are_not_renewed(
    app: Flask, in_force: Negotiation
) -> None:
    tomas, joana, today = in_force["tomas"], in_force["joana"], clock.today()
    checklist_id = in_force.checklist().id
    in_force.session.commit()

    def suspend() -> None:
        checklist = db.session.get_one(Checklist, checklist_id)
        notices.give_notice(tomas, checklist, NoticeKind.SUSPENDED, reason="It isn't safe.")

    def renew() -> None:
        renewal.propose_renewal(
            joana,
            db.session.get_one(Checklist, checklist_id),
            review=today + 500 * DAY,
            end=today + 600 * DAY,
            reason="It went well.",
        )

    (error,) = before_commit(app, suspend, renew)
    assert isinstance(error, RefusedError)
    db.session.rollback()
    checklist = in_force.checklist()
    assert (checklist.state, checklist.open_items) == (ChecklistState.SUSPENDED, None)


def test_what_is_rolled_back_before_the_commit_leaves_nothing(
    app: Flask, many: Negotiation
) -> None:
    """The last signature, the state and both events are one transaction."""
    send(many)
    sign(many, "otto", "henrik")
    checklist_id = many.checklist().id
    checklists.sign(many.checklist(), many["tomas"])
    many.session.rollback()
    assert seen(checklist_id) == (ChecklistState.SENT, RequestState.WAITING, 2)
    assert count(checklist_id, "came_into_force") == 0
    pass_on(many, "tomas", "tomas", "greta")
    sign(many, "greta")
    assert seen(checklist_id) == (ChecklistState.IN_FORCE, RequestState.COMPLETED, 3)
