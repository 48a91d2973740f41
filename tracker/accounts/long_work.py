"""A limit on how often a signed-in person has the server do what takes it long."""

from flask_babel import ngettext

from tracker.access.actor import Actor
from tracker.accounts.factors import attempts
from tracker.core.errors import TooOftenError


def begin(actor: Actor) -> None:
    """Count an export, a bundle or an audit of this person.

    Each takes a thread of a web process while it runs, so that without a limit one person could
    keep others waiting. Raise TooOftenError after 20 within 15 minutes. Rolls the caller's
    transaction back (attempts.note), so call it before anything is changed.
    """
    counters = [attempts.long_work(actor.user_id)]
    minutes = attempts.minutes_to_wait(counters)
    if minutes:
        raise TooOftenError(
            ngettext(
                "You have exported or checked a lot in a short time. So that others don't have to "
                "wait, you can do so again in %(num)s minute.",
                "You have exported or checked a lot in a short time. So that others don't have to "
                "wait, you can do so again in %(num)s minutes.",
                minutes,
            )
        )
    attempts.note(counters)
