"""Bundles in which any byte or value was changed."""

import json
from random import Random

import pytest

from tests.effort import tries
from tests.factories.evidence.bundles import (
    BEGIN,
    Files,
    altered,
    begun,
    judged,
    key_note,
    listed,
    private_key,
    sealed,
)
from tests.unit.evidence.verifying.changes import BUNDLE, as_written, bind_anew, put_somewhere
from tracker.core import canonical
from tracker.evidence.bundles import container, parts
from tracker.evidence.log import notes


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
        put_somewhere(random.choice(lines), random)
        files[name] = b"".join(as_written(line) + b"\n" for line in lines)
        if name == parts.MANIFEST:
            files[name] = files[name].removesuffix(b"\n")
        else:
            bind_anew(files)
            files = listed(files)
        judged(container.pack(sealed(files, private_key())))


@pytest.mark.parametrize("data", [b"", b"PK", b"\0" * 400, BUNDLE[:-1], BUNDLE[22:], BUNDLE * 2])
def test_a_file_that_is_not_a_bundle_is_reported_as_such(data: bytes) -> None:
    assert set(judged(data)) == {"File"}


def test_a_fraction_anywhere_in_what_is_bound_is_refused_by_both() -> None:
    files = container.unpack(BUNDLE)
    lines = [json.loads(line) for line in files[parts.EVENTS].splitlines()]
    detailed = next(line for line in lines if line["details"] is not None)
    detailed["details"]["content"]["version"] = 1.5
    detailed["event"]["details"] = canonical.digest(as_written(detailed["details"]))
    files[parts.EVENTS] = b"".join(as_written(line) + b"\n" for line in lines)
    bind_anew(files)
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
