"""Notes: checkpoints, proofs, seals and public keys as plain text that people can keep. Pure.

A note has a first line that says what it is, and lines "name: value". A value of more than 64
characters without a space continues in lines that begin with one. docs/evidence-format.md describes
the format.
"""

import base64
import binascii
import datetime as dt
import email
import email.policy
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

CHECKPOINT = "common-terms/checkpoint/1"
CONSISTENCY = "common-terms/consistency/1"
INCLUSION = "common-terms/inclusion/1"
BUNDLE = "common-terms/bundle/1"
PUBLIC_KEY = "common-terms/public-key/1"
ENDORSEMENT = "common-terms/key/1"
LEAF = "common-terms/leaf/1"

WIDTH = 64
_FIELD = re.compile(r"([a-z][a-z-]*):(?: (.*))?")
# What may precede a line that was quoted, indented or forwarded.
_BEFORE = "> \t\N{NO-BREAK SPACE}"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,11}")
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
# A line is read in one way only: trying two for each would take far too long.
_MAIL = re.compile(r"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}\r?\n")

Fields = dict[str, str]


class NoteError(Exception):
    """Raised when a text contains no such note, or one that is not in its exact form."""


def write(head: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return a note as text, each line ended by a line feed."""
    lines = [head]
    for name, value in fields:
        first, *more = _in_lines(value)
        lines.append(f"{name}: {first}".rstrip())
        lines += [f" {piece}" for piece in more]
    return "\n".join(lines) + "\n"


def find(text: str, head: str) -> list[Fields]:
    """Return all notes of a kind in a text, even if it was quoted, indented or forwarded."""
    records: list[dict[str, list[str]]] = []
    fields: dict[str, list[str]] | None = None
    name = ""
    for line in text.splitlines():
        plain = line.lstrip(_BEFORE).rstrip()
        if plain == head:
            fields, name = {}, ""
            records.append(fields)
        elif not plain:
            fields = None
        elif fields is not None and (match := _FIELD.fullmatch(plain)):
            name = match[1]
            fields[name] = [match[2] or ""]
        elif fields is not None and name:
            fields[name].append(plain)
    return [{name: "".join(pieces) for name, pieces in record.items()} for record in records]


def text_of(data: bytes) -> str:
    """Return the text of a file: as it is, or of an email that was saved as it arrived."""
    text = data.decode("utf-8", "replace")
    if not _MAIL.match(text):
        return text
    message = email.message_from_bytes(data, policy=email.policy.default)
    part = message.get_body(("plain",))
    return str(part.get_content()) if part is not None else text


def leaf(chain: str, count: int, head: str) -> bytes:
    """Return the note of a leaf of the log: the end of a chain after so many events."""
    return write(LEAF, [("chain", chain), ("count", str(count)), ("head", head)]).encode()


# Checkpoints --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An instance's signed statement about its log: so many leaves, this root, at that time.

    previous is the size of the checkpoint before it, 0 for the first.
    """

    origin: str
    size: int
    previous: int
    root: str
    at: dt.datetime
    key: str
    signature: bytes = b""

    def signed(self) -> bytes:
        """Return the bytes that the signature covers: the note without it."""
        return write(CHECKPOINT, self._fields()).encode()

    def text(self) -> str:
        """Return the checkpoint as a note."""
        signature = base64.b64encode(self.signature).decode()
        return write(CHECKPOINT, [*self._fields(), ("signature", signature)])

    def _fields(self) -> list[tuple[str, str]]:
        return [
            ("origin", self.origin),
            ("size", str(self.size)),
            ("previous", str(self.previous)),
            ("root", self.root),
            ("at", moment_text(self.at)),
            ("key", self.key),
        ]

    @classmethod
    def read(cls, text: str) -> "Checkpoint":
        """Return the first checkpoint in a text, or raise NoteError."""
        names = ("origin", "size", "previous", "root", "at", "key", "signature")
        fields = _first(text, CHECKPOINT, names)
        return cls(
            origin=fields["origin"],
            size=_number(fields["size"]),
            previous=_number(fields["previous"]),
            root=_digest(fields["root"]),
            at=_moment(fields["at"]),
            key=_digest(fields["key"]),
            signature=_bytes(fields["signature"]),
        )


@dataclass(frozen=True, slots=True)
class Consistency:
    """The proof that the log of a size extends a smaller one."""

    origin: str
    before: int
    after: int
    proof: tuple[bytes, ...]

    def text(self) -> str:
        """Return the proof as a note."""
        return write(
            CONSISTENCY,
            [
                ("origin", self.origin),
                ("from", str(self.before)),
                ("to", str(self.after)),
                ("proof", "".join(digest.hex() for digest in self.proof)),
            ],
        )

    @classmethod
    def read(cls, text: str) -> "Consistency":
        """Return the first proof in a text, or raise NoteError."""
        fields = _first(text, CONSISTENCY, ("origin", "from", "to", "proof"))
        return cls(
            origin=fields["origin"],
            before=_number(fields["from"]),
            after=_number(fields["to"]),
            proof=_hashes(fields["proof"]),
        )


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The proof that the end of a chain, after so many events, is a leaf of the log of a size."""

    chain: str
    count: int
    head: str
    leaf: int
    size: int
    proof: tuple[bytes, ...]

    def text(self) -> str:
        """Return the proof as a note."""
        return write(
            INCLUSION,
            [
                ("chain", self.chain),
                ("count", str(self.count)),
                ("head", self.head),
                ("leaf", str(self.leaf)),
                ("size", str(self.size)),
                ("proof", "".join(digest.hex() for digest in self.proof)),
            ],
        )

    @classmethod
    def read(cls, text: str) -> "Inclusion":
        """Return the first proof in a text, or raise NoteError."""
        fields = _first(text, INCLUSION, ("chain", "count", "head", "leaf", "size", "proof"))
        return cls(
            chain=fields["chain"],
            count=_number(fields["count"]),
            head=_digest(fields["head"]),
            leaf=_number(fields["leaf"]),
            size=_number(fields["size"]),
            proof=_hashes(fields["proof"]),
        )


@dataclass(frozen=True, slots=True)
class Seal:
    """An instance's signature of a bundle: of the digest of its manifest."""

    manifest: str
    key: str
    signature: bytes = b""

    def signed(self) -> bytes:
        """Return the bytes that the signature covers: the note without it."""
        return write(BUNDLE, self._fields()).encode()

    def text(self) -> str:
        """Return the seal as a note."""
        signature = base64.b64encode(self.signature).decode()
        return write(BUNDLE, [*self._fields(), ("signature", signature)])

    def _fields(self) -> list[tuple[str, str]]:
        return [("manifest", self.manifest), ("key", self.key)]

    @classmethod
    def read(cls, text: str) -> "Seal":
        """Return the first seal in a text, or raise NoteError."""
        fields = _first(text, BUNDLE, ("manifest", "key", "signature"))
        return cls(_digest(fields["manifest"]), _digest(fields["key"]), _bytes(fields["signature"]))


# Public keys --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyNote:
    """A public key, and when it was made and ended."""

    use: str
    number: int
    fingerprint: str
    public_key: bytes
    made_at: dt.datetime
    retired: dt.datetime | None = None
    revoked: dt.datetime | None = None
    reason: str = ""
    endorsed_by: int | None = None
    endorsement: bytes = b""

    def text(self) -> str:
        """Return the key as a note; missing values are left out."""
        fields = [
            ("use", self.use),
            ("number", str(self.number)),
            ("fingerprint", self.fingerprint),
            ("public-key", base64.b64encode(self.public_key).decode()),
            ("made", moment_text(self.made_at)),
            ("retired", moment_text(self.retired) if self.retired else ""),
            ("revoked", moment_text(self.revoked) if self.revoked else ""),
            ("reason", " ".join(self.reason.split())),
            ("endorsed-by", str(self.endorsed_by) if self.endorsed_by else ""),
            ("endorsement", base64.b64encode(self.endorsement).decode()),
        ]
        return write(PUBLIC_KEY, [field for field in fields if field[1]])

    @classmethod
    def read_all(cls, text: str) -> list["KeyNote"]:
        """Return all keys in a text; raise NoteError if one is not in its exact form."""
        return [cls._of(fields) for fields in find(text, PUBLIC_KEY)]

    @classmethod
    def _of(cls, fields: Fields) -> "KeyNote":
        _require(fields, ("use", "number", "fingerprint", "public-key", "made"))
        by = fields.get("endorsed-by")
        return cls(
            use=fields["use"],
            number=_number(fields["number"]),
            fingerprint=_digest(fields["fingerprint"]),
            public_key=_bytes(fields["public-key"]),
            made_at=_moment(fields["made"]),
            retired=_moment(fields["retired"]) if "retired" in fields else None,
            revoked=_moment(fields["revoked"]) if "revoked" in fields else None,
            reason=fields.get("reason", ""),
            endorsed_by=_number(by) if by else None,
            endorsement=_bytes(fields.get("endorsement", "")),
        )

    def signed(self, data: bytes, signature: bytes) -> bool:
        """Return whether this key signed some bytes."""
        return is_signed_with(self.public_key, data, signature)


def is_signed_with(public_key: bytes, data: bytes, signature: bytes) -> bool:
    """Return whether a public key (Ed25519, in DER) belongs to the signature of some bytes."""
    try:
        public = serialization.load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm):
        return False
    if not isinstance(public, ed25519.Ed25519PublicKey):
        return False
    try:
        public.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def endorsed(fingerprint: str) -> bytes:
    """Return the bytes that a key signs to vouch for the next one."""
    return f"{ENDORSEMENT}\n{fingerprint}\n".encode()


# Values -------------------------------------------------------------------------------------------


def moment_text(moment: dt.datetime) -> str:
    """Return a time in UTC, to the second."""
    return moment.astimezone(dt.UTC).strftime(_MOMENT)


def _first(text: str, head: str, names: tuple[str, ...]) -> Fields:
    for fields in find(text, head):
        _require(fields, names)
        return fields
    raise NoteError(f"There is no {head} in it.")


def _require(fields: Fields, names: tuple[str, ...]) -> None:
    missing = [name for name in names if name not in fields]
    if missing:
        raise NoteError(f"It lacks {', '.join(missing)}.")


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise NoteError(f"{text[:WIDTH]!r} is not a number.")
    return int(text)


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise NoteError(f"{text[:WIDTH]!r} is not a SHA-256.")
    return text


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.strptime(text, _MOMENT).replace(tzinfo=dt.UTC)
    except ValueError as error:
        raise NoteError(f"{text[:WIDTH]!r} is not a time.") from error
    if moment_text(moment) != text:
        raise NoteError(f"{text[:WIDTH]!r} is not a time.")
    return moment


def _bytes(text: str) -> bytes:
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("A value is not base64.") from error
    if base64.b64encode(octets).decode() != text:
        raise NoteError("A value is not base64.")
    return octets


def _hashes(text: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(_digest(piece)) for piece in _pieces(text) if piece)


def _in_lines(value: str) -> list[str]:
    """Split a value into lines that are read back as one value; text for people stays in one line.

    A line that begins with an email's quotation mark, or looks like another field, would not be;
    of one that ends with white space, that would be lost.
    """
    pieces = _pieces(value)
    misread = (
        " " in value
        or pieces[0] != pieces[0].rstrip()
        or any(
            piece != piece.strip().lstrip(">") or _FIELD.fullmatch(piece) for piece in pieces[1:]
        )
    )
    return [value] if misread else pieces


def _pieces(text: str) -> list[str]:
    return [text[start : start + WIDTH] for start in range(0, len(text), WIDTH)] or [""]
