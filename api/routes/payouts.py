"""How finance runs payouts, stops them, and looks on."""

from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from uuid_utils.compat import uuid7

from api import payouts as views
from api.dependencies import PagingDep, PeriodDep, ServicesDep
from api.errors import conflict, invalid, not_found, problems
from api.payouts import (
    AccountBalanceOut,
    HoldBody,
    HoldOut,
    MovementOut,
    PayoutOut,
    PayoutRunOut,
    PayoutRunStandingOut,
    PayoutStandingOut,
    ReverseBody,
    RunPayoutsBody,
    page_of,
)
from api.permits import ActsOnMoney, MayReadMoney
from api.views import Page
from domain.ledger import Event
from domain.payees import PayeeKind
from domain.payouts import PayoutStatus
from schema.messages.payees import PayeeRef
from schema.messages.payouts import Hold, PayoutStart
from schema.queries import admin, earnings, ledger, payees, payouts
from schema.queries.earnings import Between
from schema.queries.ledger import NotReversible
from workflows.schedules import market_payouts

router = APIRouter(tags=["Payouts"])

_LOOKS = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@router.get("/admin/payouts", responses=_LOOKS)
async def list_payouts(
    held: ServicesDep,
    who: MayReadMoney,  # noqa: ARG001 - being one is enough
    *,
    paging: PagingDep,
    day: Annotated[date | None, Query(alias="date")] = None,
    payee_id: Annotated[UUID | None, Query(alias="payeeId")] = None,
    status: Annotated[list[PayoutStatus] | None, Query()] = None,
) -> Page[PayoutOut]:
    """List all payouts, the latest first; `status` may be given several times."""
    async with held.database.read() as session:
        found, total = await earnings.payouts(
            session,
            payee_id=payee_id,
            day=day,
            statuses=status or [],
            limit=paging.limit,
            offset=paging.offset,
        )
    return page_of([views.payout(view) for view in found], paging, total)


@router.post(
    "/admin/payouts/run",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def run_payouts(
    held: ServicesDep,
    who: ActsOnMoney,
    body: RunPayoutsBody,
) -> list[PayoutRunOut]:
    """Pay what was owed at the end of a day (today: what is owed now). Nobody is paid twice for a
    day, however often it is run.
    """
    markets = held.settings.markets
    if body.market is not None and body.market not in markets:
        raise invalid("market", "unknown_market", f"there is no market {body.market!r}")
    names = [body.market] if body.market else list(markets)
    for name in names:
        if body.date > datetime.now(ZoneInfo(markets[name].timezone)).date():
            raise invalid("date", "day_not_begun", f"{body.date} has not begun in {name}")
    async with held.database.write() as session:
        await admin.ran(
            session, "payouts_run", who.user_id, body.model_dump(mode="json"), datetime.now(UTC)
        )
    return [
        PayoutRunOut(
            workflow_id=await held.engine.payees.run_payouts(
                market_payouts(held.settings, name).run(body.date)
            ),
            market=name,
            date=body.date,
        )
        for name in names
    ]


@router.get("/admin/payouts/runs/{day}", responses=_LOOKS)
async def show_runs(
    held: ServicesDep,
    who: MayReadMoney,  # noqa: ARG001 - being one is enough
    day: date,
) -> list[PayoutRunStandingOut]:
    """Show how the payouts of a day stand, market by market."""
    async with held.database.read() as session:
        found = await earnings.by_status(session, day)
    return [
        PayoutRunStandingOut(
            market=name,
            date=day,
            currency=market.rates.currency,
            standings=[
                PayoutStandingOut(status=status, payouts=number, cents=cents)
                for status, number, cents in found.get(name, ())
            ],
        )
        for name, market in held.settings.markets.items()
    ]


@router.put(
    "/admin/payees/{kind}/{payee_id}/payouts",
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def hold_payouts(
    held: ServicesDep, who: ActsOnMoney, kind: PayeeKind, payee_id: UUID, body: HoldBody
) -> HoldOut:
    """Stop a payee's payouts, or let them go on. What he earns stays owed; money that has left
    already stays on its way.
    """
    async with held.database.read() as session:
        if await payees.payee(session, PayeeRef(kind=kind, payee_id=payee_id)) is None:
            raise not_found(kind)
        if await payouts.is_held(session, payee_id) is body.held:
            raise (
                conflict("already_held", "the payouts are stopped")
                if body.held
                else conflict("not_held", "the payouts are not stopped")
            )
        waiting = await payouts.claimed_by(session, payee_id)
    hold = Hold(
        kind=kind,
        payee_id=payee_id,
        admin_id=who.user_id,
        reason=body.reason,
        held=body.held,
        key=f"hold:{uuid7()}",
    )
    if waiting is None:
        async with held.database.write() as session:
            await payouts.note_hold(session, hold)
        return HoldOut(payee_kind=kind, payee_id=payee_id, held=body.held, payout_status=None)
    terms = market_payouts(held.settings, waiting.market).run(waiting.day).terms
    view = await held.engine.payees.hold(
        PayoutStart(terms=terms, kind=kind, payee_id=payee_id), hold
    )
    return HoldOut(
        payee_kind=kind,
        payee_id=payee_id,
        held=view.held,
        payout_status=view.payout.status if view.payout else None,
    )


@router.get("/admin/ledger/accounts", responses=_LOOKS)
async def list_accounts(
    held: ServicesDep,
    who: MayReadMoney,  # noqa: ARG001 - being one is enough
    paging: PagingDep,
    payees: bool = False,
) -> Page[AccountBalanceOut]:
    """List the platform's accounts and what is on them; with `payees`, theirs too."""
    async with held.database.read() as session:
        found, total = await earnings.accounts(
            session, payees=payees, limit=paging.limit, offset=paging.offset
        )
    return page_of([views.balance(row) for row in found], paging, total)


@router.get("/admin/ledger/movements", responses=_LOOKS)
async def list_movements(
    held: ServicesDep,
    who: MayReadMoney,  # noqa: ARG001 - being one is enough
    *,
    paging: PagingDep,
    between: PeriodDep,
    order_id: Annotated[UUID | None, Query(alias="orderId")] = None,
    payout_id: Annotated[UUID | None, Query(alias="payoutId")] = None,
    account: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
    event: Annotated[list[Event] | None, Query()] = None,
) -> Page[MovementOut]:
    """List what was booked, the latest first; `event` may be given several times."""
    async with held.database.read() as session:
        found, total = await earnings.movements(
            session,
            between,
            order_id=order_id,
            payout_id=payout_id,
            account=account,
            events=event or [],
            limit=paging.limit,
            offset=paging.offset,
        )
    return page_of([views.movement(booked) for booked in found], paging, total)


@router.post(
    "/admin/ledger/movements/{movement_id}/reverse",
    status_code=HTTPStatus.CREATED,
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
async def reverse_movement(
    held: ServicesDep, who: ActsOnMoney, movement_id: UUID, body: ReverseBody
) -> MovementOut:
    """Book the opposite of a movement, the only way to correct one. What stands for a payout's
    money cannot be reversed here: it is undone where it was done.
    """
    try:
        async with held.database.write() as session:
            made = await ledger.reverse(session, movement_id, by=who.user_id, reason=body.reason)
    except NotReversible as error:
        raise conflict("not_reversible", str(error)) from error
    if made is None:
        raise not_found("movement")
    async with held.database.read() as session:
        found, _ = await earnings.movements(
            session, Between(), movement_id=made.id, limit=1, offset=0
        )
    return views.movement(found[0])
