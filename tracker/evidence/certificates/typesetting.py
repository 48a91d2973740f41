"""Typesetting of plain values into a tagged, archival PDF, through a template.

The same values give the same pages on every machine: system fonts are never used, and any warning
of the typesetter is a failure.
"""

import json
import struct
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typst

from tracker.core.paths import TEMPLATES

FOLDER = TEMPLATES / "pdf"
PACKAGES = ("fontpkg_ibm_plex_sans", "fontpkg_ibm_plex_serif", "fontpkg_amiri")
# One upright font file for each weight that the templates use.
_FACES = (
    ("IBMPlexSans[wdth,wght].ttf",),
    ("IBMPlexSerif-Regular.ttf", "IBMPlexSerif-SemiBold.ttf"),
    ("Amiri-Regular.ttf", "Amiri-Bold.ttf"),
)
_WINDOWS_FULL, _FORMAT_SPARSE = (3, 10), 12
_WINDOWS_BASIC, _FORMAT_SEGMENTS = (3, 1), 4
# Invisible characters that scripts need: joiners and single direction marks.
_INVISIBLE_KEPT = frozenset("\u200c\u200d\u200e\u200f")


class TypesettingError(Exception):
    """Raised when the typesetter refuses or warns; the message is one line."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file embedded in the PDF."""

    name: str
    text: str
    mime_type: str
    description: str


class _Typesetters(threading.local):
    """A typesetter per thread, since one can't be shared; created when first needed."""

    own: typst.Compiler | None = None

    def get(self) -> typst.Compiler:
        """Return this thread's typesetter."""
        if self.own is None:
            self.own = typst.Compiler(root=str(FOLDER), font_paths=_fonts())
        return self.own


_typesetters = _Typesetters()


def typeset(template: str, data: Mapping[str, Any], attached: Attached) -> bytes:
    """Return the PDF made by a template of templates/pdf, or raise TypesettingError.

    Characters that no font here has are shown as code points; the attached file has them all.
    """
    try:
        return _compile(template, _printable(data, strict=False), attached)
    except TypesettingError as error:
        if "could not be displayed" not in str(error):
            raise
    # A combination that no font has, such as a mark on a letter of another script: then only plain
    # letters are shown as they are.
    return _compile(template, _printable(data, strict=True), attached)


def _compile(template: str, data: Any, attached: Attached) -> bytes:
    inputs = {
        "data": json.dumps(data, ensure_ascii=False),
        "attached": attached.text,
        "attached_about": json.dumps(
            {
                "name": attached.name,
                "mime_type": attached.mime_type,
                "description": attached.description,
            }
        ),
    }
    try:
        pdf, warnings = _typesetters.get().compile_with_warnings(
            str(FOLDER / template),
            format="pdf",
            sys_inputs=inputs,
            # PDF/A-3a: archival, tagged, with embedded files. PDF/UA-1: accessible.
            pdf_standards=["ua-1", "a-3a"],
        )
    except typst.TypstError as error:
        raise TypesettingError(_one_line(error)) from error
    if warnings:
        raise TypesettingError("; ".join(map(_one_line, warnings)))
    if not isinstance(pdf, bytes):
        raise TypeError(type(pdf))
    return pdf


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:500]


def _fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(folder) for folder in _folders()],
    )


def _folders() -> list[Path]:
    folders = []
    for name in PACKAGES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            message = f"The package {name} is not installed: run make setup."
            raise TypesettingError(message)
        folders.append(Path(spec.origin).parent / "files")
    return folders


# Printable characters -----------------------------------------------------------------------------


def _printable(value: Any, *, strict: bool) -> Any:
    if isinstance(value, str):
        return printable(value, strict=strict)
    if isinstance(value, Mapping):
        return {key: _printable(entry, strict=strict) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(entry, strict=strict) for entry in value]
    return value


def printable(text: str, *, strict: bool = False) -> str:
    """Return a text with code points in place of characters that no font has.

    Invisible characters that reverse other text are removed: what is read is what was typed.
    """
    return "".join(_shown(letter, strict=strict) for letter in text)


def _shown(letter: str, *, strict: bool) -> str:
    if letter == "\n":
        return letter
    if letter in {"\t", "\r", "\v", "\f", "\u2028", "\u2029"}:
        return " "
    kind = unicodedata.category(letter)
    if kind == "Cf":
        return letter if letter in _INVISIBLE_KEPT and not strict else ""
    is_known = ord(letter) in _covered() and kind not in {"Cc", "Co", "Cs", "Cn"}
    if strict and kind.startswith("M"):
        is_known = False
    return letter if is_known else f"[U+{ord(letter):04X}]"


@cache
def _covered() -> frozenset[int]:
    """Return the characters that some font family has in every weight in use."""
    letters: set[int] = set()
    for folder, names in zip(_folders(), _FACES, strict=True):
        faces = [frozenset(_letters((folder / name).read_bytes())) for name in names]
        letters |= frozenset.intersection(*faces)
    return frozenset(letters)


def _letters(font: bytes) -> Iterator[int]:
    """Yield the characters of an OpenType font, from its cmap table."""
    start = next(
        struct.unpack_from(">I", font, 12 + 16 * number + 8)[0]
        for number in range(struct.unpack_from(">H", font, 4)[0])
        if font[12 + 16 * number :][:4] == b"cmap"
    )
    count = struct.unpack_from(">H", font, start + 2)[0]
    maps = {
        (platform, encoding): start + offset
        for platform, encoding, offset in struct.iter_unpack(
            ">HHI", font[start + 4 : start + 4 + 8 * count]
        )
    }
    if _WINDOWS_FULL in maps:
        yield from _sparse(font, maps[_WINDOWS_FULL])
    else:
        yield from _segments(font, maps[_WINDOWS_BASIC])


def _sparse(font: bytes, at: int) -> Iterator[int]:
    kind, groups = struct.unpack_from(">H10xI", font, at)
    if kind != _FORMAT_SPARSE:
        raise TypesettingError("a font maps its letters in a way that is not known here")
    for number in range(groups):
        first, last = struct.unpack_from(">II", font, at + 16 + 12 * number)
        yield from range(first, last + 1)


def _segments(font: bytes, at: int) -> Iterator[int]:
    kind, double = struct.unpack_from(">H4xH", font, at)
    if kind != _FORMAT_SEGMENTS:
        raise TypesettingError("a font maps its letters in a way that is not known here")
    count = double // 2
    lasts = struct.unpack_from(f">{count}H", font, at + 14)
    firsts = struct.unpack_from(f">{count}H", font, at + 16 + double)
    deltas = struct.unpack_from(f">{count}H", font, at + 16 + 2 * double)
    offsets_at = at + 16 + 3 * double
    offsets = struct.unpack_from(f">{count}H", font, offsets_at)
    for number, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
        for letter in range(first, last + 1):
            picture = letter + deltas[number]
            if offsets[number]:
                place = offsets_at + 2 * number + offsets[number] + 2 * (letter - first)
                picture = struct.unpack_from(">H", font, place)[0]
            if letter != 0xFFFF and picture % 0x10000:  # noqa: PLR2004 -- the last one is none
                yield letter
