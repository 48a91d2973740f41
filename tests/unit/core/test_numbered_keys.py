"""Keys with numbers: the highest is used, earlier ones are read, each value says its own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.services import alone
from tracker.core import crypto, keys, logs
from tracker.core.keys import KeyMissingError, Keys, KeysError, WatchedFolder

FIRST = Keys(b"s" * 32, b"f" * 32, b"t" * 32, b"o" * 32)
CHANGED = replace(
    FIRST,
    fields=b"F" * 32,
    trail=b"T" * 32,
    numbers={"fields": 2, "trail": 2},
    others={("fields", 1): FIRST.fields, ("trail", 1): FIRST.trail},
)
ENDED = replace(CHANGED, others={}, own_rows=FIRST.rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.load(tmp_path / "keys", may_make=True)
    return tmp_path / "keys"


@pytest.fixture(params=[CHANGED, ENDED], ids=["during", "after"])
def changed(request: pytest.FixtureRequest) -> Iterator[Keys]:
    with alone(keys.KEYS.holding(request.param)):
        yield request.param


def with_first(act: str, *arguments: str | bytes) -> str | bytes:
    with alone(keys.KEYS.holding(FIRST)):
        value: str | bytes = getattr(crypto, act)(*arguments)
        return value


def test_a_value_under_the_new_key_says_its_number(changed: Keys) -> None:
    sealed = crypto.seal_field(b"plain", "x")
    assert sealed.startswith(crypto.field_prefix(2))
    assert crypto.unseal_field(sealed, "x") == b"plain"
    for code in (crypto.authenticate("head"), crypto.authenticate_for("p", "head")):
        assert code.startswith("2.")
        assert len(code) <= 64
    assert crypto.is_authentic("head", crypto.authenticate("head"))
    assert not crypto.is_authentic("tail", crypto.authenticate("head"))
    assert crypto.is_authentic_for("p", "head", crypto.authenticate_for("p", "head"))
    assert not crypto.is_authentic_for("q", "head", crypto.authenticate_for("p", "head"))
    assert not crypto.is_authentic_for("p", "head", None)


def test_a_value_under_an_earlier_key_is_read_until_its_file_is_put_away() -> None:
    sealed, code = with_first("seal_field", b"plain", "x"), with_first("authenticate", "head")
    assert isinstance(sealed, bytes)
    assert isinstance(code, str)
    assert len(code) == 64
    with alone(keys.KEYS.holding(CHANGED)):
        assert crypto.unseal_field(sealed, "x") == b"plain"
        assert crypto.is_authentic("head", code)
        crypto.require_key_of(code)
    with alone(keys.KEYS.holding(ENDED)):
        with pytest.raises(crypto.KeyNotThereError, match=r"fields.key is missing"):
            crypto.unseal_field(sealed, "x")
        assert not crypto.is_authentic("head", code)


def test_a_process_without_the_new_key_reads_and_continues_nothing_under_it() -> None:
    with alone(keys.KEYS.holding(CHANGED)):
        sealed, code = crypto.seal_field(b"plain", "x"), crypto.authenticate("head")
    with alone(keys.KEYS.holding(FIRST)):
        with pytest.raises(crypto.KeyNotThereError, match=r"fields-2.key is missing"):
            crypto.unseal_field(sealed, "x")
        assert not crypto.is_authentic("head", code)
        with pytest.raises(KeyMissingError, match=r"trail-2.key is missing"):
            crypto.require_key_of(code)


@pytest.mark.parametrize("number", ["1", "02", "3", "x"])
def test_the_number_of_a_code_can_not_be_chosen(changed: Keys, number: str) -> None:
    code = crypto.authenticate("head")
    assert not crypto.is_authentic("head", number + code[1:])
    assert not crypto.is_authentic("head", code[2:])


def test_the_key_of_rows_stays_the_same(changed: Keys) -> None:
    assert changed.rows == FIRST.rows != keys.rows_key(CHANGED.trail)


def test_the_highest_number_is_used_and_a_prepared_key_is_only_read(folder: Path) -> None:
    first = keys.load(folder, may_make=False)
    keys.write_new(folder / "fields-2.key", b"2" * 32)
    keys.write_new(folder / "fields-3.new", b"3" * 32)
    own = keys.load(folder, may_make=False)
    assert (own.fields, own.number("fields")) == (b"2" * 32, 2)
    assert own.of("fields") == {1: first.fields, 2: b"2" * 32, 3: b"3" * 32}
    assert (own.trail, own.number("trail"), own.rows) == (first.trail, 1, first.rows)
    (folder / "fields.key").unlink()
    assert keys.load(folder, may_make=False).of("fields") == {2: b"2" * 32, 3: b"3" * 32}
    (folder / "fields-2.key").unlink()
    with pytest.raises(KeysError, match=r"fields.key missing in"):
        keys.load(folder, may_make=True)


def test_without_the_first_trail_key_the_key_of_rows_is_needed(folder: Path) -> None:
    rows = keys.load(folder, may_make=False).rows
    keys.write_new(folder / "trail-2.key", b"2" * 32)
    (folder / "trail.key").unlink()
    with pytest.raises(KeysError, match=r"rows.key missing in"):
        keys.load(folder, may_make=False)
    keys.write_new(folder / "rows.key", rows)
    assert keys.load(folder, may_make=False).rows == rows


def test_a_key_is_never_written_over_another(folder: Path) -> None:
    before = (folder / "fields.key").read_text()
    with pytest.raises(KeysError, match="File exists"):
        keys.write_new(folder / "fields.key", b"2" * 32)
    assert (folder / "fields.key").read_text() == before
    assert {path.suffix for path in folder.iterdir()} == {".key"}


def test_a_process_uses_a_key_as_soon_as_its_file_is_there(folder: Path) -> None:
    first = keys.load(folder, may_make=False)
    with alone(keys.KEYS.holding(WatchedFolder(folder, first))):
        assert keys.current() == first
        assert keys.current() is keys.current()
        for number in (2, 3):  # within a tick of the file system
            keys.write_new(folder / f"fields-{number}.key", bytes([number]) * 32)
            assert keys.current().number("fields") == number
        with keys.changing(folder):
            (folder / "fields.key").rename(folder / "away")
        assert 1 not in keys.current().of("fields")


def test_a_key_that_was_put_away_is_read_for_ten_minutes_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keys.load(folder, may_make=False)
    now = 1000.0
    monkeypatch.setattr("tracker.core.keys.time.monotonic", lambda: now)
    with alone(keys.KEYS.holding(WatchedFolder(folder, first))):
        sealed = crypto.seal_field(b"plain", "x")
        keys.write_new(folder / "fields-2.key", b"2" * 32)
        assert set(keys.current().of("fields")) == {1, 2}
        with keys.changing(folder):
            (folder / "fields.key").rename(folder / "away")
        assert crypto.unseal_field(sealed, "x") == b"plain"
        assert set(keys.current().of("fields")) == {2}
        now += 601
        with pytest.raises(crypto.KeyNotThereError):
            crypto.unseal_field(sealed, "x")


def test_a_process_continues_with_the_keys_it_has_if_one_is_broken(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = keys.load(folder, may_make=False)
    with alone(keys.KEYS.holding(WatchedFolder(folder, first))):
        with keys.changing(folder):
            (folder / "fields-2.key").write_text("half a key")
        assert keys.current() == first
        # The kind of the error only: its words may name a folder or quote a file.
        lines = [logs.TextLines().format(record) for record in caplog.records]
        assert "The keys are used as they were before" in lines[0]
        assert "KeysError" in lines[0]
        assert not any(str(folder) in line or "half a key" in line for line in lines)
        with keys.changing(folder):
            (folder / "fields-2.key").unlink()
            keys.write_new(folder / "fields-2.key", b"2" * 32)
        assert keys.current().fields == b"2" * 32
