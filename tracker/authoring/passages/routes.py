"""Pages for the guidance passage by passage: the list, and changing, adding, moving, removing.

In one file: every page begins with the same article, and leads back to its list.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import found_or_404, signed_in
from tracker.authoring import pages, queries
from tracker.authoring.facts import ArticleParts
from tracker.authoring.guidance import differences
from tracker.authoring.guidance import service as guidance_editing
from tracker.authoring.guidance.editing import administrator, get_revisions
from tracker.authoring.passages import service
from tracker.authoring.passages.forms import (
    DecidePassageForm,
    NewPassageForm,
    PassageForm,
    PublishedPassageForm,
)
from tracker.checklist_templates import value_differences
from tracker.checklist_templates.compare import Change
from tracker.core.db import reading
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError
from tracker.guidance import markdown
from tracker.guidance.models import Article, Passage
from tracker.guidance.queries import Use, taxonomy, uses_of
from tracker.ui import locale
from tracker.ui.fields import Option
from tracker.ui.perform import perform

blueprint = Blueprint("passages", __name__, url_prefix="/administration/guidance/<slug>/<language>")

Answered = str | Response
# How much of a passage's text the list shows.
_BEGINNING = 160


@dataclass(frozen=True, slots=True)
class PassageLine:
    """A passage in the list: its title, the beginning of its text, and where it's used."""

    passage: Passage
    beginning: str
    uses: Sequence[Use]


@blueprint.get("/passages")
@signed_in
def passages(slug: str, language: str) -> str:
    """List the passages of an article's current revision."""
    actor = administrator()
    current = _current(get_revisions(actor, slug, language))
    uses = uses_of(current, locale.language())
    return render_template(
        "authoring/passages/list.html",
        row=current,
        lines=[
            PassageLine(passage, _beginning(passage), uses.get(passage.key, ()))
            for passage in current.passages
        ],
        others=queries.current_in_other_languages(actor, current),
        direction=locale.direction,
    )


def _current(revisions: Sequence[Article]) -> Article:
    return found_or_404(guidance_editing.current_of(revisions))


def _beginning(passage: Passage) -> str:
    text = " ".join(markdown.plain(passage.markdown).split())
    return text if len(text) <= _BEGINNING else text[:_BEGINNING].rsplit(" ", 1)[0] + "…"


# Changing and adding -----------------------------------------------------------------------------


@blueprint.route("/passages/<key>", methods=["GET", "POST"])
@signed_in
def change(slug: str, language: str, key: str) -> Answered:
    """Change a passage: preview it, then publish exactly that.

    If somebody else changed it meanwhile, both are shown; if they removed it, what was typed stays.
    """
    actor = administrator()
    revisions = get_revisions(actor, slug, language)
    current = _current(revisions)
    passage = service.passage_of(current, key)
    if passage is None and request.method == "POST":
        earlier = (service.passage_of(row, key) for row in revisions)
        passage = next((row for row in earlier if row is not None), None)
    passage = found_or_404(passage)
    form = PublishedPassageForm(
        data={
            "title": passage.title,
            "text": passage.markdown,
            "version": current.revision,
        }
    )
    if not form.is_submitted():
        return _passage_page(form, current, passage)
    words = form.words()

    def parsed() -> ArticleParts:
        number = service.number_of(current, key) or 1
        body = service.changed_body(current, key, words)
        return service.read(revisions, current, body, number, words.text)

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        with reading():
            now = _current(get_revisions(actor, slug, language))
            theirs = service.passage_of(now, key)
            form["version"].data = now.revision
            return _passage_page(
                form,
                now,
                theirs or passage,
                conflict=_differences(theirs, form) if theirs else [],
                has_conflict=True,
                is_gone=theirs is None,
            )

    try:
        parts = parsed() if form.validate() else None
    except StaleError as error:
        return handle_conflict(error)
    except (ContentError, RuleBrokenError) as error:
        form.refuse(error)
        parts = None
    done = (
        parts is not None
        and form.is_to_be_published(request.form.get("step"))
        and perform(
            form,
            lambda: service.change(
                actor,
                slug,
                language,
                key,
                words,
                seen_revision=form["version"].data,
                reason=form["reason"].data or "",
            ),
            success=lambda row: _("Revision %(number)s is now current.", number=row.revision),
            next=redirect(_list_address(slug, language), 303),
            conflict=handle_conflict,
        )
    )
    if done:
        return done
    with reading():
        now = _current(get_revisions(actor, slug, language))
        return _passage_page(form, now, service.passage_of(now, key) or passage, parts=parts)


@blueprint.route("/add-passage", methods=["GET", "POST"])
@signed_in
def add(slug: str, language: str) -> Answered:
    """Add a passage: preview it, then publish exactly that."""
    actor = administrator()
    revisions = get_revisions(actor, slug, language)
    current = _current(revisions)
    originals = {passage.key: passage for passage in _untranslated(actor, current)}
    form = NewPassageForm(
        [
            Option(passage.key, _("After “%(title)s”", title=passage.title))
            for passage in current.passages
        ],
        [Option(key, passage.title) for key, passage in originals.items()],
        data={
            "version": current.revision,
            "after": current.passages[-1].key if current.passages else "",
        },
    )
    if not form.is_submitted():
        return _passage_page(form, current)
    words, after = form.words(), form["after"].data or ""
    original = originals.get(form["translated"].data or "")
    codes = (*original.statements, *original.items) if original else ()

    def parsed() -> ArticleParts:
        own = original.key if original else service.key_for(current, words)
        heading = " ".join([f"#{own}", *codes])
        number = (service.number_of(current, after) or 0) + 1
        body = service.added_body(current, words, after=after, heading=heading)
        return service.read(revisions, current, body, number, words.text)

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        with reading():
            now = _current(get_revisions(actor, slug, language))
            form["version"].data = now.revision
            return _passage_page(form, now)

    try:
        parts = parsed() if form.validate() else None
    except (ContentError, RuleBrokenError) as error:
        form.refuse(error)
        parts = None
    done = (
        parts is not None
        and form.is_to_be_published(request.form.get("step"))
        and perform(
            form,
            lambda: service.add(
                actor,
                slug,
                language,
                words,
                after=after,
                key=original.key if original else "",
                codes=codes,
                reason=form["reason"].data or "",
            ),
            success=lambda row: _("Revision %(number)s is now current.", number=row.revision),
            next=redirect(_list_address(slug, language), 303),
            conflict=handle_conflict,
        )
    )
    if done:
        return done
    with reading():
        return _passage_page(form, _current(get_revisions(actor, slug, language)), parts=parts)


def _untranslated(actor: Actor, row: Article) -> Iterator[Passage]:
    """Yield the passages that the article has in another language and not in this one."""
    taken = {passage.key for passage in row.passages}
    for other in queries.current_in_other_languages(actor, row):
        for passage in other.passages:
            if passage.key not in taken:
                taken.add(passage.key)
                yield passage


def _differences(theirs: Passage, form: PassageForm) -> list[Change]:
    """Return how the passage that was typed differs from the one somebody saved."""
    mine = form.words()
    return [
        Change(name, value_differences.words(before, after))
        for name, before, after in (
            (_("Title"), theirs.title, mine.title),
            (_("Text"), theirs.markdown, mine.text),
        )
        if before != after
    ]


def _passage_page(
    form: PassageForm,
    current: Article,
    passage: Passage | None = None,
    *,
    parts: ArticleParts | None = None,
    **context: Any,
) -> str:
    """Show the form; with its preview and its differences, if parts are the text with it."""
    preview = None
    if parts is not None:
        key = passage.key if passage else _new_key(current, parts)
        view = pages.text_view(parts, headings_from=4)
        preview = next((shown for shown in view.passages if shown.key == key), None)
    before = guidance_editing.parts_of(current)
    uses = uses_of(current, locale.language()) if passage else {}
    return render_template(
        "authoring/passages/form.html",
        form=form,
        row=current,
        passage=passage,
        uses=uses.get(passage.key, ()) if passage else (),
        preview=preview,
        difference=differences.between(before, parts, pages.names_of(taxonomy(locale.language())))
        if parts is not None
        else None,
        back=_list_address(current.slug, current.language),
        direction=locale.direction,
        **context,
    )


def _new_key(current: Article, parts: ArticleParts) -> str:
    known = {passage.key for passage in current.passages}
    return next((passage.key for passage in parts.passages if passage.key not in known), "")


def _list_address(slug: str, language: str) -> str:
    return url_for("passages.passages", slug=slug, language=language)


# Moving and removing -----------------------------------------------------------------------------


# How far a passage moves, by the last part of the address.
_STEPS = {"up": -1, "down": 1}


@blueprint.route("/passages/<key>/move/<to>", methods=["GET", "POST"])
@signed_in
def move(slug: str, language: str, key: str, to: str) -> Answered:
    """Move a passage up or down by one."""
    actor = administrator()
    by = found_or_404(_STEPS.get(to))
    current = _current(get_revisions(actor, slug, language))
    passage = found_or_404(service.passage_of(current, key))
    form = DecidePassageForm(data={"version": current.revision})
    done = _decided(form, current, partial(service.move, actor, slug, language, key, by))
    title = (
        _("Move “%(title)s” up", title=passage.title)
        if by < 0
        else _("Move “%(title)s” down", title=passage.title)
    )
    return done or _decide_page(
        form,
        current,
        title=title,
        lede=_("The passages get new numbers. Links from checklist items stay."),
        button=_("Move up") if by < 0 else _("Move down"),
    )


@blueprint.route("/passages/<key>/remove", methods=["GET", "POST"])
@signed_in
def remove(slug: str, language: str, key: str) -> Answered:
    """Remove a passage, unless items are based on it."""
    actor = administrator()
    current = _current(get_revisions(actor, slug, language))
    passage = found_or_404(service.passage_of(current, key))
    items = [use.code for use in uses_of(current, locale.language()).get(key, ())]
    form = DecidePassageForm(data={"version": current.revision})
    done = _decided(form, current, partial(service.remove, actor, slug, language, key))
    lede = _("Earlier revisions keep it, and agreements that refer to them still show it.")
    if items:
        lede = _(
            "These items show it beside the question: %(items)s. Earlier revisions keep it.",
            items=locale.with_commas(items),
        )
    return done or _decide_page(
        form,
        current,
        title=_("Remove “%(title)s”", title=passage.title),
        lede=lede,
        button=_("Remove the passage"),
    )


def _decided(
    form: DecidePassageForm, current: Article, act: Callable[..., Article]
) -> Answered | None:
    """Publish what was confirmed, if the form was sent and is valid."""
    slug, language = current.slug, current.language
    if not form.validate_on_submit():
        return None
    return perform(
        form,
        lambda: act(seen_revision=form["version"].data, reason=form["reason"].data or ""),
        success=lambda row: _("Revision %(number)s is now current.", number=row.revision),
        next=redirect(_list_address(slug, language), 303),
        conflict=lambda error: _conflict_on_decision(form, error, slug, language),
    )


def _conflict_on_decision(
    form: DecidePassageForm, error: StaleError, slug: str, language: str
) -> str:
    """Show the form again with what happened; confirming once more decides on the new revision."""
    form.refuse(error)
    with reading():
        current = _current(get_revisions(administrator(), slug, language))
        form["version"].data = current.revision
        return _decide_page(
            form,
            current,
            title=_("The article was changed"),
            lede=_("Look at the passages again, then decide."),
            button=_("Do it anyway"),
        )


def _decide_page(
    form: DecidePassageForm, row: Article, *, title: str, lede: str, button: str
) -> str:
    return render_template(
        "authoring/decide.html",
        form=form,
        above=[(url_for("guidance_editing.articles"), _("Guidance texts"))],
        back=_list_address(row.slug, row.language),
        back_words=row.question,
        title_words=title,
        lede_words=lede,
        button=button,
    )
