"""A person's browser without a browser: plain HTTP requests to any host of an instance."""

import http.client
import re
from contextlib import closing
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from tests.pages import Form, Page
from tests.servers.application import Application

_PATIENCE = 60.0
_TOKEN = re.compile(r'name="csrf_token"[^>]*? value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its status, its headers in lower case, and its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def page(self, path: str) -> Page:
        """Return the page in it."""
        return Page(self.body.decode(), path)


class Visitor:
    """Somebody with the cookies of one browser, whose requests go to one host or the other.

    All are sent to the address of the instance, as behind a proxy that passes them on.
    """

    def __init__(self, address: str) -> None:
        self._name = urlsplit(address).netloc
        self._address = address
        self.cookies: dict[str, str] = {}

    def get(self, host: Application, path: str) -> Answer:
        """Request a page."""
        return self._send(host, "GET", path, None)

    def post(self, host: Application, path: str, fields: dict[str, list[str]]) -> Answer:
        """Send a form."""
        return self._send(host, "POST", path, urlencode(fields, doseq=True))

    def form(self, host: Application, path: str, action: str | None = None) -> Form:
        """Return a form of a page: the one with this action, or the only one."""
        answer = self.get(host, path)
        assert answer.status == http.client.OK, (path, answer.status, answer.headers)
        return answer.page(path).form(action)

    def submit(self, host: Application, path: str, **values: object) -> Answer:
        """Open a page, fill in its form and send it."""
        form = self.form(host, path)
        return self.post(host, form.action or path, form.filled_in(**values))

    def token(self, host: Application, path: str) -> str:
        """Return the token of the forms on a page, those of the page frame included."""
        token = _TOKEN.search(self.get(host, path).body.decode())
        assert token is not None, path
        return token[1]

    def is_signed_in(self, host: Application) -> bool:
        """Return whether a page for people with an account is shown, not the one to sign in."""
        answer = self.get(host, "/account")
        if answer.status == http.client.FOUND:
            assert answer.headers["location"].startswith("/sign-in"), answer.headers
            return False
        assert answer.status == http.client.OK, answer.status
        return True

    def _send(self, host: Application, method: str, path: str, body: str | None) -> Answer:
        """Send one request on a connection of its own; raise OSError if no response comes."""
        connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=_PATIENCE)
        headers = {
            "Host": self._name,
            "Origin": self._address,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            **({"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}),
        }
        with closing(connection):
            try:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                content = response.read()
            except http.client.HTTPException as error:  # the host was killed meanwhile
                raise ConnectionError from error
        for line in response.headers.get_all("Set-Cookie", []):
            self._keep(SimpleCookie(line))
        plain = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, plain, content)

    def _keep(self, cookies: SimpleCookie) -> None:
        for name, cookie in cookies.items():
            if cookie.value:
                self.cookies[name] = cookie.value
            else:
                self.cookies.pop(name, None)
