"""Small checklists of a few items, one for each kind of rule, and how to publish them."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from tracker.access.actor import OrganisationKind
from tracker.checklist_templates import library
from tracker.checklist_templates.library import TemplateFile
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item, Template, TemplateField
from tracker.checklists.models import Stance
from tracker.checklists.rules.facts import (
    Filled,
    PartyFact,
    Sheet,
    Surroundings,
)
from tracker.cooperations.models import Mode
from tracker.core.content import YamlText

RESTS_ON = {"statements": ["S1"], "passages": ["settling-terms/expectations"]}
LETTERS = {"terms": "M", "confidentiality": "C", "visit_roles": "V", "urgent_plan": "U"}
KINDS = [
    {"value": "police", "label": "Police station"},
    {"value": "prison", "label": "Prison"},
    {"value": "other", "label": "Another place"},
]


def a_field(key: str = "words", kind: str = "text", **more: Any) -> dict[str, Any]:
    """Return a field as content has it; by default shared, and accepted by all."""
    return {
        "key": key,
        "label": key.capitalize(),
        "type": kind,
        "sets": "both",
        "accepts": "all",
    } | more


def a_table(key: str, *columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a table as content has it; columns are made by a_column."""
    return a_field(key, "table", rows={"min": 1}, columns=list(columns)) | more


def a_column(key: str, kind: str = "line", **more: Any) -> dict[str, Any]:
    """Return a column as content has it."""
    return {"key": key, "label": key.capitalize(), "type": kind, **more}


def an_item(code: str, *fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a required item of the signed part as content has it."""
    return {
        "code": code,
        "label": f"Item {code}",
        "prompt": f"What about {code}?",
        "part": "terms",
        "required": "always",
        "rests_on": RESTS_ON,
        "fields": list(fields or (a_field(),)),
    } | more


def a_template(*items: dict[str, Any], kind: str = "terms", version: int = 90) -> Template:
    """Return a checklist with one section."""
    return Template.model_validate(
        {
            "kind": kind,
            "letter": LETTERS[kind],
            "version": version,
            "language": "en",
            "title": "A small checklist",
            "summary": "For trying out.",
            "sections": [{"key": "all", "title": "All of it", "items": list(items)}],
        }
    )


def item_of(*fields: dict[str, Any], code: str = "M1", **more: Any) -> Item:
    """Return one item as its model."""
    return Item.model_validate(an_item(code, *fields, **more))


def field_of(kind: str, **more: Any) -> TemplateField:
    """Return one field as its model."""
    return TemplateField.model_validate(a_field("answer", kind, **more))


def small_terms() -> Template:
    """Return terms with an item for each rule of filling in."""
    return a_template(
        an_item("M1"),
        an_item("M2", a_field("kind", "choice", sets="npm", accepts="none", options=KINDS)),
        an_item("M3", a_field(sets="npm", accepts="each_cso")),
        an_item("M4", shown_when={"item": "M2", "field": "kind", "in": ["prison"]}),
        an_item(
            "M5",
            a_field("second_reader", "person", sets="npm", accepts="none"),
            done={
                "checks": [
                    {"check": "wrote_no_answer", "field": "second_reader"},
                    {"check": "persons_of_npm", "field": "second_reader"},
                ]
            },
        ),
        an_item("M6", required="recommended"),
        an_item("M7", a_field(sets="each_party", accepts="none")),
        an_item("M8", a_field(sets="npm", accepts="each_cso"), part="people"),
        an_item(
            "M9",
            required="conditional",
            required_when={"question": "personal_data"},
        ),
        an_item("M10", a_field(sets="cso", accepts="npm")),
    )


def small_roles() -> Template:
    """Return roles of a visit with the items on audience, lead and team."""
    person = a_column("person", "person")
    return a_template(
        an_item("V1", a_field("aims", sets="npm", accepts="each_cso")),
        an_item(
            "V2",
            a_field(
                "announced",
                "choice",
                sets="npm",
                accepts="none",
                options=[{"value": "unannounced", "label": "Unannounced"}],
            ),
            a_table("audience", person, a_column("from", "date"), sets="npm", accepts="none"),
        ),
        an_item(
            "V3",
            a_field("lead", "person", sets="npm", accepts="none"),
            a_field("deputy", "person", sets="npm", accepts="none"),
        ),
        an_item("V4", a_table("team", person, sets="npm", accepts="none")),
        an_item("V5", a_field("note")),
        kind="visit_roles",
    )


def publish(template: Template) -> None:
    """Publish a checklist, so that checklists started later are based on it."""
    library.load((TemplateFile(template, YamlText("small.yaml", {})),))


# Plain values for the rules, without a database ---------------------------------------------------

NPM, DOOR, LANTERN = (UUID(int=n) for n in (1, 2, 3))
ILENA, OREN, PETRA, SAMIRA, JOANA = (UUID(int=n) for n in range(11, 16))
CHECKLIST = UUID(int=99)
PARTIES = (
    PartyFact(NPM, OrganisationKind.NPM, "People's Advocate", "NPM"),
    PartyFact(DOOR, OrganisationKind.CSO, "Open Door", "OD"),
    PartyFact(LANTERN, OrganisationKind.CSO, "Lantern", "LH"),
)
SAVED = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)


def around(*parties: PartyFact, modes: tuple[Mode, ...] = (), **more: Any) -> Surroundings:
    """Return a cooperation of an NPM with two CSOs as the rules see it."""
    return Surroundings(
        modes=frozenset(modes),
        questions=more.pop("questions", {}),
        parties=parties or PARTIES,
        npm_people=frozenset({ILENA, OREN}),
        people=frozenset({ILENA, OREN, PETRA, SAMIRA, JOANA}),
        people_of={
            NPM: frozenset({ILENA, OREN, PETRA}),
            DOOR: frozenset({SAMIRA}),
            LANTERN: frozenset({JOANA}),
        }
        | more.pop("people_of", {}),
        **more,
    )


def an_answer(values: Mapping[str, Any], version: int = 1, **more: Any) -> Filled:
    """Return a current answer."""
    return Filled(
        answer_id=more.pop("answer_id", uuid4()),
        version=version,
        values=values,
        author_id=ILENA,
        organisation_id=more.pop("organisation_id", NPM),
        saved_at=SAVED,
        **more,
    )


def a_sheet(
    *,
    shared: Mapping[str, Filled] | None = None,
    own: Mapping[tuple[str, UUID], Filled] | None = None,
    accepted: Mapping[str, tuple[UUID, ...]] | None = None,
    authors: tuple[UUID, ...] = (),
) -> Sheet:
    """Return a sheet: shared answers and who accepts them, and the parties' own."""
    shared = shared or {}
    return Sheet(
        CHECKLIST,
        {
            **{(code, AnswerScope.SHARED, CHECKLIST): answer for code, answer in shared.items()},
            **{
                (code, AnswerScope.PARTY, body): answer
                for (code, body), answer in (own or {}).items()
            },
        },
        {
            code: dict.fromkeys(bodies, (shared[code].answer_id, Stance.ACCEPTS))
            for code, bodies in (accepted or {}).items()
        },
        frozenset(authors),
    )
