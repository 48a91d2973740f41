"""A cooperation of an NPM with two CSOs, on small terms, whose people comment."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.comments import comment
from tests.factories.demonstration import Demonstration
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import small_terms
from tests.factories.visits import JointVisit
from tests.pages import Page
from tracker.access.actor import Actor
from tracker.checklists.models import Checklist
from tracker.comments.models import Comment, CommentMention, CommentTask
from tracker.mail.models import OutboxMessage


@dataclass
class Talk:
    """People by first name, the terms they comment on, and what came of it."""

    app: Flask
    negotiation: Negotiation

    def __getitem__(self, first: str) -> Actor:
        return self.negotiation[first]

    @property
    def session(self) -> Session:
        return self.negotiation.session

    @property
    def terms(self) -> Checklist:
        return self.negotiation.checklist()

    def id(self, first: str) -> UUID:
        return self.negotiation.country.users[first].id

    def write(self, first: str, item: str | None = "M1", **more: Any) -> Comment:
        """Write a comment and commit."""
        written = comment(self[first], self.terms, item, **more)
        self.session.commit()
        return written

    def again(self, written: Comment) -> Comment:
        return self.session.get_one(Comment, written.id, populate_existing=True)

    def tasks(self, written: Comment) -> list[CommentTask]:
        wanted = sa.select(CommentTask).where(CommentTask.comment_id == written.id)
        return list(self.session.scalars(wanted.execution_options(populate_existing=True)))

    def mentions(self, written: Comment) -> list[CommentMention]:
        wanted = sa.select(CommentMention).where(CommentMention.comment_id == written.id)
        return list(self.session.scalars(wanted.execution_options(populate_existing=True)))

    def mails(self) -> list[OutboxMessage]:
        """Return the mails about comments in the order written."""
        wanted = sa.select(OutboxMessage).where(OutboxMessage.kind.like("comment%"))
        return list(self.session.scalars(wanted.order_by(OutboxMessage.created_at)))

    def events(self) -> dict[str, list[dict[str, Any]]]:
        """Return the details of all events about comments, by verb."""
        verbs = ("made", "edited", "withdrawn", "settled", "reopened", "task_made", "task_done")
        by_verb = {verb: self.negotiation.events(f"comment_{verb}") for verb in verbs}
        return {verb: details for verb, details in by_verb.items() if details}

    def browser(self, first: str) -> CheckedClient:
        return self.negotiation.country.browser(self.app, first)

    def page(self, first: str, address: str, status: int = 200) -> Page:
        return self.browser(first).page(address, status)

    def thread(self, item: str | None = "M1") -> str:
        rest = f"items/{item}/comments" if item else "comments"
        return f"/checklists/{self.terms.id}/{rest}"


@pytest.fixture
def talk(app: Flask, session: Session) -> Talk:
    return Talk(app, set_out(session, template=small_terms()))


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)
