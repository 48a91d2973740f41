"""Pages for an organisation's own guidance: the list, an article, writing with a preview."""

from collections.abc import Callable
from uuid import UUID

from flask import (
    Blueprint,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.authoring import labels, pages, policy
from tracker.authoring.facts import ArticleParts, ArticleWords
from tracker.authoring.forms import OwnArticleForm
from tracker.authoring.guidance import differences
from tracker.authoring.models import OwnArticle
from tracker.authoring.own_guidance import queries
from tracker.authoring.own_guidance import service as own_guidance
from tracker.core.db import reading
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError
from tracker.guidance.queries import taxonomy
from tracker.search.words import ask
from tracker.ui import locale
from tracker.ui.perform import perform

blueprint = Blueprint("own_guidance", __name__, url_prefix="/own-guidance")

Answered = str | Response
CODES = _l("Paired with items")


def _writer() -> Actor:
    actor = current_actor()
    require(policy.can_write_own(actor))
    return actor


def _get_or_404(actor: Actor, article_id: UUID) -> OwnArticle:
    """Return an article to change: 404 if it isn't visible, refused if it is a partner's."""
    row = found_or_404(queries.find(actor, article_id))
    require(policy.can_change_own(actor, row.organisation_id))
    return row


@blueprint.get("")
@signed_in
def articles() -> str:
    """List the articles of the organisation you are acting for, including withdrawn ones."""
    return render_template(
        "authoring/own_articles.html",
        rows=queries.own(_writer()),
        items=pages.item_links(),
        state=labels.own_state,
        direction=locale.direction,
    )


@blueprint.get("/<uuid:article_id>")
@signed_in
def article(article_id: UUID) -> str:
    """Show an organisation's own article to its people, and to partners if it is shared."""
    actor = current_actor()
    row = found_or_404(queries.find(actor, article_id))
    question = ask(request.args.get("q", ""))
    return render_template(
        "authoring/own_article.html",
        article=row,
        view=pages.text_view(
            own_guidance.parts_of(row), question=question, items=pages.item_links()
        ),
        taxonomy=taxonomy(locale.language()),
        state=labels.own_state(row),
        may_change=policy.can_change_own(actor, row.organisation_id),
        direction=locale.direction,
    )


@blueprint.get("/<uuid:article_id>/file")
@signed_in
def download(article_id: UUID) -> Response:
    """Return the text as it was written, to keep or to import elsewhere."""
    row = _get_or_404(current_actor(), article_id)
    response = make_response(f"# {row.question}\n\n{row.body}\n")
    response.headers["Content-Type"] = "text/markdown; charset=utf-8"
    response.headers["Content-Disposition"] = 'attachment; filename="guidance.md"'
    return response


# Writing -----------------------------------------------------------------------------------------


@blueprint.route("/new", methods=["GET", "POST"])
@signed_in
def add() -> Answered:
    """Write a new article; it can be previewed before it is saved."""
    actor = _writer()
    form = OwnArticleForm(taxonomy(locale.language()), data={"language": locale.language()})
    if not form.is_submitted():
        return _writing_page(form, None)
    parts = _checked(form, form.words()) if form.validate() else None
    if parts and _is_to_be_saved():
        done = perform(
            form,
            lambda: own_guidance.add(
                actor,
                form.words(),
                language=form["language"].data,
                for_partners=form["for_partners"].data,
            ),
            success=_("The article is saved."),
            next=lambda row: redirect(url_for("own_guidance.article", article_id=row.id), 303),
        )
        if done:
            return done
    with reading():
        return _writing_page(form, parts)


@blueprint.route("/<uuid:article_id>/change", methods=["GET", "POST"])
@signed_in
def change(article_id: UUID) -> Answered:
    """Change an article; if somebody else saved first, both are shown."""
    actor = current_actor()
    row = _get_or_404(actor, article_id)
    form = OwnArticleForm(taxonomy(locale.language()))
    if not form.is_submitted():
        form.fill_in(own_guidance.words_of(row))
        form["language"].data = row.language
        form["for_partners"].data = row.for_partners
        form["version"].data = row.version
        return _writing_page(form, None, row)
    words = form.words(own_guidance.words_of(row))
    parts = _checked(form, words) if form.validate() else None

    def show_again(*, has_conflict: bool = False) -> str:
        with reading():
            row = _get_or_404(actor, article_id)
            return _writing_page(form, parts, row, has_conflict=has_conflict)

    if parts is None or not _is_to_be_saved():
        return show_again()

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        return show_again(has_conflict=True)

    done = perform(
        form,
        lambda: own_guidance.change(
            actor,
            article_id,
            words,
            language=form["language"].data,
            for_partners=form["for_partners"].data,
            seen_version=form["version"].data,
        ),
        success=_("The article is saved."),
        next=redirect(url_for("own_guidance.article", article_id=article_id), 303),
        conflict=handle_conflict,
    )
    return done or show_again()


def _checked(form: OwnArticleForm, words: ArticleWords) -> ArticleParts | None:
    """Return a parsed article; None if something is wrong, which the form then shows."""
    try:
        return own_guidance.check(words)
    except (ContentError, RuleBrokenError) as error:
        form.refuse(error)
        return None


def _is_to_be_saved() -> bool:
    return request.form.get("step") != "preview"


def _writing_page(
    form: OwnArticleForm,
    parts: ArticleParts | None,
    row: OwnArticle | None = None,
    *,
    has_conflict: bool = False,
) -> str:
    """Show the form with the text, its preview, and how it differs from what is saved.

    If somebody else saved in the meantime, saving again replaces their text.
    """
    if row is not None and has_conflict:
        form["version"].data = row.version
    known = taxonomy(locale.language())
    before = own_guidance.parts_of(row) if row else None
    return render_template(
        "authoring/write_article.html",
        form=form,
        article=row,
        has_conflict=has_conflict,
        view=pages.text_view(parts, headings_from=4, items=pages.item_links()) if parts else None,
        difference=differences.between(before, parts, pages.names_of(known), codes=CODES)
        if before and parts
        else None,
    )


# Withdrawing -------------------------------------------------------------------------------------


@blueprint.route("/<uuid:article_id>/withdraw", methods=["POST"])
@signed_in
def withdraw(article_id: UUID) -> Response:
    """Withdraw an article: nobody sees it, but it is kept."""
    words = _("The article is withdrawn. It is kept, and can be shown again.")
    return _acted(article_id, own_guidance.withdraw, words)


@blueprint.route("/<uuid:article_id>/restore", methods=["POST"])
@signed_in
def restore(article_id: UUID) -> Response:
    """Show a withdrawn article again."""
    return _acted(article_id, own_guidance.restore, _("The article is shown again."))


def _acted(article_id: UUID, act: Callable[[Actor, UUID], object], words: str) -> Response:
    actor = current_actor()
    _get_or_404(actor, article_id)
    return perform(
        None,
        lambda: act(actor, article_id),
        success=words,
        next=redirect(url_for("own_guidance.article", article_id=article_id), 303),
    )
