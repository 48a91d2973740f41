"""Differences between two values of an answer: text by word, tables by cell. Pure."""

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from rapidfuzz.distance import Indel, Opcode, Opcodes

# A word with the spaces after it; spaces at the very beginning are separate.
WORDS = re.compile(r"\A\s+|\S+\s*")
# How similar two rows must be to count as one changed row; and how similar two texts must be for
# marking single words to be clearer than showing one after the other.
ALIKE = 0.4
RELATED = 0.2
# The most pairs of words or lines that are compared, at one bit of memory each. No text that people
# write comes near it: the longest article has some 8,000 words, the longest checklist some 2,000
# lines.
MOST_PAIRS = 10**8
Difference = list[tuple[str, str]]
Line = tuple[str, ...]


def words(before: str, after: str) -> Difference:
    """Return the pieces of both texts as (kind, words), kind being same, out or in."""
    old, new = WORDS.findall(before), WORDS.findall(after)
    plain_old, plain_new = ([word.rstrip() for word in text] for text in (old, new))
    if old and new and Indel.normalized_similarity(plain_old, plain_new) < RELATED:
        return [("out", before), ("in", after)]
    pieces = _Pieces()
    for act in _steps(plain_old, plain_new):
        if act.tag == "equal":
            for passage, other in zip(
                old[act.src_start : act.src_end], new[act.dest_start : act.dest_end], strict=True
            ):
                pieces.put_same(passage, other)
        else:
            pieces.take_out("".join(old[act.src_start : act.src_end]))
            pieces.put_in("".join(new[act.dest_start : act.dest_end]))
    return pieces.done()


def lines(before: str, after: str) -> Difference:
    """Return the lines in which two texts differ, removed ones before added ones."""
    old, new = before.splitlines(), after.splitlines()
    return [
        (kind, f"{line}\n")
        for act, (a1, a2), (b1, b2) in _blocks(old, new)
        if act == "replace"
        for kind, differing in (("out", old[a1:a2]), ("in", new[b1:b2]))
        for line in differing
    ]


def _steps(old: Sequence[Hashable], new: Sequence[Hashable]) -> Opcodes | list[Opcode]:
    """Return how one sequence becomes another.

    Of very long ones, only a common beginning and end count as equal; all in between is replaced.
    """
    shorter = min(len(old), len(new))
    begin = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    rest = shorter - begin
    end = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    old_end, new_end = len(old) - end, len(new) - end
    if (old_end - begin) * (new_end - begin) <= MOST_PAIRS:
        return Indel.opcodes(old, new)
    return [
        Opcode("equal", 0, begin, 0, begin),
        Opcode("replace", begin, old_end, begin, new_end),
        Opcode("equal", old_end, len(old), new_end, len(new)),
    ]


class _Pieces:
    """Collects the pieces of two texts; common ones are never reported as a change."""

    def __init__(self) -> None:
        self._pieces: Difference = []
        self._out = self._in = ""

    def take_out(self, text: str) -> None:
        self._out += text

    def put_in(self, text: str) -> None:
        self._in += text

    def put_same(self, before: str, other: str) -> None:
        """Add a common word; the spaces after it may differ."""
        word = before.rstrip()
        self._close()
        self._same(word)
        self.take_out(before[len(word) :])
        self.put_in(other[len(word) :])

    def done(self) -> Difference:
        self._close()
        return self._pieces

    def _close(self) -> None:
        """Finish a change: common spaces at its beginning and end are not part of it."""
        lead = _same_blanks(self._out, self._in)
        out, new = self._out[len(lead) :], self._in[len(lead) :]
        tail = _same_blanks(out[::-1], new[::-1])[::-1]
        end = -len(tail) or None
        self._same(lead)
        self._pieces += [piece for piece in (("out", out[:end]), ("in", new[:end])) if piece[1]]
        self._same(tail)
        self._out = self._in = ""

    def _same(self, text: str) -> None:
        if text and self._pieces and self._pieces[-1][0] == "same":
            self._pieces[-1] = ("same", self._pieces[-1][1] + text)
        elif text:
            self._pieces.append(("same", text))


def _same_blanks(before: str, other: str) -> str:
    """Return the spaces with which both texts begin."""
    both = takewhile(
        lambda pair: pair[0] == pair[1] and pair[0].isspace(), zip(before, other, strict=False)
    )
    return "".join(blank for blank, _same in both)


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row that differs: kind is out, in or changed; each cell word by word."""

    kind: str
    cells: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class TableDifference:
    """The rows in which two tables differ, under all columns, and how many are equal."""

    heads: tuple[str, ...]
    rows: tuple[RowDifference, ...]
    unchanged: int


def tables(
    old_heads: Sequence[str],
    old_lines: Sequence[Line],
    new_heads: Sequence[str],
    new_lines: Sequence[Line],
) -> TableDifference:
    """Return the rows in which two tables differ.

    Columns are matched by heading, rows by content.
    """
    heads = _union(old_heads, new_heads)
    old = [_under(heads, old_heads, line) for line in old_lines]
    new = [_under(heads, new_heads, line) for line in new_lines]
    rows: list[RowDifference] = []
    unchanged = 0
    for act, (a1, a2), (b1, b2) in _blocks(old, new):
        if act == "equal":
            unchanged += a2 - a1
        else:
            rows += _replaced(old[a1:a2], new[b1:b2])
    return TableDifference(tuple(heads), tuple(rows), unchanged)


def _union(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Return all headings, removed ones in their old position."""
    heads: list[str] = []
    for act, (a1, a2), (b1, b2) in _blocks(old, new):
        heads += new[b1:b2] if act == "equal" else [*old[a1:a2], *new[b1:b2]]
    return list(dict.fromkeys(heads))


def _blocks(
    old: Sequence[Hashable], new: Sequence[Hashable]
) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    """Yield equal rows, and between them what replaces what."""
    a = b = 0
    for act in _steps(old, new):
        if act.tag != "equal":
            continue
        if (a, b) != (act.src_start, act.dest_start):
            yield "replace", (a, act.src_start), (b, act.dest_start)
        yield "equal", (act.src_start, act.src_end), (act.dest_start, act.dest_end)
        a, b = act.src_end, act.dest_end
    if (a, b) != (len(old), len(new)):
        yield "replace", (a, len(old)), (b, len(new))


def _under(heads: Sequence[str], own: Sequence[str], line: Line) -> Line:
    cells = dict(zip(own, line, strict=True))
    return tuple(cells.get(head, "") for head in heads)


def _replaced(old: Sequence[Line], new: Sequence[Line]) -> list[RowDifference]:
    """Return how some rows became others: similar ones are changed, the rest removed or added."""
    rows: list[RowDifference] = []
    rest = list(old)
    for line in new:
        partner = next((candidate for candidate in rest if _are_alike(candidate, line)), None)
        if partner is None:
            rows.append(RowDifference("in", tuple(words("", cell) for cell in line)))
            continue
        rest.remove(partner)
        cells = tuple(words(cell, other) for cell, other in zip(partner, line, strict=True))
        rows.append(RowDifference("changed", cells))
    gone = [RowDifference("out", tuple(words(cell, "") for cell in line)) for line in rest]
    return [*gone, *rows]


def _are_alike(before: Line, other: Line) -> bool:
    """Return whether two rows are one that was changed: the same head, or similar words."""
    if before[0] and before[0] == other[0]:
        return True
    old, new = (" ".join(line).split() for line in (before, other))
    return Indel.normalized_similarity(old, new) >= ALIKE
