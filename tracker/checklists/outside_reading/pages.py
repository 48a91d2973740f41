"""View models for what an outside second reader sees, and for their tasks."""

from dataclasses import replace

from flask import url_for
from flask_babel import gettext as _

from tracker.access.actor import Actor, OrganisationKind
from tracker.checklist_templates.conditions import Truth
from tracker.checklists import pages
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import OutsideReading
from tracker.checklists.negotiation import warnings
from tracker.checklists.outside_reading import queries, service
from tracker.checklists.pages import ItemView
from tracker.core.errors import RuleBrokenError
from tracker.ui.locale import as_date
from tracker.ui.tasks import YOURS, Task, Tasks


def item_views(loaded: LoadedChecklist, actor: Actor) -> list[ItemView]:
    """Return the items of a text as an outside reader sees them.

    They show the current answers, flags and phrases that may limit the NPM; nothing of their
    history: no authors, positions or suggestions.
    """
    nobody = of_no_party(actor)
    passages = pages.passages_beside(loaded.template.items, warnings.refs(loaded))
    return [
        replace(
            view,
            answers=[replace(answer, by="", copied=None) for answer in view.answers],
            positions=[],
            proposals=[],
            turned_down=[],
            hints=warnings.hints_to_read(loaded, nobody, view.item, passages),
        )
        for view in pages.item_views(loaded, nobody)
        if view.standing is not None and view.standing.shown is Truth.TRUE
    ]


def of_no_party(actor: Actor) -> Actor:
    """Return a person as an actor for no organisation, whatever roles they have elsewhere."""
    return Actor(user_id=actor.user_id, name=actor.name)


def sentence(reading: OutsideReading) -> str:
    """Return the sentence that the reader confirms."""
    return str(
        _(
            "I, %(name)s, %(function)s, have read these terms as outside second reader and find "
            "that none of them restricts the NPM's independence or flexibility. I have no role "
            "with any of the parties.",
            name=reading.name,
            function=reading.function,
        )
    )


def why_nobody_is_asked(loaded: LoadedChecklist) -> str:
    """Return who at the NPM could read instead; empty if it has nobody else."""
    try:
        service.require_nobody_else(loaded)
    except RuleBrokenError as error:
        return str(error)
    return ""


def my_tasks(actor: Actor) -> Tasks:
    """Return the texts that a person is asked to read as an outsider.

    A source for My work. It sends no query for the many people who act for an NPM or a CSO: if one
    of them reads for somebody else, they find the text through the email that asked them.
    """
    if actor.organisation_kind in {OrganisationKind.NPM, OrganisationKind.CSO}:
        return Tasks()
    return Tasks(
        mine=tuple(
            Task(
                label=_("Read a text as outside second reader"),
                state=_("Until %(day)s", day=as_date(reading.until_on)),
                s=YOURS,
                url=url_for("readings.show", reading_id=reading.id),
                due=reading.until_on,
            )
            for reading in queries.of_reader(actor)
        )
    )
