"""Orders of a world, one more of each kind, and what belongs to them: opinions and money."""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.chat import Thread
from domain.ledger import Account, Bearer, Event, Movement, Posting, payable
from domain.order_status import Actor, OrderStatus
from domain.payees import PayeeKind
from domain.payouts import PayoutStatus
from domain.refunds import RefundKind, RequestStatus
from domain.reviews import Reviewee, ReviewStatus
from local.payees import account_id
from local.world import World
from schema.messages.dispatch import AssignmentStatus
from schema.messages.order import CaptureMethod, ChosenOption, OrderLine
from schema.queries import ledger, orders
from schema.tables import (
    Chef,
    DispatchSearch,
    Dispute,
    Driver,
    DriverAssignment,
    LedgerMovement,
    LedgerPosting,
    MenuItem,
    Order,
    OrderItem,
    OrderMessage,
    OrderStatusHistory,
    Payment,
    Payout,
    PayoutItem,
    RefundRequest,
    Review,
    ReviewReport,
    Role,
)
from schema.tables.columns import now

S = OrderStatus

FIRST_DAY = date(2026, 1, 1)
_ON_THE_BOARD = (S.PAYMENT_CONFIRMED, S.ACCEPTED, S.PREPARING)
_COOKED = (S.ACCEPTED, S.PREPARING, S.READY_FOR_PICKUP)


async def part(session: AsyncSession, order_id: UUID, dish: MenuItem, number: int) -> None:
    """One more dish and one more step of an order."""
    session.add(
        OrderItem(
            order_id=order_id,
            menu_item_id=dish.id,
            name=dish.name,
            price_cents=dish.price_cents,
            quantity=1,
        )
    )
    # The first step is there since the order is.
    session.add(_step(order_id, number + 2, S.PENDING))


async def message(session: AsyncSession, world: World, order_id: UUID, number: int) -> None:
    """One more thing that the chef has said to the customer about an order."""
    session.add(
        OrderMessage(
            order_id=order_id,
            number=number + 1,
            thread=Thread.CHEF,
            sender_id=world.chef.user_id,
            sender_role=Role.CHEF,
            recipient_id=world.customer.user_id,
            text="Nearly ready.",
        )
    )


async def _order(session: AsyncSession, world: World, dish: MenuItem, **values: object) -> UUID:
    placed = world.placing()
    chosen = ChosenOption(id=uuid7(), group="Extras", name="ghee", price_cents=50)
    line = OrderLine(
        menu_item_id=dish.id, name=dish.name, price_cents=1000, quantity=2, options=[chosen]
    )
    await orders.begin(session, placed.model_copy(update={"lines": [line]}))
    await session.execute(
        update(Order).where(col(Order.id) == placed.order.id).values(paid_at=now(), **values)
    )
    return placed.order.id


async def delivered(session: AsyncSession, world: World, dish: MenuItem) -> UUID:
    """An order that was cooked and that the world's first driver has brought."""
    at = now()
    order_id = await _order(
        session,
        world,
        dish,
        status=S.DELIVERED,
        driver_id=world.drivers[0].id,
        accepted_at=at,
        prepared_at=at,
        picked_up_at=at,
        delivered_at=at,
    )
    session.add_all(_step(order_id, number, to) for number, to in enumerate(_COOKED, start=2))
    return order_id


async def in_hand(session: AsyncSession, world: World, dish: MenuItem, number: int) -> None:
    """An order that the kitchen has to think of; a board shows twenty of each state."""
    await _order(session, world, dish, status=_ON_THE_BOARD[number % len(_ON_THE_BOARD)])


async def waiting(
    session: AsyncSession,
    world: World,
    dish: MenuItem,
    offer_id: UUID,
    preferred: Driver,
    number: int,
) -> None:
    """An order that looks for a driver, and is the next stop of the offer to the world's first."""
    order_id = await _order(session, world, dish, status=S.READY_FOR_PICKUP)
    at = now()
    session.add(
        DispatchSearch(
            order_id=order_id,
            zones=[f"zone {number}"],
            joined_at=at,
            preferred_driver_id=preferred.id,
        )
    )
    session.add(
        DriverAssignment(
            offer_id=offer_id,
            stop=number + 1,
            order_id=order_id,
            driver_id=world.drivers[0].id,
            status=AssignmentStatus.OFFERED,
            distance_km=1.0,
            estimated_pickup_time=at,
            estimated_delivery_time=at,
            offered_at=at,
            expires_at=at + timedelta(hours=1),
        )
    )


async def opinions(session: AsyncSession, world: World, order_id: UUID) -> None:
    """A review of an order, reported by its chef, and a complaint about it."""
    review = Review(
        order_id=order_id,
        reviewer_id=world.customer.user_id,
        reviewee_type=Reviewee.CHEF,
        reviewee_id=world.chef.id,
        rating=5,
        comment="Crisp.",
        status=ReviewStatus.VISIBLE,
    )
    session.add(review)
    await session.flush()
    session.add(
        ReviewReport(review_id=review.id, reporter_id=world.chef.user_id, reason="not my dosa")
    )
    session.add(complaint(world, order_id))


def complaint(world: World, order_id: UUID) -> RefundRequest:
    """The customer complains about an order."""
    return RefundRequest(
        order_id=order_id,
        kind=RefundKind.COMPLAINT,
        asked_by=world.customer.user_id,
        amount_cents=100,
        reason="missing_item",
        status=RequestStatus.ASKED,
        bearer=Bearer.CHEF,
        tax_cents=0,
    )


async def money(
    session: AsyncSession, world: World, order_id: UUID, other: Chef, number: int
) -> None:
    """What an order has brought the chef, the driver and (for once) a chef who has no part in it,
    and a payout to each of the first two.
    """
    session.add(
        Payment(
            order_id=order_id,
            stripe_payment_intent_id=f"pi_{order_id}",
            amount_cents=2660,
            currency="usd",
            capture_method=CaptureMethod.AUTOMATIC,
            captured_cents=2660,
        )
    )
    session.add(
        Dispute(
            stripe_dispute_id=f"dp_{order_id.hex}",
            order_id=order_id,
            amount_cents=2660,
            currency="usd",
            reason="fraudulent",
            status="needs_response",
            inquiry=False,
            opened_at=now(),
        )
    )
    chef, driver = world.chef, world.drivers[0]
    payees = [(PayeeKind.CHEF, chef), (PayeeKind.DRIVER, driver)]
    owed = [payable(kind, payee.id) for kind, payee in payees]
    owed.append(payable(PayeeKind.CHEF, other.id))
    movement = Movement(
        key=f"many:{order_id}",
        event=Event.EARNED,
        currency="usd",
        postings=(
            Posting(Account.CUSTOMER_DEPOSITS, 100 * len(owed)),
            *(Posting(account, -100) for account in owed),
        ),
        order_id=order_id,
    )
    await ledger.book(session, movement)
    for kind, payee in payees:
        payout = Payout(
            user_id=payee.user_id,
            user_type=kind,
            payee_id=payee.id,
            market="austin",
            day=FIRST_DAY + timedelta(days=number),
            currency="usd",
            total_paid_cents=100,
            status=PayoutStatus.CLAIMED,
            stripe_account_id=account_id(payee.id),
        )
        session.add(payout)
        posting_id = await session.scalar(
            select(col(LedgerPosting.id))
            .join(LedgerMovement, col(LedgerMovement.id) == col(LedgerPosting.movement_id))
            .where(
                col(LedgerMovement.key) == movement.key,
                col(LedgerPosting.account) == payable(kind, payee.id),
            )
        )
        await session.flush()
        session.add(PayoutItem(payout_id=payout.id, posting_id=posting_id))


def _step(order_id: UUID, sequence: int, to: OrderStatus) -> OrderStatusHistory:
    return OrderStatusHistory(
        order_id=order_id,
        sequence=sequence,
        was=S.PENDING,
        status=to,
        actor=Actor.CHEF,
        created_at=now(),
    )
