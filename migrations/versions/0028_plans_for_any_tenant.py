"""No plan looks up whose tenant it is made for: the one that a tenant of nobody leaves serves the largest.

A plan that is kept was made for the tenant that came first. The policy told the planner which one that was: for one
that the statistics do not know, reading all that it has seems cheaper than looking up ten rows by their keys, and the
next tenant, of a million, was read whole by that plan. What a sub-select returns the planner does not look up.
"""

from alembic import op

from app.kit.protect import POLICY

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TABLES = (
    *("aliases", "candidate_pairs", "consents", "external_ids", "identifiers", "link_decisions", "records"),
    *("suppressions", "term_frequencies"),
)
"""What the doors ask for by keys."""
INSIDE = "tenant_id = (select (current_setting('app.tenant'))::uuid)"
LOOKED_UP = "tenant_id = (current_setting('app.tenant'))::uuid"


def _say(inside: str) -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '5s'")
    for table in TABLES:
        op.execute(f"alter policy {POLICY} on {table} using ({inside}) with check ({inside})")


def upgrade() -> None:
    _say(INSIDE)


def downgrade() -> None:
    _say(LOOKED_UP)
