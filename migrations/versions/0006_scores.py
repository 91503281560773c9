"""Scores: models by version, each person's curve, and the constants that others compare with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("score_models", "scores", "score_thresholds")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "score_models",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("published_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(version is null) = (state = 'draft')", name=op.f("ck_score_models_version")),
        sa.CheckConstraint(
            "state in ('draft', 'publishing', 'published', 'retired')", name=op.f("ck_score_models_state")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_score_models")),
        sa.UniqueConstraint("tenant_id", "key", "version", name=op.f("uq_score_models_tenant_id_key_version")),
    )
    op.create_index(
        "uq_score_models_draft",
        "score_models",
        ["tenant_id", "key"],
        unique=True,
        postgresql_where=sa.text("state = 'draft'"),
    )
    op.create_index(
        "uq_score_models_published",
        "score_models",
        ["tenant_id", "key"],
        unique=True,
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_index(
        "uq_score_models_publishing",
        "score_models",
        ["tenant_id", "key"],
        unique=True,
        postgresql_where=sa.text("state = 'publishing'"),
    )
    op.create_table(
        "score_thresholds",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("model_key", sa.Text(collation="C"), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("used_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "model_key", "value", "used_by", name=op.f("pk_score_thresholds")),
    )
    op.create_table(
        "scores",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("model_key", sa.Text(collation="C"), nullable=False),
        sa.Column("model_version", sa.BigInteger(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("fit", sa.Float(), nullable=False),
        sa.Column("interest", sa.Float(), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("half_life_days", sa.Float(), nullable=False),
        sa.Column("rank_key", sa.Float(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("tier_changes_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("next_event_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("computed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_scores_tenant_id_candidate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "model_key", "model_version", "candidate_id", name=op.f("pk_scores")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index("ix_scores_candidate_id", "scores", ["tenant_id", "candidate_id"], unique=False)
    op.create_index(
        "ix_scores_rank",
        "scores",
        ["tenant_id", "model_key", "model_version", "fit", sa.literal_column("rank_key desc"), "candidate_id"],
        unique=False,
    )
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_scores_rank", table_name="scores")
    op.drop_index("ix_scores_candidate_id", table_name="scores")
    op.drop_table("scores")
    op.drop_table("score_thresholds")
    op.drop_index(
        "uq_score_models_publishing", table_name="score_models", postgresql_where=sa.text("state = 'publishing'")
    )
    op.drop_index(
        "uq_score_models_published", table_name="score_models", postgresql_where=sa.text("state = 'published'")
    )
    op.drop_index("uq_score_models_draft", table_name="score_models", postgresql_where=sa.text("state = 'draft'"))
    op.drop_table("score_models")
