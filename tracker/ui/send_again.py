"""What a busy page needs to send a form again as it was, without proofs of identity and files."""

from collections.abc import Collection
from dataclasses import dataclass

from flask import request, url_for

from tracker.core.csrf import TOKEN_FIELD, token_to_send_again
from tracker.ui.addresses import is_own_path

# The names of fields for proofs of identity, and what belongs to them; whoever sends the form again
# is asked for them again. They are whole names: the column of a table may be called the same.
PROOFS = frozenset(
    {
        "code",
        "credential",
        "mailed_code",
        "new_password",
        "new_password_confirm",
        "passkey",
        "password",
        "password_confirm",
        "setup",
    }
)
# Says when a person read the text on the page, and which. If they proved who they are on it, as for
# a signature, it isn't sent again: the page shows the text once more.
PAGE_TOKEN = "page_token"  # noqa: S105 -- the name of a field
# More than the largest table of an item has, with its choices. Of a larger form only what was typed
# is shown: nothing sends part of a form.
MOST_FIELDS = 4000
MOST_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class FormToSendAgain:
    """Where a form was sent, what it contained in its order, and a fresh token."""

    address: str
    token: str
    fields: tuple[tuple[str, str], ...]
    # Whether it contained a password, a code or a passkey's response.
    had_proof: bool
    had_file: bool
    # Whether the page shows its text once more, before it asks for the proof.
    shows_text: bool


def form_to_send_again() -> FormToSendAgain | None:
    """Return the form of this request.

    None if its token is missing or not the session's, or if it is too large.
    """
    address = _address()
    token = token_to_send_again()
    sent = _fields_in_order()
    size = sum(len(name) + len(value) for name, value in sent)
    if not address or token is None or len(sent) > MOST_FIELDS or size > MOST_CHARACTERS:
        return None
    names = {name for name, value in sent if value}
    left_out = names_left_out(names)
    return FormToSendAgain(
        address,
        token,
        tuple((name, value) for name, value in sent if name not in left_out),
        had_proof=not PROOFS.isdisjoint(names),
        had_file=any(file.filename for file in request.files.values()),
        shows_text=PAGE_TOKEN in left_out & names,
    )


def names_left_out(names: Collection[str]) -> set[str]:
    """Return which of the fields aren't sent again: proofs of identity, and tokens of the page."""
    proofs = PROOFS.intersection(names)
    return {*proofs, TOKEN_FIELD, *([PAGE_TOKEN] if proofs else [])}


def _fields_in_order() -> list[tuple[str, str]]:
    """Return the fields as they came; the values of a repeated name follow each other."""
    return [(name, value) for name, value in request.form.items(multi=True)]


def _address() -> str:
    """Return the address that the form was sent to; empty if no page has it."""
    if request.endpoint is None:
        return ""
    address = url_for(request.endpoint, **(request.view_args or {}))
    query = request.query_string.decode("ascii", "ignore")
    whole = f"{address}?{query}" if query else address
    return whole if is_own_path(whole) else ""
