"""Forms for a new passage of an organisation's own article, and for its order."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l

from tracker.authoring.passage_form import NewPassageTextForm
from tracker.ui.fields import Option, SelectOneField, VersionField
from tracker.ui.form_base import Form
from tracker.ui.validators import Optional


class NewOwnPassageForm(NewPassageTextForm):
    """A new passage, where it goes, and the checklist item beside which it's shown."""

    item = SelectOneField(
        _l("Shown beside the item"),
        [Optional()],
        blank=_l("None"),
        description=_l(
            "Everyone who fills in this item of a checklist then sees the passage beside it."
        ),
    )

    def __init__(self, places: Iterable[Option], items: Iterable[Option], **kw: Any) -> None:
        super().__init__(places, **kw)
        self._places = [place.value for place in self["after"].choices]
        self["item"].choices = list(items)

    def place(self) -> int:
        """Return the number of the passage it goes after; 0 puts it first.

        What the list doesn't offer, the form refuses.
        """
        chosen = self["after"].data
        return next((int(place) for place in self._places if place == chosen), 0)


class ArticleVersionForm(Form):
    """A button that changes the order of the passages, or removes one, on the version seen."""

    version = VersionField()
