"""What the worker does for sequences by itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.kit import due, jobs
from app.kit.db import Database, Session
from app.sequences import enrollments, entries, exits, messages
from app.sequences.mailer import mailer_of
from app.sequences.sending import Sender
from app.settings import Settings


@due.drain(enrollments.DUE)
async def advance(session: Session, keys: Sequence[UUID]) -> Mapping[UUID, datetime]:
    return await enrollments.advance(session, keys)


@due.drain(exits.DUE)
async def let_out(session: Session, keys: Sequence[UUID]) -> None:
    await exits.let_out(session, keys)


@due.drain(messages.DUE)
async def take_signs(session: Session, keys: Sequence[UUID]) -> None:
    await messages.take_signs(session, keys)


@due.drain(entries.DUE)
async def watch(session: Session, _: Sequence[UUID]) -> Mapping[UUID, datetime]:
    return await entries.watch(session)


@jobs.loop("sender")
async def send(database: Database, settings: Settings) -> None:
    mailer = mailer_of(settings)
    try:
        await Sender(database, settings, mailer, jobs.WORKER_ID).run()
    finally:
        await mailer.close()
