"""A str subclass that carries its language code, and texts in several languages."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

# A value of a frozen text: as it was typed, or its wording by language.
LocalizedText = str | Mapping[str, str]


class LocalizedStr(str):
    """A str that knows which language it is in."""

    __slots__ = ("language",)

    language: str

    def __new__(cls, words: str, language: str = "") -> Self:
        """Return a string in a language."""
        text = super().__new__(cls, words)
        text.language = language
        return text


def language_of(words: object) -> str:
    """Return the language of a string; empty if it has none."""
    return words.language if isinstance(words, LocalizedStr) else ""


def joined(separator: str, parts: Iterable[str]) -> str:
    """Join strings; the result knows its language if all parts are in the same one."""
    all_parts = list(parts)
    whole = separator.join(all_parts)
    languages = {language_of(part) for part in all_parts}
    language = languages.pop() if len(languages) == 1 else ""
    return LocalizedStr(whole, language) if language else whole


def pick_language(text: LocalizedText, *languages: str) -> str:
    """Return a value of a frozen text in the first of some languages that it has.

    What people typed is the same in all languages. A value that has none of them is returned in its
    first language.
    """
    if isinstance(text, str):
        return text
    chosen = next((language for language in languages if language in text), next(iter(text)))
    return LocalizedStr(text[chosen], chosen)


def merged(versions: Sequence[Any]) -> Any:
    """Merge several versions of the same tree, one for each language, into one tree.

    A LocalizedStr is stored by language. Everything else is the same in all versions; raise
    ValueError if it is not.
    """
    first = versions[0]
    if isinstance(first, Mapping):
        _require_same([sorted(version) for version in versions])
        return {key: merged([version[key] for version in versions]) for key in first}
    if isinstance(first, list):
        _require_same([len(version) for version in versions])
        return [merged(list(parts)) for parts in zip(*versions, strict=True)]
    if isinstance(first, LocalizedStr):
        return {language_of(version): str(version) for version in versions}
    _require_same(list(versions))
    return first


def _require_same(values: list[Any]) -> None:
    if any(value != values[0] for value in values):
        message = "versions of a text differ in more than their words"
        raise ValueError(message)
