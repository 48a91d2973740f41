"""Pages for an organisation's own article passage by passage: list, change, add, move, remove."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.authoring import pages, policy
from tracker.authoring.facts import ArticleParts
from tracker.authoring.models import OwnArticle, OwnPassage
from tracker.authoring.own_guidance import queries
from tracker.authoring.own_passages import service
from tracker.authoring.own_passages.forms import (
    ArticleVersionForm,
    NewOwnPassageForm,
)
from tracker.authoring.passage_form import PassageTextForm
from tracker.authoring.passages.splicing import PassageWords
from tracker.checklist_templates import value_differences
from tracker.checklist_templates.compare import Change
from tracker.core.db import reading
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError
from tracker.guidance import markdown
from tracker.ui import locale
from tracker.ui.fields import Option
from tracker.ui.perform import perform

blueprint = Blueprint(
    "own_passages", __name__, url_prefix="/own-guidance/<uuid:article_id>/passages"
)

Answered = str | Response
# How much of a passage's text the list shows.
_BEGINNING = 160
# How far a passage moves, by the last part of the address.
_STEPS = {"up": -1, "down": 1}


@dataclass(frozen=True, slots=True)
class OwnPassageLine:
    """A passage in the list: its title, the beginning of its text, and its items."""

    passage: OwnPassage
    beginning: str
    items: Sequence[pages.ItemLink]


def _get_or_404(actor: Actor, article_id: UUID) -> OwnArticle:
    """Return an article to change: 404 if it isn't visible, refused if it is a partner's."""
    row = found_or_404(queries.find(actor, article_id))
    require(policy.can_change_own(actor, row.organisation_id))
    return row


@blueprint.get("")
@signed_in
def passages(article_id: UUID) -> str:
    """List the passages of an article."""
    row = _get_or_404(current_actor(), article_id)
    links = pages.item_links()
    return render_template(
        "authoring/own_passages/list.html",
        article=row,
        lines=[
            OwnPassageLine(passage, _beginning(passage), _items(passage, links))
            for passage in row.passages
        ],
        direction=locale.direction,
    )


def _beginning(passage: OwnPassage) -> str:
    text = " ".join(markdown.plain(passage.markdown).split())
    return text if len(text) <= _BEGINNING else text[:_BEGINNING].rsplit(" ", 1)[0] + "…"


def _items(passage: OwnPassage, links: dict[str, pages.ItemLink]) -> list[pages.ItemLink]:
    return [links[code] for code in passage.items if code in links]


# Changing and adding -----------------------------------------------------------------------------


@blueprint.route("/<int:passage_number>", methods=["GET", "POST"])
@signed_in
def change(article_id: UUID, passage_number: int) -> Answered:
    """Change a passage; if somebody else saved the article first, both texts are shown."""
    actor = current_actor()
    row = _get_or_404(actor, article_id)
    passage = service.passage_of(row, passage_number)
    if passage is None and request.method == "GET":
        found_or_404(None)
    form = PassageTextForm(
        data={
            "title": passage.title if passage else "",
            "text": passage.markdown if passage else "",
            "version": row.version,
        }
    )
    if not form.is_submitted():
        return _passage_page(form, row, passage)
    words = form.words()
    return _answer(
        form,
        row,
        passage_number,
        parsed=lambda: service.read(
            row, service.changed_body(row, passage_number, words), passage_number, words.text
        ),
        save=lambda: service.change(
            actor, article_id, passage_number, words, seen_version=form["version"].data
        ),
    )


@blueprint.route("/add", methods=["GET", "POST"])
@signed_in
def add(article_id: UUID) -> Answered:
    """Add a passage, and choose beside which item it's shown."""
    actor = current_actor()
    row = _get_or_404(actor, article_id)
    form = NewOwnPassageForm(
        [
            Option(str(passage.number), _("After “%(title)s”", title=passage.title))
            for passage in row.passages
        ],
        [Option(link.code, link.label) for link in pages.item_links().values()],
        data={"version": row.version, "after": str(len(row.passages) or "")},
    )
    if not form.is_submitted():
        return _passage_page(form, row)
    words, after, item = form.words(), form.place(), form["item"].data or ""
    return _answer(
        form,
        row,
        None,
        parsed=lambda: service.read(
            row, service.added_body(row, words, after=after, item=item), after + 1, words.text
        ),
        save=lambda: service.add(
            actor, article_id, words, after=after, item=item, seen_version=form["version"].data
        ),
    )


def _answer(
    form: PassageTextForm,
    row: OwnArticle,
    number: int | None,
    *,
    parsed: Callable[[], ArticleParts],
    save: Callable[[], OwnArticle],
) -> Answered:
    """Save what was sent, or show it again: with its preview, or with what somebody else saved."""
    article_id = row.id
    place = number or (form.place() + 1 if isinstance(form, NewOwnPassageForm) else 1)

    def show_again(parts: ArticleParts | None = None, **context: Any) -> str:
        with reading():
            now = _get_or_404(current_actor(), article_id)
            if context.get("has_conflict"):
                form["version"].data = now.version
            passage = service.passage_of(now, number) if number else None
            return _passage_page(
                form, now, passage, parts=parts, place=place, is_new=number is None, **context
            )

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        return show_again(has_conflict=True)

    if form["version"].data != row.version:
        return handle_conflict(
            StaleError(_("Somebody else changed this article. Compare, then save again."))
        )
    try:
        parts = parsed() if form.validate() else None
    except StaleError as error:
        return handle_conflict(error)
    except (ContentError, RuleBrokenError) as error:
        form.refuse(error)
        parts = None
    if parts is None or request.form.get("step") == "preview":
        return show_again(parts)
    done = perform(
        form,
        save,
        success=_("The article is saved."),
        next=redirect(_list_address(article_id), 303),
        conflict=handle_conflict,
    )
    return done or show_again()


def _passage_page(
    form: PassageTextForm,
    row: OwnArticle,
    passage: OwnPassage | None = None,
    *,
    parts: ArticleParts | None = None,
    place: int = 1,
    is_new: bool | None = None,
    has_conflict: bool = False,
) -> str:
    """Show the form; with its preview and its differences, if parts are the text with it."""
    links = pages.item_links()
    view = pages.text_view(parts, headings_from=4) if parts is not None else None
    return render_template(
        "authoring/own_passages/form.html",
        form=form,
        article=row,
        passage=passage,
        is_new=passage is None if is_new is None else is_new,
        items=_items(passage, links) if passage else (),
        preview=next((shown for shown in view.passages if shown.number == place), None)
        if view
        else None,
        changes=_differences(passage, form.words()) if passage else [],
        has_conflict=has_conflict,
        back=_list_address(row.id),
        direction=locale.direction,
    )


def _differences(saved: OwnPassage, mine: PassageWords) -> list[Change]:
    """Return how the passage that was typed differs from the one that is saved."""
    return [
        Change(name, value_differences.words(before, after))
        for name, before, after in (
            (_("Title"), saved.title, mine.title),
            (_("Text"), saved.markdown, mine.text),
        )
        if before != after
    ]


def _list_address(article_id: UUID) -> str:
    return url_for("own_passages.passages", article_id=article_id)


# Moving and removing -----------------------------------------------------------------------------


@blueprint.route("/<int:passage_number>/move/<to>", methods=["POST"])
@signed_in
def move(article_id: UUID, passage_number: int, to: str) -> Response:
    """Move a passage up or down by one."""
    by = found_or_404(_STEPS.get(to))
    actor = current_actor()
    _get_or_404(actor, article_id)
    seen_version = ArticleVersionForm()["version"].data
    return perform(
        None,
        lambda: service.move(actor, article_id, passage_number, by, seen_version=seen_version),
        success=_("The passages have a new order."),
        next=redirect(_list_address(article_id), 303),
    )


@blueprint.route("/<int:passage_number>/remove", methods=["GET", "POST"])
@signed_in
def remove(article_id: UUID, passage_number: int) -> Answered:
    """Remove a passage, once somebody has confirmed it."""
    actor = current_actor()
    row = _get_or_404(actor, article_id)
    passage = found_or_404(service.passage_of(row, passage_number))
    form = ArticleVersionForm(data={"version": row.version})
    title = passage.title
    if form.is_submitted() and form.validate():
        done = perform(
            form,
            lambda: service.remove(
                actor, article_id, passage_number, seen_version=form["version"].data
            ),
            success=_("The passage is removed."),
            next=redirect(_list_address(article_id), 303),
        )
        if done:
            return done
        with reading():
            row = _get_or_404(actor, article_id)
            form["version"].data = row.version
    return render_template(
        "authoring/decide.html",
        form=form,
        above=[(url_for("own_guidance.articles"), _("Our guidance"))],
        back=_list_address(article_id),
        back_words=row.question,
        title_words=_("Remove “%(title)s”", title=title),
        lede_words=_("Its text isn't kept. The other passages stay as they are."),
        button=_("Remove the passage"),
    )
