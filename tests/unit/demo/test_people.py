"""The demonstration's random passwords are good enough for all its people."""

from tracker.accounts.factors.passwords import problems
from tracker.demo.people import BODIES, PEOPLE, WORDS, new_password


def test_no_word_of_a_password_tells_a_name_or_an_address() -> None:
    assert len(WORDS) == len(set(WORDS)) > 30
    names = [
        name for body in BODIES.values() for name in (body.details.name, body.details.short_name)
    ]
    for word in WORDS:
        for person in PEOPLE:
            password = f"{word}-{word}-{word}-1000"
            assert (
                problems(password, name=person.name, email=person.email, organisations=names) == []
            ), (word, person)


def test_passwords_differ_and_are_long() -> None:
    passwords = {new_password() for _ in range(20)}
    assert len(passwords) > 15
    assert min(map(len, passwords)) > 16
