"""Which people working on a checklist may read a comment, for mentions and tasks."""

from collections.abc import Iterable
from uuid import UUID

from tracker.comments.models import CommentAudience
from tracker.cooperations.people import Person


def of_audience(
    people: Iterable[Person], audience: CommentAudience, organisation_id: UUID
) -> list[Person]:
    """Return which of some writers may read an organisation's comment to this audience."""
    if audience is CommentAudience.ALL:
        return list(people)
    return [person for person in people if person.organisation_id == organisation_id]
