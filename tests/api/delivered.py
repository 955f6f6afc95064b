"""Orders that are delivered, written straight into the tables: nobody has to drive."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col

from domain.order_status import OrderStatus
from domain.reviews import Reviewee, ReviewStatus
from local.cast import Cast
from schema.queries import orders
from schema.tables import Order, Review
from schema.tables.columns import now


async def delivered(play: Cast) -> str:
    """An order of the cast's customer that its first driver has just delivered."""
    placed = play.world.placing()
    async with play.database.write() as session:
        await orders.begin(session, placed)
    await set_order(
        play,
        str(placed.order.id),
        status=OrderStatus.DELIVERED,
        driver_id=play.world.drivers[0].id,
        paid_at=now(),
        delivered_at=now(),
    )
    return str(placed.order.id)


async def rated(
    play: Cast, order_id: UUID, whom: Reviewee, stars: int, status: str, at: datetime
) -> None:
    """The cast's customer rates the chef or first driver of an order at a moment."""
    party = play.world.chef if whom is Reviewee.CHEF else play.world.drivers[0]
    async with play.database.write() as session:
        session.add(
            Review(
                order_id=order_id,
                reviewer_id=play.world.customer.user_id,
                reviewee_type=whom,
                reviewee_id=party.id,
                rating=stars,
                status=ReviewStatus(status),
                created_at=at,
            )
        )


async def set_order(play: Cast, order_id: str, **values: object) -> None:
    async with play.database.write() as session:
        await session.execute(update(Order).where(col(Order.id) == UUID(order_id)).values(**values))
