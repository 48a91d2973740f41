"""Labels for the audience and the status of a comment."""

from flask_babel import lazy_gettext as _l

from tracker.comments.models import CommentAudience

AUDIENCES: dict[CommentAudience, object] = {
    CommentAudience.ALL: _l("All parties"),
    CommentAudience.OWN: _l("Our side only"),
}
# Filters of a thread; the empty one shows all of it.
FILTERS: tuple[tuple[str, object], ...] = (
    ("", _l("All comments")),
    ("open", _l("Open")),
    ("settled", _l("Settled")),
)
