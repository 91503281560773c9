"""Flat features of records, frequencies of values, models and the state of matching."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("match_features", "term_frequencies", "match_state", "match_models")

# One plan for all calls: planning costs more than running them. It is built for the shape that they need, whatever is
# known of the tables at that moment.
PLANNED = """
language plpgsql stable rows 50
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
"""
FUNCTIONS = (
    f"""create function match_keys(hashes bytea[], counted bytea[], cap integer)
        returns table (hash bytea, candidate_id uuid, generic boolean, n bigint) {PLANNED} as $$
        #variable_conflict use_column
        begin return query
          select k.hash, found.candidate_id, coalesce(s.generic, false), cast(null as bigint)
          from unnest(hashes) as k(hash)
          cross join lateral (
            select r.candidate_id from record_keys r where r.key_hash = k.hash order by r.record_id limit cap
          ) as found
          left join lateral (select t.generic from key_stats t where t.key_hash = k.hash) as s on true
          union all
          select v.hash, null, false, f.n from unnest(counted) as v(hash)
          join term_frequencies f on f.value_hash = v.hash;
        end $$""",
    f"""create function match_sides(ids uuid[]) returns setof match_features {PLANNED} as $$
        begin return query
          select m.* from unnest(ids) as asked(id)
          join candidates c on c.id = asked.id
            and c.hidden_at is null and c.erased_at is null and c.merged_into is null
          cross join lateral (
            select * from match_features f where f.candidate_id = c.id order by f.record_id
          ) as m;
        end $$""",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "match_features",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("name", postgresql.JSONB(), nullable=True),
        sa.Column("name_kanji", sa.Text(), nullable=True),
        sa.Column("name_key", sa.Text(), nullable=True),
        sa.Column("emails", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("mobiles", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("fixed_phones", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("urls", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("nobodys", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("generic", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("external_ids", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("birth_date", sa.Text(), nullable=True),
        sa.Column("employer", sa.Text(), nullable=True),
        sa.Column("is_plain", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("family_kanji", sa.Text(), nullable=True),
        sa.Column("given_kanji", sa.Text(), nullable=True),
        sa.Column("family_kana", sa.Text(), nullable=True),
        sa.Column("given_kana", sa.Text(), nullable=True),
        sa.Column("family_latin", sa.Text(), nullable=True),
        sa.Column("given_latin", sa.Text(), nullable=True),
        sa.Column("family_key", sa.Text(), nullable=True),
        sa.Column("given_key", sa.Text(), nullable=True),
        sa.Column("is_vouched", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "record_id", name=op.f("pk_match_features")),
    )
    op.create_index("ix_match_features_candidate_id", "match_features", ["tenant_id", "candidate_id"], unique=False)
    op.create_table(
        "match_models",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_match_models")),
        sa.UniqueConstraint("tenant_id", "version", name="uq_match_models_version"),
    )
    op.create_index(
        "uq_match_models_active", "match_models", ["tenant_id"], unique=True, postgresql_where=sa.text("active")
    )
    op.create_table(
        "match_state",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("pool", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("counting", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("counted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_match_state")),
    )
    op.create_table(
        "term_frequencies",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("value_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "value_hash", name=op.f("pk_term_frequencies")),
    )
    op.add_column("link_decisions", sa.Column("actor", sa.Text(), nullable=True))
    op.alter_column("link_decisions", "actor", server_default=sa.text("current_setting('app.actor')"))
    op.add_column("key_stats", sa.Column("judged_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "create index ix_key_stats_unjudged on key_stats (tenant_id, key_hash) where generic and judged_at is null"
    )
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)
    for function in FUNCTIONS:
        op.execute(function)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop function match_sides(uuid[])")
    op.execute("drop function match_keys(bytea[], bytea[], integer)")
    op.drop_index("ix_key_stats_unjudged", table_name="key_stats")
    op.drop_column("key_stats", "judged_at")
    op.drop_column("link_decisions", "actor")
    op.drop_table("term_frequencies")
    op.drop_table("match_state")
    op.drop_index("uq_match_models_active", table_name="match_models", postgresql_where=sa.text("active"))
    op.drop_table("match_models")
    op.drop_index("ix_match_features_candidate_id", table_name="match_features")
    op.drop_table("match_features")
