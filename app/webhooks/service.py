"""Reading the feed."""

from typing import Final

from app.kit import outbox
from app.kit.db import Session
from app.kit.errors import CursorInvalid
from app.kit.paging import make_cursor, open_cursor
from app.webhooks.errors import CursorExpired
from app.webhooks.repository import ChangeRepository
from app.webhooks.schemas import ChangePage, ChangeRead

NOW: Final = "now"
BOUND: Final = "changes"


async def read_changes(session: Session, since: str | None, limit: int) -> ChangePage:
    """Number what is committed and return the entries after `since`; raises CursorInvalid, CursorExpired."""
    await outbox.number(session)
    repository = ChangeRepository(session)
    oldest, last = await repository.bounds()
    if since == NOW:
        return ChangePage(data=[], next_cursor=cursor_after(last), has_more=False)
    seq = _place(since, oldest)
    rows = await repository.after(seq, last, limit + 1)
    shown = [ChangeRead.model_validate(row) for row in rows[:limit]]
    place = shown[-1].seq if shown else seq
    return ChangePage(data=shown, next_cursor=cursor_after(place), has_more=len(rows) > limit)


def cursor_after(seq: int) -> str:
    """Return the cursor of a reader that has seen everything up to `seq`."""
    return make_cursor([seq], BOUND)


def _place(since: str | None, oldest: int) -> int:
    if since is None:
        return oldest
    keys, _ = open_cursor(since)
    if len(keys) != 1 or not isinstance(keys[0], int):
        raise CursorInvalid
    if keys[0] < oldest:
        raise CursorExpired
    return keys[0]
