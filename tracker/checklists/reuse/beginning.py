"""Service functions for beginning an empty checklist with a model text (adr 93, 96, 110)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklist_templates import library, to_decide
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Item
from tracker.checklists import policy, queries
from tracker.checklists.loading import LoadedChecklist, load_for_update
from tracker.checklists.model_texts import in_use, merging
from tracker.checklists.model_texts import library as model_texts
from tracker.checklists.model_texts.schema import Task
from tracker.checklists.models import (
    Answer,
    Checklist,
    ChecklistState,
    CopySource,
    OwnModelText,
)
from tracker.checklists.reuse import (
    copying,
    known_facts,
    own_texts,
    recorded_selection,
    visit_tasks,
)
from tracker.checklists.reuse.copying import Arrival, GivenValues, Origin
from tracker.checklists.reuse.own_texts import OwnText
from tracker.checklists.rules.consistency import KIND_OF_PLACE
from tracker.checklists.rules.values import fit
from tracker.core import canonical
from tracker.core.db import db
from tracker.core.errors import StaleError

SHARED = AnswerScope.SHARED
# What is answered when a visit is planned: of which kind it is, and whom it lets in.
PLANNED = policy.LET_IN | {KIND_OF_PLACE}


@dataclass(frozen=True, slots=True)
class Beginning:
    """The answers with which a checklist would begin, before anything is saved."""

    # The language and the version of the model text that comes with the product; of another the
    # version of the checklist it is from, and which one it is.
    language: str
    version: int
    answers: tuple[tuple[Item, Mapping[str, Any]], ...]
    own: OwnModelText | None = None
    # How many of its items administrators of this instance wrote (adr 114).
    changed_here: int = 0
    # Of a text that a body of the NPM keeps: tasks of the visit for which it needs somebody.
    tasks: frozenset[Task] = frozenset()

    @property
    def open_count(self) -> int:
        """How many places only people can decide."""
        return sum(len(list(to_decide.open_places(values))) for _item, values in self.answers)

    @property
    def seen(self) -> str:
        """The digest of the answers, as the person saw them."""
        return canonical.digest_of(
            [
                self.language,
                self.version,
                str(self.own.id) if self.own else "",
                [[item.code, dict(values)] for item, values in self.answers],
            ]
        )


def is_empty(loaded: LoadedChecklist) -> bool:
    """Return whether nothing is written yet that the parties agree on.

    Planning a visit answers some items before (V1 to V4).
    """
    return all(
        answer.is_empty or code in PLANNED
        for (code, scope, _owner), answer in loaded.sheet.answers.items()
        if scope is SHARED
    )


def may_choose(actor: Actor, loaded: LoadedChecklist) -> Decision:
    """Decide whether a person may choose how a checklist begins."""
    return policy.can_choose_beginning(
        actor,
        loaded.own_party(actor),
        loaded.checklist.state,
        goes_on=loaded.goes_on(),
        is_empty=is_empty(loaded),
    )


def may_begin(actor: Actor, loaded: LoadedChecklist) -> Decision:
    """Decide whether a person may begin a checklist with the model text."""
    return policy.can_use_model_text(
        actor,
        loaded.own_party(actor),
        loaded.checklist.state,
        goes_on=loaded.goes_on(),
        is_empty=is_empty(loaded),
    )


def unwritten(actor: Actor, cooperation_id: UUID, kind: ChecklistKind) -> Checklist | None:
    """Return a checklist of a cooperation that the person may open and that has no answer yet."""
    return db.session.scalars(
        sa.select(Checklist).where(
            Checklist.cooperation_id == cooperation_id,
            Checklist.kind == kind,
            Checklist.visit_id.is_(None),
            Checklist.state == ChecklistState.DRAFTING,
            queries.visible(actor),
            ~sa.exists().where(Answer.checklist_id == Checklist.id),
        )
    ).first()


def beginnings(
    actor: Actor, loaded: LoadedChecklist, languages: Iterable[str]
) -> tuple[Beginning, ...]:
    """Return the model text in use for a checklist in some languages, with what is known filled in.

    It is for the ways of working, parties and people of the cooperation. Nothing of it is saved.
    """
    return tuple(_of_product(_Known(actor, loaded), languages))


def all_beginnings(
    actor: Actor, loaded: LoadedChecklist, languages: Iterable[str]
) -> tuple[tuple[Beginning, ...], tuple[Beginning, ...]]:
    """Return the texts that the actor's body keeps, and the product's as beginnings() does."""
    known = _Known(actor, loaded)
    own = (_of_own(known, text) for text in own_texts.for_checklist(actor, loaded, known.tasks))
    return tuple(own), tuple(_of_product(known, languages))


class _Known:
    """What is known of a checklist's answers, read once for several texts.

    chosen are people who were chosen for tasks of the visit, beside its lead and deputy.
    """

    def __init__(
        self,
        actor: Actor,
        loaded: LoadedChecklist,
        chosen: Mapping[str, UUID] | None = None,
        leaders: Mapping[str, UUID] | None = None,
    ) -> None:
        self.loaded = loaded
        self.items = [item for item in loaded.template.items if loaded.is_open(item)]
        self.values = {item.code: _known(actor, loaded, item) for item in self.items}
        if leaders is None:
            leaders = visit_tasks.leaders(actor, loaded)
        self.tasks = {**leaders, **(chosen or {})}
        self.numbers = visit_tasks.Numbers(loaded)

    def filled(
        self, answers: Mapping[str, Mapping[str, Any]], language: str = ""
    ) -> tuple[tuple[Item, Mapping[str, Any]], ...]:
        """Return the answers to open items, with what is known in its place."""
        pairs: list[tuple[Item, Mapping[str, Any]]] = [
            (item, merging.with_facts(item, answers[item.code], self.values[item.code]))
            for item in self.items
            if item.code in answers
        ]
        pairs = list(visit_tasks.with_words(pairs, self.tasks, language))
        return tuple(self.numbers.filled(pairs))


def _of_product(known: _Known, languages: Iterable[str]) -> Iterator[Beginning]:
    checklist = known.loaded.checklist
    around = replace(known.loaded.surroundings, tasks=known.tasks)
    whole = library.parsed(checklist.template)
    wanted = list(languages)
    contents = in_use.contents(checklist.kind, wanted)
    for language in wanted:
        text = merging.merge(contents[language], around.modes)
        answers = known.filled(merging.answers(text, whole, around), language)
        product = model_texts.content_in(checklist.kind, language).items
        changed = sum(
            contents[language].items[item.code] is not product[item.code] for item, _own in answers
        )
        yield Beginning(text.language, text.version, answers, changed_here=changed)


def _of_own(known: _Known, text: OwnText) -> Beginning:
    answers = known.filled(text.answers)
    return Beginning("", text.row.template_version, answers, text.row, tasks=text.tasks)


def _known(actor: Actor, loaded: LoadedChecklist, item: Item) -> Mapping[str, Any]:
    """Return what is known of an answer; of the rows of the parties the row of the actor's own.

    What is answered already is known too: what planning a visit wrote of V1.
    """
    current = loaded.sheet.shared(item.code)
    if current is not None and not current.is_empty:
        return current.values
    values = known_facts.begun(loaded, actor, item, SHARED)
    own_row = known_facts.own_row(loaded, actor, item)
    if item.party_table is not None and own_row:
        table, column = item.party_table
        values[table] = [{column: str(actor.organisation_id), **own_row}]
    recorded = recorded_selection.fitted(actor, loaded, item, {})
    if recorded is not None:
        values |= recorded.values
    return fit(item.fields_of(SHARED), values, loaded.surroundings).values


def begin(
    actor: Actor,
    checklist: Checklist,
    language: str,
    *,
    seen: str | None,
    chosen: Mapping[str, str] | None = None,
    given: GivenValues | None = None,
    leaders: Mapping[str, UUID] | None = None,
    loaded: LoadedChecklist | None = None,
) -> tuple[str, ...]:
    """Begin a checklist with the model text, each answer as a new version by the actor.

    Nobody has read it yet: no party accepts any of it until it has (adr 22 and 93). seen is the
    digest of what the person saw, None if the text is read only afterwards: raise StaleError if it
    has changed. chosen says who takes which task of a visit: raise RuleBrokenError if the page
    doesn't offer somebody for it. given has values that take the place of the text's, by item,
    leaders the lead and deputy of a visit that is being planned, with whoever takes a task that
    only its other text gives, and loaded the checklist, if nobody but the caller can have changed
    it since it was loaded. Return the items.
    """
    loaded = _loaded_for(actor, checklist, loaded)
    people = visit_tasks.read_choice(loaded, chosen or {})
    if seen is not None:
        _require_seen(beginnings(actor, loaded, [language])[0], seen)
    (begun,) = _of_product(_Known(actor, loaded, people, leaders), [language])
    answers = tuple(
        (item, {**own, **(given or {}).get(item.code, {})}) for item, own in begun.answers
    )
    items = _keep(actor, loaded, replace(begun, answers=answers), CopySource.PRODUCT)
    trail.record(
        verbs.MODEL_TEXT_USED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        items=items,
        language=begun.language,
        text_version=begun.version,
        organisation=actor.organisation_name,
    )
    return tuple(items)


def begin_with_own(
    actor: Actor,
    checklist: Checklist,
    text_id: UUID,
    *,
    seen: str,
    chosen: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Do the same with a model text that the actor's body of the NPM keeps (adr 96)."""
    loaded = _loaded_for(actor, checklist)
    people = visit_tasks.read_choice(loaded, chosen or {})
    begun = _require_seen(_own_text(_Known(actor, loaded), actor, text_id), seen)
    if people:
        begun = _own_text(_Known(actor, loaded, people), actor, text_id) or begun
    items = _keep(actor, loaded, begun, CopySource.OWN)
    trail.record(
        verbs.OWN_MODEL_TEXT_USED,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        items=items,
        organisation=actor.organisation_name,
    )
    return tuple(items)


def _own_text(known: _Known, actor: Actor, text_id: UUID) -> Beginning | None:
    texts = own_texts.for_checklist(actor, known.loaded, known.tasks)
    return next((_of_own(known, text) for text in texts if text.row.id == text_id), None)


def _loaded_for(
    actor: Actor, checklist: Checklist, loaded: LoadedChecklist | None = None
) -> LoadedChecklist:
    loaded = loaded or load_for_update(checklist)
    may_begin(actor, loaded).require()
    return loaded


def _require_seen(begun: Beginning | None, seen: str) -> Beginning:
    """Return a beginning if it is the one that the person saw; else raise StaleError."""
    if begun is None or begun.seen != seen:
        raise StaleError(_l("Something changed while you were choosing. Look at it again."))
    return begun


def _keep(actor: Actor, loaded: LoadedChecklist, begun: Beginning, source: CopySource) -> list[str]:
    """Store the answers; return the items."""
    arrivals = [Arrival(item, SHARED, values, Origin(source)) for item, values in begun.answers]
    copying.keep_unread(actor, loaded, arrivals)
    return [item.code for item, _values in begun.answers]
