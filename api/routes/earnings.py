"""What payees have earned, and what they were paid."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api import payouts as views
from api.auth import Principal
from api.dependencies import (
    Paging,
    PagingDep,
    PeriodDep,
    Services,
    ServicesDep,
)
from api.errors import not_found, problems
from api.payouts import EarningsOut, PayoutOut, page_of
from api.permits import MayReadDeliveries, MayReadKitchen
from api.views import Page
from domain.payees import PayeeKind
from schema.queries import earnings, payees
from schema.queries.earnings import Between

router = APIRouter(tags=["Payouts"])

_MINE = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_LOOKS = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_CSV: dict[int | str, Any] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
_MOST_LINES = 100_000

Format = Annotated[Literal["json", "csv"], Query(description="`csv` for a spreadsheet of it all.")]


@router.get("/chef/earnings", responses=_MINE | _CSV, response_model=EarningsOut)
async def chef_earnings(
    held: ServicesDep,
    who: MayReadKitchen,
    paging: PagingDep,
    between: PeriodDep,
    format: Format = "json",  # noqa: A002 - the parameter's name in the API
) -> EarningsOut | Response:
    """List what the caller's kitchen has earned from `begin` to `end` (both included, UTC), and
    what of it is paid.
    """
    return await _earnings(
        held, who, PayeeKind.CHEF, paging=paging, between=between, as_csv=format == "csv"
    )


@router.get("/delivery/earnings", responses=_MINE | _CSV, response_model=EarningsOut)
async def driver_earnings(
    held: ServicesDep,
    who: MayReadDeliveries,
    paging: PagingDep,
    between: PeriodDep,
    format: Format = "json",  # noqa: A002
) -> EarningsOut | Response:
    """List what the caller has earned by deliveries from `begin` to `end` (both included, UTC), and
    what of it is paid.
    """
    return await _earnings(
        held, who, PayeeKind.DRIVER, paging=paging, between=between, as_csv=format == "csv"
    )


@router.get("/chef/payouts", responses=_LOOKS | _CSV, response_model=Page[PayoutOut])
async def chef_payouts(
    held: ServicesDep,
    who: MayReadKitchen,
    paging: PagingDep,
    format: Format = "json",  # noqa: A002
) -> Page[PayoutOut] | Response:
    """List the payouts of the caller's kitchen, the latest first, each with its orders."""
    return await _own_payouts(held, who, paging, format)


@router.get("/delivery/payouts", responses=_LOOKS | _CSV, response_model=Page[PayoutOut])
async def driver_payouts(
    held: ServicesDep,
    who: MayReadDeliveries,
    paging: PagingDep,
    format: Format = "json",  # noqa: A002
) -> Page[PayoutOut] | Response:
    """List the caller's payouts, the latest first, each with its orders."""
    return await _own_payouts(held, who, paging, format)


async def _earnings(
    held: Services,
    who: Principal,
    kind: PayeeKind,
    *,
    paging: Paging,
    between: Between,
    as_csv: bool,
) -> EarningsOut | Response:
    async with held.database.read() as session:
        payee_id = await payees.payee_id_of(session, kind, who.user_id)
        if payee_id is None:
            raise not_found("kitchen of yours" if kind is PayeeKind.CHEF else "driver")
        if as_csv:
            everything, _ = await earnings.earnings(
                session, kind, payee_id, between, limit=_MOST_LINES
            )
            return views.earnings_csv(everything)
        found, total = await earnings.earnings(
            session, kind, payee_id, between, limit=paging.limit, offset=paging.offset
        )
        sums = await earnings.sums(session, kind, payee_id, between)
    return EarningsOut(
        data=[views.earning(row) for row in found],
        page=paging.page,
        limit=paging.limit,
        total=total,
        sums=views.summed(sums),
    )


async def _own_payouts(
    held: Services,
    who: Principal,
    paging: Paging,
    format: str,  # noqa: A002
) -> Page[PayoutOut] | Response:
    async with held.database.read() as session:
        if format == "csv":
            everything, _ = await earnings.payouts(session, user_id=who.user_id, limit=_MOST_LINES)
            return views.payouts_csv(everything)
        found, total = await earnings.payouts(
            session, user_id=who.user_id, limit=paging.limit, offset=paging.offset
        )
    return page_of([views.payout(view) for view in found], paging, total)
