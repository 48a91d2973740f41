"""Rules on what an answer has to agree with: other items, the team, the days of a visit. Pure.

They hold for every version of a checklist. What one answer must hold by itself is named in the
template (done_tests).
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.schema import NAMING_BODIES, Item
from tracker.checklists.rules.facts import PartyFact, Sheet, Surroundings
from tracker.checklists.rules.values import Problem, as_date, as_id, names_in
from tracker.cooperations.models import Mode

Values = Mapping[str, Any]
Rule = Callable[[Item, Values, Surroundings, Sheet], Iterator[Problem]]

# The items of a visit that name who acts on site, and of V7 the fields that do.
ON_SITE = frozenset({"V5", "V8", "V9", "V10", "V11", "V12"})
SPEAKERS = frozenset({"speaker", "stand_in"})


def problems(
    item: Item, values: Values, surroundings: Surroundings, sheet: Sheet
) -> Iterator[Problem]:
    """Yield where an answer contradicts another item, the team or the days of the visit."""
    for rule in RULES.get(item.code, ()):
        yield from rule(item, values, surroundings, sheet)


# People ---------------------------------------------------------------------------------------


def _acts_on_site(
    item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Whoever acts on site is in the team (V4), where everyone who needs it is cleared (J2)."""
    if around.team is None:
        return
    on_site = SPEAKERS if item.code == "V7" else frozenset(field.key for field in item.fields)

    def words(label: object) -> object:
        return _l(
            "%(label)s: choose someone on the team, or add this person to the team first.",
            label=label,
        )

    yield from _others_than(around.team, item, values, on_site, words)


def _of_team_or_npm(*keys: str) -> Rule:
    """Return the rule that whom these fields name is in the team or of the NPM (product.md, 6)."""

    def rule(item: Item, values: Values, around: Surroundings, _sheet: Sheet) -> Iterator[Problem]:
        if around.team is not None:

            def words(label: object) -> object:
                return _l("%(label)s: choose someone on the team or of the NPM.", label=label)

            allowed = around.team | around.npm_people
            yield from _others_than(allowed, item, values, frozenset(keys), words)

    return rule


def _of_npm(item: Item, values: Values, around: Surroundings, _sheet: Sheet) -> Iterator[Problem]:
    """Who decides on an urgent case is of the NPM (U3)."""
    keys = frozenset(field.key for field in item.fields)

    def words(label: object) -> object:
        return _l("%(label)s: choose someone of the NPM.", label=label)

    yield from _others_than(around.npm_people, item, values, keys, words)


def _others_than(
    allowed: AbstractSet[UUID],
    item: Item,
    values: Values,
    keys: AbstractSet[str],
    words: Callable[[object], object],
) -> Iterator[Problem]:
    """Yield where one of these fields names a person who is not allowed there."""
    for field in item.fields:
        for row, part, person in names_in(field, values.get(field.key)):
            is_person = field.key in keys and part.type not in NAMING_BODIES
            if is_person and as_id(person) not in allowed:
                column = None if row is None else part.key
                yield Problem(field.key, words(part.label), row=row, column=column)


# Days -----------------------------------------------------------------------------------------


def _briefings(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """The briefing comes before the visit or on its first day, the debriefing after it."""
    briefing, debriefing = as_date(values.get("briefing")), as_date(values.get("debriefing"))
    if around.visit_starts_on and briefing and briefing > around.visit_starts_on:
        yield Problem(
            "briefing", _l("The briefing must be on the first day of the visit or before.")
        )
    if around.visit_ends_on and debriefing and debriefing < around.visit_ends_on:
        yield Problem(
            "debriefing", _l("The debriefing must be on the last day of the visit or after.")
        )


def _check_of_reprisals(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Reprisals often come after the team has left: the check is after the last day (S61)."""
    day = as_date(values.get("check_on"))
    if day is not None and around.visit_ends_on is not None and day <= around.visit_ends_on:
        yield Problem("check_on", _l("This date must be after the visit."))


# The terms ------------------------------------------------------------------------------------


def _forms_of_cooperation(
    item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """The forms in scope (M3) are those from which the product works out what is required."""
    chosen = {Mode(code) for code in values.get("in_scope") or () if code in Mode}
    if not chosen:
        return
    labels = {option.value: option.label for option in item.field("in_scope").options}
    for mode in sorted(around.modes - chosen):
        yield Problem(
            "in_scope",
            _l(
                "The cooperation lists “%(form)s” as a way of working. Choose it here too, or "
                "change the ways of working.",
                form=labels.get(mode.value, mode.value),
            ),
        )
    for mode in sorted(chosen - around.modes):
        yield Problem(
            "in_scope",
            _l(
                "“%(form)s” isn’t among the cooperation’s ways of working. Add it there, or "
                "remove it here.",
                form=labels.get(mode.value, mode.value),
            ),
        )


# What a party says of itself in M1 that is an interest under M14 (S44, S66, S70).
_INTERESTS = {
    "litigates": _l("takes cases to court"),
    "represents_persons": _l("represents persons deprived of liberty or their families"),
    "represents_staff": _l("represents staff"),
}


def _declared_interests(
    _item: Item, values: Values, around: Surroundings, sheet: Sheet
) -> Iterator[Problem]:
    """A party that litigates or represents people concerned can't declare none (M14 with M1)."""
    by_id = {party.organisation_id: party for party in around.parties}
    rows = [row for row in values.get("interests") or [] if has_content(row)]
    declaring = {as_id(row.get("party")) for row in rows if row.get("declares") == "interest"}
    for row in sheet.value("M1", "parties") or ():
        party = by_id.get(as_id(row.get("party")))  # type: ignore[arg-type] # None finds none
        given = [words for key, words in _INTERESTS.items() if row.get(key) is True]
        if party is None or not given or party.organisation_id in declaring:
            continue
        yield from _contradicted(party, given[0], rows)


def _contradicted(party: PartyFact, why: object, rows: list[dict[str, Any]]) -> Iterator[Problem]:
    for number, row in enumerate(rows):
        if as_id(row.get("party")) == party.organisation_id:
            yield Problem(
                "interests",
                _l(
                    "%(party)s %(why)s, as it says under Parties and mandates. Declare that as an "
                    "interest, and say what follows from it.",
                    party=party.name,
                    why=why,
                ),
                row=number,
                column="declares",
            )


RULES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(ON_SITE, (_acts_on_site,)),
    "V7": (_acts_on_site, _of_team_or_npm("at_gate")),
    "V15": (_check_of_reprisals,),
    "V18": (_briefings,),
    "V19": (_of_team_or_npm("parts", "editor"),),
    "U3": (_of_npm,),
    "M3": (_forms_of_cooperation,),
    "M14": (_declared_interests,),
}
