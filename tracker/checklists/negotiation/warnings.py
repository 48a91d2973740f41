"""View models of warnings beside an item: flags, and phrases that may limit the NPM."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from tracker.access.actor import Actor
from tracker.checklist_templates import library, risky_phrases
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.risky_phrases import Hint
from tracker.checklist_templates.schema import Item, Part, Power
from tracker.checklists import encryption, policy
from tracker.checklists.encryption import FlagContent
from tracker.checklists.labels import POWERS
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Flag, HintAnswer
from tracker.checklists.negotiation import hints, safeguards
from tracker.checklists.negotiation.hints import HintOnAnswer
from tracker.guidance.queries import PassageShown, passages_for

Passages = Mapping[str, PassageShown]


@dataclass(frozen=True, slots=True)
class PassageLink:
    """A link to a passage of guidance."""

    slug: str
    key: str
    title: str


@dataclass(frozen=True, slots=True)
class FlagView:
    """A flag: open, or closed and how.

    A rule's flag has powers, and no organisation or name.
    """

    id: UUID
    organisation: str
    name: str
    reason: str
    raised_at: dt.datetime
    is_open: bool
    explanation: str
    closed_by: str
    may_explain: bool
    by_rule: bool = False
    powers: tuple[object, ...] = ()
    passage: PassageLink | None = None
    # The party whose row it is about, if it is about one row.
    row: str = ""


@dataclass(frozen=True, slots=True)
class HintView:
    """A phrase that may limit the NPM, with what to consider and the passage that says why."""

    words: tuple[str, ...]
    think: str
    language: str
    passage: PassageLink | None
    question: "QuestionView | None" = None


@dataclass(frozen=True, slots=True)
class SaidOfHint:
    """Somebody's response to a hint: why it doesn't limit the NPM, by whom and when."""

    organisation: str
    name: str
    reason: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class QuestionView:
    """The question whether this limits the NPM, its answers, and whether the reader may answer."""

    # The item, and the digest of the text that the answer will be about.
    item: str
    mark: str
    may_answer: bool
    as_reader: bool
    is_flagged: bool
    harmless: SaidOfHint | None
    accepted: SaidOfHint | None


def refs(loaded: LoadedChecklist) -> set[str]:
    """Return the passages that a checklist's flags and hints link to, to be read in one query."""
    passages = (content_of(loaded, flag).passage for flag in loaded.flags)
    return {passage for passage in passages if passage} | risky_phrases.passages()


def content_of(loaded: LoadedChecklist, flag: Flag) -> FlagContent:
    """Return what a flag on a checklist says."""
    return encryption.flag_content(loaded.checklist.cooperation_id, flag)


def flag_view(loaded: LoadedChecklist, actor: Actor, flag: Flag, passages: Passages) -> FlagView:
    """Return a flag as pages show it; one by a rule with the passage it is based on."""
    party, content = loaded.own_party(actor), content_of(loaded, flag)
    row_of = safeguards.flagged_row(loaded, flag)
    row = loaded.party(row_of) if row_of else None
    return FlagView(
        id=flag.id,
        organisation=raised_by(flag),
        name=flag.author.name if flag.author else "",
        reason=_because(loaded, flag.item, content),
        raised_at=flag.raised_at,
        is_open=flag.closed_at is None,
        explanation=encryption.explanation_of(loaded.checklist.cooperation_id, flag),
        closed_by=flag.closed_by.name if flag.closed_by else "",
        may_explain=flag.closed_at is None
        and bool(loaded.goes_on())
        and bool(policy.can_close_flag(actor, party)),
        by_rule=flag.rule is not None,
        powers=tuple(POWERS[Power(power)] for power in content.powers),
        passage=_link(content.passage, passages),
        row=row.name if row else "",
    )


def raised_by(flag: Flag) -> str:
    """Return who raised a flag: a party or the outside second reader; empty for a rule."""
    if flag.is_outside:
        return str(_("The outside second reader"))
    return flag.organisation.name if flag.organisation else ""


def _because(loaded: LoadedChecklist, code: str, content: FlagContent) -> str:
    """Return why a flag was raised; a rule's reason in the reader's language, if unchanged."""
    own = library.parsed(loaded.checklist.template).item(code)
    item = loaded.template.item(code)
    if content.rule is None or own is None or item is None:
        return content.reason
    limit_reasons = {limit.key: limit.because for limit in item.limits}
    reasons = {limit.key: limit.because for limit in own.limits}
    return (
        limit_reasons[content.rule]
        if reasons.get(content.rule) == content.reason
        else content.reason
    )


def hints_on_item(
    loaded: LoadedChecklist, actor: Actor, item: Item, passages: Passages
) -> tuple[HintView, ...]:
    """Return the phrases in an item's current answers that may limit the NPM (S6, S7)."""
    on_item = hints.on_item(loaded, item)
    as_reader = bool(on_item) and safeguards.is_second_reader(actor, loaded)
    return tuple(
        hint_on_answer(loaded, actor, hint, passages, as_reader=as_reader) for hint in on_item
    )


def hints_to_read(
    loaded: LoadedChecklist, actor: Actor, item: Item, passages: Passages
) -> tuple[HintView, ...]:
    """Return the same for an outside second reader, who is asked about all of them."""
    return tuple(
        hint_on_answer(loaded, actor, hint, passages, as_reader=True, is_outside=True)
        for hint in hints.on_item(loaded, item)
    )


def hint_on_answer(
    loaded: LoadedChecklist,
    actor: Actor,
    hint: HintOnAnswer,
    passages: Passages,
    *,
    as_reader: bool,
    is_outside: bool = False,
) -> HintView:
    """Return a hint with its question, if there is one, for display.

    as_reader is set for a second reader, is_outside too for an outside one.
    """
    question = None
    if hint.is_asked:
        waits = hint.waits_for_reader if as_reader else hint.waits_for_author
        allowed = policy.can_answer_hint(
            actor,
            loaded.own_party(actor),
            hint.organisation_id,
            is_reader=as_reader,
            is_outside=is_outside,
        )
        is_open = loaded.goes_on() and policy.is_open(loaded.checklist.state, None, hint.item)
        question = QuestionView(
            item=hint.item,
            mark=hint.mark,
            may_answer=waits and bool(allowed) and bool(is_open),
            as_reader=as_reader,
            is_flagged=hint.flag is not None,
            harmless=_of_answer(loaded, hint.harmless),
            accepted=_of_answer(loaded, hint.accepted),
        )
    return _hint_view(hint.hint, passages, question)


def _of_answer(loaded: LoadedChecklist, answer: HintAnswer | None) -> SaidOfHint | None:
    if answer is None:
        return None
    organisation, name = answer.organisation.name, answer.author.name
    reason = encryption.hint_reason_of(loaded.checklist.cooperation_id, answer)
    return SaidOfHint(organisation, name, reason, answer.answered_at)


def hints_on_values(
    loaded: LoadedChecklist,
    item: Item,
    values: Mapping[str, Any],
    language: str,
    passages: Passages | None = None,
) -> tuple[HintView, ...]:
    """Return the phrases in a proposed answer that may limit the NPM (S6, S7).

    passages are those that hints link to, if they were already read; language is the reader's.
    """
    texts = list(risky_phrases.texts_of(item.fields_of(AnswerScope.SHARED), values))
    hints.search_before_writing(loaded, texts)
    in_texts = risky_phrases.hints(texts, hints.names_of(loaded))
    if in_texts and passages is None:
        passages = passages_for(sorted(risky_phrases.passages()), language)
    return tuple(_hint_view(hint, passages or {}) for hint in in_texts)


def hints_before_sending(
    loaded: LoadedChecklist, language: str
) -> list[tuple[Item, tuple[HintView, ...]]]:
    """Return the items of the signed part whose text may limit the NPM, to read before sending.

    They are found by phrases; what rules find is flagged. language is the reader's.
    """
    passages = passages_for(sorted(risky_phrases.passages()), language)
    return [
        (item, tuple(_hint_view(hint.hint, passages) for hint in on_item))
        for item in loaded.template.items
        if item.part is Part.TERMS and (on_item := hints.on_item(loaded, item))
    ]


def _hint_view(hint: Hint, passages: Passages, question: QuestionView | None = None) -> HintView:
    passage = _link(hint.passage, passages)
    return HintView(hint.words, hint.think, hint.language, passage, question)


def _link(ref: str | None, passages: Passages) -> PassageLink | None:
    passage = passages.get(ref) if ref else None
    return PassageLink(passage.slug, passage.key, passage.title) if passage else None
