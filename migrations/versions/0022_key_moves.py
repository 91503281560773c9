"""Keys follow their records to another candidate in place; what merges keep is not compressed."""

from alembic import op

revision = "0022"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    # The product is not in use yet: nobody waits for the lock that dropping the short way takes.
    op.execute("-- squawk-ignore require-concurrent-index-deletion\ndrop index ix_record_keys_candidate_id")
    # Room on each page for the keys that merges give to another candidate: no index has to be written for these.
    op.execute("alter table record_keys set (fillfactor = 90)")
    # Of rows this small, compressing costs more than the space.
    op.execute("alter table merges set (toast_tuple_target = 8160)")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table merges reset (toast_tuple_target)")
    op.execute("alter table record_keys reset (fillfactor)")
    op.create_index("ix_record_keys_candidate_id", "record_keys", ["tenant_id", "candidate_id"], unique=False)
