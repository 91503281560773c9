"""What is known of a candidate, as columns of a statement: for criteria and templates, no more than they ask for."""

from collections.abc import Collection
from typing import Final

from app.candidates.fields import PROFILE

LIVE: Final = "c.hidden_at is null and c.erased_at is null and c.merged_into is null"
_COLUMNS: Final = {
    **{name: f"c.{name}" for name in (*PROFILE, "version", "created_at", "updated_at", "last_interaction_at")},
    "retention": "jsonb_build_object('expires_on', c.retention_expires_on, 'basis', c.retention_basis)",
}


def columns(names: Collection[str]) -> str:
    """Return columns of a candidate `c`: its `id`, its `status`, and those of its facts that have these names."""
    asked = "".join(f", {_COLUMNS[name]} as {name}" for name in sorted(_COLUMNS.keys() & names))
    return f"c.id, 'active' as status{asked}"
