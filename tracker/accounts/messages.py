"""Emails about accounts: neutral sentences and a link, in the reader's language.

In one file: all of them are short, and queued by the same function.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Protocol
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Role
from tracker.accounts.models import Invitation, User
from tracker.mail import outbox, render
from tracker.ui.locale import as_date

# The kind of message that invites; accounts.people looks for those that couldn't be delivered.
INVITATION = "invitation"
Words = Callable[[], tuple[str, list[str], str]]


class Addressee(Protocol):
    """Somebody with an address, a name, and the language to write in."""

    @property
    def email(self) -> str:
        """The address."""

    @property
    def name(self) -> str:
        """The name."""

    @property
    def language(self) -> str:
        """The language."""


def invitation(invited: Invitation, token: str) -> None:
    """Send an invitation, whose link works only for that address."""
    with render.in_language(invited.language):
        outbox.queue(
            invited.email,
            invited.language,
            INVITATION,
            _("You are invited to Common Terms"),
            render.text(
                _(
                    "You're invited to join Common Terms. Open the link to choose a password; you "
                    "then see what you're asked to do. The invitation works for this address only."
                ),
                _(
                    "It works until %(day)s. If you didn't expect it, ignore it.",
                    day=as_date(invited.expires_at),
                ),
                name=invited.name,
                address=render.link_to("accounts.accept_invitation", token=token),
                says_all=True,
            ),
        )


def roles_changed(user: User) -> None:
    """Tell a person that a role was given or ended."""
    _to(
        user,
        "roles_changed",
        lambda: (
            _("Your roles have changed"),
            [
                _(
                    "You were given a role, or one of your roles ended. Your profile "
                    "shows the roles you have now."
                )
            ],
            render.link_to("accounts.profile"),
        ),
    )


def power_waits(people: Iterable[Addressee], person_id: UUID) -> None:
    """Ask those who can confirm a signatory or manager role to do so."""
    for person in people:
        _to(
            person,
            "power_waits",
            lambda: (
                _("A role needs your confirmation"),
                [
                    _(
                        "Somebody has been given a role to sign or decide for an "
                        "organisation. It begins when you confirm it. If you "
                        "don't know about it, ask before you confirm."
                    )
                ],
                render.link_to("people.show", user_id=person_id),
            ),
        )


def power_to_accept(people: Iterable[Addressee], membership_id: UUID) -> None:
    """Ask a person to accept a role that an administrator confirmed."""
    for person in people:
        _to(
            person,
            "power_to_accept",
            lambda: (
                _("A role is waiting for you to accept it"),
                [
                    _(
                        "You've been given a role to sign or decide for an organisation. It begins "
                        "once you've read it, accepted it and proved your identity."
                    )
                ],
                render.link_to("powers.accept", membership_id=membership_id),
            ),
        )


def powers_changed(people: Iterable[Addressee]) -> None:
    """Tell an organisation's managers and signatories that a role among them began or ended."""
    for person in people:
        _to(
            person,
            "powers_changed",
            lambda: (
                _("Who signs or decides for your organisation has changed"),
                [
                    _(
                        "A signatory's or manager's role in your organisation began or ended. If "
                        "you didn't expect this, ask immediately."
                    )
                ],
                render.link_to("people.listed"),
            ),
        )


def power_ends(user: Addressee, role: Role, last: dt.date) -> None:
    """Tell a person that their power to sign or decide ends soon, and how to keep it."""
    _about_own_power(
        user,
        role,
        last,
        "power_ends",
        _l("Your power to sign or decide ends soon"),
        signs=_l("You can sign for your organisation until %(day)s."),
        manages=_l("You're a manager of your organisation until %(day)s."),
        what_to_do=_l(
            "If you need it for longer, ask a coordinator for a new role now. Somebody else has to "
            "confirm it."
        ),
    )


def power_to_confirm_ends(people: Iterable[Addressee], person_id: UUID, last: dt.date) -> None:
    """Tell those who can confirm a new role that somebody's power to sign or decide ends soon."""
    _about_a_power_that_ends(
        people,
        "power_to_confirm_ends",
        _l("Somebody's power to sign or decide ends soon"),
        _l(
            "Somebody can sign or decide for an organisation until %(day)s. If they need it for "
            "longer, a coordinator gives them a new role, which you can confirm."
        ),
        last=last,
        person_id=person_id,
    )


def power_ended(user: Addressee, role: Role, last: dt.date) -> None:
    """Tell a person that their power to sign or decide has ended with its last day."""
    _about_own_power(
        user,
        role,
        last,
        "power_ended",
        _l("Your power to sign or decide has ended"),
        signs=_l("You could sign for your organisation until %(day)s."),
        manages=_l("You were a manager of your organisation until %(day)s."),
        what_to_do=_l(
            "If you still need it, ask a coordinator for a new role. Somebody else has to confirm "
            "it."
        ),
    )


def power_of_other_ended(people: Iterable[Addressee], person_id: UUID, last: dt.date) -> None:
    """Tell an organisation's managers and signatories that a signatory's power has run out."""
    _about_a_power_that_ends(
        people,
        "power_of_other_ended",
        _l("A signatory's power has run out"),
        _l(
            "Somebody could sign for your organisation until %(day)s. If they still need that "
            "power, a coordinator gives them a new role, which you can confirm."
        ),
        last=last,
        person_id=person_id,
    )


def power_of_last_ended(people: Iterable[Addressee], person_id: UUID, last: dt.date) -> None:
    """Tell coordinators and administrators that nobody signs or decides for an organisation."""
    _about_a_power_that_ends(
        people,
        "power_of_last_ended",
        _l("Nobody can sign or decide for an organisation now"),
        _l("The last person who could do so had that power until %(day)s."),
        _l(
            "Until somebody has it again, nothing can be signed, countersigned or decided for the "
            "organisation. A coordinator gives a new role, and an administrator confirms it. If a "
            "signatory or manager is only suspended, reopen that account or end that role first."
        ),
        last=last,
        person_id=person_id,
    )


def suspended(user: User) -> None:
    """Tell a person that their account is suspended."""
    _to(
        user,
        "suspended",
        lambda: (
            _("Your account is suspended"),
            [
                _(
                    "You can't sign in until it's reopened. Ask your organisation's coordinator "
                    "or an administrator."
                )
            ],
            "",
        ),
        says_all=True,
    )


def restored(user: User) -> None:
    """Tell a person that their account is active again."""
    _to(
        user,
        "restored",
        lambda: (
            _("Your account is reopened"),
            [_("You can sign in as before.")],
            render.link_to("security.login"),
        ),
    )


def renamed(user: User) -> None:
    """Tell a person that somebody else changed their name."""
    _to(
        user,
        "renamed",
        lambda: (
            _("Your name was changed"),
            [
                _(
                    "A signatory or manager of your organisation, or an administrator, changed "
                    "the name that is shown on what you sign and confirm. If it's wrong, tell them."
                )
            ],
            render.link_to("accounts.profile"),
        ),
    )


def second_factor_reset(user: User) -> None:
    """Tell a person that somebody else reset their second factor."""
    _to(
        user,
        "second_factor_reset",
        lambda: (
            _("Your second factor was reset"),
            [
                _(
                    "Another person reset it. Set up a new one after signing in. If you didn't "
                    "ask for this, tell an administrator immediately."
                )
            ],
            render.link_to("accounts.set_up_second_factor"),
        ),
    )


def second_factor_set(user: User) -> None:
    """Tell a person that a second factor was set up."""
    _to(
        user,
        "second_factor_set",
        lambda: (
            _("A second factor was set up for your account"),
            [_("If this wasn't you, tell an administrator immediately.")],
            render.link_to("accounts.profile"),
        ),
    )


def passkey_added(user: User) -> None:
    """Tell a person that a passkey was set up."""
    _to(
        user,
        "passkey_added",
        lambda: (
            _("A passkey was set up for your account"),
            [
                _(
                    "You can sign in with it, and sign texts in your name. If this wasn't you, "
                    "tell an administrator immediately."
                )
            ],
            render.link_to("accounts.profile"),
        ),
    )


def passkey_removed(user: User) -> None:
    """Tell a person that a passkey was removed."""
    _to(
        user,
        "passkey_removed",
        lambda: (
            _("A passkey was removed from your account"),
            [_("If this wasn't you, tell an administrator immediately.")],
            render.link_to("accounts.profile"),
        ),
    )


def passkey_set_aside(user: User) -> None:
    """Tell a person that a passkey was disabled because it may have been cloned."""
    _to(
        user,
        "passkey_set_aside",
        lambda: (
            _("One of your passkeys is refused from now on"),
            [
                _(
                    "Its counter went backwards, as if it had been copied. Remove it and set up "
                    "a new one. If you don't know why, tell an administrator immediately."
                )
            ],
            render.link_to("accounts.profile"),
        ),
    )


def sessions_ended(user: User) -> None:
    """Tell a person that somebody signed them out everywhere."""
    _to(
        user,
        "sessions_ended",
        lambda: (
            _("You were signed out everywhere"),
            [
                _(
                    "Somebody who manages accounts ended your sessions on every device. You can "
                    "sign in again."
                )
            ],
            render.link_to("security.login"),
        ),
    )


def code_for_signing(user: User, code: str, within: dt.timedelta, address: str) -> None:
    """Send the code that, together with the password, proves who signs."""
    minutes = int(within.total_seconds() // 60)
    _to(
        user,
        "code_for_signing",
        lambda: (
            _("Your code"),
            [
                _("Your code: %(code)s", code=code),
                _(
                    "It works once, for %(minutes)s minutes, on the page where you asked for "
                    "it. Don't tell it to anyone. If you didn't ask for it, tell an administrator.",
                    minutes=minutes,
                ),
            ],
            address,
        ),
        says_all=True,
    )


def password_link(user: User, token: str, within: dt.timedelta) -> None:
    """Send the link for choosing a new password."""
    minutes = int(within.total_seconds() // 60)
    _to(
        user,
        "password_link",
        lambda: (
            _("Choose a new password"),
            [
                _(
                    "Somebody asked for a new password for your account. The link works once, "
                    "for %(minutes)s minutes. If it wasn't you, ignore this: nothing has "
                    "changed.",
                    minutes=minutes,
                )
            ],
            render.link_to("security.reset_password", token=token),
        ),
        says_all=True,
    )


def link_refused(user: User) -> None:
    """Tell a person who asked for a new password why there is no link, and what to do."""
    _to(
        user,
        "link_refused",
        lambda: (
            _("You can't choose a new password yet"),
            [
                _(
                    "Somebody asked for a new password for your account. The details you sign in "
                    "with were changed outside this application, so they can't be used. Ask an "
                    "administrator, or a manager of your organisation, to reset them."
                )
            ],
            render.link_to("security.login"),
        ),
    )


def password_changed(user: User) -> None:
    """Tell a person that their password was changed."""
    _to(
        user,
        "password_changed",
        lambda: (
            _("Your password was changed"),
            [
                _(
                    "Your other sessions have ended. If this wasn't you, choose a new password "
                    "and tell an administrator immediately."
                )
            ],
            render.link_to("security.forgot_password"),
        ),
    )


def _about_own_power(
    user: Addressee,
    role: Role,
    last: dt.date,
    kind: str,
    subject: object,
    *,
    signs: object,
    manages: object,
    what_to_do: object,
) -> None:
    """Queue an email to a person about their own power: as whom until when, and what to do."""
    until = signs if role is Role.SIGNATORY else manages
    _about_a_power_that_ends([user], kind, subject, until, what_to_do, last=last)


def _about_a_power_that_ends(
    people: Iterable[Addressee],
    kind: str,
    subject: object,
    *sentences: object,
    last: dt.date,
    person_id: UUID | None = None,
) -> None:
    """Queue an email about a power and its last day; without a person_id, the reader's own."""
    for reader in people:
        _to(
            reader,
            kind,
            lambda: (
                str(subject),
                [str(sentence) % {"day": as_date(last)} for sentence in sentences],
                render.link_to("people.show", user_id=person_id)
                if person_id
                else render.link_to("accounts.profile"),
            ),
        )


def _to(user: Addressee, kind: str, words: Words, *, says_all: bool = False) -> None:
    """Queue an email in the person's language: subject, sentences and link.

    With says_all, it doesn't promise details after signing in.
    """
    with render.in_language(user.language):
        subject, sentences, address = words()
        body = render.text(*sentences, name=user.name, address=address, says_all=says_all)
    outbox.queue(user.email, user.language, kind, subject, body)
