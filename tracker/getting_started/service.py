"""Service functions for setting up: the test email, and settings that are right as they are."""

import datetime as dt
from uuid import UUID

from flask_babel import lazy_gettext as _l
from itsdangerous import BadData, URLSafeSerializer

from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.activity import service as trail
from tracker.activity.verbs import MAIL_TESTED, SETTING_CHECKED
from tracker.core import clock, keys
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.getting_started import messages, policy, queries
from tracker.getting_started.queries import MAIL, MAIL_ID, SETTING, SETTING_IDS

# How many days the link of a test email works.
DAYS = 7


def send_test(actor: Actor) -> None:
    """Send the administrator a test email with a link. Raises RefusedError."""
    policy.can_set_up(actor).require()
    messages.mail_test(db.session.get_one(User, actor.user_id), token_for(actor.user_id))


def token_for(user_id: UUID) -> str:
    """Return the token of a test email, for one person, from today."""
    return _signer().dumps([str(user_id), clock.today().isoformat()])


def is_valid(actor: Actor, token: str) -> bool:
    """Return whether a token was mailed to this person in the last days."""
    try:
        person, day = _signer().loads(token)
        sent_on = dt.date.fromisoformat(day)
    except (BadData, ValueError, TypeError):
        return False
    return person == str(actor.user_id) and clock.today() <= sent_on + dt.timedelta(days=DAYS)


def confirm_test(actor: Actor, token: str) -> None:
    """Record that the test email arrived.

    Raises RefusedError, or RuleBrokenError if the link is another person's or too old.
    """
    policy.can_set_up(actor).require()
    if not is_valid(actor, token):
        raise RuleBrokenError(_l("This link no longer works. Send yourself a new test email."))
    trail.record(MAIL_TESTED, actor=actor, subject_type=MAIL, subject_id=MAIL_ID)


def check_setting(actor: Actor, name: str, value: str) -> bool:
    """Record that a setting of the server is right as it is; return False if that is recorded.

    Raises RefusedError.
    """
    policy.can_set_up(actor).require()
    if queries.is_checked(name):
        return False
    trail.record(
        SETTING_CHECKED,
        actor=actor,
        subject_type=SETTING,
        subject_id=SETTING_IDS[name],
        name=name,
        value=value,
    )
    return True


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(keys.current().secret, salt="mail-test")
