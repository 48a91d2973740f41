"""The command itself: only starting an instance creates one; the rest say what is missing."""

import os
import pwd
from pathlib import Path

import pytest

from tracker import cli
from tracker.commands import COMMANDS
from tracker.core import logs


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str, **settings: str) -> int:
    """Run the command with a data directory and no other settings; return its exit code."""
    for name in [name for name in os.environ if name.startswith("TRACKER_")]:
        monkeypatch.delenv(name)
    for name, value in {"DATA_DIR": str(folder), **settings}.items():
        monkeypatch.setenv(f"TRACKER_{name}", value)
    monkeypatch.setattr(os, "umask", lambda mode: mode)
    monkeypatch.setattr(logs, "configure", lambda **_format: None)
    monkeypatch.setattr("sys.argv", ["tracker", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    "words", [["audit", "verify"], ["check"], ["outbox", "list"], ["worker"], ["db", "current"]]
)
def test_a_command_creates_nothing_and_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: list[str],
) -> None:
    folder = tmp_path / "instance"
    assert run(monkeypatch, folder, *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"tracker: there is no database {folder}/tracker.sqlite3")
    assert "tracker run" in line
    assert list(tmp_path.iterdir()) == []


def test_keys_that_are_missing_beside_a_database_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "tracker.sqlite3").touch()
    assert run(monkeypatch, tmp_path, "check") == 2
    assert "secret.key" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["tracker.sqlite3"]


def test_keys_are_not_created_for_a_database_on_a_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder, server = tmp_path / "instance", "postgresql:///x"
    assert run(monkeypatch, folder, "check", DATABASE_URL=server) == 2
    assert "secret.key" in capsys.readouterr().err
    assert not folder.exists()


@pytest.mark.parametrize("words", [["check"], ["run"], ["keys", "change", "fields"]])
def test_nobody_uses_an_instance_that_belongs_to_another_user(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: list[str],
) -> None:
    """Root could: it would leave keys that the service can't read."""
    (tmp_path / "tracker.sqlite3").touch()
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 60_000)
    assert run(monkeypatch, tmp_path, *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    owner = pwd.getpwuid(tmp_path.stat().st_uid).pw_name
    assert f"{tmp_path} belongs to {owner}. Run this as {owner}" in line
    assert [path.name for path in tmp_path.iterdir()] == ["tracker.sqlite3"]


def test_content_is_checked_without_an_instance(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "instance"
    assert run(monkeypatch, folder, "content", "check") == 0
    assert "Broken references: none" in capsys.readouterr().out
    assert not folder.exists()


@pytest.mark.parametrize("words", [[], ["--help"], ["audit", "--help"], ["db", "--help"]])
def test_help_needs_no_instance(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: list[str],
) -> None:
    folder = tmp_path / "instance"
    run(monkeypatch, folder, *words)
    output = capsys.readouterr()
    assert "Usage: tracker" in output.out + output.err
    if words[:1] in ([], ["--help"]):
        assert all(f"  {name}" in output.out + output.err for name in {*COMMANDS, "db"})
    assert not folder.exists()
