"""Commands of the evidence's keys: list, rotate, revoke, import."""

from pathlib import Path

import click
from flask.cli import AppGroup

from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.keys import KeysError
from tracker.evidence import signing_keys
from tracker.evidence.models import KeyOrigin, KeyUse
from tracker.evidence.signing_keys import PublicKey

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
USE = click.Choice([use.value for use in KeyUse])
ORIGINS = {KeyOrigin.MADE: "made here", KeyOrigin.IMPORTED: "brought by an organisation"}

keys_group = AppGroup("keys", help="The keys that sign checkpoints and documents.")


@keys_group.command("list")
def list_keys() -> None:
    """List all keys ever used; exit 1 when one that is in use can't be read."""
    for key in signing_keys.public_keys():
        click.echo(f"{_name(key)}: {_state(key)}")
        click.echo(f"  SHA-256 {key.fingerprint}")
        if key.endorsed_by is not None:
            click.echo(f"  key {key.endorsed_by} vouches for it")
        if key.certificates:
            own = key.certificates[0]
            click.echo(
                f"  {own.subject.rfc4514_string()}, valid until {own.not_valid_after_utc:%F}"
            )
    trouble = signing_keys.trouble()
    if trouble:
        raise click.ClickException(" ".join(trouble))


@keys_group.command("rotate")
@click.argument("use", type=USE)
def rotate(use: str) -> None:
    """Make a new key for USE; the one before is kept for verifying and vouches for the new one."""
    try:
        made = signing_keys.rotate(KeyUse(use))
    except KeysError as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    _tell_new(made)


@keys_group.command("revoke")
@click.argument("use", type=USE)
@click.argument("number", type=click.IntRange(min=1))
@click.option("--reason", required=True, help="Why; it stands in the trail and in every bundle.")
def revoke(use: str, number: int, reason: str) -> None:
    """Say that key NUMBER of USE may be in other hands; if it is in use, a new one is made."""
    try:
        made = signing_keys.revoke(KeyUse(use), number, reason)
    except (RuleBrokenError, KeysError) as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"The {use} key {number} is revoked.")
    if made is not None:
        _tell_new(made)


@keys_group.command("import")
@click.argument("use", type=click.Choice([KeyUse.DOCUMENT.value]), expose_value=False)
@click.option("--key", required=True, type=FILE, help="The private key, PEM.")
@click.option("--certificate", required=True, type=FILE, help="Its certificate, PEM.")
@click.option("--chain", type=FILE, help="The certificates of who vouches for it, in order, PEM.")
def bring(key: Path, certificate: Path, chain: Path | None) -> None:
    """Take in an organisation's own key and certificate, to sign documents with from now on.

    A password of the key is asked for. The files are read once and stay where they are.
    """
    certificates = certificate.read_bytes() + (chain.read_bytes() if chain else b"")
    private = key.read_bytes()
    try:
        try:
            brought = signing_keys.bring(private, certificates)
        except RuleBrokenError as error:
            if error.field != "password":
                raise
            password = click.prompt("Password of the key", hide_input=True).encode()
            brought = signing_keys.bring(private, certificates, password)
    except (RuleBrokenError, KeysError) as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    _tell_new(brought)


def _tell_new(key: PublicKey) -> None:
    click.echo(f"{_name(key)} is in use.\n  SHA-256 {key.fingerprint}")
    click.echo("Copy the folder keys/evidence to where you keep the other keys.")


def _name(key: PublicKey) -> str:
    return f"The {key.use.value} key {key.number}"


def _state(key: PublicKey) -> str:
    if key.revoked_at:
        return f"revoked on {key.revoked_at:%F}: {key.reason}"
    if key.retired_at:
        return f"used from {key.made_at:%F} to {key.retired_at:%F}, kept for verifying"
    return f"in use since {key.made_at:%F}, {ORIGINS[key.origin]}"
