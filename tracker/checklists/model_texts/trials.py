"""The trial of model texts: each way of working, each pair and all, with samples filled in. Pure.

A text that comes with the product has to hold: once people have decided what is left to them, no
item is incomplete, no answer limits the NPM, and no phrase looks as if it did.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from tracker.access.actor import OrganisationKind
from tracker.checklist_templates import risky_phrases, to_decide
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.risky_phrases import PhraseList
from tracker.checklist_templates.schema import (
    CLASSES,
    WRITTEN,
    Column,
    FieldType,
    Item,
    Template,
    TemplateField,
)
from tracker.checklists.model_texts.library import ModelTextFile
from tracker.checklists.model_texts.merging import fitted, merge
from tracker.checklists.model_texts.schema import Cell, ModelTextContent, Open, Task
from tracker.checklists.rules import completeness, power_limits
from tracker.checklists.rules.facts import Filled, PartyFact, Sheet, Surroundings
from tracker.checklists.rules.values import WrongTypeError, check_types
from tracker.cooperations.models import Mode
from tracker.settings import KNOWN_LANGUAGES

# The parties and people of a trial, and the days of its visit. Samples in content name such days.
NPM, FIRST_CSO, SECOND_CSO = UUID(int=1), UUID(int=2), UUID(int=3)
NPM_PEOPLE = tuple(UUID(int=number) for number in range(11, 17))
CSO_PEOPLE = tuple(UUID(int=number) for number in range(21, 25))
PEOPLE_OF = {NPM: NPM_PEOPLE, FIRST_CSO: CSO_PEOPLE[:2], SECOND_CSO: CSO_PEOPLE[2:]}
TEAM_OF_NPM = 4
TEAM = frozenset({*NPM_PEOPLE[:TEAM_OF_NPM], *CSO_PEOPLE[:2]})
VISIT = (dt.date(2031, 3, 10), dt.date(2031, 3, 11))
PARTIES = (
    PartyFact(NPM, OrganisationKind.NPM, "NPM"),
    PartyFact(FIRST_CSO, OrganisationKind.CSO, "First CSO"),
    PartyFact(SECOND_CSO, OrganisationKind.CSO, "Second CSO"),
)
TASKS: Mapping[str, UUID] = {
    Task.LEAD: NPM_PEOPLE[0],
    Task.DEPUTY: NPM_PEOPLE[1],
    Task.OFFICE: NPM_PEOPLE[4],
    Task.INTERVIEWER: CSO_PEOPLE[0],
    Task.SECOND_INTERVIEWER: NPM_PEOPLE[2],
    Task.RECORDER: CSO_PEOPLE[1],
}
WRITTEN_AT = dt.datetime(2031, 1, 1, tzinfo=dt.UTC)
# Who wrote the trial's answers: nobody who may be chosen, so no second reader.
AUTHOR = UUID(int=99)
# What stands in a text in place of a mark, without a word that another language's phrases know.
SAMPLE_TEXT = "…"
# Values of the types that need no thought.
SAMPLES: Mapping[FieldType, str] = {
    FieldType.PARTY: str(NPM),
    FieldType.BODY: str(NPM),
    FieldType.PHONE: "+00 000 000",
    FieldType.TIME: "18:00",
    FieldType.CLASS: CLASSES[0],
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one answer, and where: the field, and in a table the row from 1."""

    words: str
    field: str = ""
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row is not None else ""
        return f"{self.field}{row}: {self.words}" if self.field else self.words


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong with a model text: where, what, and with which ways of working."""

    item: str
    language: str
    message: str
    modes: str = field(compare=False)
    # The same message with its parts, for a page.
    finding: "Finding" = field(compare=False)

    def __str__(self) -> str:
        return f"{self.item} ({self.language}; {self.modes}): {self.message}"


def sets_of_modes() -> tuple[tuple[Mode, ...], ...]:
    """Return each way of working, each pair of them, and all together."""
    return (*((mode,) for mode in Mode), *combinations(Mode, 2), tuple(Mode))


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of a trial: what was tried, what is untranslated, and what is wrong."""

    # Answered items by kind.
    items: Mapping[str, int]
    # Languages, with the kinds that have no text in them.
    missing: Mapping[str, tuple[str, ...]]
    combinations: int
    faults: tuple[Fault, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every text is there in every language, without faults."""
        return not self.faults and not any(self.missing.values())

    def lines(self) -> list[str]:
        """Return the result, a line each."""
        counts = ", ".join(f"{kind} {count}" for kind, count in self.items.items()) or "none"
        return [
            f"Items with a model text: {sum(self.items.values())} ({counts})",
            *(
                f"Model texts not available in {language}: {', '.join(kinds) or 'none'}"
                for language, kinds in self.missing.items()
            ),
            f"Combinations of ways of working tried: {self.combinations}",
            f"Faults in model texts: {len(self.faults) or 'none'}",
            *map(str, self.faults),
        ]


def try_files(
    files: Iterable[ModelTextFile], templates: Iterable[Template], phrases: Sequence[PhraseList]
) -> Trial:
    """Return the result of trying model texts in each language."""
    by_kind = {template.kind: template for template in templates}
    own = {file.content.kind: file for file in files}
    return Trial(
        items={kind.value: len(file.content.items) for kind, file in own.items()},
        missing={
            language: tuple(
                kind.value
                for kind in by_kind
                if kind not in own or language not in own[kind].by_language
            )
            for language in KNOWN_LANGUAGES
        },
        combinations=len(sets_of_modes()),
        faults=try_all(
            (
                (content, by_kind[kind])
                for kind, file in own.items()
                for content in file.by_language.values()
            ),
            phrases,
        ),
    )


def try_all(
    contents: Iterable[tuple[ModelTextContent, Template]], phrases: Sequence[PhraseList]
) -> tuple[Fault, ...]:
    """Return what is wrong with some model texts, each fault once, with the modes that show it."""
    faults: dict[Fault, None] = {}
    hints = _Hints(phrases)
    for content, template in contents:
        samples = _samples_of(content)
        tried: set[str] = set()
        for modes, around in _cooperations():
            given = fitted(merge(content, modes), template, around)
            sampled = {
                code: _filled(template.by_code[code], own.values, samples)
                for code, own in given.items()
            }
            sheet = _sheet(sampled)
            shown = completeness.applied(template, sheet, around)
            for code, own in given.items():
                beside = around.modes if code == "M3" else sampled.get(COMPARED.get(code, ""))
                trial = repr((code, own, beside))
                if trial in tried:  # most items are the same for many ways of working
                    continue
                tried.add(trial)
                item = shown.by_code[code]
                findings = (
                    *_problems(item, sampled[code], sheet, around),
                    *(Finding(_("no field can hold this"), key) for key, _column in own.left_out),
                    *hints.on(item, own.values),
                    *hints.on(item, sampled[code]),
                )
                names = ", ".join(mode.value for mode in modes)
                for finding in findings:
                    faults.setdefault(Fault(code, content.language, str(finding), names, finding))
    return tuple(sorted(faults))


def _cooperations() -> Iterator[tuple[tuple[Mode, ...], Surroundings]]:
    """Yield a cooperation for each set of ways, and one in which tasks of the visit are given."""
    for modes in sets_of_modes():
        yield modes, surroundings(modes)
    yield tuple(Mode), replace(surroundings(Mode), tasks=TASKS)


# Items that are compared with another one (rules/consistency.py).
COMPARED = {"M14": "M1", "M19": "M20"}


def surroundings(modes: Iterable[Mode]) -> Surroundings:
    """Return a cooperation of an NPM and two CSOs, about to visit a place."""
    return Surroundings(
        modes=frozenset(modes),
        questions={},
        parties=PARTIES,
        npm_people=frozenset(NPM_PEOPLE),
        people=frozenset({*NPM_PEOPLE, *CSO_PEOPLE}),
        people_of={party: frozenset(own) for party, own in PEOPLE_OF.items()},
        team=TEAM,
        visit_starts_on=VISIT[0],
        visit_ends_on=VISIT[1],
    )


def _problems(
    item: Item, sampled: Mapping[str, Any], sheet: Sheet, around: Surroundings
) -> Iterator[Finding]:
    """Yield what is wrong with an answer in which samples are filled in."""
    try:
        check_types(item.fields_of(AnswerScope.SHARED), sampled, around)
    except WrongTypeError as error:
        yield Finding(str(error))
        return
    for problem in completeness.value_problems(item, AnswerScope.SHARED, sampled, sheet, around):
        row = problem.row + 1 if problem.row is not None else None
        yield Finding(str(problem.message), problem.field or "", row, problem.column)
    for broken in power_limits.judge(item, sampled, around):
        yield Finding(_("limits the NPM: %(why)s", why=broken.limit.because))


class _Hints:
    """Phrases in texts, each text searched once."""

    def __init__(self, phrases: Sequence[PhraseList]) -> None:
        self._phrases = phrases
        self._by_text: dict[tuple[type[str], str], tuple[str, ...]] = {}

    def on(self, item: Item, values: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield the phrases in an answer that may limit the NPM."""
        for part in item.fields_of(AnswerScope.SHARED):
            for text in risky_phrases.texts_of([part], values):
                yield from (Finding(words, part.key) for words in self._in(text))

    def _in(self, text: str) -> tuple[str, ...]:
        key = (type(text), str(text))
        if key not in self._by_text:
            self._by_text[key] = tuple(
                _(
                    "may limit the NPM (%(phrase)s): %(words)s",
                    phrase=hint.phrase,
                    words=", ".join(hint.words),
                )
                for hint in risky_phrases.found_in([text], self._phrases)
            )
        return self._by_text[key]


def _sheet(shared: Mapping[str, Mapping[str, Any]]) -> Sheet:
    checklist_id = UUID(int=100)
    return Sheet(
        checklist_id,
        {
            (code, AnswerScope.SHARED, checklist_id): Filled(
                UUID(int=101), 1, values, AUTHOR, NPM, WRITTEN_AT
            )
            for code, values in shared.items()
        },
        authors=frozenset({AUTHOR}),
    )


# Samples -----------------------------------------------------------------------------------------


def _samples_of(content: ModelTextContent) -> dict[tuple[str, str], Any]:
    """Return the samples that a text gives itself, by item and by what is to be decided."""
    samples: dict[tuple[str, str], Any] = {}
    for code, fields in content.items.items():
        cells: list[Cell] = []
        for own in fields.values():
            cells += [own, *(cell for row in own.rows.values() for cell in row.cells.values())]
        for value in (value for cell in cells for value in cell.values):
            if isinstance(value, Open) and value.sample is not None:
                samples[code, " ".join(value.to_decide.split())] = value.sample
    return samples


def _filled(
    item: Item, values: Mapping[str, Any], samples: Mapping[tuple[str, str], Any]
) -> dict[str, Any]:
    """Return an answer with a sample in each place that is to be decided."""
    taken = _Taken(item, samples)
    filled: dict[str, Any] = {}
    for own in item.fields_of(AnswerScope.SHARED):
        if own.key not in values:
            if own.type is FieldType.CONFIRM and own.required:
                filled[own.key] = True  # a box has no mark: it is open until it is ticked
            continue
        value = values[own.key]
        if own.columns:
            columns = {column.key: column for column in own.columns}
            filled[own.key] = [
                {
                    key: taken.sample(columns[key], cell, row.values()) if key in columns else cell
                    for key, cell in row.items()
                }
                for row in value
            ]
        elif isinstance(value, list):
            filled[own.key] = [taken.sample(own, element) for element in value]
        else:
            filled[own.key] = taken.sample(own, value)
    return filled


class _Taken:
    """Samples for the places of one item: other people and later days each time."""

    def __init__(self, item: Item, samples: Mapping[tuple[str, str], Any]) -> None:
        self._item, self._samples = item, samples
        self._people = 0
        self._days = 0
        self._limits = {value for limit in item.limits for value in (*limit.values, *limit.without)}

    def sample(self, part: TemplateField | Column, value: Any, beside: Collection[Any] = ()) -> Any:
        """Return a value as it is, or with samples in place of its marks.

        Of people somebody who isn't named beside it in the same row.
        """
        if not isinstance(value, str):
            return value
        questions = to_decide.marks_in(value)
        if not questions:
            return value
        if part.type in WRITTEN:
            return to_decide.filled(value, SAMPLE_TEXT)
        given = self._samples.get((self._item.code, questions[0]))
        return self._of_type(part, beside) if given is None else given

    def _of_type(self, part: TemplateField | Column, beside: Collection[Any]) -> Any:
        match part.type:
            case FieldType.PERSON | FieldType.PERSONS:
                self._people += 1
                able = self._able(beside)
                person = str(able[(self._people - 1) % len(able)])
                return self._of_type(part, beside) if person in beside else person
            case FieldType.DATE:
                self._days += 1
                return (VISIT[1] + dt.timedelta(days=7 * self._days)).isoformat()
            case FieldType.CHOICE | FieldType.CHOICES:
                harmless = (o.value for o in part.options if o.value not in self._limits)
                return next(harmless, part.options[0].value)
            case FieldType.NUMBER:
                least = part.min if part.min is not None else 0
                return max(least, min(30, part.max if part.max is not None else 30))
            case kind:
                return SAMPLES[kind]

    def _able(self, beside: Collection[Any]) -> tuple[UUID, ...]:
        """Return who is named: in a party's own row its people, else the NPM's on the team."""
        own = (people for party, people in PEOPLE_OF.items() if str(party) in beside)
        people = next(own, None) if self._item.party_table else None
        return people or NPM_PEOPLE[:TEAM_OF_NPM]
