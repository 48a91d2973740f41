"""The application behind the documented proxy: what people send arrives, and they are told why not.

Here nginx has the configuration that operators get, with other ports and files.
"""

import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.cookies import SimpleCookie
from pathlib import Path
from socket import create_server
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from waitress import wasyncore

from tests.factories import agreements
from tests.factories import paper as scans
from tests.factories.accounts import PASSWORD
from tests.factories.cooperations import Country, load_checklists, make_country, open_one
from tests.pages import Page
from tests.servers import proxy
from tests.servers.ports import free_port
from tests.servers.proxy import Proxy
from tests.servers.server import Server
from tracker import create_app
from tracker.accounts.factors import binding, passwords
from tracker.accounts.factors.binding import Change
from tracker.checklist_templates.models import ChecklistKind
from tracker.core import clock
from tracker.core.db import db
from tracker.core.logs import HEADER
from tracker.core.security import headers_of
from tracker.settings import Settings
from tracker.signoff.paper_models import PaperRecord
from tracker.signoff.scans import MAX_BYTES, MAX_REQUEST_BYTES
from tracker.ui.uploads import largest_request
from tracker.worker import web_server

pytestmark = pytest.mark.skipif(proxy.PROGRAM is None, reason="nginx is not installed")

FORM = "application/x-www-form-urlencoded"
# An address of this machine that nobody else has here.
CLIENT = "127.0.0.9"


class Behind(Server):
    """The application with the settings of the documentation, and the proxy in front of it."""

    def __init__(self, settings: Settings, folder: Path, **directives: str) -> None:
        own = replace(
            settings,
            base_url=f"https://{proxy.NAME}",
            trusted_proxies=1,
            second_factor_roles=(),
        )
        self._app = app = create_app(own)
        self._listener = create_server(("127.0.0.1", 0))
        self._server = web_server.Server(
            app, self._listener, own, threads=2, largest=largest_request(app)
        )
        self.proxy = Proxy(folder, self._listener.getsockname()[1], **directives)
        self._goes_on = True
        self._thread = threading.Thread(target=self._serve)

    def _start(self) -> None:
        self._thread.start()
        self.proxy.__enter__()

    def stop(self) -> None:
        self.proxy.stop()
        self._goes_on = False
        self._thread.join()
        self._server.task_dispatcher.shutdown(timeout=5)
        wasyncore.close_all(self._server.dispatchers)
        self._listener.close()
        with self._app.app_context():
            db.engine.dispose()

    def _serve(self) -> None:
        while self._goes_on:
            self._server.go_on()


@pytest.fixture
def country(session: Session) -> Country:
    """Organisations whose people have passwords."""
    load_checklists()
    country = make_country(session)
    password = passwords.hashed(PASSWORD)
    for user in country.users.values():
        with binding.keeping(None, user, Change.PASSWORD):
            user.password = password
    session.commit()
    return country


@pytest.fixture
def behind(country: Country, settings: Settings, tmp_path: Path) -> Iterator[Behind]:
    assert country.users
    with Behind(settings, tmp_path) as ready:
        yield ready


class Visitor:
    """A browser at the client's address."""

    def __init__(self, front: Proxy) -> None:
        self._front = front
        self._cookies: dict[str, str] = {}

    def open(self, path: str, body: bytes | None = None, kind: str = FORM) -> tuple[int, Page]:
        """Ask for a page or send a form; return the status and the page."""
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        more = {} if body is None else {"Content_Type": kind}
        response, text = self._front.ask(
            path, body, client=CLIENT, Cookie=cookie, X_Forwarded_For="203.0.113.9", **more
        )
        for line in response.headers.get_all("Set-Cookie", []):
            assert "; Secure" in line
            self._cookies.update({name: at.value for name, at in SimpleCookie(line).items()})
        return response.status, Page(text, path)

    def sign_in(self, email: str) -> None:
        """Sign in on the page."""
        _status, page = self.open("/sign-in")
        fields = page.form().filled_in(email=email, password=PASSWORD)
        status, _page = self.open("/sign-in", urlencode(fields, doseq=True).encode())
        assert status == 302, _page.text

    def send_scan(self, path: str, scan: bytes) -> tuple[int, Page]:
        """Fill in the form for a paper that was signed, with a file."""
        _status, page = self.open(path)
        fields = page.form().filled_in(signed_on=clock.today().isoformat())
        return self.open(path, *scans.as_sent(fields, scan, "scan.pdf"))


def a_pdf(size: int) -> bytes:
    """Return a PDF of so many bytes."""
    return scans.pdf("x" * (size - len(scans.pdf(""))))


def test_the_largest_scan_arrives_and_whoever_sends_more_reads_why_not(
    behind: Behind, session: Session, country: Country
) -> None:
    terms = agreements.checklist_of(open_one(country, "door"), ChecklistKind.TERMS)
    agreements.send(country, terms, {"npm": "tomas", "door": "henrik"})
    path, email = f"/checklists/{terms.id}/paper", country.users["samira"].email
    session.commit()
    number = sa.select(sa.func.count(PaperRecord.id))
    visitor = Visitor(behind.proxy)
    visitor.sign_in(email)
    status, page = visitor.send_scan(path, a_pdf(MAX_BYTES + 1))
    assert (status, "10 MB" in page.text) == (200, True), page.text
    status, page = visitor.open(path, bytes(MAX_REQUEST_BYTES + 1))
    assert (status, page.h1) == (413, "This is too large")
    assert session.scalar(number) == 0
    session.rollback()
    status, _page = visitor.send_scan(path, a_pdf(MAX_BYTES))
    assert status == 303
    assert session.scalar(number) == 1
    session.rollback()
    # Their address is the one they came from, whatever they claim.
    _status, page = visitor.open("/account/sessions")
    assert f"from the network address {CLIENT}" in page.text
    assert "203.0.113.9" not in page.text


def test_a_page_arrives_as_the_application_sent_it(behind: Behind) -> None:
    response, _text = behind.proxy.ask("/sign-in")
    assert response.status == 200
    for name, value in {**headers_of("host"), "Cache-Control": "no-store"}.items():
        assert response.headers.get_all(name) == [value], name
    for name in (HEADER, "Content-Type", "Date", "Server"):
        assert len(response.headers.get_all(name, [])) == 1, name
    # Neither a version nor what is behind it.
    assert response.headers["Server"] == "nginx"
    assert response.headers["Via"] is None
    assert behind.proxy.ask("/metrics")[0].status == 404
    response, text = behind.proxy.ask("/healthz")
    assert response.status in {200, 503}
    assert text.startswith('{"accounts"')


@pytest.mark.parametrize("is_chunked", [False, True])
def test_what_not_even_the_application_reads_is_refused_in_words(
    behind: Behind, is_chunked: bool
) -> None:
    body = bytes(2 * MAX_REQUEST_BYTES)
    more = {}
    if is_chunked:
        more = {"Transfer_Encoding": "chunked"}
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    response, text = behind.proxy.ask("/sign-in", body, **more)
    assert (response.status, response.headers[HEADER]) == (413, None)
    assert Page(text, "/").h1 == "This is too large to send"


def test_whoever_sends_slowly_is_disconnected_and_others_get_their_pages(
    country: Country, settings: Settings, tmp_path: Path
) -> None:
    assert country.users
    with Behind(settings, tmp_path, client_body_timeout="1s", client_header_timeout="1s") as slow:
        head = f"POST /sign-in HTTP/1.1\r\nHost: {proxy.NAME}\r\n"
        connections = [slow.proxy.connect() for _ in range(30)]
        for number, connection in enumerate(connections):
            words = head if number % 2 else f"{head}Content-Length: 1000\r\n\r\nemail="
            connection.sendall(words.encode())
        begun = time.monotonic()
        assert slow.proxy.ask("/sign-in")[0].status == 200
        for connection in connections:
            with closing(connection):
                while connection.recv(1000):
                    pass
        # Its own limit is 60 seconds.
        assert time.monotonic() - begun < 45


def test_while_the_application_is_away_the_proxy_says_so(tmp_path: Path) -> None:
    with Proxy(tmp_path, free_port()) as front:
        response, text = front.ask("/sign-in")
    assert (response.status, response.headers["Retry-After"]) == (503, "60")
    assert response.headers["Cache-Control"] == "no-store"
    page = Page(text, "/")
    assert page.h1 == "Not available at the moment"
    assert not re.search(r"nginx|Gateway", text)


def test_the_proxy_takes_no_old_encryption(tmp_path: Path) -> None:
    context = proxy.trusting_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Proxy(tmp_path, free_port()) as front:
        context.set_ciphers("ECDHE+AESGCM")
        front.connect(context=context).close()
        context.set_ciphers("ECDHE+AES:AES:-AESGCM:-AESCCM")
        with pytest.raises(ssl.SSLError):
            front.connect(context=context)
