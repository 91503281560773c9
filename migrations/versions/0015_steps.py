"""What more kinds of steps need: variants, waits for a condition, entries by themselves, the hash of what was sent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = ("entry_marks", "feed_cursors")


def _tenant() -> sa.Column[object]:
    default = sa.text("(current_setting('app.tenant'))::uuid")
    return sa.Column("tenant_id", sa.Uuid(), server_default=default, nullable=False)


def upgrade() -> None:
    """Add the columns and the two tables."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.add_column("messages", sa.Column("variant", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("rendered_hash", sa.Text(), nullable=True))
    op.add_column("enrollments", sa.Column("limit_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "create index ix_enrollments_condition on enrollments (tenant_id, candidate_id) where limit_at is not null"
    )
    op.create_table(
        "entry_marks",
        _tenant(),
        sa.Column("sequence_id", sa.Uuid(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_entry_marks_tenant_id_candidate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sequence_id"],
            ["sequences.tenant_id", "sequences.id"],
            name=op.f("fk_entry_marks_tenant_id_sequence_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "sequence_id", "entry", "candidate_id", name=op.f("pk_entry_marks")),
    )
    op.create_index("ix_entry_marks_candidate_id", "entry_marks", ["tenant_id", "candidate_id"], unique=False)
    op.create_table(
        "feed_cursors",
        _tenant(),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_feed_cursors")),
    )
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)


def downgrade() -> None:
    """Take them away."""
    op.drop_table("feed_cursors")
    op.drop_index("ix_entry_marks_candidate_id", table_name="entry_marks")
    op.drop_table("entry_marks")
    op.drop_index(
        "ix_enrollments_condition", table_name="enrollments", postgresql_where=sa.text("limit_at is not null")
    )
    op.drop_column("enrollments", "limit_at")
    op.drop_column("messages", "rendered_hash")
    op.drop_column("messages", "variant")
