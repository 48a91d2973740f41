"""Pages for this instance's guidance: articles, revisions, editing with a preview, deciding."""

from collections.abc import Sequence

from flask import (
    Blueprint,
    abort,
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
from tracker.access.gate import current_actor, found, require, signed_in
from tracker.authoring import labels, pages, queries
from tracker.authoring.facts import ArticleParts, ArticleWords
from tracker.authoring.forms import DecideForm, EditForm
from tracker.authoring.guidance import differences
from tracker.authoring.guidance import service as guidance_editing
from tracker.core.content import ContentError
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.guidance import policy
from tracker.guidance.models import Article
from tracker.guidance.queries import taxonomy
from tracker.ui import locale
from tracker.ui.perform import perform

blueprint = Blueprint("guidance_editing", __name__, url_prefix="/administration/guidance")

Answered = str | Response
REVISION = "/<slug>/<language>/<int(min=1, max=999999):number>"


def _administrator() -> Actor:
    actor = current_actor()
    require(policy.can_edit(actor))
    return actor


@blueprint.get("")
@signed_in
def articles() -> str:
    """List all articles with their current revisions, and what was shipped and waits."""
    return render_template(
        "authoring/articles.html",
        lines=queries.articles(_administrator()),
        origins=labels.ARTICLE_ORIGINS,
        direction=locale.direction,
    )


def _held(actor: Actor, slug: str, language: str) -> Sequence[Article]:
    """Return all revisions of an article; an address that no database can hold is 404 too."""
    if not (slug.isprintable() and language.isprintable()):
        abort(404)
    return found(queries.revisions(actor, slug, language) or None)


def _numbered(held: Sequence[Article], number: int | str) -> Article:
    return found(next((row for row in held if str(row.revision) == str(number)), None))


@blueprint.get(REVISION)
@signed_in
def revision(slug: str, language: str, number: int) -> str:
    """Show one revision, and how it differs from the one before or from one that is chosen."""
    actor = _administrator()
    held = _held(actor, slug, language)
    row = _numbered(held, number)
    others = [one for one in held if one.id != row.id]
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
        current=guidance_editing.current_of(held),
        may_use=_may_use(actor, held, row),
        may_pass_over=policy.can_pass_over(actor, waits=row.waits),
        direction=locale.direction,
    )


def _may_use(actor: Actor, held: Sequence[Article], row: Article) -> Decision:
    return policy.can_use_shipped(
        actor,
        is_newest_shipped=row is guidance_editing.newest_shipped(held),
        is_current=row.is_current,
    )


def _compared_with(row: Article, others: Sequence[Article], chosen: str) -> Article | None:
    """Choose what to compare with: what was asked for, else what it replaced or would replace."""
    asked = next((one for one in others if str(one.revision) == chosen), None)
    if asked is not None:
        return asked
    if row.waits:
        return next((one for one in others if one.is_current), None)
    return next((one for one in others if one.revision < row.revision and not one.waits), None)


@blueprint.get(f"{REVISION}/file")
@signed_in
def download(slug: str, language: str, number: int) -> Response:
    """Give a revision as a Markdown file that can be changed and sent back."""
    row = _numbered(_held(_administrator(), slug, language), number)
    response = make_response(guidance_editing.file_of(row))
    response.headers["Content-Type"] = "text/markdown; charset=utf-8"
    name = f"{row.slug}-{row.language}-{row.revision}.md"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# Editing -----------------------------------------------------------------------------------------


@blueprint.route("/<slug>/<language>/edit", methods=["GET", "POST"])
@signed_in
def edit(slug: str, language: str) -> Answered:
    """Edit an article: see its preview and what it changes, then publish exactly that.

    Begun from another revision (?from=), an older text or one that waits is the beginning.
    """
    actor = _administrator()
    held = _held(actor, slug, language)
    current, base = found(guidance_editing.current_of(held)), _begun_from(held)
    form = EditForm(taxonomy(locale.language()))
    if not form.is_submitted():
        form.fill_in(guidance_editing.words_of(base))
        form["version"].data = current.revision
        return _edit_page(form, held)
    try:
        if not _is_complete(form, current):
            return _edit_page(form, held)
        words = form.words(guidance_editing.words_of(base))
        parts = guidance_editing.check(words, held)
    except (ContentError, RuleBrokenError) as error:
        form.refuse(error)
        return _edit_page(form, held)

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        return _edit_page(form, _held(actor, slug, language), parts, is_overtaken=True)

    done = _is_to_be_published(form, words) and perform(
        form,
        lambda: guidance_editing.publish(
            actor,
            slug,
            language,
            words,
            seen_revision=form["version"].data,
            made_from=base.revision,
            reason=form["reason"].data or "",
        ),
        success=lambda row: _("Revision %(number)s is current from now on.", number=row.revision),
        next=lambda row: redirect(_address(row), 303),
        conflict=handle_conflict,
    )
    return done or _edit_page(form, _held(actor, slug, language), parts)


def _begun_from(held: Sequence[Article]) -> Article:
    """Return the revision that editing began from: one asked for, else the current one."""
    asked = request.args.get("from", "")
    return _numbered(held, asked) if asked else found(guidance_editing.current_of(held))


def _is_complete(form: EditForm, current: Article) -> bool:
    """Take over a file that was sent, and tell whether the form is filled in."""
    if form["file"].data:
        form.fill_in(guidance_editing.words_from_file(form.file_text(), current))
        return True
    return bool(form.validate())


def _is_to_be_published(form: EditForm, words: ArticleWords) -> bool:
    """Tell whether to publish: what is published is what the preview showed, sign by sign."""
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
    held: Sequence[Article],
    parts: ArticleParts | None = None,
    *,
    is_overtaken: bool = False,
) -> str:
    """Show the form with what was written, its preview, and how it differs from the current text.

    Where another revision became current meanwhile, saving again puts this one in its place.
    """
    current = found(guidance_editing.current_of(held))
    if is_overtaken:
        form["version"].data = current.revision
    names = pages.names_of(taxonomy(locale.language()))
    return render_template(
        "authoring/edit_article.html",
        form=form,
        base=_begun_from(held),
        current=current,
        is_overtaken=is_overtaken,
        view=pages.text_view(parts, headings_from=4) if parts else None,
        difference=differences.between(guidance_editing.parts_of(current), parts, names)
        if parts
        else None,
        direction=locale.direction,
    )


# Deciding on what was shipped --------------------------------------------------------------------


@blueprint.route(f"{REVISION}/use", methods=["GET", "POST"])
@signed_in
def use(slug: str, language: str, number: int) -> Answered:
    """Make the newest shipped revision current in place of the edited one."""
    actor = _administrator()
    held = _held(actor, slug, language)
    row = _numbered(held, number)
    require(_may_use(actor, held, row))
    form = DecideForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: guidance_editing.use_shipped(
            actor, slug, language, number, reason=_reason_of(form)
        ),
        success=_("Revision %(number)s is current from now on.", number=number),
        next=redirect(_address(row), 303),
    )
    return done or _decide_page(
        form,
        row,
        title=_("Use the shipped revision %(number)s", number=number),
        lede=_(
            "It becomes current in place of the text that was edited here. What was edited is not "
            "in it; that revision stays, and agreements that name it still show it."
        ),
        button=_("Use the shipped revision"),
    )


@blueprint.route(f"{REVISION}/pass-over", methods=["GET", "POST"])
@signed_in
def pass_over(slug: str, language: str, number: int) -> Answered:
    """Keep the edited text over a shipped revision that waits."""
    actor = _administrator()
    row = _numbered(_held(actor, slug, language), number)
    require(policy.can_pass_over(actor, waits=row.waits))
    form = DecideForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: guidance_editing.pass_over(actor, slug, language, number, reason=_reason_of(form)),
        success=_("The text that was edited here stays current."),
        next=redirect(_address(row), 303),
    )
    return done or _decide_page(
        form,
        row,
        title=_("Keep the edited text over revision %(number)s", number=number),
        lede=_(
            "The text that was edited here stays current. The next revision that is shipped waits "
            "for a decision again."
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
