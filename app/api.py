"""Everything that the service can be asked to do: the list of routers.

A request is held against one after the other, so those that are asked thousands of times a minute stand first.
"""

from typing import Final

from fastapi import APIRouter

from app.briefs import routes as briefs
from app.connectors import routes as connectors
from app.consent import routes as consent
from app.contents import routes as contents
from app.dedup import routes as dedup
from app.directory import routes as directory
from app.imports import routes as imports
from app.intake import routes as intake
from app.kit import job_routes
from app.merges import routes as merges
from app.pages import routes as pages
from app.pools import routes as pools
from app.positions import routes as positions
from app.postmaster import routes as postmaster
from app.privacy import routes as privacy
from app.scores import routes as scores
from app.sequences import routes as sequences
from app.sweeps import routes as sweeps
from app.tenancy import routes as tenancy
from app.touchpoints import routes as touchpoints
from app.webhooks import routes as webhooks

ROUTERS: Final[tuple[APIRouter, ...]] = (
    touchpoints.router,
    connectors.hooks,
    tenancy.router,
    tenancy.log,
    pools.router,
    positions.router,
    briefs.router,
    intake.router,
    directory.router,
    directory.custom_fields,
    directory.saved_searches,
    directory.vocabularies,
    dedup.router,
    sweeps.router,
    merges.router,
    scores.router,
    connectors.router,
    imports.router,
    webhooks.router,
    consent.router,
    contents.router,
    sequences.router,
    postmaster.router,
    privacy.router,
    pages.router,
    pages.made,
    job_routes.router,
)
