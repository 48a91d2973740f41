"""Parsing the URL of a transport."""

from pathlib import Path

import pytest

from tracker.mail.transport import (
    ConsoleTransport,
    FileTransport,
    SmtpTransport,
    TransportError,
    address,
    from_url,
    is_about_the_address,
)


@pytest.mark.parametrize(
    ("url", "transport"),
    [
        ("console://", ConsoleTransport()),
        ("file:///var/mail%20box", FileTransport(Path("/var/mail box"))),
        ("smtp://mail.example", SmtpTransport("mail.example", 587)),
        ("smtps://mail.example", SmtpTransport("mail.example", 465, encrypted=True)),
        (
            "smtp://me%40x:p%3Aw@mail.example:2525?starttls=1",
            SmtpTransport("mail.example", 2525, "me@x", "p:w", starttls=True),
        ),
    ],
)
def test_an_address_names_a_transport(url: str, transport: object) -> None:
    assert from_url(url) == transport


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://x:99999",
        "file://mail",
        "file:",
    ],
)
def test_another_address_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(TransportError) as caught:
        from_url(url)
    assert "\n" not in str(caught.value)


def test_the_description_of_a_transport_has_no_password() -> None:
    words = from_url("smtp://me:secret@mail.example:25").words
    assert words == "smtp://mail.example:25"


def test_an_address_with_a_name_is_read() -> None:
    read = address("Common Terms <no-reply@terms.example>")
    assert (read.display_name, read.addr_spec) == ("Common Terms", "no-reply@terms.example")


@pytest.mark.parametrize("text", ["", "x", "@", "a@", "@b", "a@" + "x" * 70 + ".example"])
def test_an_invalid_address_is_refused(text: str) -> None:
    with pytest.raises(TransportError):
        address(text)


@pytest.mark.parametrize(
    ("code", "answer", "is_final"),
    [
        (550, b"No such user", True),
        (550, b"5.1.1 No such user", True),
        (553, "5.1.3 Bad address syntax", True),
        # What the relay says about itself, the sender or today.
        (550, b"5.7.1 Sender blocked", False),
        (554, b"5.7.1 Relay access denied", False),
        (530, b"Authentication required", False),
        (552, b"Mailbox full", False),
        (450, b"4.2.0 Try again later", False),
    ],
)
def test_only_an_answer_about_the_address_is_final(
    code: int, answer: bytes | str, *, is_final: bool
) -> None:
    assert is_about_the_address(code, answer) is is_final
