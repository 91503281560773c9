"""People: candidates, their records, identifiers, external ids, aliases and terms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.kit.protect import protect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = ("candidates", "records", "identifiers", "external_ids", "aliases", "terms")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '15min'")
    op.create_table(
        "candidates",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("full_name", sa.Text(collation="C"), nullable=True),
        sa.Column("full_name_kana", sa.Text(), nullable=True),
        sa.Column("other_names", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("family_name", sa.Text(), nullable=True),
        sa.Column("given_name", sa.Text(), nullable=True),
        sa.Column("family_name_kana", sa.Text(collation="C"), nullable=True),
        sa.Column("given_name_kana", sa.Text(), nullable=True),
        sa.Column("family_name_romaji", sa.Text(), nullable=True),
        sa.Column("given_name_romaji", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("email_addresses", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("phone_numbers", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("external_ids", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("links", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("headline", sa.Text(), nullable=True),
        sa.Column("current_company", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("location", postgresql.JSONB(), nullable=True),
        sa.Column("skills", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("years_of_experience", sa.Float(), nullable=True),
        sa.Column("interests", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("tags", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("sources", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("provenance", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("warnings", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("address_state", sa.Text(), server_default="ok", nullable=False),
        sa.Column("hidden_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("erased_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column("last_interaction_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("live_selection_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("rejected_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("retention_expires_on", sa.Date(), nullable=True),
        sa.Column("retention_basis", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "address_state in ('ok', 'bounced', 'suppressed')", name=op.f("ck_candidates_address_state")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_candidates")),
    )
    op.create_index(
        "ix_candidates_birth_date",
        "candidates",
        ["tenant_id", "birth_date", "id"],
        unique=False,
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.create_index(
        "ix_candidates_created_at",
        "candidates",
        ["tenant_id", sa.literal_column("created_at desc"), "id"],
        unique=False,
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.create_index(
        "ix_candidates_family_name_kana",
        "candidates",
        ["tenant_id", "family_name_kana", "id"],
        unique=False,
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.create_index(
        "ix_candidates_full_name",
        "candidates",
        ["tenant_id", "full_name", "id"],
        unique=False,
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.create_index(
        "ix_candidates_hidden_at",
        "candidates",
        ["tenant_id", "hidden_at"],
        unique=False,
        postgresql_where=sa.text("hidden_at is not null"),
    )
    op.create_index(
        "ix_candidates_last_interaction_at",
        "candidates",
        ["tenant_id", "last_interaction_at", "id"],
        unique=False,
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.create_index(
        "ix_candidates_merged_into",
        "candidates",
        ["tenant_id", "merged_into"],
        unique=False,
        postgresql_where=sa.text("merged_into is not null"),
    )
    op.create_index(
        "ix_candidates_retention_expires_on", "candidates", ["tenant_id", "retention_expires_on"], unique=False
    )
    op.create_index(
        "ix_candidates_updated_at",
        "candidates",
        ["tenant_id", "updated_at", "id"],
        unique=False,
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.create_index(
        "ix_candidates_years_of_experience",
        "candidates",
        ["tenant_id", "years_of_experience", "id"],
        unique=False,
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.create_table(
        "aliases",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("old_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_aliases_tenant_id_candidate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "old_id", name=op.f("pk_aliases")),
    )
    op.create_index("ix_aliases_candidate_id", "aliases", ["tenant_id", "candidate_id"], unique=False)
    op.create_table(
        "external_ids",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_external_ids_tenant_id_candidate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "source", "external_id", name=op.f("pk_external_ids")),
    )
    op.create_index("ix_external_ids_candidate_id", "external_ids", ["tenant_id", "candidate_id"], unique=False)
    op.create_table(
        "records",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("first_candidate_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("record_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("features", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("normaliser_version", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("is_current", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_records_tenant_id_candidate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_records")),
    )
    op.create_index("ix_records_candidate_id", "records", ["tenant_id", "candidate_id"], unique=False)
    op.create_index(
        "uq_records_current",
        "records",
        ["tenant_id", "source", "external_id"],
        unique=True,
        postgresql_where=sa.text("is_current and external_id is not null"),
    )
    op.create_index(
        "uq_records_version",
        "records",
        ["tenant_id", "source", "external_id", "record_version"],
        unique=True,
        postgresql_where=sa.text("external_id is not null"),
    )
    op.create_table(
        "terms",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("term", sa.Text(collation="C"), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "term", "candidate_id", name=op.f("pk_terms")),
    )
    op.create_index("ix_terms_candidate_id", "terms", ["tenant_id", "candidate_id"], unique=False)
    op.create_table(
        "identifiers",
        sa.Column(
            "tenant_id", sa.Uuid(), server_default=sa.text("(current_setting('app.tenant'))::uuid"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("value_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("is_primary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), server_default="ok", nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('email', 'phone', 'url')", name=op.f("ck_identifiers_kind")),
        sa.CheckConstraint("state in ('ok', 'bounced')", name=op.f("ck_identifiers_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "candidate_id"],
            ["candidates.tenant_id", "candidates.id"],
            name=op.f("fk_identifiers_tenant_id_candidate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "record_id"],
            ["records.tenant_id", "records.id"],
            name=op.f("fk_identifiers_tenant_id_record_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_identifiers")),
        sa.UniqueConstraint(
            "tenant_id",
            "record_id",
            "kind",
            "value_hash",
            name=op.f("uq_identifiers_tenant_id_record_id_kind_value_hash"),
        ),
    )
    op.create_index("ix_identifiers_candidate_id", "identifiers", ["tenant_id", "candidate_id"], unique=False)
    op.create_index("ix_identifiers_value_hash", "identifiers", ["tenant_id", "kind", "value_hash"], unique=False)
    for table in TABLES:
        for statement in protect(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_identifiers_value_hash", table_name="identifiers")
    op.drop_index("ix_identifiers_candidate_id", table_name="identifiers")
    op.drop_table("identifiers")
    op.drop_index("ix_terms_candidate_id", table_name="terms")
    op.drop_table("terms")
    op.drop_index("uq_records_version", table_name="records", postgresql_where=sa.text("external_id is not null"))
    op.drop_index(
        "uq_records_current", table_name="records", postgresql_where=sa.text("is_current and external_id is not null")
    )
    op.drop_index("ix_records_candidate_id", table_name="records")
    op.drop_table("records")
    op.drop_index("ix_external_ids_candidate_id", table_name="external_ids")
    op.drop_table("external_ids")
    op.drop_index("ix_aliases_candidate_id", table_name="aliases")
    op.drop_table("aliases")
    op.drop_index(
        "ix_candidates_years_of_experience",
        table_name="candidates",
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.drop_index(
        "ix_candidates_updated_at",
        table_name="candidates",
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.drop_index("ix_candidates_retention_expires_on", table_name="candidates")
    op.drop_index(
        "ix_candidates_merged_into", table_name="candidates", postgresql_where=sa.text("merged_into is not null")
    )
    op.drop_index(
        "ix_candidates_last_interaction_at",
        table_name="candidates",
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.drop_index("ix_candidates_hidden_at", table_name="candidates", postgresql_where=sa.text("hidden_at is not null"))
    op.drop_index(
        "ix_candidates_full_name",
        table_name="candidates",
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.drop_index(
        "ix_candidates_family_name_kana",
        table_name="candidates",
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.drop_index(
        "ix_candidates_created_at",
        table_name="candidates",
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.drop_index(
        "ix_candidates_birth_date",
        table_name="candidates",
        postgresql_where=sa.text("hidden_at is null and erased_at is null and merged_into is null"),
    )
    op.drop_table("candidates")
