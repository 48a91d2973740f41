"""View models for cooperation pages: people by party, passages, headings of tasks."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from flask import current_app, url_for
from flask_babel import gettext as _

from tracker.access.actor import OrganisationKind
from tracker.cooperations.models import Cooperation, Party
from tracker.cooperations.people import Person
from tracker.cooperations.people import parties as current_parties
from tracker.core import clock
from tracker.ui.locale import as_date
from tracker.ui.tasks import TaskHeading


@dataclass(frozen=True, slots=True)
class PartyPeople:
    """A party with its people, and whether the reader may change who takes part."""

    organisation_id: UUID
    name: str
    is_npm: bool
    people: list[Person]
    may_change: bool = False


def task_heading(reference: str, title: str) -> TaskHeading:
    """Return the heading of a cooperation's tasks on My work."""
    url = url_for("dashboard.cooperation", reference=reference)
    return TaskHeading(reference, title, url, reference)


def taken_over(cooperation: Cooperation, organisation_ids: Collection[str]) -> list[str]:
    """Return a text saying which of some parties were replaced by another body, and when."""
    names = {party.organisation_id: party.organisation.name for party in cooperation.parties}
    return [
        _(
            "%(former)s: taken over by %(successor)s on %(day)s.",
            former=party.organisation.name,
            successor=names[party.replaced_by_id],
            day=as_date(party.replaced_on),
        )
        for party in cooperation.parties
        if party.replaced_by_id is not None and str(party.organisation_id) in organisation_ids
    ]


def departed(cooperation: Cooperation) -> dict[UUID, str]:
    """Return a text for each party that left alone or gave notice, saying which and when."""
    today = clock.today()
    texts: dict[UUID, str] = {}
    for party in cooperation.parties:
        if party.leave_given_at is None or party.left_on is None:
            continue
        words = {"party": party.organisation.name, "day": as_date(party.left_on)}
        texts[party.organisation_id] = (
            _("%(party)s has left. Its last day was %(day)s.", **words)
            if party.left_on < today
            else _("%(party)s is leaving. Its last day is %(day)s.", **words)
        )
    return texts


def joining(cooperation: Cooperation, own_id: UUID | None = None) -> dict[UUID, str]:
    """Return a text for each party that has yet to sign the terms in force: since when, and why.

    own_id is the reader's organisation.
    """
    texts = {}
    for party in current_parties(cooperation):
        if party.is_joining:
            invited = {"day": as_date(party.invited_at), "reason": party.invite_reason}
            texts[party.organisation_id] = (
                _("Your organisation is joining. It was invited on %(day)s: %(reason)s", **invited)
                if party.organisation_id == own_id
                else _(
                    "%(party)s is joining. It was invited on %(day)s: %(reason)s",
                    party=party.organisation.name,
                    **invited,
                )
            )
    return texts


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
            people=[
                person for person in taking_part if person.organisation_id == party.organisation_id
            ],
            may_change=may_change(party.organisation_id),
        )
        for party in parties
    ]


def passage_url(reference: str) -> str:
    """Return the URL of a guidance passage such as settling-terms/expectations."""
    if "guidance.article" not in current_app.view_functions:
        return ""
    slug, _slash, key = reference.partition("/")
    return url_for("guidance.article", slug=slug, _anchor=key)
