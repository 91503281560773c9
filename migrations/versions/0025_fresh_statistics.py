"""Statistics are taken anew after a hundredth of a large table has changed: they know a new tenant the sooner.

The plans of a tenant that they do not know are those for nobody. By itself PostgreSQL waits for a tenth, which among a
million people is a hundred thousand of the new tenant.
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLES = (
    *("candidates", "records", "identifiers", "external_ids", "record_keys", "match_features", "terms"),
    *("touchpoints", "scores", "consents", "pool_members", "link_decisions", "candidate_pairs"),
    *("enrollments", "messages"),
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in TABLES:
        op.execute(f"alter table {table} set (autovacuum_analyze_scale_factor = 0.01)")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in TABLES:
        op.execute(f"alter table {table} reset (autovacuum_analyze_scale_factor)")
