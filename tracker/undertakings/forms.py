"""Forms for undertakings: the person's steps, the proof, the NPM's decision.

In one file: the fields of a declaration are the same in every form that has them.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, cast
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms.validators import StopValidation

from tracker.checklist_templates.schema import FieldType
from tracker.core import clock
from tracker.signoff.scan_fields import ComparedFields, ScanFields
from tracker.ui import locale
from tracker.ui.fields import (
    ChoiceField,
    ChoicesField,
    CodeField,
    ConfirmField,
    DateField,
    HiddenValueField,
    LineField,
    Option,
    SelectOneField,
    TextField,
)
from tracker.ui.form_base import Form
from tracker.ui.proof_fields import TOKEN_LENGTH, ProofFields
from tracker.ui.validators import Optional, Required
from tracker.undertakings import queries
from tracker.undertakings.adding import MAX_INTEREST, MAX_NAME
from tracker.undertakings.facts import (
    DECLARED,
    NO_INTERESTS,
    Draft,
    Questions,
    Scope,
    Terms,
)
from tracker.undertakings.in_presence.service import MAX_KNOWN_BY
from tracker.undertakings.labels import (
    DECISION_HINTS,
    DECISIONS,
    LIMIT_REACHES,
    REACH_HINTS,
    REACHES,
    document_sentence,
)
from tracker.undertakings.models import InterestsDecision, Reach
from tracker.undertakings.places import Places
from tracker.undertakings.queries import VisitChoice
from tracker.undertakings.service import MAX_INTERESTS, MAX_REASON

NO_STORY = _l("Don't name or describe any person deprived of liberty.")
Validator = Callable[[Any, Any], None]


class PathForm(Form):
    """What a person fills in before signing; its fields are made from the template in force.

    These are here so that a page can name what was typed when nothing else of the form is known, as
    when the session has ended. None in their place: the template in force doesn't ask for it.
    """

    questions: Questions
    briefed_on = DateField(_l("Date of the briefing"))
    has_interests = ChoiceField("", choices=())
    interests = TextField(_l("What you declare"))

    @property
    def points(self) -> list[tuple[str, Any]]:
        """The sentences to confirm: the item's code, and its field."""
        return [(point.code, self[point.name]) for point in self.questions.points]

    @property
    def documents(self) -> list[tuple[str, Any, Any]]:
        """The documents to confirm: the kind, the document, and its field."""
        return [
            (kind, document, self[document.name]) for kind, document in self.questions.documents
        ]

    @property
    def draft(self) -> Draft:
        """What was filled in, as it is stored."""
        has_interests = self["has_interests"].data if "has_interests" in self else None
        return Draft(
            confirmed=frozenset(name for name in self.questions.names if self[name].data),
            briefed=bool(self["briefed"].data) if "briefed" in self else False,
            briefed_on=self["briefed_on"].data if "briefed_on" in self else None,
            has_interests=None if has_interests is None else has_interests == DECLARED,
            interests=(self["interests"].data or "") if "interests" in self else "",
        )


class PaperPathForm(PathForm, ScanFields):
    """What a person filled in and signed on paper, with the scan of it."""

    language = SelectOneField(
        _l("In which language is the paper?"),
        [Required()],
        choices=(),
        description=_l("The paper says which one above the signature."),
    )

    @property
    def day(self) -> dt.date:
        """The date on the paper, once the form is valid."""
        if self.signed_on.data is None:
            raise LookupError("The form was not tested.")
        return self.signed_on.data


def path_form(questions: Questions, draft: Draft, *, complete: bool) -> PathForm:
    """Return the form a person fills in before signing, filled from a draft or from what was sent.

    complete requires all of it, as signing does. A draft may leave out anything.
    """
    members = _path(questions, complete=complete)
    form = type("AskedPathForm", (PathForm,), members)
    return cast("PathForm", form(data=_data(draft)))


class HostPathForm(PathForm):
    """What a person without an account fills in on a coordinator's device."""

    # The token of the draft that was stored when the page was opened.
    seen = HiddenValueField()


def host_path_form(questions: Questions, draft: Draft, *, seen: str) -> HostPathForm:
    """Return the form that a person without an account fills in on a coordinator's device."""
    members = _path(questions, complete=True)
    form_class = type("AskedHostPathForm", (HostPathForm,), members)
    form = cast("HostPathForm", form_class(data=_data(draft) | {"seen": seen}))
    if "has_interests" in form:
        form["has_interests"].description = _l(
            "Declaring something doesn't rule you out. The NPM decides what follows. Those who "
            "decide for the NPM see it, and the coordinator whose device this is."
        )
    return form


def paper_form(questions: Questions, language: str) -> PaperPathForm:
    """Return the form for transcribing what a person filled in and signed on paper.

    language is that of the paper, unless another one is chosen.
    """
    form = type("AskedPaperForm", (PaperPathForm,), _path(questions, complete=True))
    paper = cast("PaperPathForm", form(data={"language": language}))
    offered = [Option(known.code, known.name) for known in locale.languages()]
    paper.language.choices = cast("Any", offered)
    if "has_interests" in paper:
        paper["has_interests"].description = _l(
            "As the person answered on the paper. After this page, only those who decide for the "
            "NPM see it."
        )
    return paper


def _path(questions: Questions, *, complete: bool) -> dict[str, Any]:
    members: dict[str, Any] = {"questions": questions}
    members |= dict.fromkeys(("briefed_on", "has_interests", "interests"))
    if questions.briefing is not None:
        members.update(_briefing(questions, complete=complete))
    if questions.interests is not None:
        members.update(_interests(questions, complete=complete))
    for point in questions.points:
        needed = [Required(_l("Confirm “%(point)s”", point=point.label))]
        members[point.name] = ConfirmField(point.sentence, needed if complete else [])
    for _kind, document in questions.documents:
        needed = [Required(_l("Confirm that you have read “%(title)s”", title=document.title))]
        members[document.name] = ConfirmField(
            document_sentence(document), needed if complete else []
        )
    return members


def _briefing(questions: Questions, *, complete: bool) -> dict[str, Any]:
    sentence = questions.briefing_field(FieldType.CONFIRM)
    date = questions.briefing_field(FieldType.DATE)
    needed = [
        Required(
            _l("Confirm that you had the briefing. If you haven't had it yet, ask the NPM for it.")
        )
    ]
    return {
        "briefed": ConfirmField(
            sentence.label if sentence else "",
            needed if complete and questions.briefing_required else [],
        ),
        "briefed_on": DateField(
            date.label if date else "",
            [*([_with_briefing] if complete else []), _not_in_future],
        ),
    }


def _interests(questions: Questions, *, complete: bool) -> dict[str, Any]:
    needed = [Required(_l("Say whether you have anything to declare"))]
    return {
        "has_interests": ChoiceField(
            questions.interest_question,
            needed if complete else [],
            description=_l(
                "Declaring something doesn't rule you out. The NPM decides what follows and "
                "tells you. Only you and those who decide for the NPM see it."
            ),
            choices=[Option(value, label) for value, label in questions.interest_options],
        ),
        "interests": TextField(
            _l("What you declare"),
            [_with_choice] if complete else [],
            description=NO_STORY,
            most=MAX_INTERESTS,
        ),
    }


def _with_briefing(form: Any, field: Any) -> None:
    if form["briefed"].data and field.data is None and not field.process_errors:
        raise StopValidation(str(_l("Enter the date of the briefing")))


def _not_in_future(_form: Any, field: Any) -> None:
    if isinstance(field.data, dt.date) and field.data > clock.today():
        raise StopValidation(str(_l("The date of the briefing is in the future")))


def _with_choice(form: Any, field: Any) -> None:
    choice = form["has_interests"].data
    if choice == DECLARED and not field.data:
        raise StopValidation(
            str(_l("Write what you declare, or choose that there is nothing to declare"))
        )
    if choice == NO_INTERESTS and field.data:
        raise StopValidation(
            str(
                _l(
                    "You chose that there is nothing to declare. Choose the other answer, or empty "
                    "this box"
                )
            )
        )


def _data(draft: Draft) -> dict[str, Any]:
    answers = {True: DECLARED, False: NO_INTERESTS}
    return {
        "briefed": draft.briefed,
        "briefed_on": draft.briefed_on,
        "has_interests": None if draft.has_interests is None else answers[draft.has_interests],
        "interests": draft.interests,
        **dict.fromkeys(draft.confirmed, True),
    }


class SignForm(ProofFields):
    """Proof of identity on the form that signs."""

    mailed_code = CodeField(
        _l("Six-digit code from the email"), [Required(_l("Enter the code from the email"))]
    )

    def ask(self, *, app: bool, passkey: bool, mail: bool) -> None:
        """Remove the fields for what the person doesn't have."""
        if mail:
            del self.code
        else:
            del self.mailed_code
            self.ask_for(app=app, passkey=passkey)

    @property
    def proof_fields(self) -> list[Any]:
        """The fields to fill in by hand, in order."""
        return [*super().proof_fields, *([self.mailed_code] if "mailed_code" in self else [])]


class HostForm(ProofFields):
    """The name as the person types it, how the host knows them, and the host's own proof."""

    name = LineField(
        _l("Name, typed by the person who signs"),
        [Required(_l("The person types their name here"))],
        description=_l("Exactly as in the sentence above. It is their signature."),
        most=MAX_NAME,
    )
    known_by = LineField(
        _l("How do you know who signs?"),
        [Required(_l("Say how you know who signs"))],
        description=_l(
            "For example: I saw their identity card. Don't enter its number. What you write is "
            "printed with the signature."
        ),
        most=MAX_KNOWN_BY,
    )


class MailedCodesForm(Form):
    """Why people may sign with a code sent by email, or no longer."""

    allow = HiddenValueField()
    reason = TextField(
        _l("Reason"),
        [Required(_l("Say why. It's kept in the history."))],
        description=_l("Kept in the history, which all parties can read."),
        most=MAX_REASON,
    )


class CountersignForm(ProofFields):
    """Proof of identity on the form that countersigns, and what the countersignature opens."""

    until = HiddenValueField()
    visit = HiddenValueField()
    opened = HiddenValueField(most=TOKEN_LENGTH)


class ConfirmForm(Form):
    """A form with nothing but its button."""


def _kinds_of_place() -> list[Option]:
    kinds = queries.kinds_of_place(locale.language())
    return [Option(value, label) for value, label in kinds]


class DecisionForm(Form):
    """What follows from declared interests, based on the decision that the page showed.

    With a limit, it names the places closed to the person.
    """

    seen = HiddenValueField(most=TOKEN_LENGTH)

    decision = ChoiceField(
        _l("What follows from it?"),
        [Required()],
        coerce=InterestsDecision,
        choices=[
            Option(decision.value, words, DECISION_HINTS[decision])
            for decision, words in DECISIONS.items()
        ],
    )
    reach = ChoiceField(
        _l("With a limit: which places is the person barred from?"),
        [Optional()],
        coerce=Reach,
        choices=[Option(reach.value, words) for reach, words in LIMIT_REACHES.items()],
    )
    place = LineField(_l("Name of the place or institution"), [Optional()], most=MAX_NAME)
    kind = SelectOneField(_l("Kind of place"), [Optional()], choices=_kinds_of_place)
    reason = TextField(
        _l("Reason, and the limit where you set one"),
        [Optional()],
        description=_l("The person can read it. Needed for a limit and for another person."),
        most=MAX_REASON,
    )

    @property
    def places(self) -> Places | None:
        """The places, once the form is valid; None if none were chosen."""
        return _places(self) if self.reach.data else None


class AddInterestForm(Form):
    """An interest that is added after signing, and which places it concerns.

    person is whose it is, if somebody else writes it down.
    """

    interest = TextField(
        _l("What you declare"),
        [Required(_l("Write what you declare"))],
        description=NO_STORY,
        most=MAX_INTEREST,
    )
    reach = ChoiceField(
        _l("Which places does it concern?"),
        [Required(_l("Say which places it concerns"))],
        coerce=Reach,
        choices=[
            Option(reach.value, words, REACH_HINTS[reach]) for reach, words in REACHES.items()
        ],
    )
    place = LineField(_l("Name of the place or institution"), [Optional()], most=MAX_NAME)
    kind = SelectOneField(_l("Kind of place"), [Optional()], choices=_kinds_of_place)

    def __init__(self, person: str = "") -> None:
        super().__init__()
        if person:
            self.interest.label.text = _("What %(person)s declares", person=person)

    @property
    def places(self) -> Places:
        """The places, once the form is valid."""
        return _places(self)


def decision_form(
    seen: str, decision: InterestsDecision | None, reason: str, barred: Places | None
) -> DecisionForm:
    """Return the form of a decision, filled in with what was decided or declared so far."""
    return DecisionForm(
        data={
            "seen": seen,
            "decision": decision,
            "reason": reason,
            "reach": None if barred is None or barred.reach is Reach.ALL else barred.reach,
            "place": barred.name if barred else "",
            "kind": barred.kind if barred else "",
        }
    )


def _places(form: AddInterestForm | DecisionForm) -> Places:
    return Places(form.reach.data, form.kind.data or "", form.place.data or "")


class ComparedForm(ComparedFields):
    """The confirmation that a second person compared the scan of a paper with the text."""


class ScanReasonForm(Form):
    """Why the scan of an undertaking is refused or withdrawn."""

    reason = TextField(
        _l("Reason"),
        [Required()],
        description=_l(
            "The people who decide for the NPM, and whoever recorded the scan, can read it."
        ),
        most=MAX_REASON,
    )


class WithdrawalForm(Form):
    """Why the NPM withdraws the access that an undertaking gave."""

    reason = TextField(
        _l("Reason"), [Required()], description=_l("The person can read it."), most=MAX_REASON
    )


class OpeningForm(Form):
    """What a countersignature opens: until when, and which visit if the terms cover one.

    It is sent in the URL, so that the next page can put it into its sentence.
    """

    class Meta(Form.Meta):
        """No token: the form changes nothing."""

        csrf = False

    until = DateField(_l("Last day"), [Required()])

    @property
    def last_day(self) -> dt.date:
        """The last day, once the form is valid."""
        if self.until.data is None:
            raise LookupError("The form was not tested.")
        return self.until.data

    @property
    def visit_field(self) -> Any:
        """The field that chooses a visit; None if the terms don't cover one."""
        return self._fields.get("visit")

    @property
    def visit_id(self) -> UUID | None:
        """The visit that was chosen."""
        field = self.visit_field
        return None if field is None else field.data


def opening_form(terms: Terms, visits: Sequence[VisitChoice], sent: Any = None) -> OpeningForm:
    """Return the form that says what is to be opened; by default everything the terms allow."""
    return _opening(terms, visits, {}, sent)


def several_form(
    terms: Terms,
    visits: Sequence[VisitChoice],
    undertakings: Sequence[tuple[str, str]],
    sent: Any = None,
) -> OpeningForm:
    """Return the same for several undertakings to choose from, each with its token and a name."""
    opened = ChoicesField(
        _l("Whose undertakings have you read, and countersign?"),
        [Required()],
        choices=[Option(token, name) for token, name in undertakings],
        not_offered=_l("One of them changed after you opened it. Read it as it is now."),
    )
    return _opening(terms, visits, {"opened": opened}, sent)


def _opening(
    terms: Terms, visits: Sequence[VisitChoice], more: dict[str, Any], sent: Any
) -> OpeningForm:
    def within_terms(_form: Any, field: Any) -> None:
        if field.data > terms.until:
            raise StopValidation(str(_l("The last day can't be later than the terms say")))
        if field.data < clock.today():
            raise StopValidation(str(_l("This day has passed")))

    members: dict[str, Any] = {
        **more,
        "until": DateField(
            _l("Last day"),
            [Required(), within_terms],
            description=_l(
                "The terms don't allow a later day. Choose an earlier one if that's enough."
            ),
        ),
    }
    if terms.scope is Scope.ONE_VISIT:
        members["visit"] = ChoiceField(
            _l("Which visit?"),
            [Required(_l("Choose which visit this is for"))],
            coerce=_as_uuid,
            choices=[
                Option(str(visit.id), _l("Joint visit %(number)s", number=visit.number))
                for visit in visits
            ],
        )
    form = type("CoveredOpeningForm", (OpeningForm,), members)
    return cast("OpeningForm", form(formdata=sent, data={"until": terms.until}))


def _as_uuid(text: Any) -> UUID:
    return text if isinstance(text, UUID) else UUID(str(text))
