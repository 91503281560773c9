"""Ids: UUIDv7, made here, opaque to everybody else."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a new UUIDv7; within a process they rise with time."""
    return uuid7()
