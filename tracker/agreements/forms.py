"""Forms for sending a text for signature, giving notice, and setting new dates."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _ln

from tracker.accounts.queries import Signatory
from tracker.agreements.service import RHYTHMS, WHO_SIGNS, Asking
from tracker.checklists.loading import LoadedChecklist
from tracker.core import clock
from tracker.organisations.queries import OrganisationLine
from tracker.signoff import settings as signing_settings
from tracker.signoff.labels import ORDERS
from tracker.signoff.signers import Named, Order, PartySigners
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
from tracker.ui.locale import as_date
from tracker.ui.proof_fields import ShownFields
from tracker.ui.validators import Optional, Required

SEVERAL = "several"
_INSTEAD = "instead_"
# The highest number of people who can sign one after another.
MOST_TURNS = 5
TURNS = (
    _l("Signs first"),
    _l("Signs second"),
    _l("Signs third"),
    _l("Signs fourth"),
    _l("Signs fifth"),
)
WORDS = {
    1: _l("Every day until the last day"),
    3: _l("Every 3 days until the last day"),
    7: _l("Every week until the last day"),
    14: _l("Every 2 weeks until the last day"),
}

Able = Mapping[UUID, Sequence[Signatory]]


class _WhoField(ChoiceField):
    """A field for the signatory; a single candidate is preselected, but must still be submitted."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the submitted value; if there is none, don't fall back to the preselected one."""
        self.data = None
        super().process_formdata(valuelist)


def send_form(
    loaded: LoadedChecklist,
    able: Able,
    languages: Sequence[Option],
    others: Mapping[UUID, str],
    by_m1: Mapping[UUID, tuple[UUID, str]],
) -> ShownFields:
    """Return the form that names who signs for each party, in which order, and the deadline.

    languages are those the text is frozen in; with only one there is nothing to choose. others are
    people who can be reminded besides the signatories. by_m1 is the person whom item M1 names for
    each party, with id and name.
    """
    members: dict[str, Any] = {}
    data: dict[str, Any] = {
        "binding": languages[0].value,
        "order": Order.TOGETHER.value,
        "expires_on": clock.today() + dt.timedelta(days=signing_settings.current().days),
        "remind_every": "3",
        "remind_whom": [WHO_SIGNS],
    }
    for party in loaded.surroundings.parties:
        people = able.get(party.organisation_id, ())
        named = by_m1.get(party.organisation_id)
        members |= _party_fields(
            party.organisation_id, party.name, people, named[0] if named else None
        )
        if named:
            members[f"{_INSTEAD}{party.organisation_id}"] = TextField(
                _l("Why does %(name)s not have to sign?", name=named[1]),
                [Optional()],
                most=500,
                description=_l(
                    "“Parties and mandates” names them. The text that is signed shows the reason."
                ),
                render_kw={"rows": 2},
            )
        ready = [person.user_id for person in people if person.holds_on(clock.today())]
        if named and named[0] in ready:
            data[f"party_{party.organisation_id}"] = str(named[0])
        elif len(people) == len(ready) == 1:
            data[f"party_{party.organisation_id}"] = str(ready[0])
        data[f"needed_{party.organisation_id}"] = "0"
    members |= _how_it_is_asked(others)
    if len(languages) > 1:
        members["binding"] = ChoiceField(
            _l("Which language is binding if they differ?"),
            [Required()],
            description=_l("The text is frozen and signed in all of them."),
            choices=languages,
        )
    return cast("ShownFields", type("SendForm", (ShownFields,), members)(data=data))


def _party_fields(
    organisation_id: UUID, name: str, people: Sequence[Signatory], by_m1: UUID | None
) -> dict[str, Any]:
    options = [_person(person, is_named=person.user_id == by_m1) for person in people]
    ready = [person for person in people if _can_be_named(person)]
    if len(ready) > 1:
        hint = _l("Say below who, how many of them, and in which order.")
        options.append(Option(SEVERAL, _l("Several people sign"), hint))
    fields: dict[str, Any] = {
        f"party_{organisation_id}": _WhoField(name, [Required()], choices=options),
        f"behalf_{organisation_id}": LineField(
            _l("On behalf of"),
            [Optional()],
            description=_l("Only if they sign for another named person, for example the director."),
            most=200,
        ),
    }
    if len(ready) > 1:
        turns = [Option(str(n), words) for n, words in enumerate(TURNS[: len(ready)], 1)]
        choices = [Option("0", _l("Signs at any time")), *turns]
        for signatory in ready:
            fields[f"turn_{organisation_id}_{signatory.user_id}"] = SelectOneField(
                signatory.name, [Optional()], blank=_l("Does not sign"), choices=choices
            )
        counts = [
            Option(
                str(n), _ln("Any one of them", "Any %(num)s of them", n) if n else _l("All of them")
            )
            for n in range(len(ready))
        ]
        fields[f"needed_{organisation_id}"] = SelectOneField(
            _l("How many of them have to sign?"), [Optional()], blank=None, choices=counts
        )
    return fields


def _person(signatory: Signatory, *, is_named: bool = False) -> Option:
    words = [text for text in (signatory.office, signatory.power) if text]
    if is_named:
        words.insert(0, str(_l("Named in “Parties and mandates”")))
    if signatory.power_from:
        words.append(str(_l("Power from %(day)s", day=as_date(signatory.power_from))))
    if signatory.power_until:
        words.append(str(_l("Power until %(day)s", day=as_date(signatory.power_until))))
    return Option(
        str(signatory.user_id),
        signatory.name,
        ". ".join(words),
        disabled=not _can_be_named(signatory),
    )


def _can_be_named(signatory: Signatory) -> bool:
    """Return whether somebody can be chosen; a missing power is reported when the form is sent."""
    return signatory.holds_on(clock.today()) or not signatory.power


def _how_it_is_asked(others: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "order": ChoiceField(
            _l("In which order do the parties sign?"),
            [Required()],
            choices=[Option(order.value, words) for order, words in ORDERS.items()],
        ),
        "expires_on": DateField(
            _l("Last day to sign"),
            [Required()],
            description=_l(
                "If not everyone has signed by then, the text can be changed again and everyone "
                "is notified."
            ),
        ),
        "remind_every": SelectOneField(
            _l("Remind"),
            [Optional()],
            blank=_l("Never"),
            description=_l("Reminders stop once there's nothing left to sign."),
            choices=[Option(str(days), WORDS[days]) for days in RHYTHMS],
        ),
        "remind_whom": ChoicesField(
            _l("Who is reminded?"),
            [Optional()],
            choices=[
                Option(WHO_SIGNS, _l("Whoever still has to sign, when it is their turn")),
                *(Option(str(user_id), name) for user_id, name in others.items()),
            ],
        ),
    }


def named_in(form: Any, loaded: LoadedChecklist, able: Able) -> dict[UUID, UUID | PartySigners]:
    """Return who signs for each party, according to a submitted form."""
    signers: dict[UUID, UUID | PartySigners] = {}
    for party in loaded.surroundings.parties:
        own = party.organisation_id
        chosen = form[f"party_{own}"].data
        behalf = (form[f"behalf_{own}"].data or "").strip()
        if chosen != SEVERAL:
            signers[own] = PartySigners(own, (Named(UUID(chosen), on_behalf_of=behalf),))
            continue
        turns = {
            signatory.user_id: form[f"turn_{own}_{signatory.user_id}"].data
            for signatory in able[own]
            if _can_be_named(signatory)
        }
        named = tuple(
            Named(user_id, int(turn), behalf) for user_id, turn in turns.items() if turn is not None
        )
        signers[own] = PartySigners(own, named, int(form[f"needed_{own}"].data or 0))
    return signers


def asking_in(form: Any) -> Asking:
    """Return the order, the deadline and the reminders from a submitted form."""
    every = form["remind_every"].data
    return Asking(
        order=Order(form["order"].data),
        expires_on=form["expires_on"].data,
        remind_every=int(every) if every else None,
        remind_whom=tuple(form["remind_whom"].data or ()),
        instead={
            UUID(field.short_name.removeprefix(_INSTEAD)): field.data
            for field in form
            if field.short_name.startswith(_INSTEAD) and field.data
        },
    )


def remind_form(people: Mapping[UUID, str]) -> Form:
    """Return a form that chooses whom to remind now; everybody is preselected."""
    members = {
        "people": ChoicesField(
            _l("Who is reminded?"),
            [Required()],
            choices=[Option(str(user_id), name) for user_id, name in people.items()],
        )
    }
    form_class = type("RemindForm", (Form,), members)
    return cast("Form", form_class(data={"people": [str(user_id) for user_id in people]}))


def pass_on_form(able: Sequence[Signatory]) -> Form:
    """Return a form that chooses who signs instead, and why."""
    members = {
        "person": ChoiceField(
            _l("Who signs instead?"),
            [Required()],
            choices=[_person(signatory) for signatory in able],
        ),
        "reason": TextField(
            _l("Why?"), [Required()], description=_l("All parties read this."), most=2000
        ),
    }
    return cast("Form", type("PassOnForm", (ShownFields,), members)())


def texts_form(texts: Sequence[tuple[str, str]], chosen: Any = None) -> Form:
    """Return the form that chooses which texts to sign, as (mark, title); chosen is what was sent.

    It is sent in the URL: the page that follows says what was chosen in its sentences.
    """
    members: dict[str, Any] = {
        "Meta": type("Meta", (Form.Meta,), {"csrf": False}),
        "opened": ChoicesField(
            _l("Which of these texts have you read, and sign?"),
            [Required()],
            choices=[Option(mark, title) for mark, title in texts],
            not_offered=_l("A text changed after you opened it. Read it as it is now."),
        ),
    }
    return cast("Form", type("TextsForm", (Form,), members)(formdata=chosen))


class NoticeForm(ShownFields):
    """The day from which a text is no longer in force, and the reason."""

    from_on = DateField(_l("From which day is it no longer in force?"), [Required()])
    reason = TextField(
        _l("Reason"), [Required()], description=_l("All parties read this."), most=2000
    )


class LeaveForm(ShownFields):
    """The day from which a party is gone, and the reason."""

    from_on = DateField(
        _l("From which day are you no longer a party?"),
        [Required()],
        description=_l("Your last day is the day before."),
    )
    reason = TextField(
        _l("Reason"), [Required()], description=_l("All parties read this."), most=2000
    )


def _as_id(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


class AddPartyForm(Form):
    """An organisation to add as a party; with a reason if terms are in force."""

    organisation_id = SelectOneField(
        _l("Organisation"), [Required(_l("Choose an organisation"))], coerce=_as_id, choices=()
    )
    reason = TextField(
        _l("Reason"),
        [Required()],
        description=_l("All parties read this, and so does the organisation."),
        most=2000,
    )

    def offer(self, organisations: Iterable[OrganisationLine], *, asks_reason: bool) -> None:
        """Set the organisations to choose from, and whether a reason is required."""
        offered: Any = [
            Option(str(organisation.id), organisation.name) for organisation in organisations
        ]
        self.organisation_id.choices = offered
        if not asks_reason:
            del self.reason


class RenewForm(ShownFields):
    """New dates for a text, and why."""

    start = DateField(_l("Start"), [Required()])
    review = DateField(_l("Review"), [Required()])
    end = DateField(
        _l("Last day"),
        [Required()],
        description=_l("The last day on which the agreement is in force."),
    )
    reason = TextField(
        _l("Why is it renewed?"), [Required()], description=_l("All parties read this."), most=2000
    )
