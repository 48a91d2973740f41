"""The commands on keys, as an operator runs them."""

from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from tests.factories.evidence.key_files import (
    certificate,
    key_pem,
    new_private,
    pem,
)
from tracker.core.db import db
from tracker.evidence.keys import signing_keys
from tracker.evidence.models import KeyUse


def run(app: Flask, *args: str, typed: str = "") -> Result:
    with app.app_context():
        if not signing_keys.public_keys():
            signing_keys.make_missing()
        db.session.commit()
    return app.test_cli_runner().invoke(args=["keys", *args], input=typed)


def current(app: Flask, use: KeyUse) -> int:
    with app.app_context():
        return signing_keys.current(use).number


def test_all_keys_are_listed_with_their_fingerprints(app: Flask, folder: Path) -> None:
    run(app, "rotate", "checkpoint")
    listed = run(app, "list")
    assert listed.exit_code == 0
    lines = listed.output.splitlines()
    assert [line.split(":")[0] for line in lines if line.startswith("The")] == [
        "The checkpoint key 1",
        "The checkpoint key 2",
        "The document key 1",
    ]
    assert "kept for verification" in lines[0]
    assert "  key 1 vouches for it" in lines
    assert any("CN=terms.npm.example" in line for line in lines)
    with app.app_context():
        for key in signing_keys.public_keys():
            assert f"  SHA-256 {key.fingerprint}" in lines


def test_the_list_says_which_key_is_lost(app: Flask, folder: Path) -> None:
    run(app, "list")
    (folder / "document-1.key").unlink()
    listed = run(app, "list")
    assert listed.exit_code == 1
    assert "document-1.key is missing" in listed.output


@pytest.mark.usefixtures("folder")
def test_before_there_are_keys_the_list_names_the_commands_that_create_them(app: Flask) -> None:
    commands = app.test_cli_runner()
    listed = commands.invoke(args=["keys", "list"])
    assert listed.exit_code == 1
    for use in KeyUse:
        command = f"tracker keys rotate {use.value}"
        assert f"no {use.value} key yet: start with tracker run, or {command}." in listed.output
        assert commands.invoke(args=command.split()[1:]).exit_code == 0
    assert commands.invoke(args=["keys", "list"]).exit_code == 0


def test_a_key_is_rotated_and_the_operator_told_to_copy_it(app: Flask, folder: Path) -> None:
    done = run(app, "rotate", "document")
    assert done.exit_code == 0
    assert done.output.startswith("The document key 2 is in use.")
    assert "Copy the folder keys/evidence" in done.output
    assert current(app, KeyUse.DOCUMENT) == 2


def test_a_key_is_revoked_with_a_reason_alone(app: Flask, folder: Path) -> None:
    assert run(app, "revoke", "checkpoint", "1").exit_code == 2
    refused = run(app, "revoke", "checkpoint", "5", "--reason", "Lost.")
    assert (refused.exit_code, refused.output) == (1, "Error: That key doesn't exist.\n")
    done = run(app, "revoke", "checkpoint", "1", "--reason", "The server was stolen.")
    assert done.output.startswith(
        "The checkpoint key 1 is revoked.\nThe checkpoint key 2 is in use."
    )
    assert "revoked on" in run(app, "list").output


def test_an_organisations_own_key_is_imported_from_its_files(
    app: Flask, folder: Path, tmp_path: Path
) -> None:
    root_key, own_key = new_private(), new_private()
    root = certificate(root_key, of="Root")
    files = {
        "key": key_pem(own_key, b"words"),
        "certificate": pem(certificate(own_key, issuer=root, issuer_key=root_key)),
        "chain": pem(root),
    }
    options = []
    for name, content in files.items():
        (tmp_path / f"{name}.pem").write_bytes(content)
        options += [f"--{name}", str(tmp_path / f"{name}.pem")]
    wrong = run(app, "import", "document", *options, typed="other\n")
    assert wrong.exit_code == 1
    assert "or the password is wrong" in wrong.output
    done = run(app, "import", "document", *options, typed="words\n")
    assert done.exit_code == 0, done.output
    assert current(app, KeyUse.DOCUMENT) == 2
    assert "imported by an organisation" in run(app, "list").output
    assert run(app, "import", "checkpoint", *options).exit_code == 2


def test_a_folder_that_can_not_be_written_ends_with_one_line(app: Flask, folder: Path) -> None:
    run(app, "list")
    folder.rename(folder.with_name("elsewhere"))
    folder.write_text("a file in its place")
    refused = run(app, "rotate", "checkpoint")
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: The key can't be written to")
