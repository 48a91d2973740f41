"""Commands for evidence: manage keys, export a bundle, verify one, renew a signed PDF."""

import os
import re
import sys
import tempfile
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.keys import KeysError
from tracker.evidence.bundles import bundle, queries, service
from tracker.evidence.bundles import verify as checking
from tracker.evidence.bundles.bundle import DamagedError
from tracker.evidence.bundles.container import ContainerError
from tracker.evidence.bundles.verify import Anchor, Report
from tracker.evidence.certificates import pdf
from tracker.evidence.certificates.pdf import SignError
from tracker.evidence.keys import signing_keys
from tracker.evidence.keys.signing_keys import PublicKey
from tracker.evidence.log.notes import NoteError
from tracker.evidence.log.service import LogError
from tracker.evidence.models import KeyOrigin, KeyUse

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NOT_CHECKED, NOT_COMPARED = 2, 3
USE = click.Choice([use.value for use in KeyUse])
ORIGINS = {KeyOrigin.MADE: "created here", KeyOrigin.IMPORTED: "imported by an organisation"}


class NotCheckedError(click.ClickException):
    """Raised when a file can't be checked; its exit code differs from that of a failed check."""

    exit_code = NOT_CHECKED


keys_group = AppGroup(
    "keys", help="Manage keys: those that sign evidence, and those of the instance."
)


@keys_group.command("list")
def list_keys() -> None:
    """List all keys ever used; exit 1 if one in use can't be read."""
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
    """Create a new key for USE.

    The old key is kept for verification; a checkpoint key also vouches for the new one.
    """
    try:
        key = signing_keys.rotate(KeyUse(use))
    except KeysError as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    _tell_new(key)


@keys_group.command("revoke")
@click.argument("use", type=USE)
@click.argument("number", type=click.IntRange(min=1))
@click.option("--reason", required=True, help="Why; shown in the trail and in every bundle.")
def revoke(use: str, number: int, reason: str) -> None:
    """Declare that key NUMBER for USE may be in other hands.

    If it is in use, a new one is created.
    """
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
@click.option("--chain", type=FILE, help="The certificates of its issuers, in order, PEM.")
def import_key(key: Path, certificate: Path, chain: Path | None) -> None:
    """Import an organisation's own key and certificate, which sign documents from now on.

    You are asked for the key's password if it has one. The files are read once and not moved.
    """
    certificates = certificate.read_bytes() + (chain.read_bytes() if chain else b"")
    private = key.read_bytes()
    try:
        try:
            imported = signing_keys.import_key(private, certificates)
        except RuleBrokenError as error:
            if error.field != "password":
                raise
            password = click.prompt("Password of the key", hide_input=True).encode()
            imported = signing_keys.import_key(private, certificates, password)
    except (RuleBrokenError, KeysError) as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    _tell_new(imported)


def _tell_new(key: PublicKey) -> None:
    click.echo(f"{_name(key)} is in use.\n  SHA-256 {key.fingerprint}")
    click.echo("Copy the folder keys/evidence to where you keep the other keys.")


def _name(key: PublicKey) -> str:
    return f"The {key.use.value} key {key.number}"


def _state(key: PublicKey) -> str:
    if key.revoked_at:
        return f"revoked on {key.revoked_at:%F}: {key.reason}"
    if key.retired_at:
        return f"used from {key.made_at:%F} to {key.retired_at:%F}, kept for verification"
    return f"in use since {key.made_at:%F}, {ORIGINS[key.origin]}"


# Bundles ------------------------------------------------------------------------------------------

evidence_group = AppGroup(
    "evidence", help="Export evidence bundles, verify them, and renew signed PDFs."
)


@evidence_group.command("export")
@click.argument("reference")
@click.option(
    "-o",
    "--output",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; an existing file is not overwritten.",
)
def export(reference: str, file: Path) -> None:
    """Export the evidence of the cooperation REFERENCE as a ZIP file. The export is recorded.

    Texts about visits and personal undertakings are left out: people who may open them can export
    them from the cooperation's page in the register.
    """
    _require_new(file)  # before anything is recorded
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


@evidence_group.command("renew")
@click.argument("file", type=FILE)
@click.option(
    "-o",
    "--output",
    "renewed",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; an existing file is not overwritten.",
)
def renew(file: Path, renewed: Path) -> None:
    """Add one more archive timestamp to the signed PDF FILE, and write the result to a new file.

    Do so before the certificate of its last timestamp ends; a PDF without any gets its first. Keep
    FILE too: its digest is the one in the evidence. Needs TRACKER_TIMESTAMP_URL. It checks that
    FILE is sound in itself, not whose it is.
    """
    _require_new(renewed)
    address = current_app.extensions["settings"].timestamp_url
    if not address:
        raise click.ClickException("Set TRACKER_TIMESTAMP_URL to a timestamp service.")
    try:
        data = pdf.renew(file.read_bytes(), address)
        _write(renewed, data)
    except SignError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{renewed} can't be written: {error.strerror}.") from error
    click.echo(f"{renewed}: renew it before {pdf.timestamp_end(data):%F}.")


@evidence_group.command("verify", with_appcontext=False)
@click.argument("file", type=FILE)
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    type=FILE,
    help="A checkpoint kept elsewhere: its text, or the mail it came in. Repeatable.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="FINGERPRINT",
    help="SHA-256 of the server's checkpoint key, as it was given to you. Repeatable.",
)
def verify(file: Path, anchors: tuple[Path, ...], keys: tuple[str, ...]) -> None:
    """Verify an evidence bundle, link by link. Needs no database, network or settings.

    Exit 0: every link is valid, compared with your checkpoint or key. Exit 1: at least one is not
    valid, and is named, or the file isn't a bundle. Exit 2: nothing was checked, since a file is
    missing, an anchor contains no checkpoint or a key isn't a SHA-256. Exit 3: every link is valid,
    but you gave nothing to compare with, or a checkpoint whose key doesn't vouch for what came
    after it: anybody can make such a bundle.
    """
    report = checking.verify(
        file.read_bytes(),
        [_anchor(anchor) for anchor in anchors],
        [_fingerprint(key) for key in keys],
    )
    for verdict in report.verdicts:
        click.echo(f"{'valid' if verdict.holds else 'FLAW '}  {verdict.link}: {verdict.words}")
    if not report.is_sound:
        flaws = sum(not verdict.holds for verdict in report.verdicts)
        raise click.ClickException(
            f"This is not sound evidence: {flaws} of {len(report.verdicts)} links are not valid."
        )
    for line in report.signed:
        click.echo(f"       {line}")
    if not report.is_compared:
        click.echo(
            f"The evidence of {report.reference} is sound in itself, {_lacking(report)} Give a "
            "checkpoint you kept with --anchor, or with --key the SHA-256 of the server's key as "
            "you received it through another channel; this bundle was sealed with:"
            f"\n       {report.key}"
        )
        sys.exit(NOT_COMPARED)
    click.echo(f"Nothing was altered in the evidence of {report.reference}. {_rests_on(report)}")


def _lacking(report: Report) -> str:
    """Return a phrase that says what was compared with nothing."""
    if not report.anchored:
        return "compared with nothing you hold. Anybody can make a bundle that is."
    return (
        f"but only its first {report.anchored:,} of {report.count:,} events were compared with "
        "what you hold. The key of your checkpoint does not vouch for the one that sealed this: "
        "anybody can have added the others."
    )


def _rests_on(report: Report) -> str:
    """Return a sentence that says what this conclusion depends on."""
    was_given = any(verdict.link.startswith(f"{checking.HELD} ") for verdict in report.verdicts)
    after = "the server's key" + (", which is the one you gave" if was_given else "")
    if not report.anchored:
        return f"This depends on {after}."
    if report.anchored == report.count:
        return "This depends on the checkpoints you gave, not on the server."
    return (
        f"For the first {report.anchored:,} of {report.count:,} events this depends on the "
        f"checkpoints you gave, not on the server; for the others on {after}."
    )


def _fingerprint(typed: str) -> str:
    letters = "".join(typed.split()).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", letters):
        raise NotCheckedError(f"{typed} is not a SHA-256, which has 64 hexadecimal digits.")
    return letters


def _anchor(file: Path) -> Anchor:
    try:
        return Anchor.read(file.name, file.read_bytes())
    except NoteError as error:
        raise NotCheckedError(f"{file} contains no checkpoint: {error}") from error


def _require_new(file: Path) -> None:
    if file.exists():
        raise click.ClickException(f"{file} already exists.")
    if not os.access(file.parent, os.W_OK):
        raise click.ClickException(
            f"{file} can't be written: the folder doesn't exist, or you may not write to it."
        )


def _write(file: Path, data: bytes) -> None:
    """Write a file that only its owner can read, completely or not at all."""
    descriptor, beside = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
        Path(beside).rename(file)
    except OSError:
        Path(beside).unlink(missing_ok=True)
        raise
