"""Keys follow their records in place; what merges keep is not compressed; who was merged is looked up row by row."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

REFUSE = """
create or replace function {name}() returns trigger language plpgsql as $$
begin
  if exists (select from added a where {found}) then
    -- The class of a serialisation failure: the transaction is run again, and then finds the survivor.
    raise exception 'somebody was merged meanwhile' using errcode = '40001';
  end if;
  return null;
end $$
"""
MERGED = "(select c.merged_into from candidates c where c.tenant_id = a.tenant_id and c.id = a.{side}) is not null"
"""By its key, row by row: a join may compare all rows with all who were merged, as long as nobody has counted these."""
NAMED = {"refuse_merged": ("candidate_id",), "refuse_merged_pair": ("left_id", "right_id")}
JOINED = """exists (
  select from candidates c where c.tenant_id = a.tenant_id and c.id in ({sides}) and c.merged_into is not null
)"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    # The product is not in use yet: nobody waits for the lock that dropping the short way takes.
    op.execute("-- squawk-ignore require-concurrent-index-deletion\ndrop index ix_record_keys_candidate_id")
    # Room on each page for the keys that merges give to another candidate: no index has to be written for these.
    op.execute("alter table record_keys set (fillfactor = 90)")
    # Of rows this small, compressing costs more than the space.
    op.execute("alter table merges set (toast_tuple_target = 8160)")
    for name, sides in NAMED.items():
        op.execute(REFUSE.format(name=name, found=" or ".join(MERGED.format(side=side) for side in sides)))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name, sides in NAMED.items():
        found = JOINED.format(sides=", ".join(f"a.{side}" for side in sides))
        op.execute(REFUSE.format(name=name, found=found))
    op.execute("alter table merges reset (toast_tuple_target)")
    op.execute("alter table record_keys reset (fillfactor)")
    op.create_index("ix_record_keys_candidate_id", "record_keys", ["tenant_id", "candidate_id"], unique=False)
