"""The named checks a template may use to decide that an item is done. Pure."""

import enum

from flask_babel import gettext as _
from pydantic import model_validator

from tracker.checklist_templates.strict import Key, Strict
from tracker.core.mistakes import UnfitError


class CheckName(enum.StrEnum):
    """A check that an item is done, beyond its required fields being filled in."""

    MIN_ROWS = "min_rows"
    ROW_PER_PARTY = "row_per_party"
    ROW_PER_CSO = "row_per_cso"
    ROW_PER_TEAM_MEMBER = "row_per_team_member"
    VALUES_COVERED = "values_covered"
    DATES_IN_ORDER = "dates_in_order"
    DATES_AFTER_VISIT = "dates_after_visit"
    DISTINCT_PERSONS = "distinct_persons"
    PERSONS_OF_NPM = "persons_of_npm"
    WROTE_NO_ANSWER = "wrote_no_answer"
    NUMBER_AT_LEAST = "number_at_least"
    ROW_EACH_WAY = "row_each_way"
    NAMES_ITEM = "names_item"


class Check(Strict):
    """One done-test and the fields it looks at."""

    check: CheckName
    field: Key | None = None
    fields: tuple[Key, ...] = ()
    column: Key | None = None
    values: tuple[str, ...] = ()
    n: int | None = None
    unless: Key | None = None

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The fields whose values are checked."""
        return (self.field, *self.fields) if self.field else self.fields

    @property
    def all_fields(self) -> tuple[str, ...]:
        """Every field the check names."""
        return (*self.looks_at, self.unless) if self.unless else self.looks_at

    @model_validator(mode="after")
    def _has_what_it_tests(self) -> "Check":
        for name in _NEEDS[self.check]:
            if not getattr(self, name) and getattr(self, name) != 0:
                raise UnfitError(
                    _("check %(check)s needs %(name)s", check=self.check.value, name=name)
                )
        if not self.looks_at:
            raise UnfitError(_("check %(check)s names no field", check=self.check.value))
        return self


_NEEDS: dict[CheckName, tuple[str, ...]] = {
    CheckName.MIN_ROWS: ("field", "n"),
    CheckName.ROW_PER_PARTY: ("field", "column"),
    CheckName.ROW_PER_CSO: ("field", "column"),
    CheckName.ROW_PER_TEAM_MEMBER: ("field", "column"),
    CheckName.VALUES_COVERED: ("field", "column", "values"),
    CheckName.DATES_IN_ORDER: ("fields",),
    CheckName.DATES_AFTER_VISIT: ("field", "column"),
    CheckName.DISTINCT_PERSONS: ("fields",),
    CheckName.PERSONS_OF_NPM: (),
    CheckName.WROTE_NO_ANSWER: (),
    CheckName.NUMBER_AT_LEAST: ("field", "n"),
    CheckName.ROW_EACH_WAY: ("field", "column"),
    CheckName.NAMES_ITEM: (),
}
