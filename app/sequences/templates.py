"""Keeping templates, and trying them out."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.candidates import service as candidates
from app.candidates.errors import CandidateNotFound
from app.contents import service as contents
from app.contents.errors import ContentNotFound
from app.contents.schemas import ContentRead, ReadOnly
from app.kit.db import Session
from app.kit.errors import FieldError
from app.kit.paging import Paging
from app.kit.schemas import Page
from app.sequences import links, render
from app.sequences.errors import TemplateInvalid, TemplateLimit, TemplateNotFound
from app.sequences.liquid import Refused
from app.sequences.models import Template, TemplateRevision
from app.sequences.render import Facts, Rendered, Wording
from app.sequences.repository import TemplateRepository, TemplateRevisionRepository
from app.sequences.schemas import PreviewCreate, PreviewRead, TemplateRead, TemplateWrite
from app.settings import get_settings
from app.tenancy import service as tenancy

NOT_OF_REVISION = {*ReadOnly.model_fields, "revision", "key", "name"}


async def find(session: Session, template_id: UUID, *, lock: bool = False) -> Template:
    """Return a template's row; raises TemplateNotFound."""
    template = await TemplateRepository(session).get(template_id, lock=lock)
    if template is None:
        raise TemplateNotFound
    return template


async def read(session: Session, template: Template) -> TemplateRead:
    """Return a template with its live wording."""
    return (await _read_many(session, [template]))[0]


async def page(session: Session, paging: Paging) -> Page[TemplateRead]:
    """Return templates with their live wordings, the newest first."""
    repository = TemplateRepository(session)
    rows, total = await repository.newest(repository.visible(), paging, "templates")
    shown = {each.id: each for each in await _read_many(session, rows)}
    return paging.page(rows, lambda row: shown[row.id], lambda row: [row.id], "templates", total=total)


async def create(session: Session, body: TemplateWrite) -> TemplateRead:
    """Make a template; raises TemplateKeyTaken, TemplateInvalid, TemplateLimit."""
    await _try(body)
    template = Template(key=body.key, name=body.name or body.key, revision=1)
    await TemplateRepository(session).add(template)
    await _add_revision(session, template, body)
    return await read(session, template)


async def replace(session: Session, template: Template, body: TemplateWrite) -> TemplateRead:
    """Make a new revision the live one; raises TemplateKeyTaken, TemplateInvalid, TemplateLimit."""
    await _try(body)
    template.key, template.name = body.key, body.name or body.key
    template.revision += 1
    template.touch()
    await TemplateRepository(session).save()
    await _add_revision(session, template, body)
    return await read(session, template)


async def preview(session: Session, template: Template, body: PreviewCreate) -> PreviewRead:
    """Render the live wording for one candidate, with links that do nothing.

    Raises CandidateNotFound, ContentNotFound, TemplateInvalid, TemplateLimit.
    """
    revision = (await TemplateRevisionRepository(session).of([(template.id, template.revision)]))[template.id]
    facts = Facts(
        candidate=await _candidate(session, body.candidate_id),
        sender=await sender(session),
        unsubscribe_url=links.inert_url(get_settings().base_url),
        content=await _content(session, body.content_id),
    )
    rendered = await rendered_or_refused(wording(revision), facts)
    return PreviewRead(
        subject=rendered.subject,
        preheader=rendered.preheader,
        html=rendered.html,
        text=rendered.text,
        display_items=render.display_items(rendered, facts),
        missing_variables=rendered.missing,
        size_bytes=rendered.size_bytes,
    )


async def rendered_or_refused(written: Wording, facts: Facts) -> Rendered:
    """Render beside the event loop; raises TemplateInvalid, TemplateLimit."""
    try:
        return await asyncio.to_thread(render.render, written, facts)
    except Refused as refused:
        raise (TemplateLimit if refused.over_limit else TemplateInvalid) from refused


async def sender(session: Session) -> dict[str, Any]:
    """Return who writes: the tenant's sender."""
    return (await tenancy.read(session)).sender.model_dump()


def wording(revision: TemplateRevision) -> Wording:
    """Return what a revision says."""
    return Wording(
        subject=revision.subject,
        preheader=revision.preheader,
        format=revision.format,
        body=revision.body,
        text=revision.text,
        language=revision.language,
    )


def content_facts(content: ContentRead | None) -> Mapping[str, Any] | None:
    """Return what a template may say of a content."""
    return None if content is None else content.model_dump(mode="json")


async def _candidate(session: Session, candidate_id: UUID) -> Mapping[str, Any]:
    found = (await candidates.resolve_many(session, [candidate_id])).get(candidate_id)
    known = await candidates.facts(session, [found]) if found is not None else {}
    if found is None or found not in known:
        raise CandidateNotFound(errors=[_unknown("/candidate_id")])
    return known[found]


async def _content(session: Session, content_id: UUID | None) -> Mapping[str, Any] | None:
    if content_id is None:
        return None
    try:
        return content_facts(await contents.read(session, content_id))
    except ContentNotFound as error:
        raise ContentNotFound(errors=[_unknown("/content_id")]) from error


def _unknown(pointer: str) -> FieldError:
    return FieldError(pointer, "not_found", "There is none with this id in this tenant.")


async def _try(body: TemplateWrite) -> None:
    """Render for nobody, so that what can never be rendered is refused when it is written."""
    nobody = Facts(candidate={}, sender={}, unsubscribe_url=links.inert_url(get_settings().base_url))
    written = Wording(body.subject, body.preheader, _format(body), body.body, body.text, body.language)
    await rendered_or_refused(written, nobody)


async def _add_revision(session: Session, template: Template, body: TemplateWrite) -> None:
    fields = body.model_dump(exclude=NOT_OF_REVISION) | {"format": _format(body)}
    await TemplateRevisionRepository(session).add(
        TemplateRevision(template_id=template.id, revision=template.revision, **fields)
    )


def _format(body: TemplateWrite) -> str:
    return body.format or ("mjml" if body.body.lstrip().lower().startswith("<mjml") else "html")


async def _read_many(session: Session, rows: list[Template]) -> list[TemplateRead]:
    revisions = await TemplateRevisionRepository(session).of([(row.id, row.revision) for row in rows])
    return [_read(row, revisions[row.id]) for row in rows]


def _read(template: Template, revision: TemplateRevision) -> TemplateRead:
    return TemplateRead(
        id=template.id,
        version=template.version,
        revision=template.revision,
        key=template.key,
        name=template.name,
        audience=revision.audience,
        language=revision.language,
        subject=revision.subject,
        preheader=revision.preheader,
        format=revision.format,
        body=revision.body,
        text=revision.text,
        on_unknown=revision.on_unknown,
        created_at=template.created_at,
        updated_at=template.updated_at,
    )
