"""Nobody gets access, or keeps it, while the agreed terms are suspended, ended or run out (P6)."""

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask

from tests import due, starting_points
from tests.factories import agreements, undertakings
from tests.factories.undertakings import Clearing
from tracker.agreements import notices, renewal
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, Notice, NoticeKind
from tracker.checklists.negotiation import positions, safeguards
from tracker.checklists.negotiation.text_digest import text_digest
from tracker.cooperations import clearances
from tracker.core import clock
from tracker.core.errors import RefusedError
from tracker.demo import checklists as demo_checklists
from tracker.demo.people import DemoPeople
from tracker.signoff import shown
from tracker.undertakings import clearing_states, lists, queries, service, waiting
from tracker.undertakings.models import UndertakingState

Clock = Callable[[dt.datetime | None], None]
DAY = dt.timedelta(days=1)
REGISTER = "/register/undertakings"
BY_NOTICE = "A notice has suspended or ended the terms, so nobody gets access."
RUN_OUT = "The last day of the agreed terms has passed"


@pytest.fixture
def app(worker_app: Flask) -> Flask:
    """The application on a database in which the agreed terms are in force too."""
    undertakings.start(worker_app)
    points = starting_points.of(worker_app)
    points.use("undertakings_on_agreed_terms", _agree, on=undertakings.START)
    return worker_app


def _agree() -> None:
    """Bring the agreed terms into force, and clear Leyla until after their last day."""
    clearing = undertakings.existing()
    agreed = agreements.checklist_of(clearing.cooperation, ChecklistKind.TERMS)
    demo_checklists.fill_in(clearing.demo_people, agreed)
    read_send_and_sign(clearing, agreed)
    last = clearing.cooperation.ends_on
    assert last is not None
    clearing.amend(until=last + 60 * DAY)
    clearing.clear("leyla")
    assert clearing.is_cleared("leyla")


@pytest.fixture
def terms(clearing: Clearing) -> Checklist:
    """The agreed terms in force, in a cooperation in which Leyla is cleared until after them."""
    return agreements.checklist_of(clearing.cooperation, ChecklistKind.TERMS)


def read_send_and_sign(clearing: Clearing, terms: Checklist) -> None:
    page = shown.page_with(text_digest(load(terms)))
    safeguards.confirm_review(clearing.actor("nadia"), terms, page=page)
    demo_checklists.send(clearing.demo_people, terms)
    demo_checklists.sign(clearing.demo_people, terms)


def after_the_last_day(clearing: Clearing, frozen_time: Clock) -> None:
    last = clearing.cooperation.ends_on
    assert last is not None
    frozen_time(dt.datetime.combine(last + DAY, dt.time(12), dt.UTC))


def stop(clearing: Clearing, terms: Checklist, kind: NoticeKind, frozen_time: Clock) -> None:
    day = notices.earliest(terms, kind)
    notices.give_notice(clearing.actor("henrik"), terms, kind, reason="Not safe.")
    if day > clock.today():
        frozen_time(dt.datetime.combine(day, dt.time(12), dt.UTC))
        due.carry_out_due(day)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (NoticeKind.SUSPENDED, "The agreed terms are suspended"),
        (NoticeKind.ENDED, "This cooperation is closed"),
    ],
)
def test_nobody_is_asked_again_while_the_agreed_terms_have_stopped(
    clearing: Clearing, terms: Checklist, frozen_time: Clock, kind: NoticeKind, reason: str
) -> None:
    stop(clearing, terms, kind, frozen_time)
    closed = clearing.undertaking("leyla")
    assert closed.state is UndertakingState.CLOSED
    with pytest.raises(RefusedError, match=reason):
        service.ask_again(clearing.actor("ilena"), closed.id)


def test_the_page_of_a_suspended_cooperation_offers_to_ask_nobody_again(
    app: Flask, clearing: Clearing, terms: Checklist, frozen_time: Clock
) -> None:
    stop(clearing, terms, NoticeKind.SUSPENDED, frozen_time)
    undertaking = clearing.undertaking("leyla")
    url = f"/cooperations/{clearing.cooperation.reference}/undertakings/{undertaking.id}"
    assert "Ask again" not in clearing.browser(app, "tomas").page(url).text


def test_access_ends_with_the_last_day_of_the_agreed_terms(
    clearing: Clearing, terms: Checklist, frozen_time: Clock
) -> None:
    after_the_last_day(clearing, frozen_time)
    assert not clearing.is_cleared("leyla")
    loaded = queries.load(clearing.undertaking("leyla"))
    assert not lists.line_of(clearing.actor("leyla"), loaded).is_cleared


def test_the_sentence_to_countersign_says_that_access_ends_with_terms_that_end_earlier(
    app: Flask, clearing: Clearing, terms: Checklist
) -> None:
    last = clearing.cooperation.ends_on
    assert last is not None
    clearing.sign("marek")
    undertaking = clearing.undertaking("marek")
    check = f"/cooperations/{clearing.cooperation.reference}/undertakings/{undertaking.id}"
    browser = clearing.browser(app, "tomas")
    opened = browser.page(check).form(f"{check}/countersign").values["opened"][0]

    def sentence(until: dt.date) -> str:
        return browser.page(f"{check}/countersign?until={until}&opened={opened}").text

    earlier = "Access ends with the agreed terms on"
    assert earlier in sentence(last + DAY)
    assert earlier not in sentence(last)


def test_pages_and_register_say_that_access_is_closed_since_the_agreed_terms_have_run_out(
    app: Flask, clearing: Clearing, terms: Checklist, frozen_time: Clock
) -> None:
    after_the_last_day(clearing, frozen_time)
    reason = "Closed: the agreed terms have run out"
    listed = f"/cooperations/{clearing.cooperation.reference}/undertakings"
    own = f"/undertakings/{clearing.undertaking('leyla').id}"
    for reader, url in (("ilena", listed), ("ilena", REGISTER), ("leyla", own)):
        page = clearing.browser(app, reader).page(url).text
        assert reason in page
        assert "its last day has passed" not in page
    export = clearing.browser(app, "ilena").post(f"{REGISTER}/export").get_data(as_text=True)
    assert reason in export


def test_access_of_which_its_own_last_day_has_passed_too_is_closed_for_that_reason(
    app: Flask, clearing: Clearing, terms: Checklist, frozen_time: Clock
) -> None:
    last = clearing.cooperation.ends_on
    assert last is not None
    frozen_time(dt.datetime.combine(last + 61 * DAY, dt.time(12), dt.UTC))
    own = f"/undertakings/{clearing.undertaking('leyla').id}"
    assert "Closed: its last day has passed" in clearing.browser(app, "leyla").page(own).text


def test_nobody_signs_or_is_cleared_after_the_last_day_of_the_agreed_terms(
    clearing: Clearing, terms: Checklist, frozen_time: Clock
) -> None:
    clearing.sign("otto")
    after_the_last_day(clearing, frozen_time)
    with pytest.raises(RefusedError, match=RUN_OUT):
        clearing.sign("samira")
    with pytest.raises(RefusedError, match=RUN_OUT):
        clearing.countersign("otto")


def test_undertakings_wait_for_nobody_after_the_last_day_of_the_agreed_terms(
    clearing: Clearing, terms: Checklist, frozen_time: Clock
) -> None:
    clearing.sign("otto")
    people = [clearing.actor(key) for key in ("samira", "otto", "tomas", "ilena")]
    assert all(waiting.tasks(person) != waiting.Tasks([], []) for person in people)
    after_the_last_day(clearing, frozen_time)
    assert all(waiting.tasks(person) == waiting.Tasks([], []) for person in people)


def test_what_waits_is_called_paused_by_everybody_s_pages_after_the_last_day(
    app: Flask, clearing: Clearing, terms: Checklist, frozen_time: Clock
) -> None:
    clearing.sign("otto")
    listed = f"/cooperations/{clearing.cooperation.reference}/undertakings"
    check = f"{listed}/{clearing.undertaking('otto').id}"
    own = f"/undertakings/{clearing.undertaking('otto').id}"
    after_the_last_day(clearing, frozen_time)
    pages = [("tomas", listed), ("tomas", check), ("otto", own), ("samira", "/undertakings")]
    for reader, url in (*pages, ("ilena", REGISTER)):
        text = clearing.browser(app, reader).page(url).text
        assert "Paused: the agreed terms have run out" in text, url
        assert "aiting for you" not in text, url
        assert "We'll email you" not in text, url


def test_the_register_finds_no_text_in_force_after_the_last_day_of_the_agreed_terms(
    app: Flask, clearing: Clearing, terms: Checklist, frozen_time: Clock
) -> None:
    in_force = f"{REGISTER}?version=in_force"
    assert "Leyla Marchetti" in clearing.browser(app, "ilena").page(in_force).text
    after_the_last_day(clearing, frozen_time)
    browser = clearing.browser(app, "ilena")
    assert "Leyla Marchetti" not in browser.page(in_force).text
    assert "no longer in force" in browser.page(REGISTER).text


def test_access_is_open_again_once_the_agreed_terms_are_renewed(
    clearing: Clearing, terms: Checklist, frozen_time: Clock
) -> None:
    last = clearing.cooperation.ends_on
    assert last is not None
    after_the_last_day(clearing, frozen_time)
    renewal.propose_renewal(
        clearing.actor("joana"),
        terms,
        review=last + 100 * DAY,
        end=last + 300 * DAY,
        reason="It goes well.",
    )
    (proposal,) = load(terms).proposals
    positions.accept_proposal(clearing.actor("ilena"), terms, proposal.id)
    demo_checklists.accept(clearing.demo_people, terms, "M19")
    read_send_and_sign(clearing, terms)
    assert clearing.is_cleared("leyla")


def test_who_is_cleared_counts_in_g4_after_the_last_day_which_g5_watches(
    clearing: Clearing, terms: Checklist, frozen_time: Clock
) -> None:
    after_the_last_day(clearing, frozen_time)
    assert clearances.cleared_user_ids(clearing.cooperation.id) == frozenset()
    assert clearing_states.cleared_for_any(clearing.cooperation.id) == {clearing.id("leyla")}


def give_notice_until_its_day(
    clearing: Clearing, text: Checklist, kind: NoticeKind, frozen_time: Clock
) -> Notice:
    """Give notice of a text, and let its day come; the worker hasn't been there."""
    day = max(notices.earliest(text, kind), clock.today() + DAY)
    notice = notices.give_notice(
        clearing.actor("henrik"), text, kind, reason="Not safe.", from_on=day
    )
    frozen_time(dt.datetime.combine(day, dt.time(12), dt.UTC))
    return notice


EACH_NOTICE = pytest.mark.parametrize("kind", NoticeKind)
EACH_TEXT = pytest.mark.parametrize("of_agreed_terms", [True, False])


@EACH_NOTICE
@EACH_TEXT
def test_from_the_day_of_a_notice_nobody_has_access_signs_or_is_cleared_before_the_worker_comes(
    clearing: Clearing,
    terms: Checklist,
    frozen_time: Clock,
    kind: NoticeKind,
    of_agreed_terms: bool,
) -> None:
    clearing.sign("otto")
    give_notice_until_its_day(
        clearing, terms if of_agreed_terms else clearing.checklist, kind, frozen_time
    )
    assert clearing.undertaking("leyla").state is UndertakingState.COUNTERSIGNED
    assert not clearing.is_cleared("leyla")
    assert clearances.cleared_user_ids(clearing.cooperation.id) == frozenset()
    assert lists.progress(clearing.cooperation.id)[1] == 0
    (_, state) = clearing_states.clearing_states(
        clearing.cooperation.id, [clearing.id("otto"), clearing.id("leyla")]
    ).values()
    assert not state.cleared
    for key, act in (("samira", clearing.sign), ("otto", clearing.countersign)):
        with pytest.raises(RefusedError, match=BY_NOTICE):
            act(key)
    people = [clearing.actor(key) for key in ("samira", "otto", "tomas", "ilena")]
    assert all(waiting.tasks(person) == waiting.Tasks([], []) for person in people)


@EACH_TEXT
def test_pages_say_that_a_notice_has_stopped_the_terms_before_the_worker_comes(
    app: Flask, clearing: Clearing, terms: Checklist, frozen_time: Clock, of_agreed_terms: bool
) -> None:
    clearing.sign("otto")
    listed = f"/cooperations/{clearing.cooperation.reference}/undertakings"
    otto = clearing.undertaking("otto").id
    leyla = clearing.undertaking("leyla").id
    text = terms if of_agreed_terms else clearing.checklist
    give_notice_until_its_day(clearing, text, NoticeKind.SUSPENDED, frozen_time)
    closed, paused = ("Closed: a notice has stopped", "Paused: a notice has stopped")
    pages = [
        ("tomas", listed, (closed, paused, BY_NOTICE)),
        ("tomas", f"{listed}/{otto}", (paused,)),
        ("ilena", REGISTER, (closed, paused)),
        ("otto", f"/undertakings/{otto}", (paused, BY_NOTICE)),
        ("leyla", f"/undertakings/{leyla}", (closed,)),
    ]
    for reader, url, sentences in pages:
        page = clearing.browser(app, reader).page(url).text
        for sentence in sentences:
            assert sentence in page, url
        assert "aiting for you" not in page, url
        assert "run out" not in page, url


@EACH_TEXT
def test_lifted_before_the_worker_comes_a_suspension_has_closed_access_all_the_same(
    clearing: Clearing, terms: Checklist, frozen_time: Clock, of_agreed_terms: bool
) -> None:
    text = terms if of_agreed_terms else clearing.checklist
    notice = give_notice_until_its_day(clearing, text, NoticeKind.SUSPENDED, frozen_time)
    assert not clearing.is_cleared("leyla")
    notices.close_notice(clearing.actor("henrik"), text, notice.id, reason="It is safe again.")
    assert text.revision_in_force_id is not None
    assert clearing.undertaking("leyla").state is UndertakingState.ASKED
    assert not clearing.is_cleared("leyla")
    assert due.carry_out_due(clock.today()) == 0


def test_a_notice_on_the_terms_of_a_cooperation_closes_nothing_in_another(
    clearing: Clearing, demo_people: DemoPeople, terms: Checklist, frozen_time: Clock
) -> None:
    other = undertakings.clearing(demo_people)
    other.clear("leyla")
    give_notice_until_its_day(clearing, clearing.checklist, NoticeKind.SUSPENDED, frozen_time)
    assert not clearing.is_cleared("leyla")
    assert other.is_cleared("leyla")


def test_before_its_day_a_notice_closes_nothing(clearing: Clearing, terms: Checklist) -> None:
    later = notices.earliest(clearing.checklist, NoticeKind.SUSPENDED) + DAY
    notices.give_notice(
        clearing.actor("henrik"),
        clearing.checklist,
        NoticeKind.SUSPENDED,
        reason="Not safe.",
        from_on=later,
    )
    assert clearing.is_cleared("leyla")


@pytest.mark.parametrize(
    ("kind", "of_agreed_terms", "reason"),
    [
        (NoticeKind.SUSPENDED, False, "These terms are not in force now."),
        (NoticeKind.ENDED, False, "These terms are not in force now."),
        (NoticeKind.SUSPENDED, True, "The agreed terms are suspended. Nobody gets access until"),
    ],
)
def test_the_page_of_undertakings_lists_whom_it_asked_once_terms_stopped(
    app: Flask,
    clearing: Clearing,
    terms: Checklist,
    frozen_time: Clock,
    kind: NoticeKind,
    of_agreed_terms: bool,
    reason: str,
) -> None:
    stop(clearing, terms if of_agreed_terms else clearing.checklist, kind, frozen_time)
    url = f"/cooperations/{clearing.cooperation.reference}/undertakings"
    for reader, sees_leyla in (("ilena", True), ("samira", False)):
        page = clearing.browser(app, reader).page(url).text
        assert "People were asked for a personal undertaking on revision 2" in page
        assert reason in page
        for untrue in ("They are asked as soon as", "0 people were asked", "Nobody was asked"):
            assert untrue not in page
        assert ("Leyla Marchetti" in page) is sees_leyla
