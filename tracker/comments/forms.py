"""Forms for comments: write one, edit one, settle one, turn one into a task."""

from typing import Any

from flask_babel import lazy_gettext as _l

from tracker.comments.labels import AUDIENCES
from tracker.comments.models import CommentAudience
from tracker.comments.policy import OUTCOME_LENGTH, TEXT_LENGTH
from tracker.ui.fields import (
    ChoiceField,
    ChoicesField,
    DateField,
    LineField,
    Option,
    SelectOneField,
    TextField,
)
from tracker.ui.form_base import Form
from tracker.ui.validators import Optional, Required


class CommentForm(Form):
    """A comment, its audience, and people to mention. Nothing is preselected."""

    text = TextField(_l("Your comment"), [Required()], most=TEXT_LENGTH)
    audience = ChoiceField(
        _l("Who may read it?"),
        [Required(_l("Choose who may read your comment"))],
        description=_l("This can't be widened afterwards."),
    )
    mentions = ChoicesField(
        _l("Mention people"),
        [Optional()],
        description=_l(
            "Each of them gets an email, without the comment's text, and sees it in My work."
        ),
    )

    def offer(self, parties: str, own: str, people: list[tuple[str, str]]) -> None:
        """Set the audiences, named by their parties, and the people who may read one of them."""
        hints: dict[CommentAudience, str] = {
            CommentAudience.ALL: parties,
            CommentAudience.OWN: own,
        }
        audiences: Any = [
            Option(audience.value, AUDIENCES[audience], hints[audience])
            for audience in CommentAudience
        ]
        self.audience.choices = audiences
        self.mentions.choices = _people(people)


class EditForm(Form):
    """The text of a comment, to be changed."""

    text = TextField(_l("Your comment"), [Required()], most=TEXT_LENGTH)


class SettleForm(Form):
    """What came of a comment, in a sentence."""

    outcome = LineField(
        _l("What was the outcome?"),
        [Required(_l("Say in a sentence what came of it"))],
        description=_l(
            "One sentence, such as “We keep five days.” Everyone who can read the comment sees it."
        ),
        most=OUTCOME_LENGTH,
        render_kw={"class": "wide"},
    )


class TaskForm(Form):
    """Who is to do what a comment asks, and by when."""

    person = SelectOneField(_l("Who"), [Required()])
    due_on = DateField(_l("Due on"), [Required()])

    def offer(self, people: list[tuple[str, str]]) -> None:
        """Set the people who may read the comment."""
        self.person.choices = _people(people)


def _people(people: list[tuple[str, str]]) -> Any:
    return [Option(value, label) for value, label in people]
