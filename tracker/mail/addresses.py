"""The placeholder address of a person without an email address."""

from uuid import UUID

import sqlalchemy as sa

# Reserved by RFC 2606: no mail ever reaches it, and no invitation can be sent to it.
_DOMAIN = "@no-email.invalid"


def of_nobody(user_id: UUID) -> str:
    """Return what is stored as the address of a person without email, different for each."""
    return f"{user_id}{_DOMAIN}"


def is_of_nobody(address: str) -> bool:
    """Return whether an address is such a placeholder."""
    return address.endswith(_DOMAIN)


def are_of_nobody(address: sa.SQLColumnExpression[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a column contains such a placeholder."""
    return address.endswith(_DOMAIN, autoescape=True)
