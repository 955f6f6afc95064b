"""How the platform does, and what waits for an operator."""

from http import HTTPStatus

from fastapi import APIRouter

from api import figures
from api.dependencies import ServicesDep
from api.errors import problems
from api.figures import AnalyticsOut, AskedDep, DashboardOut
from api.permits import MayReadAnalytics, MayReadUsers
from api.verification_queues import QueuesOut, queues
from schema.queries import verification_queues

router = APIRouter(prefix="/admin", tags=["Admin"])

_LOOKS = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)


@router.get("/dashboard", responses=_LOOKS)
async def show_dashboard(
    held: ServicesDep,
    who: MayReadAnalytics,  # noqa: ARG001 - for admins
    asked: AskedDep,
) -> DashboardOut:
    """See how the platform does: the last 30 days, unless `begin` and `end` say otherwise (92 days
    at most), everywhere or in one market or zone.
    """
    async with held.database.snapshot() as session:
        return await figures.dashboard(session, held.settings, asked)


@router.get("/analytics", responses=_LOOKS)
async def show_analytics(
    held: ServicesDep,
    who: MayReadAnalytics,  # noqa: ARG001 - for admins
    asked: AskedDep,
) -> AnalyticsOut:
    """See a period day by day, its top chefs, and why orders were cancelled."""
    async with held.database.snapshot() as session:
        return await figures.analytics(session, asked)


@router.get("/verification", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def show_queues(
    held: ServicesDep,
    who: MayReadUsers,  # noqa: ARG001 - for admins
) -> QueuesOut:
    """See how many chefs, drivers and documents wait to be verified, and since when."""
    async with held.database.read() as session:
        return queues(await verification_queues.queues(session))
