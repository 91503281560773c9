"""Who asks for a look at what a worker has in hand is remembered: a moment behind the end of the lease was lost.

`again_at` is null where nobody has the row in hand, infinity where nobody has asked for it meanwhile.
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table due add column again_at timestamptz")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    # squawk-ignore ban-drop-column
    op.execute("alter table due drop column again_at")
