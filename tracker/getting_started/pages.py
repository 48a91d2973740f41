"""View models of the first steps: a list that empties itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import current_app, url_for
from flask_babel import gettext as _

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.core import clock
from tracker.getting_started import queries
from tracker.getting_started.queries import LANGUAGES, TIME_ZONE
from tracker.ui import locale
from tracker.ui.locale import with_commas
from tracker.ui.tasks import OTHERS, TO_START, Task


@dataclass(frozen=True, slots=True)
class SettingView:
    """A setting that every instance decides: its value, and whether that has been decided."""

    name: str
    value: str
    is_chosen: bool
    is_checked: bool


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """The steps still open, in their order; and how many of all are done."""

    open: tuple[Task, ...]
    done: int
    total: int


def settings(facts: queries.InstanceFacts) -> dict[str, SettingView]:
    """Return the settings that every instance decides, as they are now."""
    chosen = current_app.extensions["settings"].chosen
    values = {
        TIME_ZONE: locale.time_zone_words(),
        LANGUAGES: with_commas(language.name for language in locale.languages()),
    }
    checked = {TIME_ZONE: facts.time_zone_checked, LANGUAGES: facts.languages_checked}
    return {
        name: SettingView(name, str(value), name in chosen, checked[name])
        for name, value in values.items()
    }


def first_steps(actor: Actor) -> FirstSteps | None:
    """Return the open first steps of an administrator or coordinator; None if there are none.

    For somebody who is both, those of the instance come first.
    """
    steps: list[tuple[bool, Task]] = []
    if actor.is_administrator:
        steps += _of_administrator()
    if actor.has(Role.COORDINATOR):
        steps += _of_coordinator(actor)
    still_open = tuple(task for is_done, task in steps if not is_done)
    if not still_open:
        return None
    return FirstSteps(still_open, len(steps) - len(still_open), len(steps))


def _of_administrator() -> Iterable[tuple[bool, Task]]:
    facts = queries.of_instance(clock.today())
    chosen = current_app.extensions["settings"].chosen
    add, invite = url_for("organisations.add"), url_for("people.choose_for_invitation")
    to_settings = url_for("getting_started.settings")
    yield (
        facts.mail_tested,
        _step(
            _("Test the email"),
            _("Invitations, links for passwords and reminders go out by email."),
            url_for("getting_started.mail"),
        ),
    )
    yield (
        TIME_ZONE in chosen or facts.time_zone_checked,
        _step(_("Check the time zone"), _("Deadlines and dates follow it."), to_settings),
    )
    yield (
        LANGUAGES in chosen or facts.languages_checked,
        _step(
            _("Check the languages"), _("The languages of pages, emails and texts."), to_settings
        ),
    )
    yield facts.has_npm, _step(_("Add the NPM"), _("It opens the cooperations."), add)
    yield (
        facts.npm_coordinator,
        _coordinator_step(
            OrganisationKind.NPM,
            _("Invite a coordinator of the NPM"),
            _("Coordinators open cooperations and invite the others of their organisation."),
            is_open=facts.has_npm and not facts.npm_coordinator,
        ),
    )
    yield facts.npm_signatory, _step(_("Invite somebody who signs for the NPM"), _power(), invite)
    yield (
        facts.has_cso,
        _step(
            _("Add a civil society organisation (CSO)"),
            _("A cooperation needs an NPM and at least one CSO."),
            add,
        ),
    )
    yield (
        facts.cso_coordinator,
        _coordinator_step(
            OrganisationKind.CSO,
            _("Invite a coordinator of the CSO"),
            _("Without one, nobody can fill in its part of a checklist."),
            is_open=facts.has_cso and not facts.cso_coordinator,
        ),
    )
    yield facts.cso_signatory, _step(_("Invite somebody who signs for the CSO"), _power(), invite)
    yield (
        facts.second_administrator,
        _step(
            _("Invite a second administrator"),
            _("Nobody can reset their own second factor, so there should be two of you."),
            url_for("people.invite", where="administrator"),
        ),
    )


def _of_coordinator(actor: Actor) -> Iterable[tuple[bool, Task]]:
    facts = queries.of_organisation(actor, clock.today())
    name = actor.organisation_name
    if facts.signatory_waits and not facts.has_signatory:
        waits = _("They can sign once the role is confirmed and accepted.")
        label = _("Somebody who signs for %(organisation)s", organisation=name)
        people = url_for("people.listed")
        yield False, Task(label, _("Waiting to be confirmed"), OTHERS, people, waits)
    else:
        yield (
            facts.has_signatory,
            _step(
                _("Invite somebody who signs for %(organisation)s", organisation=name),
                _power(),
                url_for("people.invite", where=actor.organisation_id),
            ),
        )
    if actor.acts_for_npm:
        yield (
            facts.has_cooperation,
            _step(
                _("Open the first cooperation"),
                _("Choose the partners and say how you want to work together."),
                url_for("lifecycle.open_cooperation"),
            ),
        )


def _coordinator_step(kind: OrganisationKind, label: str, why: str, *, is_open: bool) -> Task:
    """Return the step that invites a coordinator; if it is open, it names the organisation."""
    lacking = queries.without_coordinator(kind) if is_open else None
    if lacking is None:
        return _step(label, why, url_for("people.choose_for_invitation"))
    organisation_id, name = lacking
    named = _("Nobody can act for %(name)s yet.", name=name)
    return _step(label, named, url_for("people.invite", where=organisation_id))


def _power() -> str:
    return str(_("Nobody can sign yet. Only people who have accepted the invitation count."))


def _step(label: object, why: object, url: str) -> Task:
    return Task(label, _("To do"), TO_START, url, why)
