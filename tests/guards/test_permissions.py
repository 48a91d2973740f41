"""Rules about the table of permissions that are true whatever the application does."""

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
