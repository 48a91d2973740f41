"""The audit of credentials: seals, passkeys, and the events that bind them to people."""

from collections import defaultdict
from uuid import UUID

import sqlalchemy as sa

from tracker.accounts.factors import credentials, seals
from tracker.accounts.factors.seals import BoundPasskey, Credentials
from tracker.accounts.models import Passkey, User
from tracker.oversight import stored
from tracker.oversight.facts import Fault, RowLocation, Table
from tracker.oversight.log_audit import InstanceEvents
from tracker.oversight.reading import Reader, broken, printable, read
from tracker.oversight.stored import Stored


def check(reader: Reader, events: InstanceEvents) -> None:
    """Check each account against its seals, its passkeys and the last event that binds it.

    Raise BrokenError at the first that disagrees. Before an earlier version's accounts are bound at
    the first start, they have neither seal nor event, and can't be used.
    """
    passkeys = _passkeys(reader, events)
    bound = dict(events.bound)
    query = sa.select(*stored.columns(User)).order_by(User.created_at, User.id)
    for row in reader.rows(query):
        place = RowLocation(Table.ACCOUNT, row=printable(row["email"]))
        credentials = read(_credentials, row, place)
        _number, evidence = bound.pop(credentials.user_id, (0, None))
        seals = read(_seals, row, place)
        if not events.adopted and evidence is None and seals == (None, None):
            continue
        fault = _fault(credentials, seals, passkeys.pop(credentials.user_id, []), evidence)
        if fault is not None:
            broken(fault, place)
        reader.note(accounts=1)
    if bound:
        broken(Fault.ROW_GONE, RowLocation(Table.EVENT, event=min(bound.values())[0]))


def _fault(
    credentials: Credentials,
    stored_seals: tuple[str | None, str | None],
    passkeys: list[BoundPasskey],
    evidence: str | None,
) -> Fault | None:
    seal, address = stored_seals
    if not seals.is_address_seal(address, credentials.user_id, credentials.email):
        return Fault.OTHER_ADDRESS
    is_sealed = seal is not None and credentials.is_seal(seal)
    if seal is None or not is_sealed or credentials.passkeys != seals.passkeys_digest(passkeys):
        return Fault.OTHER_CREDENTIALS
    return None if evidence == seals.evidence_of(seal) else Fault.FORMER_CREDENTIALS


def _passkeys(reader: Reader, bound: InstanceEvents) -> dict[UUID, list[BoundPasskey]]:
    """Return the passkeys of each account; each must have been added to it."""
    passkeys: dict[UUID, list[BoundPasskey]] = defaultdict(list)
    query = sa.select(*stored.columns(Passkey)).order_by(Passkey.created_at, Passkey.id)
    for row in reader.rows(query):
        place = RowLocation(Table.PASSKEY, row=printable(row["name"]))
        passkey = read(_passkey, row, place)
        known = credentials.evidence_of(passkey.user_id, passkey.credential_id, passkey.public_key)
        if known not in bound.passkeys:
            broken(Fault.PASSKEY_NOT_SET_UP, place)
        passkeys[passkey.user_id].append(passkey)
    return passkeys


def _credentials(row: Stored) -> Credentials:
    codes = stored.text_or_none(row["mf_recovery_codes"])
    return Credentials(
        user_id=stored.identity(row["id"]),
        email=stored.text(row["email"]),
        active=stored.flag(row["active"]),
        mark=stored.text(row["fs_uniquifier"]),
        password=stored.text_or_none(row["password"]),
        method=stored.text_or_none(row["tf_primary_method"]),
        secret=stored.text_or_none(row["tf_totp_secret"]),
        recovery_codes=tuple(codes.split(",")) if codes else (),
        passkeys=stored.text_or_none(row["passkeys_digest"]),
    )


def _seals(row: Stored) -> tuple[str | None, str | None]:
    return (
        stored.text_or_none(row["credentials_seal"]),
        stored.text_or_none(row["address_seal"]),
    )


def _passkey(row: Stored) -> BoundPasskey:
    return BoundPasskey(
        user_id=stored.identity(row["user_id"]),
        credential_id=stored.data(row["credential_id"]),
        public_key=stored.data(row["public_key"]),
        is_set_aside=stored.moment_or_none(row["set_aside_at"]) is not None,
    )
