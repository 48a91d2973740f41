"""Pages for this instance's guidance: articles, revisions, editing with a preview, deciding."""

from collections.abc import Sequence

from flask import (
    Blueprint,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.access.gate import found_or_404, require, signed_in
from tracker.authoring import labels, pages, queries
from tracker.authoring.facts import ArticleParts, ArticleWords
from tracker.authoring.forms import DecideForm, EditForm
from tracker.authoring.guidance import differences
from tracker.authoring.guidance import service as guidance_editing
from tracker.authoring.guidance.editing import administrator, get_revisions, numbered_or_404
from tracker.core.db import reading
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError
from tracker.guidance import policy
from tracker.guidance.models import Article
from tracker.guidance.queries import taxonomy
from tracker.ui import locale
from tracker.ui.perform import perform

blueprint = Blueprint("guidance_editing", __name__, url_prefix="/administration/guidance")

Answered = str | Response
REVISION = "/<slug>/<language>/<int(min=1, max=999999):number>"


@blueprint.get("")
@signed_in
def articles() -> str:
    """List all articles with their current revisions, and shipped ones awaiting a decision."""
    return render_template(
        "authoring/articles.html",
        lines=queries.articles(administrator()),
        origins=labels.ARTICLE_ORIGINS,
        direction=locale.direction,
    )


@blueprint.get(REVISION)
@signed_in
def revision(slug: str, language: str, number: int) -> str:
    """Show one revision, and how it differs from the previous one or from a chosen one."""
    actor = administrator()
    revisions = get_revisions(actor, slug, language)
    row = numbered_or_404(revisions, number)
    others = [other for other in revisions if other.id != row.id]
    other = _compared_with(row, others, request.args.get("with", ""))
    names = pages.names_of(taxonomy(locale.language()))
    parts = guidance_editing.parts_of(row)
    return render_template(
        "authoring/revision.html",
        row=row,
        view=pages.text_view(parts, headings_from=4),
        names=names,
        state=labels.article_state(row),
        origin=labels.ARTICLE_ORIGINS[row.origin],
        others=others,
        other=other,
        difference=differences.between(guidance_editing.parts_of(other), parts, names)
        if other
        else None,
        current=guidance_editing.current_of(revisions),
        may_use=_may_use(actor, revisions, row),
        may_pass_over=policy.can_pass_over(actor, waits=row.waits),
        direction=locale.direction,
    )


def _may_use(actor: Actor, revisions: Sequence[Article], row: Article) -> Decision:
    return policy.can_use_shipped(
        actor,
        is_newest_shipped=row is guidance_editing.newest_shipped(revisions),
        is_current=row.is_current,
    )


def _compared_with(row: Article, others: Sequence[Article], chosen: str) -> Article | None:
    """Return what to compare with: the requested one, else what it replaced or would replace."""
    compared = next((other for other in others if str(other.revision) == chosen), None)
    if compared is not None:
        return compared
    if row.waits:
        return next((other for other in others if other.is_current), None)
    return next(
        (other for other in others if other.revision < row.revision and not other.waits), None
    )


@blueprint.get(f"{REVISION}/file")
@signed_in
def download(slug: str, language: str, number: int) -> Response:
    """Return a revision as a Markdown file that can be changed and uploaded."""
    row = numbered_or_404(get_revisions(administrator(), slug, language), number)
    response = make_response(guidance_editing.file_of(row))
    response.headers["Content-Type"] = "text/markdown; charset=utf-8"
    name = f"{row.slug}-{row.language}-{row.revision}.md"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# Editing -----------------------------------------------------------------------------------------


@blueprint.route("/<slug>/<language>/edit", methods=["GET", "POST"])
@signed_in
def edit(slug: str, language: str) -> Answered:
    """Edit an article: preview it and its changes, then publish exactly that.

    Started from another revision (?from=), editing begins with an older text or one awaiting a
    decision.
    """
    actor = administrator()
    revisions = get_revisions(actor, slug, language)
    current, base = found_or_404(guidance_editing.current_of(revisions)), _begun_from(revisions)
    form = EditForm(taxonomy(locale.language()))
    if not form.is_submitted():
        form.fill_in(guidance_editing.words_of(base))
        form["version"].data = current.revision
        return _edit_page(form, revisions)

    def show_again(parts: ArticleParts | None = None, *, has_conflict: bool = False) -> str:
        with reading():
            return _edit_page(
                form, get_revisions(actor, slug, language), parts, has_conflict=has_conflict
            )

    before, made_from = guidance_editing.words_of(base), base.revision
    try:
        if not _is_complete(form, current):
            return show_again()
        words = form.words(before)
        text = guidance_editing.read(words, slug)
        guidance_editing.check(text, get_revisions(actor, slug, language))
    except (ContentError, RuleBrokenError) as error:
        form.refuse(error)
        return show_again()

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        return show_again(text.parts, has_conflict=True)

    done = _is_to_be_published(form, words) and perform(
        form,
        lambda: guidance_editing.publish(
            actor,
            slug,
            language,
            words,
            seen_revision=form["version"].data,
            made_from=made_from,
            reason=form["reason"].data or "",
        ),
        success=lambda row: _("Revision %(number)s is now current.", number=row.revision),
        next=lambda row: redirect(_address(row), 303),
        conflict=handle_conflict,
    )
    return done or show_again(text.parts)


def _begun_from(revisions: Sequence[Article]) -> Article:
    """Return the revision that editing started from: the requested one, else the current one."""
    chosen = request.args.get("from", "")
    return (
        numbered_or_404(revisions, chosen)
        if chosen
        else found_or_404(guidance_editing.current_of(revisions))
    )


def _is_complete(form: EditForm, current: Article) -> bool:
    """Load an uploaded file into the form, and return whether the form is filled in."""
    if form["file"].data:
        form.fill_in(guidance_editing.words_from_file(form.file_text(), current))
        return True
    return bool(form.validate())


def _is_to_be_published(form: EditForm, words: ArticleWords) -> bool:
    """Return whether to publish: only if the text is exactly what the preview showed."""
    seen = bool(form["previewed"].data == words.digest)
    form["previewed"].data = words.digest
    if request.form.get("step") != "publish":
        return False
    if not seen:
        form.form_errors.append(
            _("The text was changed since its preview. Look at the new one, then publish.")
        )
    return seen


def _edit_page(
    form: EditForm,
    revisions: Sequence[Article],
    parts: ArticleParts | None = None,
    *,
    has_conflict: bool = False,
) -> str:
    """Show the form with the text, its preview, and how it differs from the current text.

    If another revision became current in the meantime, saving again replaces that one.
    """
    current = found_or_404(guidance_editing.current_of(revisions))
    if has_conflict:
        form["version"].data = current.revision
    names = pages.names_of(taxonomy(locale.language()))
    return render_template(
        "authoring/edit_article.html",
        form=form,
        base=_begun_from(revisions),
        current=current,
        has_conflict=has_conflict,
        view=pages.text_view(parts, headings_from=4) if parts else None,
        difference=differences.between(guidance_editing.parts_of(current), parts, names)
        if parts
        else None,
        direction=locale.direction,
    )


# Deciding on shipped revisions -------------------------------------------------------------------


@blueprint.route(f"{REVISION}/use", methods=["GET", "POST"])
@signed_in
def use(slug: str, language: str, number: int) -> Answered:
    """Make the latest shipped revision current in place of the edited one."""
    actor = administrator()
    revisions = get_revisions(actor, slug, language)
    row = numbered_or_404(revisions, number)
    require(_may_use(actor, revisions, row))
    form = DecideForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: guidance_editing.use_shipped(
            actor, slug, language, number, reason=_reason_of(form)
        ),
        success=_("Revision %(number)s is now current.", number=number),
        next=redirect(_address(row), 303),
    )
    return done or _decide_page(
        form,
        row,
        title=_("Use the shipped revision %(number)s", number=number),
        lede=_(
            "It replaces the text edited here and doesn't contain those edits. "
            "The edited revision is kept, and agreements that refer to it still "
            "show it."
        ),
        button=_("Use the shipped revision"),
    )


@blueprint.route(f"{REVISION}/pass-over", methods=["GET", "POST"])
@signed_in
def pass_over(slug: str, language: str, number: int) -> Answered:
    """Keep the edited text instead of a shipped revision."""
    actor = administrator()
    row = numbered_or_404(get_revisions(actor, slug, language), number)
    require(policy.can_pass_over(actor, waits=row.waits))
    form = DecideForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: guidance_editing.pass_over(actor, slug, language, number, reason=_reason_of(form)),
        success=_("The text edited here stays current."),
        next=redirect(_address(row), 303),
    )
    return done or _decide_page(
        form,
        row,
        title=_("Keep the edited text over revision %(number)s", number=number),
        lede=_(
            "The text edited here stays current. The next revision that comes with an update "
            "needs a decision again."
        ),
        button=_("Keep the edited text"),
    )


def _reason_of(form: DecideForm) -> str:
    return form["reason"].data or ""


def _decide_page(form: DecideForm, row: Article, *, title: str, lede: str, button: str) -> str:
    return render_template(
        "authoring/decide.html",
        form=form,
        above=[(url_for("guidance_editing.articles"), _("Guidance texts"))],
        back=_address(row),
        back_words=row.question,
        title_words=title,
        lede_words=lede,
        button=button,
    )


def _address(row: Article) -> str:
    return url_for(
        "guidance_editing.revision", slug=row.slug, language=row.language, number=row.revision
    )
