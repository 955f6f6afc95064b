"""Every SQL statement about people who are suspended, and what becomes of their open orders."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.order_status import OrderStatus
from domain.verification import Verification
from schema.messages.dispatch import AssignmentStatus
from schema.messages.suspensions import Deed, OrderDue
from schema.queries.admin import latest_by
from schema.tables import Chef, Driver, DriverAssignment, Order, Role, User

# What a suspended customer, chef or driver does not come to: whatever is beyond goes on.
_NOT_ACCEPTED = (OrderStatus.PENDING, OrderStatus.PAYMENT_CONFIRMED)
_NOT_COOKING = (*_NOT_ACCEPTED, OrderStatus.ACCEPTED)
_NOT_PICKED_UP = (
    OrderStatus.PREPARING,
    OrderStatus.READY_FOR_PICKUP,
    OrderStatus.ASSIGNED_TO_DRIVER,
)

SUSPENDED = "user_suspended"
REINSTATED = "user_reinstated"
# What admins do to somebody as the chef or driver that he is: he may still come in.
_AS: Mapping[Role, tuple[type[Chef] | type[Driver], str]] = {
    Role.CHEF: (Chef, "chef_suspended"),
    Role.DRIVER: (Driver, "driver_suspended"),
}


class Standing(NamedTuple):
    """Who somebody is, and whether he is suspended; the chef or driver that he is."""

    user: User
    chef_id: UUID | None
    chef_status: Verification | None
    driver_id: UUID | None


async def locked(session: AsyncSession, user_id: UUID) -> Standing | None:
    """Somebody whose login nobody else changes until this transaction ends."""
    user = await session.scalar(
        select(User).where(col(User.id) == user_id).with_for_update(key_share=True)
    )
    if user is None:
        return None
    chef = (
        await session.execute(
            select(col(Chef.id), col(Chef.verification_status))
            .where(col(Chef.user_id) == user_id)
            .with_for_update(key_share=True)
        )
    ).first()
    driver_id = await session.scalar(select(col(Driver.id)).where(col(Driver.user_id) == user_id))
    return Standing(user, chef[0] if chef else None, chef[1] if chef else None, driver_id)


async def chef_of(session: AsyncSession, user_id: UUID) -> UUID | None:
    """The chef that a user is."""
    return await session.scalar(select(col(Chef.id)).where(col(Chef.user_id) == user_id))


async def change_user(session: AsyncSession, user_id: UUID, values: Mapping[str, object]) -> None:
    """Write down what is otherwise about somebody's login."""
    await session.execute(update(User).where(col(User.id) == user_id).values(**values))


async def change_chef(session: AsyncSession, chef_id: UUID, values: Mapping[str, object]) -> None:
    """Write down what is otherwise about a chef."""
    await session.execute(update(Chef).where(col(Chef.id) == chef_id).values(**values))


async def due(session: AsyncSession, user_id: UUID) -> list[OrderDue]:
    """What is still to be done about the open orders of somebody, the oldest first; nothing unless
    he is suspended, as a user or as the chef or driver that he is.
    """
    user = await session.get(User, user_id)
    if user is None:
        return []
    suspension = await _suspension(session, user)
    if suspension is None:
        return []
    match user.role:
        case Role.CUSTOMER:
            deed = Deed.CANCEL_OF_CUSTOMER
            wanted = (col(Order.customer_id) == user_id, col(Order.status).in_(_NOT_ACCEPTED))
        case Role.CHEF:
            deed = Deed.CANCEL_OF_CHEF
            wanted = (col(Chef.user_id) == user_id, col(Order.status).in_(_NOT_COOKING))
        case Role.DRIVER:
            deed = Deed.UNASSIGN
            wanted = (col(Driver.user_id) == user_id, col(Order.status).in_(_NOT_PICKED_UP))
        case Role.ADMIN:
            return []
    return [
        OrderDue(
            order_id=order_id,
            deed=deed,
            sequence=sequence,
            status=status,
            assignment_id=assignment_id if deed is Deed.UNASSIGN else None,
            by=suspension.by,
            reason=suspension.reason,
        )
        for order_id, sequence, status, assignment_id in await _orders(session, *wanted)
    ]


async def still_due(session: AsyncSession, user_id: UUID, order: OrderDue) -> bool:
    """Whether it is still to be done: nobody was reinstated, and the order is where it was."""
    return any(
        (one.order_id, one.key) == (order.order_id, order.key)
        for one in await due(session, user_id)
    )


class _Suspension(NamedTuple):
    """Which admin has suspended somebody, and why."""

    by: UUID
    reason: str


async def _suspension(session: AsyncSession, user: User) -> _Suspension | None:
    if user.suspended_at is not None:
        by = await latest_by(session, SUSPENDED, user.id)
        return _Suspension(by, user.suspension_reason or "") if by else None
    if user.role not in _AS:
        return None
    table, action = _AS[user.role]
    found = await session.execute(
        select(col(table.id), col(table.verification_reason)).where(
            col(table.user_id) == user.id,
            col(table.verification_status) == Verification.SUSPENDED,
        )
    )
    row = found.first()
    if row is None:
        return None
    by = await latest_by(session, action, row[0])
    return _Suspension(by, row[1] or "") if by else None


async def _orders(
    session: AsyncSession, *wanted: ColumnElement[bool]
) -> list[tuple[UUID, int, OrderStatus, UUID | None]]:
    found = await session.execute(
        select(col(Order.id), col(Order.sequence), col(Order.status), col(DriverAssignment.id))
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .outerjoin(Driver, col(Driver.id) == col(Order.driver_id))
        .outerjoin(
            DriverAssignment,
            (col(DriverAssignment.order_id) == col(Order.id))
            & (col(DriverAssignment.status) == AssignmentStatus.ACCEPTED),
        )
        .where(*wanted)
        .order_by(col(Order.created_at), col(Order.id))
    )
    return [(row[0], row[1], row[2], row[3]) for row in found]


def suspended(reason: str, at: datetime, was: Verification | None) -> dict[str, object]:
    """What is otherwise about somebody who is suspended."""
    return {
        "is_active": False,
        "suspended_at": at,
        "suspension_reason": reason,
        "suspended_from": was,
    }


def reinstated() -> dict[str, object]:
    """What is otherwise about somebody who is not suspended any more."""
    return {
        "is_active": True,
        "suspended_at": None,
        "suspension_reason": None,
        "suspended_from": None,
    }
