"""Of those who share nothing but a name, only who could be the same person is read."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# The same plan for all calls, as the functions beside it have.
NEAR = """
create function match_near(ids uuid[], named uuid[], employers text[], births text[])
returns setof match_features language plpgsql stable rows 50
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
begin
  return query select m.* from match_sides(ids || array(
    select distinct f.candidate_id from unnest(named) as n(id)
    cross join lateral (
      select * from match_features r where r.candidate_id = n.id order by r.record_id
    ) as f
    where f.employer = any(employers) or exists (
      select from unnest(births) as b(day) where left(b.day, 4) = left(f.birth_date, 4)
        or right(b.day, 6) = right(f.birth_date, 6)
    )
  )) as m;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(NEAR)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop function match_near(uuid[], uuid[], text[], text[])")
