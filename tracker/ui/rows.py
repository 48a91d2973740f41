"""Tables in forms: typed columns, with rows that are fixed or can be added and removed."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import FieldList, FormField
from wtforms.utils import unset_value

from tracker.ui.form_base import Form
from tracker.ui.validators import is_blank
from tracker.ui.words import bare

MOST_ROWS = 30
FEW_COLUMNS = 4
PLACEHOLDER = "__row__"


class RowForm(Form):
    """One row: a form without its own token, since the form around it has one."""

    class Meta:
        """A row is sent inside another form."""

        csrf = False


class Row(FormField):  # type: ignore[type-arg]  # generic in the stubs only
    """A row in its position; a fixed row has a label."""

    row_label: object = ""
    row_key: str = ""


class Rows(FieldList):  # type: ignore[type-arg]  # generic in the stubs only
    """A table in a form.

    Free rows begin with one blank row; blank rows are ignored. Fixed rows (key and label) are
    always there; with more=True free rows may follow them.
    """

    ask = _l("Fill in at least one row")
    _form: Any
    _translations: Any
    _run_validation_chain: Any
    pop_entry: Any

    def __init__(
        self,
        row: type[RowForm],
        label: Any = None,
        validators: Any = None,
        *,
        given: Sequence[tuple[str, object]] = (),
        more: bool | None = None,
        most: int = MOST_ROWS,
        **kw: Any,
    ) -> None:
        super().__init__(
            Row(row),
            label,
            validators,
            min_entries=len(given) or 1,
            max_entries=max(most, len(given)),
            **kw,
        )
        self.given = tuple(given)
        self.more = not given if more is None else more
        self.focus: int | None = None
        self._too_many = False
        self.label.field_id = ""

    @property
    def columns(self) -> list[Any]:
        """The fields of a blank row, for the column headings."""
        return list(self.blank)

    @property
    def blank(self) -> Any:
        """A blank row whose number is a placeholder, for the page to copy."""
        options = {
            "name": f"{self.name}-{PLACEHOLDER}",
            "id": f"{self.id}-{PLACEHOLDER}",
            "_meta": self.meta,
            "translations": self._translations,
        }
        row = self.meta.bind_field(self._form, self.unbound_field, options)
        row.process(None)
        return row

    @property
    def has_few_columns(self) -> bool:
        """Whether the columns fit side by side on a wide screen."""
        return len(self.columns) <= FEW_COLUMNS

    @property
    def may_grow(self) -> bool:
        """Whether another row may be added."""
        return self.more and len(self.entries) < (self.max_entries or MOST_ROWS)

    @property
    def filled(self) -> list[tuple[str, dict[str, Any]]]:
        """The rows that are not blank, each with the key of a fixed row or an empty key."""
        return [(row.row_key, row.data) for row in self.entries if not _row_is_blank(row)]

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        """Parse the rows; rows beyond the limit are reported, not silently dropped."""
        indices = set(self._extract_indices(self.name, formdata or ()))
        self._too_many = len(indices) > (self.max_entries or MOST_ROWS)
        super().process(formdata, data, extra_filters)
        self._name_rows()

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        """Validate each row that is not blank, then the table as a whole."""
        self.errors = []
        for row in self.entries:
            if not _row_is_blank(row):
                row.validate(form)
            self.errors.append(row.errors)
        if not any(self.errors):
            self.errors = []
        if self._too_many:
            self.errors.append(bare(_("Use at most %(most)s rows", most=self.max_entries)))
        self._run_validation_chain(form, [*self.validators, *extra_validators])
        return not self.errors

    def add_row(self, action: str) -> None:
        """Add a blank row if this table's button was pressed and there is room."""
        if action == self.id and self.may_grow:
            self.append_entry()
            self.focus = len(self.entries) - 1

    def remove_row(self, action: str) -> None:
        """Remove a free row if its button was pressed; one row always stays."""
        numbers = [row.index for row in self.entries if row.id == action and not row.row_key]
        for number in numbers:
            self.pop_entry(number)
        if numbers and not self.entries:
            self.append_entry()
        if numbers:
            self.focus = min(numbers[0], len(self.entries) - 1)

    def _name_rows(self) -> None:
        for row, (key, label) in zip(self.entries, self.given, strict=False):
            row.row_key, row.row_label = key, label

    def _extract_indices(self, prefix: str, formdata: Any) -> Any:
        """Yield the numbers of the fixed rows, and of rows sent; only plain small numbers count."""
        yield from range(len(self.given))
        start = f"{prefix}-"
        for name in formdata:
            number = name[len(start) :].split("-", 1)[0] if name.startswith(start) else ""
            if number.isascii() and number.isdecimal() and len(number) <= len("9999"):
                yield int(number)


def _row_is_blank(row: Any) -> bool:
    return all(is_blank(field) for field in row)
