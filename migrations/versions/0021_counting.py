"""What counting many people at once needs: the scores of a person side by side, and who is gone by an index alone."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# The product is not in use yet: nothing waits while a key or an index is built the short way.
KEY = """
-- squawk-ignore ban-drop-constraint, constraint-missing-not-valid, adding-serial-primary-key-field
alter table scores drop constraint pk_scores, add constraint pk_scores primary key ({columns})
"""
INDEX = "-- squawk-ignore require-concurrent-index-creation\ncreate index {name} on {place}"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.execute(KEY.format(columns="tenant_id, candidate_id, model_key, model_version"))
    op.execute("-- squawk-ignore require-concurrent-index-deletion\ndrop index ix_scores_candidate_id")
    gone = "hidden_at is not null or erased_at is not null or merged_into is not null"
    op.execute(INDEX.format(name="ix_candidates_gone", place=f"candidates (tenant_id, id) where {gone}"))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop index ix_candidates_gone")
    op.execute(INDEX.format(name="ix_scores_candidate_id", place="scores (tenant_id, candidate_id)"))
    op.execute(KEY.format(columns="tenant_id, model_key, model_version, candidate_id"))
