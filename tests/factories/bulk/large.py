"""A checklist of the largest size, inserted directly: many items, parties, comments."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from tests.factories.agreements import checklist_of
from tests.factories.checklists import whole
from tests.factories.cooperations import Country, open_one
from tests.factories.templates import (
    KINDS,
    a_column,
    a_field,
    a_table,
    an_item,
    publish,
)
from tracker.access.actor import OrganisationKind, Role
from tracker.checklist_templates import library
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Template
from tracker.checklists import loading, service
from tracker.checklists.models import (
    Answer,
    Checklist,
    Flag,
    Position,
    Proposal,
    Stance,
)
from tracker.comments.models import Comment, CommentAudience, CommentMention
from tracker.cooperations.models import Cooperation, CooperationPerson, Mode
from tracker.core import clock

# The length of the longest answers.
FURTHER, MATTER = "further", "Matter"
SENTENCE = "The parties settle this between them, in writing, before the first joint visit begins. "


@dataclass(frozen=True)
class Size:
    """The number of items, parties and comments."""

    items: int
    parties: int
    comments: int


SMALL = Size(items=25, parties=2, comments=25)
LARGE = Size(items=200, parties=5, comments=2000)


@dataclass
class Crowd:
    """A cooperation with a checklist of some size, and its people."""

    country: Country
    cooperation: Cooperation
    terms: Checklist

    def addresses(self) -> dict[str, str]:
        """Return the pages that show it, by a name."""
        checklist = f"/checklists/{self.terms.id}"
        return {
            "checklist": checklist,
            "filter": f"{checklist}?filter=us",
            "comments": f"{checklist}/comments",
            "comments on an item": f"{checklist}/items/M1/comments",
            "propose": f"{checklist}/items/M24/propose",
            "history of an item": f"{checklist}/items/M24/history",
            "cooperation": f"/cooperations/{self.cooperation.reference}",
            "my work": "/",
        }


def make(session: Session, size: Size) -> Crowd:
    """Create a checklist of a size: each row with its own person and party.

    The caller commits. Create a larger one after a smaller one, since a later version of the
    checklist has more items.
    """
    country = Country(session)
    keys = [f"body{number}" for number in range(size.parties)]
    for number, key in enumerate(keys):
        kind = OrganisationKind.CSO if number else OrganisationKind.NPM
        name = f"{'Partner' if number else 'Office'} {number} of {size.parties}"
        country.organisation(key, name, kind)
        for writer in range(4):
            country.person(f"Writer{number}x{writer} Holm{size.parties}", key, Role.COORDINATOR)
    publish(template(size.items))
    cooperation = open_one(
        country,
        *keys[1:],
        by="writer0x0",
        modes=(Mode.PROJ,),
        title=f"A matter of {size.items} items",
    )
    for first in country.users:
        _bring_in(country, cooperation, first)
    session.flush()
    terms = checklist_of(cooperation, ChecklistKind.TERMS)
    _fill(country, terms, size)
    service.recount(terms.id)
    return Crowd(country, cooperation, terms)


def template(items: int) -> Template:
    """Return the terms as shipped, with more items, up to this number."""
    content = library.content_of(library.parsed(library.newest(ChecklistKind.TERMS)))
    shipped = [section for section in content["sections"] if section["key"] != FURTHER]
    count = sum(len(section["items"]) for section in shipped)
    more = [item(number) for number in range(count + 1, items + 1)]
    further = {"key": FURTHER, "title": "Further matters", "items": more}
    changes = {"version": 900 + items, "sections": [*shipped, further]}
    return Template.model_validate(content | changes)


def item(number: int) -> dict[str, Any]:
    """Return an item of the checklist: a text, a choice with a text, or a table, in turn."""
    columns = (a_column("topic"), a_column("words", "text"), a_column("day", "date"))
    fields = (
        [a_field()],
        [a_field("kind", "choice", options=KINDS), a_field("more", required=False)],
        [a_table("rows", *columns)],
    )[number % 3]
    return an_item(
        f"M{number}",
        *fields,
        label=f"{MATTER} {number}",
        prompt=f"What is settled about matter {number}, by whom, and until when?",
        required="always" if number % 4 else "recommended",
    )


def values_of(number: int) -> dict[str, Any]:
    """Return an answer to an item."""
    row = {"topic": f"Topic {number}", "words": SENTENCE, "day": "2027-03-01"}
    return (
        {"words": SENTENCE * 3},
        {"kind": "prison", "more": SENTENCE},
        {"rows": [row, row | {"topic": "Another"}]},
    )[number % 3]


def _bring_in(country: Country, cooperation: Cooperation, first: str) -> None:
    home = country.homes[first]
    assert home is not None
    if first != "writer0x0":  # who opened it is there
        country.session.add(
            CooperationPerson(
                cooperation_id=cooperation.id,
                user_id=country.users[first].id,
                organisation_id=home.id,
                from_on=clock.today(),
            )
        )


def _fill(country: Country, terms: Checklist, size: Size) -> None:
    """Insert what people would have written: rows as the verbs leave them."""
    people = [(country.users[first].id, home.id) for first, home in country.homes.items() if home]
    writers = cycle(people)
    loaded = loading.load(terms)
    for number, item in enumerate(loaded.template.items, 1):
        values = values_of(number) if item.label.startswith(MATTER) else whole(loaded, item.code)
        answer = _answer(terms, item.code, next(writers), values)
        country.session.add(answer)
        country.session.flush()
        country.session.add_all(_positions(terms, answer, people))
        if number % 3 == 1:
            country.session.add(_proposal(terms, answer, next(writers)))
        if number % 5 == 1:
            country.session.add(_flag(terms, answer, next(writers)))
    for number in range(size.comments):
        code = f"M{number % size.items + 1}"
        country.session.add_all(_comment(terms, code, number, next(writers), next(writers)[0]))
    country.session.flush()


Writer = tuple[UUID, UUID]


def _answer(terms: Checklist, code: str, writer: Writer, values: dict[str, Any]) -> Answer:
    return Answer(
        id=uuid4(),
        checklist_id=terms.id,
        item=code,
        scope=AnswerScope.SHARED,
        owner_id=terms.id,
        version=1,
        values=values,
        author_id=writer[0],
        organisation_id=writer[1],
        saved_at=clock.now(),
    )


def _positions(terms: Checklist, answer: Answer, people: list[Writer]) -> Iterator[Position]:
    """Yield each party's position, taken by one of its people in turn."""
    number = int(answer.item[1:])
    parties = dict.fromkeys(body for _person, body in people)
    for place, body in enumerate(parties):
        own = [person for person, home in people if home == body]
        wants_talk = (number + place) % 4 == 0
        yield Position(
            id=uuid4(),
            checklist_id=terms.id,
            item=answer.item,
            organisation_id=body,
            answer_id=answer.id,
            stance=Stance.WANTS_TALK if wants_talk else Stance.ACCEPTS,
            reason="Let us talk about the days." if wants_talk else "",
            author_id=own[number % len(own)],
            taken_at=clock.now(),
        )


def _proposal(terms: Checklist, answer: Answer, writer: Writer) -> Proposal:
    return Proposal(
        id=uuid4(),
        checklist_id=terms.id,
        item=answer.item,
        organisation_id=writer[1],
        answer_id=answer.id,
        values={
            key: f"{text} Or in one text." if key in {"words", "more"} else text
            for key, text in (answer.values or {}).items()
        },
        reason="It is clearer so.",
        author_id=writer[0],
        made_at=clock.now(),
    )


def _flag(terms: Checklist, answer: Answer, writer: Writer) -> Flag:
    return Flag(
        id=uuid4(),
        checklist_id=terms.id,
        item=answer.item,
        organisation_id=writer[1],
        author_id=writer[0],
        reason="It may bind the office.",
        raised_at=clock.now(),
    )


def _comment(
    terms: Checklist, code: str, number: int, writer: Writer, reader: UUID
) -> Iterator[Comment | CommentMention]:
    """Yield a comment, every fourth to one's own side, every tenth with a mention."""
    comment = Comment(
        id=uuid4(),
        checklist_id=terms.id,
        item=None if number % 50 == 1 else code,
        audience=CommentAudience.OWN if number % 4 == 0 else CommentAudience.ALL,
        text=f"Comment {number}. {SENTENCE}",
        author_id=writer[0],
        organisation_id=writer[1],
        made_at=clock.now() - dt.timedelta(minutes=number),
    )
    yield comment
    if number % 10 == 1:
        yield CommentMention(comment_id=comment.id, user_id=reader, mentioned_at=comment.made_at)
