"""Emails about the parties of a cooperation: a neutral sentence and a link."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from flask_babel import gettext as _

from tracker.accounts import queries as accounts
from tracker.mail.render import in_language, link_to
from tracker.notifications import service as notifications


def power_by_administrator(references: Mapping[UUID, str]) -> None:
    """Tell partners, each with a cooperation, that an administrator confirmed a role."""
    for person in accounts.contacts(references).values():
        with in_language(person.language):
            sentence = _(
                "An administrator confirmed who signs or decides for one of your partners, "
                "because the partner had no other signatory or manager to confirm it. Check "
                "with the partner that this is right."
            )
            address = link_to("dashboard.cooperation", reference=references[person.user_id])
            notifications.tell(
                person,
                "power_by_administrator",
                _("Who signs for a partner was confirmed by an administrator"),
                sentence,
                address=address,
            )


def cooperation_opened(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell an organisation's people that an NPM opened a cooperation with it."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "cooperation_opened",
                _("A cooperation with your organisation was opened"),
                _(
                    "An NPM opened a cooperation with your organisation. Sign in to see what it's "
                    "for, and to add the people who take part."
                ),
                address=link_to("dashboard.cooperation", reference=reference),
            )


def party_is_leaving(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell the parties' people that one party gave notice that it leaves, or withdrew it."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            sentence = _(
                "A party in one of your cooperations gave notice that it's "
                "leaving, or withdrew its notice. The agreement continues "
                "between the others."
            )
            address = link_to("dashboard.cooperation", reference=reference)
            subject = _("A party's notice to leave a cooperation")
            notifications.tell(person, "party_leaving", subject, sentence, address=address)


def party_has_left(reference: str, organisation_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell the people of the remaining parties; the page lists what has to change."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            sentence = _(
                "A party has left one of your cooperations. The agreement "
                "continues between the others. Check what has to change in "
                "it."
            )
            address = link_to(
                "departures.show", reference=reference, organisation_id=organisation_id
            )
            subject = _("A party has left a cooperation")
            notifications.tell(person, "party_left", subject, sentence, address=address)


def you_have_left(reference: str, organisation_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell the people of a party that has left which page of the cooperation stays open to them."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            sentence = _(
                "Your organisation has left a cooperation. Some duties continue. Read which "
                "ones on the page of your departure."
            )
            address = link_to(
                "departures.show", reference=reference, organisation_id=organisation_id
            )
            subject = _("Your organisation has left a cooperation")
            notifications.tell(person, "own_party_left", subject, sentence, address=address)


def party_was_added(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell the parties' people that another organisation becomes a party."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            sentence = _(
                "The NPM added an organisation to one of your cooperations. Where terms are "
                "in force, it joins once an amendment that names it is signed by all."
            )
            address = link_to("dashboard.cooperation", reference=reference)
            subject = _("An organisation was added to a cooperation")
            notifications.tell(person, "party_added", subject, sentence, address=address)


def you_were_added(reference: str, user_ids: Iterable[UUID], *, is_joining: bool) -> None:
    """Tell an organisation's people that it is a party, or what it has to read and sign first."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            sentence = (
                _(
                    "An NPM invites your organisation to join a cooperation. Read the terms in "
                    "force, and sign them with the others. Everything else opens after that."
                )
                if is_joining
                else _("An NPM added your organisation to a cooperation. You now have access.")
            )
            address = link_to("dashboard.cooperation", reference=reference)
            subject = _("Your organisation was added to a cooperation")
            notifications.tell(person, "own_party_added", subject, sentence, address=address)


def party_has_joined(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell the people of all parties that a newcomer has signed what is in force."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            sentence = _("An organisation has signed the terms in force and joined a cooperation.")
            address = link_to("dashboard.cooperation", reference=reference)
            subject = _("An organisation has joined a cooperation")
            notifications.tell(person, "party_joined", subject, sentence, address=address)


def joining_was_taken_back(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell the parties' people that an organisation isn't joining after all."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            sentence = _(
                "The NPM revoked an organisation's invitation to one of your "
                "cooperations. The agreement continues between the others."
            )
            address = link_to("dashboard.cooperation", reference=reference)
            subject = _("An invitation to join a cooperation was revoked")
            notifications.tell(person, "joining_taken_back", subject, sentence, address=address)


def your_joining_was_taken_back(user_ids: Iterable[UUID]) -> None:
    """Tell an organisation's people that it isn't joining a cooperation after all."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            sentence = _(
                "Your organisation's invitation to join a cooperation was "
                "revoked, or the cooperation has ended. You can no longer see"
                " it. Ask the NPM if you have questions."
            )
            address = link_to("cooperations.index")
            subject = _("Your invitation to join a cooperation was revoked")
            notifications.tell(person, "own_joining_taken_back", subject, sentence, address=address)


def clearance_ends(clearance_id: UUID, user_id: UUID) -> None:
    """Tell a person that their clearance is about to end, and what to do to keep it."""
    for person in accounts.contacts([user_id]).values():
        with in_language(person.language):
            sentence = _(
                "Your clearance in one of your cooperations ends soon. Sign in to see its last "
                "day. If you still need access after that, ask the NPM for a new undertaking."
            )
            address = link_to("undertakings.mine")
            subject = _("Your clearance ends soon")
            notifications.tell(
                person, "clearance_ends", subject, sentence, address=address, about=clearance_id
            )


def access_ends_with_terms(clearance_id: UUID, user_id: UUID) -> None:
    """Tell a person that their access is about to end with the agreed terms."""
    for person in accounts.contacts([user_id]).values():
        with in_language(person.language):
            sentence = _(
                "Your access in one of your cooperations ends soon, with its terms. Sign in to see "
                "the last day. If you still need access after that, ask the NPM what happens next."
            )
            address = link_to("undertakings.mine")
            subject = _("Your access ends soon")
            notifications.tell(
                person, "clearance_ends", subject, sentence, address=address, about=clearance_id
            )


def clearance_of_other_ends(clearance_id: UUID, reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell the NPM's coordinators that somebody's clearance is about to end, without a name."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            sentence = _(
                "Somebody's clearance in one of your cooperations ends soon. Sign in to see whose, "
                "and ask for a new undertaking if they still need access."
            )
            address = link_to("undertakings.listed", reference=reference)
            subject = _("A clearance ends soon")
            notifications.tell(
                person, "clearance_ends", subject, sentence, address=address, about=clearance_id
            )


def clearance_ends_no_more(clearance_id: UUID) -> None:
    """Mark as read what told people of a clearance that has ended or was replaced."""
    notifications.done(clearance_id, ("clearance_ends",))
