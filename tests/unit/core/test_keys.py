"""The instance's keys: created once, never replaced; a missing or broken one stops the start."""

import stat
from pathlib import Path

import pytest

from tracker.core import keys
from tracker.core.keys import NAMES, Keys, KeysError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys"


def test_keys_are_made_where_there_are_none_yet_and_read_again(folder: Path) -> None:
    new_keys = keys.load(folder, may_make=True)
    assert len({new_keys.secret, new_keys.fields, new_keys.trail, new_keys.totp}) == 4
    assert all(
        len(key) == 32 for key in (new_keys.secret, new_keys.fields, new_keys.trail, new_keys.totp)
    )
    assert keys.load(folder, may_make=True) == new_keys
    assert keys.load(folder, may_make=False) == new_keys


def test_two_instances_have_different_keys(tmp_path: Path) -> None:
    assert keys.load(tmp_path / "a", may_make=True) != keys.load(tmp_path / "b", may_make=True)


def test_keys_are_made_in_an_empty_folder_too(folder: Path) -> None:
    folder.mkdir(parents=True)
    keys.load(folder, may_make=True)
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{n}.key" for n in NAMES)


def test_keys_are_for_the_owner_alone(folder: Path) -> None:
    keys.load(folder, may_make=True)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_nothing_else_is_left_beside_new_keys(folder: Path) -> None:
    keys.load(folder, may_make=True)
    assert list(folder.parent.iterdir()) == [folder]


def test_no_keys_are_made_where_data_exist_already(folder: Path) -> None:
    with pytest.raises(KeysError, match=r"secret.key, fields.key, trail.key, totp.key missing in"):
        keys.load(folder, may_make=False)
    assert not folder.exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_key_is_named_and_never_created_again(folder: Path, name: str) -> None:
    keys.load(folder, may_make=True)
    (folder / f"{name}.key").unlink()
    with pytest.raises(KeysError, match=f"^{name}.key missing in .*: restore the keys"):
        keys.load(folder, may_make=True)
    assert not (folder / f"{name}.key").exists()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"zz" * 32,
        b"ab" * 31,
        b"ab" * 33,
        b"a" * 63,
        b"\xff\xfe" * 32,
        b"ab " * 32,
    ],
    ids=["empty", "blank", "letters", "short", "long", "odd", "bytes", "pairs"],
)
def test_a_broken_key_is_named(folder: Path, name: str, content: bytes) -> None:
    keys.load(folder, may_make=True)
    (folder / f"{name}.key").write_bytes(content)
    with pytest.raises(KeysError) as refused:
        keys.load(folder, may_make=True)
    assert f"{name}.key is not a key: it must contain 64 hexadecimal digits" in str(refused.value)
    assert (folder / f"{name}.key").read_bytes() == content


def test_a_key_that_can_not_be_read_is_named(folder: Path) -> None:
    keys.load(folder, may_make=True)
    (folder / "trail.key").unlink()
    (folder / "trail.key").mkdir()
    with pytest.raises(KeysError, match=r"trail.key can't be read: Is a directory"):
        keys.load(folder, may_make=True)


def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeysError, match="keys can't be created in"):
        keys.load(tmp_path / "file" / "keys", may_make=True)


def test_when_two_start_at_once_one_makes_the_keys_and_both_have_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process is done just before this one puts its own keys in place."""
    rename = Path.rename

    def late(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        keys.load(folder, may_make=True)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", late)
    mine = keys.load(folder, may_make=True)
    assert mine == keys.load(folder, may_make=False)
    assert list(folder.parent.iterdir()) == [folder]


def test_keys_are_never_shown(own_keys: Keys) -> None:
    assert own_keys.secret.hex() not in repr(own_keys)
    assert repr(own_keys.fields) not in repr(own_keys)


def test_keys_in_use_are_the_current_ones(own_keys: Keys) -> None:
    assert keys.current() is own_keys


def test_before_the_application_is_built_there_are_none() -> None:
    with pytest.raises(KeysError, match="build the application first"):
        keys.current()
