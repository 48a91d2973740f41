"""Verification of bundles, link by link, by two independent programs.

In one file: each case alters one bundle, and both verifiers read all of them.
"""

import ast
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

from tests import second_verifier
from tests.effort import tries
from tests.factories.evidence.bundles import (
    BEGIN,
    CHAIN,
    CSO,
    HENRIK,
    NPM,
    TOMAS,
    Files,
    Instance,
    a_pdf,
    altered,
    an_id,
    begun,
    document_note,
    endorsed_by,
    judged,
    key_note,
    large,
    listed,
    print_of,
    private_key,
    proof,
    sealed,
    signed,
    usual,
)
from tests.second_verifier import Verifier
from tracker.core import canonical
from tracker.evidence import cli
from tracker.evidence.bundles import container, parts, verify
from tracker.evidence.log import merkle, notes
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


# What holds ---------------------------------------------------------------------------------------


def test_every_link_of_an_unchanged_bundle_is_valid() -> None:
    assert judged(BUNDLE) == {}
    report = verify.verify(BUNDLE)
    assert [verdict.link for verdict in report.verdicts] == [
        "File",
        "List",
        "Keys",
        "Seal",
        "Chain",
        "Texts",
        "Signatures",
        "Passkeys",
        "Certificates",
        "Log",
        "Earlier checkpoints",
    ]
    assert report.reference == "C-2026-0001"
    assert report.key == key_note().fingerprint


def test_it_says_what_was_signed_by_whom_and_how() -> None:
    first, second = verify.verify(BUNDLE).signed
    assert first.startswith("terms, revision 1: Henrik Asante for Open Door, 2026-01-15 09:00 UTC")
    assert first.endswith(", password with a code from an app")
    assert second.startswith("terms, revision 1: Tomas Beridan for Open Door, ")
    assert second.endswith(", passkey")


@pytest.mark.parametrize("paper", [{"signed_on": "2025-11-03"}, {"signed_on": 3}, {}])
def test_it_gives_the_date_of_a_paper_and_when_its_scan_was_confirmed(
    paper: dict[str, object],
) -> None:
    instance = begun()
    about = on_paper(**paper)
    instance.sign(instance.text("terms"), "paper", verb="signed_on_paper", paper=about)
    (line,) = verify.verify(instance.take_out()).signed
    confirmed = "2026-01-15 09:00 UTC"
    days = (
        f"2025-11-03 (scan confirmed {confirmed})"
        if paper.get("signed_on") == "2025-11-03"
        else confirmed
    )
    assert line == f"terms, revision 1: Henrik Asante for Open Door, {days}, on paper"


def test_a_minimal_bundle_is_valid() -> None:
    assert judged(begun().take_out()) == {}


def test_a_bundle_is_valid_whatever_leaves_the_log_had_before() -> None:
    for others in range(9):
        instance = begun()
        checkpoints = [instance.checkpoint(others=others) for _ in range(others)]
        for _ in range(others):
            instance.event("answer_saved")
        data = instance.take_out(checkpoints)
        assert judged(data, *(checkpoint.text() for checkpoint in checkpoints)) == {}


def test_keys_that_were_rotated_vouch_for_each_other() -> None:
    instance = begun(number=3, keys=[key_note(1), endorsed_by(2, 1), endorsed_by(3, 2)])
    data = instance.take_out()
    assert judged(data) == {}
    words = {verdict.link: verdict.words for verdict in verify.verify(data).verdicts}
    assert "From checkpoint key 1 to 3 each vouches for the next." in words["Keys"]


def test_a_key_that_was_revoked_later_vouches_for_nothing_and_the_report_says_so() -> None:
    keys = [key_note(1, revoked=INSTANCE.at, reason="The server was stolen"), endorsed_by(2, 1)]
    data = begun(number=2, keys=keys).take_out()
    assert judged(data) == {}
    words = {verdict.link: verdict.words for verdict in verify.verify(data).verdicts}
    assert "Key 1, which vouches for those after it, was revoked" in words["Keys"]


def test_a_text_whose_key_was_destroyed_may_be_missing_once_that_is_recorded() -> None:
    instance = begun()
    instance.text(readable=False)
    assert "no event says that it was erased" in judged(instance.take_out())["Texts"]
    instance = begun()
    instance.text(readable=False)
    instance.event("details_erased")
    assert judged(instance.take_out()) == {}


# Any byte -----------------------------------------------------------------------------------------


def test_changing_adding_or_removing_any_byte_is_noticed() -> None:
    random = Random(20260115)
    for _ in range(tries(300, 1000)):
        place = random.randrange(len(BUNDLE))
        byte = bytes([random.randrange(256)])
        act = random.choice(["change", "add", "take"])
        until = place if act == "add" else place + 1
        data = BUNDLE[:place] + (b"" if act == "take" else byte) + BUNDLE[until:]
        if data != BUNDLE:
            assert set(judged(data)) == {"File"}


def test_a_byte_changed_in_a_file_that_is_packed_again_is_noticed_by_the_list() -> None:
    random = Random(20260116)
    files = container.unpack(BUNDLE)
    for _ in range(tries(100, 300)):
        name = random.choice(sorted(set(files) - {parts.MANIFEST, parts.SEAL}))
        data = bytearray(files[name])
        data[random.randrange(len(data))] ^= random.randrange(1, 256)
        assert set(judged(container.pack(files | {name: bytes(data)}))) == {"List"}


def test_a_byte_changed_in_list_or_seal_is_noticed() -> None:
    random = Random(20260117)
    files = container.unpack(BUNDLE)
    for _ in range(tries(100, 300)):
        name = random.choice([parts.MANIFEST, parts.SEAL])
        data = bytearray(files[name])
        data[random.randrange(len(data))] ^= random.randrange(1, 256)
        assert judged(container.pack(files | {name: bytes(data)}))


def test_a_changed_byte_under_a_rewritten_list_breaks_the_seal() -> None:
    random = Random(20260118)
    names = sorted(set(container.unpack(BUNDLE)) - {parts.MANIFEST, parts.SEAL})
    for _ in range(tries(70, 200)):
        name = random.choice(names)

        def change(files: Files, name: str = name) -> None:
            data = bytearray(files[name])
            data[random.randrange(len(data))] ^= random.randrange(1, 256)
            files[name] = bytes(data)

        assert "Seal" in judged(altered(BUNDLE, change))


def test_a_byte_changed_by_who_holds_the_key_is_noticed_in_all_but_the_words_for_people() -> None:
    random = Random(20260119)
    names = sorted(set(container.unpack(BUNDLE)) - {parts.MANIFEST, parts.SEAL, parts.README})
    for _ in range(tries(150, 500)):
        name = random.choice(names)

        def change(files: Files, name: str = name) -> None:
            data = bytearray(files[name])
            data[random.randrange(len(data))] ^= random.randrange(1, 256)
            files[name] = bytes(data)

        flaws = judged(altered(BUNDLE, change, private_key()))
        # What keys say about their beginning and end is the instance's word.
        assert flaws or name == parts.KEYS


def test_any_value_that_who_holds_the_key_puts_in_is_judged_alike_by_both() -> None:
    """Events bind the rows again, so verifiers have to notice what is wrong in the rows."""
    random = Random(20260120)
    for _ in range(tries(150, 400)):
        name = random.choice([parts.MANIFEST, parts.EVENTS, parts.ROWS, parts.ROWS])
        files = container.unpack(BUNDLE)
        lines = [json.loads(line) for line in files[name].splitlines()]
        _put_somewhere(random.choice(lines), random)
        files[name] = b"".join(_written(line) + b"\n" for line in lines)
        if name == parts.MANIFEST:
            files[name] = files[name].removesuffix(b"\n")
        else:
            _bind_anew(files)
            files = listed(files)
        judged(container.pack(sealed(files, private_key())))


def _put_somewhere(value: Any, random: Random, odd: Sequence[Any] = ODD) -> None:
    """Replace some value inside another, however deeply nested."""
    place = random.choice(list(value) if isinstance(value, dict) else range(len(value)))
    if isinstance(value[place], dict | list) and value[place] and random.random() < 0.8:
        _put_somewhere(value[place], random, odd)
    elif random.random() < 0.2:
        del value[place]
    else:
        value[place] = random.choice(odd)


def _bind_anew(files: Files) -> None:
    lines = [json.loads(line) for line in files[parts.EVENTS].splitlines()]
    events = [line["event"] for line in lines if "event" in line]
    for line in files[parts.ROWS].splitlines():
        row = json.loads(line)
        if row.get("event") in range(1, len(events)) and isinstance(events[row["event"] - 1], dict):
            digest = canonical.digest(_written(row.get("row")))
            events[row["event"] - 1]["evidence"] = digest
    for before, after in pairwise(events):
        if isinstance(after, dict):
            after["previous"] = canonical.digest(_written(before))
    files[parts.EVENTS] = b"".join(_written(line) + b"\n" for line in lines)


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize("data", [b"", b"PK", b"\0" * 400, BUNDLE[:-1], BUNDLE[22:], BUNDLE * 2])
def test_a_file_that_is_not_a_bundle_is_reported_as_such(data: bytes) -> None:
    assert set(judged(data)) == {"File"}


def test_a_fraction_anywhere_in_what_is_bound_is_refused_by_both() -> None:
    files = container.unpack(BUNDLE)
    lines = [json.loads(line) for line in files[parts.EVENTS].splitlines()]
    detailed = next(line for line in lines if line["details"] is not None)
    detailed["details"]["content"]["version"] = 1.5
    detailed["event"]["details"] = canonical.digest(_written(detailed["details"]))
    files[parts.EVENTS] = b"".join(_written(line) + b"\n" for line in lines)
    _bind_anew(files)
    flaws = judged(container.pack(sealed(listed(files), private_key())))
    assert "not in canonical form" in flaws["Chain"]


def test_a_bundle_without_events_is_refused_by_both() -> None:
    files = container.unpack(begun().take_out())
    files[parts.EVENTS] = b""
    flaws = judged(container.pack(sealed(listed(files, count=0), private_key())))
    assert "Events are missing" in flaws["Chain"]


def test_the_newest_checkpoint_is_not_an_earlier_checkpoint_too() -> None:
    instance = begun()
    data = instance.take_out()
    newest = instance.newest

    def put_it_again(files: Files) -> None:
        files[parts.checkpoint_name(newest.size)] = parts.earlier(
            newest,
            instance.inclusion(newest.size),
            notes.Consistency(newest.origin, newest.size, newest.size, ()),
        )

    flaws = judged(altered(data, put_it_again, private_key()))
    assert "is not earlier" in flaws["Earlier checkpoints"]


@pytest.mark.parametrize("reason", ["a" * 64 + ">b", "a" * 64 + "b:", "a" * 64 + "at:b", "a" * 80])
def test_keys_are_read_whatever_the_reason_for_revoking_one(reason: str) -> None:
    keys = [key_note(), key_note(2, revoked=BEGIN, reason=reason)]
    assert judged(begun(keys=keys).take_out()) == {}


# Each link, altered by somebody who holds the key -------------------------------------------------


@pytest.mark.parametrize(
    ("link", "words", "change"),
    [
        ("List", "doesn't belong in a bundle", put("more.txt", b"more")),
        ("List", "doesn't belong in a bundle", put("keys", b"more")),
        ("Keys", "belongs to no key", put("keys/document-9.pem", b"")),
        ("Keys", "is malformed", in_text(parts.KEYS, "number: 1", "number:  1")),
        (
            "Keys",
            "doesn't match its fingerprint",
            in_keys(replace(key_note(), fingerprint="a" * 64)),
        ),
        ("Keys", "occurs twice", in_keys(key_note(), key_note())),
        ("Keys", "no checkpoint key", in_keys()),
        ("Keys", "for a use that is unknown", in_text(parts.KEYS, "use: checkpoint", "use: x")),
        (
            "Keys",
            "does not vouch",
            in_keys(key_note(), key_note(2, endorsed_by=1, endorsement=b"x" * 64)),
        ),
        (
            "Keys",
            "does not vouch",
            in_keys(key_note(), endorsed_by(2, 5)),
        ),
        (
            "Keys",
            "Nobody vouches for",
            in_keys(key_note(), replace(endorsed_by(2, 1), endorsed_by=None)),
        ),
        ("Keys", "is not there", take(parts.KEYS)),
        ("Keys", "is not there", take("keys/document-1.pem")),
        ("Keys", "no certificate that can be read", put("keys/document-1.pem", b"")),
        (
            "Keys",
            "is malformed",
            lambda files: files.update(
                {"keys/document-1.pem": files["keys/document-1.pem"] + b" "}
            ),
        ),
        (
            "Keys",
            "differs from its certificate",
            put(parts.KEYS, parts.key_notes([key_note(), OTHER])),
        ),
        (
            "Seal",
            "was revoked before",
            in_keys(key_note(revoked=INSTANCE.at.replace(year=2025))),
        ),
        (
            "Seal",
            "was retired before",
            in_keys(key_note(retired=INSTANCE.at.replace(year=2025))),
        ),
        ("Seal", "not among those", in_keys(key_note(2))),
        ("Chain", "is not there", in_lines(parts.EVENTS, lambda them: them.pop(3))),
        (
            "Chain",
            "Event 4 does not follow",
            in_lines(parts.EVENTS, lambda them: them[2]["event"].update(verb="declined")),
        ),
        ("Chain", "is not there", in_lines(parts.EVENTS, lambda them: them.insert(3, them[3]))),
        ("Chain", "is not there", other_event(3, number=4)),
        ("Chain", "another chain", other_event(3, chain=str(CHAIN)[::-1])),
        ("Chain", "missing at the end", in_lines(parts.EVENTS, lambda them: them.pop())),
        (
            "Chain",
            "details of event 3 were changed",
            in_lines(parts.EVENTS, lambda them: them[2]["details"]["content"].update(who="Ida")),
        ),
        (
            "Chain",
            "details of event 3 were changed",
            in_lines(parts.EVENTS, lambda them: them[2]["details"].update(salt="0")),
        ),
        (
            "Chain",
            "contrary to the list",
            in_lines(parts.EVENTS, lambda them: them[2].update(details=None)),
        ),
        (
            "Chain",
            "fields that it must have",
            in_lines(parts.EVENTS, lambda them: them[2].update(more=1)),
        ),
        (
            "Chain",
            "fields that it must have",
            in_lines(parts.EVENTS, lambda them: them[2]["event"].update(more=1)),
        ),
        (
            "Chain",
            "fields that it must have",
            in_lines(parts.EVENTS, lambda them: them[2]["details"].update(more=1)),
        ),
        ("Chain", "not of its kind", other_event(3, verb=7)),
        ("Chain", "not of its kind", other_event(3, number=True)),
        ("Chain", "does not begin with the opening", other_event(1, verb="signed")),
        ("Chain", "does not end with the export", other_event(9, verb="signed")),
        ("Chain", "does not end with the export", other_event(9, at="2026-01-15")),
        ("Chain", "not in canonical form", in_text(parts.EVENTS, '{"details"', '{ "details"')),
        (
            "Chain",
            "was cut off",
            lambda files: files.update({parts.EVENTS: files[parts.EVENTS][:-1]}),
        ),
        ("Chain", "is not there", take(parts.EVENTS)),
        (
            "Texts",
            "was changed: it doesn't match its digest",
            in_text("documents/2.json", "terms 2", "terms 3"),
        ),
        ("Texts", "is missing or present", take("documents/2.json")),
        ("Texts", "belongs to no event", put("documents/3.json", b"{}")),
        ("Texts", "belongs to no event", put("documents/x", b"{}")),
        ("Texts", "does not bind it", in_text(parts.ROWS, "Henrik", "Hendrik")),
        (
            "Texts",
            "in the order of their events",
            in_lines(parts.ROWS, lambda them: them.reverse()),
        ),
        ("Texts", "Rows are missing", in_lines(parts.ROWS, lambda them: them.pop())),
        (
            "Texts",
            "in the order of their events",
            in_lines(parts.ROWS, lambda them: them.insert(1, them[0])),
        ),
        (
            "Texts",
            "is unknown",
            in_lines(parts.ROWS, lambda them: them[0].update(kind="paper")),
        ),
        (
            "Texts",
            "fields that it must have",
            in_lines(parts.ROWS, lambda them: them[0].update(more=1)),
        ),
        ("Texts", "does not bind it", other_event(2, evidence="b" * 64)),
        (
            "Log",
            "is another instance's",
            put(
                parts.CHECKPOINT,
                signed(replace(NEWEST, origin="https://x"), private_key()).text().encode(),
            ),
        ),
        ("Log", "is of another size", put(parts.CHECKPOINT, HELD.text().encode())),
        (
            "Log",
            "does not cover this chain",
            put(
                parts.CHECKPOINT,
                signed(replace(NEWEST, root="c" * 64), private_key()).text().encode(),
            ),
        ),
        (
            "Log",
            "has no valid signature",
            put(parts.CHECKPOINT, replace(NEWEST, previous=1).text().encode()),
        ),
        (
            "Log",
            "not among those",
            put(
                parts.CHECKPOINT,
                signed(replace(NEWEST, key=key_note(2).fingerprint), private_key(2))
                .text()
                .encode(),
            ),
        ),
        ("Log", "is malformed", in_text(parts.CHECKPOINT, "size: ", "size:  ")),
        ("Log", "is malformed", in_text(parts.INCLUSION, "leaf: ", "leaf:  ")),
        ("Log", "is malformed", take(parts.CHECKPOINT)),
        ("Log", "is malformed", take(parts.INCLUSION)),
        ("Log", "is another's", in_text(parts.INCLUSION, "size: 8", "size: 7")),
        ("Log", "is another's", in_text(parts.INCLUSION, "chain: ", "chain: x")),
        ("Log", "does not cover this chain", in_text(parts.INCLUSION, "leaf: 7", "leaf: 6")),
        ("Log", "does not cover this chain", in_text(parts.INCLUSION, "leaf: 7", "leaf: 9")),
        ("Log", "the chain was rewritten", in_text(parts.INCLUSION, "count: 9", "count: 8")),
        ("Log", "not as many events", in_text(parts.INCLUSION, "count: 9", "count: 10")),
        ("Log", "not as many events", in_text(parts.INCLUSION, "count: 9", "count: 0")),
        ("Log", "the chain was rewritten", other_event(7, verb="declined")),
        (
            "Log",
            "does not cover the last event",
            put(parts.INCLUSION, of_held_in_newest().text().encode()),
        ),
        (
            "Earlier checkpoints",
            "of another size",
            lambda files: files.update({"checkpoints/5.txt": files.pop("checkpoints/4.txt")}),
        ),
        (
            "Earlier checkpoints",
            "is malformed",
            in_text("checkpoints/4.txt", "\n\n", "\n \n"),
        ),
        ("Earlier checkpoints", "is malformed", put("checkpoints/4.txt", b"\xff")),
        ("Earlier checkpoints", "is malformed", put("checkpoints/", b"")),
        (
            "Earlier checkpoints",
            "rewritten",
            put(
                "checkpoints/4.txt",
                parts.earlier(
                    signed(replace(HELD, root="d" * 64), private_key()),
                    INSTANCE.inclusion(4),
                    INSTANCE.consistency(4, 8),
                ),
            ),
        ),
        (
            "Earlier checkpoints",
            "rewritten",
            put(
                "checkpoints/4.txt",
                parts.earlier(
                    HELD, INSTANCE.inclusion(4), replace(INSTANCE.consistency(4, 8), after=7)
                ),
            ),
        ),
        (
            "Earlier checkpoints",
            "has no valid signature",
            put(
                "checkpoints/4.txt",
                parts.earlier(
                    replace(HELD, previous=2), INSTANCE.inclusion(4), INSTANCE.consistency(4, 8)
                ),
            ),
        ),
        (
            "Earlier checkpoints",
            "does not cover this chain",
            put(
                "checkpoints/4.txt",
                parts.earlier(
                    HELD, replace(INSTANCE.inclusion(4), proof=()), INSTANCE.consistency(4, 8)
                ),
            ),
        ),
    ],
)
def test_each_link_is_verified_separately_even_if_the_seal_is_valid(
    link: str, words: str, change: Change
) -> None:
    flaws = judged(altered(BUNDLE, change, private_key()))
    assert words in flaws[link], flaws


@pytest.mark.parametrize(
    ("words", "more"),
    [
        ("is unknown", {"format": "common-terms/bundle/2"}),
        ("fields that it must have", {"more": 1}),
        ("not of its kind", {"count": "9"}),
        ("not of its kind", {"count": True}),
        ("not of its kind", {"origin": None}),
        ("in numbers", {"left_out": {"details": ["5"], "rows": [6], "documents": []}}),
        ("in numbers", {"left_out": {"details": 5, "rows": [6], "documents": []}}),
        ("in numbers", {"left_out": {}}),
        ("not in order", {"left_out": {"details": [5, 5], "rows": [6], "documents": []}}),
        (
            "fields that it must have",
            {"left_out": {"details": [5], "rows": [6], "documents": [], "more": []}},
        ),
    ],
)
def test_a_list_that_is_not_in_its_form_is_refused(words: str, more: dict[str, Any]) -> None:
    assert words in judged(with_list(**more))["List"]


def test_a_list_that_names_a_missing_file_is_refused() -> None:
    files = container.unpack(BUNDLE)
    del files["documents/2.json"]
    assert judged(container.pack(files)) == {"List": "documents/2.json is not there."}
    more = container.unpack(BUNDLE) | {"documents/9.json": b"{}"}
    assert judged(container.pack(more)) == {"List": "documents/9.json was put in."}
    assert set(judged(container.pack({"README.txt": b"Read me."}))) == {"List"}
    assert set(judged(container.pack(more | {parts.MANIFEST: b"[]"}))) == {"List"}
    assert set(judged(container.pack(more | {parts.MANIFEST: b"\xff"}))) == {"List"}


@pytest.mark.parametrize(
    ("link", "more"),
    [
        ("Chain", {"count": 8}),
        ("Chain", {"count": 10}),
        ("Chain", {"count": 0}),
        ("Chain", {"chain": str(CHAIN)[::-1]}),
        ("Chain", {"cooperation": str(CHAIN)}),
        ("Chain", {"reference": "C-2026-0002"}),
        ("Chain", {"left_out": {"details": [], "rows": [6], "documents": []}}),
        ("Chain", {"left_out": {"details": [5, 6], "rows": [6], "documents": []}}),
        ("Texts", {"left_out": {"details": [5], "rows": [], "documents": []}}),
        ("Texts", {"left_out": {"details": [5], "rows": [2, 6], "documents": []}}),
        ("Texts", {"left_out": {"details": [5], "rows": [6], "documents": [2]}}),
        ("Texts", {"left_out": {"details": [5], "rows": [6], "documents": [3]}}),
        ("Log", {"size": 4}),
        ("Log", {"origin": "https://other.example"}),
        ("Seal", {"made_at": "yesterday"}),
        ("Seal", {"made_at": "2026-01-15T09:00:00"}),
    ],
)
def test_a_list_that_contradicts_the_files_is_noticed(link: str, more: dict[str, Any]) -> None:
    assert link in judged(with_list(**more))


@pytest.mark.parametrize(
    "change",
    [
        take(parts.SEAL),
        put(parts.SEAL, b""),
        put(parts.SEAL, NEWEST.text().encode()),
        in_text(parts.SEAL, "manifest: ", "manifest:  "),
    ],
)
def test_a_bundle_without_its_seal_is_refused(change: Change) -> None:
    files = container.unpack(BUNDLE)
    change(files)
    assert set(judged(container.pack(files))) == {"Seal"}


def test_a_seal_of_another_key_is_refused() -> None:
    files = container.unpack(BUNDLE)
    assert set(judged(container.pack(sealed(files, private_key(2))))) == {"Seal"}
    named = sealed(files, private_key(2))[parts.SEAL].replace(
        key_note(2).fingerprint.encode(), key_note().fingerprint.encode()
    )
    flaws = judged(container.pack(files | {parts.SEAL: named}))
    assert flaws == {"Seal": "The key did not sign it."}


# Signatures ---------------------------------------------------------------------------------------


def test_a_signature_under_a_text_that_is_not_there_is_noticed() -> None:
    instance = begun()
    text = instance.text()
    instance.sign(text | {"id": "another"})
    flaws = judged(instance.take_out())
    assert flaws["Signatures"] == "The signature of Henrik Asante belongs to another text."
    assert set(flaws) == {"Signatures", "Passkeys"}
    instance = begun()
    instance.sign(instance.text() | {"digest": "e" * 64})
    assert "belongs to another text" in judged(instance.take_out())["Signatures"]


def test_a_row_of_another_cooperation_or_without_its_fields_is_noticed() -> None:
    instance = begun()
    row = instance.text() | {"cooperation": "another"}
    instance.rows.clear()
    instance = begun()
    instance.event("sent_for_signature", row=(parts.REVISION, row))
    assert "of another cooperation" in judged(instance.take_out())["Texts"]
    instance = begun()
    instance.event("signed", row=(parts.SIGNATURE, {"signer_name": "Henrik Asante"}))
    assert "revision is missing" in judged(instance.take_out())["Texts"]
    for words in ("yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        instance = begun()
        instance.sign(instance.text(), signed_at=words)
        assert "is not a time" in judged(instance.take_out())["Signatures"]


@pytest.mark.parametrize(
    ("flaw", "more"),
    [
        ("has no proof", {"proof": None}),
        ("incomplete", {"proof": {}}),
        ("incomplete", {"proof": "proof"}),
        ("other_text", {"proof": proof("e" * 64)}),
        ("other_text", {"sentence": "I sign something else."}),
    ],
)
def test_a_passkey_that_did_not_sign_this_is_noticed(flaw: str, more: dict[str, Any]) -> None:
    instance = begun()
    instance.sign(instance.text(), "passkey", **more)
    flaws = judged(instance.take_out())
    assert set(flaws) == {"Passkeys"}
    assert flaw in flaws["Passkeys"]


@pytest.mark.parametrize("part", ["signature", "authenticator_data", "public_key"])
def test_a_passkey_whose_answer_was_changed_is_noticed(part: str) -> None:
    instance = begun()
    text = instance.text()
    given = proof(text["digest"])
    place = len(given[part]) // 2
    other = "B" if given[part][place] == "A" else "A"
    given[part] = given[part][:place] + other + given[part][place + 1 :]
    instance.sign(text, "passkey", proof=given)
    assert set(judged(instance.take_out())) == {"Passkeys"}


def test_a_proof_beside_another_method_is_noticed() -> None:
    instance = begun()
    text = instance.text()
    instance.sign(text, proof=proof(text["digest"]))
    assert "one of another method" in judged(instance.take_out())["Passkeys"]


def by_host(method: str, **more: Any) -> dict[str, Any]:
    host = {"host": str(an_id("host")), "host_name": "Ilena Dorvath", "host_for": "The NPM"}
    return {"presence": {**host, "method": method, "known_by": "An identity card", **more}}


def test_a_signature_in_somebodys_presence_is_proven_as_that_person_proved_it() -> None:
    instance = begun()
    text = instance.text()
    instance.sign(text, "in_presence", **by_host("password_totp"))
    instance.sign(text, "in_presence", **by_host("passkey"), proof=proof(text["digest"]))
    assert judged(instance.take_out()) == {}


@pytest.mark.parametrize(
    ("method", "more", "flaw"),
    [
        ("in_presence", {}, "names nobody present"),
        ("in_presence", {"presence": None}, "names nobody present"),
        ("in_presence", {"presence": ["host"]}, "names nobody present"),
        ("in_presence", by_host("password_totp", host=[]), "names nobody present"),
        ("in_presence", by_host("password_totp", host={}), "names nobody present"),
        ("password_totp", {"presence": None}, "names nobody present"),
        ("password_totp", by_host("password_totp"), "names nobody present"),
        ("in_presence", by_host("passkey"), "no proof"),
        ("in_presence", {**by_host("password_totp"), "proof": proof("a" * 64)}, "no proof"),
        ("in_presence", {**by_host("passkey"), "proof": proof("b" * 64)}, "did not sign"),
    ],
)
def test_a_signature_in_somebodys_presence_without_it_or_its_proof_is_noticed(
    method: str, more: dict[str, Any], flaw: str
) -> None:
    instance = begun()
    instance.sign(instance.text(), method, **more)
    assert flaw in judged(instance.take_out())["Passkeys"]


# PDFs ---------------------------------------------------------------------------------------------


def with_pdf(data: bytes, *keys: KeyNote, **more: Any) -> bytes:
    """Return a bundle with a PDF of its only text and the given document keys."""
    instance = begun(keys=[key_note(), *(keys or [document_note()])])
    instance.certificate(instance.agree(), data, **more)
    return instance.take_out()


def test_a_pdf_is_sound_that_a_key_for_documents_signed_even_an_old_one() -> None:
    assert judged(with_pdf(a_pdf())) == {}
    assert judged(with_pdf(a_pdf(key=2), document_note(), document_note(2))) == {}
    retired = document_note(retired=INSTANCE.at)
    assert judged(with_pdf(a_pdf(), retired, document_note(2))) == {}


@pytest.mark.parametrize(
    ("words", "data"),
    [
        ("is not signed", a_pdf(key=None)),
        ("was not signed with a key of this instance", a_pdf(key=2)),
        ("was added to after it was signed", a_pdf() + b"\n"),
        ("can't be read", b"No PDF."),
        ("can't be read", b""),
    ],
)
def test_a_pdf_that_is_not_signed_as_a_whole_by_such_a_key_is_noticed(
    words: str, data: bytes
) -> None:
    flaws = judged(with_pdf(data))
    assert set(flaws) == {"Certificates"}
    assert words in flaws["Certificates"]


def test_a_pdf_signed_with_a_key_that_had_ended_is_noticed() -> None:
    before = INSTANCE.at.replace(year=2025)
    for ended in (document_note(retired=before), document_note(revoked=before)):
        assert set(judged(with_pdf(a_pdf(), ended))) == {"Certificates"}


def test_a_pdf_changed_by_who_holds_the_checkpoint_key_alone_is_noticed() -> None:
    forged = a_pdf().replace(b"/Lang (en)", b"/Lang (ar)", 1)
    assert forged != a_pdf()
    assert "was not signed with a key" in judged(with_pdf(forged))["Certificates"]


def test_a_pdf_of_a_text_that_is_not_here_is_noticed() -> None:
    flaws = judged(with_pdf(a_pdf(), revision="another"))
    assert flaws == {"Certificates": "The PDF of event 6 is of a text that is not here."}


def test_a_pdf_that_is_missing_or_put_in_is_noticed() -> None:
    name = parts.file_name(parts.CERTIFICATE, 8)
    missing = judged(altered(BUNDLE, take(name), private_key()))
    assert "is missing or present" in missing["Certificates"]
    other = judged(altered(BUNDLE, put(name, a_pdf("ar")), private_key()))
    assert "doesn't match its digest" in other["Certificates"]
    stray = put("certificates/2.pdf", a_pdf())
    assert "belongs to no event" in judged(altered(BUNDLE, stray, private_key()))["Certificates"]


def test_a_pdf_whose_key_was_destroyed_may_be_missing_once_that_is_recorded() -> None:
    def erased(instance: Instance) -> Instance:
        instance.certificate(instance.agree(readable=False), a_pdf(), readable=False)
        return instance

    assert set(judged(erased(begun()).take_out())) == {
        "Texts",
        "Signatures",
        "Passkeys",
        "Certificates",
    }
    instance = erased(begun())
    instance.event("details_erased")
    assert judged(instance.take_out()) == {}
    instance = begun()
    instance.certificate(instance.agree(), a_pdf(), readable=False)
    flaws = judged(instance.take_out())
    assert "no event says that it was erased" in flaws["Certificates"]


# Who signed the text of a PDF ---------------------------------------------------------------------


def attested(tell: Callable[[Instance], dict[str, Any]]) -> bytes:
    """Return a bundle with a PDF of the described text."""
    instance = begun(keys=[key_note(), document_note()])
    instance.certificate(tell(instance), a_pdf())
    return instance.take_out()


def asks(**needed: int) -> dict[str, Any]:
    """Return the rule of a text that asks this many people of each party."""
    ids = {"npm": NPM, "cso": CSO}
    parties = [
        {"organisation_id": str(ids[organisation]), "needed": many}
        for organisation, many in needed.items()
    ]
    return {"signing": {"parties": parties}}


def named(*organisations: UUID) -> dict[str, Any]:
    """Return the signatories of a text that was frozen before texts had rules."""
    return {
        "signatories": [
            {"organisation_id": str(organisation_id), "name": "A"}
            for organisation_id in organisations
        ]
    }


def signed_so(
    *acts: Callable[[Instance, dict[str, Any]], object], **more: Any
) -> Callable[[Instance], dict[str, Any]]:
    """Freeze a text and perform the given acts on it, one after the other."""

    def tell(instance: Instance) -> dict[str, Any]:
        text = instance.text(**more)
        for act in acts:
            act(instance, text)
        return text

    return tell


def by(user: UUID | str, organisation: UUID | str | None, **more: Any) -> Callable[..., object]:
    """Sign as somebody for an organisation."""
    whom = str(organisation) if organisation else None
    return lambda instance, text: instance.sign(text, user=str(user), organisation=whom, **more)


def event_of(verb: str) -> Callable[..., object]:
    """Record an event about the text's subject."""
    return lambda instance, text: instance.event(verb, about=UUID(text["subject"]))


HENRIK_SIGNS, TOMAS_SIGNS = by(HENRIK, CSO), by(TOMAS, NPM)
SAMIRA = an_id("samira")
IN_FORCE = event_of("came_into_force")


def on_paper(**changed: Any) -> dict[str, Any]:
    """Return what a signature says about its scan: Samira recorded it, Tomas confirmed it."""
    return {
        "record": str(an_id("scan")),
        "recorded_by": str(SAMIRA),
        "confirmed_by": str(TOMAS),
        "confirmed_for": "The NPM",
        "made": "here",
    } | changed


def agreed_on_paper(signer: UUID, **changed: Any) -> Callable[[Instance], dict[str, Any]]:
    """Have somebody sign for the CSO on paper, and Tomas for the NPM as usual."""
    paper = {"verb": "signed_on_paper", "method": "paper", "paper": on_paper(**changed)}
    return signed_so(by(signer, CSO, **paper), TOMAS_SIGNS, IN_FORCE)


def agreed_before(
    other: UUID, party: str, verb: str = "former_agreement_recorded", **changed: Any
) -> Callable[[Instance], dict[str, Any]]:
    """Record an agreement from before, which Henrik and another person confirm for two parties."""

    def signs(user: UUID, organisation: UUID, confirmed_for: str) -> Callable[..., object]:
        confirmed = {"confirmed_by": str(user), "confirmed_for": confirmed_for}
        paper = on_paper(**({"made": "before"} | confirmed | changed))
        return by(user, organisation, verb="signed_on_paper", method="paper", paper=paper)

    return signed_so(signs(HENRIK, CSO, "Open Door"), signs(other, NPM, party), IN_FORCE, verb=verb)


@pytest.mark.parametrize(
    "tell",
    [
        signed_so(IN_FORCE),
        signed_so(HENRIK_SIGNS, IN_FORCE),
        signed_so(TOMAS_SIGNS, IN_FORCE),
        signed_so(HENRIK_SIGNS, by(SAMIRA, CSO), IN_FORCE),
        signed_so(HENRIK_SIGNS, by(TOMAS, None), IN_FORCE),
        signed_so(HENRIK_SIGNS, by(TOMAS, NPM, kind="countersignature"), IN_FORCE),
        signed_so(HENRIK_SIGNS, by(TOMAS, NPM, verb="answer_saved"), IN_FORCE),
        signed_so(HENRIK_SIGNS, IN_FORCE, TOMAS_SIGNS),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, event_of("declined"), IN_FORCE),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, event_of("signature_request_withdrawn"), IN_FORCE),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, event_of("signature_request_expired"), IN_FORCE),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, event_of("sent_for_signature"), IN_FORCE),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, event_of("former_agreement_recorded"), IN_FORCE),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, lambda instance, _: instance.event("came_into_force")),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says=asks(npm=2, cso=1)),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, TOMAS_SIGNS, IN_FORCE, says=asks(npm=2, cso=1)),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says=named(CSO, NPM, NPM)),
        signed_so(TOMAS_SIGNS, IN_FORCE, says=asks() | named(CSO)),
        signed_so(TOMAS_SIGNS, IN_FORCE, says=named() | {"parties": [{"id": str(CSO)}]}),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says={}),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says={"signing": {}} | named(CSO)),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says={"signing": "by all"}),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says={"parties": []}),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says={"parties": [{"id": "the NPM"}]}),
    ],
)
def test_a_pdf_of_a_text_that_lacks_a_signature_is_named(
    tell: Callable[[Instance], dict[str, Any]],
) -> None:
    ((link, words),) = judged(attested(tell)).items()
    assert link == "Certificates"
    assert words.endswith("is of a text that was not signed by all whom it names.")


@pytest.mark.parametrize(
    "tell",
    [
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE),
        signed_so(HENRIK_SIGNS, by(TOMAS, NPM, kind="signature"), IN_FORCE, event_of("declined")),
        signed_so(by("nobody", "x"), HENRIK_SIGNS, by("nobody", NPM), TOMAS_SIGNS, IN_FORCE),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, by(SAMIRA, NPM), IN_FORCE, says=asks(npm=2, cso=1)),
        signed_so(HENRIK_SIGNS, by(SAMIRA, CSO), IN_FORCE, says=named(CSO, CSO)),
        signed_so(HENRIK_SIGNS, IN_FORCE, says=asks() | named(CSO)),
        signed_so(HENRIK_SIGNS, IN_FORCE, says=named() | {"parties": [{"id": str(CSO)}]}),
        agreed_on_paper(HENRIK),
        agreed_before(HENRIK, "Open Door"),
    ],
)
def test_a_pdf_holds_whose_text_was_signed_by_all_in_whatever_shape_it_names_them(
    tell: Callable[[Instance], dict[str, Any]],
) -> None:
    assert judged(attested(tell)) == {}


def test_both_verifiers_judge_a_texts_signing_rules_alike() -> None:
    random = Random(20260121)
    odd = [value for value in ODD if type(value) is not float and value not in (2**53, 10**30)]
    odd += [str(NPM), str(CSO).upper(), "2", {"parties": []}, {"organisation_id": str(CSO)}]
    sound = 0
    number = tries(100, 300)
    for _ in range(number):
        says = {
            "signing": random.choice(
                [None, *(document["signing"] for document in (asks(), asks(npm=1, cso=1)))]
            ),
            **named(*random.choice([(), (CSO, NPM), (CSO, CSO)])),
            "parties": [{"id": str(CSO)}, {"id": str(NPM)}],
        }
        _put_somewhere(says, random, odd)
        flaws = judged(attested(signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says=says)))
        assert flaws.keys() <= {"Certificates"}
        sound += not flaws
    assert number / 6 < sound < number * 5 / 6


def test_each_text_of_a_checklist_is_judged_by_its_own_signatures() -> None:
    instance = begun(keys=[key_note(), document_note()])
    first, second = instance.agree(), instance.agree()
    for text in (first, second):
        instance.certificate(text, a_pdf())
    instance.text()
    assert judged(instance.take_out()) == {}
    instance = begun(keys=[key_note(), document_note()])
    instance.agree()
    amended = instance.text()
    instance.sign(amended)
    instance.come_into_force(amended)
    instance.certificate(amended, a_pdf())
    assert list(judged(instance.take_out())) == ["Certificates"]


def test_a_signature_from_before_the_text_was_frozen_does_not_count() -> None:
    def tell(instance: Instance) -> dict[str, Any]:
        other = begun()
        other.event("answer_saved")
        to_be = other.text()
        TOMAS_SIGNS(instance, to_be)
        text = instance.text()
        assert text == to_be
        HENRIK_SIGNS(instance, text)
        IN_FORCE(instance, text)
        return text

    assert list(judged(attested(tell))) == ["Certificates"]


def test_a_signature_that_names_another_digest_does_not_count() -> None:
    other = by(TOMAS, NPM, document_digest="e" * 64)
    assert list(judged(attested(signed_so(HENRIK_SIGNS, other, IN_FORCE)))) == [
        "Signatures",
        "Passkeys",
        "Certificates",
    ]


def test_a_text_that_is_bound_twice_is_not_taken_for_signed_by_all() -> None:
    """It was declined, then the holder of the key sent and signed it again, as if another."""

    def tell(instance: Instance) -> dict[str, Any]:
        text = instance.text()
        instance.event("declined", about=UUID(text["subject"]))
        place = instance.event(
            "sent_for_signature", row=(parts.REVISION, text), about=UUID(text["subject"])
        )
        first = parts.file_name(parts.REVISION, 2)
        instance.files[parts.file_name(parts.REVISION, place)] = instance.files[first]
        for act in (HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE):
            act(instance, text)
        return text

    assert list(judged(attested(tell))) == ["Certificates"]


def an_undertaking(
    *acts: Callable[[Instance, dict[str, Any]], object], **more: Any
) -> Callable[[Instance], dict[str, Any]]:
    """Freeze Henrik's undertaking and perform the given acts on it."""
    given = {"says": {"person": {"id": str(HENRIK), "name": "Henrik Asante"}}} | more
    return signed_so(
        *acts, kind="undertaking", subject_type="undertaking", verb="undertaking_frozen", **given
    )


def own(user: UUID | str = HENRIK, **more: Any) -> Callable[..., object]:
    """Sign an undertaking."""
    about = {"verb": "undertaking_signed", "about": an_id("undertaking")}
    return by(user, None, **(about | more))


def own_before(host: object) -> Callable[..., object]:
    """Sign an undertaking on somebody's device."""
    presence = {"host": str(host), "host_name": "Somebody", "host_for": "The NPM"}
    known = {"method": "password_totp", "known_by": "An identity card"}
    return own(method="in_presence", presence=presence | known)


def own_on_paper(**changed: Any) -> Callable[..., object]:
    """Sign an undertaking on paper."""
    return own(method="paper", paper=on_paper(**changed))


# Tomas recorded the scan, and Samira confirmed it.
SWAPPED = {"recorded_by": str(TOMAS), "confirmed_by": str(SAMIRA)}


def countersigned(user: UUID | str = TOMAS, **more: Any) -> Callable[..., object]:
    """Countersign an undertaking."""
    about = {"verb": "undertaking_countersigned", "about": an_id("undertaking")}
    return by(user, NPM, **({"kind": "countersignature"} | about | more))


@pytest.mark.parametrize(
    "tell",
    [
        an_undertaking(),
        an_undertaking(own()),
        an_undertaking(countersigned()),
        an_undertaking(own(), countersigned(HENRIK)),
        an_undertaking(own(SAMIRA), countersigned()),
        an_undertaking(own(kind="countersignature"), countersigned()),
        an_undertaking(own(), countersigned(kind="signature")),
        an_undertaking(own(), countersigned(verb="undertaking_signed")),
        an_undertaking(own(), countersigned(about=an_id("another undertaking"))),
        an_undertaking(own(about=an_id("another undertaking")), countersigned()),
        an_undertaking(own_before(TOMAS), countersigned()),
        an_undertaking(own_on_paper(**SWAPPED), countersigned()),
        an_undertaking(own_before(TOMAS), countersigned(str(TOMAS).upper())),
        an_undertaking(own(), countersigned(str(HENRIK).upper())),
        an_undertaking(own(), countersigned("somebody")),
        an_undertaking(own("somebody"), countersigned()),
        an_undertaking(own(), countersigned(), says={}),
        an_undertaking(own(), countersigned(), says={"person": "Henrik Asante"}),
        an_undertaking(own(), countersigned(), says={"person": {"id": [str(HENRIK)]}}),
        an_undertaking(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says=asks(npm=1, cso=1)),
    ],
)
def test_an_undertaking_that_its_person_or_somebody_else_did_not_sign_is_named(
    tell: Callable[[Instance], dict[str, Any]],
) -> None:
    ((link, words),) = judged(attested(tell)).items()
    assert (link, "not signed by all whom it names" in words) == ("Certificates", True)


def test_an_undertaking_holds_that_its_person_signed_and_another_countersigned() -> None:
    assert judged(attested(an_undertaking(own(), countersigned()))) == {}
    assert judged(attested(an_undertaking(own_before(SAMIRA), countersigned()))) == {}
    assert judged(attested(an_undertaking(own_on_paper(), countersigned()))) == {}
    assert judged(attested(an_undertaking(own(str(HENRIK).upper()), countersigned()))) == {}


BROKEN = {"Signatures", "Passkeys", "Certificates"}


def flaw_of(tell: Callable[[Instance], dict[str, Any]]) -> str:
    """Return why a signature on paper doesn't count; a certificate of its text isn't sound."""
    wrong = judged(attested(tell))
    assert set(wrong) == BROKEN
    assert "not signed by all whom it names" in wrong["Certificates"]
    return wrong["Signatures"]


@pytest.mark.parametrize("name", ["record", "recorded_by", "confirmed_by"])
@pytest.mark.parametrize(
    "value", [None, [], {}, 1, "", "somebody", str(SAMIRA).upper(), SAMIRA.hex, f"{{{SAMIRA}}}"]
)
def test_a_paper_whose_ids_are_not_written_as_the_instance_writes_them_is_named(
    name: str, value: object
) -> None:
    changed: dict[str, Any] = {name: value}
    for tell in (
        an_undertaking(own_on_paper(**changed), countersigned()),
        agreed_on_paper(HENRIK, **changed),
        agreed_before(TOMAS, "The NPM", **changed),
    ):
        assert "doesn't say who recorded and who confirmed a scan" in flaw_of(tell)


@pytest.mark.parametrize("paper", [None, [], "paper", {}, on_paper(confirmed_for=1)])
def test_a_signature_on_paper_that_does_not_describe_its_scan_is_named(paper: object) -> None:
    signs = by(HENRIK, CSO, verb="signed_on_paper", method="paper", paper=paper)
    for tell in (
        an_undertaking(own(method="paper", paper=paper), countersigned()),
        signed_so(signs, TOMAS_SIGNS, IN_FORCE),
    ):
        assert "doesn't say who recorded and who confirmed a scan" in flaw_of(tell)


def test_a_scan_belongs_to_a_signature_on_paper_and_to_no_other() -> None:
    for tell in (
        an_undertaking(own(method="paper"), countersigned()),
        an_undertaking(own(paper=on_paper()), countersigned()),
        signed_so(by(HENRIK, CSO, paper=on_paper()), TOMAS_SIGNS, IN_FORCE),
    ):
        assert "doesn't say who recorded and who confirmed a scan" in flaw_of(tell)


@pytest.mark.parametrize(
    "tell",
    [
        an_undertaking(own_on_paper(made="before"), countersigned()),
        agreed_on_paper(HENRIK, made="before"),
        agreed_on_paper(HENRIK, made="there"),
        agreed_before(TOMAS, "The NPM", verb="sent_for_signature"),
    ],
)
def test_a_paper_that_is_wrong_about_being_older_than_the_instance_is_named(
    tell: Callable[[Instance], dict[str, Any]],
) -> None:
    assert "doesn't say who recorded and who confirmed a scan" in flaw_of(tell)


@pytest.mark.parametrize(
    "tell",
    [
        an_undertaking(own_on_paper(confirmed_by=str(SAMIRA)), countersigned()),
        agreed_on_paper(HENRIK, confirmed_by=str(SAMIRA)),
        agreed_before(TOMAS, "The NPM", recorded_by=str(TOMAS)),
    ],
)
def test_a_scan_that_whoever_recorded_it_confirmed_is_named(
    tell: Callable[[Instance], dict[str, Any]],
) -> None:
    assert "is on a scan that whoever recorded it confirmed" in flaw_of(tell)


@pytest.mark.parametrize(
    "tell",
    [
        an_undertaking(own_on_paper(confirmed_by=str(HENRIK)), countersigned()),
        agreed_on_paper(TOMAS),
        # Only in a prior agreement does the person who confirmed for a party stand for its signers.
        agreed_before(TOMAS, "The NPM", made="here"),
        signed_so(
            by(str(TOMAS).upper(), CSO, verb="signed_on_paper", method="paper", paper=on_paper()),
            TOMAS_SIGNS,
            IN_FORCE,
        ),
    ],
)
def test_a_scan_that_somebody_confirmed_who_signed_on_it_is_named(
    tell: Callable[[Instance], dict[str, Any]],
) -> None:
    assert "is on a scan that somebody confirmed who signed on it" in flaw_of(tell)


def test_a_scan_that_one_person_confirmed_for_two_parties_is_named() -> None:
    tell = agreed_before(HENRIK, "The NPM")
    assert "is on a scan that one person confirmed for two parties" in flaw_of(tell)


@pytest.mark.parametrize(
    "presence",
    [
        None,
        [],
        "host",
        {"host": []},
        {"host": {}},
        {"host": str(SAMIRA)},
        {"host": "somebody", "method": "password_totp"},
        {"host": str(SAMIRA).upper(), "method": "password_totp"},
        {"host": SAMIRA.hex, "method": "password_totp"},
    ],
)
def test_who_was_present_can_be_anything_without_an_error(presence: object) -> None:
    instance = attested(
        an_undertaking(own(method="in_presence", presence=presence), countersigned())
    )
    assert set(judged(instance)) == {"Passkeys"}


def words_of_certificates(data: bytes) -> str:
    return next(
        verdict.words for verdict in verify.verify(data).verdicts if verdict.link == "Certificates"
    )


@pytest.mark.parametrize(
    ("tell", "holds"),
    [
        (signed_so(IN_FORCE, readable=False), True),
        (signed_so(HENRIK_SIGNS, TOMAS_SIGNS, readable=False), False),
        (signed_so(HENRIK_SIGNS, event_of("declined"), IN_FORCE, readable=False), False),
        (an_undertaking(own(SAMIRA), countersigned(), readable=False), True),
        (an_undertaking(own(), countersigned(HENRIK), readable=False), False),
        (an_undertaking(own(), readable=False), False),
    ],
)
def test_an_erased_text_is_judged_by_events_and_the_report_says_so(
    tell: Callable[[Instance], dict[str, Any]], *, holds: bool
) -> None:
    instance = begun(keys=[key_note(), document_note()])
    instance.certificate(tell(instance), a_pdf(), readable=False)
    instance.event("details_erased")
    data = instance.take_out()
    assert set(judged(data)) == (set() if holds else {"Certificates"})
    assert (
        "can't be told, as they are not here; their PDFs: 1." in words_of_certificates(data)
    ) is (holds)


def test_nothing_is_reported_about_confidential_texts_and_the_report_says_so() -> None:
    instance = begun(keys=[key_note(), document_note()])
    instance.certificate(instance.agree(), a_pdf())
    assert "not here" not in words_of_certificates(instance.take_out())
    instance = begun(keys=[key_note(), document_note()])
    instance.certificate(instance.agree(), a_pdf())
    for verb in ("undertaking_frozen", "undertaking_signed", "certificate_made"):
        instance.left_out["rows"].append(instance.event(verb, evidence="a" * 64))
    data = instance.take_out()
    assert judged(data) == {}
    words = words_of_certificates(data)
    assert "all whom its text names have signed that; there are 1." in words
    assert words.endswith("can't be told, as they are not here; their PDFs: 1.")


@pytest.mark.parametrize("name", ["kind", "user", "organisation"])
def test_a_signature_that_does_not_say_who_gave_it_for_whom_is_noticed(name: str) -> None:
    def change(rows: list[Any]) -> None:
        del rows[1]["row"][name]

    files = container.unpack(BUNDLE)
    in_lines(parts.ROWS, change)(files)
    _bind_anew(files)
    data = container.pack(sealed(listed(files), private_key()))
    assert f"{name} is missing, or not of its kind" in judged(data)["Texts"]


# Keys that somebody holds -------------------------------------------------------------------------


def test_a_key_that_is_held_sealed_the_bundle_or_vouches_for_what_did() -> None:
    keys = [key_note(1), endorsed_by(2, 1), endorsed_by(3, 2)]
    data = begun(number=3, keys=keys).take_out()
    for number in (1, 2, 3):
        assert judged(data, keys=[print_of(private_key(number))]) == {}


def test_a_strangers_forged_bundle_does_not_match_the_known_key() -> None:
    """It is sound in itself: people with nothing to compare it with can't tell."""
    fingerprint, strange = print_of(private_key(1)), begun(number=7, keys=[key_note(7)]).take_out()
    assert judged(strange) == {}
    assert not verify.verify(strange).is_compared
    assert Verifier(strange).headline == "sound in itself, compared with nothing you hold"
    wrong = judged(strange, keys=[fingerprint])
    assert list(wrong) == [f"Key {fingerprint[:8]}"]
    assert "did not seal the bundle, and does not vouch for what did" in next(iter(wrong.values()))
    assert Verifier(strange, keys=[fingerprint]).headline == "no sound evidence"


def test_a_revoked_keys_endorsement_does_not_count() -> None:
    keys = [key_note(1, revoked=INSTANCE.at, reason="The server was stolen"), endorsed_by(2, 1)]
    data = begun(number=2, keys=keys).take_out()
    wrong = judged(data, keys=[print_of(private_key(1))])
    assert [words for words in wrong.values() if "was revoked: what it vouches for" in words]
    assert judged(data, keys=[print_of(private_key(2))]) == {}


# Anchors ------------------------------------------------------------------------------------------


def test_an_anchor_says_how_much_was_there_when_it_was_signed() -> None:
    assert judged(BUNDLE, HELD.text(), NEWEST.text()) == {}
    report = verify.verify(BUNDLE, [verify.Anchor("mail.eml", HELD)])
    assert report.verdicts[-1].link == "Anchor mail.eml"
    assert "the first 3 of 9 events were there then" in report.verdicts[-1].words


def test_the_keys_owner_can_forge_a_bundle_but_not_one_that_agrees_with_an_anchor() -> None:
    instance = begun()
    text = instance.text()
    instance.sign(text, signer_name="Somebody Else")
    checkpoint = instance.checkpoint()
    instance.sign(text, "passkey", signer_name="Tomas Beridan")
    data = instance.take_out([checkpoint])
    assert judged(data) == {}
    assert checkpoint.size == HELD.size
    flaws = judged(data, HELD.text())
    assert flaws == {
        "Anchor 0": "The bundle has another checkpoint of this size: the log was forked."
    }
    without = instance.take_out()
    assert "is not in the bundle" in judged(without, HELD.text())["Anchor 0"]
    grown = HELD.text() + "\n" + instance.consistency(4, 12).text()
    assert "was rewritten" in judged(without, grown)["Anchor 0"]


@pytest.mark.parametrize(
    ("number", "keys", "is_compared"),
    [
        (7, [key_note(1), replace(key_note(7), number=2)], False),
        (2, [key_note(1), endorsed_by(2, 1)], True),
        (2, [key_note(1, revoked=INSTANCE.at, reason="Stolen"), endorsed_by(2, 1)], False),
    ],
    ids=["a stranger's key", "the next key", "the next after a revoked one"],
)
def test_what_was_added_after_an_anchor_counts_only_with_a_key_that_the_anchors_key_vouches_for(
    number: int, keys: list[KeyNote], is_compared: bool, tmp_path: Path
) -> None:
    """Whoever has a bundle can continue from there, with a log and a key of their own."""
    instance = begun()
    text = instance.text()
    instance.sign(text)
    checkpoint = instance.checkpoint()
    instance.number, instance.keys = number, keys
    instance.sign_for_npm(text)
    instance.come_into_force(text)
    data = instance.take_out([checkpoint])
    assert judged(data, checkpoint.text()) == {}
    report = verify.verify(data, [verify.Anchor("mail.eml", checkpoint)])
    assert (report.is_compared, report.anchored, report.count) == (is_compared, 3, 6)
    headline = "sound" if is_compared else "sound in itself, compared only with what you hold of it"
    assert Verifier(data, [checkpoint.text()]).headline == headline
    bundle, anchor = tmp_path / "bundle.zip", tmp_path / "anchor.txt"
    bundle.write_bytes(data)
    anchor.write_text(checkpoint.text())
    done = CliRunner().invoke(cli.verify, [str(bundle), "--anchor", str(anchor)])
    assert done.exit_code == (0 if is_compared else 3)
    assert ("its first 3 of 6 events were compared" in done.output) is not is_compared


def test_an_earlier_checkpoint_does_not_cover_a_rewritten_chain() -> None:
    instance = begun()
    instance.sign(instance.text(), signer_name="Somebody Else")
    head, instance.head = instance.head, HELD_HEAD
    checkpoint = instance.checkpoint()
    instance.head = head
    flaws = judged(instance.take_out([checkpoint]))
    assert set(flaws) == {"Earlier checkpoints"}
    assert "Event 3 is not the one" in flaws["Earlier checkpoints"]


def test_an_anchor_that_is_not_in_the_bundle_needs_the_proof_that_leads_to_it() -> None:
    instance = begun()
    small = instance.checkpoint()
    instance.event("answer_saved")
    data = instance.take_out()
    newest = instance.newest
    instance.event("answer_saved")
    large = instance.checkpoint()
    for checkpoint in (small, large):
        assert "/checkpoints/" in judged(data, checkpoint.text())["Anchor 0"]
        first, second = sorted((checkpoint.size, newest.size))
        grown = instance.consistency(first, second)
        with_proof = f"{checkpoint.text()}\n{grown.text()}"
        flaws = judged(data, with_proof)
        if checkpoint is large:
            assert flaws == {}
        else:  # the bundle proves no leaf below it
            assert "proves nothing of this cooperation that is as old" in flaws["Anchor 0"]
        other = replace(grown, proof=(b"\0" * 32,) * len(grown.proof))
        wrong = f"{checkpoint.text()}\n{other.text()}"
        assert "was rewritten" in judged(data, wrong)["Anchor 0"]
        forged = signed(replace(checkpoint, key=key_note(2).fingerprint), private_key(2))
        assert "not among those" in judged(data, f"{forged.text()}\n{grown.text()}")["Anchor 0"]


def test_an_anchor_is_read_from_an_email_even_with_an_invalid_bundle() -> None:
    quoted = "".join(f"> {line}\n" for line in HELD.text().splitlines())
    mail = f"From: a@npm.example\nSubject: A checkpoint\n\nKeep it.\n\n{quoted}\n-- \n"
    anchor = verify.Anchor.read("mail.eml", mail.encode())
    assert anchor.checkpoint == HELD
    assert verify.verify(BUNDLE, [anchor]).is_sound
    assert [verdict.link for verdict in verify.verify(b"", [anchor]).verdicts] == ["File"]
    with pytest.raises(notes.NoteError):
        verify.Anchor.read("mail.eml", b"Nothing in it.")


# What a file may try ------------------------------------------------------------------------------


def test_words_of_a_file_do_nothing_to_a_terminal() -> None:
    instance = begun()
    text = instance.text("\x1b[2Jterms")
    instance.sign(text, "by\nhand", signer_name="\x1b[31mHenrik\u202e" + "x" * 500)
    report = verify.verify(instance.take_out())
    assert report.is_sound
    (line,) = report.signed
    assert line.isprintable()
    assert len(line) < 400


def test_lines_nested_without_end_and_numbers_without_end_are_refused() -> None:
    for line in (b"[" * 100_000, b"1" * 5000, b"{" * 3, b"NaN", b"null"):
        data = altered(BUNDLE, put(parts.EVENTS, line + b"\n"), private_key())
        assert "Chain" in judged(data)
        data = altered(BUNDLE, put(parts.ROWS, line + b"\n"), private_key())
        assert "Texts" in judged(data)


def test_the_second_verifier_imports_nothing_of_the_application() -> None:
    path = Path(second_verifier.__file__)
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert names - set(sys.stdlib_module_names) == {"cryptography"}


@pytest.mark.parametrize(
    ("data", "options", "code", "last"),
    [
        (BUNDLE, [], 3, "sound in itself, compared with nothing you hold"),
        (BUNDLE, ["--key", key_note().fingerprint.upper()], 0, "sound"),
        (BUNDLE, ["--key", "0" * 64], 1, "no sound evidence"),
        (b"It isn't a bundle.", [], 1, "no sound evidence"),
    ],
)
def test_the_second_verifier_is_a_command_that_exits_like_the_first(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    data: bytes,
    options: list[str],
    code: int,
    last: str,
) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(data)
    assert second_verifier.main([str(file), *options]) == code
    assert capsys.readouterr().out.splitlines()[-1] == last


CHECKPOINT_TEXT = container.unpack(BUNDLE)["checkpoint.txt"].decode()
FIRST_LINE = "common-terms/checkpoint/1\n"


@pytest.mark.parametrize(
    "anchor",
    [
        "Dear all, please find the checkpoint below.\n",
        FIRST_LINE,
        re.sub("size: .*", "size: three", CHECKPOINT_TEXT),
        re.sub("previous: .*", "previous: 01", CHECKPOINT_TEXT),
        re.sub("root: .*", "root: " + "A" * 64, CHECKPOINT_TEXT),
        re.sub("key: .*", "key: mine", CHECKPOINT_TEXT),
        re.sub("at: .*", "at: 30 November 2026", CHECKPOINT_TEXT),
        re.sub("signature: .*", "signature: signed", CHECKPOINT_TEXT),
        CHECKPOINT_TEXT + "\ncommon-terms/consistency/1\norigin: x\nfrom: 1\nto: 2\nproof: x\n",
    ],
)
def test_an_anchor_that_cannot_be_read_is_an_error_of_its_own_in_both_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], anchor: str
) -> None:
    file, anchor_file = tmp_path / "bundle.zip", tmp_path / "kept.txt"
    file.write_bytes(BUNDLE)
    anchor_file.write_text(anchor, encoding="utf-8")
    both_exit(
        2, "kept.txt contains no checkpoint", [str(file), "--anchor", str(anchor_file)], capsys
    )


@pytest.mark.parametrize("key", ["mine", "0" * 63, "g" * 64, ""])
def test_a_key_that_is_no_digest_is_an_error_of_its_own_in_both_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(b"It isn't a bundle.")
    both_exit(2, f"{key} is not a SHA-256", [str(file), "--key", key], capsys)


def test_an_anchor_that_does_not_fit_is_a_flaw_in_both_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, anchor_file = tmp_path / "bundle.zip", tmp_path / "kept.txt"
    file.write_bytes(BUNDLE)
    anchor_file.write_text(re.sub("origin: .*", "origin: https://x.example", CHECKPOINT_TEXT))
    both_exit(1, "", [str(file), "--anchor", str(anchor_file)], capsys)


def both_exit(
    code: int, reason: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Run both programs, and compare with what code and reason each of them ends."""
    first = CliRunner().invoke(cli.evidence_group, ["verify", *arguments])
    assert (first.exit_code, reason in first.output) == (code, True), first.output
    if code != 2:
        assert second_verifier.main(arguments) == code
        return
    with pytest.raises(SystemExit) as left:
        second_verifier.main(arguments)
    assert left.value.code == code
    assert reason in capsys.readouterr().err


def test_the_second_verifier_says_which_file_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        second_verifier.main([str(tmp_path / "none.zip")])
    assert left.value.code == 2
    assert "none.zip" in capsys.readouterr().err


def test_ten_thousand_events_are_checked_in_five_seconds() -> None:
    data = large(10_000)
    begin = time.process_time()
    report = verify.verify(data)
    took = time.process_time() - begin
    assert report.is_sound
    assert "events: 10,000" in report.verdicts[4].words
    assert took < 5
