"""Commands for evidence: manage keys, export a bundle, verify one."""

import os
import re
import sys
import tempfile
from pathlib import Path

import click
from flask.cli import AppGroup

from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.keys import KeysError
from tracker.evidence.bundles import bundle, queries, service
from tracker.evidence.bundles import verify as checking
from tracker.evidence.bundles.bundle import DamagedError
from tracker.evidence.bundles.container import ContainerError
from tracker.evidence.bundles.verify import Anchor, Report
from tracker.evidence.keys import signing_keys
from tracker.evidence.keys.signing_keys import PublicKey
from tracker.evidence.log.notes import NoteError
from tracker.evidence.log.service import LogError
from tracker.evidence.models import KeyOrigin, KeyUse

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NOT_CHECKED, NOT_COMPARED = 2, 3
USE = click.Choice([use.value for use in KeyUse])
ORIGINS = {KeyOrigin.MADE: "made here", KeyOrigin.IMPORTED: "brought by an organisation"}


class NotCheckedError(click.ClickException):
    """The check could not be made; told apart from a flaw by the exit code."""

    exit_code = NOT_CHECKED


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
        key = signing_keys.rotate(KeyUse(use))
    except KeysError as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    _tell_new(key)


@keys_group.command("revoke")
@click.argument("use", type=USE)
@click.argument("number", type=click.IntRange(min=1))
@click.option("--reason", required=True, help="Why; it stands in the trail and in every bundle.")
def revoke(use: str, number: int, reason: str) -> None:
    """Say that key NUMBER of USE may be in other hands; if it is in use, a new one is made."""
    try:
        key = signing_keys.revoke(KeyUse(use), number, reason)
    except (RuleBrokenError, KeysError) as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"The {use} key {number} is revoked.")
    if key is not None:
        _tell_new(key)


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


# Bundles ------------------------------------------------------------------------------------------

evidence_group = AppGroup("evidence", help="Bundles of evidence, to be checked anywhere.")


@evidence_group.command("export")
@click.argument("reference")
@click.option(
    "-o",
    "--output",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the bundle is written; a file that is there is not written over.",
)
def export(reference: str, file: Path) -> None:
    """Take out the evidence of the cooperation REFERENCE as a ZIP; that it was is recorded.

    Texts about visits and undertakings of persons stay out: who may open them takes them out on the
    page of the cooperation in the register.
    """
    if file.exists():
        raise click.ClickException(f"{file} is there already.")
    if not os.access(file.parent, os.W_OK):  # before anything is recorded
        raise click.ClickException(f"{file} can't be written: the folder is not there, or closed.")
    cooperation_id = queries.find_for_command(reference)
    if cooperation_id is None:
        raise click.ClickException(f"There is no cooperation {reference}.")
    try:
        taken = service.export(None, cooperation_id, reference)
        db.session.commit()
        data = bundle.build(taken)
        _write(file, data)
    except (KeysError, LogError, DamagedError, ContainerError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{file} can't be written: {error.strerror}.") from error
    click.echo(f"{file}: events {taken.count}, frozen texts {len(taken.revision_ids)}.")


@evidence_group.command("verify", with_appcontext=False)
@click.argument("file", type=FILE)
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    type=FILE,
    help="A checkpoint kept elsewhere: its text, or the mail that held it. May be given again.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="FINGERPRINT",
    help="SHA-256 of the server's key of the checkpoints, as you were told it. May be given again.",
)
def verify(file: Path, anchors: tuple[Path, ...], keys: tuple[str, ...]) -> None:
    """Check a bundle of evidence, link by link; needs no database, no network and no settings.

    Exit 0: every link holds, compared with what you hold. Exit 1: one does not, and is named. Exit
    2: the check could not be made. Exit 3: every link holds, but you gave nothing to compare with:
    anybody can make such a bundle.
    """
    report = checking.verify(
        file.read_bytes(),
        [_anchor(anchor) for anchor in anchors],
        [_fingerprint(key) for key in keys],
    )
    for verdict in report.verdicts:
        click.echo(f"{'holds' if verdict.holds else 'FLAW '}  {verdict.link}: {verdict.words}")
    if not report.is_sound:
        flaws = sum(not verdict.holds for verdict in report.verdicts)
        raise click.ClickException(
            f"This is no sound evidence: {flaws} of {len(report.verdicts)} links do not hold."
        )
    for line in report.signed:
        click.echo(f"       {line}")
    if not report.is_compared:
        click.echo(
            f"The evidence of {report.reference} is sound in itself, compared with nothing you "
            "hold. Anybody can make a bundle that is. Give a checkpoint that you kept with "
            "--anchor, or with --key the SHA-256 of the server's key as you were told it on "
            f"another way; this bundle was sealed with:\n       {report.key}"
        )
        sys.exit(NOT_COMPARED)
    click.echo(f"Nothing was altered in the evidence of {report.reference}. {_rests_on(report)}")


def _rests_on(report: Report) -> str:
    """Say what has to be believed for it."""
    if any(verdict.link.startswith(checking.ANCHOR) for verdict in report.verdicts):
        return "That rests on the checkpoints you hold, not on the server."
    return "That rests on the server's key, which is the one that you hold."


def _fingerprint(typed: str) -> str:
    letters = "".join(typed.split()).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", letters):
        raise NotCheckedError(f"{typed} is no SHA-256: that is 64 letters and figures.")
    return letters


def _anchor(file: Path) -> Anchor:
    try:
        return Anchor.read(file.name, file.read_bytes())
    except NoteError as error:
        raise NotCheckedError(f"{file} holds no checkpoint: {error}") from error


def _write(file: Path, data: bytes) -> None:
    """Write a file whole or not at all, for its owner alone."""
    descriptor, beside = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
        Path(beside).rename(file)
    except OSError:
        Path(beside).unlink(missing_ok=True)
        raise
