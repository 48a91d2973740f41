"""The outcome of a text from its signatures and events alone: every possible course.

In one file: each course is followed from the same texts and signatures.
"""

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.activity.chain import START, Link
from tracker.core import canonical
from tracker.signoff import outcomes
from tracker.signoff.models import Method, Revision, Signature, SignatureKind
from tracker.signoff.outcomes import (
    Course,
    Given,
    Outcome,
    Phase,
    Text,
    UndertakingPhase,
    Validity,
    validity,
)

NPM, CSO = uuid4(), uuid4()
TOMAS, HENRIK, ILENA = uuid4(), uuid4(), uuid4()
RULE = {NPM: 1, CSO: 1}
FIRST, SECOND = uuid4(), uuid4()
NOON = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
SENT, IN_FORCE = "sent_for_signature", "came_into_force"
BOTH = (Given(NPM, TOMAS, 2), Given(CSO, HENRIK, 3))


def link(number: int, verb: str, evidence: str | None = None, subject: UUID = FIRST) -> Link:
    return Link(
        event_id=uuid4(),
        chain_id=NPM,
        number=number,
        verb=verb,
        subject_type="checklist",
        subject_id=subject,
        at=NOON + dt.timedelta(minutes=number),
        details_digest=START,
        evidence=evidence,
        previous=START,
    )


def follow(*verbs: str | tuple[str, str], given_: tuple[Given, ...] = BOTH) -> Course:
    """Follow verbs, ten numbers apart; the first revision is signed by given_."""
    steps = [(verb, None) if isinstance(verb, str) else verb for verb in verbs]
    links = [link(1 + 10 * place, verb, evidence) for place, (verb, evidence) in enumerate(steps)]
    seconds = tuple(Given(party.organisation_id, party.user_id, 32) for party in BOTH)
    texts = [Text(FIRST, "first", given_, RULE), Text(SECOND, "second", seconds, RULE)]
    known = {evidence for _verb, evidence in steps}
    return outcomes.course(links, [text for text in texts if text.evidence in known])


COURSES: list[tuple[list[str | tuple[str, str]], list[Outcome], Phase]] = [
    ([], [], Phase.DRAFTING),
    ([(SENT, "first"), "declined"], [Outcome.DECLINED], Phase.DRAFTING),
    ([(SENT, "first"), "signature_request_withdrawn"], [Outcome.WITHDRAWN], Phase.DRAFTING),
    ([(SENT, "first"), "signature_request_expired"], [Outcome.EXPIRED], Phase.DRAFTING),
    ([(SENT, "first"), IN_FORCE], [Outcome.IN_FORCE], Phase.IN_FORCE),
    (
        [("former_agreement_recorded", "first"), IN_FORCE],
        [Outcome.IN_FORCE],
        Phase.IN_FORCE,
    ),
    ([(SENT, "first"), IN_FORCE, "amendment_opened"], [Outcome.IN_FORCE], Phase.DRAFTING),
    (
        [(SENT, "first"), IN_FORCE, "amendment_opened", "amendment_called_off"],
        [Outcome.IN_FORCE],
        Phase.IN_FORCE,
    ),
    (
        [(SENT, "first"), IN_FORCE, "amendment_opened", (SENT, "second"), IN_FORCE],
        [Outcome.SUPERSEDED, Outcome.IN_FORCE],
        Phase.IN_FORCE,
    ),
    (
        [(SENT, "first"), IN_FORCE, "amendment_opened", (SENT, "second"), "declined"],
        [Outcome.IN_FORCE, Outcome.DECLINED],
        Phase.DRAFTING,
    ),
    (
        [(SENT, "first"), IN_FORCE, "notice_given", "text_suspended"],
        [Outcome.SUSPENDED],
        Phase.SUSPENDED,
    ),
    (
        [(SENT, "first"), IN_FORCE, "notice_given", "text_suspended", "suspension_lifted"],
        [Outcome.IN_FORCE],
        Phase.IN_FORCE,
    ),
    (
        [(SENT, "first"), IN_FORCE, *["notice_given", "text_suspended"] * 2, "suspension_lifted"],
        [Outcome.SUSPENDED],
        Phase.SUSPENDED,
    ),
    (
        [(SENT, "first"), IN_FORCE, "notice_given", "text_ended"],
        [Outcome.ENDED],
        Phase.ENDED,
    ),
    (
        [(SENT, "first"), IN_FORCE, "notice_given", "notice_taken_back"],
        [Outcome.IN_FORCE],
        Phase.IN_FORCE,
    ),
    (
        [(SENT, "first"), IN_FORCE, "amendment_opened", "notice_given", "text_suspended"],
        [Outcome.SUSPENDED],
        Phase.DRAFTING,
    ),
]


@pytest.mark.parametrize(("verbs", "wanted", "phase"), COURSES)
def test_a_course_is_followed_to_its_end(
    verbs: list[str | tuple[str, str]], wanted: list[Outcome], phase: Phase
) -> None:
    course = follow(*verbs)
    assert list(course.outcomes.values()) == wanted
    assert (course.phase, course.is_sound) == (phase, True)


def test_a_text_is_pending_while_a_signature_is_missing() -> None:
    course = follow((SENT, "first"), given_=BOTH[:1])
    assert (course.outcomes, course.sent_id) == ({FIRST: Outcome.WAITING}, FIRST)
    assert course.is_sound


def test_nothing_is_pending_once_all_have_signed() -> None:
    assert not follow((SENT, "first")).is_sound


@pytest.mark.parametrize(
    "signed",
    [
        (),
        BOTH[:1],
        (Given(NPM, TOMAS, 2), Given(NPM, HENRIK, 3)),
        # Only what existed by then counts.
        (Given(NPM, TOMAS, 2), Given(CSO, HENRIK, 12)),
        (Given(NPM, TOMAS, 2), Given(None, HENRIK, 3)),
    ],
)
def test_an_event_alone_brings_nothing_into_force(signed: tuple[Given, ...]) -> None:
    course = follow((SENT, "first"), IN_FORCE, given_=signed)
    assert not course.is_sound
    assert course.outcomes[FIRST] is Outcome.WAITING


@pytest.mark.parametrize(
    "verbs",
    [
        [IN_FORCE],
        ["declined"],
        ["text_ended"],
        ["text_suspended"],
        ["suspension_lifted"],
        [(SENT, "unknown")],
        [(SENT, "first"), (SENT, "second")],
        [(SENT, "first"), "declined", "declined"],
        [(SENT, "first"), "declined", IN_FORCE],
        ["amendment_called_off"],
        [(SENT, "first"), IN_FORCE, "amendment_called_off"],
        [(SENT, "first"), IN_FORCE, "amendment_opened", "text_suspended", "amendment_called_off"],
        [
            *[(SENT, "first"), IN_FORCE, "amendment_opened"],
            *[(SENT, "second"), "amendment_called_off"],
        ],
        [(SENT, "first"), IN_FORCE, "text_ended"],  # nobody gave notice
        [(SENT, "first"), IN_FORCE, "text_suspended"],
        [(SENT, "first"), IN_FORCE, "notice_given", "text_suspended", "text_ended"],
        [(SENT, "first"), IN_FORCE, "text_ended", "text_ended"],
        [(SENT, "first"), IN_FORCE, "text_ended", "suspension_lifted"],
    ],
)
def test_an_impossible_sequence_of_events_is_not_sound(verbs: list[str | tuple[str, str]]) -> None:
    assert not follow(*verbs).is_sound


def test_a_revision_that_nobody_sent_is_not_sound() -> None:
    assert not outcomes.course([], [Text(FIRST, "first")]).is_sound


def test_a_signature_that_nothing_bears_witness_to_is_not_sound() -> None:
    text = Text(FIRST, "first", BOTH, RULE, has_stray=True)
    assert not outcomes.course([link(1, SENT, "first"), link(11, IN_FORCE)], [text]).is_sound


@given(st.permutations(range(5)))
def test_events_are_ordered_by_number_however_they_arrive(order: list[int]) -> None:
    verbs = [(SENT, "first"), (IN_FORCE, None), ("notice_given", None), ("text_suspended", None)]
    links = [
        link(1 + 10 * place, *step) for place, step in enumerate([*verbs, ("text_ended", None)])
    ]
    result = outcomes.course([links[place] for place in order], [Text(FIRST, "first", BOTH, RULE)])
    assert result.outcomes == {FIRST: Outcome.ENDED}
    assert (result.notices, result.in_effect) == (1, 1)


# The rule -----------------------------------------------------------------------------------------


def signatory(party: UUID) -> dict[str, str]:
    return {"organisation_id": str(party), "name": "Somebody"}


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        (
            {
                "signing": {
                    "parties": [
                        {"organisation_id": str(NPM), "needed": 2},
                        {"organisation_id": str(CSO), "needed": 1},
                    ]
                },
                "signatories": [signatory(NPM)] * 3 + [signatory(CSO)],
            },
            {NPM: 2, CSO: 1},
        ),
        ({"signatories": [signatory(NPM)] * 2 + [signatory(CSO)]}, {NPM: 2, CSO: 1}),
        ({"signatories": [], "parties": [{"id": str(NPM)}, {"id": str(CSO)}]}, RULE),
    ],
)
def test_the_signatories_are_read_from_the_text(
    document: dict[str, Any], rule: dict[UUID, int]
) -> None:
    assert outcomes.rule_of(document) == rule


def a_rule(*parties: tuple[UUID, object]) -> dict[str, Any]:
    needed = [{"organisation_id": str(party), "needed": number} for party, number in parties]
    return {"parties": [{"id": str(NPM)}, {"id": str(CSO)}], "signing": {"parties": needed}}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"parties": [1]},
        {"parties": [{"id": "somebody"}]},
        # A party that needn't sign, one that isn't named, one that is named twice.
        a_rule((NPM, 1), (CSO, 0)),
        a_rule((NPM, 1)),
        a_rule((NPM, 2), (CSO, 1), (NPM, 1)),
        # Not a number.
        a_rule((NPM, "2"), (CSO, 1)),
        a_rule((NPM, 1), (CSO, True)),
    ],
)
def test_a_text_without_signatories_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        outcomes.rule_of(document)


def test_one_person_counts_once_for_a_party_and_nobody_is_enough_for_no_rule() -> None:
    twice = [Given(NPM, TOMAS, 1), Given(NPM, TOMAS, 2)]
    assert not outcomes.is_signed_by_all({NPM: 2}, twice)
    assert outcomes.is_signed_by_all({NPM: 2}, [*twice, Given(NPM, ILENA, 3)])
    assert not outcomes.is_signed_by_all({}, BOTH)


# Undertakings -------------------------------------------------------------------------------------


def a_revision() -> Revision:
    return Revision(id=FIRST, digest="d" * 64)


def a_signature(
    user: UUID, kind: SignatureKind, organisation: UUID | None = None, **more: Any
) -> Signature:
    values = {"method": Method.PASSWORD_TOTP} | more
    signature = Signature(
        id=uuid4(),
        revision_id=FIRST,
        kind=kind,
        user_id=user,
        organisation_id=organisation,
        signer_name="Somebody",
        organisation_name="",
        office="",
        power="",
        sentence="I sign.",
        language="en",
        document_digest="d" * 64,
        signed_at=NOON,
        **values,
    )
    signature.digest = canonical.digest_of(signature.content())
    return signature


OWN = a_signature(HENRIK, SignatureKind.SIGNATURE)
COUNTER = a_signature(TOMAS, SignatureKind.COUNTERSIGNATURE, NPM)
STEPS = [
    link(1, "undertaking_asked"),
    link(2, "undertaking_frozen", "first"),
    link(3, "undertaking_signed", OWN.digest),
    link(4, "undertaking_countersigned", COUNTER.digest),
    link(5, "undertaking_closed"),
]


def undertaken(steps: int, *signatures: Signature, evidence: str = "first") -> Any:
    revision = a_revision() if steps > 1 else None
    return outcomes.undertaking_course(STEPS[:steps], HENRIK, revision, evidence, signatures)


@pytest.mark.parametrize(
    ("steps", "signatures", "phase", "by_all"),
    [
        (1, (), UndertakingPhase.ASKED, False),
        (2, (), UndertakingPhase.ON_PAPER, False),
        (3, (OWN,), UndertakingPhase.SIGNED, False),
        (4, (OWN, COUNTER), UndertakingPhase.COUNTERSIGNED, True),
        (5, (OWN, COUNTER), UndertakingPhase.CLOSED, True),
    ],
)
def test_an_undertaking_is_followed(
    steps: int, signatures: tuple[Signature, ...], phase: UndertakingPhase, *, by_all: bool
) -> None:
    course = undertaken(steps, *signatures)
    assert (course.phase, course.is_signed_by_all, course.is_sound) == (phase, by_all, True)


@pytest.mark.parametrize(
    ("steps", "signatures"),
    [
        (3, ()),
        (3, (OWN, COUNTER)),
        (4, (OWN,)),
        (4, (COUNTER,)),
        (4, (OWN, a_signature(HENRIK, SignatureKind.COUNTERSIGNATURE, NPM))),
    ],
)
def test_an_undertaking_without_its_rows_is_not_sound(
    steps: int, signatures: tuple[Signature, ...]
) -> None:
    course = undertaken(steps, *signatures)
    assert not course.is_sound
    assert not course.is_signed_by_all


# Letters in it, so that it can be written in another way.
LETTERS = UUID("abcdefab-cdef-4bcd-8fab-cdefabcdefab")
WRITTEN = [str(LETTERS), str(LETTERS).upper(), LETTERS.hex]
PAPER = {
    "record": str(uuid4()),
    "recorded_by": str(ILENA),
    "confirmed_by": str(LETTERS),
    "confirmed_for": "The NPM",
    "made": "here",
}


def own_on_paper(**changed: Any) -> Signature:
    paper = PAPER | changed
    return a_signature(HENRIK, SignatureKind.SIGNATURE, method=Method.PAPER, paper=paper)


def own_before(host: str) -> Signature:
    presence = {"host": host, "method": "password_totp"}
    return a_signature(
        HENRIK, SignatureKind.SIGNATURE, method=Method.IN_PRESENCE, presence=presence
    )


def countersigned(own: Signature, user: UUID) -> Any:
    """Follow an undertaking that one person signed and another countersigned."""
    other = a_signature(user, SignatureKind.COUNTERSIGNATURE, NPM)
    links = [
        *STEPS[:2],
        link(3, "undertaking_signed", own.digest),
        link(4, "undertaking_countersigned", other.digest),
    ]
    return outcomes.undertaking_course(links, HENRIK, a_revision(), "first", [own, other])


@pytest.mark.parametrize("text", WRITTEN)
def test_whoever_took_a_signature_and_countersigned_is_found_however_the_id_is_written(
    text: str,
) -> None:
    assert not countersigned(own_before(text), LETTERS).is_sound
    assert countersigned(own_before(text), TOMAS).is_sound
    assert not countersigned(own_on_paper(recorded_by=text), LETTERS).is_sound


def test_an_undertaking_on_paper_is_sound_that_one_recorded_and_another_confirmed() -> None:
    assert countersigned(own_on_paper(), LETTERS).is_sound
    assert countersigned(own_on_paper(), TOMAS).is_sound


@pytest.mark.parametrize(
    "own",
    [
        own_on_paper(confirmed_by=str(ILENA)),
        own_on_paper(confirmed_by=str(HENRIK)),
        own_on_paper(recorded_by=None),
        a_signature(HENRIK, SignatureKind.SIGNATURE, method=Method.PAPER),
        a_signature(HENRIK, SignatureKind.SIGNATURE, paper=PAPER),
    ],
    ids=["by the recorder", "by the person", "by nobody", "without a scan", "another method"],
)
def test_an_undertaking_whose_scan_nobody_else_confirmed_is_not_sound(own: Signature) -> None:
    assert not countersigned(own, TOMAS).is_sound


def for_party(organisation: UUID, user: UUID, **changed: Any) -> Signature:
    kind, paper = SignatureKind.SIGNATURE, PAPER | changed
    return a_signature(user, kind, organisation, method=Method.PAPER, paper=paper)


def counted(*signatures: Signature) -> list[UUID]:
    links = [
        replace(link(place, "signed_on_paper", signature.digest), subject_id=signature.id)
        for place, signature in enumerate(signatures, 2)
    ]
    return [given.user_id for given in outcomes.witnessed(a_revision(), signatures, links)]


def test_agreed_terms_on_paper_count_for_a_party_once_another_confirmed_the_scan() -> None:
    electronic = a_signature(TOMAS, SignatureKind.SIGNATURE, NPM)
    assert counted(for_party(CSO, HENRIK), electronic) == [HENRIK, TOMAS]


@pytest.mark.parametrize(
    "changed",
    [{"confirmed_by": str(ILENA)}, {"confirmed_by": str(HENRIK)}, {"confirmed_by": None}],
    ids=["by the recorder", "by the signer", "by nobody"],
)
def test_agreed_terms_on_paper_do_not_count_for_a_party_if_nobody_else_confirmed(
    changed: dict[str, Any],
) -> None:
    electronic = a_signature(TOMAS, SignatureKind.SIGNATURE, NPM)
    assert counted(for_party(CSO, HENRIK, **changed), electronic) == [TOMAS]


def test_an_agreement_from_before_does_not_count_if_one_person_confirmed_it_for_two() -> None:
    former = {"made": "before", "confirmed_by": str(HENRIK)}
    both = [
        for_party(CSO, HENRIK, **former, confirmed_for="Open Door"),
        for_party(NPM, TOMAS, **former, confirmed_for="Lantern"),
    ]
    assert counted(*both) == []
    assert counted(both[0]) == [HENRIK]


def test_a_text_that_was_frozen_from_paper_is_signed_once_its_scan_is_confirmed() -> None:
    assert [undertaken(steps, *given).is_signed for steps, given in ((2, ()), (3, (OWN,)))] == [
        False,
        True,
    ]


def test_an_undertaking_whose_text_is_another_is_not_signed_by_all() -> None:
    course = undertaken(4, OWN, COUNTER, evidence="another")
    assert (course.is_sound, course.is_signed_by_all) == (False, False)


def test_each_outcome_that_was_signed_by_all_says_so() -> None:
    assert [outcome for outcome in Outcome if outcome.is_signed_by_all] == [
        Outcome.IN_FORCE,
        Outcome.SUSPENDED,
        Outcome.ENDED,
        Outcome.SUPERSEDED,
    ]


DAY = dt.timedelta(days=1)
TODAY = NOON.date()


@pytest.mark.parametrize(
    ("first", "last", "state"),
    [
        (None, None, Validity.IN_FORCE),
        (TODAY + DAY, None, Validity.BEGINS_LATER),
        (TODAY, None, Validity.IN_FORCE),
        (TODAY - DAY, TODAY, Validity.IN_FORCE),
        (TODAY - DAY, TODAY - DAY, Validity.RUN_OUT),
        (None, TODAY - DAY, Validity.RUN_OUT),
        (TODAY + DAY, TODAY + DAY, Validity.BEGINS_LATER),
    ],
)
def test_first_and_last_day_decide_how_a_signed_text_stands(
    first: dt.date | None, last: dt.date | None, state: Validity
) -> None:
    assert validity(first, last, TODAY) is state
