"""View models for organisations without a coordinator: notices, and tasks on My work."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from tracker.access.actor import Actor
from tracker.accounts import coordinators
from tracker.accounts.labels import NOBODY_ACTS
from tracker.cooperations import people
from tracker.cooperations.invitation_requests import policy, queries
from tracker.cooperations.invitation_requests.models import InvitationRequest, RequestOutcome
from tracker.cooperations.models import Cooperation
from tracker.cooperations.policy import CooperationFact
from tracker.ui.locale import as_date
from tracker.ui.tasks import YOURS, Task, TaskHeading, Tasks


@dataclass(frozen=True, slots=True)
class NobodyActsNotice:
    """A party for which nobody can act: why, what was asked, and the URL that asks, if allowed."""

    name: str
    why: object
    requested: str
    url: str
    # The URL that withdraws the open request, if the reader may.
    withdraw_url: str = ""


def notices(
    actor: Actor, cooperation: Cooperation, fact: CooperationFact
) -> Iterator[NobodyActsNotice]:
    """Yield a notice for each party of a cooperation for which nobody can act."""
    parties = people.parties(cooperation)
    reasons = coordinators.nobody_acts(party.organisation_id for party in parties)
    requests = queries.latest(cooperation.id, list(reasons)) if reasons else {}
    for party in parties:
        if party.organisation_id not in reasons:
            continue
        latest = requests.get(party.organisation_id)
        is_open = latest is not None and latest.answered_at is None
        may = not is_open and policy.can_request(
            actor, fact, party.organisation_id, nobody_acts=True
        )
        yield NobodyActsNotice(
            name=party.organisation.name,
            why=NOBODY_ACTS[reasons[party.organisation_id]],
            requested=_requested(latest) if latest is not None else "",
            url=url_for(
                "invitation_requests.make",
                reference=cooperation.reference,
                organisation_id=party.organisation_id,
            )
            if may
            else "",
            withdraw_url=url_for(
                "invitation_requests.withdraw",
                reference=cooperation.reference,
                invitation_request_id=latest.id,
            )
            if latest is not None
            and is_open
            and policy.can_withdraw(actor, fact, latest.requested_by_id, latest.partner_id)
            else "",
        )


def my_tasks(actor: Actor) -> Tasks:
    """Return an administrator's tasks: the requests to answer."""
    return Tasks(mine=tuple(tasks_for(queries.waiting(actor))))


def links(actor: Actor, organisation_id: UUID) -> list[tuple[object, str]]:
    """Return an administrator's open requests for one organisation, as label and URL."""
    return [(task.why, task.url) for task in tasks_for(queries.waiting(actor, organisation_id))]


def tasks_for(requests: Sequence[InvitationRequest]) -> list[Task]:
    """Return a task for each request."""
    under = TaskHeading("people", _("People and their roles"))
    return [
        Task(
            _("Invite a coordinator of %(organisation)s?", organisation=row.organisation.name),
            _("Waiting for you"),
            YOURS,
            url_for("invitation_requests.answer", invitation_request_id=row.id),
            _("%(party)s asks, %(day)s.", party=row.partner.name, day=as_date(row.requested_at)),
            act=_("Answer"),
            under=under,
        )
        for row in requests
    ]


def _requested(row: InvitationRequest) -> str:
    """Return what became of a request."""
    words = {"day": as_date(row.answered_at or row.requested_at), "reason": row.reason}
    match row.outcome:
        case RequestOutcome.CONFIRMED:
            return str(_("An administrator sent an invitation on %(day)s.", **words))
        case RequestOutcome.DECLINED:
            return str(_("An administrator declined a request on %(day)s: %(reason)s", **words))
        case RequestOutcome.LAPSED:
            return str(_("A request ended on %(day)s without an answer.", **words))
        case RequestOutcome.WITHDRAWN:
            return str(_("The request for an invitation was withdrawn on %(day)s.", **words))
    return str(
        _("An invitation was requested on %(day)s. An administrator has to confirm it.", **words)
    )
