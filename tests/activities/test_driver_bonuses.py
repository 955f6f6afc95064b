"""What the platform gives a driver beside the bill, from the step that promises it to the books."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from redis.asyncio import Redis
from uuid_utils.compat import uuid7

from activities.orders import OrderActivities
from domain.cancellation import Fault, settle
from domain.ledger import Account, Bearer, payable
from domain.order_status import Actor, OrderStatus
from domain.payees import PayeeKind
from domain.refunds import RefundKind, RequestStatus
from local import world as worlds
from local.world import World
from providers.kitchen_pages import KitchenPages
from schema.database import Database
from schema.messages.money import RefundStatus
from schema.messages.order import Changes, Order, OrderRef, Transition, Who
from schema.queries import bookings, earnings
from schema.queries.earnings import Between
from schema.tables import RefundRequest
from schema.tables.columns import now
from tests.activities.announcing import announcer
from tests.books import booked_events, books

S = OrderStatus


@dataclass
class Walk:
    """An order that goes its way step by step."""

    activities: OrderActivities
    world: World
    order: Order

    async def to(self, *statuses: OrderStatus, **changes: object) -> None:
        for status in statuses:
            step = Transition(
                order_id=self.order.id,
                sequence=self.order.sequence + 1,
                was=self.order.status,
                to=status,
                by=Who(role=Actor.STRIPE),
                at=now(),
                changes=Changes.model_validate(changes),
            )
            for _ in range(2):
                # The second time as after a workflow task that was lost.
                await self.activities.record_step(step)
            self.order = await self.activities.load_order(OrderRef(order_id=self.order.id))

    def account(self, rank: int) -> str:
        """The account of one of the drivers."""
        return payable(PayeeKind.DRIVER, self.world.drivers[rank].id)


@pytest.fixture
async def promised(database: Database, redis: Redis) -> Walk:
    """An order that a driver has taken for a bonus of 300."""
    world = await worlds.settle(database, drivers=2)
    activities = OrderActivities(database, announcer(database, redis), KitchenPages(redis))
    walk = Walk(activities, world, await activities.begin_order(world.placing()))
    await walk.to(S.PAYMENT_CONFIRMED, S.ACCEPTED, S.PREPARING, S.READY_FOR_PICKUP)
    await walk.to(S.ASSIGNED_TO_DRIVER, driver_id=world.drivers[0].id, driver_bonus_cents=300)
    return walk


async def test_a_bonus_is_booked_once_when_the_order_is_delivered(
    promised: Walk, database: Database
) -> None:
    assert await booked_events(database, promised.order.id) == []

    await promised.to(S.PICKED_UP, S.IN_TRANSIT, S.DELIVERED)

    booked = await books(database, promised.order.id)
    assert booked[Account.DRIVER_BONUSES] == 300
    assert booked[promised.account(0)] == -800
    assert await booked_events(database, promised.order.id) == ["earned", "bonus"]


async def test_a_driver_sees_his_bonus_among_his_earnings_and_is_owed_it(
    promised: Walk, database: Database
) -> None:
    await promised.to(S.PICKED_UP, S.IN_TRANSIT, S.DELIVERED)

    driver = promised.world.drivers[0].id
    async with database.read() as session:
        listed, number = await earnings.earnings(
            session, PayeeKind.DRIVER, driver, Between(), limit=10
        )
        [summed] = await earnings.sums(session, PayeeKind.DRIVER, driver, Between())

    assert [(line.event, line.earning_cents) for line in listed] == [
        ("bonus", 300),
        ("earned", 500),
    ]
    assert {line.order_number for line in listed} == {promised.order.number}
    assert (number, summed.cents, summed.payout_status) == (2, 800, earnings.UNPAID)


async def test_a_driver_who_drops_out_leaves_his_bonus_and_the_next_has_none_by_it(
    promised: Walk, database: Database
) -> None:
    await promised.to(S.READY_FOR_PICKUP)
    assert promised.order.driver_bonus_cents == 0

    await promised.to(S.ASSIGNED_TO_DRIVER, driver_id=promised.world.drivers[1].id)
    await promised.to(S.PICKED_UP, S.IN_TRANSIT, S.DELIVERED)

    booked = await books(database, promised.order.id)
    assert Account.DRIVER_BONUSES not in booked
    assert promised.account(0) not in booked
    assert booked[promised.account(1)] == -500


@pytest.mark.parametrize(
    ("fault", "his", "bonus"),
    [(Fault.PLATFORM, 800, 300), (Fault.CHEF, 800, 300), (Fault.DRIVER, 0, 0)],
)
async def test_a_cancellation_on_the_way_pays_the_bonus_with_the_way_or_neither(
    promised: Walk, database: Database, fault: Fault, his: int, bonus: int
) -> None:
    await promised.to(S.PICKED_UP)
    await _cancel(promised, fault)

    booked = await books(database, promised.order.id)
    assert booked.get(Account.DRIVER_BONUSES, 0) == bonus
    assert booked.get(promised.account(0), 0) == -his
    assert promised.order.driver_bonus_cents == bonus


async def test_a_cancellation_before_pickup_pays_no_bonus(
    promised: Walk, database: Database
) -> None:
    await _cancel(promised, Fault.PLATFORM)

    assert Account.DRIVER_BONUSES not in await books(database, promised.order.id)
    assert promised.order.driver_bonus_cents == 0


async def test_a_refund_at_the_drivers_fault_takes_his_bonus_too_and_no_more_than_he_has(
    promised: Walk, database: Database
) -> None:
    await promised.to(S.PICKED_UP, S.IN_TRANSIT, S.DELIVERED)

    await _refund(database, promised.order.id, 600)
    assert (await books(database, promised.order.id))[promised.account(0)] == -200
    await _refund(database, promised.order.id, 1000)

    booked = await books(database, promised.order.id)
    assert promised.account(0) not in booked
    assert booked[Account.REFUND_LOSSES] == 800
    assert booked[Account.DRIVER_BONUSES] == 300, "what the platform gave, it gave"


async def _cancel(walk: Walk, fault: Fault) -> None:
    order = walk.order
    kept = settle(order.status, fault, order.price, order.driver_bonus_cents)
    await walk.to(
        S.CANCELLED,
        kept_cents=kept.kept_cents,
        chef_earning_cents=kept.chef_cents,
        driver_earning_cents=kept.driver_cents,
        driver_bonus_cents=kept.bonus_cents,
    )


async def _refund(database: Database, order_id: UUID, cents: int) -> None:
    request = RefundRequest(
        order_id=order_id,
        kind=RefundKind.ADMIN,
        asked_by=uuid7(),
        amount_cents=cents,
        reason="never_arrived",
        status=RequestStatus.GRANTED,
        bearer=Bearer.DRIVER,
        tax_cents=0,
    )
    async with database.write() as session:
        await bookings.refund(
            session,
            order_id,
            refund_id=f"re_{uuid7()}",
            cents=cents,
            status=RefundStatus.SUCCEEDED,
            request=request,
        )
