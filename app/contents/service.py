"""Keeping contents."""

from collections.abc import Collection
from uuid import UUID

from app.contents.address import bare
from app.contents.errors import ContentNotFound
from app.contents.models import Content
from app.contents.repository import ContentRepository
from app.contents.schemas import ContentPatch, ContentRead, ContentWrite, ReadOnly
from app.kit.clock import now
from app.kit.db import Session
from app.kit.paging import Paging
from app.kit.schemas import Page

READ_ONLY = set(ReadOnly.model_fields)


async def find(session: Session, content_id: UUID, *, lock: bool = False) -> Content:
    """Return a content's row; raises ContentNotFound."""
    content = await ContentRepository(session).get(content_id, lock=lock)
    if content is None:
        raise ContentNotFound
    return content


async def read(session: Session, content_id: UUID) -> ContentRead:
    """Return a content; raises ContentNotFound."""
    return ContentRead.model_validate(await find(session, content_id))


async def page(session: Session, paging: Paging, kinds: list[str], statuses: list[str]) -> Page[ContentRead]:
    """Return contents of any of `kinds` and any of `statuses` (all, when empty), the newest first."""
    bound = ("contents", sorted(kinds), sorted(statuses))
    repository = ContentRepository(session)
    rows, total = await repository.newest(repository.narrowed(kinds, statuses), paging, *bound)
    return paging.page(rows, ContentRead.model_validate, lambda row: [row.id], *bound, total=total)


async def offered(session: Session, kinds: Collection[str]) -> list[ContentRead]:
    """Return the contents of these kinds that may be sent now: active, and not over."""
    repository = ContentRepository(session)
    found = repository.narrowed(sorted(kinds), ["active"])
    rows = await repository.all(repository.not_over(found, now())) if kinds else []
    return [ContentRead.model_validate(row) for row in rows]


async def many(session: Session, ids: Collection[UUID]) -> dict[UUID, ContentRead]:
    """Return those of these contents that exist, by id."""
    repository = ContentRepository(session)
    rows = await repository.all(repository.among(ids)) if ids else []
    return {row.id: ContentRead.model_validate(row) for row in rows}


async def create(session: Session, body: ContentWrite) -> ContentRead:
    """Make a content; raises ContentKeyTaken."""
    content = Content(**body.model_dump(exclude=READ_ONLY))
    await ContentRepository(session).add(content)
    return ContentRead.model_validate(content)


async def replace(session: Session, content: Content, body: ContentWrite) -> ContentRead:
    """Replace a content; raises ContentKeyTaken."""
    return await _write(session, content, body.model_dump(exclude=READ_ONLY))


async def change(session: Session, content: Content, patch: ContentPatch) -> ContentRead:
    """Change what `patch` holds; raises ContentKeyTaken."""
    kept = patch.model_dump(include=patch.model_fields_set - READ_ONLY)
    if patch.topics is not None:
        kept["topics"] = patch.topics.applied(content.topics)
    return await _write(session, content, kept)


async def topics_at(session: Session, urls: Collection[str]) -> dict[str, list[str]]:
    """Return address → what the contents behind it are about; marks of a campaign in its query do not matter."""
    spelled = {url: {url, bare(url)} for url in urls}
    found: dict[str, list[str]] = {}
    for content in await ContentRepository(session).at(set().union(*spelled.values())):
        found.setdefault(content.url, []).extend(content.topics)
    return {
        url: topics
        for url, names in spelled.items()
        if (topics := [t for name in sorted(names) for t in found.get(name, ())])
    }


async def _write(session: Session, content: Content, fields: dict[str, object]) -> ContentRead:
    if content.change(fields):
        await ContentRepository(session).save()
    return ContentRead.model_validate(content)
