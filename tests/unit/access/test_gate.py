"""Access control: unmarked views are denied, and each mark allows exactly what it says."""

from uuid import UUID

import pytest
from flask import Flask, redirect
from flask.testing import FlaskClient
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from tracker.access import gate
from tracker.access.actor import Actor
from tracker.access.decision import YES, no
from tracker.core.db import will_write
from tracker.core.errors import RefusedError

PERSON = Actor(UUID(int=1), "Samira Okell")


class ProtectedApp:
    """An application with a page for each mark, and the person who requests it."""

    def __init__(self) -> None:
        self.app = Flask("protected")
        self.actor: Actor | None = None
        self.lookups = 0
        self.wrote: list[bool] = []
        for name, mark in (
            ("open", gate.public),
            ("inside", gate.signed_in),
            ("logged", lambda view: gate.logs_reads(gate.signed_in(view))),
            ("unmarked", lambda view: view),
            ("theirs", lambda view: view),
        ):
            self._add(name, mark)
        gate.mark_endpoint(self.app, "theirs", "public")
        gate.init_gate(self.app, self._load, self._turn_away)

    def _add(self, name: str, mark: object) -> None:
        def view() -> str:
            self.wrote.append(will_write.get())
            return name

        view.__name__ = name
        assert callable(mark)
        self.app.add_url_rule(f"/{name}", name, mark(view), methods=["GET", "POST"])

    def _load(self) -> Actor | None:
        self.lookups += 1
        return self.actor

    def _turn_away(self) -> Response:
        return redirect("/sign-in")

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()


@pytest.fixture
def protected() -> ProtectedApp:
    return ProtectedApp()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("page", "stranger", "person"),
    [
        ("open", 200, 200),
        ("theirs", 200, 200),
        ("inside", 302, 200),
        ("logged", 302, 200),
        ("unmarked", 404, 404),
        ("nowhere", 404, 404),
    ],
)
def test_an_unmarked_view_is_denied(
    protected: ProtectedApp, page: str, method: str, stranger: int, person: int
) -> None:
    assert protected.client.open(f"/{page}", method=method).status_code == stranger
    protected.actor = PERSON
    assert protected.client.open(f"/{page}", method=method).status_code == person


def test_a_stranger_is_led_to_the_sign_in(protected: ProtectedApp) -> None:
    assert protected.client.get("/inside").location == "/sign-in"


def test_a_public_view_does_not_load_the_actor(protected: ProtectedApp) -> None:
    protected.client.get("/open")
    assert protected.lookups == 0


def test_a_page_tells_beforehand_whether_it_writes(protected: ProtectedApp) -> None:
    protected.actor = PERSON
    for page, method in (("open", "GET"), ("inside", "GET"), ("logged", "GET"), ("inside", "POST")):
        protected.client.open(f"/{page}", method=method)
    assert protected.wrote == [False, False, True, True]
    assert will_write.get()


def test_a_view_knows_its_mark(protected: ProtectedApp) -> None:
    found_or_404 = {
        name: gate.mark_of(protected.app, name)
        for name in ("open", "inside", "logged", "theirs", "unmarked")
    }
    assert found_or_404 == {
        "open": "public",
        "inside": "signed_in",
        "logged": "signed_in",
        "theirs": "public",
        "unmarked": None,
    }


def test_a_person_is_loaded_once_a_request_and_again_after_being_forgotten(
    protected: ProtectedApp,
) -> None:
    protected.actor = PERSON
    with protected.app.test_request_context():
        assert gate.current_actor() is gate.current_actor() is PERSON
        assert protected.lookups == 1
        protected.actor = None
        assert gate.optional_actor() is PERSON
        gate.forget_actor()
        assert gate.optional_actor() is None
        assert protected.lookups == 2


def test_without_anybody_a_page_that_needs_somebody_is_not_there(protected: ProtectedApp) -> None:
    with protected.app.test_request_context(), pytest.raises(NotFound):
        gate.current_actor()


def test_require_raises_a_refusal_with_its_reason() -> None:
    gate.require(YES)
    with pytest.raises(RefusedError, match="Only the NPM may do this"):
        gate.require(no("Only the NPM may do this."))


def test_found_passes_a_thing_on_and_answers_404_for_nothing() -> None:
    assert gate.found_or_404(PERSON) is PERSON
    with pytest.raises(NotFound):
        gate.found_or_404(None)


@pytest.mark.parametrize("text", ["", "1", "x" * 36, "../etc", "0" * 31])
def test_an_invalid_id_in_a_url_is_404(text: str) -> None:
    assert gate.as_uuid(str(PERSON.user_id)) == PERSON.user_id
    with pytest.raises(NotFound):
        gate.as_uuid(text)
