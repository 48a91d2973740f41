"""Forms for sending a text for signature, giving notice, and setting new dates."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _ln

from tracker.accounts.queries import Signatory
from tracker.agreements.service import RHYTHMS, WHO_SIGNS, Asking
from tracker.checklists.loading import LoadedChecklist
from tracker.core import clock
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
from tracker.ui.proof import ShownFields
from tracker.ui.validators import Optional, Required

SEVERAL = "several"
_INSTEAD = "instead_"
# How many can be put into an order one after the other.
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
    """Who signs, chosen at first where there is one alone; what is sent without it names nobody."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was sent, and nothing in its place."""
        self.data = None
        super().process_formdata(valuelist)


def send_form(
    filling: LoadedChecklist,
    able: Able,
    languages: Sequence[Option],
    others: Mapping[UUID, str],
    by_m1: Mapping[UUID, tuple[UUID, str]],
) -> Form:
    """Return the form that names who signs for each party, in which order and until when.

    languages are those the text is frozen in; with a single one there is nothing to choose. others
    are who can be reminded beside those who sign. by_m1 is whom item M1 names, id and name.
    """
    members: dict[str, Any] = {}
    data: dict[str, Any] = {
        "binding": languages[0].value,
        "order": Order.TOGETHER.value,
        "expires_on": clock.today() + dt.timedelta(days=signing_settings.current().days),
        "remind_every": "3",
        "remind_whom": [WHO_SIGNS],
    }
    for party in filling.surroundings.parties:
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
                description=_l("Item M1 names them. The text that is signed shows the reason."),
                render_kw={"rows": 2},
            )
        ready = [one.user_id for one in people if one.holds_on(clock.today())]
        if named and named[0] in ready:
            data[f"party_{party.organisation_id}"] = str(named[0])
        elif len(people) == len(ready) == 1:
            data[f"party_{party.organisation_id}"] = str(ready[0])
        data[f"needed_{party.organisation_id}"] = "0"
    members |= _how_it_is_asked(others)
    if len(languages) > 1:
        members["binding"] = ChoiceField(
            _l("Which language counts if two say different things?"),
            [Required()],
            description=_l("The text is frozen and signed in all of them."),
            choices=languages,
        )
    return cast("Form", type("SendForm", (Form,), members)(data=data))


def _party_fields(
    organisation_id: UUID, name: str, people: Sequence[Signatory], by_m1: UUID | None
) -> dict[str, Any]:
    options = [_person(one, is_named=one.user_id == by_m1) for one in people]
    ready = [one for one in people if _can_be_named(one)]
    if len(ready) > 1:
        hint = _l("Say below who, how many of them, and in which order.")
        options.append(Option(SEVERAL, _l("Several persons sign"), hint))
    found: dict[str, Any] = {
        f"party_{organisation_id}": _WhoField(name, [Required()], choices=options),
        f"behalf_{organisation_id}": LineField(
            _l("On behalf of"),
            [Optional()],
            description=_l("Only if they sign for another named person, such as the director."),
            most=200,
        ),
    }
    if len(ready) > 1:
        turns = [Option(str(n), words) for n, words in enumerate(TURNS[: len(ready)], 1)]
        choices = [Option("0", _l("Signs at any time")), *turns]
        for one in ready:
            found[f"turn_{organisation_id}_{one.user_id}"] = SelectOneField(
                one.name, [Optional()], blank=_l("Does not sign"), choices=choices
            )
        counts = [
            Option(
                str(n), _ln("Any one of them", "Any %(num)s of them", n) if n else _l("All of them")
            )
            for n in range(len(ready))
        ]
        found[f"needed_{organisation_id}"] = SelectOneField(
            _l("How many of them have to sign?"), [Optional()], blank=None, choices=counts
        )
    return found


def _person(one: Signatory, *, is_named: bool = False) -> Option:
    words = [text for text in (one.office, one.power) if text]
    if is_named:
        words.insert(0, str(_l("Item M1 names this person")))
    if one.power_from:
        words.append(str(_l("Power from %(day)s", day=as_date(one.power_from))))
    if one.power_until:
        words.append(str(_l("Power until %(day)s", day=as_date(one.power_until))))
    return Option(str(one.user_id), one.name, ". ".join(words), disabled=not _can_be_named(one))


def _can_be_named(one: Signatory) -> bool:
    """Tell whether somebody can be chosen; who lacks a recorded power is told so when sent."""
    return one.holds_on(clock.today()) or not one.power


def _how_it_is_asked(others: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "order": ChoiceField(
            _l("In which order do the parties sign?"),
            [Required()],
            choices=[Option(one.value, words) for one, words in ORDERS.items()],
        ),
        "expires_on": DateField(
            _l("Last day to sign"),
            [Required()],
            description=_l("If not all have signed by then, the text comes back and all are told."),
        ),
        "remind_every": SelectOneField(
            _l("Remind"),
            [Optional()],
            blank=_l("Never"),
            description=_l("Reminders stop as soon as nothing is left to sign."),
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


def named_in(form: Any, filling: LoadedChecklist, able: Able) -> dict[UUID, UUID | PartySigners]:
    """Return who signs for each party, as a form that was sent says."""
    found: dict[UUID, UUID | PartySigners] = {}
    for party in filling.surroundings.parties:
        own = party.organisation_id
        chosen = form[f"party_{own}"].data
        behalf = (form[f"behalf_{own}"].data or "").strip()
        if chosen != SEVERAL:
            found[own] = PartySigners(own, (Named(UUID(chosen), on_behalf_of=behalf),))
            continue
        turns = {
            one.user_id: form[f"turn_{own}_{one.user_id}"].data
            for one in able[own]
            if _can_be_named(one)
        }
        named = tuple(
            Named(user_id, int(turn), behalf) for user_id, turn in turns.items() if turn is not None
        )
        found[own] = PartySigners(own, named, int(form[f"needed_{own}"].data or 0))
    return found


def asking_in(form: Any) -> Asking:
    """Return in which order, until when and with which reminders it is asked."""
    every = form["remind_every"].data
    return Asking(
        order=Order(form["order"].data),
        expires_on=form["expires_on"].data,
        remind_every=int(every) if every else None,
        remind_whom=tuple(form["remind_whom"].data or ()),
        instead={
            UUID(one.short_name.removeprefix(_INSTEAD)): one.data
            for one in form
            if one.short_name.startswith(_INSTEAD) and one.data
        },
    )


def remind_form(people: Mapping[UUID, str]) -> Form:
    """Return a form that chooses whom to remind now, all at first."""
    members = {
        "people": ChoicesField(
            _l("Who is reminded?"),
            [Required()],
            choices=[Option(str(user_id), name) for user_id, name in people.items()],
        )
    }
    made = type("RemindForm", (Form,), members)
    return cast("Form", made(data={"people": [str(user_id) for user_id in people]}))


def pass_on_form(able: Sequence[Signatory]) -> Form:
    """Return a form that chooses who signs instead, and why."""
    members = {
        "person": ChoiceField(
            _l("Who signs instead?"), [Required()], choices=[_person(one) for one in able]
        ),
        "reason": TextField(
            _l("Why?"), [Required()], description=_l("All parties read this."), most=2000
        ),
    }
    return cast("Form", type("PassOnForm", (ShownFields,), members)())


class NoticeForm(Form):
    """From which day a text is not in force any more, and why."""

    from_on = DateField(_l("From which day on is it no longer in force?"), [Required()])
    reason = TextField(
        _l("Reason"), [Required()], description=_l("All parties read this."), most=2000
    )


class RenewForm(Form):
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
