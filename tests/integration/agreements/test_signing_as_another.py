"""Signing as somebody else with rows changed behind the application's back: nothing is signed."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.demonstration import PASSWORD, Demonstration
from tests.factories.evidence.tampering import table_of
from tests.factories.passkeys import Device, asked_on
from tests.integration.agreements.test_passkey_signing import CONFIRM, PasskeyTerms
from tests.pages import Page
from tracker.accounts.factors import second_factor
from tracker.accounts.models import Passkey, User
from tracker.checklists.models import ChecklistState
from tracker.core.db import db

USERS, PASSKEYS = table_of(User), table_of(Passkey)
SIGN_IN_COLUMNS = ("password", "tf_totp_secret", "tf_primary_method", "mf_recovery_codes")
REFUSED = "were changed outside this application"


@pytest.fixture
def waiting_terms(app: Flask, session: Session, demonstration: Demonstration) -> PasskeyTerms:
    """Terms waiting for Otto, the signatory; Leyla of the same CSO is the attacker."""
    return PasskeyTerms(app, session, demonstration)


def row(user_id: UUID) -> dict[str, Any]:
    db.session.rollback()
    with db.engine.connect() as connection:
        query = connection.execute(sa.select(USERS).where(USERS.c.id == user_id))
        return dict(query.mappings().one())


def put(user_id: UUID, values: dict[str, Any]) -> None:
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(sa.update(USERS).where(USERS.c.id == user_id).values(**values))
    db.session.expire_all()


def confirm(waiting_terms: PasskeyTerms, page: Page, **given: str) -> Page:
    sent = page.form().filled_in(**given)
    return Page.of(
        waiting_terms.browser("otto").post(
            f"{waiting_terms.address}{CONFIRM}", data=sent, csrf=False, follow_redirects=True
        )
    )


def nothing_is_signed(waiting_terms: PasskeyTerms) -> None:
    assert (waiting_terms.state, waiting_terms.signatures()) == (ChecklistState.SENT, 1)


def code_of(waiting_terms: PasskeyTerms, key: str) -> str:
    return second_factor.current_code(waiting_terms.user(key)).code


def test_with_a_copied_password_and_second_factor_nothing_is_signed(
    waiting_terms: PasskeyTerms,
) -> None:
    otto, leyla = waiting_terms.user("otto").id, waiting_terms.user("leyla").id
    page = waiting_terms.browser("otto").page(waiting_terms.to_sign("otto"))
    source = row(leyla)
    put(otto, {column: source[column] for column in SIGN_IN_COLUMNS})
    shown = confirm(waiting_terms, page, password=PASSWORD, code=code_of(waiting_terms, "leyla"))
    nothing_is_signed(waiting_terms)
    assert "You signed." not in shown.text


def test_with_an_older_row_put_back_whole_nothing_is_signed(waiting_terms: PasskeyTerms) -> None:
    user = waiting_terms.user("otto")
    before = row(user.id)
    second_factor.enrol(user)
    waiting_terms.session.commit()
    put(user.id, {name: value for name, value in before.items() if name != "id"})
    page = waiting_terms.browser("otto").page(waiting_terms.to_sign("otto"))
    shown = confirm(waiting_terms, page, password=PASSWORD, code=code_of(waiting_terms, "otto"))
    assert REFUSED in shown.text
    assert "Nothing was signed." in shown.text
    nothing_is_signed(waiting_terms)


def test_with_a_passkey_moved_from_another_person_nothing_is_signed(
    waiting_terms: PasskeyTerms,
) -> None:
    device = waiting_terms.give("leyla", Device())
    otto, leyla = waiting_terms.user("otto").id, waiting_terms.user("leyla").id
    handle = row(leyla)["fs_webauthn_user_handle"]
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(sa.update(PASSKEYS).values(user_id=otto))
    put(leyla, {"fs_webauthn_user_handle": None})
    put(otto, {"fs_webauthn_user_handle": handle})
    page, prompt = waiting_terms.page_to_sign("otto")
    shown = waiting_terms.send("otto", page, device.answer(prompt.challenge))
    assert "Nothing was signed." in shown.text
    assert asked_on(page).challenge
    nothing_is_signed(waiting_terms)


def test_a_person_whose_factors_were_reset_sets_one_up_and_signs(
    waiting_terms: PasskeyTerms,
) -> None:
    user = waiting_terms.user("otto")
    second_factor.enrol(user)
    waiting_terms.session.commit()
    assert "You signed." in waiting_terms.sign("otto").text
