"""A person at a browser, who accepts an invitation, sets up codes, and signs."""

import re
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass

from passlib.totp import TOTP
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.instances import DATABASE
from tests.servers.application import Application

PASSWORD = "pebble-lantern-quiet-river"


@dataclass
class Person:
    """Somebody with an account, or about to have one."""

    live: Application
    name: str
    page: Page
    email: str
    key: str = ""

    def code(self) -> str:
        """Return the current code, as on a phone."""
        self.forget_last_code()
        return str(TOTP(key=self.key).generate().token)

    def forget_last_code(self) -> None:
        """Make the application forget, against its rules, which code was used last.

        Each code works once; without this, tests would wait half a minute for the next one.
        """
        database = sqlite3.connect(self.live.data_dir / DATABASE, timeout=60)
        with closing(database), database:
            forget = 'UPDATE "user" SET totp_last_step = NULL WHERE email = ?'
            database.execute(forget, [self.email])

    def accept(self, link: str) -> None:
        """Accept the invitation, with a second factor."""
        page = self.page
        page.goto(link)
        page.get_by_label("Your name").fill(self.name)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Accept and create your account").click()
        self.expect_told("Your account is ready, and you are signed in.")
        self._set_up_codes()

    def _set_up_codes(self) -> None:
        """Set up the second factor from the key on the page, as somebody who can't scan."""
        page = self.page
        page.get_by_text("Can't scan the code?").click()
        self.key = (page.locator("details code").text_content() or "").replace(" ", "")
        page.get_by_label("Six-digit code from your app").fill(self.code())
        page.get_by_role("button", name="Save the second factor").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
        expect(page.get_by_role("button", name="Print this page")).to_be_visible()

    def accept_role(self, role: str) -> None:
        """Read and accept a role that an administrator confirmed, from My work."""
        self.page.goto("/")
        self.page.get_by_role("link", name=re.compile(f"^Accept your role: {role}")).click()
        self.prove_and("Accept the role", "Your role has begun.")

    def confirm_role(self, of: str, role: str) -> None:
        """Confirm the role of somebody in the same organisation, from My work."""
        page = self.page
        page.goto("/")
        page.get_by_role("link", name=re.compile(f"^Confirm {of} as {role}")).click()
        page.get_by_role("link", name=re.compile("^Confirm this role")).click()
        page.get_by_role("button", name="Confirm the role").click()
        self.expect_told(f"The role of {of} is confirmed.")

    def prove_and(self, button: str | re.Pattern[str], message: str) -> None:
        """Enter password and code on a signing form, and press its button."""
        page = self.page
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Six-digit code from your app").fill(self.code())
        page.get_by_role("button", name=button).click()
        self.expect_told(message)

    def expect_told(self, words: str) -> None:
        """Wait for the page to say that something was done."""
        expect_told(self.page, words)


def expect_told(page: Page, words: str) -> None:
    """Wait for a page to say that something was done, which it says once."""
    expect(page.locator(".flashes")).to_contain_text(words)


def somebody(live: Application, new_context: NewContext, name: str, **options: object) -> Person:
    """Return a person at their own browser."""
    address = name.lower().replace(" ", ".") + "@maravena.example"
    return Person(live, name, new_context(**options).new_page(), address)


def first_administrator(live: Application, new_context: NewContext) -> Person:
    """Invite the first administrator with the command, as on a fresh instance."""
    person = somebody(live, new_context, "Iris Hallam")
    printed = live.command("invite", person.email, "--name", person.name)
    link = re.search(r"http\S+", printed)
    assert link is not None, printed
    person.accept(link.group())
    return person


def invitation_link(live: Application, email: str) -> str:
    """Return the link of the invitation to an address, from the folder of mails."""
    return mailed_link(live, email, "/invitations/")


def mailed_link(live: Application, email: str, path: str) -> str:
    """Return the link of a mail to an address whose path has these words."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for mail in sorted((live.data_dir / "mail").glob("*.eml"), reverse=True):
            head, _, body = mail.read_text().partition("\n\n")
            link = re.search(rf"http\S+{path}\S*", body.replace("=\n", ""))
            if link and f"To: {email}" in head:
                return link.group().replace("=3D", "=")
        time.sleep(0.1)
    message = f"No link with {path} was mailed to {email}"
    raise AssertionError(message)
