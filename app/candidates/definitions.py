"""Keeping the definitions of custom fields, and holding what comes in to them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from app.candidates import repository
from app.candidates.custom_fields import SENTENCES, Definition, wrong
from app.candidates.errors import CustomFieldInvalid, CustomFieldNotFound
from app.candidates.models import CustomField
from app.candidates.repository import CustomFieldRepository
from app.candidates.schemas import CustomFieldCreate, CustomFieldRead, CustomFieldUpdate
from app.candidates.sensitive import sensitivity
from app.kit.db import Session
from app.kit.errors import FieldError
from app.kit.paging import Paging
from app.kit.schemas import Page

__all__ = ("CustomField", "change", "create", "faults", "find", "known", "page", "remove")

READ_ONLY: Final = {"id", "version", "sensitivity", "created_at", "updated_at"}
FIXED: Final = {"key", "type"}


async def faults(session: Session, payloads: Sequence[Mapping[str, Any]]) -> list[list[FieldError]]:
    """List, payload by payload, what is wrong with its custom fields: one look at the definitions for all."""
    stated = [payload.get("custom_fields") for payload in payloads]
    if not any(stated):
        return [[] for _ in payloads]
    defined = await known(session)
    return [wrong(each, defined) for each in stated]


async def known(session: Session) -> dict[str, Definition]:
    """Return key → what the field may hold."""
    return {row.key: Definition(row.key, row.type, row.options) for row in await repository.custom_fields(session)}


async def find(session: Session, field_id: UUID, *, lock: bool = False) -> CustomField:
    """Return a definition's row; raises CustomFieldNotFound."""
    found = await CustomFieldRepository(session).get(field_id, lock=lock)
    if found is None:
        raise CustomFieldNotFound
    return found


async def page(session: Session, paging: Paging) -> Page[CustomFieldRead]:
    """Return the definitions, the newest first."""
    fields = CustomFieldRepository(session)
    rows, total = await fields.newest(fields.visible(), paging, "custom_fields")
    return paging.page(rows, CustomFieldRead.model_validate, lambda row: [row.id], "custom_fields", total=total)


async def create(session: Session, body: CustomFieldCreate) -> CustomFieldRead:
    """Define a field; raises CustomFieldInvalid, CustomFieldKeyTaken."""
    row = CustomField(**body.model_dump(exclude=READ_ONLY), sensitivity="ordinary")
    _judge(row)
    await CustomFieldRepository(session).add(row)
    return CustomFieldRead.model_validate(row)


async def change(session: Session, row: CustomField, patch: CustomFieldUpdate) -> CustomFieldRead:
    """Change what `patch` holds; values that are stored already stay as they are. Raises CustomFieldInvalid."""
    given = patch.model_dump(include=patch.model_fields_set - READ_ONLY - FIXED)
    if patch.options is not None:
        given["options"] = patch.options.applied(row.options)
    if row.change(given):
        _judge(row)
        await CustomFieldRepository(session).save()
    return CustomFieldRead.model_validate(row)


async def remove(session: Session, row: CustomField) -> None:
    """Take a definition away; what people have under its key stays."""
    await CustomFieldRepository(session).remove(row)


def _judge(row: CustomField) -> None:
    """Hold a definition to what may be collected, and to itself; raises CustomFieldInvalid."""
    kinds = {sensitivity(each) for each in (row.key, row.name, row.description or "")}
    row.sensitivity = next((kind for kind in ("restricted", "special_care") if kind in kinds), "ordinary")
    if row.sensitivity != "ordinary" and not row.reason:
        raise CustomFieldInvalid(errors=[FieldError("/reason", "sensitive_field", SENTENCES["sensitive_field"])])
    if row.type in ("choice", "choices") and not row.options:
        raise CustomFieldInvalid(errors=[FieldError("/options", "options_missing", "A choice needs its options.")])
