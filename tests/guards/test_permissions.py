"""Rules about the table of permissions that are true whatever the application does."""

import re

from tests.integration.access.places import ANYBODY, COLUMNS
from tests.integration.access.table import LED, LOOK, NOT_FOUND, REFUSED, SIGN_IN, Row, read

# People outside a cooperation see nothing of it, not even that it exists.
OUTSIDE = {"administrator", "other NPM", "other CSO"}
# People who may not know a joint visit's place and days: not cleared, or not listed (V2).
NOT_TOLD = OUTSIDE | {"auditor", "NPM manager", "NPM member", "CSO member, not cleared"}
OF_A_COOPERATION = (
    "/checklists/<uuid:checklist_id>",
    "/cooperations/<reference>",
    "/undertakings/<undertaking_id>",
    "/undertakings/<uuid:undertaking_id>",
)
# What an auditor may send: about their own account, and exporting or auditing the register.
OWN = (
    "/notifications/",
    "/account",
    "/invitations/",
    "/language",
    "/new-password",
    "/register",
    "/sign-",
    "/verify",
)

# Parts of addresses that name nothing of an organisation or a person: what is published, and what
# only narrows another part. Any other part names a row or is a secret.
OF_NOBODY = {
    *("before", "code", "filename", "help_page", "kind", "key", "language", "mark", "number"),
    *("passage_number", "revision", "setting", "size", "slug", "to"),
}
# Addresses of others' rows that are open to people outside all the same: to whom, and why.
OPENED: dict[str, tuple[set[str], str]] = {
    "/account/confirm/passkey/<token>": (
        {"administrator", "auditor", "other NPM", "other CSO"},
        "a challenge to whoever is signed in; only their own passkey answers it",
    ),
    "/account/passkeys/new/<token>": (
        {"administrator", "auditor", "other NPM", "other CSO"},
        "a challenge to whoever is signed in, whose passkey it becomes",
    ),
    "/sign-in/passkey/<token>": (
        {"administrator", "auditor", "other NPM", "other CSO"},
        "a challenge to whoever signs in",
    ),
    "/invitations/<token>": (
        {"administrator", "auditor", "other NPM", "other CSO"},
        "whoever has the link; accepting it compares the address",
    ),
    "/account/roles/<uuid:membership_id>/accept": ({"other NPM"}, "it is their own"),
    "/organisations/<organisation_id>": (
        {"auditor", "other CSO"},
        "they see those of their cooperations",
    ),
    "/own-guidance/<uuid:article_id>": ({"other CSO"}, "shown to partners"),
}
# Where people outside may open every row of a kind: what it is their task to see.
TASKS = {
    "administrator": ("/administration/", "/organisations/", "/people/"),
    "auditor": ("/checklists/", "/cooperations/", "/register/"),
}


def rows_of(*starts: str) -> dict[Row, dict[str, str]]:
    return {row: cells for row, cells in read().items() if row[1].startswith(starts)}


def test_the_table_is_whole() -> None:
    table = read()
    assert len(table) > 120
    assert all(tuple(cells) == COLUMNS and "?" not in cells.values() for cells in table.values())


def test_outsiders_see_nothing_of_a_cooperation() -> None:
    rows = rows_of(*OF_A_COOPERATION)
    assert len(rows) > 70
    for row, cells in rows.items():
        assert {cells[column] for column in OUTSIDE} == {NOT_FOUND}, row
        assert cells[ANYBODY] == SIGN_IN, row


def test_an_address_with_a_row_or_a_secret_is_closed_to_outsiders_unless_it_is_opened() -> None:
    """Whatever view is added: its row's organisation was compared with the person's."""
    looked_at, opened = 0, set()
    for row, cells in read().items():
        rule = row[1]
        if set(re.findall(r"<(?:[^<>]*:)?(\w+)>", rule)) <= OF_NOBODY:
            continue
        looked_at += 1
        for column in ("administrator", "auditor", "other NPM", "other CSO"):
            if cells[column] in {NOT_FOUND, REFUSED} or rule.startswith(TASKS.get(column, ())):
                continue
            opened.add((rule, column))
    assert looked_at > 150
    listed = {(rule, column) for rule, (columns, _why) in OPENED.items() for column in columns}
    assert opened == listed


def test_the_planning_of_a_visit_is_seen_by_those_cleared_and_listed_alone() -> None:
    rows = {
        row: cells
        for row, cells in read().items()
        if "K2" in row[2] or row[1].startswith("/cooperations/<reference>/visits/<")
    }
    assert len(rows) > 25
    for row, cells in rows.items():
        if row[1].startswith("/register"):
            continue  # people who see no register are refused before anything is looked up
        not_told = NOT_TOLD
        if row[1].endswith("/charge"):
            # The NPM's managers know that there is a visit, and see no more of it here (adr 122).
            assert cells["NPM manager"] == REFUSED
            not_told = NOT_TOLD - {"NPM manager"}
        assert {cells[column] for column in not_told} == {NOT_FOUND}, row


def test_an_auditor_changes_nothing_of_a_cooperation() -> None:
    for row, cells in read().items():
        if "POST" in row[0] and not row[1].startswith(OWN):
            assert cells["auditor"] in {REFUSED, NOT_FOUND, LED, LOOK}, row


def test_only_the_person_signs_their_undertaking() -> None:
    rows = rows_of("/undertakings/<undertaking_id>/sign", "/undertakings/<undertaking_id>/withdraw")
    assert rows
    for (_methods, _rule, thing), cells in rows.items():
        person = "CSO expert, cleared" if "expert" in thing else "CSO member, not cleared"
        others = set(COLUMNS) - {person, ANYBODY}
        assert {cells[column] for column in others} == {NOT_FOUND}, (thing, cells)


def test_only_their_own_side_and_administrators_manage_people() -> None:
    rows = rows_of("/people/<user_id>")
    assert len(rows) > 5
    allowed = {"administrator", "CSO coordinator", "CSO signatory"}
    for row, cells in rows.items():
        others = set(COLUMNS) - allowed - {ANYBODY}
        assert {cells[column] for column in others} == {NOT_FOUND}, row
