"""Keeping searches that somebody wants to ask again."""

from typing import Final
from uuid import UUID

from app.directory.errors import SavedSearchNotFound
from app.directory.models import SavedSearch
from app.directory.repository import SavedSearchRepository
from app.directory.schemas import SavedSearchCreate, SavedSearchRead, SavedSearchUpdate, SearchReadOnly
from app.directory.sorting import parse_sort
from app.kit.db import Session
from app.kit.paging import Paging
from app.kit.schemas import Page
from app.pools import service as pools

READ_ONLY: Final = set(SearchReadOnly.model_fields)


async def find(session: Session, search_id: UUID, *, lock: bool = False) -> SavedSearch:
    """Return a saved search's row; raises SavedSearchNotFound."""
    found = await SavedSearchRepository(session).get(search_id, lock=lock)
    if found is None:
        raise SavedSearchNotFound
    return found


async def page(session: Session, paging: Paging) -> Page[SavedSearchRead]:
    """Return the saved searches, the newest first."""
    known = SavedSearchRepository(session)
    rows, total = await known.newest(known.visible(), paging, "saved_searches")
    return paging.page(rows, SavedSearchRead.model_validate, lambda row: [row.id], "saved_searches", total=total)


async def create(session: Session, body: SavedSearchCreate) -> SavedSearchRead:
    """Save a search; raises CriteriaInvalid, PoolNotFound, SortNotAllowed, SavedSearchKeyTaken."""
    row = SavedSearch(**body.model_dump(exclude=READ_ONLY))
    await _check(session, row)
    await SavedSearchRepository(session).add(row)
    return SavedSearchRead.model_validate(row)


async def change(session: Session, row: SavedSearch, patch: SavedSearchUpdate) -> SavedSearchRead:
    """Change what `patch` holds; raises CriteriaInvalid, PoolNotFound, SortNotAllowed, SavedSearchKeyTaken."""
    given = patch.model_dump(include=patch.model_fields_set - READ_ONLY)
    if patch.facets is not None:
        given["facets"] = patch.facets.applied(row.facets)
    if changed := row.change(given):
        if changed & {"criteria", "sort"}:
            await _check(session, row)
        await SavedSearchRepository(session).save()
    return SavedSearchRead.model_validate(row)


async def remove(session: Session, row: SavedSearch) -> None:
    """Forget a saved search."""
    await SavedSearchRepository(session).remove(row)


async def _check(session: Session, row: SavedSearch) -> None:
    if row.criteria is not None:
        await pools.check_criteria(session, row.criteria, "/criteria")
    if row.sort is not None:
        parse_sort(row.sort)
