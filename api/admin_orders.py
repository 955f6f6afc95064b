"""Which orders operators look for."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from api.dependencies import PeriodDep, Services, ServicesDep
from domain.order_status import OrderStatus
from schema.queries import admin_orders
from schema.queries.admin_orders import Line, Wanted

_Word = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")]
_Cents = Annotated[int | None, Query(ge=0, le=2_000_000_000)]

ORDERS_HEAD = (
    "orderNumber",
    "id",
    "status",
    "market",
    "createdAt",
    "customerId",
    "chefId",
    "chefName",
    "driverId",
    "driverName",
    "currency",
    "subtotalCents",
    "taxCents",
    "deliveryFeeCents",
    "serviceFeeCents",
    "discountCents",
    "tipCents",
    "totalCents",
    "refundedCents",
    "deliveredAt",
    "cancelledAt",
    "cancelledBy",
    "cancelReason",
)
_COLUMNS = (
    "currency",
    "subtotal_cents",
    "tax_cents",
    "delivery_fee_cents",
    "service_fee_cents",
    "discount_cents",
    "tip_cents",
    "total_cents",
)


async def kitchens_of(held: Services, zone: str | None) -> list[UUID] | None:
    """The chefs whose kitchens lie in a zone; None where no zone is asked for."""
    if zone is None:
        return None
    async with held.database.read() as session:
        kitchens = await admin_orders.kitchens(session)
    zoning = held.settings.zoning
    return [kitchen.chef_id for kitchen in kitchens if zoning.zone_of(kitchen.at) == zone]


async def _filters(
    placed: PeriodDep,
    *,
    status: Annotated[list[OrderStatus] | None, Query()] = None,
    market: _Word = None,
    chef_id: Annotated[UUID | None, Query(alias="chefId")] = None,
    driver_id: Annotated[UUID | None, Query(alias="driverId")] = None,
    customer_id: Annotated[UUID | None, Query(alias="customerId")] = None,
    search: Annotated[_Word, Query(description="A part of the order's number.")] = None,
    min_total_cents: Annotated[_Cents, Query(alias="minTotalCents")] = None,
    max_total_cents: Annotated[_Cents, Query(alias="maxTotalCents")] = None,
    late: Annotated[bool, Query(description="Only what came, or comes, too late.")] = False,
) -> Wanted:
    return Wanted(
        placed=placed,
        statuses=status or (),
        market=market,
        chef_id=chef_id,
        driver_id=driver_id,
        customer_id=customer_id,
        search=search,
        least_cents=min_total_cents,
        most_cents=max_total_cents,
        late=late,
    )


async def _with_zone(
    held: ServicesDep,
    wanted: Annotated[Wanted, Depends(_filters)],
    zone: Annotated[_Word, Query(description="Where the kitchen is, as dispatch has it.")] = None,
) -> Wanted:
    return replace(wanted, chef_ids=await kitchens_of(held, zone))


OrderFilters = Annotated[Wanted, Depends(_with_zone)]


def order_cells(line: Line) -> tuple[object, ...]:
    """An order, as a line of a spreadsheet."""
    row = line.order
    return (
        row.order_number,
        row.id,
        row.status,
        row.market,
        row.created_at,
        row.customer_id,
        row.chef_id,
        line.kitchen_name,
        row.driver_id,
        line.driver_name,
        *(getattr(row, name) for name in _COLUMNS),
        line.refunded_cents,
        row.delivered_at,
        row.cancelled_at,
        row.cancelled_by,
        row.cancel_reason,
    )
