"""Many statements at once: each is judged by itself, and one bad item never fails the others."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from app.consent import consents, repository, service
from app.consent.errors import CandidateUnknown, StatementInvalid
from app.consent.schemas import ConsentBatchResult, ConsentItem
from app.consent.statement import faults
from app.kit.body import Spoilt, client_ref_of
from app.kit.clock import now
from app.kit.db import Session
from app.kit.edge import field_error
from app.kit.errors import AppError, TooManyItems
from app.kit.schemas import BatchItem, ProblemField


async def record(session: Session, items: Sequence[Any]) -> ConsentBatchResult:
    """Append those statements that are right, in order; raises TooManyItems."""
    if len(items) > service.MAX_ITEMS:
        raise TooManyItems
    read = [_read(item) for item in items]
    asked = [each.candidate_id for each in read if isinstance(each, ConsentItem)]
    live = await repository.live_ids(session, asked) if asked else {}
    judged = [_judge(each, live) for each in read]
    right = [each for each in judged if isinstance(each, ConsentItem)]
    recorded = iter(await consents.append(session, [(live[each.candidate_id], each) for each in right]))
    outcomes = [
        _refused(place, items[place], each)
        if isinstance(each, AppError)
        else BatchItem(
            index=place,
            client_ref=each.client_ref,
            status=201,
            outcome="created",
            id=next(recorded).id,
            version=None,
            errors=[],
        )
        for place, each in enumerate(judged)
    ]
    return ConsentBatchResult(counts=_counts(outcomes), items=outcomes)


def _counts(outcomes: list[BatchItem]) -> dict[str, int]:
    counted = Counter(each.outcome for each in outcomes)
    return {"created": counted["created"], "invalid": counted["invalid"], "total": len(outcomes)}


def _read(item: Any) -> ConsentItem | AppError:  # noqa: ANN401 (any JSON value)
    if isinstance(item, Spoilt):
        return StatementInvalid(errors=[item.error])
    try:
        return ConsentItem.model_validate(item)
    except ValidationError as error:
        places = error.errors(include_url=False, include_input=False, include_context=False)
        return StatementInvalid(errors=[field_error({**each, "loc": ("body", *each["loc"])}) for each in places])


def _judge(item: ConsentItem | AppError, live: dict[UUID, UUID]) -> ConsentItem | AppError:
    if isinstance(item, AppError):
        return item
    if item.candidate_id not in live:
        return CandidateUnknown(item.candidate_id, "/candidate_id")
    wrong = faults(item, now())
    return StatementInvalid(errors=wrong) if wrong else item


def _refused(place: int, item: Any, error: AppError) -> BatchItem:  # noqa: ANN401 (any JSON value)
    return BatchItem(
        index=place,
        client_ref=client_ref_of(item),
        status=error.status,
        outcome="invalid",
        id=None,
        version=None,
        errors=[ProblemField.model_validate(each.as_dict()) for each in error.errors],
    )
