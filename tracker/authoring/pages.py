"""View models for article pages: the text as it is read, and the items it is paired with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import url_for
from markupsafe import Markup

from tracker.authoring.facts import ArticleParts
from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind
from tracker.guidance.markdown import render
from tracker.guidance.queries import Taxonomy
from tracker.search.words import NOTHING, Question, mark


@dataclass(frozen=True, slots=True)
class ItemLink:
    """An item of a checklist, with a link if a current template has it."""

    code: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage as it is shown; search words are marked."""

    key: str
    number: int
    title: Markup
    html: Markup
    codes: tuple[str, ...]
    items: tuple[ItemLink, ...] = ()


@dataclass(frozen=True, slots=True)
class TextView:
    """The text of an article as it is shown."""

    question: str
    summary: str
    lead: Markup
    passages: tuple[PassageView, ...]


def text_view(
    parts: ArticleParts,
    *,
    headings_from: int = 3,
    question: Question = NOTHING,
    items: Mapping[str, ItemLink] | None = None,
) -> TextView:
    """Return a text for display; headings inside passages have at least the given rank.

    For an organisation's own, items are those that its passages may be paired with.
    """
    return TextView(
        question=parts.question,
        summary=parts.summary,
        lead=render(parts.lead, headings_from=headings_from, question=question),
        passages=tuple(
            PassageView(
                key=passage.key,
                number=passage.number,
                title=mark(passage.title, question),
                html=render(passage.markdown, headings_from=headings_from, question=question),
                codes=passage.statements,
                items=_paired(passage.statements, items) if items is not None else (),
            )
            for passage in parts.passages
        ),
    )


def _paired(codes: Iterable[str], items: Mapping[str, ItemLink]) -> tuple[ItemLink, ...]:
    return tuple(items.get(code, ItemLink(code, "", "")) for code in codes)


def item_links() -> dict[str, ItemLink]:
    """Return every item of the latest checklists by its code."""
    return {
        item.code: ItemLink(
            item.code,
            item.label,
            url_for("checklists.template", kind=kind.value, _anchor=item.code),
        )
        for kind in ChecklistKind
        for item in library.parsed(library.newest(kind)).items
    }


def names_of(taxonomy: Taxonomy) -> dict[str, str]:
    """Return the names of all categories and topics by slug."""
    return taxonomy.categories | taxonomy.topics
