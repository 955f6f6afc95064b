"""Every SQL statement about requests for a refund.

Whoever asks, grants or writes down a refund holds the locks on the order's money and its payment
meanwhile: what is left of it is worked out by one at a time.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain import refunds as rules
from domain import wording
from domain.notifications import Alert
from domain.order_status import OrderStatus
from domain.refunds import (
    Amount,
    CannotBeRefunded,
    Dish,
    Objection,
    RefundKind,
    RequestStatus,
)
from schema.messages.money import RefundStatus
from schema.messages.refund import Decision, RefundAsk, RefundAtStripe, RefundTerms, RefundView
from schema.queries import admin, bookings, disputes, notifications, orders, payments
from schema.tables import Order, OrderItem, Payment, Refund, RefundRequest, User

_GONE = (RefundStatus.FAILED, RefundStatus.CANCELED)


class Granted(NamedTuple):
    """A request, and the payment that it is about."""

    request: RefundView
    payment_intent_id: str


async def begin(
    session: AsyncSession, ask: RefundAsk, terms: RefundTerms, at: datetime
) -> RefundView:
    """Write a request, if so much is left; the same again if it is written already.

    A small complaint and an admin's refund are granted with it. Raises CannotBeRefunded.
    """
    await _lock(session, ask.order_id)
    written = await find(session, ask.id)
    if written is not None:
        return written
    amount = await appraise(session, ask, terms, at)
    at_once = ask.kind is RefundKind.ADMIN or rules.is_granted_at_once(
        terms.rules, amount.cents, await _granted_before(session, ask.asked_by, at)
    )
    row = RefundRequest(
        **ask.model_dump(exclude={"items", "amount_cents"}),
        items=_items(ask),
        amount_cents=amount.cents,
        tax_cents=amount.tax_cents,
        status=RequestStatus.GRANTED if at_once else RequestStatus.ASKED,
        granted_cents=amount.cents if at_once else None,
        created_at=at,
    )
    if ask.kind is RefundKind.ADMIN:
        row.decided_by, row.decided_at = ask.asked_by, at
        await _audit(session, row, ask.asked_by, "refund_granted", at, before=None)
    session.add(row)
    await session.flush()
    if at_once:
        await _tell(session, row, Alert.REFUND_GRANTED)
    else:
        await _tell(session, row, Alert.COMPLAINT_OPENED, ask.reason)
    return _view(row)


async def appraise(
    session: AsyncSession, ask: RefundAsk, terms: RefundTerms, at: datetime
) -> Amount:
    """What a request comes to, if it may be made. Raises CannotBeRefunded."""
    order = await session.get_one(Order, ask.order_id)
    has_failed = order.status is OrderStatus.REFUNDED and await _has_failed(session, order.id)
    rules.check_state(ask.kind, order.status, has_failed=has_failed)
    if ask.kind is RefundKind.COMPLAINT and order.delivered_at is not None:
        rules.check_window(order.delivered_at, at, terms.complaint_window)
    bill, left = bookings.bill_of(order), await left_of(session, ask.order_id)
    if ask.items is None:
        return rules.within(rules.of_cents(bill, ask.amount_cents, left), left)
    wanted = {item.order_item_id: item.quantity for item in ask.items}
    return rules.within(rules.of_items(bill, await _dishes(session, ask.order_id), wanted), left)


async def decide(session: AsyncSession, decision: Decision, at: datetime) -> RefundView:
    """Write an admin's word on a complaint, unless there is one already: then that one stands.

    Raises CannotBeRefunded.
    """
    row = await _row(session, decision.request_id)
    await _lock(session, row.order_id)
    await session.refresh(row)
    if row.status is not RequestStatus.ASKED:
        return _view(row)
    before = _figures(row)
    row.decided_by, row.decided_at, row.decision_note = decision.by, at, decision.reason
    if decision.grant:
        order = await session.get_one(Order, row.order_id)
        rules.check_state(RefundKind.ADMIN, order.status)
        amount = Amount(row.amount_cents, row.tax_cents)
        if decision.amount_cents not in {None, row.amount_cents}:
            left = await left_of(session, row.order_id, without=row.id)
            asked = rules.of_cents(bookings.bill_of(order), decision.amount_cents, left)
            amount = rules.within(asked, left)
        row.status = RequestStatus.GRANTED
        row.granted_cents, row.tax_cents = amount.cents, amount.tax_cents
        row.bearer = decision.bearer or row.bearer
        await _tell(session, row, Alert.REFUND_GRANTED)
    else:
        row.status = RequestStatus.REJECTED
        await _tell(session, row, Alert.COMPLAINT_REJECTED, decision.reason)
    await _audit(session, row, decision.by, f"complaint_{row.status}", at, before=before)
    return _view(row)


async def left_of(session: AsyncSession, order_id: UUID, without: UUID | None = None) -> Amount:
    """What of an order's payment was neither given back, nor asked for, nor taken by a bank, and
    the tax in it.

    `without` leaves the request of that id out of account.
    """
    order = await session.get_one(Order, order_id)
    captured = await session.scalar(
        select(col(Payment.captured_cents)).where(col(Payment.order_id) == order_id)
    )
    past_us = await session.scalar(
        select(func.coalesce(func.sum(Refund.amount_cents), 0)).where(
            col(Refund.order_id) == order_id,
            col(Refund.refund_request_id).is_(None),
            col(Refund.status).not_in(_GONE),
        )
    )
    held = (
        await session.execute(
            select(
                func.coalesce(
                    func.sum(
                        func.coalesce(RefundRequest.granted_cents, RefundRequest.amount_cents)
                    ),
                    0,
                ),
                func.coalesce(func.sum(RefundRequest.tax_cents), 0),
            ).where(
                col(RefundRequest.order_id) == order_id,
                col(RefundRequest.status).in_(rules.HOLDING),
                col(RefundRequest.id).is_distinct_from(without),
            )
        )
    ).one()
    # The customer has it from his bank.
    taken = await disputes.taken(session, order_id)
    cents = max(0, (captured or 0) - (past_us or 0) - taken - held[0])
    bill = bookings.bill_of(order)
    tax = bill.tax_cents - held[1] - rules.tax_in(bill, (past_us or 0) + taken)
    return Amount(cents, max(0, min(cents, tax)))


async def note_refund(session: AsyncSession, order_id: UUID, refund: RefundAtStripe) -> None:
    """Write down how a refund stands at Stripe, and with it how the request stands that it is of.

    Whoever calls has written to the order's payment, or locked it.
    """
    request = await _of_refund(session, order_id, refund.request_id)
    await payments.note_refund(
        session,
        order_id,
        stripe_refund_id=refund.id,
        amount_cents=refund.amount_cents,
        status=refund.status,
        reason=refund.reason,
        request=request,
    )
    if request is None:
        return
    request.stripe_refund_id = refund.id
    if refund.status is RefundStatus.SUCCEEDED and request.status is RequestStatus.GRANTED:
        request.status = RequestStatus.REFUNDED
        await _tell(session, request, Alert.REFUND_MADE)
    elif refund.status in _GONE and request.status is not RequestStatus.FAILED:
        await _fail(session, request, "sent_back_by_bank")


async def give_up(session: AsyncSession, request_id: UUID, reason: str) -> RefundView:
    """A granted refund that Stripe will not make has failed: its amount is free again."""
    row = await _row(session, request_id)
    await _lock(session, row.order_id)
    await session.refresh(row)
    if row.status is RequestStatus.GRANTED:
        await _fail(session, row, reason)
    return _view(row)


async def alarm(session: AsyncSession, request_id: UUID, alert: Alert, key: str) -> RefundView:
    """Tell ops of a request, once by `key`; answers with how it stands."""
    row = await _row(session, request_id)
    await _tell(session, row, alert, key=key)
    return _view(row)


async def lock(session: AsyncSession, request_id: UUID) -> Granted:
    """A request and the payment it is about, which nobody else writes to until the end."""
    row = await _row(session, request_id)
    payment = await _lock(session, row.order_id)
    await session.refresh(row)
    return Granted(_view(row), payment.stripe_payment_intent_id)


async def find(session: AsyncSession, request_id: UUID) -> RefundView | None:
    """A request as it stands, or None."""
    row = await session.scalar(
        select(RefundRequest)
        .where(col(RefundRequest.id) == request_id)
        .execution_options(populate_existing=True)
    )
    return None if row is None else _view(row)


async def failures(session: AsyncSession, order_id: UUID) -> int:
    """How many requests about an order have come to nothing, so that they may be made anew."""
    found = await session.scalar(
        select(func.count()).where(
            col(RefundRequest.order_id) == order_id,
            col(RefundRequest.status) == RequestStatus.FAILED,
        )
    )
    return found or 0


async def open_complaints(session: AsyncSession, order_id: UUID) -> list[UUID]:
    """The complaints about an order that wait for an admin."""
    found = await session.scalars(
        select(col(RefundRequest.id)).where(
            col(RefundRequest.order_id) == order_id,
            col(RefundRequest.kind) == RefundKind.COMPLAINT,
            col(RefundRequest.status) == RequestStatus.ASKED,
        )
    )
    return list(found)


async def unsettled(
    session: AsyncSession, before: datetime, after: UUID | None, limit: int
) -> list[UUID]:
    """The next requests that were made before a moment and are still asked or granted."""
    wanted = [
        col(RefundRequest.status).in_((RequestStatus.ASKED, RequestStatus.GRANTED)),
        col(RefundRequest.created_at) < before,
        *([col(RefundRequest.id) > after] if after is not None else []),
    ]
    found = await session.scalars(
        select(col(RefundRequest.id)).where(*wanted).order_by(col(RefundRequest.id)).limit(limit)
    )
    return list(found)


async def page_of_complaints(
    session: AsyncSession, statuses: Collection[RequestStatus], *, limit: int, offset: int
) -> tuple[list[RefundView], int]:
    """A page of the complaints, those that have waited longest first, and how many there are."""
    wanted = col(RefundRequest.kind) == RefundKind.COMPLAINT
    if statuses:
        wanted &= col(RefundRequest.status).in_(statuses)
    found = await session.scalars(
        select(RefundRequest)
        .where(wanted)
        .order_by(col(RefundRequest.created_at), col(RefundRequest.id))
        .limit(limit)
        .offset(offset)
    )
    total = await session.scalar(select(func.count(col(RefundRequest.id))).where(wanted))
    return [_view(row) for row in found], total or 0


async def _lock(session: AsyncSession, order_id: UUID) -> Payment:
    await bookings.lock(session, order_id)
    payment = await session.scalar(
        select(Payment).where(col(Payment.order_id) == order_id).with_for_update()
    )
    if payment is None:
        raise CannotBeRefunded(Objection.NOT_REFUNDABLE, "the order has no payment")
    return payment


async def _row(session: AsyncSession, request_id: UUID) -> RefundRequest:
    row = await session.get(RefundRequest, request_id)
    if row is None:
        raise LookupError(f"there is no request {request_id} for a refund")
    return row


async def _of_refund(
    session: AsyncSession, order_id: UUID, request_id: str | None
) -> RefundRequest | None:
    try:
        row = await session.get(RefundRequest, UUID(request_id or ""))
    except ValueError:
        return None
    return row if row is not None and row.order_id == order_id else None


async def _dishes(session: AsyncSession, order_id: UUID) -> Sequence[Dish]:
    asked: dict[str, int] = {}
    for items in await session.scalars(
        select(col(RefundRequest.items)).where(
            col(RefundRequest.order_id) == order_id,
            col(RefundRequest.status).in_(rules.HOLDING),
        )
    ):
        for item in items or ():
            asked[item["orderItemId"]] = asked.get(item["orderItemId"], 0) + item["quantity"]
    found = await session.scalars(select(OrderItem).where(col(OrderItem.order_id) == order_id))
    return [Dish(i.id, i.price_cents, i.quantity, asked.get(str(i.id), 0)) for i in found]


async def _has_failed(session: AsyncSession, order_id: UUID) -> bool:
    found = await session.scalar(
        select(col(Refund.id))
        .where(col(Refund.order_id) == order_id, col(Refund.status).in_(_GONE))
        .limit(1)
    )
    return found is not None


async def _granted_before(session: AsyncSession, customer_id: UUID, at: datetime) -> int:
    # One customer's complaints are counted by one at a time.
    await session.execute(
        select(col(User.id)).where(col(User.id) == customer_id).with_for_update(key_share=True)
    )
    found = await session.scalar(
        select(func.count()).where(
            col(RefundRequest.asked_by) == customer_id,
            col(RefundRequest.kind) == RefundKind.COMPLAINT,
            col(RefundRequest.granted_cents).is_not(None),
            col(RefundRequest.decided_by).is_(None),
            col(RefundRequest.created_at) > at - rules.AUTOMATIC_WITHIN,
        )
    )
    return found or 0


async def _fail(session: AsyncSession, row: RefundRequest, reason: str) -> None:
    row.status = RequestStatus.FAILED
    await session.flush()
    await _tell(session, row, Alert.REFUND_CAME_BACK, reason)


async def _tell(
    session: AsyncSession,
    row: RefundRequest,
    alert: Alert,
    reason: str | None = None,
    key: str = "",
) -> None:
    await session.flush()
    parties = await orders.parties(session, row.order_id)
    cents = row.granted_cents or row.amount_cents
    await notifications.tell(
        session,
        alert,
        parties,
        key=f"{row.id}{key}",
        reason=reason,
        words={"amount": wording.amount(cents, parties.currency)},
    )


async def _audit(
    session: AsyncSession,
    row: RefundRequest,
    admin_id: UUID,
    what: str,
    at: datetime,
    *,
    before: Mapping[str, object] | None,
) -> None:
    await admin.act(
        session,
        key=f"{row.id}:{what}",
        admin_id=admin_id,
        action=what,
        target=("refund_request", row.id),
        details={
            "orderId": str(row.order_id),
            "cents": row.granted_cents,
            "bearer": row.bearer,
            "reason": row.decision_note or row.reason,
        },
        at=at,
        before=before,
        after=_figures(row),
    )


def _figures(row: RefundRequest) -> dict[str, object]:
    """How a request stands, for the log of admins; `cents` are what is granted."""
    return {
        "status": row.status,
        "cents": row.granted_cents,
        "taxCents": row.tax_cents,
        "bearer": row.bearer,
    }


def _items(ask: RefundAsk) -> list[dict[str, object]] | None:
    if ask.items is None:
        return None
    return [item.model_dump(mode="json", by_alias=True) for item in ask.items]


def _view(row: RefundRequest) -> RefundView:
    return RefundView.model_validate(row.model_dump())
