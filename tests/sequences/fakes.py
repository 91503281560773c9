"""A clock that tests set, and a sender that believes it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Final
from uuid import UUID

import pytest

from app.kit import clock
from app.kit.db import Database
from app.kit.ids import new_id
from app.sequences.mailer import Mailer
from app.sequences.sending import Sender
from app.settings import get_settings


class Clock:
    """Says what it is told; only forward."""

    def __init__(self, moment: datetime) -> None:
        self.moment: Final = [moment]

    def now(self, _: tzinfo | None = None) -> datetime:
        return self.moment[0]

    def reach(self, moment: datetime) -> None:
        self.moment[0] = max(self.moment[0], moment)


@contextmanager
def running(moment: datetime) -> Iterator[Clock]:
    """Let the service believe that it is `moment`, and then what the clock is told."""
    with pytest.MonkeyPatch.context() as patch:
        fake = Clock(moment)
        patch.setattr(clock, "datetime", fake)
        yield fake


class OneTenantSender(Sender):
    """Asks nobody whose mails are due: the database has another clock."""

    def __init__(self, database: Database, mailer: Mailer, tenant_id: UUID) -> None:
        super().__init__(database, get_settings(), mailer, new_id())
        self._tenant_id = tenant_id

    async def _tenants(self) -> Sequence[UUID]:
        return [self._tenant_id]
