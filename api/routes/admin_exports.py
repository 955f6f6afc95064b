"""Lists that operators take away as spreadsheets; those of orders, users and deeds are beside their
lists.
"""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api import spreadsheets
from api.dependencies import ServicesDep
from api.permits import MayReadChefs, MayReadDrivers, MayReadMoney
from domain.payouts import PayoutStatus
from domain.verification import Verification
from schema.queries import driver_profiles, lists
from schema.queries.driver_profiles import Profile

router = APIRouter(prefix="/admin", tags=["Admin"])

_Statuses = Annotated[list[Verification] | None, Query(alias="status")]
_Search = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")]

_PAYOUT = (
    *("id", "user_type", "payee_id", "market", "day", "currency", "total_paid_cents", "status"),
    *("failure", "stripe_transfer_id", "stripe_payout_id", "created_at"),
    *("transferred_at", "settled_at"),
)
_PAYOUTS_HEAD = (
    *("id", "payeeKind", "payeeId", "market", "date", "currency", "totalPaidCents", "status"),
    *("failure", "stripeTransferId", "stripePayoutId", "createdAt", "transferredAt", "settledAt"),
)
_CHEF = (
    *("id", "user_id", "business_name", "market", "address", "verification_status"),
    *("verification_reason", "is_online", "accepting_orders", "rating", "rating_count"),
    *("total_orders", "created_at"),
)
_CHEFS_HEAD = (
    *("id", "userId", "businessName", "market", "address", "verificationStatus"),
    *("verificationReason", "isOnline", "acceptingOrders", "rating", "ratingCount"),
    *("totalOrders", "createdAt", "email"),
)
_DRIVER = (
    *("id", "user_id", "vehicle_type", "vehicle_plate", "verification_status"),
    *("verification_reason", "documents_expire_on", "is_available", "rating", "created_at"),
)
_DRIVERS_HEAD = (
    *("id", "userId", "vehicleType", "vehiclePlate", "verificationStatus"),
    *("verificationReason", "documentsExpireOn", "isAvailable", "rating", "createdAt"),
    *("firstName", "lastName", "email", "phone"),
)


@router.get("/payouts.csv", response_class=StreamingResponse, responses=spreadsheets.ANSWERS)
async def export_payouts(
    held: ServicesDep,
    who: MayReadMoney,  # noqa: ARG001 - for admins
    *,
    day: Annotated[date | None, Query(alias="date")] = None,
    payee_id: Annotated[UUID | None, Query(alias="payeeId")] = None,
    status: Annotated[list[PayoutStatus] | None, Query()] = None,
) -> StreamingResponse:
    """Export payouts, with the filters of the list."""
    asked = lists.payouts(day, payee_id, status or [])
    return await spreadsheets.answer(
        held.database, "payouts.csv", _PAYOUTS_HEAD, asked, lambda row: _cells(row[0], _PAYOUT)
    )


@router.get("/chefs.csv", response_class=StreamingResponse, responses=spreadsheets.ANSWERS)
async def export_chefs(
    held: ServicesDep,
    who: MayReadChefs,  # noqa: ARG001 - for admins
    status: _Statuses = None,
    search: _Search = None,
) -> StreamingResponse:
    """Export chefs: in one of the standings, by kitchen or email address if asked for."""
    return await spreadsheets.answer(
        held.database,
        "chefs.csv",
        _CHEFS_HEAD,
        lists.chefs(status or [], search),
        lambda row: (*_cells(row[0], _CHEF), row[1]),
    )


@router.get("/drivers.csv", response_class=StreamingResponse, responses=spreadsheets.ANSWERS)
async def export_drivers(
    held: ServicesDep,
    who: MayReadDrivers,  # noqa: ARG001 - for admins
    status: _Statuses = None,
    search: _Search = None,
) -> StreamingResponse:
    """Export drivers, with the filters of the list."""

    def cells(row: Any) -> tuple[object, ...]:
        seen = Profile(*row)
        name = (seen.first_name, seen.last_name, seen.email, seen.phone)
        return (*_cells(seen.driver, _DRIVER), *name)

    return await spreadsheets.answer(
        held.database,
        "drivers.csv",
        _DRIVERS_HEAD,
        driver_profiles.chosen(status or [], search),
        cells,
    )


def _cells(row: Any, names: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in names)
