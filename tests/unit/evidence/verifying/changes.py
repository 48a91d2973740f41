"""The bundles that tests verify, and the ways in which they change them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any
from uuid import UUID

from tests.factories.evidence.bundles import (
    TOMAS,
    Files,
    an_id,
    document_note,
    listed,
    private_key,
    sealed,
    usual,
)
from tracker.core import canonical
from tracker.evidence.bundles import container, parts
from tracker.evidence.log import merkle
from tracker.evidence.log.notes import Inclusion, KeyNote

INSTANCE, HELD, BUNDLE = usual()


NEWEST = INSTANCE.newest


HELD_HEAD = INSTANCE.leaves[0][2]


# Values to put where something else is expected.
ODD: tuple[Any, ...] = (
    None,
    0,
    -1,
    True,
    "",
    "x",
    [],
    {},
    ["a"],
    {"a": 1},
    2**53,
    10**30,
    0.5,
    "2026-01-15T09:00:00",
)


# A document key that isn't the one in the certificate beside it.
OTHER = replace(document_note(), fingerprint="a" * 64)


Change = Callable[[Files], object]


def other_event(number: int, /, **values: Any) -> Change:
    """Change what an event says, and rebuild the chain from there on."""

    def change(files: Files) -> None:
        lines = [canonical.from_bytes(line) for line in files[parts.EVENTS].splitlines()]
        lines[number - 1]["event"].update(values)
        for before, after in zip(lines[number - 1 :], lines[number:], strict=False):
            after["event"]["previous"] = canonical.digest_of(before["event"])
        put_lines(files, parts.EVENTS, lines)

    return change


def put_lines(files: Files, name: str, lines: list[Any]) -> None:
    files[name] = b"".join(canonical.to_bytes(line) + b"\n" for line in lines)


def in_lines(name: str, change: Callable[[list[Any]], object]) -> Change:
    def changed(files: Files) -> None:
        lines = [canonical.from_bytes(line) for line in files[name].splitlines()]
        change(lines)
        put_lines(files, name, lines)

    return changed


def in_text(name: str, old: str, new: str) -> Change:
    def changed(files: Files) -> None:
        assert old.encode() in files[name]
        files[name] = files[name].replace(old.encode(), new.encode(), 1)

    return changed


def put(name: str, data: bytes) -> Change:
    return lambda files: files.update({name: data})


def in_keys(*keys: KeyNote) -> Change:
    """Replace the checkpoint keys."""
    return put(parts.KEYS, parts.key_notes([*keys, document_note()]))


def take(name: str) -> Change:
    return lambda files: files.pop(name)


def of_held_in_newest() -> Inclusion:
    """Return the proof that the newest log contains what was there at the earlier checkpoint."""
    path = tuple(merkle.inclusion(INSTANCE.tree, 3, 8))
    return replace(INSTANCE.inclusion(4), size=8, proof=path)


def with_list(**more: Any) -> bytes:
    """Return the bundle with another list, sealed by its instance."""
    files = listed(container.unpack(BUNDLE), **more)
    return container.pack(sealed(files, private_key()))


def put_somewhere(value: Any, random: Random, odd: Sequence[Any] = ODD) -> None:
    """Replace some value inside another, however deeply nested."""
    place = random.choice(list(value) if isinstance(value, dict) else range(len(value)))
    if isinstance(value[place], dict | list) and value[place] and random.random() < 0.8:
        put_somewhere(value[place], random, odd)
    elif random.random() < 0.2:
        del value[place]
    else:
        value[place] = random.choice(odd)


def bind_anew(files: Files) -> None:
    lines = [json.loads(line) for line in files[parts.EVENTS].splitlines()]
    events = [line["event"] for line in lines if "event" in line]
    for line in files[parts.ROWS].splitlines():
        row = json.loads(line)
        if row.get("event") in range(1, len(events)) and isinstance(events[row["event"] - 1], dict):
            digest = canonical.digest(as_written(row.get("row")))
            events[row["event"] - 1]["evidence"] = digest
    for before, after in pairwise(events):
        if isinstance(after, dict):
            after["previous"] = canonical.digest(as_written(before))
    files[parts.EVENTS] = b"".join(as_written(line) + b"\n" for line in lines)


def as_written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def named(*organisations: UUID) -> dict[str, Any]:
    """Return the signatories of a text that was frozen before texts had rules."""
    return {
        "signatories": [
            {"organisation_id": str(organisation_id), "name": "A"}
            for organisation_id in organisations
        ]
    }


SAMIRA = an_id("samira")


def on_paper(**changed: Any) -> dict[str, Any]:
    """Return what a signature says about its scan: Samira recorded it, Tomas confirmed it."""
    return {
        "record": str(an_id("scan")),
        "recorded_by": str(SAMIRA),
        "confirmed_by": str(TOMAS),
        "confirmed_for": "The NPM",
        "made": "here",
    } | changed
