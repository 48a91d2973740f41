"""What pages of cooperations show, prepared: people by party, states of stages, passages."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import current_app, url_for

from tracker.access.actor import OrganisationKind
from tracker.cooperations.models import Party, Stage
from tracker.cooperations.people import Person

_STATES = {
    Stage.ACTIVE: "held",
    Stage.CLOSED: "off",
    Stage.EXPLORED: "todo",
    Stage.SUSPENDED: "stop",
}


@dataclass(frozen=True, slots=True)
class PartyPeople:
    """A party with its people, and whether the reader may change who takes part."""

    organisation_id: UUID
    name: str
    is_npm: bool
    people: list[Person]
    may_change: bool = False


def people_by_party(
    parties: list[Party],
    taking_part: list[Person],
    *,
    may_change: Callable[[UUID], bool] = lambda _organisation_id: False,
) -> list[PartyPeople]:
    """Return the parties in their order, each with its people."""
    return [
        PartyPeople(
            organisation_id=party.organisation_id,
            name=party.organisation.name,
            is_npm=party.side is OrganisationKind.NPM,
            people=[one for one in taking_part if one.organisation_id == party.organisation_id],
            may_change=may_change(party.organisation_id),
        )
        for party in parties
    ]


def stage_state(stage: Stage) -> str:
    """Return the mark of a stage; the words stand beside it."""
    return _STATES.get(stage, "half")


def passage_url(reference: str) -> str:
    """Return the address of a passage of guidance, such as settling-terms/expectations."""
    if "guidance.article" not in current_app.view_functions:
        return ""
    slug, _slash, key = reference.partition("/")
    return url_for("guidance.article", slug=slug, _anchor=key)
