"""Complete answers to any item, made from its schema, and checklists filled in by services.

In one file: whoever fills in a checklist needs an answer to each item, chosen in the same way.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import has_app_context

from tracker.access.actor import Actor, OrganisationKind
from tracker.accounts import queries as accounts
from tracker.agreements import service as agreements
from tracker.checklist_templates.checks import Check, CheckName
from tracker.checklist_templates.field_content import ROW
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import (
    Column,
    FieldType,
    Item,
    Limit,
    Part,
    Rows,
    TemplateField,
)
from tracker.checklists import policy, service
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Answer, Checklist, Flag, SafeguardReview, Stance
from tracker.checklists.negotiation import hints, positions, safeguards
from tracker.checklists.negotiation.text_digest import item_digest, item_token, text_digest
from tracker.checklists.rules import completeness
from tracker.checklists.rules.consistency import RULES
from tracker.checklists.rules.facts import Sheet, Surroundings
from tracker.checklists.rules.values import needed
from tracker.cooperations.models import Mode
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import shown
from tracker.signoff.identity_proof import Identity
from tracker.signoff.models import Method

# What a person would choose to write: item -> field -> value.
Chosen = Mapping[str, Mapping[str, Any]]
SECOND_READER = "M5"


@dataclass
class Writer:
    """Writes one answer of an item so that its fields are filled and its done-tests are met."""

    item: Item
    around: Surroundings
    # Who must not be named if the item requires somebody who wrote nothing.
    writers: frozenset[UUID] = frozenset()
    chosen: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        around = self.around
        self._checks = {
            (check.check, key): check for check in self.item.done.checks for key in check.looks_at
        }
        self._people = cycle(sorted(around.people, key=str))
        npm = sorted(around.npm_people, key=str)
        self._npm = cycle(npm)
        self._fresh = cycle([first for first in npm if first not in self.writers] or npm)
        self._parties = cycle(party.organisation_id for party in around.parties)
        self._day = (around.visit_starts_on or clock.today()) + dt.timedelta(days=30)

    def write(self, scope: AnswerScope) -> dict[str, Any]:
        """Return values for all fields of one scope that a complete answer needs."""
        values: dict[str, Any] = {}
        for definition in self.item.fields_of(scope):
            if definition.key in self.chosen:
                values[definition.key] = self.chosen[definition.key]
            elif needed(definition, values):
                is_table = definition.type is FieldType.TABLE
                values[definition.key] = (
                    self._table(definition) if is_table else self._value(definition, definition.key)
                )
        return values

    def _value(self, field: TemplateField | Column, key: str) -> Any:
        match field.type:
            case FieldType.CONFIRM:
                return True
            case FieldType.CHOICE:
                return self._option(field, key)
            case FieldType.CHOICES:
                return [self._option(field, key)]
            case FieldType.PERSON:
                return str(self._person(field, key))
            case FieldType.PERSONS:
                return [str(self._person(field, key))]
            case FieldType.PARTY | FieldType.BODY:
                return str(self._party(field, key))
            case FieldType.NUMBER:
                return self._number(field, key)
            case _:
                return self._text(field)

    def _text(self, field: TemplateField | Column) -> str:
        match field.type:
            case FieldType.DATE:
                self._day += dt.timedelta(days=1)
                return self._day.isoformat()
            case FieldType.TIME:
                return "18:30"
            case FieldType.PHONE:
                return "+999 555 01"
            case FieldType.CLASS:
                return "K3"
            case _:
                return f"{field.label}, as settled between us"

    def _number(self, field: TemplateField | Column, key: str) -> int:
        check = self._check(CheckName.NUMBER_AT_LEAST, key)
        return max(field.min or 0, (check.n or 0) if check else 0, min(field.max or 7, 7))

    def _person(self, field: TemplateField | Column, key: str) -> UUID:
        if self._check(CheckName.WROTE_NO_ANSWER, key):
            return next(self._fresh)
        of_npm = self._check(CheckName.PERSONS_OF_NPM, key) or self._stays_with_npm(field, key)
        return next(self._npm if of_npm else self._people)

    def _party(self, field: TemplateField | Column, key: str) -> UUID:
        npm = self.around.parties_of(OrganisationKind.NPM)
        return npm[0].organisation_id if self._stays_with_npm(field, key) else next(self._parties)

    def _option(self, field: TemplateField | Column, key: str) -> str:
        flagged = {value for limit in self._limits(field, key) for value in limit.values}
        return next(
            option.value
            for option in field.options
            if option.value not in flagged and not self._is_contradicted(field, option.value)
        )

    def _is_contradicted(self, field: TemplateField | Column, option: str) -> bool:
        """Return whether what else is known says otherwise than an option."""
        rules = () if isinstance(field, Column) else RULES.get(self.item.code, ())
        values, nothing = {field.key: option}, Sheet(UUID(int=0), {})
        return any(
            problem.field == field.key
            for rule in rules
            for problem in rule(self.item, values, self.around, nothing)
        )

    def _stays_with_npm(self, field: TemplateField | Column, key: str) -> bool:
        return any(limit.outside_npm for limit in self._limits(field, key))

    def _limits(self, field: TemplateField | Column, key: str) -> list[Limit]:
        """Return the rules that would flag an answer: a complete one gives no power away."""
        column = field.key if isinstance(field, Column) else None
        return [limit for limit in self.item.field(key).limits if limit.column == column]

    def _check(self, name: CheckName, key: str) -> Check | None:
        return self._checks.get((name, key))

    def _table(self, table: TemplateField) -> list[dict[str, Any]]:
        spec = table.rows or Rows()
        rows = [self._row(table, {ROW: given.key}) for given in spec.fixed]
        if not spec.fixed:
            rows = [self._row(table, start) for start in self._starts(table)]
            while len(rows) < max(spec.min, 1):
                rows.append(self._row(table, {}))
        return rows

    def _starts(self, table: TemplateField) -> Iterator[dict[str, Any]]:
        """Yield the values that rows begin with, so that those the done-tests require are there."""
        around = self.around
        for (name, key), check in self._checks.items():
            if key != table.key or check.column is None:
                continue
            if name in {CheckName.ROW_PER_PARTY, CheckName.ROW_EACH_WAY}:
                yield from ({check.column: str(p.organisation_id)} for p in around.parties)
            elif name is CheckName.ROW_PER_CSO:
                csos = around.parties_of(OrganisationKind.CSO)
                yield from ({check.column: str(cso.organisation_id)} for cso in csos)
            elif name is CheckName.ROW_PER_TEAM_MEMBER:
                yield from ({check.column: str(m)} for m in sorted(around.team or (), key=str))
            elif name is CheckName.VALUES_COVERED:
                yield from ({check.column: value} for value in check.values)

    def _row(self, table: TemplateField, start: dict[str, Any]) -> dict[str, Any]:
        row = dict(start)
        own = self._own_people(table, row)
        for column in table.columns:
            if column.key not in row and needed(column, row):
                if own and column.type is FieldType.PERSON and column.key != "signatory":
                    row[column.key] = str(next(own))
                    continue
                signs = _who_signs(row["party"]) if column.key == "signatory" else None
                ties = "interest" if column.key == "declares" and self._has_ties(row) else None
                row[column.key] = signs or ties or self._value(column, table.key)
        return row

    def _own_people(self, table: TemplateField, row: Mapping[str, Any]) -> Iterator[UUID] | None:
        """Return those who take part for the party whose row it is; None if nobody does."""
        if self.item.party_table is None or self.item.party_table[0] != table.key:
            return None
        own = self.around.people_of.get(UUID(row[self.item.party_table[1]]), frozenset())
        # The NPM's own people first: nobody else can stand in for them (M7).
        in_order = sorted(own, key=lambda user: (user not in self.around.npm_people, str(user)))
        return cycle(in_order) if own else None

    def _has_ties(self, row: dict[str, Any]) -> bool:
        return any(
            bool(party.ties)
            for party in self.around.parties
            if str(party.organisation_id) == row.get("party")
        )


def _who_signs(organisation_id: str) -> str | None:
    """Return a person who can sign for a party, if there is a database."""
    if not has_app_context():
        return None
    able = accounts.signatories_of(UUID(organisation_id), clock.today())
    return next(
        (str(membership.user_id) for membership in able if membership.holds_on(clock.today())), None
    )


def whole(
    loaded: LoadedChecklist,
    code: str,
    scope: AnswerScope = AnswerScope.SHARED,
    *,
    writers: Collection[UUID] = (),
    **chosen: Any,
) -> dict[str, Any]:
    """Return a complete answer to an item; chosen are values wanted for some of its fields."""
    item = loaded.template.by_code[code]
    return Writer(item, loaded.surroundings, frozenset(writers), chosen).write(scope)


def setter_of(loaded: LoadedChecklist, item: Item, actors: Mapping[UUID, Actor]) -> Actor:
    """Return who sets an item's shared answer: the first party that may."""
    return next(
        actors[party.organisation_id]
        for party in loaded.parties
        if policy.can_set(
            actors[party.organisation_id], party, item.fields_of(AnswerScope.SHARED)[0]
        )
    )


def complete_answers(
    loaded: LoadedChecklist,
    actors: Mapping[UUID, Actor],
    *,
    leave: Collection[str] = (),
    recommended: bool = False,
    chosen: Chosen | None = None,
) -> None:
    """Answer what is required and have every party accept it, through the services.

    actors are the people who write for each organisation. leave names items that stay as they are;
    recommended answers the rest too. Existing answers stay, and are accepted.
    """
    for item in loaded.template.items:
        fresh = load(loaded.checklist)
        if item.code in leave or item.part is Part.PERSON:
            continue
        standing = completeness.item_standing(item, fresh.sheet, fresh.surroundings)
        if standing.counts and (standing.required or recommended) and not standing.done:
            values = {**_consistent(fresh, item), **(chosen or {}).get(item.code, {})}
            _answer(fresh, item, actors, values)
            accept(fresh.checklist, item.code, actors)


def _consistent(loaded: LoadedChecklist, item: Item) -> dict[str, Any]:
    """Return the values that have to agree with the cooperation: its modes (M3) and dates (M19)."""
    if item.code == "M19":
        planned = loaded.surroundings.planned
        return {f.key: planned[f.key].isoformat() for f in item.fields if f.key in planned}
    modes = loaded.surroundings.modes
    if item.code != "M3" or not any(field.key == "in_scope" for field in item.fields):
        return {}
    return {"in_scope": [mode.value for mode in Mode if mode in modes]}


def _answer(
    loaded: LoadedChecklist, item: Item, actors: Mapping[UUID, Actor], chosen: Mapping[str, Any]
) -> None:
    writers = frozenset(actor.user_id for actor in actors.values())
    for scope in item.scopes:
        values = Writer(item, loaded.surroundings, writers, chosen).write(scope)
        if scope is AnswerScope.SHARED and loaded.sheet.shared(item.code) is None:
            writer = setter_of(loaded, item, actors)
            service.save_answer(writer, loaded.checklist, item.code, scope, values, base_version=0)
        elif scope is AnswerScope.PARTY:
            for party in loaded.parties:
                actor = actors[party.organisation_id]
                is_asked = policy.can_set(actor, party, item.fields_of(scope)[0])
                if is_asked and loaded.sheet.of_party(item.code, party.organisation_id) is None:
                    service.save_answer(
                        actor, loaded.checklist, item.code, scope, values, base_version=0
                    )


def accept(checklist: Checklist, code: str, actors: Mapping[UUID, Actor]) -> None:
    """Have every party accept the current answer that hasn't yet."""
    loaded = load(checklist)
    answer = loaded.sheet.shared(code)
    if answer is None:
        return
    item = loaded.template.by_code[code]
    for organisation_id in completeness.not_accepting(item, loaded.sheet, loaded.surroundings):
        positions.take_position(
            actors[organisation_id],
            checklist,
            code,
            Stance.ACCEPTS,
            answer_id=_current(checklist, code),
            # Of those who asked to discuss it.
            outcome="We agreed on it.",
        )
    if _current(checklist, code) != answer.answer_id:
        # Values of hidden columns are now only in the history, and everybody is asked again.
        accept(checklist, code, actors)


def shown_answers(
    loaded: LoadedChecklist, actor: Actor, answer_ids: Iterable[UUID]
) -> dict[UUID, str]:
    """Return answers with the tokens of a page that shows a person their items, or without them."""
    items = {filled.answer_id: key[0] for key, filled in loaded.sheet.answers.items()}
    return {
        answer_id: item_token(loaded, actor, loaded.item(items[answer_id]))
        if answer_id in items
        else ""
        for answer_id in answer_ids
    }


def _current(checklist: Checklist, code: str) -> UUID:
    return db.session.execute(
        sa.select(Answer.id).where(
            Answer.checklist_id == checklist.id,
            Answer.item == code,
            Answer.scope == AnswerScope.SHARED,
            Answer.is_current,
        )
    ).scalar_one()


def agree(
    checklist: Checklist, actors: Mapping[UUID, Actor], reader: Actor | None = None
) -> LoadedChecklist:
    """Fill in everything required; for terms, have the second reader confirm the review too."""
    chosen: Chosen = {SECOND_READER: {"second_reader": str(reader.user_id)}} if reader else {}
    complete_answers(load(checklist), actors, chosen=chosen)
    if checklist.kind is ChecklistKind.TERMS and reader is not None:
        accept_hints(reader, checklist)
        read_second(reader, checklist)
    return load(checklist)


def flag_term(actor: Actor, checklist: Checklist, code: str, reason: str) -> Flag:
    """Flag a term as its page shows it now."""
    loaded = load(checklist)
    item = loaded.template.item(code)
    seen = item_digest(loaded, item) if item else ""
    return safeguards.raise_flag(actor, checklist, code, reason, seen=seen)


def read_second(reader: Actor, checklist: Checklist, because: str = "") -> SafeguardReview:
    """Have the second reader of the NPM confirm on a page opened now."""
    page = shown.page_with(text_digest(load(checklist)))
    return safeguards.confirm_review(reader, checklist, because, page=page)


def accept_hints(reader: Actor, checklist: Checklist) -> None:
    """Have the second reader accept all phrases that may limit the NPM."""
    for hint in hints.waiting_for_reader(load(checklist)):
        safeguards.answer_hint(
            reader,
            checklist,
            hint.item,
            hint.mark,
            limits=False,
            reason="Others decide nothing.",
            as_reader=True,
        )


def send(checklist: Checklist, by: Actor, signatories: Mapping[UUID, Actor]) -> None:
    """Freeze an agreed text and send it to one signatory of each party."""
    agreements.send(
        by, checklist, {body: signatory.user_id for body, signatory in signatories.items()}
    )


def sign(checklist: Checklist, *actors: Actor) -> None:
    """Sign the pending text; the last signature brings it into force."""
    for actor in actors:
        agreements.sign(
            actor,
            checklist,
            page=agreements.page_with(checklist),
            sentence=f"I, {actor.name}, sign this text for {actor.organisation_name}.",
            language="en",
            identity=Identity(actor.user_id, Method.PASSWORD_TOTP, clock.now()),
        )


def decline_text(actor: Actor, checklist: Checklist, *, reason: str, items: Iterable[str]) -> None:
    """Decline the pending text."""
    page = agreements.page_with(checklist)
    agreements.decline(actor, checklist, page=page, reason=reason, items=items)


def sides(loaded: LoadedChecklist) -> tuple[UUID, list[UUID]]:
    """Return the first NPM body of a checklist, and the CSOs in their order."""
    npm = loaded.surroundings.parties_of(OrganisationKind.NPM)
    csos = loaded.surroundings.parties_of(OrganisationKind.CSO)
    return npm[0].organisation_id, [party.organisation_id for party in csos]
