"""Documents that people sign with their undertaking, according to the terms (C1). Pure."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tracker.checklist_templates.schema import Item
from tracker.core import canonical

# The table of these documents, a field of C1.
FIELD = "documents"


class Signers(enum.StrEnum):
    """Who signs a document with the undertaking (C1)."""

    EVERYONE = "everyone"
    CSO = "cso"
    NPM = "npm"


@dataclass(frozen=True, slots=True)
class TermsDocument:
    """A document that people sign with the undertaking (adr 75), as the terms in force have it."""

    # One of the template's choices, such as code_of_conduct.
    kind: str
    title: str
    version: str
    text: str
    signers: Signers = Signers.EVERYONE

    @property
    def digest(self) -> str:
        """Return the digest of what is signed: the text with its title and version."""
        return canonical.digest_of(
            {"kind": self.kind, "title": self.title, "version": self.version, "text": self.text}
        )

    @property
    def named(self) -> str:
        """Return its title and version, as sentences and lists in every language name it."""
        return f"{self.title} ({self.version})"

    @property
    def name(self) -> str:
        """Its name in a form and in a draft; a different text has to be confirmed separately."""
        return f"document_{self.digest[:16]}"


def read(rows: Iterable[Mapping[str, Any]]) -> Iterable[TermsDocument]:
    """Yield the documents of a frozen table (C1); those without a text are signed elsewhere."""
    for row in rows:
        if row.get("text"):
            yield TermsDocument(
                kind=str(row.get("document") or ""),
                title=str(row.get("title") or ""),
                version=str(row.get("version") or ""),
                text=str(row["text"]),
                signers=Signers(row.get("signers") or Signers.EVERYONE),
            )


def kind_of(document: TermsDocument, covers: Item) -> str:
    """Return the label of a document's kind in C1; empty if it has none."""
    return next(
        (
            option.label
            for field in covers.fields
            if field.key == FIELD
            for column in field.columns
            for option in column.options
            if column.key == "document" and option.value == document.kind
        ),
        "",
    )
