"""Delivered orders, payouts that went well, and a hand that reaches past the code."""

from typing import Any

from sqlalchemy import text, update
from sqlmodel import col

from domain import ledger as rules
from domain.payouts import PayoutStatus
from local.people import until
from schema.queries import bookings, ledger, orders
from schema.tables import Order, Payout
from tests.workflows.counting_house import CHEF, CountingHouse


async def orders_of(
    house: CountingHouse, number: int, *, tip_cents: int = 0, bonus_cents: int = 0
) -> list[str]:
    """So many delivered orders of the house's chef and driver; answers with their numbers."""
    numbers = []
    for _ in range(number):
        placing = house.world.placing(tip_cents=tip_cents)
        async with house.database.write() as session:
            order = await orders.begin(session, placing)
            await session.execute(
                update(Order)
                .where(col(Order.id) == order.id)
                .values(driver_id=house.world.drivers[0].id, driver_bonus_cents=bonus_cents)
            )
            sale = await bookings.sale_of(session, order.id)
            await ledger.book(session, rules.captured(sale, sale.bill.total_cents, "pi_1"))
            await ledger.book(session, rules.earned(sale))
            await ledger.book(session, rules.bonus(sale, bonus_cents))
        assert order.number is not None
        numbers.append(order.number)
    return numbers


async def pay(house: CountingHouse) -> Payout:
    """A day's payouts, all of them in the banks; answers with the chef's."""
    await house.run()
    for payee in (house.world.chef, *house.world.drivers):
        await house.hear(payee)
    await all_come_to(house, PayoutStatus.PAID)
    return await of_chef(house)


async def of_chef(house: CountingHouse) -> Payout:
    """The chef's latest payout."""
    return (await house.payouts(house.world.chef))[-1]


async def all_come_to(house: CountingHouse, status: PayoutStatus) -> None:
    """Wait until all payouts stand so, and their workflows are over."""
    payees = (house.world.chef, *house.world.drivers)

    async def have() -> bool:
        found = [payout for payee in payees for payout in await house.payouts(payee)]
        return {payout.status for payout in found} == {status}

    await until(have)
    for payee in payees:
        for payout in await house.payouts(payee):
            handle = house.room.client.get_workflow_handle(f"payout-{payee.id}-{payout.day}")
            await handle.result()


async def by_hand(house: CountingHouse, *statements: str, **values: Any) -> None:
    """Write to the database as somebody would who knows neither our code nor our triggers."""
    async with house.database.write() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            await session.execute(text(statement), values)


def chef_account(house: CountingHouse) -> str:
    """The chef's account in the ledger."""
    return rules.payable(CHEF, house.world.chef.id)
