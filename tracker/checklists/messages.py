"""Emails about checklists and about texts to sign: a neutral sentence and a link."""

from collections.abc import Collection, Iterable
from uuid import UUID

from flask_babel import gettext as _

from tracker.accounts import queries as accounts
from tracker.mail.render import in_language, link_to
from tracker.notifications import service as notifications


def waits_for_signature(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell those named to sign that a text waits for them."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "text_sent",
                _("A text is waiting for your signature"),
                _("You're named to sign a text. Read it, then sign it or say why not."),
                address=link_to("signing.read", checklist_id=checklist_id),
                about=checklist_id,
            )


def still_waits_for_signature(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Remind people that a text still waits for signatures."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "text_still_waits",
                _("Reminder: a text is waiting for signatures"),
                _("A text sent for signature is still waiting. Sign in to see what to do."),
                address=link_to("signing.record", checklist_id=checklist_id),
                about=checklist_id,
            )


def no_longer_waits_for_signature(
    checklist_id: UUID, user_ids: Collection[UUID] | None = None
) -> None:
    """Mark as read what asked some people, or everybody, to sign a text."""
    notifications.done(checklist_id, ("text_sent", "text_still_waits"), user_ids)


def was_passed_on(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell a person that somebody else in their organisation signs in their place."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "signing_passed_on",
                _("Somebody else signs instead of you"),
                _(
                    "A text you were named to sign was passed on to somebody else. You don't need "
                    "to do anything."
                ),
                address=link_to("signing.record", checklist_id=checklist_id),
            )


def ran_out(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell those concerned that the time to sign a text has run out."""
    no_longer_waits_for_signature(checklist_id)
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "text_ran_out",
                _("The time to sign a text has run out"),
                _("Not everyone had signed a text by its last day. It can be sent again."),
                address=link_to("signing.record", checklist_id=checklist_id),
            )


def notice_was_given(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell people concerned that a party gave or withdrew notice, or that a text was stopped."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "text_notice",
                _("The state of a text in force has changed"),
                _("A text was suspended, ended or renewed, or a party gave notice of it."),
                address=link_to("signing.record", checklist_id=checklist_id),
            )


def amendment_was_called_off(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell people concerned that an amendment was called off: the text in force stays."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "amendment_called_off",
                _("An amendment was called off"),
                _("A party called off an amendment. The text in force stays as it is."),
                address=link_to("signing.record", checklist_id=checklist_id),
            )


def was_declined(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell people concerned that a text was declined (product.md, 5.4)."""
    no_longer_waits_for_signature(checklist_id)
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "text_declined",
                _("A text was declined"),
                _("A text waiting for signatures was declined. Some items are open again."),
                address=link_to("checklists.show", checklist_id=checklist_id),
            )


def came_into_force(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell people concerned that the last signature was given."""
    no_longer_waits_for_signature(checklist_id)
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "text_in_force",
                _("Everyone has signed a text"),
                _("All parties have signed a text. Its record says when it comes into force."),
                address=link_to("signing.record", checklist_id=checklist_id),
            )


def came_into_force_without_notice(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell people concerned the same where a party's notice of a suspension or end is replaced."""
    no_longer_waits_for_signature(checklist_id)
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "text_in_force_without_notice",
                _("Everyone has signed a text"),
                _(
                    "All parties have signed a text. The notice that a party gave before it signed "
                    "no longer counts: the text isn't suspended or ended on that day."
                ),
                address=link_to("signing.record", checklist_id=checklist_id),
            )


def was_moved(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell people concerned that a checklist was upgraded to a newer version of its template."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "checklist_moved",
                _("A checklist has new questions"),
                _(
                    "A checklist was moved to a newer version. Some items may need your "
                    "attention again."
                ),
                address=link_to("checklists.show", checklist_id=checklist_id),
            )


def was_assigned(checklist_id: UUID, user_id: UUID) -> None:
    """Tell a person that somebody on their side assigned items to them, in one mail for all."""
    for person in accounts.contacts([user_id]).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "items_assigned",
                _("Items were assigned to you"),
                _("Items of a checklist were assigned to you. Sign in to see which."),
                address=link_to("checklists.show", checklist_id=checklist_id, filter="mine"),
                about=checklist_id,
            )


def assignment_is_due(checklist_id: UUID, user_id: UUID) -> None:
    """Remind a person of assigned items that still have something left to do."""
    for person in accounts.contacts([user_id]).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "assignment_due",
                _("Items assigned to you are due"),
                _("Items of a checklist that were assigned to you are due. Sign in to see which."),
                address=link_to("checklists.show", checklist_id=checklist_id, filter="mine"),
                about=checklist_id,
            )


def no_assignment_is_left(checklist_id: UUID, user_ids: Collection[UUID]) -> None:
    """Mark as read what told people of items that were assigned to them."""
    notifications.done(checklist_id, ("items_assigned", "assignment_due"), user_ids)


def suggestion_made(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell people that another party suggested changes that they can answer."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "suggestion_made",
                _("A suggestion is waiting for your organisation"),
                _(
                    "Another party suggested a change to an answer in a checklist. Sign in to "
                    "accept it, decline it or suggest something else."
                ),
                address=link_to("checklists.show", checklist_id=checklist_id, filter="us"),
                about=checklist_id,
            )


def no_suggestion_is_left(checklist_id: UUID, user_ids: Collection[UUID] | None = None) -> None:
    """Mark as read what asked some people, or everybody, to answer suggestions."""
    notifications.done(checklist_id, ("suggestion_made",), user_ids)


def no_wish_to_discuss_is_left(
    checklist_id: UUID, user_ids: Collection[UUID] | None = None
) -> None:
    """Mark as read what told some people, or everybody, of wishes to discuss."""
    notifications.done(checklist_id, ("discussion_wished",), user_ids)


def no_flag_is_left(checklist_id: UUID) -> None:
    """Mark as read what told people of flags, once none is open."""
    notifications.done(checklist_id, ("flag_raised",))


def no_changed_item_is_left(checklist_id: UUID, user_ids: Collection[UUID]) -> None:
    """Mark as read what told people of changed items that their party has since accepted."""
    notifications.done(checklist_id, ("item_reopened",), user_ids)


def no_longer_ready_to_send(checklist_id: UUID) -> None:
    """Mark as read what told people that a checklist can be sent, since it was, or can't be."""
    notifications.done(checklist_id, ("ready_to_send",))


def nothing_is_left(checklist_ids: Iterable[UUID]) -> None:
    """Mark as read what asked anybody for anything on checklists that have ended."""
    notifications.all_done(
        list(checklist_ids),
        (
            "text_sent",
            "text_still_waits",
            "items_assigned",
            "assignment_due",
            "suggestion_made",
            "discussion_wished",
            "flag_raised",
            "item_reopened",
            "ready_to_send",
        ),
    )


def suggestion_answered(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell the people of the party that suggested a change that it was answered."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "suggestion_answered",
                _("A suggestion of your organisation was answered"),
                _(
                    "Another party accepted or declined a change that your organisation suggested, "
                    "or suggested something else. Sign in to read the answer."
                ),
                address=link_to("checklists.show", checklist_id=checklist_id),
            )


def discussion_wished(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell people that another party asks to discuss items."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "discussion_wished",
                _("Another party asks to discuss an item"),
                _(
                    "Another party asks to discuss an item of a checklist. Sign in to read why and "
                    "to reply."
                ),
                address=link_to("checklists.show", checklist_id=checklist_id, filter="us"),
                about=checklist_id,
            )


def flag_raised(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell people that items were flagged as limiting the NPM (S6, S7)."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "flag_raised",
                _("An item was flagged"),
                _(
                    "An item of a checklist was flagged because it may limit the NPM's "
                    "independence. Sign in to read why."
                ),
                address=link_to("checklists.show", checklist_id=checklist_id),
                about=checklist_id,
            )


def flag_answered(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell the people of the party that raised a flag that it was closed."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "flag_answered",
                _("A flag was answered"),
                _(
                    "A flag that your organisation raised was explained, or the item was changed. "
                    "Sign in to read what was said."
                ),
                address=link_to("checklists.show", checklist_id=checklist_id),
            )


def item_reopened(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell people that items which their party had accepted have changed since."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "item_reopened",
                _("An item you had accepted was changed"),
                _(
                    "An item of a checklist that your organisation had accepted was changed. Sign "
                    "in to read it and accept it again, or to say what you'd change."
                ),
                address=link_to("checklists.show", checklist_id=checklist_id, filter="us"),
                about=checklist_id,
            )


def ready_to_send(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell those who can send a checklist for signature that nothing is left before."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "ready_to_send",
                _("A checklist is ready to be sent for signature"),
                _(
                    "All items of a checklist are complete and agreed. You can now send it for "
                    "signature."
                ),
                address=link_to("checklists.show", checklist_id=checklist_id),
                about=checklist_id,
            )
