"""Writing sequences, and letting them go live."""

from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Any, Final
from uuid import UUID

from app.contents import service as contents
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import FieldError, Invalid, NotFound
from app.kit.log import get_logger
from app.kit.paging import Paging
from app.kit.schemas import Page
from app.pools import criteria_fields
from app.pools import service as pools
from app.sequences import definition as words
from app.sequences import links, marks, models, render, templates
from app.sequences.definition import Definition, Send
from app.sequences.errors import (
    SenderIncomplete,
    SequenceEmpty,
    SequenceNotActive,
    SequenceNotFound,
    TemplateIncomplete,
    TemplateNotFound,
)
from app.sequences.merging import absorb, counts, erase, hold, release, shared
from app.sequences.models import SequenceRevision, Template
from app.sequences.render import DISPLAY_ITEMS, Facts
from app.sequences.repository import (
    SequenceRepository,
    SequenceRevisionRepository,
    TemplateRepository,
    TemplateRevisionRepository,
)
from app.sequences.schemas import SequencePatch, SequenceRead, SequenceWrite
from app.settings import get_settings

__all__ = ["absorb", "counts", "erase", "hold", "release", "shared"]

SAFE_ORIGINS: Final = ("https://", "http://127.0.0.1:", "http://localhost:")
"""Where links may lead without a warning; the last two reach nobody but the machine itself."""

FindImport = Callable[[Session, UUID], Awaitable[object]]
"""Raises NotFound where there is no such import."""
_find_import: list[FindImport] = []

log = get_logger(__name__)


def use_imports(find_import: FindImport) -> None:
    """Let imports that entries name be found by `find_import`; imports stand above this slice, so it is handed down."""
    _find_import[:] = [find_import]


async def find(session: Session, sequence_id: UUID, *, lock: bool = False) -> models.Sequence:
    """Return a sequence's row; raises SequenceNotFound."""
    sequence = await SequenceRepository(session).get(sequence_id, lock=lock)
    if sequence is None:
        raise SequenceNotFound
    return sequence


async def read(session: Session, sequence: models.Sequence) -> SequenceRead:
    """Return a sequence with its draft, else with what is live."""
    return (await _read_many(session, [sequence]))[0]


async def page(session: Session, paging: Paging, statuses: list[str]) -> Page[SequenceRead]:
    """Return sequences in any of `statuses` (all, when empty), the newest first."""
    bound = ("sequences", sorted(statuses))
    repository = SequenceRepository(session)
    rows, total = await repository.newest(repository.narrowed(statuses), paging, *bound)
    shown = {each.id: each for each in await _read_many(session, rows)}
    return paging.page(rows, lambda row: shown[row.id], lambda row: [row.id], *bound, total=total)


async def create(session: Session, body: SequenceWrite) -> SequenceRead:
    """Make a sequence with a draft; raises SequenceKeyTaken, Invalid and what `_check` does not find."""
    definition = body.definition()
    await _check(session, definition)
    sequence = models.Sequence(key=body.key, name=body.name or body.key, draft_revision=1)
    await SequenceRepository(session).add(sequence)
    await _add_revision(session, sequence.id, 1, definition)
    return await read(session, sequence)


async def replace(session: Session, sequence: models.Sequence, body: SequenceWrite) -> SequenceRead:
    """Write a draft; what is live stays so. Raises SequenceKeyTaken, Invalid and what `_check` does not find."""
    definition = body.definition()
    await _check(session, definition)
    sequence.key, sequence.name = body.key, body.name or body.key
    await SequenceRepository(session).save()  # where a key that is another's is named as such
    return await _draft(session, sequence, definition)


async def change(session: Session, sequence: models.Sequence, patch: SequencePatch) -> SequenceRead:
    """Change what `patch` holds: the name at once, all else in a draft."""
    given = patch.model_fields_set & {"purpose", "exit_on", "exit_if", "reentry", "window"}
    if patch.name is not None:
        sequence.name = patch.name
    if not given:
        sequence.touch()
        await SequenceRepository(session).save()
        return await read(session, sequence)
    before = (await _shown(session, [sequence]))[sequence.id].definition
    changed = before | patch.model_dump(mode="json", by_alias=True, include=given - {"exit_on"})
    if patch.exit_on is not None:
        changed["exit_on"] = patch.exit_on.applied(before["exit_on"])
    definition = Definition.model_validate(changed)
    await _check(session, definition)
    return await _draft(session, sequence, definition)


async def activate(session: Session, sequence: models.Sequence) -> SequenceRead:
    """Let the draft go live, with the template revisions of this moment; without one, go on after a pause.

    Raises SequenceEmpty, SenderIncomplete, TemplateIncomplete, TemplateInvalid, TemplateLimit.
    """
    was_live = sequence.revision if sequence.status == "active" else None
    if sequence.draft_revision is not None:
        draft = await revision_of(session, sequence.id, sequence.draft_revision)
        definition = Definition.model_validate(draft.definition)
        draft.templates = await _pinned(session, definition)
        draft.activated_at = now()
        sequence.revision, sequence.draft_revision = sequence.draft_revision, None
    elif sequence.status == "active":
        return await read(session, sequence)
    if not get_settings().base_url.startswith(SAFE_ORIGINS):
        log.warning("sequence.links_are_not_https", sequence=str(sequence.id))
    read_now = await _set_status(session, sequence, "active")
    live = await _definition(session, sequence, sequence.revision)
    before = await _definition(session, sequence, was_live)
    await marks.begin(session, sequence.id, live or Definition(), before)
    return read_now


async def pause(session: Session, sequence: models.Sequence) -> SequenceRead:
    """Let nothing leave until it is activated again; raises SequenceNotActive."""
    if sequence.status == "paused":
        return await read(session, sequence)
    if sequence.status != "active":
        raise SequenceNotActive
    return await _set_status(session, sequence, "paused")


async def revision_of(session: Session, sequence_id: UUID, revision: int) -> SequenceRevision:
    """Return one revision of a sequence; raises SequenceNotFound."""
    found = await SequenceRevisionRepository(session).one(sequence_id, revision)
    if found is None:
        raise SequenceNotFound
    return found


async def _definition(session: Session, sequence: models.Sequence, revision: int | None) -> Definition | None:
    if revision is None:
        return None
    return Definition.model_validate((await revision_of(session, sequence.id, revision)).definition)


async def _set_status(session: Session, sequence: models.Sequence, status: str) -> SequenceRead:
    sequence.status = status
    sequence.touch()
    await SequenceRepository(session).save()
    return await read(session, sequence)


async def _draft(session: Session, sequence: models.Sequence, definition: Definition) -> SequenceRead:
    if sequence.draft_revision is None:
        sequence.draft_revision = (sequence.revision or 0) + 1
        await _add_revision(session, sequence.id, sequence.draft_revision, definition)
    else:
        draft = await revision_of(session, sequence.id, sequence.draft_revision)
        draft.definition = definition.stored()
    sequence.touch()
    await SequenceRepository(session).save()
    return await read(session, sequence)


async def _add_revision(session: Session, sequence_id: UUID, revision: int, definition: Definition) -> None:
    await SequenceRevisionRepository(session).add(
        SequenceRevision(sequence_id=sequence_id, revision=revision, definition=definition.stored())
    )


async def _check(session: Session, definition: Definition) -> None:
    """Raise Invalid, or NotFound with its pointer, for what a definition cannot hold."""
    wrong = [FieldError(*problem) for problem in words.problems(definition)]
    if wrong:
        raise Invalid(errors=wrong)
    for pointer, tree in words.trees(definition):
        criteria_fields.read(tree, pointer)
    known = await _templates(session, definition)
    unknown = [place for place, template_id in _uses(definition) if template_id not in known]
    if unknown:
        raise TemplateNotFound(errors=[_not_found(pointer) for pointer in unknown])
    for place, step in _sends(definition):
        if step.content is not None and step.content.content_id is not None:
            await _require(f"{place}/content/content_id", contents.find(session, step.content.content_id))
    for index, entry in enumerate(definition.entry):
        if entry.pool_id is not None:
            await _require(f"/entry/{index}/pool_id", pools.find(session, entry.pool_id))
        if entry.import_id is not None:
            for find_import in _find_import:
                await _require(f"/entry/{index}/import_id", find_import(session, entry.import_id))


async def _require(pointer: str, found: Awaitable[object]) -> None:
    try:
        await found
    except NotFound as error:
        raise type(error)(errors=[_not_found(pointer)]) from error


async def _pinned(session: Session, definition: Definition) -> dict[str, Any]:
    """Return template id → live revision of a definition that may go live."""
    if not definition.steps:
        raise SequenceEmpty
    uses = list(_uses(definition))
    sender = await templates.sender(session)
    if uses and not sender.get("from_email"):
        raise SenderIncomplete
    known = await _templates(session, definition)
    missing = await _missing_items(session, known, sender)
    errors = [
        FieldError(place, "missing_display_item", item) for place, template_id in uses for item in missing[template_id]
    ]
    if errors:
        raise TemplateIncomplete(errors=errors)
    return {str(template.id): template.revision for template in known.values()}


async def _missing_items(
    session: Session, known: dict[UUID, Template], sender: dict[str, Any]
) -> dict[UUID, list[str]]:
    """Return template id → the display items that nobody would find in its mails."""
    nobody = Facts(candidate={}, sender=sender, unsubscribe_url=links.inert_url(get_settings().base_url))
    pairs = [(template.id, template.revision) for template in known.values()]
    missing: dict[UUID, list[str]] = {}
    for template_id, revision in (await TemplateRevisionRepository(session).of(pairs)).items():
        rendered = await templates.rendered_or_refused(templates.wording(revision), nobody)
        found = render.display_items(rendered, nobody)
        missing[template_id] = [item for item in DISPLAY_ITEMS if not found[item]]
    return missing


def _sends(definition: Definition) -> Iterator[tuple[str, Send]]:
    return ((place, step) for place, step, _ in words.walk(definition.steps) if isinstance(step, Send))


def _uses(definition: Definition) -> Iterator[tuple[str, UUID]]:
    """Yield the JSON pointer and the id of every template that is named."""
    return ((place + part, template_id) for place, step in _sends(definition) for part, template_id in step.templates)


async def _templates(session: Session, definition: Definition) -> dict[UUID, Template]:
    wanted: Collection[UUID] = {template_id for _, template_id in _uses(definition)}
    return await TemplateRepository(session).many(wanted)


def _not_found(pointer: str) -> FieldError:
    return FieldError(pointer, "not_found", "There is none with this id in this tenant.")


async def _shown(session: Session, rows: list[models.Sequence]) -> dict[UUID, SequenceRevision]:
    wanted = [(row.id, row.draft_revision or row.revision or 1) for row in rows]
    found = await SequenceRevisionRepository(session).of(wanted)
    return {sequence_id: revision for (sequence_id, _), revision in found.items()}


async def _read_many(session: Session, rows: list[models.Sequence]) -> list[SequenceRead]:
    shown = await _shown(session, rows)
    return [
        SequenceRead(
            id=row.id,
            version=row.version,
            revision=row.revision,
            draft_revision=row.draft_revision,
            key=row.key,
            name=row.name,
            status=row.status,
            created_at=row.created_at,
            updated_at=row.updated_at,
            **shown[row.id].definition,
        )
        for row in rows
    ]
