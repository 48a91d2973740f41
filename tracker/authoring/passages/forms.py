"""Forms for one passage of an article."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l

from tracker.authoring.checklists.service import MAX_REASON
from tracker.authoring.passage_form import NewPassageTextForm, PassageTextForm
from tracker.authoring.previewed import PreviewedForm
from tracker.core import canonical
from tracker.ui.fields import Option, SelectOneField, TextField, VersionField
from tracker.ui.form_base import Form
from tracker.ui.validators import Optional, Required


class PassageForm(PassageTextForm, PreviewedForm):
    """One passage of the guidance, which is published after its preview."""

    def is_to_be_published(self, step: str | None) -> bool:
        """Return whether to publish: only if the passage is exactly what the preview showed."""
        words = self.words()
        digest = canonical.digest_of({"title": words.title, "text": words.text})
        return self.is_as_previewed(digest, step)


class PublishedPassageForm(PassageForm):
    """One passage of the guidance, which is published with a reason."""

    # Required for publishing a text, not for its preview.
    reason = TextField(
        _l("Reason"),
        most=MAX_REASON,
        description=_l("It's shown beside the revision and recorded in the instance's trail."),
        render_kw={"rows": 3},
    )


class NewPassageForm(NewPassageTextForm, PublishedPassageForm):
    """A new passage of the guidance, and where it goes."""

    translated = SelectOneField(
        _l("Which passage it translates"),
        [Optional()],
        blank=_l("None"),
        description=_l("Checklist items then show it to readers of this language."),
    )

    def __init__(self, places: Iterable[Option], untranslated: Iterable[Option], **kw: Any) -> None:
        super().__init__(places, **kw)
        self["translated"].choices = list(untranslated)


class DecidePassageForm(Form):
    """Why a passage is moved or removed, together with the revision that was seen."""

    reason = TextField(
        _l("Reason"),
        [Required()],
        most=MAX_REASON,
        description=_l("It's shown beside the revision and recorded in the instance's trail."),
    )
    version = VersionField()
