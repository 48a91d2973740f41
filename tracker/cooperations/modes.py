"""What each way of working requires, why, and by which passage; the strictest wins. Pure.

The table is in domain.md, section 3. A question that is unanswered or not known counts as yes, and
so does the answer *possible* to M9 (product.md, section 3).

In one file: nearly all of it is one table, which is compared with its source line by line.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from tracker.cooperations.models import ChecklistKind, Knowledge, Mode


class Purpose(enum.StrEnum):
    """Whether a checklist is agreed once for the cooperation, or for each visit."""

    COOPERATION = "cooperation"
    VISIT = "visit"


# A column of the table. An urgent-action plan has two: one that is agreed for the cooperation as a
# whole (the standing plan), and one for each visit.
Column = tuple[ChecklistKind, Purpose]
TERMS: Column = (ChecklistKind.TERMS, Purpose.COOPERATION)
CONFIDENTIALITY: Column = (ChecklistKind.CONFIDENTIALITY, Purpose.COOPERATION)
VISIT_ROLES: Column = (ChecklistKind.VISIT_ROLES, Purpose.VISIT)
STANDING_PLAN: Column = (ChecklistKind.URGENT_PLAN, Purpose.COOPERATION)
VISIT_PLAN: Column = (ChecklistKind.URGENT_PLAN, Purpose.VISIT)
COLUMNS: tuple[Column, ...] = (TERMS, CONFIDENTIALITY, VISIT_ROLES, STANDING_PLAN, VISIT_PLAN)


class Question(enum.StrEnum):
    """The questions behind conditional requirements, asked together with the ways of working."""

    NPM_PASSES_RESTRICTED = "npm_passes_restricted"
    CSO_PASSES_RESTRICTED = "cso_passes_restricted"
    UNPUBLISHED_SHARED = "unpublished_shared"
    REAL_CASES_IN_TRAINING = "real_cases_in_training"
    EXPERT_ON_VISIT = "expert_on_visit"
    MEMBERS_SEE_UNPUBLISHED = "members_see_unpublished"
    MEMBERS_ON_VISITS = "members_on_visits"
    NAMED_CASE_DISCUSSED = "named_case_discussed"
    PERSONAL_DATA = "personal_data"
    CONSENT_HARD = "consent_hard"


class Level(enum.StrEnum):
    """How strongly a checklist is required."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table: what a mode requires of a checklist, when, and why."""

    level: Level
    reason: object
    passage: str
    # It applies unless all of these are answered no; without any, always.
    questions: tuple[Question, ...] = ()
    # The reason while none of them is answered yes, if it is a different one.
    reason_unknown: object = ""
    per_person: bool = False


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a cooperation requires of one checklist for one purpose, and why, in one sentence."""

    kind: ChecklistKind
    purpose: Purpose
    level: Level
    reason: object
    passage: str
    mode: Mode | None = None
    per_person: bool = False


MODE_LABELS: dict[Mode, object] = {
    Mode.INFO_A: _l("Exchange of information, informal or when needed"),
    Mode.INFO_F: _l("Exchange of information, formal or regular"),
    Mode.SUPP: _l("Support for each other's activities and recommendations"),
    Mode.CAP: _l("Strengthening capacity"),
    Mode.EXP: _l("Individual expert from a CSO"),
    Mode.PROJ: _l("Joint project, thematic work or joint report"),
    Mode.ADV: _l("Joint advocacy, awareness-raising or training"),
    Mode.VISIT: _l("Joint monitoring visit"),
    Mode.ADVIS: _l("Advisory body or council"),
    Mode.OMB_PLUS: _l("Formal partnership within the NPM, “Ombudsman plus”"),
    Mode.COAL: _l("Formal coalition on policy and advocacy"),
    Mode.PROT: _l("Mutual protection against reprisals (sanctions)"),
}

MODE_HINTS: dict[Mode, object] = {
    Mode.INFO_A: _l("Each side tells the other what it knows, when there's a reason to."),
    Mode.INFO_F: _l("Each side sends the other certain information at certain times."),
    Mode.SUPP: _l("For example, a CSO helps to push recommendations of the NPM."),
    Mode.CAP: _l("Training, advice on processes, speaking up for resources of the NPM."),
    Mode.EXP: _l("One person works with the NPM for a particular visit or project."),
    Mode.PROJ: _l("Working together on a theme or a report, without visits."),
    Mode.ADV: _l(
        "Working together towards authorities, the media, the public or people to be trained."
    ),
    Mode.VISIT: _l("People from a CSO are on the NPM's team at a place of deprivation of liberty."),
    Mode.ADVIS: _l("CSOs have seats in a body that advises the NPM or decides with it."),
    Mode.OMB_PLUS: _l("CSOs are part of the NPM's regular work, monitoring included."),
    Mode.COAL: _l("Several organisations work together to change a law or policy."),
    Mode.PROT: _l("Each supports the other if it comes under pressure."),
}

QUESTION_LABELS: dict[Question, object] = {
    Question.NPM_PASSES_RESTRICTED: _l(
        "Does the NPM pass anything that is not public, such as plans or findings?"
    ),
    Question.CSO_PASSES_RESTRICTED: _l(
        "Does a partner pass anything that is not public, such as what people have told it?"
    ),
    Question.UNPUBLISHED_SHARED: _l("Are drafts, unpublished findings or unpublished data used?"),
    Question.REAL_CASES_IN_TRAINING: _l("Are real cases or files used in training?"),
    Question.EXPERT_ON_VISIT: _l("Does the expert take part in a visit?"),
    Question.MEMBERS_SEE_UNPUBLISHED: _l(
        "Do members of the advisory body see unpublished findings, plans of visits or cases?"
    ),
    Question.MEMBERS_ON_VISITS: _l("Do members of the advisory body take part in visits?"),
    Question.NAMED_CASE_DISCUSSED: _l("Is the case of a particular person discussed?"),
    Question.PERSONAL_DATA: _l("Does any personal data pass between the parties?"),
    Question.CONSENT_HARD: _l(
        "Is it likely that some people can't easily give consent, for example children, people "
        "with disabilities or people in crisis?"
    ),
}

_TERMS_PASSAGE = "settling-terms/expectations"
_FORM_PASSAGE = "settling-terms/written-form"
_SIGN_PASSAGE = "settling-terms/sign-before-access"
_SHARE_PASSAGE = "settling-terms/what-not-to-share"
_BEFORE_VISITS_PASSAGE = "settling-terms/settle-before-visits"
_VISIT_PASSAGE = "settling-terms/joint-visits"
_URGENT_PASSAGE = "settling-terms/urgent-action"


# Information passing between the two sides: either may reveal something serious.
_EITHER_PASSES = (Question.NPM_PASSES_RESTRICTED, Question.CSO_PASSES_RESTRICTED)


def _required(reason: object, passage: str, *, per_person: bool = False) -> Cell:
    return Cell(Level.REQUIRED, reason, passage, per_person=per_person)


def _recommended(reason: object, passage: str, *questions: Question) -> Cell:
    return Cell(Level.RECOMMENDED, reason, passage, questions)


def _if(
    question: Question, reason: object, unknown: object, passage: str, *or_questions: Question
) -> Cell:
    return Cell(Level.REQUIRED, reason, passage, (question, *or_questions), unknown)


# Cells that are missing here are the dashes of the table: not applicable.
MATRIX: dict[Mode, dict[Column, Cell]] = {
    Mode.INFO_A: {
        TERMS: _recommended(
            _l(
                "Even an informal exchange goes better when both sides know what to expect; "
                "“Expectations, possibilities, limits” and “Exchange of information” are enough."
            ),
            _TERMS_PASSAGE,
        ),
        CONFIDENTIALITY: _if(
            Question.NPM_PASSES_RESTRICTED,
            _l(
                "The NPM passes information that is not public, so those who receive it sign first."
            ),
            _l(
                "Needed for now: it isn't known yet whether the NPM passes "
                "information that is not public."
            ),
            _SHARE_PASSAGE,
        ),
        STANDING_PLAN: _recommended(
            _l("A CSO that hears of something serious should know how to raise the alarm."),
            _URGENT_PASSAGE,
            *_EITHER_PASSES,
        ),
    },
    Mode.INFO_F: {
        TERMS: _required(
            _l(
                "A formal exchange of information needs agreed channels and limits; a short form "
                "will do."
            ),
            "ways-of-working/exchange-limits",
        ),
        CONFIDENTIALITY: _if(
            Question.NPM_PASSES_RESTRICTED,
            _l(
                "The NPM passes information that is not public, so those who receive it sign first."
            ),
            _l(
                "Needed for now: it isn't known yet whether the NPM passes "
                "information that is not public."
            ),
            _SHARE_PASSAGE,
        ),
        STANDING_PLAN: _recommended(
            _l(
                "A regular exchange may bring up something serious, so agree early what you'll do "
                "then."
            ),
            _URGENT_PASSAGE,
            *_EITHER_PASSES,
        ),
    },
    Mode.SUPP: {
        TERMS: _recommended(
            _l("Supporting each other in public is easier when both sides know how far it goes."),
            "ways-of-working/mutual-support",
        ),
        CONFIDENTIALITY: _if(
            Question.UNPUBLISHED_SHARED,
            _l("Drafts or unpublished findings are shared, so those who read them sign first."),
            _l(
                "Needed for now: it isn't known yet whether drafts or unpublished"
                " findings are shared."
            ),
            _SHARE_PASSAGE,
        ),
    },
    Mode.CAP: {
        TERMS: _recommended(
            _l("Training and advice go better when both sides know what each offers."),
            "ways-of-working/capacity",
        ),
        CONFIDENTIALITY: _if(
            Question.REAL_CASES_IN_TRAINING,
            _l("Real cases or files are used in training, so those who see them sign first."),
            _l(
                "Needed for now: it isn't known yet whether real cases or files "
                "are used in training."
            ),
            _SHARE_PASSAGE,
        ),
    },
    Mode.EXP: {
        TERMS: _required(
            _l(
                "An expert works for the NPM, so the task is settled by a contract, an order or "
                "terms."
            ),
            "ways-of-working/specific-activities",
        ),
        CONFIDENTIALITY: _required(
            _l(
                "An expert comes near sensitive information and signs in person before the first "
                "access."
            ),
            _SIGN_PASSAGE,
            per_person=True,
        ),
        VISIT_ROLES: _if(
            Question.EXPERT_ON_VISIT,
            _l("The expert takes part in a visit, so roles are agreed for each visit."),
            _l("Needed for now: it isn't known yet whether the expert takes part in a visit."),
            _VISIT_PASSAGE,
        ),
        VISIT_PLAN: _if(
            Question.EXPERT_ON_VISIT,
            _l(
                "The expert takes part in a visit, so all agree what they do if they find "
                "something serious."
            ),
            _l("Needed for now: it isn't known yet whether the expert takes part in a visit."),
            _URGENT_PASSAGE,
        ),
    },
    Mode.PROJ: {
        TERMS: _required(
            _l("A joint project needs agreed aims, tasks and rules for what comes of it."),
            "ways-of-working/specific-activities",
        ),
        CONFIDENTIALITY: _if(
            Question.UNPUBLISHED_SHARED,
            _l("Unpublished data are used in the project, so those who use them sign first."),
            _l(
                "Needed for now: it isn't known yet whether unpublished data are "
                "used in the project."
            ),
            _SHARE_PASSAGE,
        ),
        STANDING_PLAN: _recommended(
            _l(
                "Working together on a theme may bring up something serious, so "
                "agree early what you'll do then."
            ),
            _URGENT_PASSAGE,
        ),
    },
    Mode.ADV: {
        TERMS: _recommended(
            _l("Speaking together in public is easier when both sides know who says what."),
            "ways-of-working/specific-activities",
        ),
        CONFIDENTIALITY: _if(
            Question.UNPUBLISHED_SHARED,
            _l("Unpublished findings are used in advocacy, so those who read them sign first."),
            _l(
                "Needed for now: it isn't known yet whether unpublished findings "
                "are used in advocacy."
            ),
            _SHARE_PASSAGE,
        ),
    },
    Mode.VISIT: {
        TERMS: _required(
            _l(
                "A joint visit is the most sensitive part of cooperation, so the terms are settled "
                "before it."
            ),
            _VISIT_PASSAGE,
        ),
        CONFIDENTIALITY: _required(
            _l(
                "People of a CSO come near sensitive information on a visit, so each of them signs "
                "before it."
            ),
            _BEFORE_VISITS_PASSAGE,
            per_person=True,
        ),
        VISIT_ROLES: _required(
            _l("Each visit has its own team, so roles and approach are agreed for every visit."),
            _VISIT_PASSAGE,
        ),
        VISIT_PLAN: _required(
            _l("Before every visit, both sides agree what they do if they find something serious."),
            _URGENT_PASSAGE,
        ),
    },
    Mode.ADVIS: {
        TERMS: _required(
            _l(
                "A seat in an advisory body is a lasting role, so its rules are agreed; a statute "
                "counts."
            ),
            "ways-of-working/advisory-role",
        ),
        CONFIDENTIALITY: _if(
            Question.MEMBERS_SEE_UNPUBLISHED,
            _l(
                "Members see unpublished findings, plans of visits or cases, or take part in "
                "visits, so they sign first."
            ),
            _l(
                "Needed for now: it isn't known yet whether members see "
                "unpublished findings, plans of visits or cases, or take part in "
                "visits."
            ),
            _SHARE_PASSAGE,
            Question.MEMBERS_ON_VISITS,
        ),
        VISIT_ROLES: _if(
            Question.MEMBERS_ON_VISITS,
            _l("Members take part in visits, so roles are agreed for each visit."),
            _l("Needed for now: it isn't known yet whether members take part in visits."),
            _VISIT_PASSAGE,
        ),
        VISIT_PLAN: _if(
            Question.MEMBERS_ON_VISITS,
            _l(
                "Members take part in visits, so all agree what they do if they find something "
                "serious."
            ),
            _l("Needed for now: it isn't known yet whether members take part in visits."),
            _URGENT_PASSAGE,
        ),
        STANDING_PLAN: _recommended(
            _l(
                "Members of an advisory body may hear of something serious, so agree early what "
                "you'll do then."
            ),
            _URGENT_PASSAGE,
        ),
    },
    Mode.OMB_PLUS: {
        TERMS: _required(
            _l(
                "CSOs are part of the NPM's regular work, so the partnership rests on agreed terms."
            ),
            "ways-of-working/ombuds-plus",
        ),
        CONFIDENTIALITY: _required(
            _l(
                "People of the CSOs come near sensitive information again and again, so each of "
                "them signs first."
            ),
            _SIGN_PASSAGE,
            per_person=True,
        ),
        VISIT_ROLES: _required(
            _l("CSOs take part in regular visits, so roles are agreed for every visit."),
            _VISIT_PASSAGE,
        ),
        STANDING_PLAN: _required(
            _l(
                "Regular visits need a standing plan for serious findings, which every visit then "
                "starts from."
            ),
            _URGENT_PASSAGE,
        ),
        VISIT_PLAN: _required(
            _l("Each visit has a copy of the standing plan with its own names and numbers."),
            _URGENT_PASSAGE,
        ),
    },
    Mode.COAL: {
        TERMS: _recommended(
            _l("A coalition lasts longer when its members know what each expects of it."),
            "why-work-together/stronger-together",
        ),
        CONFIDENTIALITY: _if(
            Question.UNPUBLISHED_SHARED,
            _l("Unpublished data are used by the coalition, so those who use them sign first."),
            _l(
                "Needed for now: it isn't known yet whether unpublished data are "
                "used by the coalition."
            ),
            _SHARE_PASSAGE,
        ),
    },
    Mode.PROT: {
        TERMS: _required(
            _l(
                "Standing by each other works when it is agreed beforehand; a short form will "
                "do: the parties, protection against reprisals, the term and how it ends."
            ),
            "why-work-together/mutual-protection",
        ),
        CONFIDENTIALITY: _if(
            Question.NAMED_CASE_DISCUSSED,
            _l("The case of a particular person is discussed, so those who hear of it sign first."),
            _l(
                "Needed for now: it isn't known yet whether the case of a "
                "particular person is discussed."
            ),
            _SHARE_PASSAGE,
        ),
        STANDING_PLAN: _recommended(
            _l(
                "Protection needs quick first steps and a way forward if nothing happens; the "
                "urgent-action plan says which."
            ),
            _URGENT_PASSAGE,
        ),
    },
}

_NOTHING: dict[Column, Cell] = {
    TERMS: Cell(
        Level.RECOMMENDED,
        _l(
            "No way of working has been chosen yet, but you can still agree what both sides expect."
        ),
        _TERMS_PASSAGE,
    ),
    CONFIDENTIALITY: Cell(
        Level.NOT_APPLICABLE,
        _l("Nothing that is not public reaches a partner in the ways of working chosen."),
        _SHARE_PASSAGE,
    ),
    VISIT_ROLES: Cell(
        Level.NOT_APPLICABLE,
        _l("No joint visit is among the ways of working chosen."),
        _VISIT_PASSAGE,
    ),
    STANDING_PLAN: Cell(
        Level.NOT_APPLICABLE,
        _l("None of the ways of working chosen needs a plan besides the ones for visits."),
        _URGENT_PASSAGE,
    ),
    VISIT_PLAN: Cell(
        Level.NOT_APPLICABLE,
        _l("No joint visit is among the ways of working chosen."),
        _URGENT_PASSAGE,
    ),
}

_M9 = Cell(
    Level.REQUIRED,
    _l("The terms say that a partner may come near sensitive information."),
    "settling-terms/mandate-rules",
    per_person=True,
)
M9_NEEDS_CONFIDENTIALITY = frozenset({"possible", "certain"})

# The ways of working from the strictest: it gives the reason where several require the same, and
# its variant of a model text is the one used.
_WEIGHT = (
    Mode.VISIT,
    Mode.OMB_PLUS,
    Mode.EXP,
    Mode.ADVIS,
    Mode.PROJ,
    Mode.INFO_F,
    Mode.PROT,
    Mode.COAL,
    Mode.ADV,
    Mode.SUPP,
    Mode.CAP,
    Mode.INFO_A,
)
_STRENGTH = {Level.REQUIRED: 2, Level.RECOMMENDED: 1, Level.NOT_APPLICABLE: 0}
# Personal data may be exchanged in any mode (M16); the question about consent is asked where people
# of a CSO meet persons deprived of liberty.
_WITH_MEETINGS = frozenset(mode for mode, cells in MATRIX.items() if VISIT_ROLES in cells)


def questions_behind(modes: Iterable[Mode]) -> list[Question]:
    """Return the questions to ask about some ways of working, in a fixed order."""
    chosen = set(modes)
    questions = {
        question for mode in chosen for cell in MATRIX[mode].values() for question in cell.questions
    }
    if chosen:
        questions.add(Question.PERSONAL_DATA)
    if chosen & _WITH_MEETINGS:
        questions.add(Question.CONSENT_HARD)
    return [question for question in Question if question in questions]


def requirements(
    modes: Iterable[Mode], questions: Mapping[str, str], *, m9: str | None = None
) -> list[Requirement]:
    """Return what a cooperation requires of each checklist; the strictest mode wins.

    m9 is the answer to M9, *Will a partner come near sensitive information?*, if there is one.
    """
    chosen = strictest_first(modes)
    return [_requirement(column, chosen, questions, m9) for column in COLUMNS]


def requirement(
    column: Column, modes: Iterable[Mode], questions: Mapping[str, str], *, m9: str | None = None
) -> Requirement:
    """Return what a cooperation requires of one checklist for one purpose."""
    return _requirement(column, strictest_first(modes), questions, m9)


def can_have_visits(modes: Iterable[Mode], questions: Mapping[str, str]) -> bool:
    """Return whether joint visits belong to the ways of working: roles are required for each."""
    return requirement(VISIT_ROLES, modes, questions).level is Level.REQUIRED


def takes_short_form(modes: Iterable[Mode]) -> bool:
    """Return whether the short form of the terms is enough: for mutual protection alone."""
    return set(modes) == {Mode.PROT}


def strictest_first(modes: Iterable[Mode]) -> list[Mode]:
    """Return ways of working in the order in which their requirements win, the strictest first."""
    return sorted(set(modes), key=_WEIGHT.index)


def _requirement(
    column: Column, chosen: list[Mode], questions: Mapping[str, str], m9: str | None
) -> Requirement:
    cells: list[tuple[Mode | None, Cell]] = [
        (mode, cell)
        for mode in chosen
        if (cell := MATRIX[mode].get(column)) and _applies(cell, questions)
    ]
    if column == CONFIDENTIALITY and m9 in M9_NEEDS_CONFIDENTIALITY:
        cells.append((None, _M9))
    kind, purpose = column
    if not cells:
        nothing = _NOTHING[column]
        return Requirement(kind, purpose, nothing.level, nothing.reason, nothing.passage)
    strictest = max(_STRENGTH[cell.level] for _mode, cell in cells)
    strict = [(mode, cell) for mode, cell in cells if _STRENGTH[cell.level] == strictest]
    # A certain reason is shown before one that depends on an unanswered question.
    mode, cell = min(strict, key=lambda pair: _is_unknown(pair[1], questions))
    unknown = _is_unknown(cell, questions) and cell.reason_unknown
    return Requirement(
        kind=kind,
        purpose=purpose,
        level=cell.level,
        reason=unknown or cell.reason,
        passage=cell.passage,
        mode=mode,
        per_person=any(cell.per_person for _mode, cell in strict),
    )


def _applies(cell: Cell, questions: Mapping[str, str]) -> bool:
    answers = [questions.get(question.value) for question in cell.questions]
    return not answers or any(answer != Knowledge.NO.value for answer in answers)


def _is_unknown(cell: Cell, questions: Mapping[str, str]) -> bool:
    answers = [questions.get(question.value) for question in cell.questions]
    return bool(answers) and Knowledge.YES.value not in answers
