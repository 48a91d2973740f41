"""The test area: a preview of a checklist, with invented people, that is never stored.

It never touches the database: no checklist, no answer, no event.
"""

import datetime as dt
from collections.abc import Iterable
from uuid import UUID, uuid5

from flask_babel import gettext as _

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.checklist_templates.schema import Template
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist, ChecklistState
from tracker.checklists.rules.facts import PartyFact, Sheet, Surroundings
from tracker.checklists.rules.rendering import Names
from tracker.cooperations.models import Cooperation, Mode, Stage
from tracker.cooperations.people import Participant
from tracker.core import clock

# Ids of invented people and parties, derived from this one, so that every page has the same.
_SEED = UUID("5d0f6f5e-54b1-4f0e-9a53-5f4a3a0f7c11")
# The done-tests of a visit depend on its first day.
_DAYS_TO_VISIT = 30


def area(template: Template, modes: Iterable[Mode]) -> tuple[LoadedChecklist, Actor]:
    """Return an empty checklist of an invented cooperation, and an NPM's coordinator in it."""
    npm, cso = _id("npm"), _id("cso")
    people = _people(npm, cso)
    checklist = Checklist(
        id=_id("checklist"),
        cooperation_id=_id("cooperation"),
        kind=template.kind,
        template_id=_id("template"),
        state=ChecklistState.DRAFTING,
        started_at=clock.now(),
    )
    cooperation = Cooperation(
        id=_id("cooperation"),
        reference="C-0000-0000",
        title=_("Test area"),
        purpose="",
        stage=Stage.DRAFT,
        modes=[mode.value for mode in modes],
        questions={},
    )
    parties = (
        PartyFact(npm, OrganisationKind.NPM, _("An NPM (test)"), "NP"),
        PartyFact(cso, OrganisationKind.CSO, _("A CSO (test)"), "CS"),
    )
    loaded = LoadedChecklist(
        checklist=checklist,
        cooperation=cooperation,
        template=template,
        sheet=Sheet(checklist.id, {}),
        surroundings=Surroundings(
            modes=frozenset(modes),
            questions={},
            parties=parties,
            npm_people=frozenset(
                person.user_id for person in people if person.organisation_id == npm
            ),
            people=frozenset(person.user_id for person in people),
            people_of={
                party.organisation_id: frozenset(
                    person.user_id
                    for person in people
                    if person.organisation_id == party.organisation_id
                )
                for party in parties
            },
            team=frozenset(person.user_id for person in people),
            visit_starts_on=clock.today() + dt.timedelta(days=_DAYS_TO_VISIT),
            visit_ends_on=clock.today() + dt.timedelta(days=_DAYS_TO_VISIT),
        ),
        people={person.user_id: person for person in people},
        names=Names(
            people={person.user_id: person.name for person in people},
            parties={party.organisation_id: party.name for party in parties},
        ),
        positions=(),
        proposals=(),
        turned_down=(),
        flags=(),
        review=None,
    )
    return loaded, _coordinator(npm, parties[0].name)


def _people(npm: UUID, cso: UUID) -> tuple[Participant, ...]:
    bodies = (
        (npm, _("An NPM (test)"), OrganisationKind.NPM),
        (npm, _("An NPM (test)"), OrganisationKind.NPM),
        (npm, _("An NPM (test)"), OrganisationKind.NPM),
        (cso, _("A CSO (test)"), OrganisationKind.CSO),
        (cso, _("A CSO (test)"), OrganisationKind.CSO),
    )
    return tuple(
        Participant(
            user_id=_id(f"person {number}"),
            name=_("Person %(number)s", number=number),
            organisation_id=body,
            organisation_name=name,
            side=side,
        )
        for number, (body, name, side) in enumerate(bodies, 1)
    )


def _coordinator(organisation_id: UUID, name: str) -> Actor:
    role = ActorMembership(Role.COORDINATOR, organisation_id, name, OrganisationKind.NPM)
    return Actor(
        user_id=_id("person 1"), name="", memberships=(role,), organisation_id=organisation_id
    )


def _id(name: str) -> UUID:
    return uuid5(_SEED, name)
