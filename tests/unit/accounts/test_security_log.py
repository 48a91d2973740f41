"""Every kind of security log entry has words; those that are also events have the verb's name."""

from uuid import uuid4

from flask_babel import force_locale

from tests.factories.ui import make_page_frame
from tracker.access.actor import Role
from tracker.accounts.models import SecurityKind, SignInMethod
from tracker.accounts.origins import Origin
from tracker.accounts.security_log import labels, pages, service
from tracker.accounts.security_log.queries import LogEntry
from tracker.core import clock


def shown(kind: SecurityKind, detail: str, origin: Origin | None = None) -> pages.LogLine:
    return pages.line(LogEntry(uuid4(), kind, None, "", "", detail, clock.now(), origin, 0))


def test_every_kind_and_every_method_has_words() -> None:
    assert set(labels.KINDS) == set(SecurityKind)
    assert set(labels.METHODS) == set(SignInMethod)
    assert {verb.name for verb in service.OF_VERBS} == set(service.OF_VERBS.values())


def test_methods_and_roles_are_shown_in_words_and_a_refused_page_by_its_name() -> None:
    with make_page_frame().app.app_context(), force_locale("en"):
        for detail in (*SignInMethod, *Role):
            assert len(shown(SecurityKind.SIGNED_IN, detail).details) == 1
        roles = shown(SecurityKind.INVITATION_ACCEPTED, "coordinator signatory")
        assert [str(words) for words in roles.details] == ["Coordinator", "Signatory"]
        assert (roles.page, roles.browser, roles.address) == ("", "", "")
        refused = shown(SecurityKind.REFUSED, "POST people.invite", Origin("", "192.0.2.17"))
    assert (refused.details, refused.page, refused.sent) == ([], "people.invite", True)
    assert (refused.browser, refused.address) == ("Unknown browser", "192.0.2.17")
