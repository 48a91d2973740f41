"""Who may ask an outside second reader, who can be one, and until when. Pure."""

import datetime as dt
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import YES, Decision, no
from tracker.checklists.rules.facts import PartyFact

# Who may ask: the same people who answer flags.
ASK = (Role.COORDINATOR, Role.SIGNATORY, Role.MANAGER)
# How many days ahead the last day of a reading may be.
MOST_DAYS = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known about the person with an address, before they are asked to read a text."""

    # The party they have a role with, audit, or are invited to.
    party: str = ""
    # Whether they ever took part in the cooperation, or wrote an answer in the text.
    took_part: bool = False
    is_administrator: bool = False
    is_suspended: bool = False


def can_ask(actor: Actor, party: PartyFact | None) -> Decision:
    """Decide who may ask an outside second reader: people who answer flags for the NPM."""
    if party is None or not party.is_of_npm:
        return no(_l("Only the NPM can invite an outside second reader."))
    if not actor.has(*ASK):
        return no(
            _l(
                "Only a coordinator, signatory or manager of the NPM can invite an outside second "
                "reader."
            )
        )
    return YES


def can_read(candidate: Candidate) -> Decision:
    """Decide who can be an outside second reader: nobody who has ties to a party."""
    if candidate.is_administrator:
        return no(_l("An administrator can't be the second reader. Invite somebody else."))
    if candidate.is_suspended:
        return no(_l("The account with this address is suspended. Invite somebody else."))
    if candidate.party:
        return no(
            _l(
                "This person has a role with %(party)s, a party of this cooperation. An outside "
                "reader has none.",
                party=candidate.party,
            )
        )
    if candidate.took_part:
        return no(_l("This person took part in this cooperation. Invite somebody who never did."))
    return YES


def can_last(until_on: dt.date, today: dt.date) -> Decision:
    """Decide whether a day can be the last one of a reading."""
    if until_on < today:
        return no(_l("This day has passed. Choose today or a later day."))
    if (until_on - today).days > MOST_DAYS:
        return no(_l("Choose a day within the next %(num)s days.", num=MOST_DAYS))
    return YES
