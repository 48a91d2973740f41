"""A party that leaves while the others amend a text, sign it, or wait for another to join."""

import pytest

from tests import due
from tests.factories import agreements
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, NOTICE, SIGNERS, Clock
from tests.integration.agreements.notices.test_notices import state
from tests.integration.agreements.parties.test_joining import ALL_SIGNERS, invite, is_joining
from tests.integration.agreements.parties.test_leaving import go_to, notify, parties
from tracker.agreements import service as agreements_service
from tracker.checklists import obstacles
from tracker.checklists.models import ChecklistState
from tracker.checklists.negotiation import positions
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity

STAYING = {key: first for key, first in SIGNERS.items() if key != "lantern"}


def amend(negotiation: Negotiation) -> None:
    agreements_service.amend(
        negotiation["ilena"], negotiation.checklist(), reason="A longer notice.", items=["M20"]
    )
    negotiation.session.commit()


def sign(negotiation: Negotiation, *firsts: str) -> None:
    agreements.sign(negotiation.country, negotiation.checklist(), *firsts)
    negotiation.session.commit()


def send(negotiation: Negotiation, signers: dict[str, str]) -> None:
    agreements.send(negotiation.country, negotiation.checklist(), signers)
    negotiation.session.commit()


def test_what_a_party_suggested_in_an_amendment_ends_when_it_leaves(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    signed = in_force.checklist().revision_in_force_id
    amend(in_force)
    before = agreements.current(in_force.checklist(), "M20")
    longer = {**before.values, "notice_days": NOTICE * 2}

    def suggest(first: str) -> object:
        return positions.propose(
            in_force[first],
            in_force.checklist(),
            "M20",
            longer,
            answer_id=before.answer_id,
            reason="We need more time.",
        )

    suggest("joana")
    in_force.session.commit()
    notify(in_force)
    assert go_to(in_force, frozen_time, NOTICE) == 1
    assert in_force.loaded().proposals == ()
    assert "suggestion" not in " ".join(map(str, obstacles.to_sending(in_force.loaded())))
    with pytest.raises(RefusedError):
        suggest("joana")
    in_force.session.rollback()
    # The amendment goes on among the others, who aren't asked to wait for it.
    assert in_force.checklist().revision_in_force_id == signed
    suggest("samira")
    (proposal,) = in_force.loaded().proposals
    positions.accept_proposal(in_force["ilena"], in_force.checklist(), proposal.id)
    in_force.session.commit()
    assert in_force.waiting("M20") == set()
    send(in_force, STAYING)
    sign(in_force, *STAYING.values())
    assert state(in_force) is ChecklistState.IN_FORCE
    assert integrity.check_all().finding is None


@pytest.mark.parametrize(
    ("before", "last"),
    [(("tomas", "otto"), "henrik"), (("tomas", "henrik"), "otto")],
)
def test_nobody_signs_a_text_with_a_party_whose_last_day_has_passed(
    in_force: Negotiation, frozen_time: Clock, before: tuple[str, ...], last: str
) -> None:
    """Even before the worker has removed it; then the others sign a text that doesn't name it."""
    signed = in_force.checklist().revision_in_force_id
    amend(in_force)
    send(in_force, SIGNERS)
    sign(in_force, *before)
    notify(in_force)
    frozen_time(clock.now() + NOTICE * DAY)
    with pytest.raises(RuleBrokenError, match="has left the cooperation, so nothing was signed"):
        sign(in_force, last)
    in_force.session.rollback()
    assert state(in_force) is ChecklistState.SENT
    assert due.leave_due(clock.today()) == 1
    in_force.session.commit()
    assert state(in_force) is ChecklistState.DRAFTING
    assert in_force.checklist().revision_in_force_id == signed
    assert in_force.checklist().open_items == ["M20"]
    send(in_force, STAYING)
    sign(in_force, *STAYING.values())
    assert state(in_force) is ChecklistState.IN_FORCE
    assert in_force.checklist().revision_in_force_id != signed
    assert integrity.check_all().finding is None


def test_a_newcomer_still_joins_if_another_party_leaves_while_it_is_signing(
    inviting: Negotiation, frozen_time: Clock
) -> None:
    invite(inviting)
    opened = inviting.checklist().open_items
    notify(inviting)
    send(inviting, ALL_SIGNERS)
    sign(inviting, "sten", "tomas", "henrik")
    assert go_to(inviting, frozen_time, NOTICE) == 1
    assert state(inviting) is ChecklistState.DRAFTING
    assert is_joining(inviting)
    assert parties(inviting) == ["npm", "door", "bridge"]
    assert inviting.checklist().open_items == opened
    staying = {key: first for key, first in ALL_SIGNERS.items() if key != "lantern"}
    send(inviting, staying)
    sign(inviting, *staying.values())
    assert not is_joining(inviting)
    assert state(inviting) is ChecklistState.IN_FORCE
    assert integrity.check_all().finding is None
