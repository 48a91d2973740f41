"""The parts of a bundle: file names, the manifest, and how each file is written. Pure.

docs/evidence-format.md describes the format.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tracker.core import canonical
from tracker.evidence.log import notes

README = "README.txt"
MANIFEST = "manifest.json"
SEAL = "seal.txt"
KEYS = "keys.txt"
CHECKPOINT = "checkpoint.txt"
INCLUSION = "inclusion.txt"
EVENTS = "events.jsonl"
ROWS = "rows.jsonl"
NAMES = {README, KEYS, CHECKPOINT, INCLUSION, EVENTS, ROWS}
# Folders, as prefixes of names.
KEY_CERTIFICATES, CHECKPOINTS = "keys/", "checkpoints/"
DOCUMENTS, CERTIFICATES = "documents/", "certificates/"
FOLDERS = (KEY_CERTIFICATES, CHECKPOINTS, DOCUMENTS, CERTIFICATES)

# Kinds of rows. Two of them come with a file whose digest is in the row.
REVISION, SIGNATURE, CERTIFICATE = "revision", "signature", "certificate"
WITH_FILE = (REVISION, CERTIFICATE)


def key_certificates_name(number: int) -> str:
    """Return the name of the file with the certificates of a document key."""
    return f"{KEY_CERTIFICATES}document-{number}.pem"


def file_name(kind: str, event: int) -> str:
    """Return the name of the file with the frozen text, or the PDF, of an event."""
    return f"{DOCUMENTS}{event}.json" if kind == REVISION else f"{CERTIFICATES}{event}.pdf"


def checkpoint_name(size: int) -> str:
    """Return the name of the file with an earlier checkpoint and its proofs."""
    return f"{CHECKPOINTS}{size}.txt"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the bundle leaves out, by the numbers of events.

    details were erased or would reveal too much; rows are of class K2 to K7 and closed to whoever
    exported the bundle; documents (frozen texts and PDFs) can't be read any more because their key
    was destroyed.
    """

    details: tuple[int, ...] = ()
    rows: tuple[int, ...] = ()
    documents: tuple[int, ...] = ()

    def content(self) -> dict[str, list[int]]:
        """Return it as plain values for the manifest."""
        return {
            "details": list(self.details),
            "rows": list(self.rows),
            "documents": list(self.documents),
        }


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says about itself, apart from the list of its files."""

    origin: str
    reference: str
    cooperation: str
    chain: str
    count: int
    size: int
    made_at: str
    left_out: LeftOut

    def content(self, files: Mapping[str, bytes]) -> dict[str, Any]:
        """Return the manifest for these files."""
        return {
            "format": notes.BUNDLE,
            "origin": self.origin,
            "reference": self.reference,
            "cooperation": self.cooperation,
            "chain": self.chain,
            "count": self.count,
            "size": self.size,
            "made_at": self.made_at,
            "left_out": self.left_out.content(),
            "files": {name: canonical.digest(data) for name, data in files.items()},
        }


def event_line(content: Mapping[str, Any], details: Mapping[str, Any] | None) -> bytes:
    """Return an event as a line: what its digest binds, with salt and details if included."""
    return _line({"event": dict(content), "details": None if details is None else dict(details)})


def row_line(event: int, kind: str, content: Mapping[str, Any]) -> bytes:
    """Return a row that an event binds as a line."""
    return _line({"event": event, "kind": kind, "row": dict(content)})


def earlier(
    checkpoint: notes.Checkpoint, inclusion: notes.Inclusion, consistency: notes.Consistency
) -> bytes:
    """Return an earlier checkpoint with its leaf, and the proof that leads to the latest one."""
    return "\n".join(note.text() for note in (checkpoint, inclusion, consistency)).encode()


def key_notes(keys: Iterable[notes.KeyNote]) -> bytes:
    """Return public keys as the content of a file."""
    return "\n".join(key.text() for key in keys).encode()


def readme(manifest: Manifest, key: str) -> bytes:
    """Return an explanation in plain words of what the bundle is and how to use it."""
    return _README.format(
        reference=manifest.reference,
        origin=manifest.origin,
        made_at=manifest.made_at,
        count=manifest.count,
        key=key,
    ).encode()


def _line(value: dict[str, Any]) -> bytes:
    return canonical.to_bytes(value) + b"\n"


_README = """\
Evidence of the cooperation {reference}

Exported from {origin}
on {made_at} (UTC), with the {count} events recorded until then.

What it shows

It shows anybody, without that server, which texts were frozen and signed, by whom, for whom, under
which power, when and how; what happened before and after; and that none of it was changed, added or
removed since.

What it contains

manifest.json   what this bundle is, and the SHA-256 of every file
seal.txt        the server's signature over that list
events.jsonl    every event, one on each line, with the digest of the one before
rows.jsonl      the frozen texts, signatures and certificates that events bind
documents/      the frozen texts, byte for byte as they were signed
certificates/   the same texts as signed PDFs, if there are any
checkpoint.txt  the state of the server's log when this was exported, signed
inclusion.txt   the proof that the events are in that log
checkpoints/    earlier states that were mailed to people of the parties, with proofs
keys.txt        the public keys; keys/ contains their certificates

How to check it

    tracker evidence verify FILE.zip
    tracker evidence verify FILE.zip --anchor CHECKPOINT

A checkpoint is a short text that the server mailed to the coordinators of each party, and publishes
at {origin}/checkpoints. If you have kept one, you can show that
nothing recorded before it was changed later, not even by the server.

Without one, and for what came after it, the check depends on the server's key. Compare the key's
SHA-256 with the one you were given through another channel by the people who run the server:

    {key}

docs/evidence-format.md of Common Terms describes every file, so that anybody can write their own
verifier. Don't change this file: if you unpack it and pack it again, it is another file.

What it leaves out

It leaves out texts about visits and people that the person who exported it can't open or didn't ask
for, and details of events that say more about a visit or a person than they may know. The events
themselves are here, with the digests of what was left out, so the chain is complete.

What each person on a visit's team confirms is recorded in another chain, which is never exported:
otherwise the number of events would reveal how many people are on the team. It does so only for
visits that were planned before the server was updated to do this.
"""
