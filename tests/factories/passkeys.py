"""A software authenticator, written only from the standard: what it and its browser respond."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories.accounts import People
from tests.pages import Page
from tracker.accounts.factors import credentials
from tracker.accounts.models import Passkey

ORIGIN = "http://localhost:8000"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Device:
    """One passkey in one device; its attributes determine what it responds."""

    key: Key = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    origin: str = ORIGIN
    host: str = "localhost"
    flags: int = PRESENT | VERIFIED
    # The device's counter, incremented with each response; 0 if it doesn't count.
    step: int = 1
    count: int = 0
    client_data: dict[str, Any] = field(default_factory=dict)

    def cose(self) -> bytes:
        """Return the public key in the form passkeys use."""
        return cbor2.dumps(self._values())

    def _values(self) -> dict[int, Any]:
        match self.key:
            case ec.EllipticCurvePrivateKey():
                point = self.key.public_key().public_numbers()
                return {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
            case ed25519.Ed25519PrivateKey():
                return {1: 1, 3: -8, -1: 6, -2: self.key.public_key().public_bytes_raw()}
            case rsa.RSAPrivateKey():
                numbers = self.key.public_key().public_numbers()
                return {1: 3, 3: -257, -1: numbers.n.to_bytes(256), -2: numbers.e.to_bytes(3)}

    def make(self, challenge: bytes) -> str:
        """Return a new passkey as the browser sends it."""
        known = b"\x00" * 16 + len(self.credential_id).to_bytes(2) + self.credential_id
        data = self._device(self.flags | ATTESTED) + known + self.cose()
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._sent(
            attestationObject=encode(attestation),
            clientDataJSON=encode(self._browser("webauthn.create", challenge)),
            transports=["internal"],
        )

    def answer(self, challenge: bytes, handle: str | None = None) -> str:
        """Return the device's response to a challenge, as the browser sends it."""
        self.count += self.step
        device, browser = self._device(self.flags), self._browser("webauthn.get", challenge)
        return self._sent(
            authenticatorData=encode(device),
            clientDataJSON=encode(browser),
            signature=encode(self.sign(device + hashlib.sha256(browser).digest())),
            **({"userHandle": encode(handle.encode())} if handle else {}),
        )

    def sign(self, data: bytes) -> bytes:
        match self.key:
            case ec.EllipticCurvePrivateKey():
                return self.key.sign(data, ec.ECDSA(SHA256()))
            case ed25519.Ed25519PrivateKey():
                return self.key.sign(data)
            case rsa.RSAPrivateKey():
                return self.key.sign(data, padding.PKCS1v15(), SHA256())

    def proof(self, challenge: bytes, nonce: str) -> dict[str, str]:
        """Return a response as a signature stores it."""
        response = json.loads(self.answer(challenge))["response"]
        return {
            "credential_id": encode(self.credential_id),
            "public_key": encode(self.cose()),
            "authenticator_data": response["authenticatorData"],
            "client_data_json": response["clientDataJSON"],
            "signature": response["signature"],
            "nonce": nonce,
        }

    def _device(self, flags: int) -> bytes:
        place = hashlib.sha256(self.host.encode()).digest()
        return place + bytes([flags]) + self.count.to_bytes(4)

    def _browser(self, act: str, challenge: bytes) -> bytes:
        client_data = {
            "type": act,
            "challenge": encode(challenge),
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps({**client_data, **self.client_data}).encode()

    def _sent(self, **response: Any) -> str:
        name = encode(self.credential_id)
        return json.dumps(
            {
                "id": name,
                "rawId": name,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
            }
        )


def give(make_people: People, key: str, device: Device, name: str = "My telephone") -> Passkey:
    """Give a person of an instance a passkey in a device; committed."""
    passkey = add(make_people.actor(key), device, name)
    make_people.session.commit()
    return passkey


def add(actor: Any, device: Device, name: str = "My telephone") -> Passkey:
    """Give a person a passkey in a device."""
    return credentials.add(
        actor,
        credentials.NewPasskey(
            name=name,
            credential_id=device.credential_id,
            public_key=device.cose(),
            sign_count=device.count,
            transports=["internal"],
            backed_up=False,
            device_type="single_device",
        ),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page asks the browser for: where the response goes, in which field, the options."""

    action: str
    into: str
    options: dict[str, Any]

    @property
    def challenge(self) -> bytes:
        text = self.options["challenge"]
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def asked_on(page: Page) -> Asked:
    """Return what a page asks the browser for, as its script reads it."""
    places = [element for element in page.root.iter("div") if "data-passkey" in element.attrib]
    assert len(places) == 1, f"{page.where}: {len(places)} places for a passkey"
    place = places[0].attrib
    forms = [
        form
        for form in page.root.iter("form")
        if any("data-passkey" in element.attrib for element in form.iter("div"))
    ]
    action = forms[0].attrib.get("action") or page.where
    return Asked(action, place["data-into"], json.loads(place["data-options"]))


def begin(client: CheckedClient, **fields: str) -> Asked:
    """Press the button for a passkey on the sign-in page."""
    response = client.post("/sign-in/passkey", data=fields or {"alone": "1"})
    assert response.status_code == 200, response.text
    return asked_on(Page.of(response))


def send(client: CheckedClient, prompt: Asked, answer: str) -> TestResponse:
    """Send the device's response, and follow redirects."""
    data = {prompt.into: answer}
    return client.post(prompt.action, data=data, follow_redirects=True)


def sign_in(client: CheckedClient, device: Device) -> TestResponse:
    """Sign in with a passkey alone."""
    prompt = begin(client)
    return send(client, prompt, device.answer(prompt.challenge))
