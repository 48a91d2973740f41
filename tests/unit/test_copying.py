"""The copy of a PostgreSQL database before it is migrated."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tracker.worker import prepare

SCRIPT = """#!/bin/sh
for argument in "$@"; do
    case "$argument" in --file=*) file="${argument#--file=}" ;; esac
done
printf '%s\\n' "$*" "$PGPASSWORD" > "$file"
"""


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://tracker:let%40in@db.example/terms?sslmode=verify-full",
        "postgresql+psycopg://tracker@db.example/terms?sslmode=verify-full&password=let%40in",
    ],
)
def test_the_password_of_the_database_is_no_argument_of_the_program_that_copies_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(SCRIPT)
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    copy = prepare._copy_postgresql(make_url(url), tmp_path / "copy")
    arguments, password = copy.read_text().splitlines()
    address = "postgresql://tracker@db.example/terms?sslmode=verify-full"
    assert arguments.endswith(f"--dbname={address}")
    assert password == "let@in"


def test_without_the_program_the_database_is_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(prepare.PreparationError, match="pg_dump is not installed"):
        prepare._copy_postgresql(make_url("postgresql://db.example/terms"), tmp_path / "copy")
