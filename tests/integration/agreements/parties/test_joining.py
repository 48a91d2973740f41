"""A party joining while terms are in force: invited, joining until it has signed, then a party."""

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import due
from tests.factories import agreements
from tests.factories.checklists import decline_text
from tests.factories.evidence.tampering import hands
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, NOTICE, SIGNERS, Clock
from tests.integration.agreements.notices.test_notices import give, state
from tests.integration.agreements.parties.test_leaving import (
    cooperation,
    go_to,
    gone,
    notify,
    parties,
    row,
    sees,
)
from tests.integration.agreements.parties.test_succession import replace
from tests.integration.agreements.test_signers import mailed
from tracker.access.actor import OrganisationKind, Role
from tracker.agreements import joining
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import queries as checklists
from tracker.checklists.models import ChecklistState, NoticeKind
from tracker.cooperations import departures, service
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Party
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity
from tracker.ui.locale import as_date

WHY = "Families asked for it."
ALL_SIGNERS = {**SIGNERS, "bridge": "sten"}


def invite(
    negotiation: Negotiation, first: str = "ilena", key: str = "bridge", reason: str = WHY
) -> Party:
    party = joining.add(
        negotiation[first],
        cooperation(negotiation, "ilena"),
        negotiation.country.id(key),
        reason=reason,
    )
    negotiation.session.commit()
    return party


def take_back(
    negotiation: Negotiation, first: str = "ilena", reason: str = "They changed their mind."
) -> None:
    joining.take_back(
        negotiation[first],
        cooperation(negotiation),
        negotiation.country.id("bridge"),
        reason=reason,
    )
    negotiation.session.commit()


def send(negotiation: Negotiation) -> None:
    agreements.send(negotiation.country, negotiation.checklist(), ALL_SIGNERS)
    negotiation.session.commit()


def join(negotiation: Negotiation) -> None:
    """Sign the amendment of the terms by all, the newcomer last."""
    send(negotiation)
    agreements.sign(negotiation.country, negotiation.checklist(), *ALL_SIGNERS.values())
    negotiation.session.commit()


def is_joining(negotiation: Negotiation) -> bool:
    return row(negotiation, "bridge").is_joining


def sees_in_part(negotiation: Negotiation, first: str = "marek") -> bool:
    reference = cooperation(negotiation, "ilena").reference
    return cooperations.find_in_part(negotiation[first], reference) is not None


@pytest.mark.both_databases
def test_a_newcomer_is_joining_until_the_amendment_that_names_it_is_signed_by_all(
    inviting: Negotiation,
) -> None:
    before = inviting.checklist().revision_in_force_id
    assert not sees_in_part(inviting)
    invite(inviting)
    assert is_joining(inviting)
    assert [event["reason"] for event in inviting.events("party_joining")] == [WHY]
    assert state(inviting) is ChecklistState.DRAFTING
    assert parties(inviting) == ["npm", "door", "lantern", "bridge"]
    (opened,) = inviting.events("amendment_opened")
    assert opened["organisation"] == "Bridge Families Association"
    # The items in which each party has a row.
    assert opened["items"] == inviting.checklist().open_items == ["M1", "M4", "M7", "M14", "M15"]
    others = ["henrik", "joana", "nadia", "otto", "samira", "tomas"]
    assert mailed(inviting, "party_added") == others
    assert mailed(inviting, "own_party_added") == ["marek", "sten"]
    # It sees the texts it is to sign and no more.
    assert (sees(inviting, "marek"), sees_in_part(inviting)) == (False, True)
    seen = {
        kind: checklists.find(inviting["marek"], inviting.checklist(kind).id) is not None
        for kind in (ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY)
    }
    assert seen == dict.fromkeys(seen, True)
    assert checklists.works_on(inviting["marek"], inviting.checklist().id)
    send(inviting)
    agreements.sign(inviting.country, inviting.checklist(), "sten", "tomas", "henrik")
    inviting.session.commit()
    # The newcomer's signature alone doesn't bind it: for the others the old text continues.
    assert is_joining(inviting)
    assert inviting.checklist().revision_in_force_id == before
    assert inviting.events("party_joined") == []
    agreements.sign(inviting.country, inviting.checklist(), "otto")
    inviting.session.commit()
    assert not is_joining(inviting)
    (event,) = inviting.events("party_joined")
    assert event["organisation"] == "Bridge Families Association"
    assert row(inviting, "bridge").joined_on == clock.today()
    assert sees(inviting, "marek")
    assert mailed(inviting, "party_joined") == sorted([*others, "ilena", "marek", "sten"])
    assert integrity.check_all().finding is None
    with pytest.raises(RefusedError, match="isn't joining"):
        take_back(inviting)
    inviting.session.rollback()
    # It is a party like the others, and later amendments change nothing of that.
    give(inviting, "sten", NoticeKind.SUSPENDED)
    assert state(inviting) is ChecklistState.SUSPENDED
    assert len(inviting.events("party_joined")) == 1


def test_all_are_told_when_the_invitation_is_taken_back_and_it_can_be_invited_again(
    inviting: Negotiation,
) -> None:
    invite(inviting)
    service.add_person(
        inviting["marek"],
        cooperation(inviting),
        user_id=inviting.country.users["sten"].id,
        organisation_id=inviting.country.id("bridge"),
    )
    send(inviting)
    agreements.sign(inviting.country, inviting.checklist(), "sten")
    inviting.session.commit()
    take_back(inviting)
    assert not sees_in_part(inviting)
    assert state(inviting) is ChecklistState.DRAFTING
    assert parties(inviting) == ["npm", "door", "lantern"]
    assert inviting.events("signature_request_withdrawn")[0]["reason"] == (
        "Bridge Families Association, which this text names, is not joining the cooperation."
    )
    (event,) = inviting.events("joining_taken_back")
    assert event["reason"] == "They changed their mind."
    assert [event["person"] for event in inviting.events("person_left")] == ["Sten Mohr"]
    others = ["henrik", "joana", "nadia", "otto", "samira", "tomas"]
    assert mailed(inviting, "joining_taken_back") == others
    assert mailed(inviting, "own_joining_taken_back") == ["marek", "sten"]
    assert integrity.check_all().finding is None
    # A party that declines is still joining.
    invite(inviting)
    send(inviting)
    decline_text(inviting["sten"], inviting.checklist(), reason="Not so.", items=["M1"])
    inviting.session.commit()
    assert is_joining(inviting)
    take_back(inviting)
    invite(inviting)
    assert is_joining(inviting)
    join(inviting)
    assert not is_joining(inviting)


def test_a_party_that_comes_back_signs_again_and_in_vain_keeps_its_last_day_and_its_page(
    app: Flask, inviting: Negotiation, frozen_time: Clock
) -> None:
    """What it signed before it left doesn't let it in; its duties count from its last day."""
    gone(inviting, frozen_time, "otto")
    last_day = row(inviting, "lantern").left_on
    assert last_day is not None
    address = f"/cooperations/{inviting.cooperation.reference}/departures/"
    address += str(inviting.country.id("lantern"))
    frozen_time(clock.now() + 60 * DAY)
    invite(inviting, key="lantern")
    assert row(inviting, "lantern").is_joining
    assert not sees(inviting, "otto")
    for first in ("joana", "ilena"):
        page = inviting.country.browser(app, first).page(address)
        assert page.h1 == "Lantern Health Network has left"
        assert f"Last day: {as_date(last_day)}." in page.text
        assert "Thanks are owed." in page.text
    inviting.country.browser(app, "marek").page(address, 404)
    frozen_time(clock.now() + 10 * DAY)
    joining.take_back(
        inviting["ilena"], cooperation(inviting), inviting.country.id("lantern"), reason="No."
    )
    inviting.session.commit()
    assert row(inviting, "lantern").left_on == last_day
    assert (
        f"Last day: {as_date(last_day)}."
        in inviting.country.browser(app, "otto").page(address).text
    )
    assert integrity.check_all().finding is None


def test_a_party_invited_again_before_the_worker_has_removed_it_leaves_first(
    inviting: Negotiation, frozen_time: Clock
) -> None:
    """Otherwise nothing would ever end its notice, nor the part of its people."""
    notify(inviting, "otto")
    last_day = row(inviting, "lantern").left_on
    frozen_time(clock.now() + NOTICE * DAY)
    assert row(inviting, "lantern").leave_done_at is None
    invite(inviting, key="lantern")
    assert len(inviting.events("party_left")) == 1
    assert row(inviting, "lantern").is_joining
    assert not row(inviting, "lantern").is_leaving
    assert departures.is_past(row(inviting, "lantern"))
    assert "Joana Pires" in {event["person"] for event in inviting.events("person_left")}
    joining.take_back(
        inviting["ilena"], cooperation(inviting), inviting.country.id("lantern"), reason="No."
    )
    inviting.session.commit()
    assert row(inviting, "lantern").left_on == last_day
    assert integrity.check_all().finding is None


def test_nobody_else_adds_or_takes_back(inviting: Negotiation) -> None:
    refused = {
        "vesna": "Only the cooperation's NPM",
        "samira": "Only the cooperation's NPM",
        "tomas": "Only a coordinator",
        "marek": "Only the cooperation's NPM",
        "ada": "Only the cooperation's NPM",
    }
    for first, words in refused.items():
        with pytest.raises(RefusedError, match=words):
            invite(inviting, first)
        inviting.session.rollback()
    invite(inviting)
    for first, words in refused.items():
        with pytest.raises(RefusedError, match=words):
            take_back(inviting, first)
        inviting.session.rollback()
    # A joining party can't stop a text.
    with pytest.raises(RefusedError, match="can't stop this text"):
        give(inviting, "sten", NoticeKind.SUSPENDED)
    inviting.session.rollback()
    # Nor does it count as the CSO that stays.
    notify(inviting, "otto")
    with pytest.raises(RefusedError, match="end the agreement instead"):
        notify(inviting, "henrik")


def test_an_invitation_has_its_rules(inviting: Negotiation) -> None:
    rules = [
        ("court", WHY, "Only an NPM or a civil society organisation", "organisation_id"),
        ("door", WHY, "already a party", "organisation_id"),
        ("bridge", "  ", "Give the reason", "reason"),
        ("bridge", "x" * 2001, "at most 2000", "reason"),
    ]
    for key, reason, words, field in rules:
        with pytest.raises(RuleBrokenError, match=words) as error:
            invite(inviting, key=key, reason=reason)
        assert error.value.field == field
        inviting.session.rollback()
        assert inviting.events("party_joining") == []
    # Nobody is added while a text waits for signatures.
    invite(inviting)
    send(inviting)
    inviting.country.organisation("heir", "New Door Foundation", OrganisationKind.CSO)
    inviting.session.commit()
    with pytest.raises(RuleBrokenError, match="waiting for signatures"):
        invite(inviting, key="heir")


def test_joining_ends_with_the_cooperation(inviting: Negotiation, frozen_time: Clock) -> None:
    invite(inviting)
    give(inviting, "tomas", NoticeKind.ENDED)
    frozen_time(clock.now() + NOTICE * DAY)
    due.carry_out_due(clock.today())
    inviting.session.commit()
    assert not sees_in_part(inviting)
    (event,) = inviting.events("joining_taken_back")
    assert event["reason"] == ""
    assert integrity.check_all().finding is None


def test_before_terms_are_in_force_a_party_is_added_immediately(negotiation: Negotiation) -> None:
    invite(negotiation, reason="")
    assert not is_joining(negotiation)
    assert sees(negotiation, "marek")
    assert parties(negotiation) == ["npm", "door", "lantern", "bridge"]
    assert len(negotiation.events("party_joined")) == 1
    assert negotiation.events("party_joining") == []
    invite(negotiation, key="other_npm", reason="")
    assert parties(negotiation)[-1] == "other_npm"


def test_a_tampered_invitation_is_found(inviting: Negotiation) -> None:
    """Without it, the newcomer would count as a party that has signed nothing."""
    invite(inviting)
    bridge_id = inviting.country.id("bridge")
    inviting.session.rollback()
    with hands() as connection:
        connection.execute(
            sa.update(Party).where(Party.organisation_id == bridge_id).values(invited_at=None)
        )
    assert integrity.check_all().finding is not None


def test_the_successor_of_a_joining_party_joins_in_its_place(inviting: Negotiation) -> None:
    inviting.country.organisation("heir", "New Door Foundation", OrganisationKind.CSO)
    inviting.country.person("Runa Ekdal", "heir", Role.COORDINATOR)
    inviting.session.commit()
    invite(inviting)
    replace(inviting, "bridge", "heir")
    assert row(inviting, "heir").is_joining
    assert not sees(inviting, "runa")
    assert parties(inviting) == ["npm", "door", "lantern", "heir"]
    assert integrity.check_all().finding is None


def test_a_party_that_came_back_as_a_successor_leaves_again_on_its_day(
    inviting: Negotiation, frozen_time: Clock
) -> None:
    invite(inviting)
    join(inviting)
    notify(inviting, "otto")
    invite(inviting, key="lantern")
    replace(inviting, "door", "lantern")
    assert not row(inviting, "lantern").is_joining
    notify(inviting, "otto", clock.today() + NOTICE * DAY)
    assert go_to(inviting, frozen_time, NOTICE) == 1
    assert integrity.check_all().finding is None
