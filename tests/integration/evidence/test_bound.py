"""Claims about a text are based on bound evidence: rows that say otherwise change nothing.

In one file: one table of texts, in which each column is changed in each direction.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import agreements
from tests.factories.demonstration import Demonstration
from tests.factories.evidence import outcomes
from tests.factories.evidence.bundles import judged
from tests.factories.evidence.certificates import words_in
from tests.factories.evidence.outcomes import (
    COURSES,
    DAY,
    Example,
    Examples,
)
from tests.factories.evidence.tampering import (
    DETAILS,
    EVENTS,
    NOTICES,
    REVISIONS,
    SIGNATURES,
    Tampering,
    fresh,
    hands,
    table_of,
)
from tests.factories.visits import JointVisit
from tests.starting_points import noon_in
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.agreements import evidence
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import (
    Answer,
    Checklist,
    ChecklistState,
    NoticeKind,
)
from tracker.cooperations.models import Clearance, Cooperation, Stage
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.evidence import bound as standings
from tracker.evidence import disagreements
from tracker.evidence.bundles import bundle
from tracker.evidence.bundles import service as bundles
from tracker.evidence.certificates import issuing
from tracker.evidence.certificates import service as certificates
from tracker.evidence.certificates.service import CertificateError
from tracker.evidence.models import Disagreement
from tracker.evidence.public_check import verdicts
from tracker.evidence.public_check.facts import Verdict
from tracker.lifecycle import bound as lifecycle
from tracker.lifecycle.stages import BESIDE
from tracker.mail.transport import from_url
from tracker.oversight import export, integrity, labels, pages, queries, stored
from tracker.oversight.facts import (
    AgreementState,
    Fault,
    Finding,
    Question,
    RowLocation,
    Table,
)
from tracker.reviews import service as reviews
from tracker.signoff.models import (
    RequestState,
    Revision,
    SignatureParty,
    SignatureRequest,
)
from tracker.signoff.outcomes import Outcome
from tracker.undertakings import bound as undertakings
from tracker.undertakings.models import Undertaking, UndertakingState
from tracker.visits import bound as visits
from tracker.visits.models import Visit
from tracker.worker import jobs

CHECKLISTS, REQUESTS = table_of(Checklist), table_of(SignatureRequest)
PARTIES, UNDERTAKINGS = table_of(SignatureParty), table_of(Undertaking)
WORDS = "Doesn't match its signatures"
NOTICE = "This text doesn't match its signatures. What the database says about it differs"

OUTCOMES = {
    "drafted": [],
    "waiting": [Outcome.WAITING],
    "declined": [Outcome.DECLINED],
    "called back": [Outcome.WITHDRAWN],
    "run out": [Outcome.EXPIRED],
    "in force": [Outcome.IN_FORCE],
    "amended": [Outcome.IN_FORCE],
    "amendment called off": [Outcome.IN_FORCE],
    "superseded": [Outcome.SUPERSEDED, Outcome.IN_FORCE],
    "suspended": [Outcome.SUSPENDED],
    "suspended by one of two": [Outcome.SUSPENDED],
    "lifted": [Outcome.IN_FORCE],
    "ending": [Outcome.IN_FORCE],
    "not ending": [Outcome.IN_FORCE],
    "renewed": [Outcome.IN_FORCE],
    "ended": [Outcome.ENDED],
    "ended beside an amendment": [Outcome.ENDED, Outcome.WITHDRAWN],
    "signed on paper": [Outcome.IN_FORCE],
    "made before": [Outcome.IN_FORCE],
    "made before, refused": [Outcome.DECLINED],
}
VERDICTS = {
    Outcome.WAITING: Verdict.WAITING,
    Outcome.IN_FORCE: Verdict.GENUINE,
    Outcome.SUSPENDED: Verdict.SUSPENDED,
    Outcome.ENDED: Verdict.ENDED,
    Outcome.SUPERSEDED: Verdict.SUPERSEDED,
}


@pytest.fixture
def examples(app: Flask, session: Session) -> Examples:
    return outcomes.examples(app)


def states(examples: Examples) -> dict[UUID, AgreementState]:
    """Return the state of each text in the register, by checklist."""
    actor = examples.country.load(db.session()).actor("nadia")
    lines = queries.lines(actor, Question(), limit=1_000)
    return {line.checklist_id: line.state for line in lines}


def state_of(examples: Examples, example: Example) -> AgreementState:
    return states(examples)[example.checklist_id]


def a_round(folder: Path) -> None:
    jobs.run_once(from_url(f"file://{folder}"), with_dates=False)
    jobs.compare_texts()


# Untouched ----------------------------------------------------------------------------------------


def test_each_course_has_the_outcomes_that_its_people_brought_about(examples: Examples) -> None:
    assert OUTCOMES.keys() == COURSES.keys()
    rows = list(db.session.scalars(sa.select(Checklist)))
    compared = evidence.compare(rows)
    assert all(comparison.agrees for comparison in compared.values())
    for name, wanted in OUTCOMES.items():
        example = examples[name]
        compared_course = compared[example.checklist_id]
        assert [compared_course.outcome(revision) for revision in example.revisions] == wanted, name
        for revision_id, digest, outcome in zip(
            example.revisions, example.digests, wanted, strict=True
        ):
            revision = db.session.get_one(Revision, revision_id)
            standing = standings.standing_of(revision)
            assert (standing.outcome, standing.agrees) == (outcome, True), name
            verdict = verdicts.of_text(example.reference, digest).verdict
            assert verdict is VERDICTS.get(outcome, Verdict.NOT_SIGNED), name


def test_both_verifiers_take_a_bundle_with_an_amendment_called_off_for_sound(
    examples: Examples,
) -> None:
    example = examples["amendment called off"]
    taken = bundles.export(None, example.cooperation_id, example.reference)
    db.session.commit()
    assert judged(bundle.build(taken)) == {}


def test_the_register_names_no_text_that_does_not_agree(examples: Examples) -> None:
    actor = examples.country.load(db.session()).actor("nadia")
    lines = queries.lines(actor, Question(), limit=1_000)
    assert len(lines) >= len(COURSES)
    assert not [line for line in lines if line.state is AgreementState.DISAGREES]
    cooperations = list(db.session.scalars(sa.select(Cooperation)))
    assert lifecycle.agreeing(cooperations) == {cooperation.id for cooperation in cooperations}
    assert integrity.check_all().finding is None


def test_the_demonstration_agrees_everywhere(
    session: Session, demonstration: Demonstration, tmp_path: Path
) -> None:
    assert all(
        comparison.agrees
        for comparison in evidence.compare(list(session.scalars(sa.select(Checklist)))).values()
    )
    rows = list(session.scalars(sa.select(Undertaking)))
    assert rows
    assert all(comparison.agrees for comparison in undertakings.compare(rows).values())
    cooperations = list(session.scalars(sa.select(Cooperation)))
    assert lifecycle.agreeing(cooperations) == {cooperation.id for cooperation in cooperations}
    for revision in session.scalars(sa.select(Revision)).all():
        assert standings.standing_of(revision).agrees
    a_round(tmp_path)
    assert not disagreements.is_any()
    assert integrity.check_all().finding is None


def test_what_remains_once_details_were_erased_says_the_same(examples: Examples) -> None:
    """Details are erased by a recorded act; verbs, subjects and digests stay."""
    for name in COURSES:
        example = examples[name]
        trail.record(
            verbs.DETAILS_ERASED,
            actor=None,
            subject_type="cooperation",
            subject_id=example.cooperation_id,
            cooperation_id=example.cooperation_id,
            reason="Retention",
        )
    db.session.commit()
    with hands() as connection:
        erasing = sa.select(EVENTS.c.id).where(EVENTS.c.verb != verbs.DETAILS_ERASED.name)
        chains = [Tampering(connection, examples[name].cooperation_id).chain_id for name in COURSES]
        connection.execute(
            sa.delete(DETAILS).where(
                DETAILS.c.event_id.in_(erasing.where(EVENTS.c.chain_id.in_(chains)))
            )
        )
    rows = list(db.session.scalars(sa.select(Checklist)))
    assert all(comparison.agrees for comparison in evidence.compare(rows).values())
    for name, wanted in OUTCOMES.items():
        for revision_id, outcome in zip(examples[name].revisions, wanted, strict=True):
            revision = db.session.get_one(Revision, revision_id)
            assert standings.standing_of(revision).outcome is outcome, name
    assert integrity.check_all().finding is None


# Two changed rows ---------------------------------------------------------------------------------


def completed(own: Tampering, example: Example, number: int = -1) -> None:
    """Change two rows so that they say that all have signed a text, and that it is in force."""
    request = sa.update(REQUESTS).where(REQUESTS.c.revision_id == example.revisions[number])
    own.connection.execute(request.values(state=RequestState.COMPLETED))
    own.update(
        CHECKLISTS,
        example.checklist_id,
        state=ChecklistState.IN_FORCE,
        revision_in_force_id=example.revisions[number],
        revision_sent_id=None,
        in_force_at=clock.now(),
    )


def test_two_changed_rows_make_no_certificate_of_texts_that_were_not_signed_by_all(
    app: Flask, examples: Examples, tmp_path: Path
) -> None:
    changed = {name: examples[name] for name in ("declined", "waiting", "called back", "run out")}
    with hands() as connection:
        for example in changed.values():
            completed(Tampering(connection, example.cooperation_id), example)
    for example in changed.values():
        assert example.revisions[-1] in certificates.due()
        with pytest.raises(CertificateError, match="does not agree with its signatures"):
            issuing.make(example.revisions[-1])
    a_round(tmp_path)
    references = {example.reference for example in changed.values()}
    assert {certificate.reference for certificate in certificates.failing()} == references
    registered = states(examples)
    with stored.view() as connection:
        for name, example in changed.items():
            verdict = verdicts.of_text(example.reference, example.digests[-1]).verdict
            assert verdict is VERDICTS.get(OUTCOMES[name][-1], Verdict.NOT_SIGNED), name
            assert registered[example.checklist_id] is AgreementState.DISAGREES, name
            only = frozenset({example.cooperation_id})
            assert integrity.check_view(connection, only=only).finding == Finding(
                Fault.DISAGREES, RowLocation(Table.CHECKLIST, example.reference, row="terms")
            ), name
    # Health and check tell of it.
    db.session.rollback()
    answer = app.test_client().get("/healthz")
    assert answer.status_code == 503
    assert answer.get_json()["texts"] == "some do not agree with their signatures"
    result = app.test_cli_runner().invoke(args=["check"])
    assert result.exit_code == 1
    for reference in references:
        assert f"  {reference}, terms" in result.output


def test_each_page_says_in_words_that_it_does_not_agree(
    app: Flask, examples: Examples, session: Session
) -> None:
    example = examples["declined"]
    with hands() as connection:
        completed(Tampering(connection, example.cooperation_id), example)
    country = examples.country.load(session)
    manager, coordinator = (country.browser(app, first) for first in ("nadia", "ilena"))
    session.commit()
    form = manager.page("/register").form("/register/export").values
    assert WORDS in manager.post("/register/export", data=form).get_data(as_text=True)
    register = manager.page(f"/register?q={example.reference}").text
    assert WORDS in register
    assert "1 agreement on this page doesn't match its signatures." in register
    assert WORDS in coordinator.page(f"/cooperations/{example.reference}").text
    record = coordinator.page(f"/checklists/{example.checklist_id}/record/1").text
    history = manager.page(f"/register/{example.checklist_id}").text
    for text in (record, history):
        assert WORDS in text
        assert NOTICE in text
        assert "In force" not in text
    compared = coordinator.page(f"/checklists/{example.checklist_id}/revisions").text
    assert WORDS in compared
    assert NOTICE in compared
    assert NOTICE in coordinator.page(f"/checklists/{example.checklist_id}").text


# Each column, in each direction -------------------------------------------------------------------

Change = Callable[[Tampering, Example], object]


def checklist(**values: object) -> Change:
    return lambda own, example: own.update(CHECKLISTS, example.checklist_id, **values)


def request_is(state: RequestState, number: int = -1) -> Change:
    def change(own: Tampering, example: Example) -> None:
        query = sa.update(REQUESTS).where(REQUESTS.c.revision_id == example.revisions[number])
        own.connection.execute(query.values(state=state))

    return change


def in_force_is(number: int, **values: object) -> Change:
    return lambda own, example: own.update(
        CHECKLISTS, example.checklist_id, revision_in_force_id=example.revisions[number], **values
    )


def notices(**values: object) -> Change:
    def change(own: Tampering, example: Example) -> None:
        query = sa.update(NOTICES).where(NOTICES.c.checklist_id == example.checklist_id)
        assert own.connection.execute(query.values(**values)).rowcount

    return change


CLOSED = {"halt": None, "halted_id": None}
CHANGES: dict[str, tuple[str, Change]] = {
    "declined, as if in force": ("declined", completed),
    "declined, request alone": ("declined", request_is(RequestState.COMPLETED)),
    "declined, as if called back": ("declined", request_is(RequestState.WITHDRAWN)),
    "waiting, as if declined": ("waiting", request_is(RequestState.DECLINED)),
    "waiting, as if never sent": (
        "waiting",
        checklist(state=ChecklistState.DRAFTING, revision_sent_id=None),
    ),
    "in force, as if open": (
        "in force",
        checklist(state=ChecklistState.DRAFTING, revision_in_force_id=None, in_force_at=None),
    ),
    "in force, as if a draft were there": ("in force", checklist(state=ChecklistState.DRAFTING)),
    "in force, as if not completed": ("in force", request_is(RequestState.WAITING)),
    "in force, as if declined": ("in force", request_is(RequestState.DECLINED)),
    "in force, as if since another day": (
        "in force",
        lambda own, example: own.update(
            CHECKLISTS, example.checklist_id, in_force_at=clock.now() - 40 * DAY
        ),
    ),
    "in force, as if suspended": (
        "in force",
        lambda own, example: own.update(
            CHECKLISTS,
            example.checklist_id,
            state=ChecklistState.SUSPENDED,
            halt=NoticeKind.SUSPENDED,
            halted_id=example.revisions[0],
            revision_in_force_id=None,
        ),
    ),
    "in force, as if of another kind": ("in force", checklist(kind=ChecklistKind.URGENT_PLAN)),
    "superseded, as if in force": ("superseded", in_force_is(0)),
    "superseded, as if never completed": ("superseded", request_is(RequestState.WITHDRAWN, 0)),
    "suspended, as if in force": (
        "suspended",
        in_force_is(0, state=ChecklistState.IN_FORCE, **CLOSED),
    ),
    "suspended, as if ended": (
        "suspended",
        checklist(state=ChecklistState.ENDED, halt=NoticeKind.ENDED),
    ),
    "suspended by one of two, as if lifted": (
        "suspended by one of two",
        in_force_is(0, state=ChecklistState.IN_FORCE, **CLOSED),
    ),
    "ended, as if in force": ("ended", in_force_is(0, state=ChecklistState.IN_FORCE, **CLOSED)),
    "ended, as if suspended": (
        "ended",
        checklist(state=ChecklistState.SUSPENDED, halt=NoticeKind.SUSPENDED),
    ),
    "ending, as if no notice stood": (
        "ending",
        notices(closed_at=noon_in(0)),
    ),
    "not ending, as if it stood": ("not ending", notices(closed_at=None)),
    "signed on paper, as if not": ("signed on paper", request_is(RequestState.WAITING)),
    "made before, as if refused": ("made before", request_is(RequestState.DECLINED)),
    "made before, as if since later": (
        "made before",
        lambda own, example: own.update(CHECKLISTS, example.checklist_id, in_force_at=clock.now()),
    ),
    "refused, as if in force": ("made before, refused", completed),
    "drafted, as if ended": ("drafted", checklist(state=ChecklistState.ENDED)),
    "called off, as if still amended": (
        "amendment called off",
        checklist(state=ChecklistState.DRAFTING),
    ),
    "amended, as if without an amendment": ("amended", checklist(state=ChecklistState.IN_FORCE)),
    "renewed, as if ended": (
        "renewed",
        lambda own, example: own.update(
            CHECKLISTS,
            example.checklist_id,
            state=ChecklistState.ENDED,
            halt=NoticeKind.ENDED,
            halted_id=example.revisions[0],
            revision_in_force_id=None,
        ),
    ),
}


def in_rounds() -> list[list[str]]:
    """Return the cases in rounds, so that no two of a round change the same text."""
    rounds: dict[int, list[str]] = {}
    before: Counter[str] = Counter()
    for case, (name, _change) in CHANGES.items():
        rounds.setdefault(before[name], []).append(case)
        before[name] += 1
    return list(rounds.values())


@pytest.mark.both_databases
@pytest.mark.few_on_postgresql(1)
@pytest.mark.parametrize("cases", in_rounds())
def test_changed_rows_are_noticed_and_the_bound_status_is_shown(
    examples: Examples, cases: list[str]
) -> None:
    """Each text is in a cooperation of its own."""
    changed = {case: examples[CHANGES[case][0]] for case in cases}
    with hands() as connection:
        for case, example in changed.items():
            CHANGES[case][1](Tampering(connection, example.cooperation_id), example)
    # Audit, register and worker notice them, and nothing else.
    with stored.view() as connection:
        for case, example in changed.items():
            only = frozenset({example.cooperation_id})
            finding = integrity.check_view(connection, only=only).finding
            assert finding is not None, case
            assert (finding.fault, finding.place.reference) == (
                Fault.DISAGREES,
                example.reference,
            ), case
            assert str(labels.finding_words(finding)), case
    references = {example.reference for example in changed.values()}
    first = integrity.check_all().finding
    assert first is not None
    assert first.place.reference in references
    disagreeing = AgreementState.DISAGREES
    assert {key for key, state in states(examples).items() if state is disagreeing} == {
        example.checklist_id for example in changed.values()
    }
    jobs.compare_texts()
    # A cooperation whose terms are gone disagrees as well.
    known = disagreements.known()
    assert {disagreement.reference for disagreement in known} == references
    assert Counter(
        disagreement.reference for disagreement in known if disagreement.subject_type == "checklist"
    ) == dict.fromkeys(references, 1)
    # No certificate is made meanwhile, and the public check reports what is bound.
    for case, example in changed.items():
        for revision_id, digest, outcome in zip(
            example.revisions, example.digests, OUTCOMES[CHANGES[case][0]], strict=True
        ):
            with pytest.raises(CertificateError, match="does not agree"):
                issuing.make(revision_id)
            verdict = verdicts.of_text(example.reference, digest).verdict
            assert verdict is VERDICTS.get(outcome, Verdict.NOT_SIGNED), case


def shown(examples: Examples, example: Example) -> tuple[Verdict, AgreementState]:
    """Return what the public check and the register say about a text that is or was in force."""
    return verdicts.of_text(example.reference, example.digests[0]).verdict, state_of(
        examples, example
    )


def test_a_text_has_ended_from_the_day_of_a_notice_on_whether_or_not_the_worker_acts(
    examples: Examples, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    example = examples["ending"]
    last = clock.now() + 29 * DAY
    frozen_time(last)
    assert shown(examples, example) == (Verdict.GENUINE, AgreementState.ENDS_SOON)
    frozen_time(last + DAY)
    assert shown(examples, example) == (Verdict.ENDED, AgreementState.ENDED)
    terms = db.session.get_one(Checklist, example.checklist_id)
    words = evidence.on_pages([terms])[terms.id]
    assert (words.agrees, str(words.words)) == (True, "Ended")
    # Rows that the worker hasn't changed yet weren't tampered with.
    cooperation = db.session.get_one(Cooperation, example.cooperation_id)
    assert lifecycle.agreeing([cooperation]) == {cooperation.id}
    db.session.rollback()
    with hands() as connection:
        notices(closed_at=clock.now())(Tampering(connection, example.cooperation_id), example)
    assert shown(examples, example) == (Verdict.ENDED, AgreementState.DISAGREES)


def test_a_text_waits_for_signatures_up_to_its_last_day_whether_or_not_the_worker_acts(
    app: Flask,
    examples: Examples,
    session: Session,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    example = examples["waiting"]
    last = clock.now() + 30 * DAY
    frozen_time(last)
    assert shown(examples, example) == (Verdict.WAITING, AgreementState.WAITING)
    frozen_time(last + DAY)
    assert shown(examples, example) == (Verdict.NOT_SIGNED, AgreementState.DRAFTING)
    country = examples.country.load(session)
    lines = queries.lines(country.actor("nadia"), Question(), limit=1_000)
    waiting_for = {line.checklist_id: line.waiting_for for line in lines}
    assert waiting_for[example.checklist_id] == ()
    terms = session.get_one(Checklist, example.checklist_id)
    assert evidence.look(terms).agrees
    henrik = country.browser(app, "henrik")
    session.commit()
    for address in (
        f"/checklists/{example.checklist_id}/record",
        f"/cooperations/{example.reference}",
    ):
        assert "Ran out before everyone had signed" in henrik.page(address).text
    assert "Waiting for your signature" not in henrik.page("/").text


def test_a_last_day_to_sign_put_off_in_the_database_prolongs_nothing(
    examples: Examples, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    example = examples["waiting"]
    with hands() as connection:
        query = sa.update(REQUESTS).where(REQUESTS.c.revision_id == example.revisions[0])
        connection.execute(query.values(expires_on=noon_in(300).date()))
    frozen_time(noon_in(200))
    assert shown(examples, example) == (Verdict.NOT_SIGNED, AgreementState.DISAGREES)


def test_a_notice_put_off_in_the_database_does_not_keep_a_text_in_force(examples: Examples) -> None:
    example = examples["ending"]
    with hands() as connection:
        own = Tampering(connection, example.cooperation_id)
        notices(from_on=clock.today() + 4000 * DAY)(own, example)
    assert shown(examples, example) == (Verdict.DISAGREES, AgreementState.DISAGREES)
    jobs.compare_texts()
    assert [text.reference for text in disagreements.known()] == [example.reference]


def test_another_row_in_place_of_a_closed_notice_is_noticed(examples: Examples) -> None:
    example = examples["ending"]
    with hands() as connection:
        own = Tampering(connection, example.cooperation_id)
        given = connection.scalar(
            sa.select(NOTICES.c.id).where(NOTICES.c.checklist_id == example.checklist_id)
        )
        own.copy(NOTICES, given, id=fresh(), from_on=clock.today() + 4000 * DAY)
        own.update(NOTICES, given, closed_at=clock.now())
    assert shown(examples, example) == (Verdict.GENUINE, AgreementState.DISAGREES)


def test_the_note_goes_away_once_the_rows_agree_again(examples: Examples) -> None:
    example = examples["in force"]
    for state, is_noted in ((ChecklistState.ENDED, True), (ChecklistState.IN_FORCE, False)):
        with hands() as connection:
            own = Tampering(connection, example.cooperation_id)
            own.update(CHECKLISTS, example.checklist_id, state=state)
        jobs.compare_texts()
        assert disagreements.is_any() is is_noted
        db.session.rollback()


@pytest.mark.both_databases
def test_the_worker_goes_through_all_texts_in_portions_and_begins_again(examples: Examples) -> None:
    example = examples["in force"]
    with hands() as connection:
        own = Tampering(connection, example.cooperation_id)
        own.update(CHECKLISTS, example.checklist_id, state=ChecklistState.ENDED)
    place, seen = disagreements.BEGINNING, []
    for _ in range(60):
        comparison = disagreements.compare_some(place, queries.disagreeing, 3)
        disagreements.note(comparison)
        place = comparison.reached
        seen.append(place.checklist_id)
        if place.checklist_id is None:
            break
    assert len(set(seen)) == len(seen) > 3
    assert disagreements.is_any()


class KilledError(Exception):
    """Simulates the end of a process."""


@pytest.mark.both_databases
def test_a_worker_killed_while_it_notes_leaves_nothing_half_noted(
    examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while it compares, and between recording and committing."""
    example = examples["in force"]
    with hands() as connection:
        own = Tampering(connection, example.cooperation_id)
        own.update(CHECKLISTS, example.checklist_id, state=ChecklistState.ENDED)

    def killed(*_rows: object) -> None:
        noted.append(disagreements.is_any())
        raise KilledError

    noted: list[bool] = []
    for place, name in ((undertakings, "compare"), (db.session, "commit")):
        with monkeypatch.context() as patched:
            patched.setattr(place, name, killed)
            with pytest.raises(KilledError):
                jobs.compare_texts()
        # What the database does when its connection is lost.
        db.session.remove()
        assert not disagreements.is_any()
        db.session.remove()
    # What was recorded was rolled back.
    assert noted == [False, True]
    jobs.compare_texts()
    assert [disagreement.reference for disagreement in disagreements.known()] == [example.reference]


@pytest.mark.both_databases
def test_a_worker_whose_database_goes_away_while_it_notes_looks_at_the_same_texts_again(
    examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = examples["in force"]
    with hands() as connection:
        own = Tampering(connection, example.cooperation_id)
        own.update(CHECKLISTS, example.checklist_id, state=ChecklistState.ENDED)
    compare, answers = undertakings.compare, []

    def away_at_first(rows: list[Undertaking]) -> object:
        answers.append(disagreements.is_any())
        if len(answers) == 1:
            raise sa.exc.OperationalError("SELECT", {}, Exception("gone"))
        return compare(rows)

    compared: list[disagreements.Progress] = []
    look_at = jobs.compare_texts

    def from_place(after: disagreements.Progress) -> disagreements.Progress:
        compared.append(after)
        return look_at(after)

    monkeypatch.setattr(undertakings, "compare", away_at_first)
    monkeypatch.setattr(jobs, "compare_texts", from_place)
    monkeypatch.setattr(jobs, "PAUSE", 0)
    monkeypatch.setattr(jobs, "EVERY_SO_MANY_ROUNDS", 1)
    turns = iter([True, True, False])
    jobs.run_for_ever(from_url(f"file://{tmp_path}"), goes_on=lambda: next(turns))
    # Both times from the beginning, before anything is recorded; it is stored once.
    assert compared == [disagreements.BEGINNING, disagreements.BEGINNING]
    assert answers == [False, False]
    assert db.session.scalar(sa.select(sa.func.count(Disagreement.subject_id))) == 1


# What is bound, broken ----------------------------------------------------------------------------


def last_event(own: Tampering, verb: str) -> int:
    number = own.connection.scalar(
        sa.select(sa.func.max(EVENTS.c.number)).where(
            EVENTS.c.chain_id == own.chain_id, EVENTS.c.verb == verb
        )
    )
    assert isinstance(number, int)
    return number


def without_its_decline(own: Tampering, example: Example) -> None:
    """Replace the event that it was declined by one that doesn't say so, and change the rows."""
    completed(own, example)
    own.update(EVENTS, own.event_id(last_event(own, "declined")), verb="came_into_force")


def without_the_decline_at_all(own: Tampering, example: Example) -> None:
    completed(own, example)
    event_id = own.event_id(last_event(own, "declined"))
    own.delete(DETAILS, event_id)
    own.delete(EVENTS, event_id)


def with_a_chain_made_anew(own: Tampering, example: Example) -> None:
    without_its_decline(own, example)
    own.rewrite()


@pytest.mark.parametrize(
    "change", [without_its_decline, without_the_decline_at_all, with_a_chain_made_anew]
)
def test_whoever_changes_the_chain_too_gets_no_certificate_either(
    examples: Examples, change: Change
) -> None:
    example = examples["declined"]
    with hands() as connection:
        change(Tampering(connection, example.cooperation_id), example)
    with pytest.raises(CertificateError, match="does not agree"):
        issuing.make(example.revisions[0])
    verdict = verdicts.of_text(example.reference, example.digests[0]).verdict
    assert verdict is Verdict.DISAGREES
    assert state_of(examples, example) is AgreementState.DISAGREES
    assert integrity.check_all().finding is not None


def test_a_text_without_one_of_its_signatures_is_not_signed_by_all(examples: Examples) -> None:
    example = examples["in force"]
    with hands() as connection:
        own = Tampering(connection, example.cooperation_id)
        own.delete(SIGNATURES, own.rows(SIGNATURES)[-1].id)
    assert state_of(examples, example) is AgreementState.DISAGREES
    assert verdicts.of_text(example.reference, example.digests[0]).verdict is Verdict.DISAGREES
    with pytest.raises(CertificateError, match="does not agree"):
        issuing.make(example.revisions[0])


def test_a_signature_without_an_event_is_on_no_certificate(
    examples: Examples,
) -> None:
    example = examples["in force"]
    country = examples.country.load(db.session())
    other, digest = country.users["dora"].id, "e" * 64
    db.session.rollback()
    with hands() as connection:
        own = Tampering(connection, example.cooperation_id)
        row = own.rows(SIGNATURES)[0]
        own.copy(SIGNATURES, row.id, id=other, user_id=other, digest=digest)
    with pytest.raises(CertificateError, match="does not agree"):
        issuing.make(example.revisions[0])
    assert state_of(examples, example) is AgreementState.DISAGREES


def test_a_changed_day_in_an_answer_does_not_prolong_a_text(
    examples: Examples, session: Session
) -> None:
    """The list reads days from answers; the frozen text says otherwise."""
    example = examples["in force"]
    with hands() as connection:
        answers = table_of(Answer)
        row = connection.execute(
            sa.select(answers).where(
                answers.c.checklist_id == example.checklist_id, answers.c.item == "M19"
            )
        ).one()
        later = (clock.today() + 4000 * DAY).isoformat()
        Tampering(connection, example.cooperation_id).update(
            answers, row.id, values={**row.values, "end": later}
        )
    assert state_of(examples, example) is AgreementState.DISAGREES
    jobs.compare_texts()
    assert [text.reference for text in disagreements.known()] == [example.reference]


def test_removing_a_party_from_the_request_does_not_complete_a_text(examples: Examples) -> None:
    """The frozen text names both parties: the first signature alone brings nothing into force."""
    example = examples["drafted"]
    country = examples.country.load(db.session())
    terms = db.session.get_one(Checklist, example.checklist_id)
    agreements.send(country, terms, outcomes.PAIR)
    db.session.commit()
    door = country.id("door")
    db.session.rollback()
    with hands() as connection:
        connection.execute(
            sa.delete(PARTIES).where(
                PARTIES.c.organisation_id == door,
                PARTIES.c.request_id.in_(
                    sa.select(REQUESTS.c.id)
                    .join(REVISIONS, REVISIONS.c.id == REQUESTS.c.revision_id)
                    .where(REVISIONS.c.subject_id == example.checklist_id)
                ),
            )
        )
    terms = db.session.get_one(Checklist, example.checklist_id)
    country = examples.country.load(db.session())
    with pytest.raises(RuleBrokenError, match="aren't those the text names"):
        agreements.sign(country, terms, "tomas")
    db.session.rollback()
    assert state_of(examples, example) is AgreementState.DISAGREES


def who_signed(own: Tampering) -> None:
    """Change who signed, in the details of the event."""
    event_id = own.event_id(last_event(own, "signed"))
    row = own.connection.execute(sa.select(DETAILS).where(DETAILS.c.event_id == event_id)).one()
    who = {**row.content["who"], "name": "Somebody Else"}
    own.update(DETAILS, event_id, content={**row.content, "who": who})


def no_details(own: Tampering) -> None:
    own.delete(DETAILS, own.event_id(last_event(own, "signed")))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (who_signed, "details of event"),
        (no_details, "details of event"),
    ],
)
def test_a_text_whose_events_were_changed_gets_no_certificate(
    app: Flask, examples: Examples, change: Callable[[Tampering], None], why: str
) -> None:
    example = examples["in force"]
    with hands() as connection:
        change(Tampering(connection, example.cooperation_id))
    with pytest.raises(CertificateError, match=why):
        issuing.make(example.revisions[0])
    if change is who_signed:
        browser = examples.country.load(db.session()).browser(app, "nadia")
        db.session.rollback()
        text = browser.page(f"/register/{example.checklist_id}").text
        assert "Somebody Else" not in text
        assert "The details of this event were changed outside this application" in text


def test_what_is_said_of_a_cooperation_follows_no_row_that_was_changed_and_then_bound(
    session: Session, demonstration: Demonstration
) -> None:
    joint_visit = JointVisit(session, demonstration)
    cooperation_id = joint_visit.cooperation.id
    revision_id = session.scalars(
        sa.select(Revision.id).where(
            Revision.subject_id == demonstration.checklists["complete", "terms"]
        )
    ).one()
    session.rollback()
    with hands() as connection:
        Tampering(connection, cooperation_id).update(
            table_of(Cooperation), cooperation_id, is_demonstration=False, reviewed_on=clock.today()
        )
    session.expire_all()
    # Beginning a review binds the altered row (adr 126).
    reviews.begin(joint_visit.actor("ilena"), joint_visit.cooperation)
    session.commit()
    certificate = issuing.make(revision_id)[0]
    assert "Demonstration. These people" in " ".join(words_in(certificate.pdf).split())
    lines = queries.lines(joint_visit.actor("milan"), Question(), limit=100)
    assert [line.reviewed_on for line in lines] == [None] * len(lines)
    session.rollback()
    # Where the event doesn't say it, the row doesn't either.
    with hands() as connection:
        own = Tampering(connection, cooperation_id)
        own.delete(DETAILS, own.event_id(1))
    with pytest.raises(CertificateError, match="does not agree with its events"):
        issuing.make(revision_id)


# Cooperations -------------------------------------------------------------------------------------


COOPERATIONS: dict[str, dict[str, object]] = {
    "declined": {"stage": Stage.ACTIVE},
    "suspended": {"stage": Stage.ACTIVE},
    "ended": {"stage": Stage.SUSPENDED},
    "in force": {"ends_on": clock.today() + 4000 * DAY},
    "lifted": {"starts_on": clock.today() + 40 * DAY},
}


def test_the_list_and_the_page_of_a_cooperation_claim_nothing_that_its_terms_do_not(
    app: Flask, examples: Examples, session: Session
) -> None:
    table = table_of(Cooperation)
    with hands() as connection:
        for name, values in COOPERATIONS.items():
            cooperation_id = examples[name].cooperation_id
            Tampering(connection, cooperation_id).update(table, cooperation_id, **values)
    browser = examples.country.load(session).browser(app, "ilena")
    session.commit()
    for name in COOPERATIONS:
        reference = examples[name].reference
        assert WORDS in browser.page(f"/cooperations?q={reference}").text, name
        page = browser.page(f"/cooperations/{reference}")
        assert WORDS in page.text, name
        (line,) = page.root.findall(".//ol[@class='stages']")
        drawn = [value for stage in line for value in stage.attrib.values()]
        assert drawn == ["beside"] * len(BESIDE), name
        assert "Everything that is agreed is in force" not in page.text, name
    jobs.compare_texts()
    noted = set(db.session.scalars(sa.select(Disagreement.subject_id)))
    # The line of its terms in the register also says what its row does.
    assert noted == {
        subject_id
        for name in COOPERATIONS
        for subject_id in (examples[name].cooperation_id, examples[name].checklist_id)
    }


def test_register_and_page_do_not_say_that_a_visit_is_ready_as_its_row_alone_says(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    visit = session.scalars(sa.select(Visit).where(Visit.is_ready)).one()
    visit_id, cooperation_id = visit.id, visit.cooperation_id
    checklist_ids = set(
        session.scalars(sa.select(Checklist.id).where(Checklist.visit_id == visit_id))
    )
    auditor = demonstration.browser(app, "milan")
    assert "The visit is ready" in auditor.page("/register").text
    with hands() as connection:
        own = Tampering(connection, cooperation_id)
        event_id = own.event_id(last_event(own, verbs.VISIT_BECAME_READY.name))
        own.delete(DETAILS, event_id)
        own.delete(EVENTS, event_id)
    text = auditor.page("/register").text
    assert WORDS in text
    assert "The visit is ready" not in text
    reference = demonstration.references["complete"]
    assert WORDS in demonstration.browser(app, "leyla").page(f"/cooperations/{reference}").text
    jobs.compare_texts()
    noted = db.session.scalars(sa.select(Disagreement.subject_id)).all()
    assert set(noted) == checklist_ids


@pytest.mark.parametrize("table", [Visit, Cooperation])
def test_a_stage_whose_event_lost_its_details_is_not_as_its_row_alone_says(
    session: Session, demonstration: Demonstration, table: type[Visit | Cooperation]
) -> None:
    visit = session.scalars(sa.select(Visit).where(Visit.is_ready)).one()
    row: Any = visit if table is Visit else session.get_one(Cooperation, visit.cooperation_id)
    agreeing: Any = visits.agreeing if table is Visit else lifecycle.agreeing
    verb = verbs.VISIT_STAGE_CHANGED if table is Visit else verbs.STAGE_CHANGED
    cooperation_id = visit.cooperation_id
    assert agreeing([row]) == {row.id}
    session.rollback()
    with hands() as connection:
        own = Tampering(connection, cooperation_id)
        own.delete(DETAILS, own.event_id(last_event(own, verb.name)))
    assert agreeing([row]) == frozenset()


# Undertakings -------------------------------------------------------------------------------------


UNDERTAKING_VALUES: list[dict[str, object]] = [
    {"state": UndertakingState.SIGNED, "countersigned_at": None},
    {"state": UndertakingState.ASKED},
    {"state": UndertakingState.CLOSED, "closed_at": noon_in(0), "closed_reason": "withdrawn"},
    {"revision_id": None},
    {"countersigned_at": None},
    {"signed_at": noon_in(-300)},
    {"countersigned_at": noon_in(300)},
]


def test_a_changed_undertaking_is_noticed_and_the_bound_status_is_shown(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    undertaking = session.scalars(
        sa.select(Undertaking).where(Undertaking.state == UndertakingState.COUNTERSIGNED)
    ).first()
    assert undertaking is not None
    undertaking_id, cooperation_id = undertaking.id, undertaking.cooperation_id
    person = next(key for key, user in demonstration.users.items() if user == undertaking.user_id)
    revision = session.get_one(Revision, undertaking.revision_id)
    digest, reference = revision.digest, demonstration.references["complete"]
    before = {name: getattr(undertaking, name) for values in UNDERTAKING_VALUES for name in values}
    browser = demonstration.browser(app, person)
    session.commit()
    for values in UNDERTAKING_VALUES:
        with hands() as connection:
            own = Tampering(connection, cooperation_id)
            own.update(UNDERTAKINGS, undertaking_id, **{**before, **values})
        with stored.view() as connection:
            only = frozenset({cooperation_id})
            finding = integrity.check_view(connection, only=only).finding
        assert finding is not None, values
        assert (finding.fault, finding.place.table) == (Fault.DISAGREES, Table.UNDERTAKING), values
        assert verdicts.of_text(reference, digest).verdict is Verdict.GENUINE, values
        assert WORDS in browser.page("/undertakings").text, values
        if values.get("state") is not UndertakingState.ASKED:
            assert NOTICE in browser.page(f"/undertakings/{undertaking_id}").text, values
        jobs.compare_texts()
        noted = db.session.scalars(sa.select(Disagreement.subject_id)).all()
        assert noted == [undertaking_id], values
        db.session.execute(sa.delete(Disagreement))
        db.session.commit()
    whole = integrity.check_all().finding
    assert whole is not None
    assert (whole.fault, whole.place.table) == (Fault.DISAGREES, Table.UNDERTAKING)


@pytest.mark.parametrize("table", [table_of(Clearance), CHECKLISTS])
def test_pages_and_health_notice_a_clearance_and_terms_that_were_changed(
    app: Flask, session: Session, demonstration: Demonstration, table: sa.Table
) -> None:
    clearance = session.scalars(sa.select(Clearance).where(Clearance.closed_at.is_(None))).first()
    assert clearance is not None
    undertaking = session.get_one(Undertaking, clearance.undertaking_id)
    terms = demonstration.checklists["complete", "confidentiality"]
    key = next(key for key, user in demonstration.users.items() if user == undertaking.user_id)
    changed_id, subject_id = clearance.id, undertaking.id
    values: dict[str, object] = {"until_on": clock.today() + 4000 * DAY}
    if table is CHECKLISTS:
        changed_id, subject_id, values = terms, terms, {"revision_in_force_id": None}
    cooperation_id = undertaking.cooperation_id
    session.rollback()
    with hands() as connection:
        Tampering(connection, cooperation_id).update(table, changed_id, **values)
    if table is not CHECKLISTS:
        assert WORDS in demonstration.browser(app, key).page("/undertakings").text
    else:
        listed = f"/cooperations/{demonstration.references['complete']}/undertakings"
        shown = demonstration.browser(app, "ilena").page(listed).text
        assert "The confidentiality terms don't match their signatures." in shown
    auditor = demonstration.browser(app, "milan")
    assert WORDS in auditor.page("/register/undertakings").text
    jobs.compare_texts()
    assert subject_id in db.session.scalars(sa.select(Disagreement.subject_id)).all()


def test_an_undertaking_that_was_not_countersigned_gets_no_certificate(
    session: Session, demonstration: Demonstration
) -> None:
    """A countersignature inserted by hand has no event that proves it."""
    undertaking = session.scalars(
        sa.select(Undertaking).where(Undertaking.state == UndertakingState.COUNTERSIGNED)
    ).first()
    assert undertaking is not None
    undertaking_id, cooperation_id, revision_id = (
        undertaking.id,
        undertaking.cooperation_id,
        undertaking.revision_id,
    )
    session.rollback()
    with hands() as connection:
        own = Tampering(connection, cooperation_id)
        signature = next(
            row
            for row in own.rows(SIGNATURES)
            if row.revision_id == revision_id and row.kind.value == "countersignature"
        )
        own.update(SIGNATURES, signature.id, sentence="I countersign something else.")
    assert revision_id is not None
    with pytest.raises(CertificateError, match="does not agree"):
        issuing.make(revision_id)
    assert not undertakings.look_whole(session.get_one(Undertaking, undertaking_id)).is_sound


# Effort -------------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_more_texts_take_no_more_statements(
    examples: Examples,
    session: Session,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    """Notices and renewals are read only if some of the texts have any."""
    rows = list(session.scalars(sa.select(Checklist).order_by(Checklist.started_at)))
    with_all = [
        row
        for row in rows
        if row.id in {examples[name].checklist_id for name in ("ended", "renewed")}
    ]
    with statements() as few:
        evidence.compare(with_all)
    with statements() as many:
        evidence.compare(rows)
    assert len(few) == len(many) <= 8
    assert len(rows) > 2 * len(COURSES) - 2


def test_an_export_holds_the_words(examples: Examples, session: Session) -> None:
    example = examples["superseded"]
    with hands() as connection:
        in_force_is(0)(Tampering(connection, example.cooperation_id), example)
    lines = queries.lines(examples.country.load(session).actor("nadia"), Question(), limit=1_000)
    file = export.CsvFile(pages.export_heads())
    file.add(map(pages.export_row, lines))
    assert b"".join(file.sent()).decode("utf-8-sig").count(WORDS) == 1
