"""A person at a browser: accepts an invitation, sets up codes, signs in, signs."""

import re
import time
from dataclasses import dataclass, field

from passlib.totp import TOTP
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.servers.application import Application

PASSWORD = "pebble-lantern-quiet-river"
STEP = 30
ON_THE_WAY = 8


@dataclass
class Person:
    """Somebody with an account, or about to have one."""

    name: str
    page: Page
    email: str
    key: str = ""
    used: int = 0
    links: dict[str, str] = field(default_factory=dict)

    def code(self) -> str:
        """Return a code that was not used yet; wait for the next one where needed.

        The application takes the code of the step before and after too, as clocks differ. So the
        one before is used first, but not when it may be over by the time it is sent.
        """
        first = int(time.time() - STEP + ON_THE_WAY) // STEP
        step = max(self.used + 1, first)
        while step > int(time.time()) // STEP + 1:
            time.sleep(0.5)
        self.used = step
        return str(TOTP(key=self.key).generate(time=step * STEP).token)

    def accept(self, link: str) -> None:
        """Accept the invitation, with a second factor."""
        page = self.page
        page.goto(link)
        page.get_by_label("Your name").fill(self.name)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Accept and make the account").click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        self.set_up_codes()

    def set_up_codes(self) -> None:
        """Set up the second factor from the key on the page, as somebody who can't scan."""
        page = self.page
        page.goto("/account/second-factor")
        page.get_by_text("You can't scan it").click()
        self.key = (page.locator("details code").text_content() or "").replace(" ", "")
        page.get_by_label("Six-digit code from your app").fill(self.code())
        page.get_by_role("button", name="Save the second factor").click()
        expect(page.locator(".error-summary")).to_have_count(0)

    def sign_in(self) -> None:
        """Sign in with password and code."""
        page = self.page
        page.goto("/sign-in")
        page.get_by_label("Email address").fill(self.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("code", exact=False).first.fill(self.code())
        page.locator("main form button.button").first.click()
        expect(page.locator(".acting")).to_contain_text(self.name)

    def prove_and(self, button: str | re.Pattern[str]) -> None:
        """Enter password and code on a signing form and press its button."""
        page = self.page
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Six-digit code from your app").fill(self.code())
        page.get_by_role("button", name=button).click()
        expect(page.locator(".error-summary")).to_have_count(0)

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name).first.click()

    def follow(self, name: str | re.Pattern[str]) -> None:
        """Follow a link."""
        self.page.get_by_role("link", name=name).first.click()


def somebody(new_context: NewContext, name: str, **options: object) -> Person:
    """Return a person at a browser of their own."""
    address = name.lower().replace(" ", ".") + "@maravena.example"
    return Person(name, new_context(**options).new_page(), address)


def first_administrator(live: Application, new_context: NewContext) -> Person:
    """Let the first administrator in by the command, as on a fresh instance."""
    person = somebody(new_context, "Iris Hallam")
    printed = live.command("invite", person.email, "--name", person.name)
    link = re.search(r"http\S+", printed)
    assert link is not None, printed
    person.accept(link.group())
    return person


def invitation_link(live: Application, email: str) -> str:
    """Return the link of the newest mail to an address, from the folder mail is kept in."""
    for _ in range(100):
        for path in sorted(
            (live.data_dir / "mail").glob("*.eml"), key=lambda p: p.stat().st_mtime, reverse=True
        ):
            text = path.read_text()
            if f"To: {email}" in text or email in text.split("\n\n")[0]:
                joined = text.replace("=\n", "")
                link = re.search(r"http\S+/invitations/\S+", joined)
                if link:
                    return link.group().replace("=3D", "=")
        time.sleep(0.2)
    message = f"No invitation was mailed to {email}"
    raise AssertionError(message)
