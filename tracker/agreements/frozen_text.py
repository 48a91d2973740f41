"""Reading of frozen checklists, in one of their languages and in either document format.

In one file: what is read of a text, for people and for rules, in both formats.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from tracker.access.actor import OrganisationKind
from tracker.checklist_templates.schema import FieldType
from tracker.checklists import localized_values
from tracker.checklists.localized_values import Choices, Confirmation, Part_, Table
from tracker.cooperations.agreed_ways import (
    ON_VISITS_IF_ASKED,
    PROTECTION,
    SAFETY,
    WAYS,
    AgreedWays,
)
from tracker.cooperations.models import Mode
from tracker.core.localized import (
    LocalizedStr,
    LocalizedText,
    language_of,
    pick_language,
)
from tracker.core.telephone import Telephone
from tracker.mail.render import in_language
from tracker.organisations.labels import KINDS
from tracker.signoff import leaves
from tracker.signoff.labels import ORDERS, power_words, rule_words
from tracker.signoff.signers import Order
from tracker.ui.locale import as_date, with_commas

# The format used before wording was stored in several languages.
FIRST = "common-terms/1"
# With more items than this, a text has a list of its contents.
LONG = 12


@dataclass(frozen=True, slots=True)
class FrozenAnswer:
    """An answer with its fields, and the party it belongs to if each party gave its own."""

    by: str
    parts: list[Part_]


@dataclass(frozen=True, slots=True)
class FrozenItem:
    """An item of the text."""

    code: str
    label: str
    prompt: str
    answers: tuple[FrozenAnswer, ...]

    def is_labelled(self, answer: FrozenAnswer) -> bool:
        """Whether an answer's fields need labels; a single one with the item's label doesn't."""
        return len(answer.parts) > 1 or any(
            label not in ("", self.label) for label, _words in answer.parts
        )


@dataclass(frozen=True, slots=True)
class FrozenSection:
    """A section of the text, with its items."""

    title: str
    items: tuple[FrozenItem, ...]


@dataclass(frozen=True, slots=True)
class FrozenText:
    """A frozen text in one language; strings in another language are marked."""

    language: str
    # All languages it can be read in, and the binding one.
    languages: tuple[str, ...]
    binding: str
    title: str
    reference: str
    cooperation: str
    parties: tuple[str, ...]
    template_version: int
    sections: tuple[FrozenSection, ...]
    guidance: tuple[Mapping[str, Any], ...]
    # What the text says apart from its items: the cooperation, the parties, and who signs.
    about: tuple[Part_, ...]
    # What only machines read, with the path of each value.
    technical: tuple[tuple[str, str], ...]

    @property
    def by_code(self) -> dict[str, FrozenItem]:
        """All items by their code."""
        return {item.code: item for section in self.sections for item in section.items}

    @property
    def titles(self) -> dict[str, str]:
        """The titles of all items by their code, as they were frozen."""
        return {code: item.label for code, item in self.by_code.items()}

    @property
    def is_long(self) -> bool:
        """Whether people need a list of its contents to find their way."""
        return len(self.by_code) > LONG


def languages_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the languages a frozen text can be read in, the binding one first."""
    binding = binding_of(document)
    others = (code for code in document.get("languages", ()) if code != binding)
    return (binding, *others)


def binding_of(document: Mapping[str, Any]) -> str:
    """Return the binding language: in the first format, the only one."""
    return str(document.get("binding_language") or document["language"])


def template_version_of(document: Mapping[str, Any]) -> int:
    """Return the version of the checklist that a text was frozen from, in any format."""
    for holder, key in (("template", "version"), ("checklist", "template_version")):
        if holder in document:
            return int(document[holder][key])
    return int(document["template_version"])  # an undertaking in the first format


def read(document: Mapping[str, Any], language: str = "") -> FrozenText:
    """Return a frozen text in a language, or in the binding one if it isn't available in it."""
    known = languages_of(document)
    shown = language if language in known else known[0]
    if document["format"] == FIRST:
        return _read_first(document, shown)
    tongues = (shown, document["template"]["language"])
    return FrozenText(
        language=shown,
        languages=known,
        binding=known[0],
        title=title_in(document, shown),
        reference=document["cooperation"]["reference"],
        cooperation=document["cooperation"]["title"],
        parties=tuple(party["name"] for party in document["parties"]),
        template_version=template_version_of(document),
        sections=tuple(
            FrozenSection(
                pick_language(section["title"], *tongues),
                tuple(_item(item, tongues) for item in section["items"]),
            )
            for section in document["sections"]
        ),
        guidance=tuple(document["guidance"]),
        about=_about(document, shown),
        technical=tuple(leaves.technical(document, known)),
    )


def title_in(document: Mapping[str, Any], language: str) -> str:
    """Return the title of a text in a language, or in the binding one if it has no other."""
    shown = shown_in(document, language)
    if document["format"] == FIRST:
        return LocalizedStr(document["checklist"]["title"], shown)
    return pick_language(document["title"], shown, document["template"]["language"])


def values_in(document: Mapping[str, Any], code: str) -> Mapping[str, Any]:
    """Return the stored values of an item's shared answer; empty if there is none."""
    answers = _fields_of(document, code)
    return answers[0].get("values", {}) if answers else {}


def is_prior_agreement(document: Mapping[str, Any]) -> bool:
    """Return whether it was agreed on paper before."""
    return "made_before" in document


def ways_in(document: Mapping[str, Any]) -> AgreedWays:
    """Return what frozen terms say about the ways of working (M3, M13).

    Terms for mutual protection alone don't require M3: M15 settles it.
    """
    try:
        named = values_in(document, WAYS).get("in_scope") or ()
        on_visits = ON_VISITS_IF_ASKED if values_in(document, SAFETY) else frozenset[Mode]()
        settles_protection = bool(values_in(document, PROTECTION))
    except (AttributeError, KeyError, TypeError):  # an unknown format
        return AgreedWays(frozenset(), on_visits=frozenset())
    modes = frozenset(Mode(code) for code in named if code in Mode)
    if not modes and is_prior_agreement(document):
        return AgreedWays(None, on_visits)
    if not named and settles_protection:
        modes = frozenset({Mode.PROT})
    return AgreedWays(modes, on_visits)


def m9_in(document: Mapping[str, Any]) -> str | None:
    """Return whether a partner comes near sensitive information by frozen terms (M9), if said."""
    try:
        access = values_in(document, "M9").get("access")
    except (AttributeError, KeyError, TypeError):  # an unknown format
        return None
    return str(access) if access else None


def shown_in(document: Mapping[str, Any], language: str) -> str:
    """Return the language a text is shown in: the requested one if it is available."""
    known = languages_of(document)
    return language if language in known else known[0]


def parts_in(
    document: Mapping[str, Any], code: str, keys: Collection[str], language: str = ""
) -> list[Part_]:
    """Return some fields of an item's shared answer, rendered in a language."""
    shown = shown_in(document, language)
    answers = _fields_of(document, code)
    fields = [
        answer
        for answer in (answers[0].get("fields", ()) if answers else ())
        if answer["key"] in keys
    ]
    if document["format"] == FIRST:
        with in_language(shown):
            return localized_values.document_parts(fields, shown)
    return [_field(field, (shown, document["template"]["language"])) for field in fields]


def _fields_of(document: Mapping[str, Any], code: str) -> Sequence[Mapping[str, Any]]:
    """Return the answers to an item in a frozen text; none if it doesn't contain the item."""
    for section in document["sections"]:
        for item in section["items"]:
            if item["code"] == code:
                answers: Sequence[Mapping[str, Any]] = item["answers"]
                return answers
    return ()


def _item(item: Mapping[str, Any], tongues: tuple[str, ...]) -> FrozenItem:
    return FrozenItem(
        code=item["code"],
        label=pick_language(item["label"], *tongues),
        prompt=pick_language(item["prompt"], *tongues),
        answers=tuple(_answer(answer, tongues) for answer in item["answers"]),
    )


def _answer(answer: Mapping[str, Any], tongues: tuple[str, ...]) -> FrozenAnswer:
    by = str(answer["by_name"])
    if "not_applicable_because" in answer:
        with in_language(tongues[0]):
            return FrozenAnswer(by, localized_values.left_out(answer["not_applicable_because"]))
    return FrozenAnswer(by, [_field(field, tongues) for field in answer["fields"]])


def _field(field: Mapping[str, Any], tongues: tuple[str, ...]) -> Part_:
    def say(text: LocalizedText) -> str:
        return pick_language(text, *tongues)

    label = say(field["label"])
    if "rows" in field:
        heads = tuple(say(head["label"]) for head in field["columns"])
        kinds = [head.get("type", "") for head in field["columns"]]
        return label, Table(
            heads,
            tuple(
                tuple(_typed(kind, say(cell)) for kind, cell in zip(kinds, row, strict=True))
                for row in field["rows"]
            ),
        )
    if "texts" in field:
        return label, Choices(map(say, field["texts"]))
    words = say(field["text"])
    if field["type"] == FieldType.CONFIRM and words:
        return label, Confirmation(words, language_of(words))
    return label, _typed(field["type"], words)


def _typed(kind: str, words: str) -> str:
    """Return a value as what it is: a telephone number can be called."""
    return Telephone(words) if kind == FieldType.PHONE and words else words


# Apart from the items -----------------------------------------------------------------------------


def _about(document: Mapping[str, Any], language: str) -> tuple[Part_, ...]:
    """Return what a text says apart from its items, in readable form, without empty values."""
    with in_language(language):
        return tuple(
            (LocalizedStr(str(label), language), words)
            for label, words in (
                *_of_cooperation(document),
                *_of_parties(document, language),
                *_of_second_reading(document.get("second_reading") or {}),
                *_of_signing(document),
                *_of_paper(document.get("made_before") or {}),
            )
            if words
        )


def _of_cooperation(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    of = document["cooperation"]
    template = document.get("template") or document["checklist"]
    yield _("Purpose of the cooperation"), of["purpose"]
    yield _("Planned to start"), _as_day(of.get("starts_on"))
    yield _("Planned review"), _as_day(of.get("review_on"))
    yield _("Planned to end"), _as_day(of.get("ends_on"))
    if document.get("for_a_visit") or template.get("for_a_visit"):
        yield _("Covers"), _("One joint visit")
    yield _("Time zone of all days"), str(document.get("time_zone", ""))


def _of_parties(document: Mapping[str, Any], language: str) -> Iterator[tuple[str, Table]]:
    lines = tuple(
        (
            party["name"],
            pick_language(party["kind"], language)
            if "kind" in party
            else str(_side(party["side"])),
        )
        for party in document["parties"]
    )
    yield _("Parties"), Table((_("Party"), _("Kind")), lines)


def _side(side: str) -> object:
    return KINDS[OrganisationKind(side)]


def _of_signing(document: Mapping[str, Any]) -> Iterator[tuple[str, str | Table]]:
    named = document["signatories"]
    on_paper = "made_before" in document
    heads = [_("Party"), _("Name and office"), _("Source of the power")]
    lines = tuple(
        (person["organisation"], _signer(person), _power(person))[: 2 if on_paper else 3]
        for person in named
    )
    if lines:
        title = _("Who signed on paper") if on_paper else _("Who is asked to sign")
        yield title, Table(tuple(heads[: len(lines[0])]), lines)
    rules = document.get("signing")
    if rules:
        yield _("How it is signed"), "\n".join(_rules(rules, document))


def _signer(signatory: Mapping[str, Any]) -> str:
    parts = [signatory["name"], signatory["office"]]
    if signatory.get("on_behalf_of"):
        parts.append(_("on behalf of %(person)s", person=signatory["on_behalf_of"]))
    if signatory.get("turn"):
        parts.append(_("signs as number %(number)s", number=signatory["turn"]))
    return with_commas(word for word in parts if word)


def power_days(signatory: Mapping[str, Any]) -> tuple[dt.date | None, dt.date | None]:
    """Return the days on which the power of a signatory begins and ends, as the text has them."""
    first, last = (
        dt.date.fromisoformat(signatory[key]) if signatory.get(key) else None
        for key in ("power_from", "power_until")
    )
    return first, last


def _power(signatory: Mapping[str, Any]) -> str:
    return power_words(signatory["power"], *power_days(signatory))


def _rules(rules: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    names = {party["id"]: party["name"] for party in document["parties"]}
    in_turn = {
        signatory["organisation_id"]
        for signatory in document["signatories"]
        if signatory.get("turn")
    }
    yield f"{ORDERS[Order(rules['order'])]}."
    for rule in rules["parties"]:
        if rule["named"] > 1:
            yield rule_words(
                names[rule["organisation_id"]],
                rule["needed"],
                rule["named"],
                one_by_one=rule["organisation_id"] in in_turn,
            )
        if "m1_names" in rule:
            yield _(
                "%(party)s: %(person)s, named in the terms as signatory, doesn't have to sign. "
                "Reason: %(reason)s",
                party=names[rule["organisation_id"]],
                person=rule["m1_names"],
                reason=rule["instead_because"],
            )
    if rules["until"]:
        yield _("Can be signed until %(day)s.", day=_as_day(rules["until"]))


def _of_second_reading(reading: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "outside" in reading:
        yield (
            _("Second reading"),
            _(
                "%(name)s, %(function)s, from outside the parties, read the safeguards in place "
                "of the NPM's second reader, because the NPM has nobody else. Reason: %(reason)s",
                name=reading["by"],
                function=reading["outside"],
                reason=reading["because"],
            ),
        )
    elif reading:
        yield (
            _("Second reading"),
            _(
                "%(name)s, who also wrote answers, read the safeguards because the NPM has nobody "
                "else. Reason: %(reason)s",
                name=reading["by"],
                reason=reading["because"],
            ),
        )


def _of_paper(before: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield _("Signed on paper on"), _as_day(before.get("signed_on"))
    yield _("Last day"), _as_day(before.get("ends_on"))
    yield _("Not known"), with_commas(before.get("not_known") or ())


def _as_day(day: str | None) -> str:
    return as_date(dt.date.fromisoformat(day)) if day else ""


# common-terms/1 ---------------------------------------------------------------------------------


def _read_first(document: Mapping[str, Any], language: str) -> FrozenText:
    with in_language(language):
        sections = tuple(
            FrozenSection(
                LocalizedStr(section["title"], language),
                tuple(_first_item(item, language) for item in section["items"]),
            )
            for section in document["sections"]
        )
    return FrozenText(
        language=language,
        languages=(language,),
        binding=language,
        title=title_in(document, language),
        reference=document["cooperation"]["reference"],
        cooperation=document["cooperation"]["title"],
        parties=tuple(party["name"] for party in document["parties"]),
        template_version=template_version_of(document),
        sections=sections,
        guidance=tuple(document["guidance"]),
        about=_about(document, language),
        technical=tuple(leaves.technical(document, (language,))),
    )


def _first_item(item: Mapping[str, Any], language: str) -> FrozenItem:
    return FrozenItem(
        code=item["code"],
        label=LocalizedStr(item["label"], language),
        prompt=LocalizedStr(item["prompt"], language),
        answers=tuple(
            FrozenAnswer(
                answer["by"],
                localized_values.left_out(answer["not_applicable_because"])
                if "not_applicable_because" in answer
                else localized_values.document_parts(answer["fields"], language),
            )
            for answer in item["answers"]
        ),
    )
