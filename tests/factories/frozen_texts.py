"""A small checklist filled in without a database, and its frozen texts in both formats."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from tests.factories import templates as small
from tests.factories.templates import KINDS, a_column, a_field, a_table, a_template, an_item
from tracker.agreements.document import Languages, document
from tracker.checklist_templates import languages, library
from tracker.checklist_templates.field_content import ROW
from tracker.checklist_templates.languages import ChecklistWords
from tracker.checklist_templates.models import ChecklistTemplate, TemplateWords, WordsOrigin
from tracker.checklist_templates.schema import Template
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist, ChecklistState
from tracker.checklists.rules.rendering import Names
from tracker.cooperations.models import Cooperation, Stage
from tracker.core import canonical
from tracker.guidance.queries import RevisionRef

DAY = "2027-01-14"
SIGNATORIES = [
    {
        "organisation": "People's Advocate",
        "organisation_id": str(small.NPM),
        "name": "Tomas Reyl",
        "office": "Advocate",
        "power": "Act 12, section 4",
    }
]
GUIDANCE = [RevisionRef("settling-terms", "en", 1, "a" * 64)]


def varied() -> Template:
    """Return terms with an item for each way in which a value can be in a text."""
    table = a_table(
        "persons",
        a_column("person", "person"),
        a_column("party", "party"),
        a_column("from", "date"),
        a_column("days", "number", unit="days"),
        a_column("class", "class"),
        a_column("agrees", "confirm"),
        a_column("kind", "choice", options=KINDS),
    ) | {"rows": {"fixed": [{"key": "first", "label": "The first"}], "label": "Which"}}
    return a_template(
        an_item("M1", a_field()),
        an_item("M2", a_field("kind", "choice", options=KINDS), a_field("day", "date")),
        an_item("M3", a_field("kinds", "choices", options=KINDS), a_field("yes", "confirm")),
        an_item("M4", table),
        an_item("M5", a_field(sets="each_party", accepts="none")),
        an_item("M6", required="recommended"),
        an_item("M7", required="recommended"),
    )


def filled(template: Template | None = None) -> LoadedChecklist:
    """Return the terms, answered and accepted by all, one item left out and one not started."""
    template = template or varied()
    answers = {
        "M1": small.an_answer({"words": "As <b>settled</b>, «كما هو»."}),
        "M2": small.an_answer({"kind": "prison", "day": DAY}, version=3),
        "M3": small.an_answer({"kinds": ["police", "other"], "yes": True}),
        "M4": small.an_answer(
            {
                "persons": [
                    {
                        ROW: "first",
                        "person": str(small.SAMIRA),
                        "party": str(small.DOOR),
                        "from": DAY,
                        "days": 30,
                        "class": "K4",
                        "agrees": True,
                        "kind": "police",
                    }
                ]
            }
        ),
        "M6": small.an_answer({"reason": "Not here."}, not_applicable=True),
    }
    bodies = tuple(party.organisation_id for party in small.PARTIES)
    sheet = small.a_sheet(
        shared=answers,
        own={("M5", body): small.an_answer({"words": f"Own {body.int}"}) for body in bodies},
        accepted=dict.fromkeys(answers, bodies),
    )
    row = row_of(template)
    cooperation = Cooperation(
        id=UUID(int=98),
        reference="C-2027-0001",
        title="Joint monitoring",
        purpose="To look together.",
        stage=Stage.DRAFT,
        modes=[],
        questions={},
        starts_on=dt.date(2027, 2, 1),
    )
    return LoadedChecklist(
        checklist=Checklist(
            id=small.CHECKLIST,
            cooperation_id=cooperation.id,
            kind=template.kind,
            template_id=row.id,
            template=row,
            state=ChecklistState.DRAFTING,
        ),
        cooperation=cooperation,
        template=template,
        sheet=sheet,
        surroundings=small.around(),
        people={},
        names=Names(
            {small.SAMIRA: "Samira Okell"},
            {party.organisation_id: party.name for party in small.PARTIES},
        ),
        positions=(),
        proposals=(),
        turned_down=(),
        flags=(),
        review=None,
    )


def row_of(template: Template) -> ChecklistTemplate:
    """Return a version as it would be stored."""
    content = library.content_of(template)
    return ChecklistTemplate(
        id=uuid4(),
        kind=template.kind,
        version=template.version,
        content=content,
        digest=canonical.digest_of(content),
    )


def words_row(words: ChecklistWords, number: int = 1) -> TemplateWords:
    """Return a translation as it would be stored."""
    content = languages.content_of(words)
    return TemplateWords(
        id=uuid4(),
        language=words.language,
        number=number,
        content=content,
        digest=canonical.digest_of(content),
        origin=WordsOrigin.SHIPPED,
    )


def text_of(
    loaded: LoadedChecklist | None = None, *words: ChecklistWords, binding: str = "en"
) -> dict[str, Any]:
    """Return a text as it would be frozen, without number, time and salt."""
    rows = {row.language: words_row(row) for row in words}
    return document(loaded or filled(), SIGNATORIES, GUIDANCE, Languages("en", rows, binding))


def as_frozen(text: Mapping[str, Any]) -> dict[str, Any]:
    """Return a text with what freezing adds to it."""
    return {
        **text,
        "format": "common-terms/2",
        "revision": 1,
        "frozen_at": "2027-01-10T09:15:00+00:00",
        "salt": "0" * 32,
    }


# The previous format, used before wording was stored in several languages.


def first_shape(*items: Mapping[str, Any], language: str = "en") -> dict[str, Any]:
    """Return a text frozen as common-terms/1."""
    return {
        "cooperation": {
            "reference": "C-2026-0001",
            "title": "Joint monitoring",
            "purpose": "To look together.",
        },
        "checklist": {
            "kind": "terms",
            "title": "Agreed terms",
            "template_version": 1,
            "template_digest": "d" * 64,
            "for_a_visit": False,
        },
        "language": language,
        "parties": [{"id": str(small.NPM), "name": "People's Advocate", "side": "npm"}],
        "signatories": SIGNATORIES,
        "sections": [{"title": "Purpose", "items": list(items or (first_item(),))}],
        "guidance": [
            {"slug": "settling-terms", "language": "en", "revision": 1, "digest": "a" * 64}
        ],
        "format": "common-terms/1",
        "revision": 1,
        "frozen_at": "2026-01-10T09:15:00+00:00",
        "salt": "0" * 32,
    }


def first_item(code: str = "M1", fields: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return an item of such a text, with a shared answer."""
    return {
        "code": code,
        "label": f"Item {code}",
        "prompt": f"What about {code}?",
        "statements": ["S1"],
        "answers": [{"by": "", "version": 1, "fields": list(fields or (first_field(),))}],
    }


def first_field(kind: str = "text", text: str = "As settled.", **more: Any) -> dict[str, Any]:
    """Return a field of such a text."""
    return {
        "key": "words",
        "label": "Words",
        "type": kind,
        "text": text,
        "texts": [],
        "columns": [],
        "rows": [],
        "unit": "",
    } | more
