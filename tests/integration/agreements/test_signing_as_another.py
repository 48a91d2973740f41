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
from tests.integration.agreements.test_passkey_signing import CONFIRM, PasskeyDesk
from tests.pages import Page
from tracker.accounts.factors import second_factor
from tracker.accounts.models import Passkey, User
from tracker.checklists.models import ChecklistState
from tracker.core.db import db

USERS, PASSKEYS = table_of(User), table_of(Passkey)
SIGN_IN_COLUMNS = ("password", "tf_totp_secret", "tf_primary_method", "mf_recovery_codes")
REFUSED = "were changed outside this application"


@pytest.fixture
def desk(app: Flask, session: Session, demonstration: Demonstration) -> PasskeyDesk:
    """Terms waiting for Otto, the signatory; Leyla of the same CSO is the attacker."""
    return PasskeyDesk(app, session, demonstration)


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


def confirm(desk: PasskeyDesk, page: Page, **given: str) -> Page:
    sent = page.form().filled_in(**given)
    return Page.of(
        desk.browser("otto").post(
            f"{desk.address}{CONFIRM}", data=sent, csrf=False, follow_redirects=True
        )
    )


def nothing_is_signed(desk: PasskeyDesk) -> None:
    assert (desk.state, desk.signatures()) == (ChecklistState.SENT, 1)


def code_of(desk: PasskeyDesk, key: str) -> str:
    return second_factor.current_code(desk.user(key)).code


def test_with_a_copied_password_and_second_factor_nothing_is_signed(desk: PasskeyDesk) -> None:
    otto, leyla = desk.user("otto").id, desk.user("leyla").id
    page = desk.browser("otto").page(desk.to_sign("otto"))
    source = row(leyla)
    put(otto, {column: source[column] for column in SIGN_IN_COLUMNS})
    shown = confirm(desk, page, password=PASSWORD, code=code_of(desk, "leyla"))
    nothing_is_signed(desk)
    assert "You signed." not in shown.text


def test_with_an_older_row_put_back_whole_nothing_is_signed(desk: PasskeyDesk) -> None:
    user = desk.user("otto")
    before = row(user.id)
    second_factor.enrol(user)
    desk.session.commit()
    put(user.id, {name: value for name, value in before.items() if name != "id"})
    page = desk.browser("otto").page(desk.to_sign("otto"))
    shown = confirm(desk, page, password=PASSWORD, code=code_of(desk, "otto"))
    assert REFUSED in shown.text
    assert "Nothing was signed." in shown.text
    nothing_is_signed(desk)


def test_with_a_passkey_moved_from_another_person_nothing_is_signed(desk: PasskeyDesk) -> None:
    device = desk.give("leyla", Device())
    otto, leyla = desk.user("otto").id, desk.user("leyla").id
    handle = row(leyla)["fs_webauthn_user_handle"]
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(sa.update(PASSKEYS).values(user_id=otto))
    put(leyla, {"fs_webauthn_user_handle": None})
    put(otto, {"fs_webauthn_user_handle": handle})
    page, prompt = desk.page_to_sign("otto")
    shown = desk.send("otto", page, device.answer(prompt.challenge))
    assert "Nothing was signed." in shown.text
    assert asked_on(page).challenge
    nothing_is_signed(desk)


def test_a_person_whose_factors_were_reset_sets_one_up_and_signs(desk: PasskeyDesk) -> None:
    user = desk.user("otto")
    second_factor.enrol(user)
    desk.session.commit()
    assert "You signed." in desk.sign("otto").text
