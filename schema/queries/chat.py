"""Every SQL statement about what people say to each other about orders."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, case, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from domain.chat import Course, Thread
from domain.order_status import OrderStatus
from domain.permissions import Role
from domain.refunds import RefundKind
from schema.tables import (
    Chef,
    Dispute,
    Driver,
    Order,
    OrderMessage,
    OrderStatusHistory,
    RefundRequest,
    UserProfile,
)


class Party(NamedTuple):
    """Somebody who talks about an order, and what others know him by."""

    role: Role
    user_id: UUID
    name: str


class Talk(NamedTuple):
    """Who talks about an order, how far it is, and in which market."""

    order_id: UUID
    course: Course
    market: str
    customer: Party
    others: Mapping[Thread, Party]

    def partner(self, thread: Thread, of: Role) -> Party | None:
        """To whom somebody speaks in a thread; None while a driver is missing."""
        return self.others.get(thread) if of is Role.CUSTOMER else self.customer


class Said(NamedTuple):
    """A message, and what its sender is known by."""

    message: OrderMessage
    name: str


async def lock(session: AsyncSession, order_id: UUID) -> None:
    """Have an order's conversations to oneself until this transaction ends: it takes no step
    meanwhile, and its messages are committed in the order of their numbers.
    """
    await session.execute(
        select(col(Order.id)).where(col(Order.id) == order_id).with_for_update(key_share=True)
    )


async def talk(session: AsyncSession, order_id: UUID) -> Talk:
    """Who talks about an order that is there."""
    customer, driver = aliased(UserProfile), aliased(UserProfile)
    found = await session.execute(
        select(
            Order,
            col(Chef.user_id),
            col(Chef.business_name),
            col(Driver.user_id),
            col(driver.first_name),
            col(customer.first_name),
        )
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .join(customer, col(customer.user_id) == col(Order.customer_id))
        .outerjoin(Driver, col(Driver.id) == col(Order.driver_id))
        .outerjoin(driver, col(driver.user_id) == col(Driver.user_id))
        .where(col(Order.id) == order_id)
        .execution_options(populate_existing=True)
    )
    order, chef_user_id, kitchen, driver_user_id, driver_name, customer_name = found.one()
    others = {Thread.CHEF: Party(Role.CHEF, chef_user_id, kitchen)}
    if driver_user_id is not None:
        others[Thread.DRIVER] = Party(Role.DRIVER, driver_user_id, driver_name)
    moments = (order.paid_at, order.picked_up_at, order.delivered_at, order.cancelled_at)
    return Talk(
        order.id,
        Course(*moments),
        order.market,
        Party(Role.CUSTOMER, order.customer_id, customer_name),
        others,
    )


async def known(
    session: AsyncSession, order_id: UUID, sender_id: UUID, client_key: str
) -> OrderMessage | None:
    """The message that a sender's key stands for."""
    return await session.scalar(
        select(OrderMessage).where(
            col(OrderMessage.order_id) == order_id,
            col(OrderMessage.sender_id) == sender_id,
            col(OrderMessage.client_key) == client_key,
        )
    )


async def last_unread_at(
    session: AsyncSession, order_id: UUID, thread: Thread, recipient_id: UUID
) -> datetime | None:
    """When the newest message was sent that somebody has not read in a thread."""
    return await session.scalar(
        select(func.max(col(OrderMessage.created_at))).where(
            _unread(order_id, recipient_id), col(OrderMessage.thread) == thread
        )
    )


async def next_number(session: AsyncSession, order_id: UUID) -> int:
    """The number of an order's next message, while the order is locked."""
    last = await session.scalar(
        select(func.max(col(OrderMessage.number))).where(of_order(order_id))
    )
    return (last or 0) + 1


async def one(
    session: AsyncSession, which: ColumnElement[bool], message_id: UUID
) -> OrderMessage | None:
    """A message, if it is among those."""
    return await session.scalar(
        select(OrderMessage).where(which, col(OrderMessage.id) == message_id)
    )


async def page(
    session: AsyncSession, which: ColumnElement[bool], *, limit: int, offset: int
) -> tuple[list[Said], int]:
    """A page of messages, the oldest first, and how many there are."""
    total = await session.scalar(select(func.count()).select_from(OrderMessage).where(which))
    found = await session.execute(
        select(
            OrderMessage,
            case(
                (col(OrderMessage.sender_role) == Role.CHEF, col(Chef.business_name)),
                else_=col(UserProfile.first_name),
            ),
        )
        .join(UserProfile, col(UserProfile.user_id) == col(OrderMessage.sender_id))
        .join(Order, col(Order.id) == col(OrderMessage.order_id))
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .where(which)
        .order_by(col(OrderMessage.number))
        .limit(limit)
        .offset(offset)
    )
    return [Said(*row) for row in found], total or 0


async def unread(session: AsyncSession, order_id: UUID, user_id: UUID) -> Mapping[Thread, int]:
    """How many messages somebody has not read, by thread; threads without any are not there."""
    found = await session.execute(
        select(col(OrderMessage.thread), func.count())
        .where(_unread(order_id, user_id))
        .group_by(col(OrderMessage.thread))
    )
    return {thread: int(count) for thread, count in found}


async def mark_read(
    session: AsyncSession, up_to: OrderMessage, reader_id: UUID, at: datetime
) -> None:
    """Somebody has read a thread as far as one of its messages."""
    await session.execute(
        update(OrderMessage)
        .where(
            _unread(up_to.order_id, reader_id),
            col(OrderMessage.thread) == up_to.thread,
            col(OrderMessage.number) <= up_to.number,
        )
        .values(read_at=at)
        .execution_options(synchronize_session=False)
    )


async def is_in_dispute(session: AsyncSession, order_id: UUID) -> bool:
    """Whether an order's customer has complained or his bank disputes it, or ever has. A refund
    that an admin gave by himself is no complaint.
    """
    steps, bank, complaints = OrderStatusHistory, Dispute, RefundRequest
    found = await session.scalar(
        select(
            or_(
                exists().where(
                    col(steps.order_id) == order_id, col(steps.status) == OrderStatus.DISPUTED
                ),
                exists().where(col(bank.order_id) == order_id),
                exists().where(
                    col(complaints.order_id) == order_id,
                    col(complaints.kind) == RefundKind.COMPLAINT,
                ),
            )
        )
    )
    return bool(found)


def of_order(order_id: UUID) -> ColumnElement[bool]:
    """All that is said about an order."""
    return col(OrderMessage.order_id) == order_id


def heard_by(user_id: UUID) -> ColumnElement[bool]:
    """What somebody has said himself or was told: a driver hears nothing of the one before him."""
    return (col(OrderMessage.sender_id) == user_id) | (col(OrderMessage.recipient_id) == user_id)


def in_thread(thread: Thread) -> ColumnElement[bool]:
    """What is said in a thread."""
    return col(OrderMessage.thread) == thread


def after(message: OrderMessage) -> ColumnElement[bool]:
    """What was said later than a message, about whichever order."""
    return col(OrderMessage.number) > message.number


def _unread(order_id: UUID, user_id: UUID) -> ColumnElement[bool]:
    return (
        (col(OrderMessage.order_id) == order_id)
        & (col(OrderMessage.recipient_id) == user_id)
        & col(OrderMessage.read_at).is_(None)
    )
