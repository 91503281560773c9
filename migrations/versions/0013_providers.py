"""Imports that are lists of people at an event."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Note of which connection and of which event a list is."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.add_column("imports", sa.Column("connection_id", sa.Uuid(), nullable=True))
    op.add_column("imports", sa.Column("event", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    """Take the two columns away."""
    op.drop_column("imports", "event")
    op.drop_column("imports", "connection_id")
