"""Orders whose steps were recorded at given moments, past their workflow."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from domain.order_status import Actor, OrderStatus
from local.world import World
from schema.database import Database
from schema.messages.order import Changes, Transition, Who
from schema.queries import orders

S = OrderStatus
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Story:
    """An order of a world, recorded step by step at given minutes after `NOON`."""

    def __init__(self, database: Database, world: World, **placing: object) -> None:
        self.database, self.world = database, world
        self.placing = world.placing(**placing)
        self.sequence, self.status = 1, S.PENDING

    @property
    def id(self) -> UUID:
        return self.placing.order.id

    async def begin(self, minute: float, **changes: object) -> "Story":
        at = NOON + minute * MINUTE
        order = self.placing.order.model_copy(update={"id": uuid7(), "placed_at": at, **changes})
        self.placing = self.placing.model_copy(update={"order": order})
        async with self.database.write() as session:
            await orders.begin(session, self.placing)
        return self

    async def step(self, to: OrderStatus, minute: float, **changes: object) -> None:
        async with self.database.write() as session:
            await orders.record(
                session,
                Transition(
                    order_id=self.id,
                    sequence=self.sequence + 1,
                    was=self.status,
                    to=to,
                    by=Who(role=Actor.CHEF),
                    at=NOON + minute * MINUTE,
                    changes=Changes(**changes),
                ),
            )
        self.sequence, self.status = self.sequence + 1, to

    async def cook(self, accepted: float, started: float, ready: float, **said: object) -> None:
        await self.step(S.PAYMENT_CONFIRMED, accepted)
        await self.step(S.ACCEPTED, accepted, **said)
        await self.step(S.PREPARING, started)
        await self.step(S.READY_FOR_PICKUP, ready)
