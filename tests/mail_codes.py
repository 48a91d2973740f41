"""Codes of items, statements, gates and stages, which no email and no certificate may have."""

import re
from typing import Any

import pytest

from tracker.mail.models import OutboxMessage

CODE = re.compile(r"(?<![\w-])(?:[MCVUS]\d{1,2}|[GJ]\d)\b(?!-)")
# Addresses, and what programs read: digests and signatures, such as those of a checkpoint.
_NO_WORDS = re.compile(r"https?://\S+|[A-Za-z0-9+/=]{24,}")


def codes_in(words: str) -> list[str]:
    """Return the codes in words; addresses, digests and signatures in them don't count."""
    return CODE.findall(_NO_WORDS.sub("", words))


def watch(patch: pytest.MonkeyPatch) -> None:
    """Fail wherever an email is queued that names an item by its code (language.md)."""
    seal = OutboxMessage.seal_body

    def checked(self: OutboxMessage, text: str) -> Any:
        coded = codes_in(self.subject) + codes_in(text)
        assert coded == [], f"an email of the kind {self.kind} has codes: {coded}"
        return seal(self, text)

    patch.setattr(OutboxMessage, "seal_body", checked)
