"""A cooperation at the beginning of a year: its people, their browsers, and a moved clock."""

import datetime as dt
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Page

from tests.browser.conftest import NewContext
from tests.browser.demonstration import code_of, mark_of
from tests.browser.instances import DATABASE, PREPARED, StartingPoint, opened, settle, signed_in
from tests.browser.people import PASSWORD, Person
from tests.factories import undertakings
from tests.factories.agreements import checklist_of, term
from tests.factories.checklists import accept_hints, read_second
from tests.moments import using
from tests.servers.application import Application
from tests.servers.moved_clock import MovedClock
from tests.starting_points import start_of_run
from tracker.accounts.models import User
from tracker.activity.stale import recompute
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.checklists.negotiation import positions
from tracker.checklists.rules.completeness import item_standing
from tracker.cooperations import queries
from tracker.cooperations import service as cooperations
from tracker.core import clock
from tracker.core.db import db
from tracker.demo import checklists, people, visit
from tracker.demo.answers import answers
from tracker.visits.facts import Term
from tracker.worker.health import WORKER

TITLE = "Joint monitoring of police custody"
STAGE = ".stages [aria-current=step]"
# The first day of the agreed term; all other days are counted from it.
BEGINS = dt.date(start_of_run().year + 1, 3, 1)
REVIEW, END = 180, 364
INTERPRETER = "Bruno Keel"
# Cleared before the term begins; Dina Faro is asked but never signs.
CLEARED = ("samira", "henrik", "marek")


def day(number: int) -> dt.date:
    """Return a day of the term; the first one is 0."""
    return BEGINS + dt.timedelta(days=number)


def moment(number: int) -> dt.datetime:
    """Return 10:00 on a day of the term, in UTC."""
    return dt.datetime.combine(day(number), dt.time(10), dt.UTC)


def _sign_all(data_dir: Path) -> str:
    """Bring the terms of an NPM and one CSO into force ten days ahead; return the reference."""
    distance = moment(-10) - clock.now()
    with using(lambda: clock.system_time() + distance), opened(data_dir) as app:
        stage = undertakings.clearing(people.make(PASSWORD), "od")
        terms = checklist_of(stage.cooperation, ChecklistKind.TERMS)
        dates = term(day(0), day(END), day(REVIEW)) | {"renewal": "by_agreement"}
        checklists.fill_in(stage.demo_people, terms, other={"M19": dates})
        accept_hints(stage.actor("nadia"), terms)
        read_second(stage.actor("nadia"), terms)
        checklists.send(stage.demo_people, terms)
        checklists.sign(stage.demo_people, terms)
        for key in CLEARED:
            stage.clear(key)
        db.session.commit()
        settle(app)
        return stage.cooperation.reference


# All is signed, and the term begins ten days later.
SIGNED = StartingPoint("a year ahead", _sign_all, on=PREPARED)


def _interpreter() -> User:
    return db.session.scalars(sa.select(User).where(User.name == INTERPRETER)).one()


def _add_row(stage: undertakings.Clearing, terms: Checklist, code: str) -> None:
    """Add the newcomer's rows to the answer that the others have agreed on."""
    newcomer = str(stage.demo_people.bodies["lh"].id)
    everybody = frozenset({user.id for user in stage.demo_people.users.values()})
    bodies = frozenset({body.id for body in stage.demo_people.bodies.values()})
    wanted = answers(terms.kind, people.ids(stage.demo_people), everybody | bodies)[code]
    current = load(terms).sheet.shared(code)
    assert current is not None
    values = dict(current.values)
    for key, rows in wanted.items():
        if isinstance(rows, list):
            own = [row for row in rows if isinstance(row, dict) and row.get("party") == newcomer]
            values[key] = [*values.get(key, ()), *own]
    proposal = positions.propose(
        stage.actor("joana"),
        terms,
        code,
        values,
        answer_id=current.answer_id,
        reason="We are joining.",
    )
    positions.accept_proposal(stage.actor("ilena"), terms, proposal.id)


@dataclass
class SignedInPerson(Person):
    """Somebody of the fictional country, signed in at a browser."""

    def code(self) -> str:
        self.forget_last_code()
        with opened(self.live.data_dir) as app:
            return code_of(app, self.key)


@dataclass
class Year:
    """The application on its moved clock, and everybody at their browsers, by key."""

    live: Application
    new_context: NewContext
    clock: MovedClock
    reference: str
    browsers: dict[str, SignedInPerson] = field(default_factory=dict)

    def __getitem__(self, key: str) -> SignedInPerson:
        if key not in self.browsers:
            person = next(person for person in people.PEOPLE if person.key == key)
            page = self.new_context().new_page()
            self.browsers[key] = SignedInPerson(self.live, person.name, page, person.email, key)
            with opened(self.live.data_dir) as app:
                self._sign_in(app, key)
        return self.browsers[key]

    def move_to(self, number: int) -> None:
        """Move the clock to a day and wait for the worker; everybody signs in again."""
        self.clock.move_to(moment(number))
        self._wait_for_rounds(3)
        with opened(self.live.data_dir) as app:
            for key in self.browsers:
                self._sign_in(app, key)

    def _sign_in(self, app: Flask, key: str) -> None:
        state = signed_in(app, mark_of(app, key))
        self.browsers[key].page.context.add_cookies(state["cookies"])

    def _wait_for_rounds(self, number: int) -> None:
        """Wait for this many worker rounds: the current one, the one for the day, one more."""
        until, since = time.monotonic() + 120, clock.now().replace(tzinfo=None)
        beats: set[str] = set()
        while len(beats) < number:
            assert time.monotonic() < until, self.live.log()[-2000:]
            time.sleep(0.1)
            with closing(sqlite3.connect(self.live.data_dir / DATABASE, timeout=60)) as database:
                row = database.execute("SELECT at FROM heartbeat WHERE name = ?", [WORKER])
                (at,) = row.fetchone()
            if dt.datetime.fromisoformat(at).replace(tzinfo=None) >= since:
                beats.add(at)

    @contextmanager
    def inside(self) -> Iterator[undertakings.Clearing]:
        """Have the services do what the year is not about, then commit."""
        with opened(self.live.data_dir):
            stage = undertakings.existing()
            cooperation = queries.find(stage.actor("ilena"), self.reference)
            assert cooperation is not None
            stage.cooperation = cooperation
            yield stage
            recompute()
            db.session.commit()

    def address_of(self, kind: ChecklistKind) -> str:
        """Return where a checklist of the cooperation is."""
        with self.inside() as stage:
            return f"/checklists/{checklist_of(stage.cooperation, kind).id}"

    def write_in_newcomer(self) -> None:
        """Have Lantern Health Network bring its people, write its rows and accept the rest."""
        with self.inside() as stage:
            for key in ("otto", "leyla", "joana"):
                cooperations.add_person(
                    stage.actor("joana"),
                    stage.cooperation,
                    user_id=stage.id(key),
                    organisation_id=stage.demo_people.bodies["lh"].id,
                    function=next(person.function for person in people.PEOPLE if person.key == key),
                )
            stage.list_people("lh", "leyla", "otto", "joana")
            terms = checklist_of(stage.cooperation, ChecklistKind.TERMS)
            for code in terms.open_items or ():
                _add_row(stage, terms, code)
            for checklist in (terms, stage.checklist):
                for item in load(checklist).template.items:
                    checklists.accept(stage.demo_people, checklist, item.code)
            accept_hints(stage.actor("nadia"), terms)
            read_second(stage.actor("nadia"), terms)

    @property
    def npm_id(self) -> UUID:
        """The NPM's id."""
        with self.inside() as stage:
            return stage.demo_people.bodies["npm"].id

    def write_out_leaver(self) -> None:
        """Have the NPM delete the rows of the party that left, and all accept what is open.

        Also the new dates that the record of the review has suggested.
        """
        with self.inside() as stage:
            terms = checklist_of(stage.cooperation, ChecklistKind.TERMS)
            (dates,) = load(terms).proposals_on["M19"]
            positions.accept_proposal(stage.actor("ilena"), terms, dates.id)
            loaded = load(terms)
            for item in loaded.template.items:
                current = loaded.sheet.shared(item.code)
                problems = item_standing(item, loaded.sheet, loaded.surroundings).problems
                stale = {(problem.field, problem.row) for problem in problems}
                if current is None or not any(row is not None for _field, row in stale):
                    continue
                values = {
                    key: [row for place, row in enumerate(value) if (key, place) not in stale]
                    if isinstance(value, list)
                    else value
                    for key, value in current.values.items()
                }
                proposal = positions.propose(
                    stage.actor("ilena"),
                    terms,
                    item.code,
                    values,
                    answer_id=current.answer_id,
                    reason="Without who has left.",
                )
                positions.accept_proposal(stage.actor("joana"), terms, proposal.id)
            for item in loaded.template.items:
                checklists.accept(stage.demo_people, terms, item.code)
            accept_hints(stage.actor("nadia"), terms)
            read_second(stage.actor("nadia"), terms)

    def clear(self, *keys: str) -> None:
        """Have people sign their undertakings, and the NPM decide and countersign."""
        with self.inside() as stage:
            for key in keys:
                stage.clear(key)

    def list_interpreter(self) -> None:
        """Have the NPM list the interpreter among those who must sign (C2)."""
        with self.inside() as stage:
            stage.demo_people.users[INTERPRETER] = _interpreter()
            stage.list_people("npm", "marek", INTERPRETER)

    def make_visit_ready(self) -> None:
        """Have a visit planned and prepared, with the interpreter who has no account."""
        with self.inside() as stage:
            stage.demo_people.users["marek"] = _interpreter()
            visit.make_ready(stage.demo_people, stage.cooperation)

    def covers(self, number: int) -> bool:
        """Return whether the agreed terms cover a joint visit on a day (J1)."""
        with self.inside() as stage:
            term = Term(stage.cooperation.starts_on, stage.cooperation.ends_on)
            return term.contains(day(number), day(number))

    def page(self, key: str, address: str = "") -> Page:
        """Open a page below the cooperation's own, in somebody's browser."""
        page = self[key].page
        page.goto(f"/cooperations/{self.reference}{address}")
        return page

    def stage(self, key: str) -> str:
        """Return the stage that somebody sees."""
        return self.page(key).locator(STAGE).inner_text()

    def gates(self, key: str) -> dict[str, str]:
        """Return the state of each gate by its name, as somebody sees it."""
        gates = self.page(key).locator(".gate").all()
        return {
            gate.locator("h3").inner_text(): gate.locator("h3 + p").inner_text() for gate in gates
        }

    def tasks(self, key: str) -> list[str]:
        """Return somebody's tasks, as My work shows them."""
        page = self[key].page
        page.goto("/")
        return page.locator("[aria-labelledby=mine] .tasks > li > div > a").all_inner_texts()

    def status(self, key: str, address: str = "") -> int:
        """Return the HTTP status of the cooperation's page, or of one below it, for somebody."""
        answer = self[key].page.goto(f"/cooperations/{self.reference}{address}")
        assert answer is not None
        return answer.status

    def register(self, key: str) -> str:
        """Return the lines of the register, as somebody sees them."""
        page = self[key].page
        page.goto("/register")
        return "\n".join(page.locator("main tbody tr").all_inner_texts())

    def take_part(self, keys: Iterable[str], button: str, message: str) -> None:
        """Have people press a button on the page of their own part in the visit."""
        for key in keys:
            self.page(key, "/visits/1/my-part").get_by_role(
                "button", name=button, exact=True
            ).click()
            self[key].expect_told(message)

    def return_copies(self, *keys: str) -> None:
        """Have people say, from My work, what became of their copies."""
        for key in keys:
            page = self[key].page
            page.goto("/")
            page.get_by_role("link", name="Confirm what became of your copies").click()
            page.locator("[name=disposal]").first.check()
            page.get_by_role("button", name="Confirm").click()
            self[key].expect_told("Thank you. What you confirmed is on record.")

    def expect_mail(self, key: str, subject: str) -> None:
        """Wait until a mail with this subject was sent to somebody."""
        until = time.monotonic() + 60
        while subject not in self._mails(key):
            assert time.monotonic() < until, f"{subject}: {self._mails(key)}"
            time.sleep(0.1)

    def _mails(self, key: str) -> list[str]:
        messages = [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in (self.live.data_dir / "mail").glob("*.eml")
        ]
        email = self[key].email
        return [message["Subject"] for message in messages if email in str(message["To"])]
