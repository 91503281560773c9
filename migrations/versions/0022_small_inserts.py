"""What small inserts need: no plan is chosen where it is given, and no index entry for a mail that nobody looks up."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = ("touchpoints", "records", "identifiers", "external_ids", "import_rows")
MOMENTS = {"before": "force_custom_plan", "after": "auto"}
"""How plans are chosen when each of the two is needed: a transaction by keys has said by itself how it plans."""
TRIGGER = """
create trigger plan_checks_{moment} {moment} insert on {table} for each statement
{condition} execute function plan_checks_once()
"""
# The product is not in use yet: nothing waits while an index is built the short way.
DROP = "-- squawk-ignore require-concurrent-index-deletion\ndrop index ix_touchpoints_message"
CREATE = """
-- squawk-ignore require-concurrent-index-creation
create index ix_touchpoints_message on touchpoints (tenant_id, message_id, candidate_id)
where message_id is not null{more}
"""


def _triggers(condition: str) -> None:
    for table in TABLES:
        for moment, mode in MOMENTS.items():
            op.execute(f"drop trigger plan_checks_{moment} on {table}")
            op.execute(TRIGGER.format(moment=moment, table=table, condition=condition.format(mode=mode)))


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    _triggers("when (current_setting('plan_cache_mode') = '{mode}')")
    op.execute(DROP)
    op.execute(CREATE.format(more=" and type in ('email_clicked', 'email_delivered')"))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _triggers("")
    op.execute(DROP)
    op.execute(CREATE.format(more=""))
