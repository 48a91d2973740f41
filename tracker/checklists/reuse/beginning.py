"""Service functions for beginning an empty checklist with the model text (adr 93)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklist_templates import library, to_decide
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item
from tracker.checklists import policy
from tracker.checklists.loading import LoadedChecklist, load_for_update
from tracker.checklists.model_texts import merging
from tracker.checklists.model_texts.library import model_text
from tracker.checklists.models import Checklist, CopySource
from tracker.checklists.reuse import copying, known_facts, recorded_selection
from tracker.checklists.reuse.copying import Arrival, Origin
from tracker.checklists.rules.consistency import KIND_OF_PLACE
from tracker.checklists.rules.values import fit
from tracker.core import canonical
from tracker.core.errors import StaleError

SHARED = AnswerScope.SHARED
# What is answered when a visit is planned: of which kind it is, and whom it lets in.
PLANNED = policy.LET_IN | {KIND_OF_PLACE}


@dataclass(frozen=True, slots=True)
class Beginning:
    """The answers with which a checklist would begin, before anything is saved."""

    # The language and the version of the model text.
    language: str
    version: int
    answers: tuple[tuple[Item, Mapping[str, Any]], ...]

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


def beginnings(
    actor: Actor, loaded: LoadedChecklist, languages: Iterable[str]
) -> tuple[Beginning, ...]:
    """Return the model text for a checklist in some languages, with what is known filled in.

    It is for the ways of working, parties and people of the cooperation. Nothing of it is saved.
    """
    whole, modes = library.parsed(loaded.checklist.template), loaded.surroundings.modes
    items = [item for item in loaded.template.items if loaded.is_open(item)]
    known = {item.code: _known(actor, loaded, item) for item in items}
    begun = []
    for text in (model_text(loaded.checklist.kind, modes, language) for language in languages):
        answers = merging.answers(text, whole, loaded.surroundings)
        begun.append(
            Beginning(
                language=text.language,
                version=text.version,
                answers=tuple(
                    (item, merging.with_facts(item, answers[item.code], known[item.code]))
                    for item in items
                    if item.code in answers
                ),
            )
        )
    return tuple(begun)


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


def begin(actor: Actor, checklist: Checklist, language: str, *, seen: str) -> tuple[str, ...]:
    """Begin a checklist with the model text, each answer as a new version by the actor.

    Nobody has read it yet: no party accepts any of it until it has (adr 22 and 93). seen is the
    digest of what the person saw: raise StaleError if it has changed. Return the items.
    """
    loaded = load_for_update(checklist)
    may_begin(actor, loaded).require()
    (begun,) = beginnings(actor, loaded, [language])
    if begun.seen != seen:
        raise StaleError(_l("Something changed while you were choosing. Look at it again."))
    origin = Origin(CopySource.PRODUCT)
    copying.keep_unread(
        actor, loaded, [Arrival(item, SHARED, values, origin) for item, values in begun.answers]
    )
    items = [item.code for item, _values in begun.answers]
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
