"""Forms for a joint visit: plan it, change plan and team, record a part, stop it, override.

In one file: planning a visit and changing its team use the same fields.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l

from tracker.checklist_templates.schema import Template
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.people_lists import name_and
from tracker.checklists.reuse.visit_tasks import CIRCLES, LABELS
from tracker.checklists.rules.nameable import Circle
from tracker.checklists.rules.values import as_date, as_id
from tracker.cooperations.people import Person, by_user
from tracker.ui import locale
from tracker.ui.fields import (
    ChoiceField,
    CodeField,
    ConfirmField,
    DateField,
    HiddenValueField,
    LineField,
    Option,
    PasswordField,
    SelectOneField,
    TextField,
    VersionField,
)
from tracker.ui.form_base import Form
from tracker.ui.proof_fields import TOKEN_LENGTH
from tracker.ui.rows import RowForm, Rows
from tracker.ui.validators import Optional, Required
from tracker.undertakings.queries import kinds_of_place
from tracker.visits.beginnings import MODEL, TASKS, TextPlan, text_plan
from tracker.visits.encryption import Plan
from tracker.visits.models import Visit
from tracker.visits.service import (
    MAX_HOW,
    MAX_PLACE,
    MAX_REASON,
    AudienceEntry,
    Member,
    TeamPlan,
)

# What is shown beside people's names in lists, by their ids.
Beside = Mapping[UUID, object]
_TEAM = _l(
    "The lead and deputy are always on the team. Under skill, say why the person is on the team."
)
# Skills and languages that are left empty are completed only as a visit is planned.
_TEAM_TO_PLAN = _l(
    "The lead and deputy are always on the team. Under skill, say why the person is on the team. "
    "You can leave skills and languages empty. We fill them in from your last visit, the list of "
    "who must sign or the person's account."
)
NO_NAMES = _l("Don't name or describe any person deprived of liberty or any case.")


def as_uuid(value: UUID | str) -> UUID:
    """Parse an id from a form; raise ValueError if it isn't one."""
    return value if isinstance(value, UUID) else UUID(value)


class PlaceForm(Form):
    """Place and dates."""

    place = LineField(
        _l("Place"),
        [Required(_l("Enter the place"))],
        description=_l("The name of the place and its town. Don't name or describe any person."),
        most=MAX_PLACE,
    )
    starts_on = DateField(_l("First day"), [Required(_l("Enter the first day"))])
    ends_on = DateField(
        _l("Last day"), [Optional()], description=_l("Leave empty if the visit takes one day.")
    )

    @property
    def planned(self) -> Plan:
        """Return what was entered, once the form is valid."""
        first = cast("dt.date", self.starts_on.data)
        return Plan(self.place.data or "", first, self.ends_on.data or first)


class ChangePlanForm(PlaceForm):
    """Change place and dates."""

    place_type = SelectOneField(
        _l("Type of place"),
        [Optional()],
        description=_l(
            "If the place changes and you leave this empty, or choose a different type than "
            "before, “Kind of visit and aim” has to be answered again."
        ),
        choices=lambda: [
            Option(value, label)
            for value, label in kinds_of_place(locale.language(), with_another=True)
        ],
    )
    version = VersionField()


class OpenPartForm(Form):
    """Password and mailed code, which open one's own part in a visit."""

    password = PasswordField(_l("Password"), [Required(_l("Enter your password"))])
    mailed_code = CodeField(
        _l("Six-digit code from the email"), [Required(_l("Enter the code from the email"))]
    )


class RecordPartForm(Form):
    """What a person without an account confirms, and how they were told."""

    accepts = ConfirmField(_l("They know their task and its limits, and accept them."))
    knows_plan = ConfirmField(
        _l(
            "They know the urgent-action plan for this visit and have its names and numbers at "
            "hand."
        )
    )
    how = LineField(
        _l("How they were told"),
        [Required(_l("Say how they were told"))],
        description=_l("For example: read to them in person, or by phone, and in which language."),
        most=MAX_HOW,
    )
    task_mark = HiddenValueField(most=TOKEN_LENGTH)
    plan_mark = HiddenValueField(most=TOKEN_LENGTH)


class ReasonForm(Form):
    """A reason for the trail."""

    reason = TextField(
        _l("Reason"),
        [Required(_l("Give the reason"))],
        description=_l(
            "It's shown in the history, to auditors too. Don't write the place, the date of the "
            "visit or any name."
        ),
        most=MAX_REASON,
    )


class InChargeForm(Form):
    """Who takes charge of a visit."""

    person = ChoiceField(_l("Who takes charge"), [Required(_l("Choose a person"))])

    def __init__(self, candidates: Iterable[Person], **values: Any) -> None:
        super().__init__(**values)
        offered: Any = [
            Option(str(person.user_id), person.name, person.function) for person in candidates
        ]
        self.person.choices = offered


class OverrideForm(ReasonForm):
    """A reason to override a gate, for what the page showed as missing."""

    mark = HiddenValueField(most=TOKEN_LENGTH)


def plan_form(
    template: Template,
    taking_part: Iterable[Person],
    beside: Beside,
    ways: Sequence[Option] = (),
) -> Form:
    """Return the form that plans a visit, with the choices that the roles offer.

    beside is what is shown beside people's names; ways are those in which its texts can begin, none
    for somebody who only plans the visit.
    """
    everybody = by_user(taking_part).values()
    members = {
        "visit_id": HiddenValueField(default=lambda: str(uuid4())),
        **{
            key: _choice(template, item, key)
            for item, key in (("V1", "kind"), ("V1", "place_type"), ("V2", "announced"))
        },
        **_team_fields(everybody, beside, _TEAM_TO_PLAN),
        **(_beginning_fields(ways, everybody, beside) if ways else {}),
    }
    return cast("Form", type("PlanForm", (PlaceForm,), members)())


def team_form(taking_part: Iterable[Person], roles: LoadedChecklist, beside: Beside) -> Form:
    """Return the form that changes lead, team and audience, filled with the current roles."""
    members = {
        **{f"version_{item.lower()}": VersionField() for item in ("V2", "V3", "V4")},
        **_team_fields(by_user(taking_part).values(), beside),
    }
    return cast("Form", type("TeamForm", (Form,), members)(data=team_data(roles)))


def team_data(roles: LoadedChecklist) -> dict[str, Any]:
    """Return lead, team and audience as values of the form."""
    sheet = roles.sheet
    versions = {}
    for item in ("V2", "V3", "V4"):
        shared = sheet.shared(item)
        versions[f"version_{item.lower()}"] = shared.version if shared else 0
    return {
        **versions,
        "lead_id": as_id(sheet.value("V3", "lead")),
        "deputy_id": as_id(sheet.value("V3", "deputy")),
        "members": [
            {
                "user_id": as_id(row.get("person")),
                "skill": row.get("skill", ""),
                "languages": row.get("languages", ""),
            }
            for row in sheet.value("V4", "team") or ()
        ],
        "gaps": sheet.value("V4", "gaps") or "",
        "audience": [
            {"user_id": as_id(row.get("person")), "from_on": as_date(row.get("from"))}
            for row in sheet.value("V2", "audience") or ()
        ],
    }


def versions_of(form: Form) -> dict[str, int]:
    """Return the versions of the items that the person saw; an unreadable one is an old one."""
    versions: dict[str, int] = {}
    for item in ("V2", "V3", "V4"):
        seen = form[f"version_{item.lower()}"].data
        versions[item] = seen if isinstance(seen, int) else -1
    return versions


def planned_team(form: Form) -> TeamPlan:
    """Return lead, team and audience as entered, once the form is valid."""
    members = [row for _key, row in cast("Rows", form["members"]).filled]
    audience = [row for _key, row in cast("Rows", form["audience"]).filled]
    return TeamPlan(
        lead_id=form["lead_id"].data,
        deputy_id=form["deputy_id"].data,
        members=tuple(
            Member(row["user_id"], row["skill"] or "", row["languages"] or "") for row in members
        ),
        audience=tuple(AudienceEntry(row["user_id"], row["from_on"]) for row in audience),
        gaps=form["gaps"].data or "",
        team_knows=bool(form["team_knows"].data),
    )


def texts_of(form: Form, former: Visit | None) -> TextPlan:
    """Return how the texts begin; former is the visit that can be copied.

    Raise RuleBrokenError with the field if something was given that isn't used.
    """
    if "beginning" not in form:
        return TextPlan(former=former)
    given = {task.value: form[task.value].data for task in TASKS}
    tasks = {task: person for task, person in given.items() if person is not None}
    models = (way.value for way in form["beginning"].choices if way.value.startswith(MODEL))
    return text_plan(
        form["beginning"].data,
        former,
        tasks,
        form["briefing"].data,
        # The first one offered is in the language of the page.
        fallback=next(models, "").removeprefix(MODEL),
    )


def kind_of(form: Form) -> Mapping[str, Any]:
    """Return the value for V1."""
    return {"kind": form["kind"].data, "place_type": form["place_type"].data}


def visit_id_of(form: Form) -> UUID | None:
    """Return the id the form was made with; an unreadable one counts as none."""
    return as_id(form["visit_id"].data)


def _choice(template: Template, item: str, key: str) -> ChoiceField:
    field = template.by_code[item].field(key)
    return ChoiceField(
        field.label,
        [Required()],
        description=field.hint or "",
        choices=[Option(option.value, option.label, option.hint or "") for option in field.options],
    )


def _team_fields(
    taking_part: Collection[Person], beside: Beside, about_team: object = _TEAM
) -> dict[str, Any]:
    everybody = [_person(person, beside) for person in taking_part]
    own = [_person(person, beside) for person in taking_part if person.is_npm_staff]
    member_row = type(
        "MemberRow",
        (RowForm,),
        {
            "user_id": _select(_l("Person"), everybody),
            # Needed before the roles are sent, not before the visit is planned.
            "skill": LineField(_l("Skill")),
            "languages": LineField(_l("Languages")),
        },
    )
    audience_row = type(
        "AudienceRow",
        (RowForm,),
        {
            "user_id": _select(_l("Person"), everybody),
            "from_on": DateField(_l("From"), [Optional()]),
        },
    )
    return {
        "lead_id": _select(
            _l("Team lead"), own, description=_l("A member or staff of the NPM leads the visit.")
        ),
        "deputy_id": _select(
            _l("Deputy"), own, description=_l("The deputy can take over at any moment.")
        ),
        "members": Rows(
            member_row,
            _l("Team"),
            description=about_team,
        ),
        "gaps": TextField(
            _l("What the team lacks, and why"),
            description=_l(
                "Write “none” if nothing is missing. Don't name or describe any person deprived of "
                "liberty or any case."
            ),
        ),
        "team_knows": ConfirmField(
            _l("Let everyone on the team know the place and dates"),
            [Optional()],
            description=_l(
                "From today, once they're cleared. To let somebody know later, list them below "
                "with a day."
            ),
        ),
        "audience": Rows(
            audience_row,
            _l("Who else may know the place and dates"),
            description=_l(
                "The person who plans the visit, the lead and the deputy always know. Nobody "
                "else does unless you tick the box above or list them here, even within the NPM. "
                "Leave the day empty to let them know from today."
            ),
        ),
    }


def _beginning_fields(
    ways: Sequence[Option], everybody: Collection[Person], beside: Beside
) -> dict[str, Any]:
    return {
        "beginning": ChoiceField(
            _l("How do the roles and the urgent-action plan begin?"),
            [Optional()],
            description=_l(
                "You can change every answer afterwards. A text you begin with isn't agreed until "
                "every party has read it."
            ),
            choices=ways,
            default=ways[0].value,
        ),
        "briefing": DateField(
            _l("Day of the briefing"),
            [Optional()],
            description=_l("Leave empty to count it from the visit, as the text does."),
        ),
        **_task_fields(everybody, beside),
    }


def _task_fields(taking_part: Collection[Person], beside: Beside) -> dict[str, SelectOneField]:
    """Return a list of people for each task that the model text gives to somebody."""
    fields = {}
    for task in TASKS:
        is_of_npm = CIRCLES[task] is Circle.NPM
        fields[task.value] = SelectOneField(
            LABELS[task],
            [Optional()],
            choices=[
                _person(person, beside)
                for person in taking_part
                if person.is_npm_staff or not is_of_npm
            ],
            coerce=as_uuid,
            blank=_l("Decide later"),
        )
    return fields


def _select(label: object, choices: list[Option], description: object = "") -> SelectOneField:
    return SelectOneField(
        label, [Required()], choices=choices, coerce=as_uuid, description=description
    )


def _person(person: Person, beside: Beside) -> Option:
    return Option(str(person.user_id), name_and(person, beside.get(person.user_id, "")))
