"""Whether people, their roles and their organisations are as the events say."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session, SessionTransaction

from tracker.access.actor import Actor, Role
from tracker.accounts.models import Membership, User
from tracker.activity import unaltered, verbs, witness
from tracker.activity.service import DomainEvent
from tracker.activity.verbs import Verb
from tracker.activity.witness import Wanted
from tracker.core.db import Identifier, db
from tracker.core.errors import RefusedError
from tracker.organisations.models import Organisation

# The acts after which nobody compares who acts, by the reason why. Every other act is in ACTS.
NOT_COMPARED: Mapping[str, tuple[Verb, ...]] = {
    "no person does it": (
        verbs.ROWS_NOTED,
        verbs.ROWS_ADOPTED,
        verbs.INSTANCE_STARTED,
        verbs.CREDENTIALS_ADOPTED,
        verbs.KEY_CHANGE_BEGUN,
        verbs.KEY_CHANGE_ENDED,
        verbs.CERTIFICATE_MADE,
    ),
    "people only change what belongs to themselves, and signing compares it": (
        verbs.INVITATION_ACCEPTED,
        verbs.PASSWORD_CHANGED,
        verbs.SECOND_FACTOR_SET,
        verbs.RECOVERY_CODES_MADE,
        verbs.PASSKEY_ADDED,
        verbs.PASSKEY_RENAMED,
        verbs.PASSKEY_REMOVED,
        verbs.PASSKEY_SET_ASIDE,
        verbs.CREDENTIALS_BOUND,
    ),
    "work on a draft: those who send and sign it read it, and who they are is compared (but what a "
    "person says for themselves is, see follow_answer)": (
        verbs.CHECKLIST_STARTED,
        verbs.CHECKLIST_MOVED,
        verbs.ANSWER_SAVED,
        verbs.ANSWERS_COPIED,
        verbs.MODEL_TEXT_USED,
        verbs.OWN_MODEL_TEXT_USED,
        verbs.COPIES_READ,
        verbs.ITEMS_ACCEPTED,
        verbs.ACCEPTANCE_UNDONE,
        verbs.POSITION_TAKEN,
        verbs.PROPOSAL_MADE,
        verbs.PROPOSAL_ANSWERED,
        verbs.PROPOSAL_ACCEPTED,
        verbs.PROPOSAL_TURNED_DOWN,
        verbs.PROPOSAL_WITHDRAWN,
        verbs.FLAG_RAISED,
        verbs.FLAG_CLOSED,
        verbs.REVIEW_SAVED,
    ),
    "what people say to each other or note for themselves, on which nothing is based": (
        verbs.COMMENT_MADE,
        verbs.COMMENT_EDITED,
        verbs.COMMENT_WITHDRAWN,
        verbs.COMMENT_SETTLED,
        verbs.COMMENT_REOPENED,
        verbs.COMMENT_TASK_MADE,
        verbs.COMMENT_TASK_DONE,
        verbs.MODEL_ANSWER_KEPT,
        verbs.MODEL_ANSWER_RENAMED,
        verbs.MODEL_ANSWER_DELETED,
        verbs.MODEL_TEXT_KEPT,
        verbs.MODEL_TEXT_RETIRED,
        verbs.TEMPLATE_DRAFTED,
        verbs.TEMPLATE_DISCARDED,
    ),
    "reading: whoever can write to the database can read it": (
        verbs.INTEGRITY_CHECKED,
        verbs.EVIDENCE_EXPORTED,
        verbs.REGISTER_EXPORTED,
        verbs.UNDERTAKINGS_EXPORTED,
    ),
}
_OUT = {verb for out in NOT_COMPARED.values() for verb in out}
ACTS = tuple(verb for verb in verbs.VERBS.values() if verb not in _OUT)

# The scope of answers that people give for themselves, as the events name it.
PERSON = "person"

# The people who were compared in the session's transaction.
_COMPARED = "compared_actors"

_NO_ID = sa.cast(sa.null(), Identifier())
_PLACES = sa.union_all(
    sa.select(
        User.id.label("user_id"), _NO_ID.label("role_id"), _NO_ID.label("organisation_id")
    ).where(User.id.in_(sa.bindparam("user_ids", expanding=True))),
    sa.select(_NO_ID, Membership.id, _NO_ID).where(
        Membership.id.in_(sa.bindparam("role_ids", expanding=True))
    ),
    sa.select(_NO_ID, _NO_ID, Organisation.id).where(
        Organisation.id.in_(sa.bindparam("organisation_ids", expanding=True))
    ),
).subquery()
# In one query, since it is sent with each of these acts: each of them in a row of its own.
_ROWS = (
    sa.select(User, Membership, Organisation)
    .select_from(_PLACES)
    .outerjoin(User, User.id == _PLACES.c.user_id)
    .outerjoin(Membership, Membership.id == _PLACES.c.role_id)
    .outerjoin(Organisation, Organisation.id == _PLACES.c.organisation_id)
)


def follow_act(event: DomainEvent) -> None:
    """Raise RefusedError unless events bind account, roles and organisation of the person who acts.

    Handler of ACTS: what was written into the database gives nobody a power to sign, to vouch for
    somebody or to give a power. The act is undone with its event. Each person is compared once in a
    transaction, since further events often follow from an act. Unless the act only takes something
    away, what it changes is compared too, before the commit (activity/unaltered.py).
    """
    actor = event.actor
    if actor is None:  # the application itself, or a command
        return
    is_compared = not event.follows and event.verb not in unaltered.TAKES_AWAY
    if is_compared:
        unaltered.expect(db.session())
    compared: set[Actor] = db.session.info.setdefault(_COMPARED, set())
    if actor in compared:
        return
    also = unaltered.ahead(db.session(), event.cooperation_id) if is_compared else ()
    require_as_recorded(actor, also)
    compared.add(actor)


def follow_answer(event: DomainEvent) -> None:
    """Do the same where a person's own answer is saved: gates of a visit rest on it (V5, V20).

    Handler of ANSWER_SAVED.
    """
    if event.details.get("scope") == PERSON:
        follow_act(event)


@sa.event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_COMPARED, None)


def require_as_recorded(actor: Actor, also: Sequence[Wanted] = ()) -> None:
    """Raise RefusedError unless events bind the account, roles and organisation of a person.

    also is what is looked up in the same query.
    """
    administrators = (role for role in actor.memberships if role.role is Role.ADMINISTRATOR)
    ids = {role.membership_id for role in (*actor.acting, *administrators)}
    known = {role_id for role_id in ids if role_id is not None}
    organisation_ids = {actor.organisation_id} if actor.organisation_id else set()
    if known != ids or not are_as_recorded([actor.user_id], known, organisation_ids, also):
        raise RefusedError(
            _l(
                "What the database says about you, your roles or your organisation differs from "
                "the history, so nothing was done. Tell an administrator."
            )
        )


def are_as_recorded(
    user_ids: Collection[UUID],
    membership_ids: Collection[UUID] = (),
    organisation_ids: Collection[UUID] = (),
    also: Sequence[Wanted] = (),
) -> bool:
    """Return whether events bind people, roles and organisations as they are stored.

    The roles are those people's own. In two queries.
    """
    ids = {
        "user_ids": list(set(user_ids)),
        "role_ids": list(set(membership_ids)),
        "organisation_ids": list(set(organisation_ids)),
    }
    fresh = {"populate_existing": True}  # whatever the session has
    lines = db.session.execute(_ROWS, ids, execution_options=fresh)
    rows = {row for line in lines for row in line if row is not None}
    are_theirs = all(row.user_id in ids["user_ids"] for row in rows if isinstance(row, Membership))
    if len(rows) < sum(map(len, ids.values())) or not are_theirs:
        return False
    subjects = [("user", user_id) for user_id in ids["user_ids"]]
    subjects += [("organisation", organisation_id) for organisation_id in ids["organisation_ids"]]
    return witness.are_of_instance_as_recorded(rows, subjects, also)


def differing(
    user_ids: Collection[UUID] = (), organisation_ids: Collection[UUID] = ()
) -> frozenset[UUID]:
    """Return the people and organisations whose rows events don't bind as they are, for lists.

    So whoever shows their names doesn't show what was written into the database. Also those that
    the database lacks. In two queries, one more if a row differs from the events about it.
    """
    people, bodies = set(user_ids), set(organisation_ids)
    ids = {"user_ids": list(people), "role_ids": [], "organisation_ids": list(bodies)}
    lines = db.session.execute(_ROWS, ids) if people or bodies else ()
    rows = {row for line in lines for row in line if row is not None}
    subjects = [("user", user_id) for user_id in people]
    subjects += [("organisation", organisation_id) for organisation_id in bodies]
    altered = {row.id for row in witness.differing_of_instance(rows, subjects)}
    return frozenset(altered | (people | bodies) - {row.id for row in rows})
