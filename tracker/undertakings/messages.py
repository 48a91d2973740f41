"""Emails about undertakings: neutral sentences and a link, never what was declared."""

from collections.abc import Set as AbstractSet
from uuid import UUID

from flask_babel import gettext as _

from tracker.accounts.models import User
from tracker.mail import outbox
from tracker.mail.render import in_language, link_to, text
from tracker.undertakings import people
from tracker.undertakings.models import Undertaking


def requested(undertaking: Undertaking, person: User) -> None:
    """Tell a person that an undertaking waits for them."""
    with in_language(person.language):
        _queue(
            person,
            "undertaking_asked",
            _("You're asked for an undertaking"),
            _("You're asked to sign an undertaking of confidentiality. It takes ten minutes."),
            _("Nobody can sign it for you. Until you have signed, you can't see some pages."),
            address=_own(undertaking.id),
        )


def waits_for_npm(
    undertaking: Undertaking, reference: str, taken_by: AbstractSet[UUID] = frozenset()
) -> None:
    """Tell those who decide for the NPM that an undertaking waits for them.

    taken_by: who took its signature, and so leaves it to others.
    """
    for decider in _deciders(undertaking, taken_by):
        with in_language(decider.language):
            _queue(
                decider,
                "undertaking_signed",
                _("An undertaking is waiting for the NPM"),
                _(
                    "A person has signed an undertaking. A signatory or manager needs to look at "
                    "it."
                ),
                address=link_to(
                    "undertakings.check", reference=reference, undertaking_id=undertaking.id
                ),
            )


def scan_waits(undertaking: Undertaking, reference: str, taken_by: AbstractSet[UUID]) -> None:
    """Tell those who may confirm it that the scan of an undertaking waits for them."""
    for decider in _deciders(undertaking, taken_by):
        with in_language(decider.language):
            _queue(
                decider,
                "undertaking_on_paper",
                _("An undertaking on paper needs confirming"),
                _("The scan of an undertaking signed on paper was recorded. Compare and answer."),
                address=link_to(
                    "undertaking_paper.show", reference=reference, undertaking_id=undertaking.id
                ),
            )


def interest_added(
    undertaking: Undertaking, interest_id: UUID, reference: str, taken_by: AbstractSet[UUID]
) -> None:
    """Tell those who decide for the NPM that something was added, not what and not by whom."""
    for decider in _deciders(undertaking, taken_by):
        with in_language(decider.language):
            _queue(
                decider,
                "interest_added",
                _("A declaration of interests is waiting for the NPM"),
                _("Someone has added to what they declared. A signatory or manager decides on it."),
                _("Until then, part of the work is closed to that person."),
                address=link_to(
                    "undertakings.added_interest",
                    reference=reference,
                    undertaking_id=undertaking.id,
                    interest_id=interest_id,
                ),
            )


def decided(undertaking: Undertaking) -> None:
    """Tell a person that the NPM has decided on what they declared."""
    with in_language(undertaking.user.language):
        _queue(
            undertaking.user,
            "undertaking_decided",
            _("The NPM has looked at your undertaking"),
            _("The NPM has decided on a point of your undertaking."),
            address=_own(undertaking.id),
        )


def countersigned(undertaking: Undertaking) -> None:
    """Tell a person that their undertaking is countersigned."""
    with in_language(undertaking.user.language):
        _queue(
            undertaking.user,
            "undertaking_countersigned",
            _("Your undertaking is countersigned"),
            _("The NPM has countersigned your undertaking. You now have access."),
            address=_own(undertaking.id),
        )


def withdrawn_by_npm(undertaking: Undertaking) -> None:
    """Tell a person that the NPM has closed what their undertaking had opened."""
    with in_language(undertaking.user.language):
        _queue(
            undertaking.user,
            "undertaking_withdrawn",
            _("Your undertaking was closed"),
            _("The NPM has closed your undertaking and the access it gave. Sign in to see why."),
            address=_own(undertaking.id),
        )


def signing_page(undertaking_id: UUID) -> str:
    """Return the address of the page on which a person signs."""
    return link_to("undertakings.sign", undertaking_id=undertaking_id)


def _deciders(undertaking: Undertaking, taken_by: AbstractSet[UUID]) -> list[User]:
    """Return those who decide for the NPM on another's undertaking that they did not take."""
    return people.deciders(undertaking.cooperation_id, besides={undertaking.user_id} | taken_by)


def _own(undertaking_id: UUID) -> str:
    return link_to("undertakings.show", undertaking_id=undertaking_id)


def _queue(person: User, kind: str, subject: str, *sentences: str, address: str) -> None:
    body = text(*sentences, name=person.name, address=address)
    outbox.queue(person.email, person.language, kind, subject, body)
