"""Two hosts on one PostgreSQL: what people do on one is there on the other, and happens once.

In one file: one instance, which takes a while to start.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from uuid import UUID

import pytest
import sqlalchemy as sa

from tests.effort import is_long, tries
from tests.factories.accounts import PASSWORD
from tests.hosts.instance import TEXTS, Instance, running
from tests.hosts.load import COMMENT, DRAFT, INVITATION, Acts, Outcome, address_of, draft_page, load
from tests.hosts.visitor import Visitor
from tracker.accounts.models import Invitation
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.comments.models import Comment
from tracker.evidence.models import Certificate, SignedCheckpoint

# Failed sign-ins to one account, after which nobody may try (docs/operations.md).
MOST_FAILURES = 10
# How often each kind of act is done on each host before something is stopped, and afterwards.
SOME = 2


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Two hosts that were started together."""
    with running(tmp_path_factory.mktemp("hosts")) as instance:
        yield instance


def test_a_session_begun_on_one_host_is_valid_on_the_other_and_ends_on_both(
    instance: Instance,
) -> None:
    visitor = instance.visitor("samira", instance.first)
    assert visitor.is_signed_in(instance.second)
    copied = Visitor(instance.first.url)
    copied.cookies = dict(visitor.cookies)
    token = {"csrf_token": [visitor.token(instance.first, "/account/sessions")]}
    assert visitor.post(instance.first, "/sign-out", token).status == 302
    assert not copied.is_signed_in(instance.second)
    assert not copied.is_signed_in(instance.first)


def test_a_draft_is_the_same_on_both_hosts(instance: Instance) -> None:
    visitor = instance.visitor("samira")
    item = f"/checklists/{instance.open_text}/items/M1"
    field = "parties-0-mandate"
    sent = visitor.form(instance.first, f"{item}/answer").filled_in()
    words = "Kept on the first host"
    sent |= {field: [words], "draft_number": ["1"]}
    assert visitor.post(instance.first, f"{item}/draft", sent).status == 200
    assert words in visitor.get(instance.second, f"{item}/answer").body.decode()


def test_failed_sign_ins_are_counted_on_both_hosts_together(instance: Instance) -> None:
    guesser = Visitor(instance.first.url)

    def sign_in(number: int, password: str) -> str:
        host = instance.hosts[number % 2]
        answer = guesser.submit(host, "/sign-in", email=instance.emails["oren"], password=password)
        return answer.body.decode()

    answers = [sign_in(number, "not the password") for number in range(MOST_FAILURES)]
    assert not any("Too many attempts" in answer for answer in answers)
    for number in range(2):
        assert "Too many attempts" in sign_in(number, PASSWORD)


def test_two_hosts_that_start_together_log_no_failure(instance: Instance) -> None:
    for log in instance.first_logs:
        assert "Common Terms is at" in log
        assert "has failed" not in log


def test_two_workers_make_each_certificate_once_and_both_hosts_serve_it(instance: Instance) -> None:
    rows = instance.read(sa.select(Certificate.revision_id, Certificate.language))
    assert len({revision_id for revision_id, _language in rows}) == TEXTS
    events = instance.read(sa.select(Event.id).where(Event.verb == verbs.CERTIFICATE_MADE.name))
    assert len(events) == len(rows) == len(set(rows))
    visitor = instance.visitor("ilena")
    for text in instance.signed_texts:
        path = f"/checklists/{text}/record/1/certificate/en"
        first, second = (visitor.get(host, path) for host in instance.hosts)
        assert first.status == second.status == 200
        assert first.body.startswith(b"%PDF-")
        assert first.body == second.body


def test_two_workers_make_one_checkpoint(instance: Instance) -> None:
    checkpoints = instance.read(sa.select(SignedCheckpoint.previous, SignedCheckpoint.size))
    assert len(checkpoints) == 1
    visitor = instance.visitor("ilena")
    first, second = (visitor.get(host, "/checkpoints").body for host in instance.hosts)
    assert first == second


def test_two_workers_send_each_mail_once(instance: Instance) -> None:
    instance.settle()
    times = instance.times_delivered()
    assert set(times.values()) == {1}
    assert set(times) == instance.sent()


def test_a_host_killed_under_load_loses_nothing_acknowledged_and_doubles_nothing(
    instance: Instance,
) -> None:
    in_transit: set[UUID] = set()
    with load(instance) as acts:
        for number in range(tries(1, 20)):
            killed, other = instance.hosts[(number + 1) % 2], instance.hosts[number % 2]
            acts.wait_for_more(SOME, *instance.hosts)
            killed.kill()
            # Until ten minutes later nobody else sends what its worker was sending.
            in_transit |= instance.claimed()
            acts.wait_for_more(SOME, other)
            if is_long():
                killed.start()
                acts.wait_for_more(SOME, *instance.hosts)
    assert [act for act in acts.all if act.outcome is Outcome.NOT_DONE] == []
    require_sound(instance, acts, in_transit)


def test_while_postgresql_restarts_people_are_told_and_then_all_goes_on(
    instance: Instance,
) -> None:
    with load(instance) as acts:
        for _number in range(tries(1, 20)):
            acts.wait_for_more(SOME, *instance.hosts)
            instance.restart_database()
            acts.wait_for_more(SOME, *instance.hosts)
    assert [act for act in acts.all if act.outcome is Outcome.NOT_DONE]
    assert all(host.is_running() for host in instance.hosts)
    require_sound(instance, acts, set())
    assert all(Visitor(host.url).get(host, "/healthz").status == 200 for host in instance.hosts)


def require_sound(instance: Instance, acts: Acts, in_transit: set[UUID]) -> None:
    """Fail unless everything acknowledged happened once, and nothing else that was refused."""
    require_once(acts, COMMENT, (text for (text,) in instance.read(sa.select(Comment.text))))
    invited = Counter(email for (email,) in instance.read(sa.select(Invitation.email)))
    require_once(acts, INVITATION, (str(email).partition("@")[0] for email in invited.elements()))
    drafted = [act for act in acts.all if act.kind == DRAFT]
    last = max(place for place, act in enumerate(drafted) if act.outcome is Outcome.DONE)
    page = instance.visitor("samira").get(instance.first, draft_page(instance)).body.decode()
    assert any(act.words in page for act in drafted[last:] if act.outcome is not Outcome.NOT_DONE)
    instance.settle(in_transit)
    times = instance.times_delivered()
    assert instance.sent() <= set(times) <= instance.sent() | in_transit
    # Ten minutes after a host was killed, another sends what it was sending.
    assert {number for mail, number in times.items() if mail not in in_transit} == {1}
    to_each = Counter(mail.recipients[0] for mail in instance.mails.deliveries)
    addresses = {address_of(words) for words in acts.words(INVITATION, Outcome.DONE)}
    once = {address for address in addresses if to_each[address] == 1}
    assert len(addresses - once) <= len(in_transit)
    assert "Nothing was altered" in instance.first.command("audit", "verify")
    for host in instance.hosts:
        assert "a page has failed" not in host.log()


def require_once(acts: Acts, kind: str, stored: Iterable[object]) -> None:
    """Fail unless what was acknowledged is stored once, and what was refused is not stored."""
    times = Counter(stored)
    assert {times[words] for words in acts.words(kind, Outcome.DONE)} == {1}
    assert {times[words] for words in acts.words(kind, Outcome.NOT_DONE)} <= {0}
    assert {times[words] for words in acts.words(kind, Outcome.NOTHING)} <= {0, 1}
