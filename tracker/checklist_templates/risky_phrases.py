"""Risky phrases that may limit the NPM: loaded from content, and found in answers.

In one file: the syntax of forms in the lists determines how they are searched for.
"""

import hmac
import re
import secrets
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from itertools import accumulate, permutations
from operator import itemgetter
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from pydantic import Field, model_validator

from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.schema import WRITTEN, Column, TemplateField
from tracker.checklist_templates.strict import (
    Key,
    PassageRef,
    Statement,
    Strict,
    Words,
    check_unique,
)
from tracker.core.canonical import digest_of
from tracker.core.content import YamlText, name_of, read_text, read_yaml
from tracker.core.mistakes import ContentError, Mistake
from tracker.core.paths import CONTENT
from tracker.core.services import Slot
from tracker.search.words import Word, folded, folded_words, split
from tracker.settings import KNOWN_LANGUAGES

# What may separate the words of one phrase: spaces, hyphens, quotation marks, commas.
BETWEEN = " \t\r\n\u00a0-\u2010\u2011'\u2018\u2019\"\u201c\u201d\u00ab\u00bb(),\u060c"
# Where a form contains one of these, a few other words of the same sentence may occur: any, or
# none of those that begin something else (PhraseList.breaks).
GAP = "..."
CLOSE_GAP = ".."
MOST_BETWEEN = 5
# Up to this many ways to go on are looked at one after the other, which takes less memory than an
# index of all their words.
FEW_WAYS = 8
# Words of a form that may come in any order, with gaps between them.
ANY_ORDER = re.compile(r"\{(?P<words>[^{}]*)\}")
# How many words may stand between a protective phrase and somebody else whom it goes on with.
MOST_BEFORE_OTHERS = 2
GROUP = re.compile("<(?P<key>[a-z_]+)>")
_END_SIGN = re.compile(r"[.!?;\u061f\u061b]")
# Letters that are used for each other in Arabic, in addition to those that folding unifies.
LETTERS = str.maketrans("\u0629\u0649", "\u0647\u064a")
# Arabic particles written together with the next word: and, so; by, for, as; the article.
PARTICLES = re.compile(
    r"[\u0648\u0641]?(?:[\u0628\u0643]?\u0627\u0644|\u0644\u0644|[\u0628\u0644\u0643])?"
)
# The Arabic sign of the future, written together with the verb.
FUTURE = re.compile("\u0633(?=[\u064a\u062a\u0646])")
# Arabic pronouns written together with the word before: his, her, their, our.
PRONOUNS = re.compile(
    "(?:\u0647\u0645\u0627|\u0647\u0627|\u0647\u0645|\u0647\u0646|\u0646\u0627|\u0647)$"
)
SHORTEST_STEM = 3
# How many characters of texts that were searched are remembered: a few large checklists. Shorter
# texts take too little time; each one, and each phrase in it, takes memory besides its characters.
MOST_REMEMBERED = 4_000_000
SHORTEST_REMEMBERED = 40
_BESIDES = 500
# "And the" in Arabic, written together with the next word.
AND_THE = "\u0648\u0627\u0644"


@dataclass(frozen=True, slots=True)
class Step:
    """One step in a form: the alternative words, right away or after a gap."""

    words: frozenset[str]
    gap: str = ""

    def __str__(self) -> str:
        return f"{self.gap} {'|'.join(sorted(self.words))}".strip()


Steps = tuple[Step, ...]


class WhoDecides(str):
    """A text in which people type who decides, clears, receives or is consulted."""

    __slots__ = ()


def orders_of(form: str, shared: dict[Step, Step] | None = None) -> tuple[Steps, ...]:
    """Return a form word by word, in each order; raise ValueError if it can't be searched for.

    "a|b" is one word or the other, "..." up to five other words of the same sentence, ".." the same
    but none that begins something else, "{a b}" both words in either order, with "..." between.
    A step that is among those shared is that one, so that a list of forms takes little memory.
    """
    match = ANY_ORDER.search(form)
    if match is None:
        steps = _steps_of(form)
        return (
            tuple(shared.setdefault(step, step) for step in steps) if shared is not None else steps,
        )
    before, after = form[: match.start()], form[match.end() :]
    return tuple(
        steps
        for words in permutations(match["words"].split())
        for steps in orders_of(f"{before}{f' {GAP} '.join(words)}{after}", shared)
    )


def _steps_of(form: str) -> Steps:
    steps: list[Step] = []
    gap = ""
    for token in form.split():
        if token in (GAP, CLOSE_GAP):
            gap = token
            continue
        choices = [_letters(folded(choice)).split() for choice in token.split("|")]
        if len(choices) > 1:
            if any(len(choice) != 1 for choice in choices):
                message = f"{form}: {token} is not one word or another"
                raise ValueError(message)
            steps.append(Step(frozenset(word for choice in choices for word in choice), gap))
        else:
            for number, word in enumerate(choices[0]):
                steps.append(Step(frozenset({word}), "" if number else gap))
        gap = ""
    if not steps:
        message = f"{form}: no word to look for"
        raise ValueError(message)
    if gap or steps[0].gap:
        message = f"{form}: {gap or steps[0].gap} stands between words"
        raise ValueError(message)
    return tuple(steps)


class Entry(Strict):
    """A kind of phrase: its forms (see orders_of), what to consider, and the guidance about it.

    If it names a body, it is searched for only in texts that say who decides: elsewhere a ministry
    may well be mentioned.
    """

    key: Key
    forms: tuple[Words, ...] = Field(min_length=1)
    think: Words
    statement: Statement
    passage: PassageRef
    names_body: bool = False

    @model_validator(mode="after")
    def _has_forms_that_can_be_found(self) -> "Entry":
        for form in self.forms:
            orders_of(form)
        return self


class StandIns(Strict):
    """The words that a name in a text is searched for as: of the NPM, a partner, another body.

    Some names are known to be those of bodies wherever they occur.
    """

    npm: Words = "npm"
    partner: Words = "partner"
    body: Words = "authority"
    known: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """The names and short names of a cooperation's parties and outside bodies."""

    npm: tuple[str, ...] = ()
    partner: tuple[str, ...] = ()
    body: tuple[str, ...] = ()


NO_NAMES = Names()


class PhraseList(Strict):
    """The phrases of one language, and harmless ones that override them where they overlap.

    Protective phrases are harmless as long as only the NPM or a person concerned is meant: not if
    they go on with others, unless these are own as well.
    """

    language: str
    # Words that forms list again and again: <key> in a form is "a|b|c".
    groups: Mapping[Key, Words] = Field(default_factory=dict)
    names: StandIns = StandIns()
    # Words that a close gap doesn't reach across, "a|b|c".
    breaks: Words | None = None
    hints: tuple[Entry, ...] = Field(min_length=1)
    harmless: tuple[Words, ...] = ()
    protective: tuple[Words, ...] = ()
    others: tuple[Words, ...] = ()
    own: tuple[Words, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _with_groups_written_out(cls, data: Any) -> Any:
        groups = data.get("groups") if isinstance(data, Mapping) else None
        if not isinstance(groups, Mapping):
            return data
        # A group may list another one that is above it.
        words: dict[str, Any] = {}
        for key, listed in groups.items():
            words[key] = _written_out(listed, words)
        return _written_out({**data, "groups": words}, words)

    @model_validator(mode="after")
    def _holds_together(self) -> "PhraseList":
        if self.language not in KNOWN_LANGUAGES:
            message = f"language is {self.language!r}, not one of {', '.join(KNOWN_LANGUAGES)}"
            raise ValueError(message)
        check_unique("hint", [entry.key for entry in self.hints])
        check_unique("form", [_plain(form) for entry in self.hints for form in entry.forms])
        for name in ("harmless", "protective", "others", "own"):
            check_unique(f"{name} form", [_plain(form) for form in getattr(self, name)])
        return self

    @cached_property
    def break_words(self) -> frozenset[str]:
        """The words that a close gap doesn't reach across."""
        return _steps_of(self.breaks)[0].words if self.breaks else frozenset()

    @cached_property
    def by_first(self) -> "Index":
        """The forms that are searched for, the longest first, by their first word."""
        return _indexed((form, entry) for entry in self.hints for form in entry.forms)

    @cached_property
    def _by_rarest(self) -> "RarestIndex":
        return _by_rarest_word((form, entry) for entry in self.hints for form in entry.forms)

    def may_be_in(self, text: str, forms: AbstractSet[str]) -> bool:
        """Return whether all words of a phrase are among those of a text, in any order.

        Nearly no text has them all, and this check takes a fraction of the time of searching for
        them.
        """
        # Written as loops, since this runs for every phrase with a word of every text.
        for word in self._by_rarest.keys() & forms:
            for others, entry in self._by_rarest[word]:
                for words in others:
                    if words.isdisjoint(forms):
                        break
                else:
                    if _is_searched_for(entry, text):
                        return True
        return False

    @cached_property
    def harmless_by_first(self) -> "Index":
        """The harmless forms, the longest first, by their first word."""
        return _indexed((form, None) for form in self.harmless)

    @cached_property
    def protective_by_first(self) -> "Index":
        """The protective forms, in the same way."""
        return _indexed((form, None) for form in self.protective)

    @cached_property
    def others_by_first(self) -> "Index":
        """The forms that name somebody else, in the same way."""
        return _indexed((form, None) for form in self.others)

    @cached_property
    def own_by_first(self) -> "Index":
        """The forms that name only the NPM or a person concerned, in the same way."""
        return _indexed((form, None) for form in self.own)


def _written_out(data: Any, groups: Mapping[str, str]) -> Any:
    """Return content with the words of the groups in place of their keys."""
    if isinstance(data, Mapping):
        return {key: _written_out(value, groups) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_written_out(value, groups) for value in data]
    if not isinstance(data, str) or "<" not in data:
        return data
    return GROUP.sub(lambda group: _words_of(group["key"], groups), data)


def _words_of(key: str, groups: Mapping[str, str]) -> str:
    if key not in groups:
        message = f"there is no group {key}"
        raise ValueError(message)
    return str(groups[key])


Index = Mapping[str, Sequence["_Node"]]
# By a word of a form's rarest step: the words of its other steps, the rarer ones first.
RarestIndex = Mapping[str, Sequence[tuple[tuple[frozenset[str], ...], Entry | None]]]


def _plain(form: str) -> str:
    return " ".join(str(step) for step in orders_of(form)[0])


class _Branches(NamedTuple):
    """How forms go on after a gap: by each word if there are many ways, else a few to look at.

    The words of a step are those of all forms that have it, and take no memory here.
    """

    gap: str
    few: tuple[tuple[frozenset[str], "_Node"], ...]
    by_word: Mapping[str, Sequence["_Node"]]


class _Node:
    """Where a search is within the forms of an index: how they go on, and which of them end."""

    __slots__ = ("ends", "following")

    def __init__(
        self, ends: tuple[tuple[int, Entry | None], ...], following: tuple[_Branches, ...]
    ) -> None:
        # Rank (the longest forms first) and kind of each form that ends here.
        self.ends = ends
        self.following = following


class _Tree:
    """The forms of an index while they are added; only its nodes stay in memory."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, Entry | None]] = []
        self.steps: dict[Step, _Tree] = {}

    def after(self, step: Step) -> "_Tree":
        """Return what comes after a step; forms that begin alike share it."""
        return self.steps.setdefault(step, _Tree())

    def node(self) -> _Node:
        """Return the same for searching."""
        by_gap: dict[str, list[tuple[frozenset[str], _Node]]] = {}
        for step, tree in self.steps.items():
            by_gap.setdefault(step.gap, []).append((step.words, tree.node()))
        following = tuple(
            _Branches(gap, tuple(ways), {})
            if len(ways) <= FEW_WAYS
            else _Branches(gap, (), _by_word(ways))
            for gap, ways in by_gap.items()
        )
        return _Node(tuple(self.ends), following)


def _by_word(ways: Iterable[tuple[frozenset[str], _Node]]) -> Index:
    nodes: dict[str, tuple[_Node, ...]] = {}
    for words, node in ways:
        only = (node,)
        for word in words:
            nodes[word] = nodes[word] + only if word in nodes else only
    return nodes


def _indexed(forms: Iterable[tuple[str, Entry | None]]) -> Index:
    """Return forms as one tree, by their first word.

    However many forms begin with the same words, these are compared once: the cost of a text
    doesn't grow with the number of forms that it could be the beginning of.
    """
    shared: dict[Step, Step] = {}
    pairs = [(steps, entry) for form, entry in forms for steps in orders_of(form, shared)]
    root = _Tree()
    # Of two forms of the same length, the one that is listed first.
    for rank, (steps, entry) in enumerate(sorted(pairs, key=lambda pair: -len(pair[0]))):
        tree = root
        for step in steps:
            tree = tree.after(step)
        tree.ends.append((rank, entry))
    return _by_word((step.words, tree.node()) for step, tree in root.steps.items())


def _by_rarest_word(forms: Iterable[tuple[str, Entry | None]]) -> RarestIndex:
    """Return forms by the words of one step: the longest are in the fewest texts.

    Most forms begin with words such as "the", which nearly every text has.
    """
    by_rarest: dict[str, list[tuple[tuple[frozenset[str], ...], Entry | None]]] = {}
    shared: dict[Step, Step] = {}
    for steps, entry in (
        (steps, entry) for form, entry in forms for steps in orders_of(form, shared)
    ):
        rarest, *others = sorted(steps, key=lambda step: -min(map(len, step.words)))
        pair = (tuple(step.words for step in others), entry)
        for word in rarest.words:
            by_rarest.setdefault(word, []).append(pair)
    return by_rarest


def _is_searched_for(entry: Entry | None, text: str) -> bool:
    """Return whether a kind of phrase is searched for in a text (Entry.names_body)."""
    return entry is None or not entry.names_body or isinstance(text, WhoDecides)


@dataclass(frozen=True, slots=True)
class Hint:
    """A phrase in a text that may limit the NPM: as it was written, and what to consider."""

    words: tuple[str, ...]
    think: str
    language: str
    statement: str
    passage: str
    # The kind of phrase, and the digest of exactly the sentences it is in.
    phrase: str
    matched: str


@dataclass(frozen=True, slots=True)
class PhraseFile:
    """A list of phrases with the text it was parsed from, for line numbers."""

    phrases: PhraseList
    text: YamlText


def read(content: Path) -> tuple[PhraseFile, ...]:
    """Read the phrases of every language; raise ContentError with all mistakes."""
    mistakes: list[Mistake] = []
    files: list[PhraseFile] = []
    for path in sorted((content / "wording").glob("*.yaml")):
        text = read_text(content, path, mistakes)
        tree = None if text is None else read_yaml(text, name_of(content, path), mistakes)
        phrases = None if tree is None else tree.fit(PhraseList, mistakes)
        if tree is None or phrases is None:
            continue
        if phrases.language != path.stem:
            line = tree.line(("language",))
            message = f"language is {phrases.language!r}, not that of the file's name"
            mistakes.append(Mistake(tree.file, line, message))
        files.append(PhraseFile(phrases, tree))
    if mistakes:
        raise ContentError(mistakes)
    return tuple(files)


def broken_references(
    files: Iterable[PhraseFile], passages: Mapping[str, set[str]]
) -> Iterator[Mistake]:
    """Yield the hints whose passage doesn't exist, or lacks their statement."""
    for file in files:
        for number, entry in enumerate(file.phrases.hints):
            line = file.text.line(("hints", number))
            if entry.passage not in passages:
                message = f"hint {entry.key} points to {entry.passage}: not there"
                yield Mistake(file.text.file, line, message)
            elif entry.statement not in passages[entry.passage]:
                message = f"hint {entry.key}: its passage does not carry {entry.statement}"
                yield Mistake(file.text.file, line, message)


# The languages in which people write here.
LANGUAGES: Slot[tuple[str, ...]] = Slot("languages", KNOWN_LANGUAGES)


@cache
def _shipped() -> dict[str, PhraseList]:
    return {file.phrases.language: file.phrases for file in read(CONTENT)}


def _in_use() -> list[PhraseList]:
    return [_shipped()[code] for code in LANGUAGES.get() if code in _shipped()]


def passages() -> frozenset[str]:
    """Return the passages of guidance that hints link to."""
    return frozenset(entry.passage for phrases in _in_use() for entry in phrases.hints)


def hints(texts: Iterable[str], names: Names = NO_NAMES) -> tuple[Hint, ...]:
    """Return the phrases in some texts that may limit the NPM, in the instance's languages.

    A party or body that is named by its name is recognised by it. Hints never block: the phrase may
    be harmless in its context (S6, S7). What was searched lately isn't searched again.
    """
    return _as_hints(
        occurrence for occurrences in search(texts, names) for occurrence in occurrences
    )


def search(texts: Iterable[str], names: Names) -> list[tuple["_Occurrence", ...]]:
    """Return the phrases in each of some texts, and remember them in the application.

    A save looks at all answers of a checklist, of which it changed one.
    """
    codes, searched = LANGUAGES.get(), SEARCHED.get()
    lists = _in_use()

    def search_in(text: str) -> tuple[_Occurrence, ...]:
        return tuple(_occurrences(text, lists, names))

    if searched is None:
        return [search_in(text) for text in texts]
    return [searched.found_in(text, (names, codes), search_in) for text in texts]


def search_ahead(texts: Sequence[str], names: Names) -> None:
    """Search texts that are about to be saved, so that it isn't done while others wait."""
    long = [text for text in texts if len(text) >= SHORTEST_REMEMBERED]
    search(long, names)
    search(map(WhoDecides, long), names)


def not_searched(texts: Iterable[str], names: Names) -> list[str]:
    """Return the texts that would take time to search, since they weren't lately."""
    searched = SEARCHED.get()
    if searched is None:
        return []
    beside = names, LANGUAGES.get()
    return [text for text in texts if not searched.knows(text, beside)]


class Searched:
    """What was found in texts lately, by a keyed digest of each; none of the texts themselves.

    Only the sentences with a phrase are in memory. What was used least lately is forgotten first.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._lock = Lock()
        self._matches_by_digest: OrderedDict[bytes, tuple[tuple[_Occurrence, ...], int]] = (
            OrderedDict()
        )
        self._size = 0

    def __repr__(self) -> str:
        """Show nothing of what was found."""
        return "Searched()"

    def found_in(
        self, text: str, beside: object, search_for: Callable[[str], tuple["_Occurrence", ...]]
    ) -> tuple["_Occurrence", ...]:
        """Return what is in a text, from memory if the same was searched lately."""
        if len(text) < SHORTEST_REMEMBERED:
            return search_for(text)
        digest = self._digest(text, beside)
        with self._lock:
            if digest in self._matches_by_digest:
                self._matches_by_digest.move_to_end(digest)
                return self._matches_by_digest[digest][0]
        matches = search_for(text)
        self._remember(digest, matches, len(text) + _BESIDES * (1 + len(matches)))
        return matches

    def knows(self, text: str, beside: object) -> bool:
        """Return whether a text is too short to take time, or was searched lately."""
        if len(text) < SHORTEST_REMEMBERED:
            return True
        digest = self._digest(text, beside)
        with self._lock:
            return digest in self._matches_by_digest

    def _digest(self, text: str, beside: object) -> bytes:
        whole = repr((str(text), beside, isinstance(text, WhoDecides)))
        return hmac.digest(self._key, whole.encode(), "sha256")

    def _remember(self, digest: bytes, matches: tuple["_Occurrence", ...], size: int) -> None:
        with self._lock:
            if digest in self._matches_by_digest:
                return
            self._matches_by_digest[digest] = matches, size
            self._size += size
            while self._size > MOST_REMEMBERED:
                _digest, (_forgotten, freed) = self._matches_by_digest.popitem(last=False)
                self._size -= freed

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._matches_by_digest.clear()
            self._size = 0


SEARCHED: Slot[Searched | None] = Slot("searched_texts", None)


def found_in(
    texts: Iterable[str], lists: Sequence[PhraseList], names: Names = NO_NAMES
) -> tuple[Hint, ...]:
    """Return the phrases found in some texts, each kind once, as they were written.

    Whole words are compared, ignoring case, accents, and in Arabic what is written together with a
    word. Of two forms the longer one counts, and none that overlaps a harmless one.
    """
    return _as_hints(
        occurrence for text in texts for occurrence in _occurrences(text, lists, names)
    )


@dataclass(frozen=True, slots=True)
class _Occurrence:
    """A phrase where it is in a text: of which list, as it was written, and in which sentences."""

    # The list's place among all that are searched.
    order: int
    language: str
    entry: Entry
    shown: str
    sentences: str


def _occurrences(text: str, lists: Sequence[PhraseList], names: Names) -> Iterator[_Occurrence]:
    """Yield the phrases in a text, list by list."""
    plain, plain_forms = _Text(text), forms_in(text)
    for order, phrases in enumerate(lists):
        stand_ins = _stand_ins(names, phrases.names)
        searched, forms = plain, plain_forms
        if stand_ins and not stand_ins.keys().isdisjoint(plain_forms):
            searched = _Text(text, stand_ins)
            forms = plain_forms | {form for word in searched.words for form in _forms_of(word[0])}
        if not phrases.may_be_in(text, forms):
            continue
        for first, last, entry in _of_text(searched, phrases):
            shown, sentences = searched.between(first, last), searched.sentences_of(first, last)
            yield _Occurrence(order, phrases.language, entry, shown, sentences)


def _as_hints(occurrences: Iterable[_Occurrence]) -> tuple[Hint, ...]:
    """Return each kind of phrase once, those of the first list first."""
    matches: dict[tuple[str, str], _Match] = {}
    for occurrence in sorted(occurrences, key=lambda occurrence: occurrence.order):
        key = occurrence.language, occurrence.entry.key
        match = matches.setdefault(key, _Match(occurrence.entry))
        match.shown.setdefault(folded(occurrence.shown), " ".join(occurrence.shown.split()))
        match.sentences.add(occurrence.sentences)
    # A name stands for the same in every language: what one has found, another doesn't repeat.
    distinct: dict[tuple[str, ...], tuple[str, str, _Match]] = {}
    for (language, phrase), match in matches.items():
        distinct.setdefault((phrase, *match.shown), (language, phrase, match))
    return tuple(
        Hint(
            words=tuple(match.shown.values()),
            think=match.entry.think,
            language=language,
            statement=match.entry.statement,
            passage=match.entry.passage,
            phrase=phrase,
            matched=digest_of(sorted(match.sentences)),
        )
        for language, phrase, match in distinct.values()
    )


def forms_in(text: str) -> AbstractSet[str]:
    """Return the different words of a text in the form in which phrases are compared."""
    words = folded_words(text)
    if text.isascii():  # no words are written together, as they are in Arabic
        return words
    return {form for word in words if word for form in _forms_of(word)}


@dataclass(slots=True)
class _Match:
    """A kind of phrase that was found: as written, and the sentences it is in."""

    entry: Entry
    shown: dict[str, str] = field(default_factory=dict)
    sentences: set[str] = field(default_factory=set)


# The names to replace, by the forms of their first word: all their words, and the stand-in's.
StandInIndex = Mapping[str, Sequence[tuple[tuple[str, ...], tuple[str, ...]]]]


@lru_cache(maxsize=256)
def _stand_ins(names: Names, words: StandIns) -> StandInIndex:
    """Return the names by their first word, the longest first."""
    by_first: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    called = (
        (words.npm, names.npm),
        (words.partner, names.partner),
        (words.body, names.body + words.known),
    )
    for word, all_names in called:
        stand_in = tuple(folded(word).split())
        for name in all_names:
            parts = tuple(folded(name).split())
            for first in _forms_of(parts[0]) if parts else ():
                by_first.setdefault(first, []).append((parts, stand_in))
    return {
        first: sorted(entries, key=lambda pair: len(pair[0]), reverse=True)
        for first, entries in by_first.items()
    }


class _Text:
    """A text split into words, with what is between them.

    With stand-ins, the name of a party or a body is replaced by what it is.
    """

    def __init__(self, text: str, stand_ins: StandInIndex | None = None) -> None:
        self.text = text
        self._stand_ins = stand_ins
        self._joined_words: dict[tuple[int, int], str] = {}

    @cached_property
    def words(self) -> list[Word]:
        """Its words, in their order."""
        return [word for word, _written in self._words]

    @cached_property
    def _words(self) -> list[tuple[Word, str]]:
        """Its words with what was written there, folded: nothing for an added article."""
        plain = list(split(self.text))
        words: list[tuple[Word, str]] = []
        place = 0
        while place < len(plain):
            length, stand_in = self._named_at(plain, place)
            if not length:
                words.append((plain[place], plain[place].folded))
                place += 1
                continue
            name = plain[place : place + length]
            start, end = name[0].start, name[-1].end
            *articles, last = stand_in
            if words and articles and words[-1][0].folded == articles[0]:
                articles = []
            words += [(Word(article, start, start), "") for article in articles]
            words.append((Word(last, start, end), " ".join(word.folded for word in name)))
            place += length
        return words

    def _named_at(self, words: Sequence[Word], place: int) -> tuple[int, tuple[str, ...]]:
        """Return how many words of a name begin at a position, and the words it stands for."""
        if not self._stand_ins:
            return 0, ()
        first, *forms = _forms_of(words[place].folded)
        for form in (first, *forms):
            for parts, stand_in in self._stand_ins.get(form, ()):
                rest = words[place + 1 : place + len(parts)]
                if [word.folded for word in rest] == list(parts[1:]):
                    is_and = first[0] == AND_THE[0] != parts[0][0]
                    return len(parts), (
                        f"{AND_THE[0]}{stand_in[0]}",
                        *stand_in[1:],
                    ) if is_and else stand_in
        return 0, ()

    @cached_property
    def joined(self) -> list[bool]:
        """Whether each word follows the previous one as in a phrase."""
        return [not between.strip(BETWEEN) for between in self._between]

    @cached_property
    def sentence(self) -> list[int]:
        """The number of each word's sentence."""
        return list(accumulate(_ends_sentence(between) for between in self._between))

    @cached_property
    def _between(self) -> list[str]:
        ends = [0, *(word.end for word in self.words)]
        return [self.text[end : word.start] for end, word in zip(ends, self.words, strict=False)]

    def between(self, first: int, last: int) -> str:
        """Return what was written from one word to another."""
        return self.text[self.words[first].start : self.words[last].end]

    def sentences_of(self, first: int, last: int) -> str:
        """Return the words of the sentences from one word to another."""
        return self._words_from_to(self.sentence[first], self.sentence[last])

    def _words_from_to(self, begin: int, end: int) -> str:
        # Once for all phrases in the same sentences, however many there are.
        if (begin, end) not in self._joined_words:
            first, beyond = bisect_left(self.sentence, begin), bisect_right(self.sentence, end)
            words = self._words[first:beyond]
            self._joined_words[begin, end] = " ".join(
                written for _word, written in words if written
            )
        return self._joined_words[begin, end]

    @cached_property
    def forms(self) -> list[tuple[str, ...]]:
        """Each word in the forms to compare."""
        return [_forms_of(word.folded) for word in self.words]

    def following(
        self, place: int, branches: tuple[_Branches, ...], breaks: frozenset[str]
    ) -> Iterator[tuple[_Node, int]]:
        """Yield where a search can go on after a position, and at which position then."""
        for gap, few, by_word in branches:
            for following in self._within(place, gap, breaks):
                for form in self.forms[following]:
                    for node in by_word.get(form, ()):
                        yield node, following
                    for words, node in few:
                        if form in words:
                            yield node, following

    def _within(self, place: int, gap: str, breaks: frozenset[str]) -> Iterator[int]:
        """Yield the positions that a gap after a position reaches."""
        if not gap:
            if place + 1 < len(self.joined) and self.joined[place + 1]:
                yield place + 1
            return
        for following in range(place + 1, min(place + MOST_BETWEEN + 2, len(self.forms))):
            if self.sentence[following] != self.sentence[place]:
                return
            yield following
            if gap == CLOSE_GAP and not breaks.isdisjoint(self.forms[following]):
                return


def _ends_sentence(between: str) -> bool:
    """Return whether a sentence ends in what is between two words.

    It does at a new line, and at a punctuation mark such as a full stop followed by a space, if
    only punctuation is in between. Each run of it is looked at only once, so a long one costs no
    more.
    """
    if "\n" in between:
        return True
    for signs in re.split(r"\w", between):
        end = _END_SIGN.search(signs)
        if end and any(sign.isspace() for sign in signs[end.end() :]):
            return True
    return False


def _letters(word: str) -> str:
    return word.translate(LETTERS)


@lru_cache(maxsize=4096)
def _forms_of(word: str) -> tuple[str, ...]:
    """Return a folded word in the forms to compare: in Arabic also without attached particles."""
    if word.isascii():
        return (word,)
    plain = _letters(word)
    match = PARTICLES.match(plain)
    ends = {match.end(), 1 if plain[0] in "\u0648\u0641" else 0} if match else set()
    stems = [plain[end:] for end in sorted(ends) if end]
    stems += [FUTURE.sub("", stem, count=1) for stem in (plain, *stems) if FUTURE.match(stem)]
    bare = PRONOUNS.sub("", word)
    if bare != word:
        taken = len(plain) - len(bare)
        # Before a pronoun, the last letter of a feminine noun is written as another one.
        ended = [stem[:-taken] for stem in (plain, *stems)]
        stems += ended + [f"{stem[:-1]}\u0647" for stem in ended if stem.endswith("\u062a")]
    if plain.startswith(AND_THE):
        stems.append(AND_THE)
    return tuple(dict.fromkeys((plain, *(stem for stem in stems if len(stem) >= SHORTEST_STEM))))


def _of_text(text: _Text, phrases: PhraseList) -> Iterator[tuple[int, int, Entry]]:
    place = 0
    harmless: bytearray | None = None
    while place < len(text.words):
        last_seen = place
        for last, entry in _at(text, place, phrases.by_first, phrases.break_words):
            if harmless is None:
                harmless = _harmless(text, phrases)
            if entry and not any(harmless[place : last + 1]):
                yield place, last, entry
                last_seen = last
                break
        place = last_seen + 1


def _harmless(text: _Text, phrases: PhraseList) -> bytearray:
    """Return for each word of a text whether it is part of a harmless phrase."""
    harmless = bytearray(len(text.words))
    for place in range(len(text.words)):
        for last, _entry in _at(text, place, phrases.harmless_by_first, phrases.break_words):
            harmless[place : last + 1] = b"\1" * (last + 1 - place)
        for last, _entry in _at(text, place, phrases.protective_by_first, phrases.break_words):
            if not _names_others(text, place, last, phrases):
                harmless[place : last + 1] = b"\1" * (last + 1 - place)
    return harmless


def _names_others(text: _Text, first: int, last: int, phrases: PhraseList) -> bool:
    """Return whether others are named in a protective phrase, or right after it."""
    beyond = min(last + MOST_BEFORE_OTHERS + 2, len(text.words))
    breaks = phrases.break_words
    return any(
        text.sentence[place] == text.sentence[last]
        and any(_at(text, place, phrases.others_by_first, breaks))
        and not (place > last and any(_at(text, place, phrases.own_by_first, breaks)))
        for place in range(first + 1, beyond)
    )


def _at(
    text: _Text, place: int, index: Index, breaks: frozenset[str]
) -> Iterator[tuple[int, Entry | None]]:
    """Yield the forms that begin with a word, the longest first: their last word and kind.

    Step by step, with all positions that a step can be at: the cost doesn't multiply.
    """
    open_nodes = {node: {place} for first in text.forms[place] for node in index.get(first, ())}
    ended: list[tuple[int, int, Entry | None]] = []
    while open_nodes:
        deeper: dict[_Node, set[int]] = {}
        for node, places in open_nodes.items():
            ended += [
                (rank, min(places), entry)
                for rank, entry in node.ends
                if _is_searched_for(entry, text.text)
            ]
            if node.following:
                for at in places:
                    for following, last in text.following(at, node.following, breaks):
                        deeper.setdefault(following, set()).add(last)
        open_nodes = deeper
    # No two forms have the same rank.
    for _rank, last, entry in sorted(ended, key=itemgetter(0)):
        yield last, entry


def texts_of(fields: Iterable[TemplateField], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the free texts of an answer, as WhoDecides if the template says so."""
    for part in fields:
        value = values.get(part.key)
        rows = value if part.columns and isinstance(value, list) else []
        yield from (text for row in rows for text in _written(part.columns, row))
        yield from _written([part], values)


def _written(parts: Iterable[TemplateField | Column], values: Mapping[str, Any]) -> Iterator[str]:
    for part in parts:
        value = values.get(part.key)
        if part.type in WRITTEN and has_content(value):
            yield WhoDecides(value) if part.names_who else str(value)
