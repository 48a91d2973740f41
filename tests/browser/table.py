"""An instance filled by the verbs before it is served: an NPM and two CSOs at one table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flask_security import hash_password
from playwright.sync_api import Page, expect

from config import Settings
from tests.browser.conftest import NewContext
from tests.factories.agreements import checklist_of
from tests.factories.cooperations import Country, bring_in, country, open_one
from tracker import create_app
from tracker.access.actor import Role
from tracker.cooperations.models import ChecklistKind, Cooperation, Mode
from tracker.core.db import db
from tracker.running import preparing

PASSWORD = "pebble-lantern-quiet-river"
NPM, DOOR, LANTERN = (
    "Office of the People's Advocate",
    "Open Door Legal Aid",
    "Lantern Health Network",
)
QUESTIONS = {"personal_data": "no", "npm_passes_restricted": "no", "consent_hard": "no"}

Fill = Callable[[Country, Cooperation], None]


@dataclass(frozen=True, slots=True)
class Laid:
    """What tests need to know of the instance: addresses of people, and of terms by their title."""

    emails: dict[str, str]
    terms: dict[str, str]


def lay(
    data_dir: Path, titles: Iterable[str], people: Iterable[str], fill: Fill | None = None
) -> Laid:
    """Fill an empty data directory with a cooperation for each title; people take part in each.

    Everybody has a password and no second factor, so that no test waits for a code.
    """
    environment = {"TRACKER_DATA_DIR": str(data_dir)}
    settings = replace(Settings.from_environment(environment), testing=True)
    app = create_app(settings)
    with app.app_context():
        preparing.prepare(settings, lambda _line: None)
        land = country(db.session())
        land.person("Otto Brandis", "lantern", Role.SIGNATORY, power="Board minutes")
        secret = hash_password(PASSWORD)
        for user in land.users.values():
            user.password = secret
        terms = {}
        for title in titles:
            cooperation = _open(land, title, people)
            if fill:
                fill(land, cooperation)
            terms[title] = f"/checklists/{checklist_of(cooperation, ChecklistKind.TERMS).id}"
        emails = {first: user.email for first, user in land.users.items()}
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    return Laid(emails, terms)


def _open(land: Country, title: str, people: Iterable[str]) -> Cooperation:
    made = open_one(land, "door", "lantern", modes=(Mode.VISIT,), title=title, questions=QUESTIONS)
    for first in people:
        bring_in(land, made, first)
    return made


@dataclass
class Seats:
    """Browsers of the people at the table, by first name; each signs in by the form once."""

    laid: Laid
    new_context: NewContext
    states: dict[str, Any] = field(default_factory=dict)

    def page(self, first: str, **options: Any) -> Page:
        """Return a page of a new browser in which a person is signed in."""
        if first not in self.states:
            page = self.new_context().new_page()
            page.goto("/sign-in")
            self.sign_in(page, first)
            self.states[first] = page.context.storage_state()
            page.context.close()
        return self.new_context(storage_state=self.states[first], **options).new_page()

    def sign_in(self, page: Page, first: str) -> None:
        """Fill in and send the form of the sign-in that is shown."""
        page.get_by_label("Email address").fill(self.laid.emails[first])
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".acting")).to_be_visible()
