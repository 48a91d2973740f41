"""Steps of negotiating one item, by parties in their own browsers."""

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

# The part of each item's answer that they negotiate.
PART = {
    "M2": "objectives",
    "M7": "meetings",
    "M10": "credit",
    "M13": "safety_rules",
    "M14": "update_rule",
    "M15": "first_act",
    "M17": "criteria",
    "M18": "separate_opinion_rule",
    "M20": "ending",
}


@dataclass(frozen=True, slots=True)
class Side:
    """Somebody who acts for a party, at their browser, with the terms open."""

    page: Page
    terms: str

    def item(self, code: str) -> Locator:
        """Open the list of items in its current state, and return one of them, unfolded."""
        self.page.goto(f"{self.terms}?open={code}")
        return self.page.locator(f"#{code.lower()}")

    def propose(self, code: str, words: str, reason: str) -> None:
        """Suggest a change to a part of the answer."""
        self.item(code).get_by_role("link", name=re.compile(r"^Suggest a change\s*: ")).click()
        self._send_words(code, words, reason)

    def answer_with(self, code: str, words: str, reason: str) -> None:
        """Answer a proposal with another one."""
        self.item(code).get_by_role(
            "link", name=re.compile(r"^Suggest something else\s*: ")
        ).first.click()
        self._send_words(code, words, reason)

    def _send_words(self, code: str, words: str, reason: str) -> None:
        self.page.locator(f"[name={PART[code]}]").fill(words)
        self.page.get_by_label("Reason for the change").fill(reason)
        # The page may say the same of another item already.
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="Send the suggestion").click()
        self.expect("The other parties can now see your suggestion for “")

    def change(self, code: str, words: str) -> None:
        """Change the answer of the person's own party, which no other party has accepted."""
        self.item(code).get_by_role("link", name=re.compile(r"^Change the answer\s*: ")).click()
        self.page.locator(f"[name={PART[code]}]").fill(words)
        self.page.get_by_role("button", name="Save answer").click()
        self.expect("is saved.")

    def accept(self, code: str) -> None:
        """Accept the answer as it is."""
        with self.page.expect_navigation():
            self.item(code).get_by_role("button", name=re.compile(r"^Accept\s*: ")).click()
        self.expect("You accepted “")

    def read(self, code: str) -> None:
        """Say that an answer of a model text was read; for the party that began with it, accept."""
        self.item(code).get_by_role("button", name=re.compile(r"^I have read it\s*: ")).click()
        self.expect("Read for")

    def accept_proposal(self, code: str) -> None:
        """Make the first proposal the answer."""
        name = re.compile(r"^Accept the change\s*: ")
        self.item(code).get_by_role("button", name=name).first.click()
        self.expect("Change accepted.")

    def turn_down(self, code: str, reason: str) -> None:
        """Decline the first proposal."""
        self.item(code).get_by_role("link", name=re.compile(r"^Decline\s*: ")).first.click()
        self._give_reason(reason, "Decline", "You declined the suggestion.")

    def ask_to_talk(self, code: str, reason: str) -> None:
        """Ask to discuss an answer."""
        self.item(code).get_by_role("link", name=re.compile(r"^Ask to discuss\s*: ")).click()
        self._give_reason(reason, "Ask to discuss", "The others see that you want to discuss “")

    def flag(self, code: str, reason: str) -> None:
        """Flag a term as limiting the NPM."""
        self.item(code).get_by_role(
            "link", name=re.compile(r"^Flag: limits the NPM's independence\s*: ")
        ).click()
        self._give_reason(reason, "Flag the term", "is flagged.")

    def explain(self, code: str, reason: str) -> None:
        """Close a flag with an explanation."""
        self.item(code).get_by_role(
            "link", name=re.compile(r"^Explain why this is acceptable\s*: ")
        ).click()
        self._give_reason(reason, "Save explanation", "The flag is closed with your explanation.")

    def _give_reason(self, reason: str, button: str, message: str) -> None:
        self.page.get_by_label("Reason", exact=True).fill(reason)
        self.page.get_by_role("button", name=button).click()
        self.expect(message)

    def expect(self, words: str) -> None:
        """Wait for the page to say that something was done."""
        expect(self.page.locator(".flashes")).to_contain_text(words)

    def assign(self, code: str, name: str) -> None:
        """Assign an item to somebody on the person's own side, whoever has it now."""
        self.item(code).get_by_role("link", name=re.compile(r"^(Assign|Change who)\s*: ")).click()
        self.page.locator("select[name=person]").select_option(label=name)
        self.page.get_by_role("button", name="Assign", exact=True).click()
        self.expect("is assigned.")

    def count(self, name: str) -> int:
        """Return how many items a filter shows."""
        self.page.goto(self.terms)
        link = self.page.get_by_role("navigation", name="Filter items").get_by_role(
            "link", name=re.compile(f"^{name}")
        )
        return int(re.sub(r"\D", "", link.inner_text()))

    def frozen_text(self) -> str:
        """Return the text that was sent for signature, with its digest."""
        self.page.goto(f"{self.terms}/record")
        clauses = self.page.locator(".clause").all_inner_texts()
        return "\n".join([*clauses, self.page.locator(".digest").inner_text()])
