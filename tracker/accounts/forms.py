"""Forms for accounts: profile, second factor, invitations, roles, suspension."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Role
from tracker.accounts.labels import ROLES, what_role_may
from tracker.ui.fields import (
    ChoiceField,
    ChoicesField,
    CodeField,
    ConfirmField,
    DateField,
    EmailField,
    HiddenValueField,
    LineField,
    NameField,
    Option,
    PasswordField,
    PhoneField,
    SelectOneField,
    TextField,
)
from tracker.ui.form_base import Form
from tracker.ui.locale import languages
from tracker.ui.validators import Optional, Required

REASON_LENGTH = 500
SETUP_LENGTH = 2000


def _language_options() -> list[Option]:
    return [Option(language.code, language.name) for language in languages()]


class ProfileForm(Form):
    """One's own name, language and telephone number."""

    name = NameField(
        _l("Name"),
        [Required(_l("Enter your name"))],
        most=200,
        render_kw={"autocomplete": "name"},
    )
    language = SelectOneField(
        _l("Language of pages and emails"), [Required()], choices=_language_options, blank=None
    )
    telephone = PhoneField(
        _l("Telephone number"),
        [Optional()],
        description=_l(
            "When someone names you in a checklist that asks for your number, we fill in this one. "
            "It isn't shown anywhere else."
        ),
    )


class ConfirmRoleForm(Form):
    """Confirm a role as the page shows it."""

    shown = HiddenValueField(most=64)


class RenameForm(Form):
    """The name of somebody whose signatures show it."""

    name = NameField(_l("Name"), [Required(_l("Enter the name"))], most=200)


class AcceptForm(Form):
    """The form that turns an invitation into an account."""

    name = NameField(
        _l("Your name"),
        [Required(_l("Enter your name"))],
        most=200,
        description=_l("As it should appear beside your signature."),
        render_kw={"autocomplete": "name"},
    )
    language = SelectOneField(
        _l("Language of pages and emails"), [Required()], choices=_language_options, blank=None
    )
    password = PasswordField(
        _l("Password"),
        [Required(_l("Choose a password"))],
        autocomplete="new-password",
        description=_l("At least 12 characters. Several words are easy to remember."),
    )


class EmptyForm(Form):
    """A decision with nothing but a button."""


class SecondFactorForm(Form):
    """The first code of a new second factor."""

    setup = HiddenValueField(most=SETUP_LENGTH)
    code = CodeField(_l("Six-digit code from your app"), [Required(_l("Enter the six-digit code"))])


class PasskeyForm(Form):
    """The name of a passkey."""

    name = LineField(_l("Name of the passkey"), [Required(_l("Give the passkey a name"))], most=64)


class ReasonForm(Form):
    """A decision that needs a reason."""

    reason = TextField(
        _l("Reason"),
        [Required(_l("Say why"))],
        most=REASON_LENGTH,
        description=_l("Kept in the history. Don't write anything confidential."),
    )


class ForRole(Optional):
    """Allows an empty answer unless the role above the field was chosen; the label says so.

    The service requires it then.
    """

    field_flags: ClassVar[dict[str, bool]] = {"needed": True}


class _RoleDetails(Form):
    """Fields that belong to certain roles; the page shows each below its role."""

    office = LineField(
        _l("Office"),
        [ForRole()],
        description=_l("For example president or director. Shown on the signature."),
    )
    power = LineField(
        _l("Power to sign"),
        [ForRole()],
        most=500,
        description=_l("Where the power comes from: law, statutes, decision, with its date."),
    )
    power_from = DateField(
        _l("Valid from"),
        [Optional()],
        description=_l("Leave empty if already valid."),
    )
    power_until = DateField(
        _l("Valid until"),
        [Optional()],
        description=_l("The last day on which they can sign. Leave empty if it has no end."),
    )
    outside_expert = ConfirmField(
        _l("Outside expert of an NPM"),
        description=_l("Needs a clearance, like people from a CSO."),
    )
    audits = SelectOneField(
        _l("NPM to audit"),
        [ForRole()],
        coerce=UUID,
        blank=_l("None"),
    )

    def offer(self, npms: Sequence[tuple[UUID, str]], *, has_experts: bool) -> None:
        """Remove the fields that don't apply to the organisation."""
        if npms:
            offer(self.audits, [Option(str(npm_id), name) for npm_id, name in npms])
        else:
            del self.audits
        if not has_experts:
            del self.outside_expert


class InviteForm(_RoleDetails):
    """Who to invite, with which roles."""

    email = EmailField(
        _l("Email address"), [Required(_l("Enter the email address"))], autocomplete="off"
    )
    name = NameField(
        _l("Name"),
        [Optional()],
        most=200,
        description=_l("Needed for a signatory or manager, whose signatures show it."),
    )
    roles = ChoicesField(_l("Roles"), [Required(_l("Choose at least one role"))], coerce=Role)
    language = SelectOneField(
        _l("Language of the invitation"), [Required()], choices=_language_options, blank=None
    )


class WithoutEmailForm(Form):
    """A person without an email address, and the language of their papers."""

    name = NameField(_l("Name"), [Required(_l("Enter the name"))], most=200)
    outside_expert = ConfirmField(
        _l("This person is an outside expert, neither member nor staff of the NPM"),
        description=_l(
            "Outside experts sign a personal undertaking before they see restricted information."
        ),
    )
    language = SelectOneField(
        _l("Language of their papers"), [Required()], choices=_language_options, blank=None
    )

    def offer(self, *, has_experts: bool) -> None:
        """Remove the field that doesn't apply to the organisation."""
        if not has_experts:
            del self.outside_expert


class GiveRoleForm(_RoleDetails):
    """A role to give, and for how long."""

    role = ChoiceField(_l("Role"), [Required(_l("Choose a role"))], coerce=Role)
    starts_on = DateField(_l("First day"), [Optional()], description=_l("Leave empty for today."))
    ends_on = DateField(
        _l("Last day"),
        [Optional()],
        description=_l("The last day included. Leave empty if it has no end."),
    )


class OrganisationForm(Form):
    """The first step: in which organisation."""

    organisation = SelectOneField(_l("Organisation"), [Required(_l("Choose the organisation"))])


def offer(field: Any, options: Sequence[Option]) -> None:
    """Set the answers that a field offers."""
    field.choices = list(options)


def role_options(roles: Sequence[Role], *, is_npm: bool) -> list[Option]:
    """Return roles as choices, each with what it may do."""
    return [Option(role.value, ROLES[role], what_role_may(role, is_npm=is_npm)) for role in roles]
