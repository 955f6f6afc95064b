"""Every SQL statement by which operators change an order's search for a driver by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.order_status import WANTS_DRIVER
from schema.messages.overrides import OverrideAction, Overriding, Wanted
from schema.queries import admin, offers
from schema.queries.offers import NOT_AGAIN
from schema.tables import AdminAction, DispatchSearch, DriverAssignment, Order

_ACTIONS = {
    OverrideAction.HOLD: "order_held",
    OverrideAction.RELEASE: "order_released",
    OverrideAction.PREFER: "order_preferred",
}


_LOOKING = col(Order.status).in_(WANTS_DRIVER) & col(Order.driver_id).is_(None)


class Search(NamedTuple):
    """How the search for an order's driver stands by hand: what is wanted, how often it was
    changed, and the key of the latest change.
    """

    held_until: datetime | None
    preferred_driver_id: UUID | None
    changes: int
    latest_key: str | None


async def search_of(session: AsyncSession, order_id: UUID) -> Search | None:
    """How an order's search stands; None when it looks for no driver."""
    found = await session.execute(
        select(col(DispatchSearch.held_until), col(DispatchSearch.preferred_driver_id))
        .join(Order, col(Order.id) == col(DispatchSearch.order_id))
        .where(col(DispatchSearch.order_id) == order_id, _LOOKING)
    )
    row = found.first()
    if row is None:
        return None
    keys = (
        await session.scalars(
            select(col(AdminAction.business_key))
            .where(
                col(AdminAction.target_id) == order_id,
                col(AdminAction.action_type).in_(_ACTIONS.values()),
            )
            .order_by(col(AdminAction.id))
        )
    ).all()
    return Search(*row, changes=len(keys), latest_key=keys[-1] if keys else None)


async def looking_since(session: AsyncSession, order_id: UUID) -> datetime | None:
    """When an order began to look for a driver, the last time that it did."""
    return await session.scalar(
        select(col(DispatchSearch.joined_at)).where(col(DispatchSearch.order_id) == order_id)
    )


async def has_left_it(session: AsyncSession, order_id: UUID, driver_id: UUID) -> bool:
    """Whether a driver has declined an order, or had it and does not bring it after all."""
    found = await session.scalar(
        select(col(DriverAssignment.id))
        .where(
            col(DriverAssignment.order_id) == order_id,
            col(DriverAssignment.driver_id) == driver_id,
            col(DriverAssignment.status).in_(NOT_AGAIN),
        )
        .limit(1)
    )
    return found is not None


async def override(session: AsyncSession, asked: Overriding) -> bool:
    """Do what an operator asks, once by its key; False when the order looks for no driver.

    The search is locked and not the order: whoever makes an offer waits for both, and whoever
    accepts one for the order, with the offer in his hands.
    """
    found = await session.execute(
        select(col(DispatchSearch.held_until), col(DispatchSearch.preferred_driver_id), _LOOKING)
        .join(Order, col(Order.id) == col(DispatchSearch.order_id))
        .where(col(DispatchSearch.order_id) == asked.order_id)
        .with_for_update(of=DispatchSearch)
    )
    row = found.first()
    if row is None or not row[-1]:
        return False
    was = {"held_until": row[0], "preferred_driver_id": row[1]}
    changes = _changes(asked, row[0])
    if await admin.act(
        session,
        key=asked.key,
        admin_id=asked.admin_id,
        action=_ACTIONS[asked.action],
        target=("order", asked.order_id),
        details=asked.model_dump(
            mode="json",
            by_alias=True,
            exclude_none=True,
            include={"reason", "held_until", "preferred_driver_id"},
        ),
        at=asked.at,
        before=_noted(was),
        after=_noted(was | changes),
    ):
        await _withdraw(session, asked)
        if changes:
            await session.execute(
                update(DispatchSearch)
                .where(col(DispatchSearch.order_id) == asked.order_id)
                .values(**changes)
            )
    return True


def _changes(asked: Overriding, held_until: datetime | None) -> dict[str, Any]:
    """What is otherwise about a search that was held until then, by column."""
    match asked.action:
        case OverrideAction.HOLD:
            return {"held_until": asked.held_until, "hold_reason": asked.reason}
        case OverrideAction.RELEASE:
            if held_until is None or held_until <= asked.at:
                return {}
            # As if it had ended by itself: the search goes on from then.
            return {"held_until": asked.at, "hold_reason": None}
        case OverrideAction.PREFER:
            return {"preferred_driver_id": asked.preferred_driver_id}


async def _withdraw(session: AsyncSession, asked: Overriding) -> None:
    """Take the live offer back, if it is not to be any more."""
    if asked.action is OverrideAction.HOLD or asked.preferred_driver_id is not None:
        await offers.withdraw(
            session,
            asked.order_id,
            asked.at,
            asked.reason,
            unless_to=asked.preferred_driver_id,
        )


def _noted(search: Mapping[str, Any]) -> dict[str, object]:
    """How a search stands, for the log of admins."""
    return Wanted.model_validate(search).model_dump(mode="json", by_alias=True)
