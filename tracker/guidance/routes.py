"""Pages for the guidance: the library, an article, and its older revisions.

All are public: the guidance is of class K0, and a reader who was sent a link needs no account. In
the library, signed-in people also find what their organisations wrote.
"""

from dataclasses import replace

from babel import Locale
from flask import Blueprint, abort, current_app, render_template, request, url_for
from flask_babel import gettext as _

from tracker.access.gate import found_or_404, optional_actor, public
from tracker.guidance import pages, queries
from tracker.guidance.pages import Choice, Found
from tracker.guidance.queries import ArticleRead, Taxonomy, Use
from tracker.search.words import ask
from tracker.ui import locale
from tracker.ui.filters import FilterLink, filter_links
from tracker.ui.paging import SIZE, Page, asked_number, offset
from tracker.ui.words import tidy_line

blueprint = Blueprint("guidance", __name__, url_prefix="/guidance")

# The endpoint that shows a checklist's template, in a higher package.
TEMPLATE_PAGE = "checklists.template"


@blueprint.get("")
@public
def library() -> str:
    """Show the articles, all or those that match search words, a category and a topic."""
    taxonomy = queries.taxonomy(locale.language())
    typed = tidy_line(request.args.get("q", ""))
    choice = Choice(ask(typed), request.args.get("category", ""), request.args.get("topic", ""))
    if choice.category not in {"", *taxonomy.categories}:
        abort(404)
    if choice.topic not in {"", *taxonomy.topics}:
        abort(404)
    result = pages.find(choice, locale.language(), optional_actor())
    # The search contains neither letters nor digits, so nothing can match it.
    articles = () if typed and not choice.question else result.articles
    number = asked_number()
    shown = articles[offset(number) : offset(number) + SIZE]
    return render_template(
        "guidance/library.html",
        typed=typed,
        choice=choice,
        category=taxonomy.categories.get(choice.category),
        topic=taxonomy.topics.get(choice.topic),
        page=Page(result.lines(shown, taxonomy, choice.question), number, SIZE, len(articles)),
        categories=_links("category", taxonomy.categories, result.categories, _("All categories")),
        topics=_topic_links(taxonomy, result, choice.topic),
        direction=locale.direction,
    )


@blueprint.get("/<slug>")
@public
def article(slug: str) -> str:
    """Show the current revision of an article, with search words marked."""
    return _show(found_or_404(queries.article(_storable(slug), _language())))


@blueprint.get("/<slug>/revisions/<int(min=1, max=999999):revision>")
@public
def revision(slug: str, revision: int) -> str:
    """Show one revision of an article, as a signed agreement may name it."""
    return _show(found_or_404(queries.article(_storable(slug), _language(), revision)))


def item_address(use: Use) -> str | None:
    """Return the URL of an item of a checklist's template; None if no page shows it."""
    if TEMPLATE_PAGE not in current_app.view_functions:
        return None
    return url_for(TEMPLATE_PAGE, kind=use.used_by, _anchor=use.code)


def language_name(code: str) -> str:
    """Return a language's own name for itself."""
    known = Locale.parse(code.replace("-", "_"))
    return str(known.get_display_name(known) or code)


def _show(article: ArticleRead) -> str:
    question = ask(request.args.get("q", ""))
    return render_template(
        "guidance/article.html",
        view=pages.article_view(article, question, item_address, locale.language()),
        direction=locale.direction,
        language_name=language_name,
    )


def _topic_links(taxonomy: Taxonomy, result: Found, chosen: str) -> list[FilterLink]:
    """Return all topics in the source's order; those that no article is on are marked."""
    links = _links("topic", taxonomy.topics, result.topics, _("All topics"))
    usable = {"", chosen, *result.topics_there}
    return [
        link if slug in usable else replace(link, note=_("no article yet"))
        for slug, link in zip(["", *taxonomy.topics], links, strict=True)
    ]


def _links(
    name: str, terms: dict[str, str], counts: dict[str, int], all_of_them: str
) -> list[FilterLink]:
    return filter_links(name, [("", all_of_them), *terms.items()], counts)


def _language() -> str:
    return request.args.get("language") or locale.language()


def _storable(slug: str) -> str:
    """Return a slug that may exist; abort with 404 for one that no database can store."""
    if not slug.isprintable():
        abort(404)
    return slug
