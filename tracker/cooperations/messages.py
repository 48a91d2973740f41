"""Emails about the parties of a cooperation: a neutral sentence and a link."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from flask_babel import gettext as _

from tracker.accounts import queries as accounts
from tracker.mail import outbox
from tracker.mail.render import in_language, link_to, text


def power_by_administrator(references: Mapping[UUID, str]) -> None:
    """Tell partners, each with a cooperation, that an administrator confirmed a role."""
    for person in accounts.contacts(references).values():
        with in_language(person.language):
            body = text(
                _(
                    "An administrator confirmed who signs or decides for one of your partners, "
                    "because the partner had no other signatory or manager to confirm it. Check "
                    "with the partner that this is right."
                ),
                name=person.name,
                address=link_to("dashboard.cooperation", reference=references[person.user_id]),
            )
            outbox.queue(
                person.email,
                person.language,
                "power_by_administrator",
                _("Who signs for a partner was confirmed by an administrator"),
                body,
            )


def cooperation_opened(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell an organisation's people that an NPM opened a cooperation with it."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            _queue(
                person,
                "cooperation_opened",
                _("A cooperation with your organisation was opened"),
                _(
                    "An NPM opened a cooperation with your organisation. Sign in to see what it's "
                    "for, and to add the people who take part."
                ),
                link_to("dashboard.cooperation", reference=reference),
            )


def party_is_leaving(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell the parties' people that one party gave notice that it leaves, or withdrew it."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            body = text(
                _(
                    "A party in one of your cooperations gave notice that it's "
                    "leaving, or withdrew its notice. The agreement continues "
                    "between the others."
                ),
                name=person.name,
                address=link_to("dashboard.cooperation", reference=reference),
            )
            subject = _("A party's notice to leave a cooperation")
            outbox.queue(person.email, person.language, "party_leaving", subject, body)


def party_has_left(reference: str, organisation_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell the people of the remaining parties; the page lists what has to change."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            body = text(
                _(
                    "A party has left one of your cooperations. The agreement "
                    "continues between the others. Check what has to change in "
                    "it."
                ),
                name=person.name,
                address=link_to(
                    "departures.show", reference=reference, organisation_id=organisation_id
                ),
            )
            subject = _("A party has left a cooperation")
            outbox.queue(person.email, person.language, "party_left", subject, body)


def you_have_left(reference: str, organisation_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell the people of a party that has left which page of the cooperation stays open to them."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            body = text(
                _(
                    "Your organisation has left a cooperation. Some duties continue. Read which "
                    "ones on the page of your departure."
                ),
                name=person.name,
                address=link_to(
                    "departures.show", reference=reference, organisation_id=organisation_id
                ),
            )
            subject = _("Your organisation has left a cooperation")
            outbox.queue(person.email, person.language, "own_party_left", subject, body)


def party_was_added(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell the parties' people that another organisation becomes a party."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            body = text(
                _(
                    "The NPM added an organisation to one of your cooperations. Where terms are "
                    "in force, it joins once an amendment that names it is signed by all."
                ),
                name=person.name,
                address=link_to("dashboard.cooperation", reference=reference),
            )
            subject = _("An organisation was added to a cooperation")
            outbox.queue(person.email, person.language, "party_added", subject, body)


def you_were_added(reference: str, user_ids: Iterable[UUID], *, is_joining: bool) -> None:
    """Tell an organisation's people that it is a party, or what it has to read and sign first."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            words = (
                _(
                    "An NPM invites your organisation to join a cooperation. Read the terms in "
                    "force, and sign them with the others. Everything else opens after that."
                )
                if is_joining
                else _("An NPM added your organisation to a cooperation. You now have access.")
            )
            body = text(
                words,
                name=person.name,
                address=link_to("dashboard.cooperation", reference=reference),
            )
            subject = _("Your organisation was added to a cooperation")
            outbox.queue(person.email, person.language, "own_party_added", subject, body)


def party_has_joined(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell the people of all parties that a newcomer has signed what is in force."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            body = text(
                _("An organisation has signed the terms in force and joined a cooperation."),
                name=person.name,
                address=link_to("dashboard.cooperation", reference=reference),
            )
            subject = _("An organisation has joined a cooperation")
            outbox.queue(person.email, person.language, "party_joined", subject, body)


def joining_was_taken_back(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell the parties' people that an organisation isn't joining after all."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            body = text(
                _(
                    "The NPM revoked an organisation's invitation to one of your "
                    "cooperations. The agreement continues between the others."
                ),
                name=person.name,
                address=link_to("dashboard.cooperation", reference=reference),
            )
            subject = _("An invitation to join a cooperation was revoked")
            outbox.queue(person.email, person.language, "joining_taken_back", subject, body)


def your_joining_was_taken_back(user_ids: Iterable[UUID]) -> None:
    """Tell an organisation's people that it isn't joining a cooperation after all."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            body = text(
                _(
                    "Your organisation's invitation to join a cooperation was "
                    "revoked, or the cooperation has ended. You can no longer see"
                    " it. Ask the NPM if you have questions."
                ),
                name=person.name,
                address=link_to("cooperations.index"),
            )
            subject = _("Your invitation to join a cooperation was revoked")
            outbox.queue(person.email, person.language, "own_joining_taken_back", subject, body)


def _queue(person: accounts.Contact, kind: str, subject: str, sentence: str, address: str) -> None:
    body = text(sentence, name=person.name, address=address)
    outbox.queue(person.email, person.language, kind, subject, body)
