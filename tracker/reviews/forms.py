"""The forms of a review: write its record, confirm it, conclude it, call it off."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.reviews import labels
from tracker.reviews.models import Outcome, Verdict
from tracker.reviews.records import Participant, Record, Result
from tracker.ui.fields import (
    ChoiceField,
    ChoicesField,
    DateField,
    HiddenValueField,
    Option,
    TextField,
    VersionField,
)
from tracker.ui.form_base import Form
from tracker.ui.locale import with_commas
from tracker.ui.proof_fields import TOKEN_LENGTH
from tracker.ui.validators import Optional, Required

VERDICT, WORDS = "verdict_", "words_"


class UntilLater(Optional):
    """Allows an empty answer for now; a record has to be complete when it is confirmed."""

    field_flags: ClassVar[dict[str, bool]] = {}


class BeginForm(Form):
    """Begin a review."""


class ConfirmRecordForm(Form):
    """Confirm the record that was on the screen."""

    page = HiddenValueField(most=TOKEN_LENGTH)


class ConcludeForm(ConfirmRecordForm):
    """Conclude a review without the parties that haven't confirmed the record on the screen."""

    reason = TextField(_l("Reason"), [Required()], description=_l("All parties can read it."))


class CallOffForm(Form):
    """Call a review off."""

    reason = TextField(_l("Reason"), [Required()], description=_l("All parties can read it."))


class RecordForm(Form):
    """The record of a review; all of it can be left empty until later."""

    version = VersionField()
    held_on = DateField(_l("Held on"), [UntilLater()])
    people = ChoicesField(_l("People who took part"), [UntilLater()])
    absent = ChoicesField(_l("Parties that didn't take part"), [Optional()])
    other_points = TextField(
        _l("Other points"),
        [Optional()],
        description=_l(
            "Problems, costs, training, incidents. Don't name or describe anybody deprived of "
            "liberty."
        ),
    )
    outcome = ChoiceField(
        _l("How will you go on?"),
        [UntilLater()],
        coerce=Outcome,
        choices=[
            Option(outcome.value, words, labels.OUTCOME_HINTS[outcome])
            for outcome, words in labels.OUTCOMES.items()
        ],
    )
    next_on = DateField(
        _l("Next review"), [UntilLater()], description=_l("Not needed if the cooperation ends.")
    )
    starts_on = DateField(_l("New start"), [UntilLater()], description=_l("Only to renew."))
    ends_on = DateField(_l("New end"), [UntilLater()], description=_l("Only to renew."))
    items = ChoicesField(
        _l("Items to amend"), [UntilLater()], description=_l("Only to amend some items.")
    )
    reason = TextField(
        _l("Reason"),
        [UntilLater()],
        description=_l("To renew, amend or end. It is shown with the amendment."),
    )

    def offer(
        self,
        people: Sequence[Participant],
        parties: Sequence[tuple[UUID, str]],
        items: Sequence[tuple[str, str]],
    ) -> None:
        """Set the people and parties that can be named, and the items that can be amended."""
        named = [
            Option(_key(person), with_commas((person.name, person.organisation_name)))
            for person in people
        ]
        self.people.choices = cast("Any", named)
        self.items.choices = cast("Any", [Option(code, label) for code, label in items])
        self.absent.choices = cast(
            "Any",
            [
                Option(str(party_id), _("Nobody of %(party)s took part", party=name))
                for party_id, name in parties
            ],
        )
        self._by_key = {_key(person): person for person in people}

    def record(self, codes: Sequence[str]) -> Record:
        """Return what was written; codes are the promises that the page asks about."""
        outcome = self.outcome.data
        renews = outcome is Outcome.RENEW
        return Record(
            held_on=self.held_on.data,
            people=tuple(self._by_key[key] for key in self.people.data or ()),
            absent=tuple(UUID(party_id) for party_id in self.absent.data or ()),
            results={
                code: Result(self[VERDICT + code].data, self[WORDS + code].data or "")
                for code in codes
            },
            other_points=self.other_points.data or "",
            outcome=outcome,
            next_on=None if outcome is Outcome.END else self.next_on.data,
            # What the outcome doesn't need is not part of what is confirmed.
            starts_on=self.starts_on.data if renews and "starts_on" in self else None,
            ends_on=self.ends_on.data if renews else None,
            items=tuple(self.items.data or ()) if outcome is Outcome.AMEND else (),
            reason="" if outcome is Outcome.GO_ON else self.reason.data or "",
        )


def record_form(
    codes: Sequence[str], record: Record, version: int, *, asks_start: bool
) -> RecordForm:
    """Return the form of a record with two fields for each promise, filled in as it was saved.

    It asks for a new start only of terms that don't run today; others keep theirs.
    """
    fields: dict[str, Any] = {}
    for code in codes:
        fields[VERDICT + code] = ChoiceField(
            _l("How did it go?"),
            [UntilLater()],
            coerce=Verdict,
            choices=[Option(verdict.value, words) for verdict, words in labels.VERDICTS.items()],
        )
        fields[WORDS + code] = TextField(
            _l("In your words"),
            [UntilLater()],
            description=_l("Needed unless it was kept in full."),
        )
    form_class: type[RecordForm] = type("RecordFormOfText", (RecordForm,), fields)
    form = form_class(data=_data(codes, record, version))
    if not asks_start:
        del form.starts_on
    return form


def _data(codes: Sequence[str], record: Record, version: int) -> dict[str, Any]:
    results = {code: record.results.get(code, Result()) for code in codes}
    return {
        "version": version,
        "held_on": record.held_on,
        "people": [_key(person) for person in record.people],
        "absent": [str(party_id) for party_id in record.absent],
        "other_points": record.other_points,
        "outcome": record.outcome,
        "next_on": record.next_on,
        "starts_on": record.starts_on,
        "ends_on": record.ends_on,
        "items": list(record.items),
        "reason": record.reason,
        **{VERDICT + code: result.verdict for code, result in results.items()},
        **{WORDS + code: result.words for code, result in results.items()},
    }


def _key(person: Participant) -> str:
    return f"{person.user_id}:{person.organisation_id}"
