"""The facade heals an order whose database is ahead of its workflow."""

from uuid import UUID

from domain.order_status import Actor, OrderStatus
from local.cast import Cast
from schema.database import Database
from schema.messages.order import Changes, Transition, Who
from schema.queries import orders
from schema.tables.columns import now

S = OrderStatus


async def test_a_command_after_a_lost_task_goes_through(play: Cast) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    # A workflow task committed the chef's accept and was lost; the chef has seen it and goes on.
    await lose(play.database, order["id"], S.ACCEPTED, play.world.chef.user_id)

    answer = await play.chef_says(order, "preparing")

    assert answer["status"] == S.PREPARING
    assert await play.history(order) == ["pending", "payment_confirmed", "accepted", "preparing"]


async def lose(database: Database, order_id: str, to: S, user_id: UUID) -> None:
    async with database.write() as session:
        order = await orders.load(session, UUID(order_id))
        assert order is not None
        await orders.record(
            session,
            Transition(
                order_id=order.id,
                sequence=order.sequence + 1,
                was=order.status,
                to=to,
                by=Who(role=Actor.CHEF, id=user_id),
                at=now(),
                changes=Changes(estimated_ready_at=now()),
            ),
        )
