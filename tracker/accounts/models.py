"""People who sign in, their memberships and roles, invitations, attempts to prove identity."""

import datetime as dt
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_security import AsaList, UserMixin
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.access.actor import Role
from tracker.core.db import Base, Identified
from tracker.organisations.models import Organisation


class User(Identified, UserMixin, Base):  # type: ignore[misc] # the mixin thinks ids are numbers
    """A person with an account. The columns named fs_, tf_ and mf_ are the sign-in machinery's."""

    __tablename__ = "user"

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
    # The last time step whose code was used, so that a code that was seen can't be used again.
    totp_last_step: Mapped[int | None]
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(AsaList()))

    memberships: Mapped[list["Membership"]] = relationship(
        back_populates="user", foreign_keys="Membership.user_id", lazy="raise"
    )

    @property
    def roles(self) -> list[Any]:  # type: ignore[override] # there is nothing to write to
        """The sign-in machinery asks for roles; ours are memberships and asked elsewhere."""
        return []

    @property
    def has_second_factor(self) -> bool:
        """Whether a second factor was set up and proven once."""
        return bool(self.tf_primary_method and self.tf_totp_secret)

    @property
    def recovery_codes_left(self) -> int:
        """How many recovery codes are unused."""
        return len(self.mf_recovery_codes or ())


class Membership(Identified, Base):
    """One role of a person in an organisation, with a start and perhaps an end."""

    __tablename__ = "membership"
    __table_args__ = (sa.Index("ix_membership_organisation_role", "organisation_id", "role"),)

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"), index=True)
    # None: administrator of the instance
    organisation_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisation.id"))
    role: Mapped[Role]
    starts_on: Mapped[dt.date]
    # The last day it was given for; that day is included.
    ends_on: Mapped[dt.date | None]
    # When it was ended, at once, before or after that day.
    ended_at: Mapped[dt.datetime | None]
    outside_expert: Mapped[bool] = mapped_column(default=False)
    # Of a signatory: by what power they sign (law, statutes, decision), shown on the signature; and
    # its first and last day, where it has any, both included.
    power: Mapped[str] = mapped_column(default="")
    power_from: Mapped[dt.date | None]
    power_until: Mapped[dt.date | None]
    # Of a signatory or manager: the office held, shown on the signature.
    office: Mapped[str] = mapped_column(default="")
    # Of an auditor: the NPM whose cooperations are audited, when it is not the own organisation.
    audits_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisation.id"))
    created_at: Mapped[dt.datetime]

    user: Mapped[User] = relationship(
        back_populates="memberships", foreign_keys=[user_id], lazy="raise"
    )
    organisation: Mapped[Organisation | None] = relationship(
        foreign_keys=[organisation_id], lazy="raise"
    )


class Invitation(Identified, Base):
    """An account offered to one address: expires, can be revoked, works once."""

    __tablename__ = "invitation"

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
    # Where the person is to take part at once, and in which function.
    cooperation_id: Mapped[UUID | None] = mapped_column(index=True)
    function: Mapped[str] = mapped_column(default="")
    token_digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    invited_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    accepted_at: Mapped[dt.datetime | None]
    accepted_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    revoked_at: Mapped[dt.datetime | None]

    organisation: Mapped[Organisation | None] = relationship(
        foreign_keys=[organisation_id], lazy="raise"
    )


class Attempt(Identified, Base):
    """One failed proof of identity, kept a short time to slow down guessing."""

    __tablename__ = "attempt"
    __table_args__ = (sa.Index("ix_attempt_key_at", "key", "at"),)

    key: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[dt.datetime]
