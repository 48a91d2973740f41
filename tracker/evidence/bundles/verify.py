"""Verification of a bundle, link by link, from the file alone. Pure.

docs/evidence-format.md defines each link; change both together.

In one file: links are checked in one order, and each relies on what earlier links have shown.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from tracker.activity import verbs
from tracker.core import canonical
from tracker.core.canonical import NotCanonicalError
from tracker.evidence.bundles import container, parts
from tracker.evidence.bundles.container import ContainerError
from tracker.evidence.certificates import pdf
from tracker.evidence.log import merkle, notes
from tracker.evidence.log.notes import (
    Checkpoint,
    Consistency,
    Inclusion,
    KeyNote,
    NoteError,
    Seal,
)
from tracker.signoff import assertion, outcomes, vouching
from tracker.signoff.outcomes import Given
from tracker.signoff.vouching import Flaw

START = "0" * 64
CHECKPOINT_USE, DOCUMENT_USE = "checkpoint", "document"
OPENED, TAKEN_OUT, ERASED = "cooperation_opened", "evidence_exported", "details_erased"
CERTIFICATE_MADE = verbs.CERTIFICATE_MADE.name
FORMER = verbs.FORMER_AGREEMENT_RECORDED.name
# The verbs that end a signature request; the first of them means that everybody has signed.
IN_FORCE = verbs.CAME_INTO_FORCE.name
ENDS_OF_WAITING = frozenset(
    verb.name
    for verb in (
        verbs.CAME_INTO_FORCE,
        verbs.DECLINED,
        verbs.SIGNATURE_REQUEST_WITHDRAWN,
        verbs.SIGNATURE_REQUEST_EXPIRED,
        verbs.SENT_FOR_SIGNATURE,
        verbs.FORMER_AGREEMENT_RECORDED,
    )
)
SIGNING = frozenset(verb.name for verb in outcomes.SIGNING)
UNDERTAKING = "undertaking"
SIGNATURE = "signature"
OWN_SIGNATURE = (verbs.UNDERTAKING_SIGNED.name, SIGNATURE)
COUNTERSIGNATURE = (verbs.UNDERTAKING_COUNTERSIGNED.name, "countersignature")
PASSKEY = "passkey"
IN_PRESENCE = "in_presence"
# The prefix of an anchor's link; the file name follows.
ANCHOR = "Anchor"
HELD = "Key"
METHODS = {
    "password_totp": "password with a code from an app",
    "password_mailed_code": "password with a code by mail",
    PASSKEY: "passkey",
    "paper": "on paper",
    IN_PRESENCE: "in somebody's presence, on that person's device",
    "demonstration": "demonstration, without proof of identity",
}
MANIFEST_KEYS = {
    "format": str,
    "origin": str,
    "reference": str,
    "cooperation": str,
    "chain": str,
    "count": int,
    "size": int,
    "made_at": str,
    "left_out": dict,
    "files": dict,
}
EVENT_KEYS = {
    "event": str,
    "chain": str,
    "number": int,
    "verb": str,
    "subject_type": str,
    "subject": str,
    "at": str,
    "details": str,
    "evidence": (str, type(None)),
    "previous": str,
}
# The digest of what an event says about rows, in events since row binding.
STATE = "state"
REVISION_KEYS = {
    "id": str,
    "cooperation": str,
    "subject_type": str,
    "subject": str,
    "kind": str,
    "number": int,
    "digest": str,
}
SIGNATURE_KEYS = {
    "revision": str,
    "kind": str,
    "user": str,
    "organisation": (str, type(None)),
    "signer_name": str,
    "organisation_name": str,
    "sentence": str,
    "document_digest": str,
    "method": str,
    "signed_at": str,
}
CERTIFICATE_KEYS = {
    "revision": str,
    "language": str,
    "sha256": str,
    "made_at": str,
}
_KEYS_OF: dict[str, dict[str, Any]] = {
    parts.REVISION: REVISION_KEYS,
    parts.SIGNATURE: SIGNATURE_KEYS,
    parts.CERTIFICATE: CERTIFICATE_KEYS,
}
# Messages about a PDF that is not sound, the most important first.
PDF_FLAWS = {
    pdf.Flaw.UNREADABLE: "can't be read, or its signature can't",
    pdf.Flaw.NOT_SIGNED: "is not signed",
    pdf.Flaw.NOT_WHOLE: "was added to after it was signed",
    pdf.Flaw.BROKEN: "was not signed with a key of this instance that was in use then",
}
# Messages about a signature on paper that doesn't count.
PAPER_FLAWS = {
    Flaw.NO_PAPER: "doesn't say who recorded and who confirmed a scan, as one on paper does",
    Flaw.OWN_SCAN: "is on a scan that whoever recorded it confirmed",
    Flaw.SIGNED_SCAN: "is on a scan that somebody confirmed who signed on it",
    Flaw.CONFIRMED_TWICE: "is on a scan that one person confirmed for two parties",
}
MOST_LETTERS = 120


class FlawError(Exception):
    """Raised when a link is not valid; the message says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one link is valid, with an explanation."""

    link: str
    holds: bool
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a verification: a verdict for each link, and what was signed by whom."""

    reference: str
    verdicts: tuple[Verdict, ...]
    signed: tuple[str, ...] = ()
    key: str = ""
    # How many events there are, and how many of them, from the first on, the anchors cover.
    count: int = 0
    anchored: int = 0
    # Whether all of it was compared with something given: a key's fingerprint, or an anchor that
    # covers every event or was signed with a key that vouches for the seal.
    is_compared: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether every link is valid."""
        return all(verdict.holds for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint kept elsewhere, and a proof to or from it if that was kept too."""

    name: str
    checkpoint: Checkpoint
    consistency: Consistency | None = None

    @classmethod
    def read(cls, name: str, data: bytes) -> "Anchor":
        """Parse an anchor from a text or an email; raise NoteError if there is none."""
        text = notes.text_of(data)
        proof = Consistency.read(text) if notes.find(text, notes.CONSISTENCY) else None
        return cls(name, Checkpoint.read(text), proof)


def verify(data: bytes, anchors: Sequence[Anchor] = (), keys: Sequence[str] = ()) -> Report:
    """Verify a bundle, and compare it with anchors and keys; never raises, whatever the bytes are.

    keys are fingerprints of checkpoint keys: 64 lower-case hexadecimal digits.
    """
    check = _Check()
    verdicts: list[Verdict] = []
    for link, is_needed, look in _LINKS:
        verdict = _verdict(link, look, check, data)
        verdicts.append(verdict)
        if is_needed and not verdict.holds:  # nothing after this can be verified
            return Report(check.reference, tuple(verdicts))
    verdicts += [
        _verdict(f"{ANCHOR} {_plain(anchor.name)}", _check_anchor, check, anchor)
        for anchor in anchors
    ]
    verdicts += [_verdict(f"{HELD} {key[:8]}", _check_held, check, key) for key in keys]
    return Report(
        check.reference,
        tuple(verdicts),
        tuple(check.signed),
        check.seal_key,
        count=len(check.heads),
        anchored=check.anchored,
        is_compared=bool(keys) or check.is_vouched_for or 0 < len(check.heads) == check.anchored,
    )


def seal_of(data: bytes) -> Seal | None:
    """Return the seal of a bundle if it is for the list in it, by whatever key; else None.

    Nothing else in the bundle is opened, and no signature verified. Whose seal it is decides
    whether it should be, since a stranger's bundle may take hours or much memory to verify.
    """
    try:
        files = container.unpack(data)
        seal = Seal.read(files[parts.SEAL].decode())
        return seal if seal.manifest == canonical.digest(files[parts.MANIFEST]) else None
    except (ContainerError, NoteError, UnicodeDecodeError, KeyError):
        return None


def _verdict(
    link: str, look: "Callable[[_Check, Any], str]", check: "_Check", given: object
) -> Verdict:
    try:
        return Verdict(link, holds=True, words=look(check, given))
    except FlawError as flaw:
        return Verdict(link, holds=False, words=str(flaw))
    except (NoteError, NotCanonicalError, UnicodeDecodeError) as error:
        return Verdict(link, holds=False, words=f"It is malformed: {error}")


@dataclass(slots=True)
class _Check:
    """A verification in progress; each link leaves here what later links need."""

    files: dict[str, bytes] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, set[int]] = field(default_factory=dict)
    keys: dict[str, KeyNote] = field(default_factory=dict)
    seal_key: str = ""
    # The chain: the digest after each event, whether it was read to its end, and what each binds.
    heads: list[str] = field(default_factory=list)
    is_read: bool = False
    bound: dict[int, str] = field(default_factory=dict)
    tells_of_erasure: bool = False
    # The verb and subject of each event, by its number.
    events: dict[int, tuple[str, str]] = field(default_factory=dict)
    rows: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    revisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts_hold: bool = False
    signatures: list[dict[str, Any]] | None = None
    # The checkpoint once its signature was verified, and the leaves proved to be in it.
    checkpoint: Checkpoint | None = None
    earlier: dict[int, Checkpoint] = field(default_factory=dict)
    leaves: list[Inclusion] = field(default_factory=list)
    # What the anchors show: how many events they cover, and whether the key of one of them vouches
    # for the seal.
    anchored: int = 0
    is_vouched_for: bool = False
    signed: list[str] = field(default_factory=list)

    @property
    def reference(self) -> str:
        """The cooperation's reference according to the bundle."""
        return _plain(self.manifest.get("reference", ""))


# The file, its list and its seal ------------------------------------------------------------------


def _check_file(check: _Check, data: bytes) -> str:
    try:
        check.files = container.unpack(data)
    except ContainerError as error:
        raise FlawError(str(error)) from error
    return f"It is in the only form of such a file; bytes: {len(data):,}."


def _check_list(check: _Check, _data: bytes) -> str:
    manifest = _object(canonical.from_strange_bytes(_file(check, parts.MANIFEST)))
    _require_keys(manifest, MANIFEST_KEYS, "The list")
    if manifest["format"] != notes.BUNDLE:
        raise FlawError(f"It is of the form {_plain(manifest['format'])}, which is unknown.")
    check.manifest = manifest
    check.left_out = {
        name: _numbers(_object(manifest["left_out"]).get(name))
        for name in ("details", "rows", "documents")
    }
    _require_keys(manifest["left_out"], dict.fromkeys(check.left_out, list), "The list")
    listed = manifest["files"]
    others = set(check.files) - {parts.MANIFEST, parts.SEAL}
    for name in sorted(others - parts.NAMES):
        if not name.startswith(parts.FOLDERS):
            raise FlawError(f"{_plain(name)} doesn't belong in a bundle.")
    for name in sorted(others ^ set(listed)):
        fault = "is not there" if name in listed else "was put in"
        raise FlawError(f"{_plain(name)} {fault}.")
    for name in sorted(others):
        if canonical.digest(check.files[name]) != listed[name]:
            raise FlawError(f"{_plain(name)} was changed: it doesn't match its SHA-256.")
    return f"The files are those that are listed; there are {len(others)}."


def _check_keys(check: _Check, _data: bytes) -> str:
    data = _file(check, parts.KEYS)
    key_notes = KeyNote.read_all(data.decode())
    if parts.key_notes(key_notes) != data:
        raise FlawError(f"{parts.KEYS} is malformed.")
    by_place = {(key.use, key.number): key for key in key_notes}
    by_print = {key.fingerprint: key for key in key_notes}
    if not len(by_place) == len(by_print) == len(key_notes):
        raise FlawError("A key occurs twice.")
    known = {
        parts.key_certificates_name(key.number) for key in key_notes if key.use == DOCUMENT_USE
    }
    _require_no_strays(check, parts.KEY_CERTIFICATES, known, "belongs to no key")
    for key in key_notes:
        _require_fingerprint(check, key)
        _require_endorsement(key, by_place)
    vouched = _who_vouches(key_notes)
    check.keys = by_print
    return f"Each has its fingerprint. {vouched}"


def _require_fingerprint(check: _Check, key: KeyNote) -> None:
    name = f"The {_plain(key.use)} key {key.number}"
    if key.use == CHECKPOINT_USE:
        if canonical.digest(key.public_key) != key.fingerprint:
            raise FlawError(f"{name} doesn't match its fingerprint.")
        return
    if key.use != DOCUMENT_USE:
        raise FlawError(f"{name} is for a use that is unknown.")
    try:
        own = _own_certificate(check, key)
        public = own.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise FlawError(f"{name} has no certificate that can be read.") from error
    own_print = canonical.digest(own.public_bytes(serialization.Encoding.DER))
    if (public, own_print) != (key.public_key, key.fingerprint):
        raise FlawError(f"{name} differs from its certificate's.")


def _own_certificate(check: _Check, key: KeyNote) -> x509.Certificate:
    name = parts.key_certificates_name(key.number)
    data = _file(check, name)
    certificates = x509.load_pem_x509_certificates(data)
    if (
        b"".join(
            certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates
        )
        != data
    ):
        raise FlawError(f"{name} is malformed.")
    return certificates[0]


def _require_endorsement(key: KeyNote, by_place: Mapping[tuple[str, int], KeyNote]) -> None:
    if key.endorsed_by is None:
        if key.endorsement:
            raise FlawError(f"Nobody vouches for the {key.use} key {key.number}.")
        return
    before = by_place.get((key.use, key.endorsed_by))
    if (
        before is None
        or before.number >= key.number
        or not before.signed(notes.endorsed(key.fingerprint), key.endorsement)
    ):
        raise FlawError(f"Key {key.endorsed_by} does not vouch for the {key.use} key {key.number}.")


def _who_vouches(key_notes: Sequence[KeyNote]) -> str:
    """Return a text saying how far back the checkpoint keys vouch for each other."""
    own = {key.number: key for key in key_notes if key.use == CHECKPOINT_USE}
    if not own:
        raise FlawError("There is no checkpoint key.")
    first = last = own[max(own)]
    while first.endorsed_by is not None:
        first = own[first.endorsed_by]
        if first.revoked is not None:
            return (
                f"Key {first.number}, which vouches for those after it, was revoked: compare the "
                "fingerprint of the newest."
            )
    if first is last:
        return f"No key vouches for the checkpoint key {last.number}."
    return f"From checkpoint key {first.number} to {last.number} each vouches for the next."


def _check_seal(check: _Check, _data: bytes) -> str:
    data = _file(check, parts.SEAL)
    seal = Seal.read(data.decode())
    if seal.text().encode() != data:
        raise FlawError("It is malformed.")
    if seal.manifest != canonical.digest(check.files[parts.MANIFEST]):
        raise FlawError("It seals another list.")
    made_at = _moment(check.manifest["made_at"])
    key = _key_of(check, seal.key, made_at)
    if not key.signed(seal.signed(), seal.signature):
        raise FlawError("The key did not sign it.")
    check.seal_key = key.fingerprint
    return f"Made with the checkpoint key {key.number} of {_plain(check.manifest['origin'])}."


def _key_of(check: _Check, fingerprint: str, at: dt.datetime) -> KeyNote:
    """Return a key that signed at a time, or raise FlawError if it was not in use then."""
    key = check.keys.get(fingerprint)
    if key is None or key.use != CHECKPOINT_USE:
        raise FlawError("It is signed with a key that is not among those in the bundle.")
    ended = _ended_before(key, at)
    if ended:
        raise FlawError(f"The checkpoint key {key.number} {ended} before it signed this.")
    return key


def _ended_before(key: KeyNote, at: dt.datetime) -> str:
    """Return a text saying how a key had ended before a time; empty if it was in use."""
    for end, fault in ((key.retired, "was retired"), (key.revoked, "was revoked")):
        if end is not None and end < at.replace(microsecond=0):
            return fault
    return ""


# The chain, and what its events bind --------------------------------------------------------------


def _check_chain(check: _Check, _data: bytes) -> str:
    without: set[int] = set()
    head = START
    for number, line in enumerate(_lines(check, parts.EVENTS), 1):
        event, details = _event(line, number)
        _require_follows(check, event, number, head)
        _require_ends(check, event, details)
        if details is None:
            without.add(number)
        elif canonical.digest_of(details) != event["details"]:
            raise FlawError(f"The details of event {number} were changed.")
        if event["evidence"] is not None:
            check.bound[number] = event["evidence"]
        check.events[number] = (event["verb"], event["subject"])
        check.tells_of_erasure = check.tells_of_erasure or event["verb"] == ERASED
        head = canonical.digest_of(event)
        check.heads.append(head)
    if len(check.heads) != check.manifest["count"] or not check.heads:
        raise FlawError("Events are missing at the end.")
    check.is_read = True
    if without != check.left_out["details"]:
        raise FlawError("Details are missing or present, contrary to the list.")
    bound_count = len(check.heads) - len(without)
    return (
        f"Each event follows the one before; events: {len(check.heads):,}, "
        f"with valid details: {bound_count:,}."
    )


def _require_follows(check: _Check, event: Mapping[str, Any], number: int, head: str) -> None:
    if (event["number"], event["chain"]) != (number, check.manifest["chain"]):
        raise FlawError(f"Event {number} is not there, or belongs to another chain.")
    if event["previous"] != head:
        raise FlawError(f"Event {number} does not follow the one before it.")


def _event(line: bytes, number: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
    try:
        value = _object(canonical.from_strange_bytes(line))
    except NotCanonicalError as error:
        raise FlawError(f"Event {number} is not in canonical form.") from error
    _require_keys(value, {"event": dict, "details": (dict, type(None))}, f"Event {number}")
    keys = EVENT_KEYS | ({STATE: str} if STATE in value["event"] else {})
    _require_keys(value["event"], keys, f"Event {number}")
    if value["details"] is not None:
        _require_keys(value["details"], {"salt": str, "content": dict}, f"Event {number}")
    return value["event"], value["details"]


def _require_ends(
    check: _Check, event: Mapping[str, Any], details: Mapping[str, Any] | None
) -> None:
    """Refuse a chain that doesn't begin and end as a bundle's chain does."""
    manifest = check.manifest
    event_kind = (event["verb"], event["subject"])
    if event["number"] == 1:
        reference = details["content"].get("reference") if details else manifest["reference"]
        if (*event_kind, reference) != (OPENED, manifest["cooperation"], manifest["reference"]):
            raise FlawError("It does not begin with the opening of this cooperation.")
    if event["number"] == manifest["count"] and (*event_kind, event["at"]) != (
        TAKEN_OUT,
        manifest["cooperation"],
        manifest["made_at"],
    ):
        raise FlawError("It does not end with the export of this bundle.")


def _check_texts(check: _Check, _data: bytes) -> str:
    _require_chain(check)
    for place, line in enumerate(_lines(check, parts.ROWS), 1):
        check.rows.append(_row(check, line, place))
    events = [event for event, _kind, _row in check.rows]
    if events != sorted(set(events)):
        raise FlawError("The rows are not in the order of their events.")
    missing = set(check.bound) - set(events)
    if missing != check.left_out["rows"]:
        raise FlawError("Rows are missing or present, contrary to the list.")
    texts = _rows_of(check, parts.REVISION)
    for event, row in texts.items():
        _require_text(check, event, row)
    known = {parts.file_name(parts.REVISION, event) for event in texts}
    _require_no_strays(check, parts.DOCUMENTS, known, "belongs to no event")
    if not check.left_out["documents"] <= {*texts, *_rows_of(check, parts.CERTIFICATE)}:
        raise FlawError("The list says that a text is missing where there is none.")
    check.revisions = {row["id"]: row for row in texts.values()}
    check.texts_hold = True
    more = f" Rows included only as a digest: {len(missing)}." if missing else ""
    return f"Each matches the digest that an event binds; there are {len(texts)}.{more}"


def _row(check: _Check, line: bytes, place: int) -> tuple[int, str, dict[str, Any]]:
    value = _object(canonical.from_strange_bytes(line))
    _require_keys(value, {"event": int, "kind": str, "row": dict}, f"Row {place}")
    event, kind, row = value["event"], value["kind"], value["row"]
    if check.bound.get(event) != canonical.digest_of(row):
        raise FlawError(f"Row {place} was changed: event {event} does not bind it.")
    keys = _KEYS_OF.get(kind)
    if keys is None:
        raise FlawError(f"Row {place} is of a kind that is unknown.")
    _require_some(row, keys, f"Row {place}")
    return event, kind, row


def _require_text(check: _Check, event: int, row: Mapping[str, Any]) -> None:
    what = f"The text of event {event}"
    if row["cooperation"] != check.manifest["cooperation"]:
        raise FlawError(f"{what} is of another cooperation.")
    data = _bound_file(check, parts.REVISION, event, row["digest"], what)
    if data is None:
        return
    document = _object(canonical.from_strange_bytes(data))
    if document.get("revision") != row["number"]:
        raise FlawError(f"{what} is of another revision.")


def _bound_file(check: _Check, kind: str, event: int, digest: str, what: str) -> bytes | None:
    """Return a row's file, which must match its digest; None if it was erased."""
    data = check.files.get(parts.file_name(kind, event))
    if (data is None) != (event in check.left_out["documents"]):
        raise FlawError(f"{what} is missing or present, contrary to the list.")
    if data is None:
        if not check.tells_of_erasure:
            raise FlawError(f"{what} is missing, and no event says that it was erased.")
        return None
    if canonical.digest(data) != digest:
        raise FlawError(f"{what} was changed: it doesn't match its digest.")
    return data


def _require_no_strays(check: _Check, folder: str, known: Collection[str], fault: str) -> None:
    for name in sorted(check.files):
        if name.startswith(folder) and name not in known:
            raise FlawError(f"{_plain(name)} {fault}.")


def _rows_of(check: _Check, kind: str) -> dict[int, dict[str, Any]]:
    return {event: row for event, row_kind, row in check.rows if row_kind == kind}


def _check_signatures(check: _Check, _data: bytes) -> str:
    if not check.texts_hold:
        raise FlawError("They can't be checked: the texts are not valid.")
    by_event = _rows_of(check, parts.SIGNATURE)
    rows = list(by_event.values())
    for row in rows:
        under = check.revisions.get(row["revision"])
        if under is None or under["digest"] != row["document_digest"]:
            who = _plain(row["signer_name"])
            raise FlawError(f"The signature of {who} belongs to another text.")
    flawed = next(iter(_paper_flaws(check).items()), None)
    if flawed is not None:
        event, flaw = flawed
        who = _plain(by_event[event]["signer_name"])
        raise FlawError(f"The signature of {who} {PAPER_FLAWS[flaw]}.")
    check.signed = list(_signed(check, rows))
    check.signatures = rows
    return f"Each belongs to its text; there are {len(rows)}."


def _paper_flaws(check: _Check) -> dict[int, Flaw]:
    """Return, by the event that binds it, why a signature on paper doesn't count."""
    rows = _rows_of(check, parts.SIGNATURE)
    former = {
        text["id"]
        for event, text in _rows_of(check, parts.REVISION).items()
        if check.events[event][0] == FORMER
    }
    flaws = vouching.flaws(list(rows.values()))
    return {
        event: flaw or Flaw.NO_PAPER
        for (event, row), flaw in zip(rows.items(), flaws, strict=True)
        if flaw or not _is_of_its_time(row, former)
    }


def _is_of_its_time(row: Mapping[str, Any], former: Collection[str]) -> bool:
    """Return whether a signature rightly says whether its agreement is older than the instance."""
    paper = vouching.paper_of(row.get("paper"))
    return paper is None or paper.is_former == (row["revision"] in former)


def _check_passkeys(check: _Check, _data: bytes) -> str:
    if check.signatures is None:
        raise FlawError("They can't be checked: the signatures are not valid.")
    proven = 0
    for row in check.signatures:
        proof = row.get("proof")
        if (_proven_by(row) == PASSKEY) != (proof is not None):
            who = _plain(row["signer_name"])
            raise FlawError(f"The signature of {who} has no proof, or one of another method.")
        if proof is None:
            continue
        flaw = assertion.flaw(
            proof, document_digest=row["document_digest"], sentence=row["sentence"]
        )
        if flaw is not None:
            raise FlawError(
                f"The passkey of {_plain(row['signer_name'])} did not sign this text and sentence "
                f"({flaw.value})."
            )
        proven += 1
    return f"Passkey signatures that are valid by themselves; there are {proven}."


def _proven_by(row: Mapping[str, Any]) -> object:
    """Return how the signer, or the person in whose presence they signed, proved who they are."""
    if (row["method"] == IN_PRESENCE) != ("presence" in row):
        raise FlawError(f"The signature of {_plain(row['signer_name'])} names nobody present.")
    if "presence" not in row:
        return row["method"]
    presence = row["presence"]
    if (
        not isinstance(presence, dict)
        or vouching.canonical_id_of(presence.get("host")) is None
        or not isinstance(presence.get("method"), str)
    ):
        raise FlawError(f"The signature of {_plain(row['signer_name'])} names nobody present.")
    return presence["method"]


def _check_certificates(check: _Check, _data: bytes) -> str:
    if not check.texts_hold:
        raise FlawError("They can't be checked: the texts are not valid.")
    rows = _rows_of(check, parts.CERTIFICATE)
    signed_by_all = _signed_by_all(check, {row["revision"] for row in rows.values()})
    for event, row in rows.items():
        _require_pdf(check, event, row, signed_by_all)
    known = {parts.file_name(parts.CERTIFICATE, event) for event in rows}
    _require_no_strays(check, parts.CERTIFICATES, known, "belongs to no event")
    not_here = _certificates_without_text(check, rows)
    more = (
        f" Whom the other texts name can't be told, as they are not here; their PDFs: {not_here}."
        if not_here
        else ""
    )
    return (
        "Each PDF is the one that an event binds, and is signed as a whole; all whom "
        f"its text names have signed that; there are {len(rows)}.{more}"
    )


def _require_pdf(
    check: _Check, event: int, row: Mapping[str, Any], signed_by_all: Collection[str]
) -> None:
    what = f"The PDF of event {event}"
    if row["revision"] not in check.revisions:
        raise FlawError(f"{what} is of a text that is not here.")
    if row["revision"] not in signed_by_all:
        raise FlawError(f"{what} is of a text that was not signed by all whom it names.")
    data = _bound_file(check, parts.CERTIFICATE, event, row["sha256"], what)
    if data is None:
        return
    made_at = _moment(row["made_at"])
    flaws = {pdf.Flaw.BROKEN}
    for key in check.keys.values():
        if key.use == DOCUMENT_USE and not _ended_before(key, made_at):
            flaw = pdf.signature_flaw(data, _own_certificate(check, key))
            if flaw is None:
                return
            flaws.add(flaw)
    raise FlawError(
        f"{what} {next(words for pdf_flaw, words in PDF_FLAWS.items() if pdf_flaw in flaws)}."
    )


def _certificates_without_text(check: _Check, certificates: Mapping[int, Mapping[str, Any]]) -> int:
    """Count the PDFs whose text is confidential, and so not included, or was erased."""
    gone = {
        row["id"]
        for event, row in _rows_of(check, parts.REVISION).items()
        if event in check.left_out["documents"]
    }
    closed = sum(check.events[event][0] == CERTIFICATE_MADE for event in check.left_out["rows"])
    return closed + sum(row["revision"] in gone for row in certificates.values())


# Who signed a text --------------------------------------------------------------------------------


def _signed_by_all(check: _Check, revision_ids: Collection[str]) -> set[str]:
    """Return which texts were signed by everybody they name, from signatures and events.

    For an erased text, only from events.
    """
    texts = _rows_of(check, parts.REVISION)
    ends = _ends_of_waiting(check, texts)
    flawed = _paper_flaws(check)
    bindings = Counter(row["id"] for row in texts.values())
    under: dict[str, dict[int, dict[str, Any]]] = {}
    for event, row in _rows_of(check, parts.SIGNATURE).items():
        under.setdefault(row["revision"], {})[event] = row
    signers = set()
    for frozen, text in texts.items():
        # A text frozen by two events can't be distinguished from a substitute.
        if text["id"] not in revision_ids or bindings[text["id"]] > 1:
            continue
        data = check.files.get(parts.file_name(parts.REVISION, frozen))
        document = None if data is None else canonical.from_bytes(data)
        signatures = {
            event: row
            for event, row in under.get(text["id"], {}).items()
            if event > frozen and row["document_digest"] == text["digest"]
        }
        takers = set(vouching.takers(signatures.values()))
        counting = {event: row for event, row in signatures.items() if event not in flawed}
        if text["subject_type"] == UNDERTAKING:
            is_signed = _was_countersigned(check, text, document, counting, takers)
        else:
            is_signed = _came_into_force(check, ends.get(frozen), document, counting)
        if is_signed:
            signers.add(text["id"])
    return signers


def _ends_of_waiting(check: _Check, texts: Mapping[int, Mapping[str, Any]]) -> dict[int, int]:
    """Return, by the event that binds a text, the event that ended its signature request."""
    ends: dict[int, int] = {}
    following: dict[str, int] = {}
    for event in range(len(check.heads), 0, -1):
        verb, subject = check.events[event]
        if event in texts and texts[event]["subject"] in following:
            ends[event] = following[texts[event]["subject"]]
        if verb in ENDS_OF_WAITING:
            following[subject] = event
    return ends


def _came_into_force(
    check: _Check,
    end: int | None,
    document: Mapping[str, Any] | None,
    signatures: Mapping[int, Mapping[str, Any]],
) -> bool:
    if end is None or check.events[end][0] != IN_FORCE:
        return False
    if document is None:
        return True
    try:
        rule = outcomes.rule_of(document)
    except ValueError:
        return False
    before = {event: row for event, row in signatures.items() if event < end}
    return outcomes.is_signed_by_all(rule, _given(check, before))


def _given(check: _Check, signatures: Mapping[int, Mapping[str, Any]]) -> Iterator[Given]:
    for event, row in signatures.items():
        organisation_id, user_id = (vouching.id_of(row[name]) for name in ("organisation", "user"))
        if check.events[event][0] in SIGNING and row["kind"] == SIGNATURE and user_id is not None:
            yield Given(organisation_id, user_id, event)


def _was_countersigned(
    check: _Check,
    text: Mapping[str, Any],
    document: Mapping[str, Any] | None,
    signatures: Mapping[int, Mapping[str, Any]],
    takers: Collection[UUID],
) -> bool:
    """Return whether an undertaking's person signed it and somebody else countersigned.

    Never one of those who took the person's signature.
    """
    own, others = (
        {
            user_id
            for event, row in signatures.items()
            if check.events[event] == (verb, text["subject"]) and row["kind"] == kind
            if (user_id := vouching.id_of(row["user"])) is not None
        }
        for verb, kind in (OWN_SIGNATURE, COUNTERSIGNATURE)
    )
    if document is not None:
        person = document.get("person")
        named = vouching.id_of(person.get("id")) if isinstance(person, dict) else None
        own = {user_id for user_id in own if user_id == named}
    return bool(own) and bool(others - own - set(takers))


def _signed(check: _Check, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each signature: what, by whom."""
    for row in rows:
        text = check.revisions[row["revision"]]
        who, whom = _plain(row["signer_name"]), _plain(row["organisation_name"])
        method = METHODS.get(row["method"], _plain(row["method"]))
        yield (
            f"{_plain(text['kind'])}, revision {text['number']}: {who}"
            f"{f' for {whom}' if whom else ''}, {_when(row)}, {method}"
        )


def _when(row: Mapping[str, Any]) -> str:
    """Return when somebody signed; of a paper, its own date and when that counted here."""
    paper, moment = row.get("paper"), _minute(row["signed_at"])
    day = paper.get("signed_on") if isinstance(paper, dict) else None
    return f"{_plain(day)} (scan confirmed {moment})" if isinstance(day, str) else moment


# The log ------------------------------------------------------------------------------------------


def _check_log(check: _Check, _data: bytes) -> str:
    checkpoint = _checkpoint(check, check.files.get(parts.CHECKPOINT, b""), check.manifest["size"])
    if checkpoint.origin != check.manifest["origin"]:
        raise FlawError("The checkpoint is another instance's.")
    data = check.files.get(parts.INCLUSION, b"")
    inclusion = Inclusion.read(data.decode())
    if inclusion.text().encode() != data:
        raise FlawError(f"{parts.INCLUSION} is malformed.")
    _require_included(check, inclusion, checkpoint)
    if inclusion.count != check.manifest["count"]:
        raise FlawError("The checkpoint does not cover the last event.")
    check.checkpoint = checkpoint
    return (
        f"All events are in the log that was signed on {notes.moment_text(checkpoint.at)}, "
        f"as leaf {inclusion.leaf} of {checkpoint.size:,}."
    )


def _check_earlier(check: _Check, _data: bytes) -> str:
    newest = _newest(check)
    named = {name for name in check.files if name.startswith(parts.CHECKPOINTS)}
    for name in sorted(named):
        checkpoint = _read_earlier(check, name, newest)
        check.earlier[checkpoint.size] = checkpoint
    return f"The log extends each one that people of the parties were sent; there are {len(named)}."


def _read_earlier(check: _Check, name: str, newest: Checkpoint) -> Checkpoint:
    data = check.files[name]
    text = data.decode()
    checkpoint, inclusion = Checkpoint.read(text), Inclusion.read(text)
    consistency = Consistency.read(text)
    if parts.earlier(checkpoint, inclusion, consistency) != data:
        raise FlawError(f"{_plain(name)} is malformed.")
    if name != parts.checkpoint_name(checkpoint.size):
        raise FlawError(f"{_plain(name)} contains a checkpoint of another size.")
    if checkpoint.size >= newest.size:
        raise FlawError(f"{_plain(name)} is not earlier than the newest checkpoint.")
    _require_signed(check, checkpoint)
    if consistency.origin != newest.origin:
        raise FlawError(f"The proof in {_plain(name)} is another instance's.")
    _require_grown(checkpoint, newest, consistency)
    _require_included(check, inclusion, checkpoint)
    return checkpoint


def _checkpoint(check: _Check, data: bytes, size: int) -> Checkpoint:
    checkpoint = Checkpoint.read(data.decode())
    if checkpoint.text().encode() != data:
        raise FlawError("The checkpoint is malformed.")
    if checkpoint.size != size:
        raise FlawError("The checkpoint is of another size.")
    _require_signed(check, checkpoint)
    return checkpoint


def _require_signed(check: _Check, checkpoint: Checkpoint) -> None:
    key = _key_of(check, checkpoint.key, checkpoint.at)
    if not key.signed(checkpoint.signed(), checkpoint.signature):
        raise FlawError(f"The checkpoint of size {checkpoint.size} has no valid signature.")


def _require_included(check: _Check, inclusion: Inclusion, checkpoint: Checkpoint) -> None:
    """Refuse a log proof that doesn't contain the chain as it is here."""
    _require_chain(check)
    if inclusion.chain != check.manifest["chain"] or inclusion.size != checkpoint.size:
        raise FlawError(f"The proof for the checkpoint of size {checkpoint.size} is another's.")
    if not 0 < inclusion.count <= len(check.heads):
        raise FlawError(f"There are not as many events as the proof says: {inclusion.count}.")
    if check.heads[inclusion.count - 1] != inclusion.head:
        raise FlawError(
            f"Event {inclusion.count} is not the one that the checkpoint of size "
            f"{checkpoint.size} covers: the chain was rewritten."
        )
    leaf = merkle.leaf_hash(notes.leaf(inclusion.chain, inclusion.count, inclusion.head))
    root = bytes.fromhex(checkpoint.root)
    if not merkle.includes(leaf, inclusion.leaf, checkpoint.size, inclusion.proof, root):
        raise FlawError(f"The checkpoint of size {checkpoint.size} does not cover this chain.")
    check.leaves.append(inclusion)


def _require_grown(before: Checkpoint, after: Checkpoint, proof: Consistency) -> None:
    roots = bytes.fromhex(before.root), bytes.fromhex(after.root)
    if (proof.before, proof.after) != (before.size, after.size) or not merkle.grew(
        before.size, after.size, *roots, proof.proof
    ):
        raise FlawError(
            f"The log of size {after.size} does not extend the one of size {before.size}: it was "
            "rewritten."
        )


def _check_held(check: _Check, fingerprint: str) -> str:
    """Compare with a given key: it sealed the bundle, or vouches for the one that did."""
    if not _vouches_for_seal(check, fingerprint):
        raise FlawError("This key did not seal the bundle, and does not vouch for what did.")
    if fingerprint == check.seal_key:
        return "It sealed this bundle."
    return "It vouches for the key that sealed this bundle."


def _vouches_for_seal(check: _Check, fingerprint: str) -> bool:
    """Return whether a key sealed the bundle, or endorsements lead from it to the one that did.

    Raise FlawError if a key on the way was revoked.
    """
    by_number = {note.number: note for note in check.keys.values() if note.use == CHECKPOINT_USE}
    key = check.keys.get(check.seal_key)
    while key is not None and key.fingerprint != fingerprint:
        key = by_number.get(key.endorsed_by) if key.endorsed_by is not None else None
        if key is not None and key.revoked is not None:
            raise FlawError(
                f"Key {key.number}, which vouches for those after it, was revoked: what it vouches "
                "for may be anybody's."
            )
    return key is not None


def _check_anchor(check: _Check, anchor: Anchor) -> str:
    newest, anchored = _newest(check), anchor.checkpoint
    known = check.earlier | {newest.size: newest}
    if anchored.size in known:
        if known[anchored.size] != anchored:
            raise FlawError("The bundle has another checkpoint of this size: the log was forked.")
    else:
        _require_signed(check, anchored)
        if anchor.consistency is None:
            small, large = sorted((anchored.size, newest.size))
            raise FlawError(
                "It is not in the bundle. Put the text of "
                f"{_plain(newest.origin)}/checkpoints/{large}/from/{small} into the same file."
            )
        pair = (anchored, newest) if anchored.size < newest.size else (newest, anchored)
        _require_grown(*pair, anchor.consistency)
    covered = max((leaf.count for leaf in check.leaves if leaf.leaf < anchored.size), default=0)
    if not covered:
        raise FlawError("The bundle proves nothing of this cooperation that is as old as that.")
    check.anchored = max(check.anchored, covered)
    with suppress(FlawError):
        check.is_vouched_for = check.is_vouched_for or _vouches_for_seal(check, anchored.key)
    return (
        f"Signed on {notes.moment_text(anchored.at)}: the first {covered:,} of "
        f"{len(check.heads):,} events were there then, as they are here."
    )


_LINKS: tuple[tuple[str, bool, Callable[[_Check, bytes], str]], ...] = (
    ("File", True, _check_file),
    ("List", True, _check_list),
    ("Keys", False, _check_keys),
    ("Seal", False, _check_seal),
    ("Chain", False, _check_chain),
    ("Texts", False, _check_texts),
    ("Signatures", False, _check_signatures),
    ("Passkeys", False, _check_passkeys),
    ("Certificates", False, _check_certificates),
    ("Log", False, _check_log),
    ("Earlier checkpoints", False, _check_earlier),
)


# Values -------------------------------------------------------------------------------------------


def _file(check: _Check, name: str) -> bytes:
    data = check.files.get(name)
    if data is None:
        raise FlawError(f"{name} is not there.")
    return data


def _lines(check: _Check, name: str) -> list[bytes]:
    data = _file(check, name)
    lines = data.split(b"\n")
    if lines.pop():
        raise FlawError(f"{name} was cut off.")
    return lines


def _require_chain(check: _Check) -> None:
    """Refuse to continue if the chain could not be read to its end."""
    if not check.is_read:
        raise FlawError("It can't be checked: the chain is broken.")


def _newest(check: _Check) -> Checkpoint:
    if check.checkpoint is None:
        raise FlawError("They can't be checked: the newest checkpoint is not valid.")
    return check.checkpoint


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FlawError("It is malformed: an object is expected.")
    return value


def _require_keys(value: Mapping[str, Any], keys: Mapping[str, Any], what: str) -> None:
    if set(value) != set(keys):
        raise FlawError(f"{what} does not have the fields that it must have.")
    _require_some(value, keys, what)


def _require_some(value: Mapping[str, Any], keys: Mapping[str, Any], what: str) -> None:
    for name, kind in keys.items():
        if name not in value or not isinstance(value[name], kind) or isinstance(value[name], bool):
            raise FlawError(f"{what}: {name} is missing, or not of its kind.")


def _numbers(value: object) -> set[int]:
    if not isinstance(value, list) or not all(type(element) is int for element in value):
        raise FlawError("The list does not say in numbers what was left out.")
    if value != sorted(set(value)):
        raise FlawError("What was left out is not in order.")
    return set(value)


def _moment(text: str) -> dt.datetime:
    """Return a time in UTC."""
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:  # no time, or none in UTC
        raise FlawError(f"{_plain(text)} is not a time.") from error
    raise FlawError(f"{_plain(text)} is not a time.")


def _minute(text: str) -> str:
    return _moment(text).strftime("%Y-%m-%d %H:%M UTC")


def _plain(text: str) -> str:
    """Return a text from a file with nothing that could control a terminal."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= MOST_LETTERS else shown[:MOST_LETTERS] + "..."
