"""Rules on what an answer has to agree with: other items, the team, the days of a visit. Pure.

They apply to every version of a checklist. What one answer must contain by itself is stated in the
template (done_tests). In one file: the tables at the end say which rules each item has, and which
of them spare what all have agreed on.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.schema import NAMING_BODIES, Item
from tracker.checklists.rules import nameable
from tracker.checklists.rules.facts import Filled, PartyFact, Sheet, Surroundings
from tracker.checklists.rules.nameable import Circle
from tracker.checklists.rules.values import Problem, as_date, as_id, names_in
from tracker.cooperations.models import Knowledge, Mode
from tracker.cooperations.modes import (
    CONFIDENTIALITY,
    MODE_LABELS,
    QUESTION_LABELS,
    Level,
    Question,
    questions_behind,
    requirement,
)
from tracker.ui.locale import as_date as in_words

Values = Mapping[str, Any]
Rule = Callable[[Item, Values, Surroundings, Sheet], Iterator[Problem]]

# The item of a visit's roles that says the type of place.
KIND_OF_PLACE = "V1"
# The item of a visit's roles with each person's letter of access.
CREDENTIALS = "V13"
# The item of a visit's roles with the day on which the team is briefed.
BRIEFING = "V18"
# What is confirmed about the place of the people in a visit's roles: that they are independent of
# it (V11), and not supplied by it (V12). By item and field.
OF_THE_PLACE = {"V11": "independent", "V12": "not_from_place"}
# Where people are named as they were when the text was agreed (item, field, column): nobody has to
# reach them by it, so it stays true if they leave.
FOR_THE_RECORD = frozenset(
    {
        ("M1", "parties", "signatory"),
        ("M5", "second_reader", None),
        ("M17", "roster", "person"),
        ("C11", "named", "person"),
    }
)
# What an authority may be told beforehand, depending on how the visit is announced (V2).
TOLD_BEFORE = {"unannounced": frozenset({"visit"}), "period": frozenset({"visit", "period"})}


def problems(
    item: Item, values: Values, surroundings: Surroundings, sheet: Sheet
) -> Iterator[Problem]:
    """Yield where an answer contradicts another item, the team or the days of the visit."""
    yield from _misplaced(item, values, surroundings)
    rules = RULES.get(item.code, ())
    if not surroundings.is_agreed(item.code):
        rules += UNTIL_AGREED.get(item.code, ())
    for rule in rules:
        yield from rule(item, values, surroundings, sheet)


def outdated(item: Item, answer: Filled, surroundings: Surroundings) -> Iterator[Problem]:
    """Yield where a shared answer was for another place: V1, V11, V12, V18 (J2) and V13 (J3)."""
    if is_outdated(item.code, answer, surroundings):
        yield Problem(*_FOR_FORMER_PLACE[item.code])


def is_outdated(code: str, answer: Filled, surroundings: Surroundings) -> bool:
    """Return whether a shared answer was for another place, and hasn't been saved again since.

    A briefing (V18) that was held before the place changed always was, whenever it was saved. Of
    the health expert and interpreters only what is confirmed about the place counts (V11, V12).
    """
    asked_at = asked_again_at(code, surroundings)
    if code in OF_THE_PLACE and answer.values.get(OF_THE_PLACE[code]) is not True:
        return False
    if code == BRIEFING:
        return was_briefed_before(answer, asked_at, surroundings.place_changed_on)
    return is_of_former_place(answer.saved_at, asked_at)


def was_briefed_before(answer: Filled, moment: dt.datetime | None, day: dt.date | None) -> bool:
    """Return whether the briefing (V18) was before a moment, on that day in the NPM's time zone.

    On the day itself it was unless the answer was saved later. One that is still to come wasn't.
    """
    briefed_on = as_date(answer.values.get("briefing"))
    if briefed_on is None or day is None:
        return False
    is_saved_before = is_of_former_place(answer.saved_at, moment)
    return briefed_on < day or (briefed_on == day and is_saved_before)


_FOR_FORMER_PLACE = {
    "V11": (
        OF_THE_PLACE["V11"],
        _l(
            "The place of the visit changed after this was confirmed. Check that the health expert "
            "doesn't work for the new place or the authority in charge of it, then save the answer "
            "again."
        ),
    ),
    "V12": (
        OF_THE_PLACE["V12"],
        _l(
            "The place of the visit changed after this was confirmed. Check that no interpreter is "
            "supplied by the new place, then save the answer again."
        ),
    ),
    KIND_OF_PLACE: (
        "place_type",
        _l(
            "The place of the visit changed after this was answered. Check the type of place, "
            "then save the answer again."
        ),
    ),
    CREDENTIALS: (
        "credentials",
        _l(
            "The place of the visit changed after this was answered. Check the credentials, "
            "then save the answer again."
        ),
    ),
    BRIEFING: (
        "briefing",
        _l(
            "The place of the visit changed after this briefing. Brief the team on the new place, "
            "and give the date of that briefing."
        ),
    ),
}


def asked_again_at(code: str, surroundings: Surroundings) -> dt.datetime | None:
    """Return since when an item has to be answered again for another place; None: it needn't be."""
    moments = {
        KIND_OF_PLACE: surroundings.kind_asked_at,
        CREDENTIALS: surroundings.place_changed_at,
        BRIEFING: surroundings.place_changed_at,
        **dict.fromkeys(OF_THE_PLACE, surroundings.place_changed_at),
    }
    return moments.get(code)


def is_of_former_place(saved_at: dt.datetime, asked_at: dt.datetime | None) -> bool:
    """Return whether an answer about the place hasn't been saved again since it had to be."""
    return asked_at is not None and saved_at <= asked_at


# People ---------------------------------------------------------------------------------------


def _choose(circle: Circle, label: object) -> object:
    """Return what to do where a field names somebody whom it can't name."""
    match circle:
        case Circle.TEAM:
            return _l(
                "%(label)s: choose someone on the team, or add this person to the team first.",
                label=label,
            )
        case Circle.TEAM_OR_NPM:
            return _l("%(label)s: choose someone on the team or of the NPM.", label=label)
        case Circle.NPM:
            return _l("%(label)s: choose someone of the NPM.", label=label)
        case _:
            return _l(
                "Name someone who isn't on the team. The safety contact stays outside and can be "
                "reached during the whole visit."
            )


_NOT_THEMSELVES = _l("Nobody steps in for themselves. Name someone else.")
_NOT_THE_LEAD = _l("Name someone other than the team lead.")


def _misplaced(item: Item, values: Values, around: Surroundings) -> Iterator[Problem]:
    """Yield where a field names somebody whom it can't name (nameable)."""
    for field in item.fields:
        circle = nameable.circle_of(item, field)
        if circle is Circle.ANYBODY:
            continue
        for row, part, name in names_in(field, values.get(field.key)):
            person = as_id(name)
            if part.type in NAMING_BODIES or nameable.can_name(circle, person, around):
                continue
            words = _choose(circle, part.label)
            yield Problem(field.key, words, row, None if row is None else part.key, person)


def _complaints_about_the_lead(
    _item: Item, values: Values, _around: Surroundings, sheet: Sheet
) -> Iterator[Problem]:
    """Check that no complaint about the lead goes to the lead (V16)."""
    person = as_id(values.get("complaints"))
    if person is not None and person == as_id(sheet.value("V3", "lead")):
        yield Problem("complaints", _NOT_THE_LEAD)


def _complaints_of_the_lead(
    _item: Item, values: Values, _around: Surroundings, sheet: Sheet
) -> Iterator[Problem]:
    """Check that the lead's complaints about a member don't go to the lead (V16)."""
    lead = as_id(sheet.value("V3", "lead"))
    if lead is not None and lead in map(as_id, values.get("about_member") or ()):
        yield Problem("about_member", _NOT_THE_LEAD)


def _somebody_else(field: str, others: Callable[[Values], Iterable[Any]], words: object) -> Rule:
    """Return the rule that a field names nobody whom other fields of its answer name."""

    def rule(
        _item: Item, values: Values, _around: Surroundings, _sheet: Sheet
    ) -> Iterator[Problem]:
        person = as_id(values.get(field))
        if person is not None and person in map(as_id, others(values)):
            yield Problem(field, words)

    return rule


# Whoever the health expert reports to is somebody else; so is who stands in if nobody acts.
_REPORTS = _somebody_else(
    "reports_to",
    lambda values: [values.get("expert")],
    _l("Nobody reports to themselves. Name someone else."),
)
_STAND_IN = _somebody_else(
    "stand_in",
    lambda values: [row.get("who") for row in values.get("levels") or ()],
    _NOT_THEMSELVES,
)


def _of_their_party(
    item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that a party's row only names people who take part for it (M1, M7, M15).

    Whoever doesn't take part at all is another problem (values.gone).
    """
    if item.party_table is None:
        return
    table, party_column = item.party_table
    by_id = {str(party.organisation_id): party for party in around.parties}
    for number, part, name in names_in(item.field(table), values.get(table)):
        person = as_id(name)
        if number is None or part.type in NAMING_BODIES or person not in around.people:
            continue
        party = by_id.get(str(values[table][number].get(party_column)))
        if party is None or person in around.people_of.get(party.organisation_id, ()):
            continue
        words = _l(
            "%(label)s: choose someone who takes part for %(party)s.",
            label=part.label,
            party=party.name,
        )
        yield Problem(table, words, row=number, column=part.key, person=person)


def _two_people(table: str, column: str, other: str, words: object) -> Rule:
    """Return the rule that two columns of a row name two different people."""

    def rule(
        _item: Item, values: Values, _around: Surroundings, _sheet: Sheet
    ) -> Iterator[Problem]:
        for number, row in enumerate(values.get(table) or []):
            person = as_id(row.get(column))
            if person is not None and person == as_id(row.get(other)):
                yield Problem(table, words, row=number, column=other)

    return rule


# Who steps in and who interviews with somebody is somebody else.
_BACKUP = _two_people("roles", "person", "backup", _NOT_THEMSELVES)
_COMPANION = _two_people(
    "roles",
    "person",
    "works_with",
    _l("Name someone else, or leave this empty if the person works alone."),
)
_PAIR = _two_people("interviews", "interviewer", "pair", _l("A pair is two different people."))


def _deputy(_item: Item, values: Values, around: Surroundings, _sheet: Sheet) -> Iterator[Problem]:
    """Check that somebody else stands in for the coordinator of a body of the NPM (M7).

    A CSO may be one person, and so may a body of the NPM: then it has nobody else to name.
    """
    for number, row in enumerate(values.get("contacts") or []):
        person = as_id(row.get("coordinator"))
        if person not in around.npm_people or person != as_id(row.get("deputy")):
            continue
        party = as_id(row.get("party"))
        own = around.people_of.get(party, frozenset()) if party else frozenset()
        if (own & around.npm_people) - {person}:
            words = _l("Coordinator and deputy are two different people.")
            yield Problem("contacts", words, row=number, column="deputy")


def _raw_notes(
    _item: Item, values: Values, _around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that raw notes leave the cooperation only by consent or law (S12, OPCAT 21(2); V19)."""
    for number, row in enumerate(values.get("raw_notes_to") or []):
        if row.get("receiver") not in {None, "", "cso"} and row.get("ground") == "unnamed":
            yield Problem(
                "raw_notes_to",
                _l(
                    "A body outside the cooperation only gets raw notes if the person concerned "
                    "consents or the law requires it."
                ),
                row=number,
                column="ground",
            )


# Days -----------------------------------------------------------------------------------------


def _brief_in_time(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that the team reads the background brief before it leaves (V1)."""
    due = as_date(values.get("brief_due"))
    if around.visit_starts_on and due and due > around.visit_starts_on:
        yield Problem(
            "brief_due", _l("The brief must be ready on the first day of the visit or before.")
        )


def _team_knows_in_time(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that the team may know of the visit on its first day (V2): it reads its tasks here.

    Somebody who joins during the visit may know since any day of it that has come.
    """
    if around.visit_starts_on is None:
        return
    latest = around.today_in_visit or around.visit_starts_on
    for number, row in enumerate(values.get("audience") or []):
        begins = as_date(row.get("from"))
        is_of_team = as_id(row.get("person")) in (around.team or ())
        if is_of_team and begins and begins > latest:
            yield Problem(
                "audience",
                _l("This person is on the team and has to know on the first day or before."),
                row=number,
                column="from",
            )


def _no_more_than_announced(
    _item: Item, values: Values, _around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that authorities aren't told of an unannounced visit beforehand (V2)."""
    allowed = TOLD_BEFORE.get(str(values.get("announced")))
    if allowed is None:
        return
    for number, row in enumerate(values.get("authorities") or []):
        what = row.get("what")
        if has_content(what) and what not in allowed and row.get("hours") != 0:
            yield Problem(
                "authorities",
                _l("This tells an authority more than the announcement of the visit does."),
                row=number,
                column="what",
            )


def _terms_of_people(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that people appointed for a term serve until the last day of the visit (V4, J2)."""
    for number, row in enumerate(values.get("team") or []):
        until = as_date(row.get("until"))
        if around.visit_ends_on and until and until < around.visit_ends_on:
            yield Problem(
                "team",
                _l("This term ends before the last day of the visit."),
                row=number,
                column="until",
            )


def _within_the_standing_rule(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that no part of the report is due later than the agreed number of days (V19)."""
    days = values.get("days_after")
    if around.visit_ends_on is None or not isinstance(days, int):
        return
    last = around.visit_ends_on + dt.timedelta(days=days)
    for number, row in enumerate(values.get("parts") or []):
        due = as_date(row.get("due"))
        if due is not None and due > last:
            yield Problem(
                "parts",
                _l("This date is later than the standing rule allows."),
                row=number,
                column="due",
            )


def _briefings(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that the briefing comes in time, and the debriefing after the visit (V18).

    Before or on the first day; once the visit has begun, until its last day, since somebody may
    join the team or the place may change, and then a later briefing is required (J3).
    """
    briefing, debriefing = as_date(values.get("briefing")), as_date(values.get("debriefing"))
    if around.today_in_visit is None:
        latest = around.visit_starts_on
        words = _l("The briefing must be on the first day of the visit or before.")
    else:
        latest = around.visit_ends_on
        words = _l("The briefing must be on the last day of the visit or before.")
    if latest and briefing and briefing > latest:
        yield Problem("briefing", words)
    if around.visit_ends_on and debriefing and debriefing < around.visit_ends_on:
        yield Problem(
            "debriefing", _l("The debriefing must be on the last day of the visit or after.")
        )


def _check_of_reprisals(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that reprisals are looked for after the last day, since they often come later (S61)."""
    yield from _after_the_visit("check_on", values, around)


def _measures(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that no measure to protect the person is due before the visit (U14; S61)."""
    yield from _not_before_the_visit("measures", ("date",), values, around)


def _follow_up(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that a return visit comes after the visit, and follow-up not before it (U16, J9)."""
    yield from _after_the_visit("return_on", values, around)
    yield from _not_before_the_visit("follow_up", ("date",), values, around)
    yield from _not_before_the_visit("recommendations", ("reply_by", "checked_on"), values, around)


def _review_afterwards(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that what happened is reviewed after the visit (U18)."""
    yield from _after_the_visit("review_on", values, around)


def _not_before_the_visit(
    table: str, columns: Iterable[str], values: Values, around: Surroundings
) -> Iterator[Problem]:
    for number, row in enumerate(values.get(table) or []):
        for column in columns:
            day = as_date(row.get(column))
            if day is not None and around.visit_starts_on and day < around.visit_starts_on:
                yield Problem(
                    table, _l("This date can't be before the visit."), row=number, column=column
                )


def _after_the_visit(key: str, values: Values, around: Surroundings) -> Iterator[Problem]:
    day = as_date(values.get(key))
    if day is not None and around.visit_ends_on is not None and day <= around.visit_ends_on:
        yield Problem(key, _l("This date must be after the visit."))


# The terms ------------------------------------------------------------------------------------


def _forms_of_cooperation(
    item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that the forms of cooperation in scope (M3) are those behind the requirements."""
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
                "“%(form)s” isn't among the cooperation's ways of working. Add it there, or "
                "remove it here.",
                form=labels.get(mode.value, mode.value),
            ),
        )


def _as_near_as_the_forms(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that M9 doesn't deny what the ways of working bring for certain (S9, S13).

    An answer behind them that isn't known yet contradicts nothing.
    """
    if values.get("access") != "none":
        return
    certain = dict.fromkeys(Question, Knowledge.NO.value) | {
        question: answer
        for question, answer in around.questions.items()
        if answer == Knowledge.YES.value
    }
    needed = requirement(CONFIDENTIALITY, around.modes, certain)
    if needed.level is Level.REQUIRED and needed.mode is not None:
        yield Problem(
            "access",
            _l(
                "With “%(form)s” as a way of working, partners come near sensitive information. "
                "Choose another answer, or change the ways of working.",
                form=MODE_LABELS[needed.mode],
            ),
        )


# The questions behind the ways of working that, answered yes, bring personal data for certain.
PERSONAL = (Question.PERSONAL_DATA, Question.NAMED_CASE_DISCUSSED)


def _as_personal_as_the_ways(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that M16 doesn't deny personal data that the ways of working bring for certain."""
    if values.get("shared") != "no":
        return
    behind = questions_behind(around.modes)
    for question in PERSONAL:
        if question in behind and around.questions.get(question) == Knowledge.YES.value:
            yield Problem(
                "shared",
                _l(
                    "Under the ways of working, the answer to “%(question)s” is yes. Choose "
                    "another answer here, or change that one.",
                    question=QUESTION_LABELS[question],
                ),
            )
            return


# What a party does that is an interest under M14 (S44, S66, S70).
TIES = {
    "litigates": _l("takes cases to court"),
    "represents_persons": _l("represents people deprived of liberty or their families"),
    "represents_staff": _l("represents staff"),
}


def _declared_interests(
    _item: Item, values: Values, around: Surroundings, sheet: Sheet
) -> Iterator[Problem]:
    """Check that a party that litigates or represents people concerned declares it (M14, M1)."""
    in_terms: dict[UUID | None, set[str]] = {}
    for row in sheet.value("M1", "parties") or ():
        keys = (key for key in TIES if row.get(key) is True)
        in_terms.setdefault(as_id(row.get("party")), set()).update(keys)
    by_id = {party.organisation_id: party for party in around.parties}
    for number, row in enumerate(values.get("interests") or []):
        party = by_id.get(as_id(row.get("party")))  # type: ignore[arg-type] # None finds none
        if party is None or row.get("declares") == "interest":
            continue
        of_terms = in_terms.get(party.organisation_id, set())
        for words in _contradicting(party, of_terms):
            yield Problem("interests", words, row=number, column="declares")


def _contradicting(party: PartyFact, in_terms: AbstractSet[str]) -> Iterator[object]:
    """Yield why a party can't declare no interest: by the terms, else by its own details."""
    by_terms = next((why for key, why in TIES.items() if key in in_terms), None)
    by_itself = next((why for key, why in TIES.items() if key in party.ties), None)
    if by_terms:
        yield _l(
            "%(party)s %(why)s, as it says under Parties and mandates. Declare that as an "
            "interest, and say what follows from it.",
            party=party.name,
            why=by_terms,
        )
    elif by_itself:
        yield _l(
            "%(party)s %(why)s, as its details say. Declare that as an interest, and say what "
            "follows from it.",
            party=party.name,
            why=by_itself,
        )


def _dates_as_planned(
    item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that the dates of M19 are the cooperation's, which other pages show until signing."""
    for key, planned in around.planned.items():
        agreed = as_date(values.get(key))
        if agreed is not None and agreed != planned:
            yield Problem(
                key,
                _l(
                    "%(label)s: the cooperation itself says %(planned)s. Change the date here, or "
                    "under the cooperation's details.",
                    label=item.field(key).label,
                    planned=in_words(planned),
                ),
            )


def starts_too_late(start: dt.date | None, latest: dt.date | None) -> object | None:
    """Return why terms that replace terms in force can't start on a day; None if they can."""
    if start is None or latest is None or start <= latest:
        return None
    reason: object = _l(
        "This text replaces the terms in force as soon as all have signed it. If it starts later "
        "than today, no terms are in force until then. Keep the start of the terms in force."
    )
    return reason


def _starts_in_time(
    _item: Item, values: Values, around: Surroundings, _sheet: Sheet
) -> Iterator[Problem]:
    """Check that the terms in force don't stop before those that replace them start (M19)."""
    too_late = starts_too_late(as_date(values.get("start")), around.latest_start)
    if too_late:
        yield Problem("start", too_late)


def never_acceptable(
    item: Item, values: Values, around: Surroundings, sheet: Sheet
) -> Problem | None:
    """Return why a suggestion can't be accepted however it is completed; None if it can."""
    if item.code != "M19":
        return None
    return next(_starts_in_time(item, values, around, sheet), None)


def _reminded_in_time(
    _item: Item, values: Values, _around: Surroundings, sheet: Sheet
) -> Iterator[Problem]:
    """Check that, if terms renew themselves, the reminder comes in time to say no (M19, M20)."""
    reminder, notice = values.get("reminder_days"), sheet.value("M20", "notice_days")
    if values.get("renewal") != "automatic" or reminder is None or notice is None:
        return
    if reminder < notice:
        yield Problem(
            "reminder_days",
            _l(
                "The terms renew automatically unless a party objects %(days)s days before they "
                "end, as “Suspension, ending, changes” says. The reminder has to come at least "
                "as many days before the end.",
                days=notice,
            ),
        )


RULES: dict[str, tuple[Rule, ...]] = {
    "V1": (_brief_in_time,),
    "V2": (_team_knows_in_time, _no_more_than_announced),
    "V4": (_terms_of_people,),
    "V15": (_check_of_reprisals,),
    "V16": (_complaints_about_the_lead,),
    "V18": (_briefings,),
    "V19": (_raw_notes, _within_the_standing_rule),
    "U14": (_measures,),
    "U16": (_follow_up,),
    "U18": (_review_afterwards,),
    "M1": (_of_their_party,),
    "M3": (_forms_of_cooperation,),
    "M7": (_of_their_party,),
    "M9": (_as_near_as_the_forms,),
    "M14": (_declared_interests,),
    "M15": (_of_their_party,),
    "M16": (_as_personal_as_the_ways,),
    "M19": (_dates_as_planned, _starts_in_time, _reminded_in_time),
}

# Rules on who is named beside whom. What all have agreed on, in a text that is sent or in force,
# counts as it is until its item is written anew: texts were signed before these rules were known,
# and nobody is in danger by them. A later amendment, and the next visit, settle it.
UNTIL_AGREED: dict[str, tuple[Rule, ...]] = {
    "V5": (_BACKUP, _COMPANION),
    "V8": (_PAIR,),
    "V11": (_REPORTS,),
    "V16": (_complaints_of_the_lead,),
    "U17": (_STAND_IN,),
    "M7": (_deputy,),
}
