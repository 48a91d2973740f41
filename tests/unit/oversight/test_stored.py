"""Values as a database stores them: written values are read, anything else is refused."""

import datetime as dt
import enum
from collections.abc import Callable
from uuid import UUID

import pytest

from tracker.oversight import stored
from tracker.oversight.stored import DamagedError

AN_ID = UUID("1f0c6a52-93de-4b7a-8c40-5d2e9ab3f761")
NOON = dt.datetime(2026, 11, 25, 12, 0, 0, 5, tzinfo=dt.UTC)


class Colour(enum.StrEnum):
    GREEN = "green"


def state(value: object) -> object:
    return stored.state({"state": value})


def colour(value: object) -> Colour:
    return stored.choice(Colour, value)


READ: list[tuple[Callable[[object], object], object, object]] = [
    (stored.text, "", ""),
    (stored.text, "عربي", "عربي"),
    (stored.text_or_none, None, None),
    (stored.text_or_none, "a", "a"),
    (state, {"party": {"1": "a", "2": None}}, {"party": {"1": "a", "2": None}}),
    (state, {"party": {"1": ["a", None]}}, {"party": {"1": ["a", None]}}),
    (stored.number, 0, 0),
    (stored.number, -7, -7),
    (stored.flag, True, True),
    (stored.flag, False, False),
    (stored.flag, 1, True),
    (stored.flag, 0, False),
    (stored.data, b"\x00", b"\x00"),
    (stored.data, memoryview(b"ab"), b"ab"),
    (stored.identity, AN_ID, AN_ID),
    (stored.identity, AN_ID.hex, AN_ID),
    (stored.identity_or_none, None, None),
    (stored.identity_or_none, AN_ID.hex, AN_ID),
    (stored.moment, NOON, NOON),
    (stored.moment, NOON.astimezone(dt.timezone(dt.timedelta(hours=2))), NOON),
    (stored.moment, "2026-11-25 12:00:00.000005", NOON),
    (colour, "green", Colour.GREEN),
    (stored.mapping, {"a": 1}, {"a": 1}),
    (stored.mapping, '{"a": [1, null, true]}', {"a": [1, None, True]}),
    (stored.texts_or_none, None, None),
    (stored.texts_or_none, {"a": "b"}, {"a": "b"}),
    (stored.texts_or_none, '{"a": "b"}', {"a": "b"}),
    (stored.texts_in_rows, [], []),
    (stored.texts_in_rows, '[{"a": "b"}]', [{"a": "b"}]),
    (stored.day, "2026-11-25", dt.date(2026, 11, 25)),
    (stored.day, dt.date(2026, 11, 25), dt.date(2026, 11, 25)),
]


@pytest.mark.parametrize(("read", "value", "expected"), READ)
def test_what_the_application_writes_is_read(
    read: Callable[[object], object], value: object, expected: object
) -> None:
    value_read = read(value)
    assert value_read == expected
    assert type(value_read) is type(expected)


REFUSED: list[tuple[Callable[[object], object], object]] = [
    (stored.text, None),
    (stored.text, 1),
    (stored.text, b"bytes"),
    (stored.text, stored.any_bytes(b"\xff\xfe")),
    (stored.text_or_none, 1),
    (stored.number, "1"),
    (stored.number, 1.0),
    (stored.number, None),
    (stored.number, True),
    (stored.flag, 2),
    (stored.flag, "1"),
    (stored.data, "text"),
    (stored.data, None),
    (stored.identity, AN_ID.hex.upper()),
    (stored.identity, str(AN_ID)),
    (stored.identity, "{" + AN_ID.hex + "}"),
    (stored.identity, "g" * 32),
    (stored.identity, None),
    (stored.identity_or_none, "none"),
    (stored.moment, "2026-11-25T12:00:00.000005"),
    (stored.moment, "2026-11-25 12:00:00"),
    (stored.moment, "2026-11-25 12:00:00.000005+02:00"),
    (stored.moment, "2026-02-30 12:00:00.000000"),
    (stored.moment, "yesterday"),
    (stored.moment, 5),
    (state, {"party": {"1": ["a"]}}),
    (state, {"party": {"1": ["a", 1]}}),
    (colour, "red"),
    (colour, None),
    (stored.mapping, "[]"),
    (stored.mapping, "{"),
    (stored.mapping, None),
    (stored.mapping, "[" * 100_000),
    (stored.mapping, b"{}"),
    (stored.texts_or_none, "null"),
    (stored.texts_or_none, '{"a": 1}'),
    (stored.texts_or_none, '{"a": "\\ud800"}'),
    (stored.texts_or_none, '{"a": {"b": "c"}}'),
    (stored.texts_in_rows, '{"a": "b"}'),
    (stored.texts_in_rows, '[{"a": 1}]'),
    (stored.texts_in_rows, "[null]"),
    (stored.texts_in_rows, "["),
    (stored.day, "20261125"),
    (stored.day, "2026-11-25 12:00:00"),
    (stored.day, dt.datetime(2026, 11, 25, tzinfo=dt.UTC)),
    (stored.day, None),
]


@pytest.mark.parametrize(
    ("read", "value"), REFUSED, ids=lambda value: getattr(value, "__name__", repr(value)[:40])
)
def test_anything_else_is_refused(read: Callable[[object], object], value: object) -> None:
    with pytest.raises(DamagedError):
        read(value)
