"""The reader's language, its direction, and dates in words in the NPM's time zone."""

import datetime as dt
from collections.abc import Callable

import pytest
from flask_babel import get_locale, lazy_gettext

from tests.factories.ui import PageFrame, make_page_frame
from tests.moments import standing_at
from tracker.core import clock
from tracker.core.localized import LocalizedStr, language_of
from tracker.core.telephone import Telephone
from tracker.ui.locale import (
    as_date,
    as_datetime,
    as_time,
    day,
    direction,
    file_size,
    language_attributes,
    language_note,
    languages,
    listed,
    listed_people,
    localized,
    marked,
    moment,
    name_of,
    select_language,
    text_attributes,
    time_zone_words,
    with_commas,
    with_semicolons,
)

InRequest = Callable[..., None]
MARK = "\N{RIGHT-TO-LEFT MARK}"
ISOLATE, END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
LATE = dt.datetime(2026, 12, 11, 22, 30, tzinfo=dt.UTC)


def test_the_first_language_is_used_when_nobody_says_otherwise(in_request: InRequest) -> None:
    in_request()
    assert select_language() == "en"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("ar", "ar"), ("ar-EG,en;q=0.5", "ar"), ("fr, en;q=0.1", "en"), ("xx", "en"), ("", "en")],
)
def test_the_browsers_language_is_used_when_it_is_offered(
    in_request: InRequest, wanted: str, expected: str
) -> None:
    in_request(headers={"Accept-Language": wanted})
    assert select_language() == expected


def test_the_persons_own_language_goes_before_the_browsers(
    frame: PageFrame, in_request: InRequest
) -> None:
    frame.app.extensions["profile_language"] = lambda: "ar"
    in_request(headers={"Accept-Language": "en"})
    assert select_language() == "ar"


def test_a_language_chosen_here_goes_before_all_others(
    frame: PageFrame, in_request: InRequest
) -> None:
    frame.app.extensions["profile_language"] = lambda: "ar"
    in_request(headers={"Cookie": "language=en"})
    assert select_language() == "en"


@pytest.mark.parametrize("stored", ["xx", "../../etc", ""])
def test_a_kept_language_that_is_not_offered_is_passed_over(
    in_request: InRequest, stored: str
) -> None:
    in_request(headers={"Cookie": f"language={stored}"})
    assert select_language() == "en"


def test_languages_are_named_in_their_own_words(in_request: InRequest) -> None:
    in_request(headers={"Accept-Language": "ar"})
    assert [
        (language.code, language.name, language.direction, language.current)
        for language in languages()
    ] == [
        ("en", "English", "ltr", False),
        ("ar", "العربية", "rtl", True),
    ]


def test_text_in_another_language_says_which(in_request: InRequest) -> None:
    in_request()
    assert language_note("ar") == "Available in Arabic only."
    assert language_note("ar", ["fr", "ar"]) == "Available in Arabic and French only."


def test_names_in_a_list_are_escaped_and_keep_their_own_direction(in_request: InRequest) -> None:
    in_request()
    assert listed_people([]) == ""
    assert listed_people(["Milan", "A <b>", "{0}"]) == (
        "<bdi>Milan</bdi>, <bdi>A &lt;b&gt;</bdi> and <bdi>{0}</bdi>"
    )


@pytest.mark.parametrize(
    ("reader", "by_commas", "by_semicolons"),
    [
        ("en", "M1, V2", "M1; V2"),
        # The mark keeps codes, which read from left to right, in the order of the page.
        ("ar", f"{MARK}M1،{MARK} V2", f"{MARK}M1؛{MARK} V2"),
    ],
)
def test_words_are_joined_as_in_the_readers_language(
    in_request: InRequest, reader: str, by_commas: str, by_semicolons: str
) -> None:
    in_request(headers={"Cookie": f"language={reader}"})
    words = ["M1", lazy_gettext("V2")]
    assert (with_commas(words), with_semicolons(words)) == (by_commas, by_semicolons)
    assert with_commas(["M1"]) == "M1"


@pytest.mark.parametrize(("shown", "others"), [("en", ()), ("ar", ("en",)), ("", ())])
def test_what_can_be_read_in_the_readers_language_says_nothing(
    in_request: InRequest, shown: str, others: tuple[str, ...]
) -> None:
    in_request()
    assert language_note(shown, others) == ""


def test_the_note_is_in_the_readers_language(in_request: InRequest) -> None:
    in_request(headers={"Accept-Language": "ar"})
    assert language_note("ar") == ""
    assert "الإنجليزية" in language_note("en")
    assert language_of(language_note("en")) == "ar"


def test_the_direction_follows_the_script() -> None:
    assert [direction(code) for code in ("en", "ar", "fa", "pt-BR")] == ["ltr", "rtl", "rtl", "ltr"]


def test_choosing_a_language_keeps_it_and_goes_back(frame: PageFrame) -> None:
    client = frame.client
    frame.app.config["WTF_CSRF_ENABLED"] = False
    answer = client.post("/language", data={"language": "ar", "back": "/?words=a"})
    assert (answer.status_code, answer.location) == (302, "/?words=a")
    page = client.get("/").get_data(as_text=True)
    assert '<html lang="ar" dir="rtl">' in page


@pytest.mark.parametrize(
    "back",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "/a\r\nX: y", ""],
)
def test_choosing_a_language_leads_to_no_other_site(frame: PageFrame, back: str) -> None:
    frame.app.config["WTF_CSRF_ENABLED"] = False
    answer = frame.client.post("/language", data={"language": "ar", "back": back})
    assert answer.location == "/"


def test_a_language_that_is_not_offered_is_refused(frame: PageFrame) -> None:
    frame.app.config["WTF_CSRF_ENABLED"] = False
    assert frame.client.post("/language", data={"language": "xx"}).status_code == 400


def test_the_kept_language_is_out_of_reach_of_scripts_and_plain_http() -> None:
    secure = make_page_frame(TRACKER_BASE_URL="https://terms.example")
    secure.app.config["WTF_CSRF_ENABLED"] = False
    cookie = secure.client.post("/language", data={"language": "ar"}).headers["Set-Cookie"]
    assert cookie.startswith("__Host-language=ar;")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert 'lang="ar"' in secure.client.get("/", base_url="https://terms.example").text


def test_dates_are_written_with_the_day_first(in_request: InRequest) -> None:
    in_request()
    date = dt.date(2026, 11, 27)
    assert as_date(date) == "27 November 2026"
    assert as_date(date, "medium") == "27 Nov 2026"
    assert as_date(date, "short") == "27 Nov"
    assert as_date(date, "full") == "Friday 27 November 2026"
    assert as_date(None) == ""


def test_a_moment_is_shown_in_the_npms_zone(in_request: InRequest) -> None:
    in_request()
    assert as_date(LATE) == "12 December 2026"
    assert as_time(LATE) == "00:30"
    assert as_datetime(LATE) == "12 December 2026, 00:30"
    assert as_datetime(LATE, "medium") == "12 Dec 2026, 00:30"
    assert (as_datetime(None), as_time(None)) == ("", "")


def test_dates_follow_the_readers_language(in_request: InRequest) -> None:
    in_request(headers={"Accept-Language": "ar"})
    assert str(get_locale()) == "ar"
    assert "نوفمبر" in as_date(dt.date(2026, 11, 27))


def test_elements_carry_the_date_for_machines(in_request: InRequest) -> None:
    in_request()
    assert day(dt.date(2026, 11, 27)) == '<time datetime="2026-11-27">27 November 2026</time>'
    assert day(LATE, "short") == '<time datetime="2026-12-12">12 Dec</time>'
    assert moment(LATE) == '<time datetime="2026-12-12T00:30+02:00">12 December 2026, 00:30</time>'
    assert (day(None), moment(None)) == ("", "")


def test_a_moment_without_a_zone_is_a_fault(in_request: InRequest) -> None:
    in_request()
    with pytest.raises(ValueError, match="without a zone"):
        as_datetime(LATE.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("zone", "country", "words"),
    [
        ("Africa/Cairo", "Maravena", "Maravena (UTC+2)"),
        ("Asia/Kathmandu", "Maravena", "Maravena (UTC+5:45)"),
        ("America/St_Johns", "", "America/St_Johns (UTC-3:30)"),
        ("UTC", "", "UTC"),
    ],
)
def test_the_foot_says_whose_time_is_shown(zone: str, country: str, words: str) -> None:
    frame = make_page_frame(TRACKER_TIMEZONE=zone, TRACKER_COUNTRY=country)
    clock.use_source(standing_at(LATE))
    with frame.app.test_request_context():
        assert time_zone_words() == words


# Strings that carry their language


def test_words_in_the_pages_language_are_not_marked(in_request: InRequest) -> None:
    in_request()
    assert localized(LocalizedStr("Goals", "en")) == "<bdi>Goals</bdi>"
    assert marked(LocalizedStr("Goals", "en")) == "Goals"
    assert text_attributes(LocalizedStr("Goals", "en")) == ""
    assert localized("typed <b>") == "<bdi>typed &lt;b&gt;</bdi>"
    assert text_attributes("typed") == ' dir="auto"'


def test_a_telephone_number_is_a_link_that_dials_it_in_the_order_of_its_digits(
    in_request: InRequest,
) -> None:
    in_request(query_string={"language": "ar"})
    link = '<a href="tel:+00555010"><bdi dir="ltr">+00 555 010</bdi></a>'
    assert localized(Telephone("+00 555 010")) == link
    assert localized("+00 555 010") == "<bdi>+00 555 010</bdi>"


def test_words_in_another_language_say_so_with_their_direction(in_request: InRequest) -> None:
    in_request()
    goals = LocalizedStr("الأهداف", "ar")
    assert localized(goals) == '<bdi lang="ar" dir="rtl">الأهداف</bdi>'
    assert marked(goals) == localized(goals)
    assert text_attributes(goals) == ' lang="ar" dir="rtl"'
    assert language_attributes("ar") == ' lang="ar" dir="rtl"'


def test_english_words_on_an_arabic_page_are_marked(in_request: InRequest) -> None:
    in_request(headers={"Cookie": "language=ar"})
    assert (
        localized(LocalizedStr("<i>Goals", "en")) == '<bdi lang="en" dir="ltr">&lt;i&gt;Goals</bdi>'
    )


def test_the_surrounding_text_may_be_in_another_language_than_the_page(
    in_request: InRequest,
) -> None:
    in_request()
    assert localized(LocalizedStr("الأهداف", "ar"), "ar") == "<bdi>الأهداف</bdi>"
    assert localized(LocalizedStr("Goals", "en"), "ar") == '<bdi lang="en" dir="ltr">Goals</bdi>'
    assert language_attributes("en", "ar") == ' lang="en" dir="ltr"'
    assert language_attributes("") == ""


def test_a_label_that_begins_with_a_code_reads_in_the_direction_of_its_language(
    in_request: InRequest,
) -> None:
    in_request(headers={"Cookie": "language=ar"})
    goals = LocalizedStr("M1 الأهداف", "ar")
    assert localized(goals) == '<bdi dir="rtl">M1 الأهداف</bdi>'
    assert localized(LocalizedStr("12", "ar")) == '<bdi dir="rtl">12</bdi>'
    assert localized(lazy_gettext("V2")) == '<bdi dir="rtl">V2</bdi>'
    assert localized("M1 typed") == "<bdi>M1 typed</bdi>"
    assert localized(LocalizedStr("الأهداف: goals", "en"), "en") == (
        '<bdi dir="ltr">الأهداف: goals</bdi>'
    )


@pytest.mark.parametrize(
    ("reader", "names"),
    [("en", ("Arabic", "English")), ("ar", ("العربية", "الإنجليزية"))],
)
def test_a_language_is_called_as_the_reader_calls_it(
    in_request: InRequest, reader: str, names: tuple[str, str]
) -> None:
    in_request(headers={"Cookie": f"language={reader}"})
    assert (name_of("ar"), name_of("en")) == names


@pytest.mark.parametrize(
    ("language", "names", "expected"),
    [
        ("en", ["Ruth Abara", "Pavo Linden"], "Ruth Abara and Pavo Linden"),
        ("en", ["Ruth Abara", "ندى سليم"], f"Ruth Abara and {ISOLATE}ندى سليم{END}"),
        # Otherwise the list would read from left to right, wherever its sentence isolates it.
        ("ar", ["Ruth Abara", "ندى سليم"], f"{ISOLATE}Ruth Abara{END} وندى سليم"),
    ],
)
def test_names_in_another_script_do_not_turn_a_list_round(
    in_request: InRequest, language: str, names: list[str], expected: str
) -> None:
    in_request(headers={"Cookie": f"language={language}"})
    assert listed(names) == expected


@pytest.mark.parametrize(
    ("size", "words"),
    [(1, "1 KB"), (300_000, "293 KB"), (1024 * 1024, "1 MB"), (10 * 1024 * 1024, "10 MB")],
)
def test_a_size_does_not_break_across_lines(in_request: InRequest, size: int, words: str) -> None:
    in_request()
    assert file_size(size) == words.replace(" ", "\N{NO-BREAK SPACE}")
