"""Complaints of customers, refunds by admins, and what admins decide about complaints."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import claims, refunds
from api.bodies import ComplaintBody, DecisionBody, RefundBody
from api.claims import ComplaintOut, RefundRequestOut
from api.dependencies import PagingDep, ServicesDep, order_of
from api.errors import not_found, problems
from api.permits import ActsOnAllOrders, MayReadAllOrders, MayWriteOrders
from api.routes.orders import IdempotencyKey
from api.views import Page
from domain.refunds import BORNE_BY, RefundKind, RequestStatus
from schema.messages.refund import Decision, RefundAsk
from schema.queries import refunds as requests

router = APIRouter(tags=["Refunds"])

_CHANGES = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


@router.post("/orders/{order_id}/complaint", status_code=HTTPStatus.CREATED, responses=_CHANGES)
async def complain(
    held: ServicesDep,
    who: MayWriteOrders,
    order_id: UUID,
    body: ComplaintBody,
    idempotency_key: IdempotencyKey = None,
) -> ComplaintOut:
    """Complain about an order within a day of its delivery: about some of its items, or all of it.
    A small sum is granted at once; everything else waits for an admin.
    """
    await order_of(held, order_id, who)
    ask = RefundAsk(
        id=refunds.new_id(),
        order_id=order_id,
        kind=RefundKind.COMPLAINT,
        asked_by=who.user_id,
        bearer=BORNE_BY[body.reason],
        reason=body.reason,
        note=body.words,
        items=refunds.items(body.items),
    )
    return claims.complaint(await refunds.ask(held, ask, body, idempotency_key))


@router.post("/admin/orders/{order_id}/refund", status_code=HTTPStatus.CREATED, responses=_CHANGES)
async def refund_order(
    held: ServicesDep,
    who: ActsOnAllOrders,
    order_id: UUID,
    body: RefundBody,
    idempotency_key: IdempotencyKey = None,
) -> RefundRequestOut:
    """Give the customer of a delivered order money back: for items, an amount, or (neither) all
    that is left. Without an `Idempotency-Key` the same refund is made once.
    """
    await order_of(held, order_id, who)
    ask = RefundAsk(
        id=refunds.new_id(),
        order_id=order_id,
        kind=RefundKind.ADMIN,
        asked_by=who.user_id,
        bearer=body.bearer,
        reason=body.reason,
        items=refunds.items(body.items),
        amount_cents=body.amount_cents,
    )
    return claims.refund_request(await refunds.ask(held, ask, body, idempotency_key))


@router.get("/admin/complaints", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def list_complaints(
    held: ServicesDep,
    who: MayReadAllOrders,  # noqa: ARG001 - it is who may
    paging: PagingDep,
    status: Annotated[list[RequestStatus] | None, Query()] = None,
) -> Page[RefundRequestOut]:
    """List complaints, the oldest first; `status` may be given several times."""
    async with held.database.read() as session:
        found, total = await requests.page_of_complaints(
            session, status or [], limit=paging.limit, offset=paging.offset
        )
    return Page(
        data=[claims.refund_request(request) for request in found],
        page=paging.page,
        limit=paging.limit,
        total=total,
    )


@router.post("/admin/complaints/{request_id}/decide", responses=_CHANGES)
async def decide(
    held: ServicesDep, who: ActsOnAllOrders, request_id: UUID, body: DecisionBody
) -> RefundRequestOut:
    """Grant a complaint, in whole or in part, or reject it. The customer is told `reason`."""
    async with held.database.read() as session:
        request = await requests.find(session, request_id)
    if request is None or request.kind is not RefundKind.COMPLAINT:
        raise not_found("complaint")
    decision = Decision(
        request_id=request_id,
        by=who.user_id,
        grant=body.grant,
        reason=body.reason,
        amount_cents=body.amount_cents,
        bearer=body.bearer,
    )
    decided = await held.engine.money.decide_refund(await refunds.taken_up(held, request), decision)
    return claims.refund_request(decided)
