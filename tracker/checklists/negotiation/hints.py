"""Phrases in a checklist's answers that may limit the NPM, and the answers about them.

Phrases are searched for in the current text each time; only answers are stored, for the exact
sentences they were about. So a hint disappears with its text, and comes back with new text.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from tracker.access.actor import OrganisationKind
from tracker.checklist_templates import risky_phrases
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.risky_phrases import Hint, Names
from tracker.checklist_templates.schema import Item, Part
from tracker.checklists import encryption
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist, Flag, HintAnswer
from tracker.checklists.rules.facts import Filled
from tracker.core import slow_work
from tracker.core.canonical import digest_of

# With fewer characters to search, it takes too little time for anybody to wait.
LONG = 3_000


@dataclass(frozen=True, slots=True)
class Words:
    """What an answer to a hint is about, as its row stores it."""

    language: str
    phrase: str
    matched: str


@dataclass(frozen=True, slots=True)
class HintOnAnswer:
    """A hint on one answer of an item, with the responses to it so far."""

    item: str
    scope: AnswerScope
    owner_id: UUID
    # The organisation that is asked: the one that saved the answer, or the NPM once it has left.
    organisation_id: UUID
    hint: Hint
    words: Words
    # Whether somebody has to say if it limits the NPM; elsewhere it only points at the phrase.
    is_asked: bool
    # Responses that it does not limit the NPM: the author's side with the reason, the second
    # reader.
    harmless: HintAnswer | None = None
    accepted: HintAnswer | None = None
    # The response that it does: a flag that is open or was explained.
    flag: Flag | None = None

    @property
    def mark(self) -> str:
        """A digest of the text and its place, by which a page identifies the hint."""
        return digest_of([*map(str, _key_of_hint(self)), self.item])

    @property
    def waits_for_author(self) -> bool:
        """Whether nobody has said yet if it limits the NPM."""
        return self.is_asked and not (self.harmless or self.accepted or self.flag)

    @property
    def waits_for_reader(self) -> bool:
        """Whether the second reader still has to accept it, or to flag the term."""
        return self.is_asked and not (self.accepted or self.flag)


def on_item(loaded: LoadedChecklist, item: Item) -> tuple[HintOnAnswer, ...]:
    """Return the hints on an item's current answers: the shared one, and each party's own."""
    names = names_of(loaded)
    search_before_writing(loaded, _texts_on(loaded, item))
    return tuple(
        _with_answers(
            loaded,
            HintOnAnswer(
                item=item.code,
                scope=scope,
                owner_id=owner_id,
                organisation_id=_asked_instead_of(loaded, answer.organisation_id),
                hint=hint,
                words=_words(loaded.checklist, hint),
                is_asked=_is_asked(loaded, item),
            ),
        )
        for scope, owner_id, answer in _answers(loaded, item)
        for hint in risky_phrases.hints(_written(item, scope, answer), names)
    )


def search_all(loaded: LoadedChecklist) -> None:
    """Search all that the parties sign for phrases, so that they are known when it's saved."""
    risky_phrases.search(_texts_of_terms(loaded), names_of(loaded))


def search_before_writing(loaded: LoadedChecklist, texts: Collection[str]) -> None:
    """Have all that the parties sign searched while others can write, if texts weren't lately.

    Every search of a checklist's texts comes through here, whatever a request saves: after a
    restart nothing is remembered, and a whole checklist takes seconds (slow_work).
    """
    if not slow_work.can_be_first():
        return
    names = names_of(loaded)
    if not risky_phrases.not_searched(texts, names):
        return
    # A text in which people type who decides is searched for more than the same words elsewhere.
    both = {(type(text), text): text for text in [*texts, *_texts_of_terms(loaded)]}
    needed = risky_phrases.not_searched(both.values(), names)
    if sum(map(len, needed)) > LONG:
        name = "phrases", loaded.checklist.id
        slow_work.do_first(name, partial(risky_phrases.search, needed, names))


def names_of(loaded: LoadedChecklist) -> Names:
    """Return the names by which texts of a checklist may call its parties and outside bodies."""
    npm: list[str] = []
    partner: list[str] = []
    for party in loaded.surroundings.parties:
        of_npm = party.side is OrganisationKind.NPM
        (npm if of_npm else partner).extend((party.name, party.short_name))
    return Names(tuple(npm), tuple(partner), tuple(loaded.names.bodies.values()))


def unanswered(loaded: LoadedChecklist) -> tuple[HintOnAnswer, ...]:
    """Return the hints that somebody has to answer before a text is sent for signature.

    For the agreed terms that is the second reader (G3). Other checklists have none: there the side
    that wrote the words has to have answered.
    """
    if loaded.checklist.kind is ChecklistKind.TERMS:
        return waiting_for_reader(loaded)
    return tuple(hint for hint in _of_terms(loaded) if hint.waits_for_author)


def waiting_for_reader(loaded: LoadedChecklist) -> tuple[HintOnAnswer, ...]:
    """Return the hints that the second reader has to answer before the review (G3)."""
    return tuple(hint for hint in _of_terms(loaded) if hint.waits_for_reader)


def _of_terms(loaded: LoadedChecklist) -> Iterator[HintOnAnswer]:
    """Yield the hints on all that the parties sign."""
    for item in loaded.template.items:
        if _is_asked(loaded, item):
            yield from on_item(loaded, item)


def _texts_of_terms(loaded: LoadedChecklist) -> list[str]:
    """Return the free texts of all that the parties sign."""
    return [
        text
        for item in loaded.template.items
        if _is_asked(loaded, item)
        for text in _texts_on(loaded, item)
    ]


def _texts_on(loaded: LoadedChecklist, item: Item) -> list[str]:
    return [
        text
        for scope, _owner_id, answer in _answers(loaded, item)
        for text in _written(item, scope, answer)
    ]


def _asked_instead_of(loaded: LoadedChecklist, author_id: UUID) -> UUID:
    """Return who is asked about an organisation's words: the NPM once it takes part no more."""
    if loaded.party(author_id) is not None:
        return author_id
    npm_ids = (
        party.organisation_id for party in loaded.parties if party.side is OrganisationKind.NPM
    )
    return next(npm_ids, author_id)


def second_reader_of(loaded: LoadedChecklist) -> UUID | None:
    """Return the second reader that M5 names."""
    value = loaded.sheet.value("M5", "second_reader")
    return UUID(value) if value else None


def _readers_of(loaded: LoadedChecklist) -> set[UUID | None]:
    """Return the second readers: the one named in M5, or an outside reader, invited or done."""
    readers = {second_reader_of(loaded)}
    if loaded.checklist.reading is not None:
        readers.add(loaded.checklist.reading.reader_id)
    if loaded.review is not None:
        readers.add(loaded.review.reader_id)
    return readers - {None}


def _is_asked(loaded: LoadedChecklist, item: Item) -> bool:
    """Return whether a term can be flagged: only what the parties sign."""
    return item.part is Part.TERMS and item.code not in loaded.sheet.hidden


def _words(checklist: Checklist, hint: Hint) -> Words:
    if encryption.is_restricted(checklist):  # the digest of a short sentence can be guessed
        keyed = encryption.keyed_digest(checklist, hint.language, hint.phrase, hint.matched)
        return Words("", "", keyed)
    return Words(hint.language, hint.phrase, hint.matched)


def _answers(loaded: LoadedChecklist, item: Item) -> Iterator[tuple[AnswerScope, UUID, Filled]]:
    owners = [(AnswerScope.SHARED, loaded.checklist.id)]
    owners += [(AnswerScope.PARTY, party.organisation_id) for party in loaded.parties]
    for scope, owner_id in owners:
        answer = loaded.sheet.answers.get((item.code, scope, owner_id))
        if answer is not None:
            yield scope, owner_id, answer


def _written(item: Item, scope: AnswerScope, answer: Filled) -> Iterator[str]:
    """Yield the free text of an answer, or why the item was left out."""
    if answer.not_applicable:
        yield str(answer.values.get("reason", ""))
    else:
        yield from risky_phrases.texts_of(item.fields_of(scope), answer.values)


def _key_of_hint(hint: HintOnAnswer) -> tuple[AnswerScope, UUID, str, str, str]:
    return hint.scope, hint.owner_id, hint.words.language, hint.words.phrase, hint.words.matched


def _key_of_answer(row: HintAnswer) -> tuple[AnswerScope, UUID, str, str, str]:
    return row.scope, row.owner_id, row.language, row.phrase, row.matched


def _with_answers(loaded: LoadedChecklist, hint: HintOnAnswer) -> HintOnAnswer:
    """Return a hint with the newest responses about exactly this text.

    A flag that was closed because the term changed elsewhere says nothing about text that stayed;
    and what a former second reader accepted does not count.
    """
    rows = [
        row
        for row in loaded.hint_answers_on.get(hint.item, ())
        if _key_of_answer(row) == _key_of_hint(hint)
    ]
    if not rows:
        return hint
    reader_ids = _readers_of(loaded)
    flag_ids = {row.flag_id for row in rows if row.limits}
    flags = [
        flag
        for flag in loaded.flags_on.get(hint.item, ())
        if flag.id in flag_ids and (flag.closed_at is None or flag.is_explained)
    ]
    harmless = [row for row in rows if not row.limits and not row.as_reader]
    accepted = [
        row for row in rows if not row.limits and row.as_reader and row.author_id in reader_ids
    ]
    return replace(
        hint,
        harmless=harmless[-1] if harmless else None,
        accepted=accepted[-1] if accepted else None,
        flag=flags[-1] if flags else None,
    )
