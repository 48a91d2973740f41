"""One page of a long list: its items and its links."""

from collections.abc import Callable

import pytest

from tracker.ui.filters import filter_links, here
from tracker.ui.paging import Page, asked_number, offset, page_url

InRequest = Callable[..., None]


def page(number: int, total: int, size: int = 10) -> Page[int]:
    start = offset(number, size)
    return Page(range(total)[start : start + size], number, size, total)


@pytest.mark.parametrize(
    ("total", "pages"), [(0, 1), (1, 1), (10, 1), (11, 2), (99, 10), (100, 10), (101, 11)]
)
def test_pages_are_counted(total: int, pages: int) -> None:
    assert page(1, total).pages == pages


def test_the_first_page_has_none_before_and_the_last_none_after() -> None:
    assert (page(1, 30).previous, page(1, 30).following) == (None, 2)
    assert (page(2, 30).previous, page(2, 30).following) == (1, 3)
    assert (page(3, 30).previous, page(3, 30).following) == (2, None)


def test_it_says_which_items_it_shows() -> None:
    assert (page(3, 25).first_item, page(3, 25).last_item) == (21, 25)
    assert (page(1, 0).first_item, page(1, 0).last_item) == (0, 0)


def test_beyond_the_end_the_way_back_is_the_last_page() -> None:
    beyond = page(9, 25)
    assert (list(beyond.items), beyond.previous, beyond.following) == ([], 3, None)
    assert (beyond.first_item, beyond.last_item) == (0, 0)


@pytest.mark.parametrize(
    ("number", "numbers"),
    [
        (1, [1, 2, None, 10]),
        (2, [1, 2, 3, None, 10]),
        (5, [1, None, 4, 5, 6, None, 10]),
        (10, [1, None, 9, 10]),
    ],
)
def test_far_pages_are_left_out_of_the_links(number: int, numbers: list[int | None]) -> None:
    assert page(number, 100).numbers == numbers


@pytest.mark.parametrize(
    ("typed", "number"),
    [("3", 3), ("0", 1), ("-2", 1), ("x", 1), ("", 1), ("²", 1), ("9" * 400, 1), ("100001", 1)],
)
def test_an_invalid_page_number_means_the_first(typed: str, number: int) -> None:
    assert asked_number({"page": typed}) == number


def test_no_page_asked_for_is_the_first(in_request: InRequest) -> None:
    in_request("/list")
    assert asked_number() == 1


def test_links_keep_the_rest_of_the_question(in_request: InRequest) -> None:
    in_request("/list?q=a%26b&state=x&state=y&page=4")
    assert page_url(5) == "/list?q=a%26b&state=x&state=y&page=5"
    assert page_url(1) == "/list?q=a%26b&state=x&state=y"


def test_a_hostile_question_changes_no_host(in_request: InRequest) -> None:
    in_request("/list?_external=1&_scheme=javascript&endpoint=x&page=2")
    assert page_url(3).startswith("/list?")


def test_an_address_without_a_question_stays_plain(in_request: InRequest) -> None:
    in_request("/list?page=2")
    assert here({"page": None}) == "/list"


def test_filters_mark_the_chosen_value_and_go_back_to_the_first_page(in_request: InRequest) -> None:
    in_request("/list?state=held&page=4&q=a")
    links = filter_links(
        "state", [("", "All"), ("held", "In force"), ("off", "Ended")], {"held": 4}
    )
    assert [(link.url, link.count, link.current) for link in links] == [
        ("/list?q=a", 0, False),
        ("/list?q=a&state=held", 4, True),
        ("/list?q=a&state=off", 0, False),
    ]
    assert [link.count for link in filter_links("state", [("", "All")])] == [None]
