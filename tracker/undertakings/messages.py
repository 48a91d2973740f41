"""Emails about undertakings: neutral sentences and a link, never what was declared."""

from collections.abc import Set as AbstractSet
from uuid import UUID

from flask_babel import gettext as _

from tracker.accounts.models import User
from tracker.mail.render import in_language, link_to
from tracker.notifications import service as notifications
from tracker.undertakings import people
from tracker.undertakings.models import Undertaking, UndertakingState

# What asks people at the NPM to do something with an undertaking.
_OF_NPM = ("undertaking_signed", "undertaking_on_paper", "undertaking_needs_another")


def requested(undertaking: Undertaking, person: User) -> None:
    """Tell a person that an undertaking waits for them."""
    with in_language(person.language):
        notifications.tell(
            person,
            "undertaking_asked",
            _("You're asked for an undertaking"),
            _("You're asked to sign an undertaking of confidentiality. It takes ten minutes."),
            _("Nobody can sign it for you. Until you have signed, you can't see some pages."),
            address=_own(undertaking.id),
            about=undertaking.id,
        )


def was_signed(undertaking_id: UUID) -> None:
    """Mark as read what asked a person for an undertaking that is now signed."""
    notifications.done(undertaking_id, ("undertaking_asked",))


def was_closed(undertaking_id: UUID) -> None:
    """Mark as read what asked anybody to do something with an undertaking that is now closed."""
    notifications.done(undertaking_id, ("undertaking_asked", *_OF_NPM))


def interest_was_decided(interest_id: UUID) -> None:
    """Mark as read what told the NPM's people of an added interest."""
    notifications.done(interest_id, ("interest_added",))


def waits_for_npm(
    undertaking: Undertaking, reference: str, taken_by: AbstractSet[UUID] = frozenset()
) -> None:
    """Tell people who decide for the NPM that an undertaking waits for them.

    taken_by are those who took its signature, and so leave it to others.
    """
    address = link_to("undertakings.check", reference=reference, undertaking_id=undertaking.id)
    deciders = _deciders(undertaking, taken_by)
    for decider in deciders:
        with in_language(decider.language):
            notifications.tell(
                decider,
                "undertaking_signed",
                _("An undertaking is waiting for the NPM"),
                _(
                    "A person has signed an undertaking. A signatory or manager needs to look at "
                    "it."
                ),
                address=address,
                about=undertaking.id,
            )
    if not deciders:
        _somebody_else_is_needed(undertaking, address)


def scan_waits(undertaking: Undertaking, reference: str, taken_by: AbstractSet[UUID]) -> None:
    """Tell people who may confirm it that the scan of an undertaking waits for them."""
    address = link_to("undertaking_paper.show", reference=reference, undertaking_id=undertaking.id)
    deciders = _deciders(undertaking, taken_by)
    for decider in deciders:
        with in_language(decider.language):
            notifications.tell(
                decider,
                "undertaking_on_paper",
                _("An undertaking on paper needs confirming"),
                _(
                    "The scan of an undertaking signed on paper was recorded. Compare it with the "
                    "text, then confirm it or refuse it."
                ),
                address=address,
                about=undertaking.id,
            )
    if not deciders:
        _somebody_else_is_needed(undertaking, address)


def interest_added(
    undertaking: Undertaking, interest_id: UUID, reference: str, taken_by: AbstractSet[UUID]
) -> None:
    """Tell people who decide for the NPM that an interest was added, not what or by whom."""
    address = link_to(
        "undertakings.added_interest",
        reference=reference,
        undertaking_id=undertaking.id,
        interest_id=interest_id,
    )
    deciders = _deciders(undertaking, taken_by)
    for decider in deciders:
        with in_language(decider.language):
            notifications.tell(
                decider,
                "interest_added",
                _("A declaration of interests is waiting for the NPM"),
                _("Someone has added to what they declared. A signatory or manager decides on it."),
                _("Until then, part of the work is closed to that person."),
                address=address,
                about=interest_id,
            )
    if not deciders:
        _somebody_else_is_needed(undertaking, address)


def party_changed(undertaking: Undertaking, *, is_further: bool = False) -> None:
    """Tell a person that the NPM decides anew, since their organisation does more than before.

    Or since they take part for a further one.
    """
    with in_language(undertaking.user.language):
        notifications.tell(
            undertaking.user,
            "undertaking_party_changed",
            _("A declaration of interests is waiting for the NPM"),
            _(
                "You now take part for another organisation too. The NPM decides what that means "
                "for you."
            )
            if is_further
            else _(
                "What your organisation does has changed. The NPM decides what that means for you."
            ),
            _("Until it has decided, your access is closed."),
            address=_own(undertaking.id),
        )


def decided(undertaking: Undertaking) -> None:
    """Tell a person that the NPM has decided on what they declared."""
    with in_language(undertaking.user.language):
        notifications.tell(
            undertaking.user,
            "undertaking_decided",
            _("The NPM has looked at your undertaking"),
            _("The NPM has decided on a point of your undertaking. Sign in to see what follows."),
            address=_own(undertaking.id),
        )


def countersigned(undertaking: Undertaking) -> None:
    """Tell a person that their undertaking is countersigned; nobody at the NPM has to do it now."""
    _no_longer_waits_for_npm(undertaking)
    with in_language(undertaking.user.language):
        notifications.tell(
            undertaking.user,
            "undertaking_countersigned",
            _("Your undertaking is countersigned"),
            _("The NPM has countersigned your undertaking. You now have access."),
            address=_own(undertaking.id),
        )


def withdrawn_by_npm(undertaking: Undertaking) -> None:
    """Tell a person that the NPM has withdrawn the access their undertaking gave."""
    with in_language(undertaking.user.language):
        notifications.tell(
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
    """Return who decides for the NPM, except the person and whoever took their signature."""
    return people.deciders(undertaking.cooperation_id, besides={undertaking.user_id} | taken_by)


def nobody_else_decides(undertaking: Undertaking, reference: str) -> None:
    """Tell those who took a signature that nobody else at the NPM can decide any more."""
    on_paper = undertaking.state is UndertakingState.ON_PAPER
    page = "undertaking_paper.show" if on_paper else "undertakings.check"
    address = link_to(page, reference=reference, undertaking_id=undertaking.id)
    _somebody_else_is_needed(undertaking, address)


def _somebody_else_is_needed(undertaking: Undertaking, address: str) -> None:
    """Tell those who took the signature that nobody else decides for the NPM.

    The caller found that everybody who decides for it took the signature, or that nobody does.
    """
    for taker in people.all_deciders(undertaking.cooperation_id, besides={undertaking.user_id}):
        with in_language(taker.language):
            notifications.tell(
                taker,
                "undertaking_needs_another",
                _("An undertaking needs somebody else at the NPM"),
                _("You took the signature, so another signatory or manager has to do the rest."),
                _("Nobody else at the NPM can do it now. The page says what you can do."),
                address=address,
                about=undertaking.id,
            )


def _no_longer_waits_for_npm(undertaking: Undertaking) -> None:
    notifications.done(undertaking.id, _OF_NPM)


def _own(undertaking_id: UUID) -> str:
    return link_to("undertakings.show", undertaking_id=undertaking_id)
