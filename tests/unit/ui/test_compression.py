"""Compressed pages have a different length each time and the same content."""

import gzip

from tracker.ui.compression import MOST_MORE, compressed

PAGE = b"<!doctype html><html><body>" + b"<p>Agreed terms of a cooperation.</p>" * 200


def test_a_compressed_page_is_the_same_page() -> None:
    assert gzip.decompress(compressed(PAGE)) == PAGE


def test_the_length_says_little_of_the_page() -> None:
    """100 responses of the same page have many lengths, none of them much longer."""
    lengths = {len(compressed(PAGE)) for _ in range(100)}
    assert len(lengths) > MOST_MORE / 3
    assert max(lengths) - min(lengths) <= MOST_MORE + 1
    assert max(lengths) < len(PAGE) / 4
