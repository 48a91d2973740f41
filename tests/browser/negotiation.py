"""An instance filled by services before it is served: an NPM and two CSOs in a cooperation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask_security import hash_password
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.instances import PREPARED, StartingPoint, opened, settle, signed_in
from tests.factories.agreements import checklist_of
from tests.factories.cooperations import Country, bring_in, make_country, open_one
from tracker.access.actor import Role
from tracker.accounts.factors import binding
from tracker.accounts.factors.binding import Change
from tracker.cooperations.models import ChecklistKind, Cooperation, Mode
from tracker.core.db import db

PASSWORD = "pebble-lantern-quiet-river"
NPM, DOOR, LANTERN = (
    "Office of the People's Advocate",
    "Open Door Legal Aid",
    "Lantern Health Network",
)
QUESTIONS = {
    "personal_data": "no",
    "npm_passes_restricted": "no",
    "cso_passes_restricted": "no",
    "consent_hard": "no",
}

Fill = Callable[[Country, Cooperation], None]


@dataclass(frozen=True, slots=True)
class Laid:
    """What tests need to know about the instance.

    For people, by first name, the address and the id that sessions use; for terms, by title, their
    URL.
    """

    emails: dict[str, str]
    marks: dict[str, str]
    terms: dict[str, str]


def lay(
    name: str, titles: Iterable[str], people: Iterable[str], fill: Fill | None = None
) -> StartingPoint[Laid]:
    """Return an instance with a cooperation for each title, in which people take part.

    Everybody has a password and no second factor, so that no test waits for a code.
    """

    def build(data_dir: Path) -> Laid:
        with opened(data_dir) as app:
            country = make_country(db.session())
            country.person("Otto Brandis", "lantern", Role.SIGNATORY, power="Board minutes")
            secret = hash_password(PASSWORD)
            for user in country.users.values():
                user.password = secret
                binding.bind(None, user, Change.PASSWORD)
            terms = {}
            for title in titles:
                cooperation = _open(country, title, people)
                if fill:
                    fill(country, cooperation)
                terms[title] = f"/checklists/{checklist_of(cooperation, ChecklistKind.TERMS).id}"
            emails = {first: user.email for first, user in country.users.items()}
            marks = {first: user.fs_uniquifier for first, user in country.users.items()}
            db.session.commit()
            settle(app)
            return Laid(emails, marks, terms)

    return StartingPoint(name, build, on=PREPARED)


def _open(country: Country, title: str, people: Iterable[str]) -> Cooperation:
    cooperation = open_one(
        country, "door", "lantern", modes=(Mode.VISIT,), title=title, questions=QUESTIONS
    )
    for first in people:
        bring_in(country, cooperation, first)
    return cooperation


@dataclass
class Browsers:
    """Browsers of the people who negotiate, by first name."""

    laid: Laid
    app: Flask
    new_context: NewContext

    def page(self, first: str, **options: Any) -> Page:
        """Return a page of a new browser in which a person is signed in."""
        state = signed_in(self.app, self.laid.marks[first])
        return self.new_context(storage_state=state, **options).new_page()

    def sign_in(self, page: Page, first: str) -> None:
        """Fill in and send the sign-in form on the page."""
        page.get_by_label("Email address").fill(self.laid.emails[first])
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".acting")).to_be_visible()
