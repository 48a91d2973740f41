"""View models of accounts: tasks about roles in My work, and a person's own open sessions."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from tracker.access.actor import POWERS, Actor
from tracker.accounts import browsers, labels, queries
from tracker.accounts.people import sessions
from tracker.accounts.queries import WaitingPower
from tracker.ui.tasks import OTHERS, YOURS, Task, TaskHeading, Tasks


def my_tasks(actor: Actor) -> Tasks:
    """Return tasks about signatory and manager roles that a person has to confirm or accept."""
    tasks = [_task(actor, power) for power in queries.waiting_powers(actor)]
    return Tasks(
        mine=tuple(task for task in tasks if task is not None and task.s == YOURS),
        others=tuple(task for task in tasks if task is not None and task.s == OTHERS),
    )


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One of a person's open sessions as listed; begun_at is UTC."""

    session_id: UUID
    browser: str
    address: str
    begun_at: dt.datetime
    is_this: bool


def own_sessions(actor: Actor, current: UUID | None) -> list[SessionLine]:
    """Return the person's own open sessions, the current one first."""
    return [
        SessionLine(
            row.session_id,
            browsers.words(row.user_agent),
            row.address,
            row.begun_at,
            row.is_this,
        )
        for row in sessions.own(actor, current)
    ]


def _task(actor: Actor, power: WaitingPower) -> Task | None:
    role, where = labels.ROLES[power.role], power.organisation_name
    if power.user_id == actor.user_id and power.is_confirmed:
        label = _("Accept your role: %(role)s", role=role)
        url = url_for("powers.accept", membership_id=power.membership_id)
        return Task(label, _("Waiting for you"), YOURS, url, where, act=_("Read and accept"))
    if power.user_id == actor.user_id:
        label = _("Your role: %(role)s", role=role)
        return Task(label, _("Waiting to be confirmed"), OTHERS, url_for("accounts.profile"), where)
    label = _("Confirm %(name)s as %(role)s", name=power.name, role=role)
    url = url_for("people.show", user_id=power.user_id)
    if power.is_confirmed:
        label = _("Role of %(name)s: %(role)s", name=power.name, role=role)
        return Task(label, _("Waiting for the person to accept it"), OTHERS, url, where)
    if power.has_colleague and not actor.has(*POWERS):  # not for the administrator to confirm
        return None
    under = TaskHeading("people", _("People and their roles"))
    return Task(label, _("Waiting for you"), YOURS, url, where, act=_("Look"), under=under)
