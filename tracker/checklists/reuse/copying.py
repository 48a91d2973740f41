"""Service functions for copying answers from the same parties' earlier checklists.

In one file: what is offered, previewed and copied is determined by the same steps.
"""

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklist_templates import library
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import FieldType, Item, Part, Template
from tracker.checklists import policy, queries
from tracker.checklists.loading import LoadedChecklist, load, load_for_update
from tracker.checklists.models import (
    Checklist,
    CopiedAnswer,
    CopySource,
    Stance,
)
from tracker.checklists.negotiation import mailing, safeguards
from tracker.checklists.negotiation.stored_positions import end_talks, put_positions
from tracker.checklists.negotiation.text_digest import require_item_shown
from tracker.checklists.obstacles import item_names
from tracker.checklists.reuse import copy_marks, visit_tasks
from tracker.checklists.rules import completeness, nameable
from tracker.checklists.rules.consistency import KIND_OF_PLACE, is_outdated
from tracker.checklists.rules.facts import AnswerKey, Filled, Sheet
from tracker.checklists.rules.values import FieldPath, Fit, fit, shown_only, without
from tracker.checklists.service import (
    as_seen,
    count_again,
    keep_versions,
    new_version,
    own_organisation,
    owner_of,
    worth_keeping,
)
from tracker.core import canonical
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError

# The name of a form's field for the chosen items.
ITEMS = "items"
# What planning a visit answers of V1; and what else of it is about one place only, or says what was
# done for that visit.
PLANNED_FIELDS = frozenset({"kind", "place_type"})
NOT_OF_ANOTHER_PLACE = PLANNED_FIELDS | {"other_type", "background_asked"}
# Personal answers and other parties' own answers are never copied (product.md, 4.3).
COPIED = (AnswerScope.SHARED, AnswerScope.PARTY)


# Values of answers that all parties agree on, by item.
GivenValues = Mapping[str, Mapping[str, Any]]


class Why(enum.StrEnum):
    """Why an answer of the earlier checklist is not copied."""

    ANSWERED = "answered"
    OTHERS = "others"
    LISTS = "lists"
    CLOSED = "closed"
    LEFT_OUT = "left_out"
    HIDDEN = "hidden"
    UNFIT = "unfit"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Copied:
    """An answer as it would be copied: the values that fit here, and the places that don't."""

    scope: AnswerScope
    former: Filled
    values: Mapping[str, Any]
    left_out: tuple[FieldPath, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """An item with what can be copied into it; was is the item that was answered."""

    item: Item
    was: Item
    answers: tuple[Copied, ...]

    @property
    def is_reworded(self) -> bool:
        """Whether the answer was to a different question."""
        return (self.was.label, self.was.prompt) != (self.item.label, self.item.prompt)


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be copied, and what would not."""

    former: Checklist
    offers: tuple[Offer, ...]
    behind: Mapping[Why, tuple[str, ...]]
    # Digest of the answers offered, as the person saw them.
    seen: str

    @property
    def codes(self) -> frozenset[str]:
        """The items that can be chosen."""
        return frozenset(offer.item.code for offer in self.offers)


Candidates = dict[tuple[str, AnswerScope], Copied]


def preview(
    actor: Actor,
    loaded: LoadedChecklist,
    former: LoadedChecklist,
    chosen: Collection[str] | None = None,
) -> Preview:
    """Return which answers of an earlier checklist fit here for a person's party, of all or some.

    Existing answers stay, but what planning a visit says of V1 is completed. Values that name
    people or parties who do not take part here are left out, and so is what the fields can't hold.
    Of an earlier visit its days, its kind and type of place, and whoever can't be named in this one
    are left out; days that the model text counts from the visit are those of this one. An item that
    is shown only because of another's answer is offered together with that one.
    """
    whole = library.parsed(loaded.checklist.template)
    behind: dict[Why, dict[str, None]] = {}
    candidates: Candidates = {}
    for code, scope, answer in _answers_to_copy(actor, former, chosen):
        item = whole.item(code)
        why = Why.GONE if item is None else _stays(actor, loaded, item, scope, answer)
        if item is not None and why is None:
            fitting = _fitting(item, scope, answer.values, loaded, former)
            candidates[code, scope] = Copied(scope, answer, fitting.values, fitting.left_out)
        elif why is not None:
            behind.setdefault(why, {})[code] = None
    template, hidden = _shown(actor, loaded, whole, candidates)
    candidates = {
        (code, scope): replace(part, values=_as_shown(template.by_code[code], scope, part.values))
        for (code, scope), part in candidates.items()
    }
    unfit = [code for (code, _scope), part in candidates.items() if not part.values]
    for reason, codes in ((Why.HIDDEN, hidden), (Why.UNFIT, unfit)):
        if codes:
            behind[reason] = dict.fromkeys(codes)
    offers = _offers(
        template, former, {key: part for key, part in candidates.items() if part.values}
    )
    return Preview(
        former=former.checklist,
        offers=offers,
        behind={why: tuple(behind[why]) for why in Why if why in behind},
        seen=_digest(offers),
    )


def _fitting(
    item: Item,
    scope: AnswerScope,
    values: Mapping[str, Any],
    loaded: LoadedChecklist,
    former: LoadedChecklist,
) -> Fit:
    """Return what an item's fields can hold here, without what belongs to an earlier visit.

    Its days, who was on its team and, in V1, its kind and type of place. What planning this visit
    says of V1 stays, and days that are counted from a visit are counted from this one.
    """
    fields = item.fields_of(scope)
    fitting = fit(fields, values, loaded.surroundings)
    if former.checklist.visit_id is None:
        return fitting
    rest = without(fields, fitting.values, {FieldType.DATE})
    known = rest.values
    if scope is AnswerScope.SHARED and loaded.checklist.visit_id is not None:
        known = visit_tasks.with_days(loaded, item, rest.values)
    named = nameable.without_strangers(item, known, loaded.surroundings)
    dropped_days = [place for place in rest.left_out if not _is_counted(place, known)]
    left_out = (*fitting.left_out, *dropped_days, *named.left_out)
    if item.code != KIND_OF_PLACE or scope is not AnswerScope.SHARED:
        return Fit(named.values, left_out)
    here = {key: cell for key, cell in named.values.items() if key not in NOT_OF_ANOTHER_PLACE}
    dropped = ((key, None) for key in named.values if key not in here)
    current = loaded.sheet.shared(item.code)
    begun = current.values if current is not None and here else {}
    return Fit({**here, **begun}, (*left_out, *dropped))


def _is_counted(place: FieldPath, values: Mapping[str, Any]) -> bool:
    """Return whether there is a day of this visit where an earlier visit's was."""
    key, column = place
    if column is None:
        return values.get(key) is not None
    rows = values.get(key) or []
    return bool(rows) and all(column in row for row in rows)


def _answers_to_copy(
    actor: Actor, former: LoadedChecklist, chosen: Collection[str] | None
) -> Iterator[tuple[str, AnswerScope, Filled]]:
    """Yield the answers of an earlier checklist that are shared, or the person's party's own."""
    for item in former.template.items:
        if chosen is not None and item.code not in chosen:
            continue
        if completeness.is_shown(item, former.sheet, former.surroundings) is not Truth.TRUE:
            continue
        for scope in COPIED:
            owner_id = owner_of(actor, former.checklist, scope)
            answer = former.sheet.answers.get((item.code, scope, owner_id))
            if answer is not None and not answer.is_empty:
                yield item.code, scope, answer


def _stays(
    actor: Actor, loaded: LoadedChecklist, item: Item, scope: AnswerScope, answer: Filled
) -> Why | None:
    """Return why an answer is not copied into an item; None if it may be."""
    checklist, party = loaded.checklist, loaded.own_party(actor)
    current = loaded.sheet.answers.get((item.code, scope, owner_of(actor, checklist, scope)))
    fields = item.fields_of(scope)
    reasons = {
        Why.LISTS: item.part is not Part.TERMS or item.code in policy.LET_IN,
        Why.ANSWERED: current is not None
        and not current.is_empty
        and not _is_only_begun(loaded, item, current),
        Why.GONE: not fields,
        Why.OTHERS: not any(policy.can_set(actor, party, field) for field in fields),
        Why.LEFT_OUT: answer.not_applicable,
        Why.CLOSED: not loaded.is_open(item),
    }
    return next((why for why, holds in reasons.items() if holds), None)


def _is_only_begun(loaded: LoadedChecklist, item: Item, current: Filled) -> bool:
    """Return whether an answer is what planning a visit says of V1, which a copy can complete.

    Not if the place has changed since: then a person has to say of which type it is.
    """
    return (
        item.code == KIND_OF_PLACE
        and loaded.checklist.visit_id is not None
        and not current.not_applicable
        and current.values.keys() <= PLANNED_FIELDS
        and not is_outdated(item.code, current, loaded.surroundings)
    )


def _shown(
    actor: Actor, loaded: LoadedChecklist, whole: Template, candidates: Candidates
) -> tuple[Template, list[str]]:
    """Remove items that would stay hidden even after copying the others.

    Return the template as it would then apply, and the removed items.
    """
    hidden: list[str] = []
    while True:
        sheet = _sheet_with(actor, loaded, candidates)
        gone = {
            code
            for code, _scope in candidates
            if completeness.is_shown(whole.by_code[code], sheet, loaded.surroundings)
            is not Truth.TRUE
        }
        if not gone:
            return completeness.applied(whole, sheet, loaded.surroundings), hidden
        hidden += [item.code for item in whole.items if item.code in gone]
        for key in [key for key in candidates if key[0] in gone]:
            del candidates[key]


def _sheet_with(actor: Actor, loaded: LoadedChecklist, candidates: Candidates) -> Sheet:
    copied: dict[AnswerKey, Filled] = {
        (code, scope, owner_of(actor, loaded.checklist, scope)): replace(
            part.former, values=part.values
        )
        for (code, scope), part in candidates.items()
    }
    return replace(loaded.sheet, answers={**loaded.sheet.answers, **copied})


def _as_shown(item: Item, scope: AnswerScope, values: Mapping[str, Any]) -> dict[str, Any]:
    shown = worth_keeping(shown_only(item.fields_of(scope), values))
    return shown if any(has_content(value) for value in shown.values()) else {}


def _offers(
    template: Template, former: LoadedChecklist, candidates: Candidates
) -> tuple[Offer, ...]:
    was = library.parsed(former.checklist.template).by_code
    return tuple(
        Offer(item, was[item.code], answers)
        for item in template.items
        if (
            answers := tuple(
                candidates[item.code, s] for s in COPIED if (item.code, s) in candidates
            )
        )
    )


def _digest(offers: tuple[Offer, ...]) -> str:
    return canonical.digest_of(
        [
            [offer.item.code, answer.scope.value, str(answer.former.answer_id), dict(answer.values)]
            for offer in offers
            for answer in offer.answers
        ]
    )


def copy(
    actor: Actor,
    checklist: Checklist,
    former_id: UUID,
    codes: Collection[str],
    *,
    seen: str,
    given: GivenValues | None = None,
) -> tuple[str, ...]:
    """Copy answers of chosen items from an earlier checklist, each as a new version by the actor.

    Nobody has read them yet: no party accepts them, not even the actor's, until it has read them
    (adr 22). seen is the digest of what the person saw: raise StaleError if it has changed. given
    has values that take the place of what would be copied, by item. Return the items.
    """
    loaded = load_for_update(checklist)
    policy.can_copy(
        actor, loaded.own_party(actor), checklist.state, goes_on=loaded.goes_on()
    ).require()
    former = queries.earlier_checklist(actor, checklist, former_id)
    if former is None:
        raise RuleBrokenError(_l("You can no longer copy anything from there."))
    before = load(former)
    if preview(actor, loaded, before).seen != seen:
        raise StaleError(_l("Something changed while you were choosing. Look at it again."))
    if not codes:
        raise RuleBrokenError(_l("Choose at least one item."), ITEMS)
    made_preview = preview(actor, loaded, before, codes)
    alone = [code for code in codes if code not in made_preview.codes]
    if alone:
        words = _l(
            "%(items)s: applies only with the answer to another item. Choose that one too.",
            items=item_names(loaded, alone),
        )
        raise RuleBrokenError(words, ITEMS)
    keep_unread(actor, loaded, _arrivals(made_preview, given or {}))
    items = [offer.item.code for offer in made_preview.offers]
    _record(verbs.ANSWERS_COPIED, actor, checklist, items)
    return tuple(items)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an answer is from: for a copy the checklist, and the version there."""

    source: CopySource
    checklist_id: UUID | None = None
    answer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """An answer from elsewhere that becomes a version here."""

    item: Item
    scope: AnswerScope
    values: Mapping[str, Any]
    origin: Origin


def _arrivals(preview: Preview, given: GivenValues) -> list[Arrival]:
    source, former_id = CopySource.CHECKLIST, preview.former.id
    return [
        Arrival(
            offer.item,
            part.scope,
            {**part.values, **given.get(offer.item.code, {})}
            if part.scope is AnswerScope.SHARED
            else part.values,
            Origin(source, former_id, part.former.answer_id),
        )
        for offer in preview.offers
        for part in offer.answers
    ]


def keep_unread(actor: Actor, loaded: LoadedChecklist, arrivals: Iterable[Arrival]) -> None:
    """Store answers from elsewhere as new versions by the actor that no party has read yet.

    The caller has checked all rules, and records the event.
    """
    checklist = loaded.checklist
    pairs = [
        (arrival, new_version(actor, loaded, arrival.item, arrival.scope, arrival.values))
        for arrival in arrivals
    ]
    keep_versions(loaded, [answer for _arrival, answer in pairs])
    db.session.add_all(
        CopiedAnswer(
            answer_id=answer.id,
            checklist_id=checklist.id,
            source=arrival.origin.source,
            source_answer_id=arrival.origin.answer_id,
            source_checklist_id=arrival.origin.checklist_id,
        )
        for arrival, answer in pairs
    )
    shared = {
        arrival.item.code: arrival.item
        for arrival, _answer in pairs
        if arrival.scope is AnswerScope.SHARED
    }
    end_talks(loaded, shared.keys())
    mailing.note_reopened(actor, loaded, shared.keys())
    for item in shared.values():
        safeguards.close_for_change(actor, loaded, item)
    safeguards.void_review(loaded)
    db.session.flush()
    count_again(checklist)


def say_read(actor: Actor, checklist: Checklist, seen: Mapping[UUID, str]) -> tuple[str, ...]:
    """Record that the actor's party has read copied answers that were on the page.

    Whoever sets an answer accepts it (product.md, 4.1): here by reading it, for the party that
    copied it. The others still take their position. seen has the token of each answer's item as
    the page showed it (5.3). Raise StaleError if an answer has changed since, and NotShownError if
    the rest of its item has. Return the items newly read.
    """
    loaded = load_for_update(checklist)
    policy.can_read_copies(
        actor, loaded.own_party(actor), checklist.state, goes_on=loaded.goes_on()
    ).require()
    own = own_organisation(actor)
    unread = {
        filled.answer_id: (item, filled)
        for (code, _scope, _owner), filled in loaded.sheet.answers.items()
        if filled.is_copied and (item := loaded.template.item(code))
    }
    if not seen or not unread.keys() >= seen.keys():
        raise StaleError(_l("An answer changed while you were reading. Look at it again."))
    for answer_id, token in seen.items():
        require_item_shown(loaded, actor, unread[answer_id][0], token)
    fresh = [unread[answer_id] for answer_id in seen if unread[answer_id][1].is_unread_by(own)]
    if not fresh:
        return ()
    copy_marks.note_reading([filled.answer_id for _item, filled in fresh], actor.user_id, own)
    put_positions(
        loaded,
        [
            (item, as_seen(actor, loaded, item, filled)[0])
            for item, filled in fresh
            if _sets(loaded, item, filled, own)
        ],
        (actor.user_id, own),
        Stance.ACCEPTS,
    )
    count_again(checklist, actor)
    read = {item.code for item, _filled in fresh}
    items = [item.code for item in loaded.template.items if item.code in read]
    _record(verbs.COPIES_READ, actor, checklist, items)
    return tuple(items)


def note_read(actor: Actor, loaded: LoadedChecklist, codes: Sequence[str]) -> None:
    """Record that the actor's party has read the copied answers to some items, which it was shown.

    The caller has compared them with what the page showed.
    """
    for code in codes:
        read_item(actor, loaded, code)
    _record(verbs.COPIES_READ, actor, loaded.checklist, list(codes))


def read_item(actor: Actor, loaded: LoadedChecklist, code: str) -> None:
    """Count all that was copied of an item as read, also what each party says about itself.

    For an item that the person was shown whole, and accepts or has read.
    """
    own = own_organisation(actor)
    ids = [filled.answer_id for filled in unread_of(loaded, code, own)]
    copy_marks.note_reading(ids, actor.user_id, own)


def unread_of(loaded: LoadedChecklist, code: str, own: UUID) -> list[Filled]:
    """Return the copied answers of an item, shared or of one party, that a party hasn't read."""
    return [
        filled
        for (item, _scope, _owner), filled in loaded.sheet.answers.items()
        if item == code and filled.is_unread_by(own)
    ]


def read_by_acting(actor: Actor, filled: Filled) -> None:
    """Count a copied answer as read by a party that accepts it, or wants to change or discuss."""
    own = own_organisation(actor)
    if filled.is_unread_by(own):
        copy_marks.note_reading([filled.answer_id], actor.user_id, own)


def _sets(loaded: LoadedChecklist, item: Item, filled: Filled, own: UUID) -> bool:
    """Return whether an answer is the shared one of an item, and this party sets it."""
    return filled == loaded.sheet.shared(item.code) and filled.organisation_id == own


def _record(verb: verbs.Verb, actor: Actor, checklist: Checklist, items: list[str]) -> None:
    trail.record(
        verb,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        items=items,
        organisation=actor.organisation_name,
    )
