"""The check that a form is sent for the organisation that its page was opened for.

A person of two organisations can change whom they act for in another tab. The CSRF token of each
page carries a mark of the organisation (core.csrf), so that every form has it.
"""

from flask import Flask, request
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.gate import SAFE_METHODS, mark_of, optional_actor
from tracker.core.csrf import mark_pages, sent_mark
from tracker.core.errors import RuleBrokenError

# Fields of forms whose views compare the organisation themselves (access.page_tokens,
# checklists.editing): they show the page again with what was typed.
_COMPARED_BY_VIEW = frozenset({"draft_page", "mark", "opened", "page", "page_token"})
# What people do for themselves, whichever organisation they act for.
_FOR_ONESELF = frozenset({"accounts", "security"})


def init_page_organisation(app: Flask) -> None:
    """Refuse forms of pages that were opened for another organisation."""
    mark_pages(app, lambda: _mark(optional_actor()))

    @app.before_request
    def _compare() -> None:
        if request.method not in SAFE_METHODS and _is_for_an_organisation(app):
            require_same(_mark(optional_actor()), sent_mark())


def is_from_another() -> bool:
    """Return whether a form was sent from a page that was opened for another organisation.

    False for what people do for themselves. Compares the mark in the form with the current one.
    """
    if request.blueprint in _FOR_ONESELF:
        return False
    return _differ(_mark(optional_actor()), sent_mark())


def require_same(now: str, seen: str) -> None:
    """Raise RuleBrokenError if a page was opened for another organisation than the current one."""
    if _differ(now, seen):
        raise RuleBrokenError(
            _l("You have switched to another organisation since you opened this page.")
        )


def _is_for_an_organisation(app: Flask) -> bool:
    if request.endpoint is None or request.blueprint in _FOR_ONESELF:
        return False
    if mark_of(app, request.endpoint) != "signed_in":
        return False
    return not _COMPARED_BY_VIEW & request.form.keys()


def _differ(now: str, seen: str) -> bool:
    return bool(now and seen and now != seen)


def _mark(actor: Actor | None) -> str:
    """Return a mark of the organisation a person acts for: short, since it's in every form."""
    return actor.organisation_id.hex[-8:] if actor and actor.organisation_id else ""
