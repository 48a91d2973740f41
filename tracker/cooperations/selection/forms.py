"""The form that records how a partner was chosen."""

from collections.abc import Iterable, Mapping
from typing import Any, cast
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.cooperations.selection import labels, policy
from tracker.cooperations.selection.models import PartnerSelection, SelectionWay
from tracker.cooperations.selection.policy import Selection
from tracker.cooperations.selection.service import MAX_CRITERIA, MAX_DECIDED_BY
from tracker.core import clock
from tracker.ui.fields import (
    ChoiceField,
    DateField,
    LineField,
    Option,
    SelectOneField,
    TextField,
    VersionField,
)
from tracker.ui.form_base import Form
from tracker.ui.validators import Optional, Required


def _as_id(text: Any) -> UUID:
    return text if isinstance(text, UUID) else UUID(str(text))


class SelectionForm(Form):
    """How, when, by which criteria and by whom one partner was chosen."""

    way = ChoiceField(
        _l("How was this partner chosen?"),
        [Required(_l("Choose how this partner was chosen"))],
        coerce=SelectionWay,
        choices=[Option(way.value, words, labels.HINTS[way]) for way, words in labels.WAYS.items()],
    )
    opened_on = DateField(
        _l("Call or first contact"),
        [Optional()],
        description=_l("The day the call was published, or when you first talked."),
    )
    decided_on = DateField(
        _l("Date of the decision"),
        description=_l(
            "Needed after a call or an application. Calls often leave 15 days to apply and are "
            "decided within 8 days after."
        ),
    )
    criteria = TextField(
        _l("Criteria, or the law"),
        [Required(_l("Write down the criteria, or name the law"))],
        description=_l(
            "Write it so that an outsider understands the choice. After a call, say where it was "
            "published."
        ),
        most=MAX_CRITERIA,
    )
    deciding_id = SelectOneField(
        _l("Party or outside body that decided"),
        [Optional()],
        coerce=_as_id,
        choices=(),
    )
    decided_by = LineField(
        _l("Decided by"),
        description=_l(
            "The office or body, for example the head of the NPM. Not needed if a law decides."
        ),
        most=MAX_DECIDED_BY,
    )
    version = VersionField(default=0)

    def __init__(self, offered: Iterable[Option], data: Mapping[str, Any]) -> None:
        super().__init__(data=data)
        self.deciding_id.choices = cast("Any", list(offered))

    @property
    def selection(self) -> Selection:
        """What was written, once every field is valid."""
        return Selection(
            way=self.way.data,
            opened_on=self.opened_on.data,
            decided_on=self.decided_on.data,
            criteria=self.criteria.data or "",
            decided_by=self.decided_by.data or "",
            deciding_id=self.deciding_id.data,
        )

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate each field, then what they say together."""
        if not super().validate(extra_validators):
            return False
        problems = list(policy.problems(self.selection, clock.today()))
        for name, message in problems:
            self[name].errors = [*self[name].errors, str(message)]
        return not problems


def data_of(row: PartnerSelection | None) -> dict[str, Any]:
    """Return the values of the form for what is recorded so far."""
    if row is None:
        return {"version": 0}
    names = ("way", "opened_on", "decided_on", "criteria", "deciding_id", "decided_by", "version")
    return {name: getattr(row, name) for name in names}
