"""View models of the first steps: a list that empties itself."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

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

    @property
    def are_others(self) -> bool:
        """Whether only others can go on."""
        return all(step.s == OTHERS for step in self.open)


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


def after_settings() -> str:
    """Return where to go on from the settings: to the next steps, once both are decided."""
    decided = settings(queries.of_instance(clock.today())).values()
    is_done = all(setting.is_chosen or setting.is_checked for setting in decided)
    return url_for("dashboard.my_work" if is_done else "getting_started.settings")


def mail_route() -> str:
    """Return a sentence that says where this instance sends its email, without the account."""
    parts = urlsplit(current_app.extensions["settings"].mail_url)
    if parts.scheme == "file":
        sentence = _(
            "No mail server is set, so nothing is sent: each message becomes a file in %(folder)s "
            "on the server. To send email, set TRACKER_MAIL_URL there.",
            folder=parts.path,
        )
    elif parts.scheme == "console":
        sentence = _(
            "No mail server is set, so nothing is sent: messages are only printed where the "
            "application runs. To send email, set TRACKER_MAIL_URL there."
        )
    else:
        sentence = _("Email goes out through the server %(host)s.", host=parts.hostname or "")
    return str(sentence)


def first_steps(actor: Actor) -> FirstSteps | None:
    """Return the open first steps of an administrator or coordinator; None if there are none.

    For somebody who is both, those of the instance come first.
    """
    steps: list[tuple[bool, Task]] = []
    if actor.is_administrator:
        steps += _of_administrator(actor)
    if actor.has(Role.COORDINATOR):
        steps += _of_coordinator(actor)
    still_open = tuple(task for is_done, task in steps if not is_done)
    if not still_open:
        return None
    return FirstSteps(still_open, len(steps) - len(still_open), len(steps))


def _of_administrator(actor: Actor) -> Iterable[tuple[bool, Task]]:
    day = clock.today()
    facts = queries.of_instance(day)
    chosen = current_app.extensions["settings"].chosen
    npm, cso = OrganisationKind.NPM, OrganisationKind.CSO
    to_settings = url_for("getting_started.settings")
    invites = _Invites(actor, day)
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
    yield facts.has_npm, _step(_("Add the NPM"), _("It opens the cooperations."), _add(npm))
    yield invites.step(
        npm,
        Role.COORDINATOR,
        _("Invite a coordinator of the NPM"),
        _("Coordinators open cooperations and invite the others of their organisation."),
        is_there=facts.has_npm,
        is_done=facts.npm_coordinator,
    )
    yield invites.step(
        npm,
        Role.SIGNATORY,
        _("Invite somebody who signs for the NPM"),
        _power(),
        is_there=facts.has_npm,
        is_done=facts.npm_signatory,
    )
    yield (
        facts.has_cso,
        _step(
            _("Add a civil society organisation (CSO)"),
            _("A cooperation needs an NPM and at least one CSO."),
            _add(cso),
        ),
    )
    yield invites.step(
        cso,
        Role.COORDINATOR,
        _("Invite a coordinator of the CSO"),
        _("Without one, nobody can fill in its part of a checklist."),
        is_there=facts.has_cso,
        is_done=facts.cso_coordinator,
    )
    yield invites.step(
        cso,
        Role.SIGNATORY,
        _("Invite somebody who signs for the CSO"),
        _power(),
        is_there=facts.has_cso,
        is_done=facts.cso_signatory,
    )
    second = _("Invite a second administrator")
    if not facts.second_administrator and invites.is_sent(None, Role.ADMINISTRATOR):
        yield False, _invited_step(second, Role.ADMINISTRATOR)
    else:
        yield (
            facts.second_administrator,
            _step(
                second,
                _("Nobody can reset their own second factor, so there should be two of you."),
                url_for("people.invite", where="administrator"),
            ),
        )


def _of_coordinator(actor: Actor) -> Iterable[tuple[bool, Task]]:
    facts = queries.of_organisation(actor, clock.today())
    name = actor.organisation_name
    label = _("Invite somebody who signs for %(organisation)s", organisation=name)
    invites = _Invites(actor, clock.today())
    if facts.signatory_waits and not facts.has_signatory:
        yield False, _waiting_step(name, is_confirmed=facts.signatory_accepts)
    elif not facts.has_signatory and invites.is_sent(actor.organisation_id, Role.SIGNATORY):
        yield False, _invited_step(label, Role.SIGNATORY)
    else:
        yield (
            facts.has_signatory,
            _step(
                label,
                _power(),
                url_for("people.invite", where=actor.organisation_id, role=Role.SIGNATORY.value),
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


class _Invites:
    """The steps that invite somebody: whom for, and whether the invitation was sent."""

    def __init__(self, actor: Actor, day: dt.date) -> None:
        self.actor = actor
        self.day = day
        self._sent: frozenset[tuple[UUID | None, str]] | None = None

    def is_sent(self, organisation_id: UUID | None, role: Role) -> bool:
        """Return whether somebody has been invited and can still accept; read when first needed."""
        if self._sent is None:
            self._sent = queries.invited(self.actor)
        return (organisation_id, role.value) in self._sent

    def step(
        self,
        kind: OrganisationKind,
        role: Role,
        label: str,
        why: str,
        *,
        is_there: bool,
        is_done: bool,
    ) -> tuple[bool, Task]:
        """Return a step; if it's open, it leads to the organisation that lacks somebody."""
        if is_done:
            return True, _step(label, why, "")
        if not is_there:
            return False, _step(label, _("Add the organisation first."), _add(kind))
        lacking = (
            queries.without_coordinator(kind)
            if role is Role.COORDINATOR
            else queries.without_signatory(kind, self.day)
        )
        if lacking is None:
            return False, _step(label, why, url_for("people.choose_for_invitation"))
        if lacking.waits:
            return False, _waiting_step(lacking.name, is_confirmed=lacking.accepts)
        if self.is_sent(lacking.id, role):
            return False, _invited_step(label, role)
        named = (
            _("Nobody can act for %(name)s yet.", name=lacking.name)
            if role is Role.COORDINATOR
            else _("Nobody can sign for %(name)s yet.", name=lacking.name)
        )
        return False, _step(
            label, named, url_for("people.invite", where=lacking.id, role=role.value)
        )


def _add(kind: OrganisationKind) -> str:
    return url_for("organisations.add_kind", kind=kind.value)


def _invited_step(label: object, role: Role) -> Task:
    """Return a step that is done once somebody accepts an invitation.

    A signatory's role may also have to be confirmed.
    """
    why = (
        _power_waits()
        if role is Role.SIGNATORY
        else _("Done once they accept. You can send the invitation again.")
    )
    return Task(label, _("Invited"), OTHERS, url_for("people.invitations_page"), why)


def _waiting_step(organisation: str, *, is_confirmed: bool) -> Task:
    """Return a step that is done once a signatory's role is confirmed and accepted."""
    label = _("Somebody who signs for %(organisation)s", organisation=organisation)
    state, why = _("Waiting to be confirmed"), _power_waits()
    if is_confirmed:
        state = _("Waiting for the person to accept it")
        why = _("The role is confirmed. They can sign once they have accepted it.")
    return Task(label, state, OTHERS, url_for("people.listed"), why)


def _power_waits() -> str:
    return str(_("They can sign once the role is confirmed and accepted."))


def _power() -> str:
    return str(_("Nobody can sign yet. Only people who have accepted the invitation count."))


def _step(label: object, why: object, url: str) -> Task:
    return Task(label, _("To do"), TO_START, url, why)
