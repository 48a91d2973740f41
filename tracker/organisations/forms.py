"""Forms for organisations."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import OrganisationKind
from tracker.core.errors import RuleBrokenError
from tracker.core.mistakes import ContentError
from tracker.organisations.labels import KINDS, TYPES
from tracker.organisations.languages import language_codes, other_languages
from tracker.organisations.models import Organisation
from tracker.organisations.service import SHORT_NAME_LENGTH, Details, ResemblanceError
from tracker.settings import KNOWN_LANGUAGES
from tracker.ui.fields import (
    ChoiceField,
    ChoicesField,
    ConfirmField,
    HiddenValueField,
    LineField,
    NameField,
    Option,
    TextField,
    VersionField,
)
from tracker.ui.form_base import Form
from tracker.ui.locale import languages, name_of
from tracker.ui.validators import Optional, Required

COUNTRY_LENGTH = 80
MOST_LANGUAGES = 12


def _known_languages() -> list[str]:
    """Return the codes of all languages the product has, those of this instance first."""
    return list(dict.fromkeys([*(offered.code for offered in languages()), *KNOWN_LANGUAGES]))


def _language_options() -> list[Option]:
    return [Option(code, name_of(code)) for code in _known_languages()]


_MANDATES: dict[OrganisationKind, object] = {
    OrganisationKind.NPM: _l("The law or decision that designates it."),
    OrganisationKind.CSO: _l("Its statutes or aim."),
    OrganisationKind.OTHER: _l("The law or decision that it rests on."),
}


class OrganisationForm(Form):
    """The details of an organisation that is not a CSO."""

    name = NameField(_l("Name"), [Required(_l("Enter the name"))])
    short_name = NameField(
        _l("Short name"),
        [Optional()],
        most=SHORT_NAME_LENGTH,
        description=_l("Used where there's little room. Leave empty to use the full name."),
    )
    country = LineField(_l("Country or region"), [Optional()], most=COUNTRY_LENGTH)
    languages = ChoicesField(
        _l("Working languages"),
        [Optional()],
        choices=_language_options,
        description=_l("Texts are sent to it for signature in these languages."),
    )
    other_languages = LineField(
        _l("Other working languages"),
        [Optional()],
        description=_l("For information, separated by commas, such as French, Spanish."),
    )
    mandate = TextField(
        _l("Legal base or mandate"),
        [Optional()],
    )
    contact = TextField(
        _l("Contact"),
        [Optional()],
        description=_l("The organisation's office address, phone and email, not a person's."),
    )
    # Shown once a name looks like another organisation's; the hidden field says whose.
    is_another = ConfirmField(_l("It's another organisation"))
    resembles = HiddenValueField(most=4000)
    version = VersionField()

    @property
    def another_than(self) -> frozenset[UUID]:
        """The organisations that the person was shown, if they say that this is another one."""
        return frozenset(_ids(self.resembles.data or "")) if self.is_another.data else frozenset()

    def refuse(self, error: RuleBrokenError | ContentError) -> None:
        """Add the message of a broken rule; ask anew about each organisation it resembles."""
        if isinstance(error, ResemblanceError):
            confirmed = self.another_than
            self.resembles.data = " ".join(sorted(map(str, {*confirmed, error.other_id})))
            self.is_another.data = False
        super().refuse(error)

    def details(self, earlier: Collection[str] = ()) -> Details:
        """Return the details that were entered; earlier are the languages stored so far."""
        return Details(
            name=self.name.data or "",
            short_name=self.short_name.data or "",
            country=self.country.data or "",
            languages=_joined(
                self.languages.data or (), _split(self.other_languages.data), earlier
            ),
            mandate=self.mandate.data or "",
            contact=self.contact.data or "",
        )

    def fill(self, organisation: Organisation) -> None:
        """Fill the form with an organisation's details."""
        for name in ("name", "short_name", "country", "mandate", "contact", "version"):
            self[name].data = getattr(organisation, name)
        known = language_codes(organisation.languages)
        self.languages.data = [code for code in _known_languages() if code in known]
        self.other_languages.data = ", ".join(other_languages(organisation.languages))


class CsoForm(OrganisationForm):
    """The details of a CSO (S62 to S72)."""

    types = ChoicesField(
        _l("Type"),
        [Required(_l("Choose at least one type"))],
        choices=[Option(kind.value, words) for kind, words in TYPES.items()],
        description=_l("Choose all that apply. You can add a type below."),
    )
    other_type = LineField(_l("Other type, in your own words"), [Optional()])
    expertise = TextField(_l("Expertise"), [Optional()])
    litigates = ConfirmField(_l("Litigates"))
    represents_persons = ConfirmField(_l("Represents people deprived of liberty or their families"))
    represents_staff = ConfirmField(_l("Represents staff"))

    def details(self, earlier: Collection[str] = ()) -> Details:
        """Return the details that were entered; earlier are the languages stored so far."""
        common = super().details(earlier)
        return Details(
            name=common.name,
            short_name=common.short_name,
            country=common.country,
            languages=common.languages,
            mandate=common.mandate,
            contact=common.contact,
            types=list(self.types.data or ()),
            other_type=self.other_type.data or "",
            expertise=self.expertise.data or "",
            litigates=bool(self.litigates.data),
            represents_persons=bool(self.represents_persons.data),
            represents_staff=bool(self.represents_staff.data),
        )

    def fill(self, organisation: Organisation) -> None:
        """Fill the form with a CSO's details."""
        super().fill(organisation)
        for name in (
            "types",
            "other_type",
            "expertise",
            "litigates",
            "represents_persons",
            "represents_staff",
        ):
            self[name].data = getattr(organisation, name)


class KindForm(Form):
    """The first question when adding an organisation."""

    kind = ChoiceField(
        _l("What kind of body is it?"),
        [Required(_l("Choose what kind of body it is"))],
        choices=[Option(kind.value, words) for kind, words in KINDS.items()],
        coerce=OrganisationKind,
    )


def form_for(kind: OrganisationKind) -> OrganisationForm:
    """Return the form for a kind of organisation."""
    form = CsoForm() if kind is OrganisationKind.CSO else OrganisationForm()
    form.mandate.description = str(_MANDATES[kind])
    return form


def _ids(text: str) -> Iterator[UUID]:
    for word in text.split():
        with suppress(ValueError):  # somebody else's page, or nobody's
            yield UUID(word)


def _joined(codes: Collection[str], others: list[str], earlier: Collection[str]) -> list[str]:
    """Return the known languages as codes, also those typed by name, then the other names.

    An NPM's first language is the one proposed as binding, so those of earlier keep their order.
    """
    chosen = {*codes, *language_codes(others)}
    in_order = dict.fromkeys([*language_codes(earlier), *_known_languages()])
    return [*(code for code in in_order if code in chosen), *other_languages(others)]


def _split(text: str | None) -> list[str]:
    names = [" ".join(name.split()) for name in (text or "").replace("،", ",").split(",")]
    return list(dict.fromkeys(name for name in names if name))[:MOST_LANGUAGES]
