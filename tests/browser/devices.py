"""A virtual authenticator in the browser, and how people set up passkeys."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page

from tests.browser.accessibility import grave_faults


@dataclass
class Device:
    """A device in the browser that stores passkeys, and how its user behaves."""

    page: Page
    session: CDPSession
    id: str

    @classmethod
    def of(cls, page: Page) -> "Device":
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        authenticator = session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        return cls(page, session, authenticator["authenticatorId"])

    def tell(self, method: str, **more: Any) -> Any:
        return self.session.send(f"WebAuthn.{method}", {"authenticatorId": self.id, **more})

    def verifies(self, *, person: bool) -> None:
        self.tell("setUserVerified", isUserVerified=person)

    @property
    def passkeys(self) -> list[dict[str, Any]]:
        credentials: list[dict[str, Any]] = self.tell("getCredentials")["credentials"]
        return credentials

    def counts_from(self, count: int) -> None:
        """Reset the passkey's counter, as in a clone that has signed less often."""
        passkey = self.passkeys[0]
        self.tell("clearCredentials")
        self.tell("addCredential", credential=passkey | {"signCount": count})


def set_up(page: Page, name: str) -> None:
    """Set up a passkey for whoever is signed in."""
    page.goto("/account")
    page.get_by_role("link", name="Set up a passkey").click()
    page.get_by_label("Name of the passkey").fill(name)
    assert grave_faults(page) == []
    page.get_by_role("button", name="Continue").click()
