"""Shipped texts that await an administrator's decision, for My work."""

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.authoring import queries
from tracker.guidance.models import Article
from tracker.ui.tasks import YOURS, Task, TaskHeading, Tasks


def shipped_texts(actor: Actor) -> Tasks:
    """Return tasks for shipped revisions that await a decision. A source for My work."""
    return Tasks(mine=tuple(_task(row) for row in queries.waiting_articles(actor)))


def _task(row: Article) -> Task:
    return Task(
        label=_("Decide on a shipped revision of “%(question)s”", question=row.question),
        state=_l("Waiting for your decision"),
        s=YOURS,
        url=url_for(
            "guidance_editing.revision", slug=row.slug, language=row.language, number=row.revision
        ),
        why=_l(
            "It came with an update after the article had been edited here. The "
            "edited text stays until you decide."
        ),
        act=_l("Decide"),
        under=TaskHeading("guidance", _l("Guidance")),
    )
