"""The check that the content covers all 72 statements and all items, with no broken reference."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracker.checklist_templates import articles, languages, risky_phrases
from tracker.checklist_templates.library import (
    ITEMS_OF,
    TemplateFile,
    broken_references,
    missing_items,
)
from tracker.checklist_templates.risky_phrases import PhraseFile
from tracker.core.mistakes import ContentError, Mistake, report
from tracker.guidance.library import Library
from tracker.settings import KNOWN_LANGUAGES

_WITHOUT_PHRASES = "Languages without a list of risky phrases (wording/CODE.yaml)"
STATEMENTS = tuple(f"S{number}" for number in range(1, 73))


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the content covers, and what is missing."""

    carried: tuple[str, ...]
    not_carried: tuple[str, ...]
    without_place: tuple[str, ...]
    items: dict[str, int]
    items_missing: tuple[str, ...]
    items_without_statement: tuple[str, ...]
    broken: tuple[Mistake, ...]
    # Risky phrases, by language.
    phrases: dict[str, int]
    # Languages with content in which no phrase is looked for.
    without_phrases: tuple[str, ...]
    # By language: translated items by kind, and those that are shown in the checklist's own
    # language.
    translated: dict[str, dict[str, int]]
    untranslated: dict[str, tuple[str, ...]]
    # By language: how much of the guidance is translated, and how much there is in all.
    guidance: dict[str, dict[str, tuple[int, int]]]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing or broken."""
        return not (
            self.not_carried
            or self.without_place
            or self.items_missing
            or self.items_without_statement
            or self.without_phrases
            or self.broken
        )

    def lines(self, content: Path | None = None) -> list[str]:
        """Return the findings, a line each; broken references with their lines in a folder."""

        def named(codes: tuple[str, ...]) -> str:
            return ", ".join(codes) or "none"

        looked_for = ", ".join(f"{code} {count}" for code, count in self.phrases.items())
        counts = ", ".join(f"{kind} {count}" for kind, count in self.items.items())
        return [
            f"Statements covered by passages: {len(self.carried)} of {len(STATEMENTS)}",
            f"Statements not covered: {named(self.not_carried)}",
            f"Statements without passage or item: {named(self.without_place)}",
            f"Items: {sum(self.items.values())} of {sum(ITEMS_OF.values())} ({counts})",
            f"Items missing: {named(self.items_missing)}",
            f"Items without a statement: {named(self.items_without_statement)}",
            *self._languages(),
            f"Risky phrases: {looked_for or 'none'}",
            f"{_WITHOUT_PHRASES}: {named(self.without_phrases)}",
            f"Broken references: {len(self.broken) or 'none'}",
            *(
                report(ContentError(self.broken), content).splitlines()
                if content
                else map(str, self.broken)
            ),
        ]

    def _languages(self) -> Iterator[str]:
        total = sum(self.items.values())
        for code, kinds in self.translated.items():
            counts = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
            yield f"Items translated into {code}: {sum(kinds.values())} of {total} ({counts})"
            missing = ", ".join(self.untranslated[code]) or "none"
            yield f"Items not translated into {code}: {missing}"
        for code, parts in self.guidance.items():
            counts = ", ".join(
                f"{name} {count} of {whole}" for name, (count, whole) in parts.items()
            )
            yield f"Guidance in {code}: {counts}"


def look(
    library: Library, files: tuple[TemplateFile, ...], wordings: tuple[PhraseFile, ...] = ()
) -> Coverage:
    """Compare the content with the field's statements and items (domain.md, sections 1 and 2).

    A statement is covered if a guidance passage contains it or an item is based on it.
    """
    passages = {
        f"{article.head.slug}/{passage.key}": set(passage.statements)
        for article in library.articles
        for passage in article.passages
    }
    carried = set().union(*passages.values())
    items = [item for file in files for item in file.template.items]
    rested_on = {code for item in items for code in item.rests_on.statements}
    written = frozenset(statement.code for statement in library.statements)
    return Coverage(
        carried=tuple(code for code in STATEMENTS if code in carried),
        not_carried=tuple(code for code in STATEMENTS if code not in carried),
        without_place=tuple(code for code in STATEMENTS if code not in carried | rested_on),
        items={file.template.kind.value: len(file.template.items) for file in files},
        items_missing=tuple(missing_items(files)),
        items_without_statement=tuple(item.code for item in items if not item.rests_on.statements),
        broken=(
            *broken_references(files, written, passages),
            *risky_phrases.broken_references(wordings, passages),
            *articles.mistakes(library, [file.template for file in files]),
        ),
        phrases={
            file.phrases.language: sum(len(entry.forms) for entry in file.phrases.hints)
            for file in wordings
        },
        without_phrases=tuple(
            sorted(_written_in(library, files) - {file.phrases.language for file in wordings})
        ),
        translated={
            code: {
                file.template.kind.value: len(file.template.items) - len(_lacking(file, code))
                for file in files
                if file.template.language != code
            }
            for code in _others(files)
        },
        untranslated={
            code: tuple(item for file in files for item in _lacking(file, code))
            for code in _others(files)
        },
        guidance={code: _guidance_in(library, code) for code in _others(files)},
    )


def _guidance_in(library: Library, language: str) -> dict[str, tuple[int, int]]:
    """Return how much of the guidance is available in a language, and how much there is in all."""
    slugs = {article.head.slug for article in library.articles}
    translated = {
        article.head.slug for article in library.articles if article.head.language == language
    }
    terms = [*library.categories, *library.topics]
    return {
        "articles": (len(translated), len(slugs)),
        "categories and topics": (sum(language in term.names for term in terms), len(terms)),
        "statements": (
            sum(language in statement.texts for statement in library.statements),
            len(library.statements),
        ),
    }


def _written_in(library: Library, files: tuple[TemplateFile, ...]) -> set[str]:
    """Return the languages that have a checklist, a translation of one, or an article."""
    return (
        {file.template.language for file in files}
        | {words.words.language for file in files for words in file.words}
        | {article.head.language for article in library.articles}
    )


def _others(files: tuple[TemplateFile, ...]) -> tuple[str, ...]:
    """Return the languages in which people may read a checklist written in another."""
    own = {file.template.language for file in files}
    return tuple(code for code in KNOWN_LANGUAGES if own - {code})


def _lacking(file: TemplateFile, language: str) -> tuple[str, ...]:
    if file.template.language == language:
        return ()
    words = next((word.words for word in file.words if word.words.language == language), None)
    return languages.lacking(words, file.template)
