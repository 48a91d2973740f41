"""A bundle's file: one byte form, opened by every ZIP program, and no unnoticed change."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.evidence.bundles import container
from tracker.evidence.bundles.container import ContainerError

FILES = {
    "README.txt": b"Read me.\n",
    "chain.jsonl": b"{}\n" * 40,
    "documents/1.json": b"",
    "z": b"z",
}
NAMES = st.text(st.sampled_from("abcXYZ019-_./"), min_size=1, max_size=20)


@given(st.dictionaries(NAMES, st.binary(max_size=200), min_size=1, max_size=8))
def test_a_packed_bundle_unpacks_and_has_one_form(files: dict[str, bytes]) -> None:
    data = container.pack(files)
    assert container.unpack(data) == files
    assert container.pack(dict(reversed(files.items()))) == data


def test_other_programs_open_it() -> None:
    with zipfile.ZipFile(io.BytesIO(container.pack(FILES))) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == FILES
        assert opened.namelist() == sorted(FILES)
        assert {info.external_attr >> 16 for info in opened.infolist()} == {0o100600}


def test_it_is_what_the_standard_library_writes() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        for name in sorted(FILES):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o100600 << 16
            written.writestr(info, FILES[name])
    assert container.pack(FILES) == buffer.getvalue()


def test_no_byte_can_be_changed_added_or_removed_unnoticed() -> None:
    data = container.pack(FILES)
    for place in range(len(data)):
        for changed in (
            data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :],
            data[:place] + bytes([data[place] ^ 0x80]) + data[place + 1 :],
            data[:place] + data[place : place + 1] + data[place:],
            data[:place] + data[place + 1 :],
        ):
            with pytest.raises(ContainerError):
                container.unpack(changed)
    for changed in (data + b"\0", b"\0" + data, data + data, b""):
        with pytest.raises(ContainerError):
            container.unpack(changed)


def test_the_place_of_a_change_is_named() -> None:
    data = container.pack(FILES)
    with pytest.raises(ContainerError, match="byte 14 was changed, added or taken out"):
        container.unpack(data[:14] + bytes([data[14] ^ 1]) + data[15:])
    with pytest.raises(ContainerError, match=f"byte {len(data)} was"):
        container.unpack(data + b"!")


def written(order: list[str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name in order:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100600 << 16
            opened.writestr(info, FILES[name])
    return buffer.getvalue()


def test_the_same_files_written_in_another_way_are_refused() -> None:
    names = sorted(FILES)
    assert container.unpack(written(names)) == FILES
    for other in (
        written(names[::-1]),
        written(names)[:-2] + b"\x01\x00!",
    ):
        with pytest.raises(ContainerError):
            container.unpack(other)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compressed_entry_is_refused_however_large_it_would_be(method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as opened:
        for name in sorted(FILES):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100600 << 16
            opened.writestr(info, FILES[name] * 10_000, method)
    with pytest.raises(ContainerError):
        container.unpack(buffer.getvalue())


def test_a_bundle_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MOST_BYTES", 40)
    with pytest.raises(ContainerError, match="larger than"):
        container.pack(FILES)
    monkeypatch.undo()
    monkeypatch.setattr(container, "MOST_FILES", 3)
    with pytest.raises(ContainerError, match="more than"):
        container.pack(FILES)
