"""Names of persons and organisations: what they may hold, and what is refused."""

import pytest

from tracker.core.names import NameProblem, look, problem_of


@pytest.mark.parametrize(
    "name",
    [
        "Samira Marsh",
        "Seán Ó Dálaigh-O'Neill",
        "D'Angelo Núñez y Ruiz",
        "سميرة عبد الرّحمن",
        "می‌نا",
        "Олена Шевченко",
        "Ελένη Παπαδοπούλου",
        "Nguyễn Thị Ánh",
        "山田 花子",
        "Open Door (Section 2), e.V.",
        "St. Peter & Paul: Care / Rights",
        "J. R. Marsh",
        "Open Door Открытая дверь",
        "24/7 Helpline No. 1",
        "Centre St. 12",
        "Section 1.2.3",
        "Opened 10.12.2020",
        "Https and rights: a society",
        "«الباب المفتوح»، فرع ٢",
    ],
)
def test_a_name_in_any_writing_can_be_used(name: str) -> None:
    assert problem_of(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Visit evil.example to claim", NameProblem.ADDRESS),
        ("Visit EVIL.EXAMPLE", NameProblem.ADDRESS),
        ("www evil example", NameProblem.ADDRESS),
        ("http://evil", NameProblem.ADDRESS),
        ("http:evil", NameProblem.ADDRESS),
        ("Visit HTTPS:evil", NameProblem.ADDRESS),
        ("192.0.2.1", NameProblem.ADDRESS),
        ("Visit 192.0.2.1/prize", NameProblem.ADDRESS),
        ("\uff11\uff19\uff12.0.2.1", NameProblem.ADDRESS),
        ("evil\uff0eexample", NameProblem.SIGN),
        ("ｅvil.ｅxample", NameProblem.ADDRESS),
        ("me@evil", NameProblem.SIGN),
        ("Samira\nVisit us", NameProblem.SIGN),
        ("Samira <b>", NameProblem.SIGN),
        ("Samira \u202egnp", NameProblem.SIGN),
        ("Prize \U0001f381", NameProblem.SIGN),
        ("Open Do\u043ers", NameProblem.SCRIPTS),
        ("\u039fpen Doors", NameProblem.SCRIPTS),
        ("O\u0301pen D\u043er", NameProblem.SCRIPTS),
    ],
)
def test_a_name_with_an_address_a_strange_sign_or_letters_of_two_scripts_is_refused(
    name: str, problem: NameProblem
) -> None:
    assert problem_of(name) is problem


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Open Door", "OPEN-DOOR"),
        ("Open Door", "Opendoor."),
        ("\u00d3pen Do\u00f6r", "Open Door"),
        ("\uff2fpen Door", "Open Door"),
        ("Open \u041e\u041e\u041e\u041a", "Open OOOK"),
        ("\u041e\u0420\u0415\u041d", "OPEH"),
        ("\u039f\u03a1\u0395\u039d", "OPEN"),
        ("Legal AID", "LegaI A1d"),
        ("Modern Aid", "Modem Aid"),
        (
            "الباب المفتوح",
            "البـاب المفتُوح",
        ),
        (
            "مؤسسة أمل",
            "مؤسسه امل",
        ),
    ],
)
def test_names_that_look_the_same_have_one_look(name: str, other: str) -> None:
    assert look(name) == look(other)


def test_names_that_differ_in_a_letter_or_a_number_have_two() -> None:
    names = [
        "Open Door",
        "Open Doors",
        "Partner 2",
        "Partner 3",
        "Олена",
        "علي",
        "علم",
        # Vowels that are marks, of Hindi and Thai.
        "\u0915\u092e\u0932",
        "\u0915\u094b\u092e\u0932",
        "\u0e01\u0e25",
        "\u0e01\u0e38\u0e25",
    ]
    assert len({look(name) for name in names}) == len(names)
