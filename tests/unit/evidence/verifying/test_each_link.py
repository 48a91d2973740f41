"""Bundles in which the owner of the key altered one link: each is verified separately."""

from dataclasses import replace
from typing import Any

import pytest

from tests.factories.evidence.bundles import (
    CHAIN,
    altered,
    endorsed_by,
    judged,
    key_note,
    private_key,
    sealed,
    signed,
)
from tests.unit.evidence.verifying.changes import (
    BUNDLE,
    HELD,
    INSTANCE,
    NEWEST,
    OTHER,
    Change,
    in_keys,
    in_lines,
    in_text,
    of_held_in_newest,
    other_event,
    put,
    take,
    with_list,
)
from tracker.evidence.bundles import container, parts


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
