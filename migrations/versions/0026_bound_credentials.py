"""What a person signs in with is bound to the person: seals beside it, made at the next start."""

import sqlalchemy as sa
from alembic import op

revision = "0026_bound_credentials"
down_revision = "0025_powers"
branch_labels = None
depends_on = None

COLUMNS = ("credentials_seal", "address_seal", "passkeys_digest")


def upgrade() -> None:
    """Make the change; migrations have no keys, so accounts.adoption fills the columns."""
    for column in COLUMNS:
        op.add_column("user", sa.Column(column, sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    for column in COLUMNS:
        op.drop_column("user", column)
