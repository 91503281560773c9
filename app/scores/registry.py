"""Which version of which model serves, ready for counting."""

from typing import Final

from app.kit.db import Session
from app.scores import repository
from app.scores.counting import Serving
from app.scores.default_model import DEFAULT_MODEL
from app.scores.errors import ScoreModelNotFound
from app.tenancy import service as tenancy

DEFAULT: Final = DEFAULT_MODEL.key
BUILT_IN: Final = 1
"""The default model's first version stands in the code; its next one is a row."""


async def serving(session: Session) -> list[Serving]:
    """Return what everybody is counted by, the default model always among it."""
    timezone = (await tenancy.read(session)).timezone
    found = [
        Serving.of(row.definition, row.version, timezone, is_published=row.state == "published")
        for row in await repository.models(session)
    ]
    if not any(each.model.key == DEFAULT and each.is_published for each in found):
        found.append(Serving.of(DEFAULT_MODEL, BUILT_IN, timezone, is_published=True))
    return found


async def find(session: Session, key: str, version: int | None = None) -> Serving:
    """Return a numbered version of a model, the one that serves unless said; raises ScoreModelNotFound."""
    timezone = (await tenancy.read(session)).timezone
    rows = [row for row in await repository.versions(session, key) if row.version is not None]
    for row in rows:
        if row.version == version or (version is None and row.state == "published"):
            return Serving.of(row.definition, row.version, timezone, is_published=True)
    if key != DEFAULT or version not in {None, BUILT_IN}:
        raise ScoreModelNotFound
    return Serving.of(DEFAULT_MODEL, BUILT_IN, timezone, is_published=True)
