"""Mail to a server that requires encryption and a password."""

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers.ports import free_port
from tracker.mail.transport import SmtpTransport, TransportError


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate of this machine, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


class KeepingServer:
    """What a server received."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 -- the name is aiosmtpd's
        self.messages.append(envelope.content)
        return "250 Kept"


def only_the_right_password(
    _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: LoginPassword
) -> AuthResult:
    right = given == LoginPassword(b"terms", b"secret:word")
    return AuthResult(success=right, handled=right)


@dataclass
class Server:
    """A server that accepts only encrypted mail."""

    mailbox: KeepingServer
    port: int
    kind: str

    def transport(self, password: str, context: ssl.SSLContext | None) -> SmtpTransport:
        """Return the server's URL; the one with STARTTLS requires a password too."""
        begins_plain = self.kind == "starttls"
        return SmtpTransport(
            "127.0.0.1",
            self.port,
            "terms" if begins_plain else "",
            password,
            encrypted=not begins_plain,
            starttls=begins_plain,
            context=context,
        )


@pytest.fixture
def context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.fixture
def starttls(context: ssl.SSLContext) -> Iterator[Server]:
    mailbox = KeepingServer()
    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=only_the_right_password,
        auth_required=True,
        require_starttls=True,
        tls_context=context,
    )
    controller.start()
    yield Server(mailbox, controller.port, "starttls")
    controller.stop()


@pytest.fixture
def smtps(context: ssl.SSLContext) -> Iterator[Server]:
    mailbox = KeepingServer()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), ssl_context=context)
    controller.start()
    yield Server(mailbox, controller.port, "smtps")
    controller.stop()


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "no-reply@terms.example"
    message["To"] = "samira@example.org"
    message["Subject"] = "Something waits"
    message.set_content("Look.")
    return message


@pytest.mark.parametrize("kind", ["starttls", "smtps"])
def test_a_message_goes_encrypted(
    request: pytest.FixtureRequest, trusting: ssl.SSLContext, kind: str
) -> None:
    server: Server = request.getfixturevalue(kind)
    server.transport("secret:word", trusting).send(letter())
    assert b"Look." in server.mailbox.messages[0]


@pytest.mark.parametrize("kind", ["starttls", "smtps"])
def test_a_server_that_proves_nothing_gets_nothing(
    request: pytest.FixtureRequest, kind: str
) -> None:
    server: Server = request.getfixturevalue(kind)
    with pytest.raises(TransportError, match="certificate"):
        server.transport("secret:word", None).send(letter())
    assert server.mailbox.messages == []


def test_a_wrong_password_fails_without_revealing_it(
    starttls: Server, trusting: ssl.SSLContext
) -> None:
    with pytest.raises(TransportError) as caught:
        starttls.transport("guessed-word", trusting).send(letter())
    assert "535" in str(caught.value)
    assert "guessed-word" not in str(caught.value)
    assert starttls.mailbox.messages == []


def test_such_a_server_accepts_nothing_without_encryption(starttls: Server) -> None:
    with pytest.raises(TransportError):
        SmtpTransport("127.0.0.1", starttls.port).send(letter())
    assert starttls.mailbox.messages == []
