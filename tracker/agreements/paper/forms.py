"""Forms for signing on paper: the scan with who signed and when; confirm; refuse."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.agreements.paper.prior_agreements import Person
from tracker.checklists.rules.facts import PartyFact
from tracker.signoff.paper import Signer
from tracker.signoff.scan_fields import ComparedFields, ReadScanFields
from tracker.ui.fields import (
    ChoicesField,
    DateField,
    LineField,
    Option,
    TextField,
)
from tracker.ui.form_base import Form
from tracker.ui.validators import Optional, Required


def paper_form(lines: Sequence[Signer]) -> ReadScanFields:
    """Return the form that records which of the named people signed, and in which office."""
    members: dict[str, Any] = {
        "signed": ChoicesField(
            _l("Who signed?"),
            [Required()],
            choices=[Option(str(signatory.user_id), signatory.name) for signatory in lines],
        )
    }
    for line in lines:
        members[f"office_{line.user_id}"] = LineField(
            _l("Office of %(name)s, as on the paper", name=line.name)
        )
    given: dict[str, Any] = {f"office_{signatory.user_id}": signatory.office for signatory in lines}
    if len(lines) == 1:
        given["signed"] = [str(lines[0].user_id)]
    form_class = type("PaperForm", (ReadScanFields,), members)
    return cast("ReadScanFields", form_class(data=given))


def offices_in(form: Any) -> Mapping[UUID, str]:
    """Return who signed according to a submitted form, each with the office."""
    return {
        UUID(user_id): form[f"office_{user_id}"].data or "" for user_id in form["signed"].data or ()
    }


def prior_agreement_form(parties: Sequence[PartyFact]) -> ReadScanFields:
    """Return the form for a prior agreement: its dates, and who signed for each party."""
    members: dict[str, Any] = {
        "ends_on": DateField(
            _l("Last day of the agreement"),
            [Optional()],
            description=_l("Leave empty if it has none, or it isn't known."),
        )
    }
    for party in parties:
        members[f"signers_{party.organisation_id}"] = TextField(
            _l("Who signed for %(party)s?", party=party.name),
            [Required()],
            description=_l("One person per line: the name, a comma, the office."),
            most=2000,
        )
    return cast("ReadScanFields", type("FormerForm", (ReadScanFields,), members)())


def signers_in(form: Any, parties: Sequence[PartyFact]) -> dict[UUID, list[Person]]:
    """Return who signed for each party, according to a submitted form."""
    return {
        party.organisation_id: [
            Person(*(part.strip() for part in line.split(",", 1)))
            for line in (form[f"signers_{party.organisation_id}"].data or "").splitlines()
            if line.strip()
        ]
        for party in parties
    }


class ConfirmForm(ComparedFields):
    """The confirmation that somebody compared the scan with the text."""


class NoForm(Form):
    """The reason why a scan is refused or withdrawn."""

    reason = TextField(
        _l("Reason"), [Required()], description=_l("All parties read this."), most=2000
    )
