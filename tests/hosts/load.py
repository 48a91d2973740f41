"""People who comment, invite and write on both hosts without a pause, and what they were told."""

import enum
import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import uuid4

from tests.hosts.instance import Instance, wait_until
from tests.hosts.visitor import Answer, Visitor
from tests.servers.application import Application

KINDS = COMMENT, INVITATION, DRAFT = "comment", "invitation", "draft"
# The items that comments and drafts are about.
COMMENTED, WRITTEN = "M1", "M2"
AGAIN = "Try again in a minute"
# How long somebody waits before the next request after one that came to nothing, in seconds.
_PAUSE = 0.02
_FIELD = "objectives"


class Outcome(enum.StrEnum):
    """What a person knows about an act: done, not done (503), or nothing since no response came."""

    DONE = "done"
    NOT_DONE = "not done"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Act:
    """A comment, an invitation or a draft, by words that nobody else uses."""

    kind: str
    words: str
    host: Application
    outcome: Outcome


@dataclass
class Acts:
    """All acts so far, in the order of their responses, and what nobody may be told."""

    all: list[Act] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def words(self, kind: str, outcome: Outcome) -> list[str]:
        """Return the words of the acts of a kind of which people were told this, in order."""
        return [act.words for act in list(self.all) if (act.kind, act.outcome) == (kind, outcome)]

    def wait_for_more(self, number: int, *hosts: Application) -> None:
        """Wait until each kind of act is done so often again on each host; or something fails."""
        begin = len(self.all)

        def are_done() -> bool:
            done = [act for act in self.all[begin:] if act.outcome is Outcome.DONE]
            times = Counter((act.kind, act.host) for act in done)
            wanted = itertools.product(KINDS, hosts)
            return bool(self.faults) or all(times[pair] >= number for pair in wanted)

        wait_until(are_done, "nothing is done any more")


class _Person(threading.Thread):
    """Somebody who acts again and again, on each host in turn."""

    def __init__(
        self, acts: Acts, instance: Instance, kind: str, send: Callable[[Application, str], Answer]
    ) -> None:
        super().__init__(daemon=True)
        self._acts, self._hosts, self._kind, self._send = acts, instance.hosts, kind, send
        self._stopped = threading.Event()

    def run(self) -> None:
        """Act until told to stop, or until a response is neither a success nor a proper 503."""
        for host in itertools.cycle(self._hosts):
            if self._stopped.is_set() or self._acts.faults:
                return
            words = f"{self._kind}-{uuid4().hex}"
            try:
                outcome = self._outcome(self._send(host, words))
            except OSError:  # killed meanwhile, or not started yet
                outcome = Outcome.NOTHING
            except Exception as error:
                self._acts.faults.append(f"{self._kind}: {error!r}")
                raise
            if outcome is None:
                return
            self._acts.all.append(Act(self._kind, words, host, outcome))
            if outcome is not Outcome.DONE:
                self._stopped.wait(_PAUSE)

    def _outcome(self, answer: Answer) -> Outcome | None:
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            if AGAIN in answer.body.decode() and answer.headers.get("retry-after") == "60":
                return Outcome.NOT_DONE
        elif answer.status in {HTTPStatus.FOUND, HTTPStatus.SEE_OTHER}:
            if not answer.headers["location"].startswith("/sign-in"):
                return Outcome.DONE
        elif _is_kept(answer):
            return Outcome.DONE
        self._acts.faults.append(
            f"{self._kind}: {answer.status} {answer.headers} {answer.body.decode()}"
        )
        return None

    def stop(self) -> None:
        """Act no more, and wait for the last response."""
        self._stopped.set()
        self.join()


def _is_kept(answer: Answer) -> bool:
    """Return whether it is the response to a draft that was stored."""
    is_of_draft = answer.headers.get("content-type") == "application/json"
    return is_of_draft and json.loads(answer.body)["state"] == "kept"


@contextmanager
def load(instance: Instance) -> Iterator[Acts]:
    """Have people act in the block; raise AssertionError if one was told something else."""
    acts = Acts()
    people = [
        _Person(acts, instance, COMMENT, _commenting(instance, "ilena")),
        _Person(acts, instance, COMMENT, _commenting(instance, "samira")),
        _Person(acts, instance, INVITATION, _inviting(instance)),
        _Person(acts, instance, DRAFT, _writing(instance)),
    ]
    for person in people:
        person.start()
    try:
        yield acts
    finally:
        for person in people:
            person.stop()
    assert acts.faults == []


def address_of(words: str) -> str:
    """Return the address that an invitation went to."""
    return f"{words}@example.org"


def draft_page(instance: Instance) -> str:
    """Return the address of the page on which the drafts are written."""
    return f"{_item(instance, WRITTEN)}/answer"


def _item(instance: Instance, code: str) -> str:
    return f"/checklists/{instance.open_text}/items/{code}"


def _commenting(instance: Instance, key: str) -> Callable[[Application, str], Answer]:
    visitor = instance.visitor(key)
    path = f"{_item(instance, COMMENTED)}/comments"
    token = _token(visitor, instance, path)

    def send(host: Application, words: str) -> Answer:
        return visitor.post(host, path, {**token, "text": [words], "audience": ["all"]})

    return send


def _inviting(instance: Instance) -> Callable[[Application, str], Answer]:
    visitor = instance.visitor("root")
    path = f"/people/invite/{instance.organisation_id}"
    fields = {**_token(visitor, instance, path), "roles": ["member"], "language": ["en"]}

    def send(host: Application, words: str) -> Answer:
        return visitor.post(host, path, {**fields, "email": [address_of(words)]})

    return send


def _writing(instance: Instance) -> Callable[[Application, str], Answer]:
    visitor = instance.visitor("samira")
    page = visitor.form(instance.first, draft_page(instance))
    first = int(page.values["draft_known"][0])
    numbers = itertools.count(first + 1)

    def send(host: Application, words: str) -> Answer:
        number = next(numbers)
        known = " ".join(map(str, range(first, number)))
        fields = {_FIELD: [words], "draft_number": [str(number)], "draft_known": [known]}
        return visitor.post(host, f"{_item(instance, WRITTEN)}/draft", {**page.values, **fields})

    return send


def _token(visitor: Visitor, instance: Instance, path: str) -> dict[str, list[str]]:
    return {"csrf_token": [visitor.token(instance.first, path)]}
