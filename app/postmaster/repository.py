from collections.abc import Sequence
from typing import Any

from app.kit.db import Session


async def message(session: Session, headers: Sequence[str]) -> Any:  # noqa: ANN401 (a row)
    """Return (id, candidate_id, header, to, purpose) of the first of these Message-IDs that is of a mail of ours."""
    return await session.row(
        """select m.id, m.candidate_id, m.message_id_header as header, m."to", m.purpose
           from unnest(cast(:headers as text[])) with ordinality as asked(header, n)
           join messages m on m.message_id_header = asked.header order by asked.n limit 1""",
        headers=list(headers),
    )
