"""A fresh proof of identity: right, wrong, used, too often."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.accounts import PASSWORD, STEP, People
from tests.integration.accounts.conftest import NOON, Clock
from tracker.accounts.factors import attempts, identity_proof
from tracker.accounts.models import Attempt
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.organisations.models import Organisation

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(2)]


@pytest.fixture
def henrik(people: People, frozen_time: Clock) -> People:
    frozen_time(NOON)
    people.enrol("henrik")
    return people


def broken(people: People, password: str, code: str) -> RuleBrokenError:
    with pytest.raises(RuleBrokenError) as caught:
        identity_proof.prove(people.people["henrik"], password, code)
    return caught.value


def test_password_and_code_prove_who_it_is(henrik: People, session: Session) -> None:
    given = identity_proof.prove(henrik.people["henrik"], PASSWORD, henrik.code("henrik"))
    assert given == identity_proof.Proof(henrik.people["henrik"], "password_totp", NOON)


def test_a_code_proves_once(henrik: People, session: Session, frozen_time: Clock) -> None:
    code = henrik.code("henrik")
    identity_proof.prove(henrik.people["henrik"], PASSWORD, code)
    session.commit()
    error = broken(henrik, PASSWORD, code)
    assert error.field == "code"
    assert "already been used" in str(error)
    frozen_time(NOON + STEP)
    identity_proof.prove(henrik.people["henrik"], PASSWORD, henrik.code("henrik"))


def test_a_code_whose_transaction_was_given_up_is_not_used_up(
    henrik: People, session: Session
) -> None:
    identity_proof.prove(henrik.people["henrik"], PASSWORD, henrik.code("henrik"))
    session.rollback()
    identity_proof.prove(henrik.people["henrik"], PASSWORD, henrik.code("henrik"))


def test_a_wrong_password_is_reported_beside_the_password(henrik: People, session: Session) -> None:
    code = henrik.code("henrik")
    error = broken(henrik, "not the one at all", code)
    assert error.field == "password"
    identity_proof.prove(henrik.people["henrik"], PASSWORD, code)


@pytest.mark.parametrize("code", ["", "000000", "abc", "1" * 3000])
def test_a_wrong_code_is_reported_beside_the_code(
    henrik: People, session: Session, code: str
) -> None:
    assert broken(henrik, PASSWORD, code).field == "code"


def test_a_person_without_a_second_factor_is_told_to_set_one_up(
    people: People, session: Session
) -> None:
    error = broken(people, PASSWORD, "123456")
    assert error.field == "code"
    assert "don't have a second factor yet" in str(error)


def test_failures_count_though_the_caller_gives_up(henrik: People, session: Session) -> None:
    for _again in range(10):
        broken(henrik, "not the one at all", "000000")
        session.rollback()
    assert session.query(Attempt).count() == 10
    error = broken(henrik, PASSWORD, henrik.code("henrik"))
    assert "Too many attempts" in str(error)


def test_wrong_passwords_of_a_stranger_keep_nobody_from_signing(
    henrik: People, session: Session
) -> None:
    stranger = attempts.account("henrik@example.org")
    attempts.note([stranger] * stranger.most)
    proof = identity_proof.prove(henrik.people["henrik"], PASSWORD, henrik.code("henrik"))
    assert proof.user_id == henrik.people["henrik"]
    session.commit()
    assert attempts.minutes_to_wait([stranger]) > 0


def test_a_success_forgives(henrik: People, session: Session) -> None:
    broken(henrik, "not the one at all", "000000")
    identity_proof.prove(henrik.people["henrik"], PASSWORD, henrik.code("henrik"))
    session.commit()
    assert session.query(Attempt).count() == 0


def test_a_failure_gives_up_what_the_caller_had_begun(henrik: People, session: Session) -> None:
    organisation = session.get_one(Organisation, henrik.organisations["door"])
    organisation.country = "Maravena"
    session.flush()
    broken(henrik, "not the one at all", "000000")
    session.commit()
    assert session.get_one(Organisation, henrik.organisations["door"]).country == ""


def test_what_was_read_before_a_failure_can_still_be_shown(
    henrik: People, session: Session
) -> None:
    organisation = session.get_one(Organisation, henrik.organisations["door"])
    broken(henrik, "not the one at all", "000000")
    assert organisation.name == "Open Door Legal Aid"


def test_only_one_of_two_simultaneous_proofs_with_the_same_code_succeeds(
    henrik: People, session: Session, app: Flask
) -> None:
    user_id, code = henrik.people["henrik"], henrik.code("henrik")
    session.rollback()
    start = Barrier(4)

    def prove() -> bool:
        with app.app_context():
            start.wait()
            try:
                identity_proof.prove(user_id, PASSWORD, code)
                db.session.commit()
            except RuleBrokenError:
                return False
            finally:
                db.session.remove()
            return True

    with ThreadPoolExecutor(4) as pool:
        answers = [future.result() for future in [pool.submit(prove) for _ in range(4)]]
    assert answers.count(True) == 1
