"""The page frame: main navigation, the organisation you are acting for, signing out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app, request, url_for
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.gate import optional_actor
from tracker.core.services import Slot
from tracker.ui import locale
from tracker.ui.filters import here, way_back
from tracker.ui.paging import page_url
from tracker.ui.words import tidy_line

Predicate = Callable[[Actor | None], bool]
# The number of unread notifications of the person of this request.
UNREAD: Slot[Callable[[], int]] = Slot("unread_notifications", lambda: 0)

ROLE_WORDS: dict[Role, object] = {
    Role.COORDINATOR: _l("coordinator"),
    Role.MEMBER: _l("member"),
    Role.SIGNATORY: _l("signatory"),
    Role.MANAGER: _l("manager"),
    Role.AUDITOR: _l("auditor"),
    Role.ADMINISTRATOR: _l("administrator"),
}
# Words of a name that contribute no letter to its initials.
_PASSED_OVER = {"office", "of", "the", "for", "and", "de", "du", "des", "la", "le"}


def everybody(_actor: Actor | None) -> bool:
    """Show an entry to anybody."""
    return True


def people_signed_in(actor: Actor | None) -> bool:
    """Show an entry to people who are signed in."""
    return actor is not None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the main navigation; `parts` are the blueprints that belong to it as well.

    An endpoint in `parts` belongs to this entry, whatever its blueprint.
    """

    endpoint: str
    label: object
    shown: Predicate = people_signed_in
    parts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Frame:
    """The entries, and the endpoints that the page frame links to."""

    entries: tuple[Entry, ...] = ()
    home: str = ""
    sign_in: str = ""
    sign_out: str = ""
    account: str = "accounts.profile"
    notifications: str = "notifications.listed"
    switch: str = "accounts.switch"
    check: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link in the page frame; current is page, true or empty, as in aria-current."""

    label: object
    url: str
    current: str = ""


@dataclass(frozen=True, slots=True)
class FrameLinks:
    """The URLs in the page frame; empty if a page does not exist for this reader."""

    home: str = "/"
    sign_in: str = ""
    sign_out: str = ""
    account: str = ""
    notifications: str = ""
    unread: int = 0
    switch: str = ""
    check: str = ""
    help: str = ""
    entries: tuple[Link, ...] = field(default=())


def register_navigation(
    app: Flask, entries: Sequence[Entry | tuple[str, object, Predicate]], **endpoints: str
) -> None:
    """Set the main navigation, and the endpoints of Frame: home, sign_in and others."""
    all_entries = tuple(entry if isinstance(entry, Entry) else Entry(*entry) for entry in entries)
    app.extensions["frame"] = Frame(entries=all_entries, **endpoints)


def init_frame(app: Flask) -> None:
    """Give every template what the page frame needs."""
    app.extensions.setdefault("frame", Frame())
    app.jinja_env.filters.update(
        digest_groups=digest_groups,
        party_mark=party_mark,
        role_words=role_words,
        tidy_line=tidy_line,
    )
    app.jinja_env.globals.update(here=here, page_url=page_url, way_back=way_back)
    app.context_processor(_frame_context)


def navigation(actor: Actor | None) -> FrameLinks:
    """Return the links of the page frame for a reader."""
    frame: Frame = current_app.extensions["frame"]
    return FrameLinks(
        home=_url(frame.home) or f"{request.script_root}/",
        sign_in="" if actor else _url(frame.sign_in),
        sign_out=_url(frame.sign_out) if actor else "",
        account=_url(frame.account) if actor else "",
        notifications=_url(frame.notifications) if actor else "",
        unread=UNREAD.get()() if actor else 0,
        switch=_url(frame.switch) if actor and actor.may_switch else "",
        check=_url(frame.check),
        help=_url(frame.help),
        entries=tuple(
            Link(entry.label, _url(entry.endpoint), _current(entry))
            for entry in frame.entries
            if entry.shown(actor) and _url(entry.endpoint)
        ),
    )


def role_words(actor: Actor) -> str:
    """Return the roles in which a person is acting, such as coordinator and signatory."""
    return locale.listed(str(label) for role, label in ROLE_WORDS.items() if role in actor.roles)


def party_mark(name: str) -> str:
    """Return two letters for an organisation, shown beside its name."""
    words = [word for word in name.replace("-", " ").split() if word[:1].isalnum()]
    telling = [word for word in words if word.lower() not in _PASSED_OVER] or words
    if not telling:
        return "?"
    letters = telling[0][:2] if len(telling) == 1 else telling[0][0] + telling[1][0]
    return letters.upper()


def digest_groups(digest: str) -> str:
    """Return a digest in groups of eight, for reading aloud and comparing."""
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def _frame_context() -> dict[str, Any]:
    actor = optional_actor()
    code = locale.language()
    return {
        "actor": actor,
        "navigation": navigation(actor),
        "languages": locale.languages(),
        "lang": code,
        "dir": locale.direction(code),
        "timezone_name": locale.time_zone_words(),
    }


def _url(endpoint: str) -> str:
    return url_for(endpoint) if endpoint in current_app.view_functions else ""


def _current(entry: Entry) -> str:
    if request.endpoint == entry.endpoint:
        return "page"
    frame: Frame = current_app.extensions["frame"]
    named = [entry for entry in frame.entries if request.endpoint in entry.parts]
    if named:
        return "true" if entry in named else ""
    part = entry.endpoint.partition(".")[0]
    return "true" if request.blueprint in {part, *entry.parts} else ""
