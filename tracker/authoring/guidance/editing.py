"""What every page for editing the guidance begins with: who asks, and the article's revisions."""

from collections.abc import Sequence

from flask import abort

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require
from tracker.authoring import queries
from tracker.guidance import policy
from tracker.guidance.models import Article


def administrator() -> Actor:
    """Return the person, who must be an administrator."""
    actor = current_actor()
    require(policy.can_edit(actor))
    return actor


def get_revisions(actor: Actor, slug: str, language: str) -> Sequence[Article]:
    """Return all revisions of an article; a URL that no database can store is 404 too."""
    if not (slug.isprintable() and language.isprintable()):
        abort(404)
    return found_or_404(queries.revisions(actor, slug, language) or None)


def numbered_or_404(revisions: Sequence[Article], number: int | str) -> Article:
    """Return a revision by its number, or raise 404."""
    return found_or_404(next((row for row in revisions if str(row.revision) == str(number)), None))
