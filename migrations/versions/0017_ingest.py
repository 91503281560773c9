"""What the speed of signals needs: the checks of a foreign key are planned once, not for every row."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Sessions plan each statement for its own values (app/kit/db.py), and the server would do so for the check of every
# single row, too: six times what the check itself costs. It fires between these two.
FUNCTION = """
create function plan_checks_once() returns trigger language plpgsql as $$
begin
  if tg_when = 'BEFORE' then
    set local plan_cache_mode = auto;
  else
    set local plan_cache_mode = force_custom_plan;
  end if;
  return null;
end $$"""
TABLES = ("touchpoints", "records", "identifiers", "external_ids", "import_rows")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.execute(FUNCTION)
    for table in TABLES:
        for moment in ("before", "after"):
            op.execute(
                f"create trigger plan_checks_{moment} {moment} insert on {table} "
                "for each statement execute function plan_checks_once()"
            )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in TABLES:
        for moment in ("before", "after"):
            op.execute(f"drop trigger plan_checks_{moment} on {table}")
    op.execute("drop function plan_checks_once()")
