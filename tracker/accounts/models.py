"""Tables of people, roles, passkeys, sessions, invitations, proofs, and the security log."""

import datetime as dt
import enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from flask_security import AsaList, UserMixin, WebAuthnMixin
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from tracker.access.actor import Confirmation, Role
from tracker.core.db import Base, Identified, db
from tracker.mail import addresses
from tracker.notifications.models import choices_of
from tracker.organisations.models import Organisation


class RecoveryCodes(AsaList):
    """Digests of recovery codes in one text column; statements depend only on its type."""

    cache_ok = True


class User(Identified, UserMixin, Base):  # type: ignore[misc] # the mixin thinks ids are numbers
    """A person.

    Columns named fs_, tf_, mf_ and webauthn are Flask-Security's. A person without an email address
    (signs_in) has no account: there is nothing to sign in with, and no way to set it.
    """

    __tablename__ = "user"
    __table_args__ = (sa.Index("ix_user_active_name", "active", "name", "id"),)

    email: Mapped[str] = mapped_column(sa.String(255), unique=True)
    name: Mapped[str]
    language: Mapped[str] = mapped_column(sa.String(10), default="en")
    password: Mapped[str | None] = mapped_column(sa.String(255))
    active: Mapped[bool] = mapped_column(default=True)
    suspended_at: Mapped[dt.datetime | None]
    suspended_reason: Mapped[str] = mapped_column(default="")
    is_demonstration: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]

    fs_uniquifier: Mapped[str] = mapped_column(sa.String(64), unique=True)
    tf_primary_method: Mapped[str | None] = mapped_column(sa.String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(sa.String(255))
    tf_phone_number: Mapped[str | None] = mapped_column(sa.String(128))
    # The last time step whose code was used, so that a code that somebody saw can't be used again.
    totp_last_step: Mapped[int | None]
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(
        MutableList.as_mutable(RecoveryCodes())
    )
    # Seals of accounts.factors.seals: of the columns above, of the address alone, and of the
    # passkeys.
    credentials_seal: Mapped[str | None] = mapped_column(sa.String(64))
    address_seal: Mapped[str | None] = mapped_column(sa.String(64))
    passkeys_digest: Mapped[str | None] = mapped_column(sa.String(64))
    # How passkeys name their owner; random, and set with the first one.
    fs_webauthn_user_handle: Mapped[str | None] = mapped_column(  # type: ignore[assignment] # empty
        sa.String(64), unique=True, index=True
    )

    if TYPE_CHECKING:
        # Whether a usable passkey exists; selected together with the person (below).
        has_passkey: Mapped[bool]
        # How often they want emails about notifications, as stored; likewise.
        notification_choices: Mapped[str | None]

    memberships: Mapped[list["Membership"]] = relationship(
        back_populates="user", foreign_keys="Membership.user_id", lazy="raise"
    )

    @property
    def roles(self) -> list[Any]:  # type: ignore[override] # there is nothing to write to
        """Empty: Flask-Security asks for roles, but ours are memberships and read elsewhere."""
        return []

    @property
    def webauthn(self) -> "list[Passkey]":  # type: ignore[override] # of our own kind, and read only
        """The person's passkeys; Flask-Security reads them only for the signed-in person."""
        own = sa.select(Passkey).where(Passkey.user_id == self.id).order_by(Passkey.created_at)
        return list(db.session.scalars(own))

    @property
    def signs_in(self) -> bool:
        """Whether the person has an address, and with it an account to sign in to."""
        return not addresses.is_of_nobody(self.email)

    @property
    def has_app(self) -> bool:
        """Whether an app for one-time codes was set up and confirmed."""
        return bool(self.tf_primary_method and self.tf_totp_secret)

    @property
    def has_second_factor(self) -> bool:
        """Whether the person has a second factor: an app for codes, or a passkey."""
        return self.has_app or bool(self.has_passkey)

    @property
    def recovery_codes_left(self) -> int:
        """The number of unused recovery codes."""
        return len(self.mf_recovery_codes or ())


class Passkey(Identified, WebAuthnMixin, Base):  # type: ignore[misc] # ids aren't numbers here
    """A passkey: the public key that verifies what its device signs."""

    __tablename__ = "passkey"

    # Flask-Security distinguishes passkeys for the first and for the second factor. Here each one
    # verifies its user (PIN, finger, face) and so works as both.
    usage = "first"
    extensions = None

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(64))
    credential_id: Mapped[bytes] = mapped_column(sa.LargeBinary(), unique=True)
    # A COSE key, as the device gave it.
    public_key: Mapped[bytes] = mapped_column(sa.LargeBinary())
    # The device's signature counter; 0 if the device doesn't count.
    sign_count: Mapped[int]
    transports: Mapped[list[str]] = mapped_column(default=list)
    backup_state: Mapped[bool]
    device_type: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[dt.datetime]
    lastuse_datetime: Mapped[dt.datetime]
    # When it was disabled because its counter went backwards, so it may have been cloned.
    set_aside_at: Mapped[dt.datetime | None]

    user: Mapped[User] = relationship(lazy="raise")


if not TYPE_CHECKING:
    User.has_passkey = column_property(
        sa.exists()
        .where(Passkey.user_id == User.id, Passkey.set_aside_at.is_(None))
        .correlate_except(Passkey)
    )
    User.notification_choices = column_property(choices_of(User.id))


class UserSession(Identified, Base):
    """A session that a person began by signing in, named in its cookie; deleted when it ends."""

    __tablename__ = "user_session"

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"), index=True)
    begun_at: Mapped[dt.datetime] = mapped_column(index=True)
    # The browser's name for itself and the network address, as JSON, encrypted for this row.
    sealed_origin: Mapped[bytes]


class TelephoneNumber(Base):
    """How to reach a person by telephone, as they gave it; encrypted, and deleted with the account.

    In a table of its own, since hardly any page reads it and every page reads the person.
    """

    __tablename__ = "telephone_number"

    user_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    sealed_number: Mapped[bytes]


class RefusedAccount(Base):
    """An account whose credentials were changed outside the application, as the worker found it.

    Deleted once the worker finds the account valid again, or when its credentials are bound again.
    """

    __tablename__ = "refused_account"

    user_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    noticed_at: Mapped[dt.datetime]


class UsedChallenge(Base):
    """A challenge that a passkey has answered, as a digest; kept until it would have expired."""

    __tablename__ = "used_challenge"

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(index=True)


class MailedCode(Identified, Base):
    """A code mailed to a person for one act, stored only as a digest."""

    __tablename__ = "mailed_code"
    __table_args__ = (sa.UniqueConstraint("user_id", "subject_id"),)

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    # What the code signs; it is valid for nothing else.
    subject_id: Mapped[UUID]
    digest: Mapped[str] = mapped_column(sa.String(64))
    made_at: Mapped[dt.datetime] = mapped_column(index=True)


class Membership(Identified, Base):
    """One role of a person in an organisation, with a start and perhaps an end."""

    __tablename__ = "membership"
    __table_args__ = (
        sa.Index("ix_membership_organisation_role", "organisation_id", "role"),
        # The index for the worker's query.
        sa.Index(
            "ix_membership_running",
            "ends_on",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index(
            "ix_membership_role",
            "role",
            "user_id",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"), index=True)
    # None: administrator of the instance
    organisation_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisation.id"))
    role: Mapped[Role]
    starts_on: Mapped[dt.date]
    # The last day it was given for, inclusive.
    ends_on: Mapped[dt.date | None]
    # When it was ended, before or after that day.
    ended_at: Mapped[dt.datetime | None]
    outside_expert: Mapped[bool] = mapped_column(default=False)
    # For a signatory: the power they sign by (law, statutes, decision), shown on the signature; and
    # its first and last day, if it has any, both inclusive.
    power: Mapped[str] = mapped_column(default="")
    power_from: Mapped[dt.date | None]
    power_until: Mapped[dt.date | None]
    # For a signatory or manager: their office, shown on the signature.
    office: Mapped[str] = mapped_column(default="")
    # For an auditor: the NPM whose cooperations they audit, if it is not their own organisation.
    audits_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisation.id"))
    created_at: Mapped[dt.datetime]
    # When it began: immediately, or for a signatory or manager once it was confirmed and, if an
    # administrator confirmed it, accepted by the person. None until then.
    begun_at: Mapped[dt.datetime | None]
    # For a signatory or manager: who confirmed it, how and when. The name stays as it was then;
    # without one it was confirmed on the command line.
    confirmed_how: Mapped[Confirmation | None]
    confirmed_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    confirmed_by: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[dt.datetime | None]

    user: Mapped[User] = relationship(
        back_populates="memberships", foreign_keys=[user_id], lazy="raise"
    )
    organisation: Mapped[Organisation | None] = relationship(
        foreign_keys=[organisation_id], lazy="raise"
    )


class Invitation(Identified, Base):
    """An account offered to one address: it expires, can be revoked, and works once."""

    __tablename__ = "invitation"
    __table_args__ = (
        sa.Index(
            "ix_invitation_unused",
            "organisation_id",
            sqlite_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
            postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
        ),
    )

    email: Mapped[str] = mapped_column(sa.String(255), index=True)
    name: Mapped[str] = mapped_column(default="")
    organisation_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisation.id"))
    roles: Mapped[list[str]]
    power: Mapped[str] = mapped_column(default="")
    power_from: Mapped[dt.date | None]
    power_until: Mapped[dt.date | None]
    office: Mapped[str] = mapped_column(default="")
    outside_expert: Mapped[bool] = mapped_column(default=False)
    audits_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisation.id"))
    language: Mapped[str] = mapped_column(sa.String(10), default="en")
    # The cooperation the person joins on accepting, and in which function.
    cooperation_id: Mapped[UUID | None] = mapped_column(index=True)
    function: Mapped[str] = mapped_column(default="")
    token_digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    invited_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    # Whether who invited could confirm a signatory's or manager's role at that time, and so did.
    confirms: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    accepted_at: Mapped[dt.datetime | None]
    accepted_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    revoked_at: Mapped[dt.datetime | None]

    organisation: Mapped[Organisation | None] = relationship(
        foreign_keys=[organisation_id], lazy="raise"
    )


class Attempt(Identified, Base):
    """One failed proof of identity, kept for a short time to slow down guessing."""

    __tablename__ = "attempt"
    __table_args__ = (sa.Index("ix_attempt_key_at", "key", "at"),)

    key: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[dt.datetime] = mapped_column(index=True)


class SecurityKind(enum.StrEnum):
    """What an entry of the security log says; kinds that the trail also has are named as there."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    PROOF_FAILED = "proof_failed"
    SIGNED_OUT = "signed_out"
    REFUSED = "refused"
    SESSION_ENDED = "session_ended"
    SESSIONS_ENDED = "sessions_ended"
    PASSWORD_LINK_REQUESTED = "password_link_requested"  # noqa: S105 -- the name of a kind
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 -- the name of a kind
    SECOND_FACTOR_SET = "second_factor_set"
    SECOND_FACTOR_RESET = "second_factor_reset"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    PASSKEY_SET_ASIDE = "passkey_set_aside"
    INVITATION_ACCEPTED = "invitation_accepted"
    INVITATION_REFUSED = "invitation_refused"
    ROLE_GIVEN = "role_given"
    ROLE_CONFIRMED = "role_confirmed"
    ROLE_ACCEPTED = "role_accepted"
    ROLE_ENDED = "role_ended"
    PERSON_SUSPENDED = "person_suspended"
    PERSON_RESTORED = "person_restored"


class SignInMethod(enum.StrEnum):
    """How somebody signed in or proved who they are, or why that was refused."""

    PASSWORD = "password"  # noqa: S105 -- the name of a method
    CODE = "code"
    RECOVERY_CODE = "recovery_code"
    PASSKEY = "passkey"
    MAILED_CODE = "mailed_code"
    INVITATION = "invitation"
    TOO_MANY = "too_many"
    CLOSED = "closed"


class SecurityLogEntry(Identified, Base):
    """One entry of the security log (product.md, section 7); deleted after twelve months."""

    __tablename__ = "security_log_entry"
    __table_args__ = (
        sa.Index("ix_security_log_entry_order", "at", "id"),
        sa.Index("ix_security_log_entry_kind", "kind", "at", "id"),
        sa.Index("ix_security_log_entry_person", "user_id", "at", "id"),
        sa.Index("ix_security_log_entry_person_kind", "user_id", "kind", "at", "id"),
    )

    kind: Mapped[SecurityKind]
    # Whose account it is about; None if it isn't anybody known. What a stranger typed is never
    # stored. No foreign keys, as in the trail: they would lock a person's row while another's is
    # locked.
    user_id: Mapped[UUID | None]
    # Who did it, as far as that is proved; None for a failure, and for the application itself.
    by_id: Mapped[UUID | None]
    # A method, a role, or the method and name of a page: never an id, a name or content.
    detail: Mapped[str] = mapped_column(sa.String(80), default="")
    at: Mapped[dt.datetime]
    # Browser and network address, encrypted for this row; None if somebody else did it.
    sealed_origin: Mapped[bytes | None]
    # How many more of the same kind were not stored because there were too many.
    left_out: Mapped[int] = mapped_column(default=0)
