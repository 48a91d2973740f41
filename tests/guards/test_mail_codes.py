"""Emails and certificates name items by their titles, in every language, and never by a code.

The tests of each feature queue its emails; whatever they queue is checked too (tests/mail_codes).
"""

from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from tests.mail_codes import codes_in

ROOT = Path(__file__).parents[2]
TRANSLATIONS = ROOT / "tracker" / "translations"
# Where the sentences of emails and certificates are.
SENT_IN = ("messages.py", "templates/mail/", "layouts/mail.txt", "evidence/certificates/")
CATALOGUES = sorted(TRANSLATIONS.rglob("messages.po"))


def is_sent(message: Message) -> bool:
    return any(part in name for name, _line in message.locations for part in SENT_IN)


def sentences(path: Path) -> list[str]:
    """Return the sentences of emails and certificates, in English and translated."""
    with path.open("rb") as file:
        messages = [message for message in read_po(file) if message.id and is_sent(message)]
    return [
        words
        for message in messages
        for texts in (message.id, message.string or ())
        for words in ([texts] if isinstance(texts, str) else texts)
    ]


def test_a_code_is_noticed_but_not_a_reference_or_an_address() -> None:
    assert codes_in("Look at M5 and S12 before gate G3.") == ["M5", "S12", "G3"]
    assert codes_in("C-2026-0001, A4, M5-like, https://example.org/M5") == []
    # The signature of a checkpoint may end in what looks like a code.
    assert codes_in("AbCdEfGhIjKlMnOpQrStUvWxYz01/C7=") == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_no_sentence_of_an_email_or_a_certificate_has_a_code(path: Path) -> None:
    texts = sentences(path)
    assert len(texts) > 100
    assert [text for text in texts if codes_in(text)] == []
