"""A text whose bytes were changed in the database is shown to nobody who acts on it."""

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.demonstration import PASSWORD, Demonstration
from tests.factories.evidence.tampering import REVISIONS, hands
from tests.pages import Page
from tracker.accounts.factors import second_factor
from tracker.accounts.models import User
from tracker.checklists.models import Checklist
from tracker.signoff.models import Revision, Signature

WARNING = "Don't rely on it until somebody has found out why."


def alter(session: Session, revision_id: UUID) -> None:
    """Change a word of a frozen text, and nothing else."""
    document = session.get_one(Revision, revision_id).document
    session.rollback()
    altered = document.replace(b'"salt":"', b'"salt":"0')
    assert altered != document
    with hands() as connection:
        this_one = REVISIONS.c.id == revision_id
        connection.execute(sa.update(REVISIONS).where(this_one).values(document=altered))
    session.expire_all()


@pytest.fixture
def waiting(demonstration: Demonstration) -> UUID:
    """The demonstration's terms that wait for one signature, Otto's."""
    return demonstration.checklists["waiting", "terms"]


@pytest.fixture
def browser(app: Flask, demonstration: Demonstration) -> Callable[[str], CheckedClient]:
    return lambda key: demonstration.browser(app, key)


def test_nobody_signs_declines_or_passes_on_a_text_that_differs_from_its_digest(
    session: Session,
    demonstration: Demonstration,
    waiting: UUID,
    browser: Callable[[str], CheckedClient],
) -> None:
    otto, path = browser("otto"), f"/checklists/{waiting}"
    to_sign = otto.page(f"{path}/sign").links()["Continue to sign"]
    user = session.get_one(User, demonstration.users["otto"])
    proof = {"password": PASSWORD, "code": second_factor.current_code(user).code}
    signing = otto.page(to_sign).form().filled_in(**proof)
    declining = (
        otto.page(f"{path}/decline")
        .form()
        .filled_in(reason="It isn't what we agreed.", items=["M10"])
    )
    revision_id = session.get_one(Checklist, waiting).revision_sent_id
    assert revision_id is not None
    alter(session, revision_id)
    number = sa.select(sa.func.count(Signature.id)).where(Signature.revision_id == revision_id)
    before = session.scalar(number)
    session.rollback()
    for address in (f"{path}/sign", to_sign):
        assert WARNING in Page.of(otto.get(address)).text
    for address, data in ((to_sign, signing), (f"{path}/decline", declining)):
        answer = otto.post(address, data=data, csrf=False)
        assert answer.status_code == 403
        assert WARNING in Page.of(answer).text
    assert session.scalar(number) == before
