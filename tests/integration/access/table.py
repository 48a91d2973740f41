"""The table of docs/permissions.md, written and parsed."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from tests.integration.access.places import COLUMNS, Address
from tracker.core.paths import ROOT

DOCUMENT = ROOT / "docs" / "permissions.md"
Row = tuple[str, str, str]
OPEN, LOOK, LED, REFUSED, NOT_FOUND = "yes", "look", "on", "no", "–"
SIGN_IN, ABSENT = "sign in", ""

_HEAD = """# Permissions

These tables say who may open what. They were made by opening each page of the demonstration, and
sending each form empty, as each kind of person. The second page of signing was opened from the
first. A test compares them with the application. After an intended change, run `make permissions`
and read the difference. The [threat model](threat-model.md) says what a page leaves out for whom.
Where *of* names something that doesn't exist in the demonstration, or that belongs to somebody
without a column, a row only shows that these people find nothing, not who may do it.

| here | means |
|---|---|
| yes | the page opens; the form is accepted, or says what is missing; queries limit what it shows |
| look | the page opens without a form; sending one is refused |
| on | redirected to another page: nothing to do there, or to confirm first who they are |
| no | refused, with the reason (403, or said on the next page) |
| – | as if it did not exist (404) |
| sign in | redirected to the sign-in page, and back afterwards |
| (nothing) | there is no such person in that cooperation |

*No* doesn't always mean that somebody may not do it: the reason can also be that the form was sent
empty, or the state of that thing in the demonstration.

*Other CSO* and *other NPM* are coordinators whose organisation is not a party of the cooperation
concerned. *NPM team lead* is in the team and in the audience (V2) of the visit; the coordinators,
the signatories and the expert are in the audience too, and those from a CSO are cleared; *NPM
manager* and the members are not. For pages of another cooperation than the one with the ready
visit, the columns mean that cooperation's own people. *CSO signatory* is also a manager, except of
the CSO whose terms are waiting for a signature. The *auditor* audits the NPM and works for a court
of audit, which is no party. *CSO expert* is from another CSO of the cooperation than the other
people of a CSO. K2 is information about the planning of a visit.
"""


def row_of(place: Address) -> Row:
    """Return the key of a place in the table."""
    return (" ".join(place.methods), place.rule, place.thing)


def read(path: Path = DOCUMENT) -> dict[Row, dict[str, str]]:
    """Return the table as it is in the document."""
    rows: dict[Row, dict[str, str]] = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == len(COLUMNS) + 2:
            methods, _, rule = cells[0].strip("`").partition(" /")
            rows[methods, f"/{rule}", cells[1]] = dict(zip(COLUMNS, cells[2:], strict=True))
    return rows


def write(
    rows: Iterable[Row], cells: Mapping[Row, Mapping[str, str]], path: Path = DOCUMENT
) -> None:
    """Write the document with a table for each part of the application."""
    parts = [_HEAD]
    for part, members in groupby(rows, key=lambda row: row[1].split("/")[1]):
        parts.append(f"\n## /{part}\n\n| page | of | {' | '.join(COLUMNS)} |\n")
        parts.append("|---" * (len(COLUMNS) + 2) + "|\n")
        for row in members:
            line = " | ".join(cells.get(row, {}).get(column, "?") for column in COLUMNS)
            parts.append(f"| `{row[0]} {row[1]}` | {row[2]} | {line} |\n")
    path.write_text("".join(parts))
