"""Forms for a cooperation: its head, its ways of working, its people."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import request
from flask_babel import lazy_gettext as _l

from tracker.cooperations import labels, policy
from tracker.cooperations.models import BodyKind, Cooperation, Knowledge, Mode
from tracker.cooperations.modes import (
    MODE_HINTS,
    MODE_LABELS,
    QUESTION_LABELS,
    Question,
    questions_behind,
)
from tracker.organisations.queries import OrganisationLine
from tracker.ui.fields import (
    ChoiceField,
    ChoicesField,
    ConfirmField,
    DateField,
    EmailField,
    LineField,
    NameField,
    Option,
    TextField,
    VersionField,
)
from tracker.ui.form_base import Form
from tracker.ui.validators import Optional, Required

PREFIX = "question_"
NOT_OFFERED = _l("Choose one of the answers")


def as_id(value: UUID | str) -> UUID:
    """Return the id that a form sent, or raise ValueError."""
    return value if isinstance(value, UUID) else UUID(value)


def mode_options() -> list[Option]:
    """Return every way of working with its hint."""
    return [Option(mode.value, MODE_LABELS[mode], MODE_HINTS[mode]) for mode in Mode]


class DatesForm(Form):
    """The dates of a cooperation, in order."""

    starts_on = DateField(_l("Planned start"), [Optional()])
    review_on = DateField(_l("First review"), [Optional()])
    ends_on = DateField(
        _l("Planned end"), [Optional()], description=_l("The last day of the cooperation.")
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate each field, then the order of the dates."""
        sound = super().validate(extra_validators)
        problem = policy.dates_problem(self.starts_on.data, self.review_on.data, self.ends_on.data)
        if problem is None:
            return bool(sound)
        name, message = problem
        self[name].errors = [*self[name].errors, str(message)]
        return False


class HeadForm(DatesForm):
    """Title, purpose and dates, changed by a coordinator of the NPM."""

    title = LineField(_l("Title"), [Required(_l("Enter a title"))])
    purpose = TextField(_l("Purpose"), [Required(_l("Enter what the cooperation is for"))])
    version = VersionField()

    def leave_dates(self) -> None:
        """Remove the dates from the form: once the terms are sent, M19 sets them."""
        for name in ("starts_on", "review_on", "ends_on"):
            del self[name]

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate the dates only if they are on the form."""
        if "starts_on" in self:
            return super().validate(extra_validators)
        return bool(Form.validate(self, extra_validators))


class OpenForm(DatesForm):
    """Everything needed to open a cooperation except the questions about its ways of working."""

    title = LineField(
        _l("Title"),
        [Required(_l("Enter a title"))],
        description=_l("Short, without the name of a person or the date of a visit."),
    )
    purpose = TextField(
        _l("Purpose"),
        [Required(_l("Enter what the cooperation is for"))],
        description=_l(
            "What should this cooperation achieve? The terms settle it in detail later, under "
            "“Objectives”."
        ),
    )
    organisation_ids = ChoicesField(
        _l("Partners"),
        [Required(_l("Choose at least one civil society organisation"))],
        coerce=as_id,
        choices=(),
        not_offered=NOT_OFFERED,
    )
    modes = ChoicesField(
        _l("Ways of working"),
        [Optional()],
        coerce=Mode,
        choices=mode_options,
        not_offered=NOT_OFFERED,
        description=_l("Choose all that apply. You can also choose later."),
    )

    def offer(self, organisations: Iterable[OrganisationLine], own_id: UUID | None) -> None:
        """Set the organisations that can be chosen as partners."""
        self._organisations = {
            organisation.id: organisation
            for organisation in organisations
            if organisation.id != own_id
        }
        self._own_id = own_id
        offered: Any = [
            Option(str(organisation.id), organisation.name, labels.SIDES[organisation.kind])
            for organisation in self._organisations.values()
        ]
        self.organisation_ids.choices = offered

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate each field and the dates, then who can be parties together."""
        sound = super().validate(extra_validators)
        field = self.organisation_ids
        if field.errors or self._own_id is None:
            return False
        chosen = [self._organisations[organisation_id] for organisation_id in field.data or ()]
        decision = policy.fit_together(
            self._own_id,
            [policy.PartyFact(organisation.id, organisation.kind) for organisation in chosen],
        )
        if not decision:
            field.errors = [*field.errors, str(decision.reason)]
        return sound and bool(decision)


class ModesForm(Form):
    """The ways of working; several can apply together (S24)."""

    modes = ChoicesField(
        _l("Ways of working"),
        [Required(_l("Choose at least one way of working"))],
        coerce=Mode,
        choices=mode_options,
        not_offered=NOT_OFFERED,
        description=_l("Choose all that apply. The strictest requirement among them counts."),
    )
    version = VersionField()


class QuestionsForm(Form):
    """The questions about the chosen ways of working; made by questions_form."""

    is_answered = False

    @property
    def answers(self) -> dict[str, str]:
        """The answers as they are stored: question -> yes, no or not known."""
        return {
            field.short_name.removeprefix(PREFIX): str(field.data or Knowledge.NOT_KNOWN)
            for field in self
            if field.short_name.startswith(PREFIX)
        }


class PeopleForm(Form):
    """People from your own organisation to add."""

    user_id = ChoicesField(
        _l("People"), [Required(_l("Choose a person"))], coerce=as_id, choices=()
    )
    function = LineField(
        _l("Function in this cooperation"),
        [Optional()],
        description=_l(
            "For example physician, interpreter, legal officer. It is the function of everyone you "
            "choose here."
        ),
    )

    def offer(self, people: Iterable[tuple[UUID, str]]) -> None:
        """Set the people to choose from: id and name."""
        offered: Any = [Option(str(user_id), name) for user_id, name in people]
        self.user_id.choices = offered


class InvitationForm(Form):
    """Somebody without an account to invite to your own organisation and this cooperation."""

    email = EmailField(_l("Email address"), [Required()], autocomplete="off")
    name = NameField(_l("Name"), [Optional()])
    function = LineField(
        _l("Function in this cooperation"),
        [Optional()],
        description=_l("For example physician, interpreter, legal officer."),
    )
    outside_expert = ConfirmField(
        _l("This person is an outside expert, neither member nor staff of the NPM"),
        description=_l(
            "Outside experts sign a personal undertaking before they see restricted information."
        ),
    )
    language = ChoiceField(_l("Language of the invitation"), [Required()], choices=())

    def offer(self, languages: Iterable[tuple[str, str]], *, is_npm: bool) -> None:
        """Set the languages: code and own name; only an NPM is asked about external experts."""
        offered: Any = [Option(code, name) for code, name in languages]
        self.language.choices = offered
        if not is_npm:
            del self.outside_expert


class VerificationForm(Form):
    """What the public check shows about a cooperation's agreements."""

    shows_signers = ChoiceField(
        _l("Should the public check show who signed, for whom and when?"),
        [Required()],
        choices=[
            Option("no", _l("No, only whether it's genuine and still valid")),
            Option("yes", _l("Yes, also who signed for which organisation, and when")),
        ],
        description=_l("It never names anybody for texts of a visit or for undertakings."),
    )


class BodyForm(Form):
    """An outside body that answers can name."""

    name = NameField(
        _l("Name"),
        [Required()],
        description=_l("As on its own letterhead, for example Ministry of Justice."),
        most=200,
    )
    kind = ChoiceField(
        _l("What is it?"),
        [Required()],
        choices=[Option(kind.value, labels.BODY_KINDS[kind]) for kind in BodyKind],
    )


class ConfirmForm(Form):
    """A form with nothing but its button."""


def questions_form(
    modes: Iterable[Mode], stored_answers: dict[str, Any] | None = None
) -> QuestionsForm:
    """Return the form with the questions about some ways of working.

    Filled in with the answers that were sent, else with the stored ones; unanswered questions are
    *not known yet*.
    """
    questions = questions_behind(modes)
    fields = {PREFIX + question.value: _question(question) for question in questions}
    form_class = type("AskedForm", (QuestionsForm,), fields)
    sent = not fields or any(name in request.form for name in fields)
    if sent:
        form: QuestionsForm = form_class(request.form)
    else:
        known = stored_answers or {}
        answers = {
            PREFIX + question.value: known.get(question.value) or Knowledge.NOT_KNOWN.value
            for question in questions
        }
        form = form_class(formdata=None, data=answers)
    form.is_answered = sent
    return form


def head_data(cooperation: Cooperation) -> dict[str, Any]:
    """Return a cooperation's values for the head form."""
    names = ("title", "purpose", "starts_on", "review_on", "ends_on", "version")
    return {name: getattr(cooperation, name) for name in names}


def _question(question: Question) -> ChoiceField:
    return ChoiceField(
        QUESTION_LABELS[question],
        [Required()],
        choices=[Option(answer.value, labels.KNOWLEDGE[answer]) for answer in Knowledge],
    )
