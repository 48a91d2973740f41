"""The form in which a person chooses how often they get emails about each group."""

from collections.abc import Mapping

from tracker.notifications import kinds
from tracker.notifications.kinds import Frequency, Group
from tracker.notifications.labels import EXAMPLES, FREQUENCIES, GROUPS
from tracker.ui.fields import Option, SelectOneField
from tracker.ui.form_base import Form
from tracker.ui.validators import Required


def _field(group: Group) -> SelectOneField:
    return SelectOneField(
        GROUPS[group],
        [Required()],
        choices=[Option(often.value, FREQUENCIES[often]) for often in kinds.frequencies(group)],
        description=EXAMPLES[group],
        blank=None,
    )


class ChoicesForm(Form):
    """How often, for each group; each field has the name of its group."""

    signing = _field(Group.SIGNING)
    undertakings = _field(Group.UNDERTAKINGS)
    urgent = _field(Group.URGENT)
    texts = _field(Group.TEXTS)
    comments = _field(Group.COMMENTS)
    cooperations = _field(Group.COOPERATIONS)
    visits = _field(Group.VISITS)
    reviews = _field(Group.REVIEWS)

    @property
    def chosen(self) -> Mapping[Group, Frequency]:
        """What was chosen; only if the form is valid."""
        return {group: Frequency(self[group.value].data) for group in Group}
