"""Comparison of the revision a page was about with the current one, for acts other than signing.

People who end, suspend, renew, amend or call back a text, or call off its amendment, mean the one
they saw (product.md, 5.3): the revision in force or stopped, the pending one, and the open
amendment.
"""

from tracker.access import page_tokens
from tracker.access.actor import Actor
from tracker.agreements import notices
from tracker.checklists.heads import lock
from tracker.checklists.models import Checklist
from tracker.core.db import db
from tracker.signoff.models import Revision

_PURPOSE = "text-acted-on"


def revision_of(checklist: Checklist) -> Revision | None:
    """Return the revision that a page is about: the pending one, or else the one in force."""
    revision_id = checklist.revision_sent_id or notices.standing_revision_id(checklist)
    return db.session.get_one(Revision, revision_id) if revision_id else None


def token_of(actor: Actor, *checklists: Checklist) -> str:
    """Return the token of a page that is about these texts in their current state."""
    revision = revision_of(checklists[0]) if len(checklists) == 1 else None
    digest = revision.digest if revision else ""
    return page_tokens.token_of(actor, _PURPOSE, _standing(checklists), digest)


def require(actor: Actor, *checklists: Checklist, token: str | None) -> None:
    """Lock texts; raise NotShownError unless the person's page showed their current state."""
    lock(*checklists)
    page_tokens.require_shown(actor, _PURPOSE, token, _standing(checklists))


def revision_on(actor: Actor, token: str | None) -> str:
    """Return the digest of the revision that a page of one text was about; empty if unknown."""
    content = page_tokens.read(actor, _PURPOSE, token)
    return content.more[0] if content else ""


def _standing(checklists: tuple[Checklist, ...]) -> str:
    return page_tokens.digest_of(
        *(
            str(part)
            for checklist in sorted(checklists, key=lambda checklist: checklist.id)
            for part in (
                checklist.id,
                checklist.state.value,
                checklist.revision_in_force_id,
                checklist.revision_sent_id,
                checklist.stopped_id,
                checklist.stopped_by,
                # Which amendment is open, if any.
                checklist.open_items,
                checklist.reason,
            )
        )
    )
