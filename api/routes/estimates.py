"""What operators see of how good our estimates are."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import PeriodDep, ServicesDep
from api.errors import not_found, problems
from api.estimates import EtaErrorsOut, EtaQualityOut, PrepTimeOut, PrepTimesOut
from api.permits import MayReadAnalytics
from domain import eta_quality, prep_time
from domain.eta_quality import Foretold
from schema.queries import eta_quality as estimates
from schema.queries import kitchens, prep_times

router = APIRouter(prefix="/admin", tags=["Admin"])


@router.get(
    "/chefs/{chef_id}/prep-times",
    responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)
async def get_prep_times(
    held: ServicesDep,
    who: MayReadAnalytics,  # noqa: ARG001 - for admins
    chef_id: UUID,
) -> PrepTimesOut:
    """See how late a kitchen is beside its menu and beside its chef's word, for each load, and how
    good the estimates are that are made of it.
    """
    async with held.database.read() as session:
        if not await kitchens.exists(session, chef_id):
            raise not_found("chef")
        past = await prep_times.cooked(session, chef_id, held.settings.city)
        in_hand = await prep_times.load(session, chef_id)
    return PrepTimesOut(
        chef_id=chef_id,
        orders_in_hand=in_hand,
        by_menu=[PrepTimeOut.of(q) for q in prep_time.quality(prep_time.acceptances(past))],
        by_word=[PrepTimeOut.of(q) for q in prep_time.quality(prep_time.words(past))],
    )


@router.get("/eta-quality", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def get_eta_quality(
    held: ServicesDep,
    who: MayReadAnalytics,  # noqa: ARG001 - for admins
    period: PeriodDep,
    market: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
) -> EtaQualityOut:
    """See by how much deliveries came later than foretold, of the latest orders placed in a period:
    as foretold when they were placed, accepted, and picked up.
    """
    async with held.database.read() as session:
        found = await estimates.delivered(session, period, market)

    def errors(step: Foretold) -> EtaErrorsOut | None:
        foretold = ((row.foretold, row.came) for row in found if row.step is step)
        return EtaErrorsOut.of(eta_quality.of_estimates(foretold, held.settings.city))

    return EtaQualityOut(**{step.value: errors(step) for step in Foretold})
