"""What operators send and get about people."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from api import examples_admin as examples
from api.bodies import Body, Line, Words
from api.dependencies import PeriodDep
from api.examples import shown
from api.views import Moment
from schema.messages.base import Message
from schema.queries.users import Counts, Seen, Wanted
from schema.tables import Role


class SuspendBody(Body):
    """Why somebody is suspended."""

    model_config = shown({"reason": "chargebacks on three cards"})

    reason: Words


class ReinstateBody(Body):
    """Why somebody is let in again."""

    model_config = shown({"reason": "the cards had been stolen from him"})

    reason: Words


class UserBody(Body):
    """How somebody's name is written rightly, and why it is corrected; what is left out stays."""

    model_config = shown({"lastName": "Morgan", "reason": "a slip of the pen, says his passport"})

    first_name: Line | None = None
    last_name: Line | None = None
    reason: Words

    @property
    def changes(self) -> dict[str, str]:
        """What was said, by the columns' names."""
        return self.model_dump(exclude={"reason"}, exclude_none=True)


class UserOut(Message):
    """Somebody with a login."""

    model_config = shown(examples.USER)

    id: UUID
    email: str
    role: Role
    first_name: str
    last_name: str
    phone: str | None
    is_active: bool
    is_verified: bool
    suspended_at: Moment | None
    suspension_reason: str | None
    created_at: Moment


class CountsOut(Message):
    """What somebody has to do with orders: those he placed, `ordersCooked` and `deliveries` that
    came to their customers; amounts in cents.
    """

    orders: int
    open_orders: int
    cancelled_orders: int
    spent_cents: int
    refunded_cents: int
    orders_cooked: int
    deliveries: int


class UserDetailOut(UserOut):
    """Somebody, what he has to do with orders, and the chef or driver that he is."""

    model_config = shown(examples.USER_DETAIL)

    chef_id: UUID | None
    driver_id: UUID | None
    counts: CountsOut


async def _filters(
    registered: PeriodDep,
    role: Annotated[list[Role] | None, Query()] = None,
    active: Annotated[bool | None, Query(description="Whether he may come in.")] = None,
    search: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
) -> Wanted:
    return Wanted(role or (), active, search, registered)


UserFilters = Annotated[Wanted, Depends(_filters)]

USERS_HEAD = (
    "id",
    "email",
    "role",
    "firstName",
    "lastName",
    "phone",
    "isActive",
    "suspendedAt",
    "createdAt",
)


def user(seen: Seen) -> UserOut:
    """Somebody, for operators."""
    return UserOut(**_fields(seen))


def user_detail(seen: Seen, counts: Counts) -> UserDetailOut:
    """Somebody and what he has to do with orders, for operators."""
    known = counts._asdict()
    return UserDetailOut(
        **_fields(seen),
        chef_id=known.pop("chef_id"),
        driver_id=known.pop("driver_id"),
        counts=CountsOut(**known),
    )


def user_cells(seen: Seen) -> tuple[str | bool | datetime | UUID | None, ...]:
    """Somebody, as a line of a spreadsheet."""
    row, profile = seen
    return (
        row.id,
        row.email,
        row.role,
        profile.first_name,
        profile.last_name,
        profile.phone,
        row.is_active,
        row.suspended_at,
        row.created_at,
    )


def _fields(seen: Seen) -> dict[str, object]:
    row, profile = seen
    return {
        **row.model_dump(include=set(UserOut.model_fields)),
        **profile.model_dump(include={"first_name", "last_name", "phone"}),
    }
