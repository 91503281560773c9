"""Everything that the service can be asked to do: the list of routers, in the order of the document."""

from typing import Final

from fastapi import APIRouter

from app.kit import job_routes
from app.tenancy import routes as tenancy
from app.webhooks import routes as webhooks

ROUTERS: Final[tuple[APIRouter, ...]] = (tenancy.router, webhooks.router, job_routes.router)
