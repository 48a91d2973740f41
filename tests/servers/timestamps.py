"""A timestamp authority (RFC 3161) on this machine, with a root, a revocation list and OCSP."""

import datetime as dt
import functools
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from tests.servers.server import Server
from tracker.core import clock
from tracker.evidence.certificates.pdf import Signer

DAY = dt.timedelta(days=1)
YEAR = dt.timedelta(days=365)
MOVED = "/moved"
SERVICE, OCSP, LIST, LIST_OF_SIGNERS = "/tsa", "/ocsp", "/list", "/signers"

Public = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@functools.cache
def private_key(name: str) -> rsa.RSAPrivateKey:
    """Return the key of a name, the same one during a run: making one is slow."""
    assert name
    return rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True, slots=True)
class _Root:
    """The root of an authority: its name, its key and, once it has one, its certificate."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey

    def issue(
        self, name: x509.Name, public: Public, lasts: dt.timedelta, *more: x509.ExtensionType
    ) -> x509.Certificate:
        """Return a certificate that begins a day ago."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(clock.now() - DAY)
            .not_valid_after(clock.now() + lasts)
        )
        for extension in (
            x509.BasicConstraints(ca=name == self.name, path_length=None),
            *more,
        ):
            builder = builder.add_extension(extension, critical=_is_critical(extension))
        return builder.sign(self.key, hashes.SHA256())

    def certificate(self) -> x509.Certificate:
        """Return a certificate of the root itself."""
        return self.issue(self.name, self.key.public_key(), 30 * YEAR)


class TimestampServer(Server):
    """The authority; use it in a with statement. Its certificates begin when it starts.

    With lists, its certificates name a revocation list; with ocsp, a service that answers on
    revocation. Both are at this server, away while revocation_is_away, and good for a while.
    """

    def __init__(
        self,
        name: str = "Stamps",
        *,
        lasts: dt.timedelta = 10 * YEAR,
        lists: bool = False,
        ocsp: bool = False,
        good_for: dt.timedelta = 2 * DAY,
    ) -> None:
        self.name = name
        self.requests: list[str] = []
        self.revocation_is_away = False
        self.answer: bytes | None = None
        """What is answered instead of a timestamp."""
        self.signs_with = name
        """The name whose key signs timestamps; another than its own makes them worthless."""
        self._lasts, self._lists, self._ocsp = lasts, lists, ocsp
        self._good_for = good_for
        self._root = _Root(_named(f"{name} root"), ec.generate_private_key(ec.SECP256R1()))
        self._of_signers = _Root(_named("Ministry"), ec.generate_private_key(ec.SECP256R1()))

    def _start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.begin()

    def stop(self) -> None:
        """Stop the authority, and wait until it has."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def begin(self) -> None:
        """Make the authority's certificates."""
        self.root = self._root.certificate()
        use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        public = private_key(self.name).public_key()
        more = (use, *self._sources(LIST))
        self.own = self._root.issue(_named(self.name), public, self._lasts, *more)

    @property
    def address(self) -> str:
        """The address of the server without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The address of the service, as TRACKER_TIMESTAMP_URL takes it."""
        return self.address + SERVICE

    def signer(self, private: ec.EllipticCurvePrivateKey, lasts: dt.timedelta) -> Signer:
        """Return a key to sign documents with, issued by another authority at this server.

        That authority has no service that answers on revocation.
        """
        usage = x509.KeyUsage(True, True, *[False] * 7)
        public = private.public_key()
        more = (usage, *self._sources(LIST_OF_SIGNERS)[:1])
        own = self._of_signers.issue(_named("Office"), public, lasts, *more)
        return Signer(private, (own, self._of_signers.certificate()))

    def answer_to(self, path: str, query: bytes) -> bytes | None:
        """Return the answer to a request; None if there is none now."""
        self.requests.append(path)
        if path == SERVICE:
            return self._timestamp(query)
        if self.revocation_is_away:
            return None
        if path == OCSP:
            return self._revocation_answer(query)
        return self._revocation_list(self._root if path == LIST else self._of_signers)

    def _timestamp(self, query: bytes) -> bytes:
        if self.answer is not None:
            return self.answer
        stamper = DummyTimeStamper(
            tsa_cert=_asn1(self.own),
            tsa_key=asn1_keys.PrivateKeyInfo.load(_der(private_key(self.signs_with))),
            certs_to_embed=[_asn1(self.root)],  # type: ignore[arg-type]  # it is made a list
            fixed_dt=clock.now().replace(microsecond=0),
        )
        answer: bytes = stamper.request_tsa_response(tsp.TimeStampReq.load(query)).dump()
        return answer

    def _revocation_list(self, root: _Root) -> bytes:
        """Return a list of revoked certificates, which is empty."""
        now = clock.now()
        made_list = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(root.name)
            .last_update(now - DAY)
            .next_update(now + self._good_for)
            .sign(root.key, hashes.SHA256())
        )
        return made_list.public_bytes(serialization.Encoding.DER)

    def _revocation_answer(self, query: bytes) -> bytes:
        """Return what the authority answers on its certificate: it is good."""
        request, now = ocsp.load_der_ocsp_request(query), clock.now()
        answer = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                self.own,
                self.root,
                request.hash_algorithm,
                ocsp.OCSPCertStatus.GOOD,
                now - DAY,
                now + self._good_for,
                None,
                None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.root)
            .sign(self._root.key, hashes.SHA256())
        )
        return answer.public_bytes(serialization.Encoding.DER)

    def _sources(self, path: str) -> list[x509.ExtensionType]:
        """Return what names the sources of revocation data in a certificate, lists first."""
        sources: list[x509.ExtensionType] = []
        if self._lists:
            where = [x509.UniformResourceIdentifier(self.address + path)]
            point = x509.DistributionPoint(where, None, None, None)
            sources.append(x509.CRLDistributionPoints([point]))
        if self._ocsp:
            service = x509.UniformResourceIdentifier(self.address + OCSP)
            access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, service)
            sources.append(x509.AuthorityInformationAccess([access]))
        return sources


def _handler_of(authority: TimestampServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(authority.answer_to(self.path, b""))

        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == MOVED:
                self.send_response(302)
                self.send_header("Location", SERVICE)
                self.end_headers()
            else:
                self._answer(authority.answer_to(self.path, query))

        def _answer(self, body: bytes | None) -> None:
            if body is None:
                self.send_error(503)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler


def _is_critical(extension: x509.ExtensionType) -> bool:
    return not isinstance(extension, x509.CRLDistributionPoints | x509.AuthorityInformationAccess)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def _der(private: rsa.RSAPrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
