"""What the tests measure: the CPU time of a block, without the garbage of other tests."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.stopwatch import measured, piece_of_work, watched


class Node:
    """An object that refers to itself, which only a collection frees."""

    def __init__(self) -> None:
        self.itself = self


@contextmanager
def collections() -> Iterator[list[int]]:
    """Count the collections of garbage in the block, by their generation."""
    seen: list[int] = []

    def note(phase: str, about: dict[str, int]) -> None:
        if phase == "start":
            seen.append(about["generation"])

    gc.callbacks.append(note)
    try:
        yield seen
    finally:
        gc.callbacks.remove(note)


@pytest.mark.parametrize("block", [measured, watched])
def test_no_garbage_is_collected_in_a_block_that_is_measured(block: type) -> None:
    enough = 2 * gc.get_threshold()[0]
    with block(), collections() as seen:
        garbage = [Node() for _ in range(enough)]
        garbage.clear()
    assert seen == []
    with collections() as seen:
        garbage = [Node() for _ in range(enough)]
    assert seen


def test_the_cpu_time_of_a_block_is_measured() -> None:
    with measured() as taken:
        piece = piece_of_work()
    # It does nine pieces, and takes their median.
    assert taken.seconds > 4 * piece
