"""A frozen text read back in one of the languages it is said in; of both shapes there are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracker.checklists import wording
from tracker.checklists.wording import Part_, Table
from tracker.core.spoken import Said, Spoken, joined, said
from tracker.mail.render import in_language

# The shape before what is said stood there in several languages.
FIRST = "common-terms/1"


@dataclass(frozen=True, slots=True)
class FrozenAnswer:
    """An answer: whose it is where each party gave its own, and its fields."""

    by: str
    parts: list[Part_]


@dataclass(frozen=True, slots=True)
class FrozenItem:
    """An item of the text."""

    code: str
    label: str
    prompt: str
    answers: tuple[FrozenAnswer, ...]


@dataclass(frozen=True, slots=True)
class FrozenSection:
    """A part of the text, with its items."""

    title: str
    items: tuple[FrozenItem, ...]


@dataclass(frozen=True, slots=True)
class FrozenText:
    """A frozen text as it reads in one language; words in another know that they are."""

    language: str
    # All that it can be read in, and the one that counts where they differ.
    languages: tuple[str, ...]
    binding: str
    title: str
    reference: str
    cooperation: str
    parties: tuple[str, ...]
    template_version: int
    sections: tuple[FrozenSection, ...]
    guidance: tuple[Mapping[str, Any], ...]

    @property
    def by_code(self) -> dict[str, FrozenItem]:
        """All items by their code."""
        return {item.code: item for section in self.sections for item in section.items}


def languages_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the languages a frozen text can be read in, the binding one first."""
    binding = binding_of(document)
    others = (code for code in document.get("languages", ()) if code != binding)
    return (binding, *others)


def binding_of(document: Mapping[str, Any]) -> str:
    """Return the language that counts: the only one of a text in the first shape."""
    return str(document.get("binding_language") or document["language"])


def read(document: Mapping[str, Any], language: str = "") -> FrozenText:
    """Return a frozen text as it reads in a language, or in the binding one if it is not in it."""
    known = languages_of(document)
    shown = language if language in known else known[0]
    if document["format"] == FIRST:
        return _read_first(document, shown)
    tongues = (shown, document["template"]["language"])
    return FrozenText(
        language=shown,
        languages=known,
        binding=known[0],
        title=said(document["title"], *tongues),
        reference=document["cooperation"]["reference"],
        cooperation=document["cooperation"]["title"],
        parties=tuple(party["name"] for party in document["parties"]),
        template_version=document["template"]["version"],
        sections=tuple(
            FrozenSection(
                said(section["title"], *tongues),
                tuple(_item(item, tongues) for item in section["items"]),
            )
            for section in document["sections"]
        ),
        guidance=tuple(document["guidance"]),
    )


def values_in(document: Mapping[str, Any], code: str) -> Mapping[str, Any]:
    """Return the values of an item's answer for all, as they are kept; none where there is none."""
    answers = _found(document, code)
    return answers[0].get("values", {}) if answers else {}


def shown_in(document: Mapping[str, Any], language: str) -> str:
    """Return the language a text is read in: the one asked for where it is said in it."""
    known = languages_of(document)
    return language if language in known else known[0]


def parts_in(
    document: Mapping[str, Any], code: str, keys: Collection[str], language: str = ""
) -> list[Part_]:
    """Return some fields of an item's answer for all, as they read in a language."""
    shown = shown_in(document, language)
    answers = _found(document, code)
    fields = [
        one for one in (answers[0].get("fields", ()) if answers else ()) if one["key"] in keys
    ]
    if document["format"] == FIRST:
        with in_language(shown):
            return wording.document_parts(fields, shown)
    return [_field(one, (shown, document["template"]["language"])) for one in fields]


def _found(document: Mapping[str, Any], code: str) -> Sequence[Mapping[str, Any]]:
    """Return the answers to an item in a frozen text; none where it is not in it."""
    for section in document["sections"]:
        for item in section["items"]:
            if item["code"] == code:
                answers: Sequence[Mapping[str, Any]] = item["answers"]
                return answers
    return ()


def _item(item: Mapping[str, Any], tongues: tuple[str, ...]) -> FrozenItem:
    return FrozenItem(
        code=item["code"],
        label=said(item["label"], *tongues),
        prompt=said(item["prompt"], *tongues),
        answers=tuple(_answer(answer, tongues) for answer in item["answers"]),
    )


def _answer(answer: Mapping[str, Any], tongues: tuple[str, ...]) -> FrozenAnswer:
    by = str(answer["by_name"])
    if "not_applicable_because" in answer:
        with in_language(tongues[0]):
            return FrozenAnswer(by, wording.left_out(answer["not_applicable_because"]))
    return FrozenAnswer(by, [_field(field, tongues) for field in answer["fields"]])


def _field(field: Mapping[str, Any], tongues: tuple[str, ...]) -> Part_:
    def say(text: Said) -> str:
        return said(text, *tongues)

    label = say(field["label"])
    if "rows" in field:
        heads = tuple(say(head["label"]) for head in field["columns"])
        return label, Table(heads, tuple(tuple(map(say, row)) for row in field["rows"]))
    if "texts" in field:
        return label, joined("\n", map(say, field["texts"]))
    return label, say(field["text"])


# common-terms/1 ---------------------------------------------------------------------------------


def _read_first(document: Mapping[str, Any], language: str) -> FrozenText:
    with in_language(language):
        sections = tuple(
            FrozenSection(
                Spoken(section["title"], language),
                tuple(_first_item(item, language) for item in section["items"]),
            )
            for section in document["sections"]
        )
    return FrozenText(
        language=language,
        languages=(language,),
        binding=language,
        title=Spoken(document["checklist"]["title"], language),
        reference=document["cooperation"]["reference"],
        cooperation=document["cooperation"]["title"],
        parties=tuple(party["name"] for party in document["parties"]),
        template_version=document["checklist"]["template_version"],
        sections=sections,
        guidance=tuple(document["guidance"]),
    )


def _first_item(item: Mapping[str, Any], language: str) -> FrozenItem:
    return FrozenItem(
        code=item["code"],
        label=Spoken(item["label"], language),
        prompt=Spoken(item["prompt"], language),
        answers=tuple(
            FrozenAnswer(
                answer["by"],
                wording.left_out(answer["not_applicable_because"])
                if "not_applicable_because" in answer
                else wording.document_parts(answer["fields"], language),
            )
            for answer in item["answers"]
        ),
    )
