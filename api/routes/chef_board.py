"""What chefs look at while they cook, and after the week."""

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from api import kitchen_board
from api.dependencies import ServicesDep
from api.errors import problems
from api.kitchen_board import AnalyticsOut, BoardOut
from api.kitchen_lookup import chef_of
from api.permits import MayReadKitchen, MayReadKitchenAnalytics

router = APIRouter(prefix="/chef", tags=["Chef"])

_LOOKING = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)

# Days that calendars, clocks and databases agree on.
Day = Annotated[
    date | None,
    Query(ge=date(2000, 1, 1), le=date(2199, 12, 31), description="By the kitchen's clock."),
]


@router.get("/orders/board", responses=_LOOKING)
async def get_board(held: ServicesDep, who: MayReadKitchen) -> BoardOut:
    """See what the caller's kitchen has in hand, by state: how many orders, and the twenty of each
    that have waited longest.
    """
    await chef_of(held, who)
    return await kitchen_board.board_of(held, who.user_id)


@router.get("/analytics", responses=_LOOKING | problems(HTTPStatus.UNPROCESSABLE_ENTITY))
async def get_analytics(
    held: ServicesDep, who: MayReadKitchenAnalytics, begin: Day = None, end: Day = None
) -> AnalyticsOut:
    """See how the caller's kitchen did from `begin` to `end` (both included; without them, the last
    thirty days).
    """
    return await kitchen_board.analytics(held, await chef_of(held, who), begin, end)
