"""The tables and columns that decide something, and the digests events keep of them. Pure.

Tables are named as strings, so that the trail depends on no higher package. A guard compares them
with all tables and columns that exist.
"""

import datetime as dt
import enum
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tracker.core.keys import rows_key

# How a row leads to its cooperation, and what makes it class K2 to K7.
COOPERATION, CHECKLIST, VISIT = "cooperation", "checklist", "visit"
REVISION, REQUEST, REVIEW = "revision", "signature_request", "review"


@dataclass(frozen=True, slots=True)
class Checked:
    """A table whose rows are checked: which chain binds them, and which columns.

    parent is the table that a column refers to, on the way to the cooperation; rows without one are
    bound by the instance's chain. is_restricted: all rows are of class K2 to K7. without names the
    columns that decide nothing, with the reason; only names a column and the value of the rows that
    are checked.
    """

    parent: str = ""
    column: str = ""
    is_restricted: bool = False
    without: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, str] | None = None


def _of(parent: str, *, restricted: bool = False, **without: str) -> Checked:
    return Checked(parent, f"{parent.removeprefix('signature_')}_id", restricted, without)


_SEEN_AGAIN = "worked out again with each change, shown in lists"
_BY_SEAL = "sealed for its person with a key outside the database"

CHECKED: dict[str, Checked] = {
    # Of the instance
    "user": Checked(
        without={
            "password": _BY_SEAL,
            "tf_primary_method": _BY_SEAL,
            "tf_totp_secret": _BY_SEAL,
            "tf_phone_number": "never used: no code goes to a telephone number",
            "totp_last_step": "the last code that was used, for a minute",
            "mf_recovery_codes": _BY_SEAL,
            "fs_webauthn_user_handle": "how passkeys name their person; with another they fail",
        }
    ),
    "passkey": Checked(
        without=dict.fromkeys(
            ("sign_count", "lastuse_datetime", "backup_state"),
            "what its device says with each use",
        )
    ),
    "membership": Checked(),
    "invitation": Checked(),
    "organisation": Checked(),
    "checklist_template": Checked(),
    "checklist_words": Checked(),
    "template_draft": Checked(),
    "taxonomy_term": Checked(),
    "statement": Checked(),
    "article": Checked(),
    "passage": Checked(),
    "own_article": Checked(),
    "own_passage": Checked(),
    "model_text_revision": Checked(),
    # Of a cooperation
    "cooperation": Checked(
        COOPERATION,
        "id",
        without=dict.fromkeys(
            ("reminder_days", "remind_of_review_on", "remind_of_end_on"),
            "when people are reminded of review and end, as the signed terms say",
        ),
    ),
    "party": _of(COOPERATION),
    "partner_selection": _of(COOPERATION),
    "invitation_request": _of(COOPERATION),
    "cooperation_person": _of(COOPERATION),
    "clearance": _of(
        COOPERATION, restricted=True, reminded_on="when people were told that it is about to end"
    ),
    "clearance_bar": _of(COOPERATION, restricted=True),
    "added_interest": _of(COOPERATION, restricted=True),
    "audience_member": _of(COOPERATION, restricted=True),
    "undertaking": _of(
        COOPERATION, restricted=True, sealed_draft="what a person is writing, theirs alone"
    ),
    "material_return": _of(
        COOPERATION, restricted=True, reminded_on="when somebody was reminded last"
    ),
    "closing": _of(COOPERATION),
    "visit": _of(
        COOPERATION,
        restricted=True,
        needs_lead="whether somebody is asked to put a person in charge; the verb decides anew",
    ),
    "team_member": _of(VISIT, restricted=True),
    "gate_override": _of(VISIT, restricted=True),
    "checklist": _of(
        COOPERATION,
        done_count=_SEEN_AGAIN,
        total_count=_SEEN_AGAIN,
        is_complete=_SEEN_AGAIN,
        is_ready_to_send="when people are mailed that it can be sent; sending decides anew",
        misnamed_items=_SEEN_AGAIN,
        has_hint_answers="whether to look for answers to hints; without it they are asked again",
        has_assigned="whether to look for what is assigned, which leaves no event (adr 20)",
    ),
    "checklist_party": _of(
        CHECKLIST,
        waiting_count=_SEEN_AGAIN,
        unread_count=_SEEN_AGAIN,
        to_accept_count=_SEEN_AGAIN,
    ),
    "notice": _of(CHECKLIST),
    "answer": _of(CHECKLIST),
    "copied_answer": _of(CHECKLIST),
    "copy_reading": Checked("copied_answer", "answer_id"),
    "position": _of(CHECKLIST),
    "proposal": _of(CHECKLIST),
    "flag": _of(CHECKLIST),
    "hint_answer": _of(CHECKLIST),
    "safeguard_review": _of(CHECKLIST),
    "outside_reading": _of(CHECKLIST),
    "comment": Checked(CHECKLIST, "checklist_id", only=("audience", "all")),
    "review": _of(COOPERATION),
    "review_version": _of(REVIEW),
    "review_confirmation": _of(REVIEW),
    "signature_request": _of(REVISION, reminded_on="when somebody was reminded last"),
    "signature_party": _of(REQUEST),
    "signature_place": _of(REQUEST),
}

# Tables that are not checked here, but lead from a checked row to its cooperation.
ON_THE_WAY: dict[str, Checked] = {REVISION: _of(COOPERATION)}

# The columns that decide whether these rows and their children are of class K2 to K7.
RESTRICTING: dict[str, tuple[str, ...]] = {
    CHECKLIST: ("kind", "visit_id"),
    REVISION: ("is_sealed",),
}

# Rows that are bound by the chain of their visit, if it has one, and not by the cooperation's: what
# people of the team confirm. A row is such a one if this column holds this value (adr 87).
OF_ITS_TEAM: dict[str, tuple[str, str]] = {"answer": ("scope", "person")}

# Tables that the audit checks by their own content, or by the chains.
BY_THEMSELVES: dict[str, str] = {
    "chain": "its end and number are sealed",
    "event": "each holds the digest of the one before",
    "event_detail": "its event binds it",
    "revision": "an event binds it, and it gives its digest",
    "signature": "an event binds it, and it gives its digest",
    "certificate": "an event binds it, and the file gives its digest",
    "renewal": "an event binds it",
    "paper_record": "an event binds it, and the scan gives its digest",
    "paper_decision": "an event binds it",
    "succession": "an event binds it",
    "cooperation_key": "it opens what it encrypted, or an event says that it was erased",
    "evidence_key": "an event binds it, and its ends",
    "log_leaf": "the signed root of the log stands for it",
    "log_node": "the signed root of the log stands for it",
    "checkpoint": "it is signed",
}

# Tables that decide nothing, with the reason. docs/threat-model.md says the same.
DECIDES_NOTHING: dict[str, str] = {
    "assignment": "who looks after an item on the own side; leaves no event, on purpose (adr 20)",
    "comment_mention": "whose eye is wanted on a comment",
    "comment_task": "what a comment asks of a person; of own-side ones no event tells (adr 19)",
    "draft": "what a person is typing and has not saved; theirs alone",
    "model_answer": "an organisation's own texts to start from; agreed is only what is saved",
    "own_model_text": "an NPM's own texts to begin with; agreed is only what each party has read",
    "read_log_entry": "who read what; nothing follows from it",
    "security_log_entry": "sign-ins, failures, refusals; nothing follows from it",
    "outbox_message": "what is mailed, kept until it is sent; its text is encrypted for its row",
    "pending_mail": "what happened on a checklist of which people are yet to be mailed",
    "notification": "what a person gets to know, encrypted for its row; opening checks access anew",
    "notification_choices": "how often a person wants emails; signing and the like never none",
    "anchor": "to whom a checkpoint was mailed",
    "certificate_failure": "when a certificate is tried again",
    "job_failure": "what a job of the worker failed on, and when it is tried again",
    "due_recomputation": "which derived value is yet to be recomputed after a job of the worker",
    "disagreement": "what the worker found to disagree with its signatures; found again",
    "refused_account": "which account the worker found to be refused; found again",
    "attempt": "failed proofs of identity, kept for minutes to slow down guessing",
    "user_session": "who is signed in where; a session also needs the cookie that names it",
    "telephone_number": "how to reach a person; begins a form, agreed is only what is saved",
    "used_challenge": "answered challenges of passkeys, kept for minutes",
    "mailed_code": "a code by mail, good for minutes and kept as a keyed digest",
    "passage_use": "where a passage is used; worked out again when content is loaded",
    "reference_counter": "the last reference given; references can't be given twice",
    "cooperation_entry": "what lists of cooperations are ordered by; updated with each change",
    "register_entry": "what the register is ordered by; worked out again with each change",
    "heartbeat": "when the worker last finished a round, when the last backup was made, and of "
    "which end of timestamps administrators were reminded",
}


def is_restricted(table: str, values: Mapping[str, Any]) -> bool:
    """Return by RESTRICTING whether a row and its children are of class K2 to K7."""
    if table == CHECKLIST:
        return values["kind"] == "visit_roles" or values["visit_id"] is not None
    return bool(values["is_sealed"]) if table == REVISION else False


# What an event says about a row: the digest before its change and the one after it, None if it did
# not exist. Older events, those that bind a row as it is, and those of a change whose row could not
# be read before it (activity.binding) say only the one after it.
Entry = str | list[str | None] | None
# The digest of a row whose key has been destroyed.
WITHOUT_KEY = ""


def after(entry: Entry) -> str | None:
    """Return the digest that an event says a row has after it; None if it was deleted."""
    return entry[1] if isinstance(entry, list) else entry


def follows(known: str | None, entry: Entry) -> bool:
    """Return whether a row was, before an event changed it, as the last event had left it.

    Unknown is taken as yes: what an older event doesn't say, and what a destroyed key hides.
    """
    if not isinstance(entry, list):
        return True
    before = entry[0]
    if before is None or known is None:
        return before is known
    return before == known or WITHOUT_KEY in {before, known}


def row_key(key: bytes) -> bytes:
    """Derive the key for digests of rows from another key, for this purpose only."""
    return rows_key(key)


def row_digest(key: bytes, table: str, row: str, values: Mapping[str, Any]) -> str:
    """Return the keyed digest of a row: of its table, its id, and its values.

    Only this instance ever compares it, so its form doesn't have to be reproducible by others.
    """
    text = json.dumps([table, row, values], sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def plain(value: object) -> Any:
    """Return a column's value in a form that JSON can represent, the same on both databases."""
    match value:
        case None | str() | bool() | int() if not isinstance(value, enum.Enum):
            return value
        case enum.Enum():
            return value.value
        case UUID():
            return str(value)
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
        case dt.date():
            return value.isoformat()
        case bytes() | memoryview():
            return hashlib.sha256(value).hexdigest()
        case _:  # JSON: as the database would return it
            return json.loads(json.dumps(value))
