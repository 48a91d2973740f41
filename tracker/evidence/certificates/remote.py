"""Requests for timestamps, and for the revocation data of certificates, from the worker.

Both are called over HTTP: the timestamp service at the operator's address, the others at the
addresses that the certificates of that service and of the document key name. What comes back is
signed, so that nobody in between can change it. No redirect is followed, and each answer has to
come within a time, which begins with the lookup of the host's name, and a size.
"""

import asyncio
import socket
import urllib.request
from collections.abc import AsyncGenerator, Iterable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from io import BytesIO
from typing import ClassVar, TypeAlias
from urllib.error import HTTPError
from urllib.parse import urlsplit

from asn1crypto import cms, crl, ocsp, tsp
from asn1crypto import x509 as asn1_x509
from asn1crypto.core import Sequence
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator import errors
from pyhanko_certvalidator.authority import Authority
from pyhanko_certvalidator.fetchers import CertificateFetcher, CRLFetcher, Fetchers, OCSPFetcher
from pyhanko_certvalidator.fetchers.common_utils import (
    enumerate_delivery_point_urls,
    format_ocsp_request,
    process_ocsp_response_data,
)
from pyhanko_certvalidator.util import get_ocsp_urls, get_relevant_crl_dps, issuer_serial

from tracker.core.deadlines import Deadline

SECONDS = 10
LONGEST_ANSWER = 100_000
# A longer list would make every certificate that long.
LONGEST_LIST = 1_000_000
READ_AT_A_TIME = 65_536

Certified: TypeAlias = asn1_x509.Certificate | cms.AttributeCertificateV2


class _WithoutRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it could lead to an address without TLS, or into a private network."""

    def redirect_request(self, *_: object) -> None:
        """Say that there is no further request."""


class _EndingConnection(HTTPConnection):
    """A connection that is cut after SECONDS, however little and often the server sends.

    The time begins before the host's name is looked up, and is one for all that follows. The
    library's own timeout begins anew with each address of the host and each byte of the answer.
    """

    _deadline: Deadline

    def connect(self) -> None:
        """Connect, and have the connection cut when the time is over."""
        self._deadline = Deadline(SECONDS)
        self._create_connection = self._connected
        HTTPConnection.connect(self)

    def _connected(self, place: tuple[str, int], *_: object) -> socket.socket:
        """Return a connection that is cut in time."""
        connection = self._deadline.connect(*place)
        self._deadline.cut(connection)
        return connection


class _EndingTLSConnection(_EndingConnection, HTTPSConnection):
    """The same by https: the handshake comes within the same time."""

    def connect(self) -> None:
        """Connect, and shake hands."""
        super().connect()
        # Type information has no private names.
        name = self._tunnel_host or self.host  # type: ignore[attr-defined]
        encrypted = self._context.wrap_socket(  # type: ignore[attr-defined]
            self.sock,
            server_hostname=name,
            do_handshake_on_connect=False,
        )
        self.sock = encrypted
        self._deadline.cut(encrypted)
        encrypted.do_handshake()


class _Plain(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_EndingConnection, request)


class _Encrypted(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_EndingTLSConnection, request)


_OPENER = urllib.request.build_opener(_WithoutRedirects, _Plain, _Encrypted)


class TimestampService(TimeStamper):
    """A timestamp service (RFC 3161), called over HTTP."""

    def __init__(self, url: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # pyHanko's
        self._url = url

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Send a request and return the response."""
        headers = {
            "Content-Type": "application/timestamp-query",
            "Accept": "application/timestamp-reply",
        }
        answer = await asyncio.to_thread(
            exchange, self._url, headers, req.dump(), longest=LONGEST_ANSWER
        )
        _require_granted(_Answer.load(answer, strict=True)["status"])
        return tsp.TimeStampResp.load(answer, strict=True)


class _Answer(Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """An answer of a timestamp service, which has no timestamp if it refuses (RFC 3161, 2.4.2)."""

    _fields: ClassVar = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


def _require_granted(status: tsp.PKIStatusInfo) -> None:
    """Raise OSError with the service's reason if it refused."""
    if status["status"].native in {"granted", "granted_with_mods"}:
        return
    reasons = [*(status["status_string"].native or ()), *sorted(status["fail_info"].native or ())]
    message = f"it answers {status['status'].native} ({', '.join(reasons) or 'without a reason'})"
    raise OSError(message)


def fetchers(failures: list[str]) -> Fetchers:
    """Return what fetches revocation data for pyHanko, from where certificates say it is.

    What can't be had is added to failures: pyHanko says only that something is missing.
    """
    return Fetchers(_Responses(failures), _Lists(failures), _NoCertificates())


def exchange(
    url: str, headers: Mapping[str, str], data: bytes | None = None, *, longest: int
) -> bytes:
    """Send a request (POST with data, else GET) and return the body of the answer.

    Raise OSError if it can't be had in time, ValueError if the address isn't one of HTTP or the
    answer is too long.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        message = f"{url} isn't an address of HTTP."
        raise ValueError(message)
    request = urllib.request.Request(url, data=data, headers=dict(headers))  # noqa: S310 -- see above
    deadline = Deadline(SECONDS)
    try:
        with _OPENER.open(request, timeout=SECONDS) as answer:
            deadline.left()  # a head that was cut looks like one that has ended
            return _read(answer, deadline, longest)
    except HTTPError as error:
        error.close()
        raise
    except HTTPException as error:  # an answer that was cut, or isn't one
        deadline.left()
        message = f"The answer isn't a complete one of HTTP ({type(error).__name__})."
        raise OSError(message) from error
    except OSError:
        deadline.left()  # a connection that was cut says only that it has ended
        raise


def _read(answer: HTTPResponse | BytesIO, deadline: Deadline, longest: int) -> bytes:
    body = b""
    while chunk := answer.read1(READ_AT_A_TIME):
        body += chunk
        if len(body) > longest:
            message = f"The answer is longer than {longest:,} bytes."
            raise ValueError(message)
        deadline.left()
    deadline.left()
    return body


# Revocation data ----------------------------------------------------------------------------------


class _Lists(CRLFetcher):
    """Revocation lists (CRL) of the certificates that name an address of one."""

    def __init__(self, failures: list[str]) -> None:
        self._failures = failures
        self._of: dict[bytes, list[crl.CertificateList]] = {}

    async def fetch(
        self,
        cert: Certified,
        *,
        use_deltas: bool | None = None,  # noqa: ARG002 -- only complete lists are fetched
    ) -> Iterable[crl.CertificateList]:
        """Return the lists that concern a certificate; raise CRLFetchError if none can be had."""
        subject = issuer_serial(cert)
        if subject not in self._of:
            self._of[subject] = [
                await self._list(url)
                for point in get_relevant_crl_dps(cert, use_deltas=False)
                for url in enumerate_delivery_point_urls(point)
            ]
        return self._of[subject]

    async def _list(self, url: str) -> crl.CertificateList:
        headers = {"Accept": "application/pkix-crl"}
        try:
            data = await asyncio.to_thread(exchange, url, headers, longest=LONGEST_LIST)
            return crl.CertificateList.load(data, strict=True)
        except (OSError, ValueError) as error:
            self._failures.append(f"no revocation list from {url}: {error}")
            raise errors.CRLFetchError(self._failures[-1]) from error

    def fetched_crls(self) -> Iterable[crl.CertificateList]:
        """Return all lists that were fetched."""
        return [crl_ for lists in self._of.values() for crl_ in lists]

    def fetched_crls_for_cert(self, cert: Certified) -> Iterable[crl.CertificateList]:
        """Return the lists that were fetched for a certificate; raise KeyError for none."""
        return self._of[issuer_serial(cert)]


class _Responses(OCSPFetcher):
    """Answers of revocation services (OCSP) on the certificates that name one."""

    def __init__(self, failures: list[str]) -> None:
        self._failures = failures
        self._of: dict[bytes, ocsp.OCSPResponse] = {}

    async def fetch(self, cert: Certified, authority: Authority) -> ocsp.OCSPResponse:
        """Return an answer on a certificate; raise OCSPFetchError if none can be had."""
        subject = issuer_serial(cert)
        if subject not in self._of:
            self._of[subject] = await self._first(cert, authority)
        return self._of[subject]

    async def _first(self, cert: Certified, authority: Authority) -> ocsp.OCSPResponse:
        request = format_ocsp_request(cert, authority, certid_hash_algo="sha1", request_nonces=True)
        headers = {
            "Content-Type": "application/ocsp-request",
            "Accept": "application/ocsp-response",
        }
        for url in get_ocsp_urls(cert):
            try:
                data = await asyncio.to_thread(
                    exchange, url, headers, request.dump(), longest=LONGEST_ANSWER
                )
                return process_ocsp_response_data(data, ocsp_request=request, ocsp_url=url)
            except (OSError, ValueError, errors.OCSPValidationError) as error:
                self._failures.append(f"no answer on revocation from {url}: {error}")
        raise errors.OCSPFetchError("; ".join(self._failures))

    def fetched_responses(self) -> Iterable[ocsp.OCSPResponse]:
        """Return all answers that were fetched."""
        return list(self._of.values())

    def fetched_responses_for_cert(self, cert: Certified) -> Iterable[ocsp.OCSPResponse]:
        """Return the answers that were fetched on a certificate."""
        response = self._of.get(issuer_serial(cert))
        return [] if response is None else [response]


class _NoCertificates(CertificateFetcher):
    """Fetches no certificates: a chain is as long as what the service sent along."""

    async def fetch_cert_issuers(
        self, _cert: Certified
    ) -> AsyncGenerator[asn1_x509.Certificate, None]:
        """Yield nothing."""
        for certificate in self.fetched_certs():
            yield certificate

    async def fetch_crl_issuers(
        self, _certificate_list: crl.CertificateList
    ) -> AsyncGenerator[asn1_x509.Certificate, None]:
        """Yield nothing."""
        for certificate in self.fetched_certs():
            yield certificate

    def fetched_certs(self) -> Iterable[asn1_x509.Certificate]:
        """Return nothing."""
        return ()
