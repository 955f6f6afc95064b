"""Payees are paid what is owed to them, once, whatever Stripe, banks and admins do."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from domain.ledger import Account, payable
from domain.payouts import Outcome, PayoutStatus
from local.people import until
from local.world import Somebody
from schema.tables import LedgerAccount
from settings import Settings
from tests.local.stripe.stripe_harness import Api
from tests.workflows.counting_house import (
    CHEF,
    DRIVER,
    TODAY,
    CountingHouse,
    counting_house,
    outcomes,
)
from workflows.payout import ASK_AGAIN, BALANCE_AGAIN, PayoutWorkflow

S = PayoutStatus
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
async def house(settings: Settings, fresh: Api) -> AsyncIterator[CountingHouse]:
    """A counting house with a chef and a driver."""
    async with counting_house(settings, fresh) as opened:
        yield opened
        await opened.replay()


async def _comes_to(
    house: CountingHouse, status: PayoutStatus, payee: Somebody | None = None
) -> None:
    async def has() -> bool:
        payouts = await house.payouts(payee or house.world.chef)
        return [payout.status for payout in payouts][-1:] == [status]

    await until(has)


async def test_a_run_pays_everybody_what_is_owed_and_a_second_one_nothing(
    house: CountingHouse,
) -> None:
    chef, driver = house.world.chef, house.world.drivers[0]
    house.fund(10_000)
    await house.owe(CHEF, chef, 1601)
    await house.owe(CHEF, chef, 1601)
    await house.owe(DRIVER, driver, 500)

    progress = await house.run()
    assert (progress.begun, progress.cents) == (2, 3702)
    for payee in (chef, driver):
        await house.hear(payee)
        await _comes_to(house, S.PAID, payee)
    again = await house.run()

    assert again.begun == 0
    assert house.transfers(chef) == [(3202, 0)]
    assert house.sent(chef) == [(3202, "paid")]
    assert house.sent(driver) == [(500, "paid")]
    assert await house.owed(CHEF, chef) == 0
    assert await house.balance(Account.STRIPE_CLEARING) == -3702
    assert await house.told(chef) == ["Your payout of $32.02 is in your bank."]


async def test_debts_are_netted_and_what_is_below_the_minimum_waits(
    house: CountingHouse,
) -> None:
    chef, driver = house.world.chef, house.world.drivers[0]
    house.fund(10_000)
    await house.owe(CHEF, chef, 1601)
    await house.owe(CHEF, chef, -1000)
    await house.owe(DRIVER, driver, 99)

    progress = await house.run()

    assert progress.begun == 1
    assert house.transfers(chef) == [(601, 0)]
    assert house.transfers(driver) == []
    assert await house.owed(DRIVER, driver) == 99


async def test_a_debt_waits_for_earnings(house: CountingHouse) -> None:
    chef = house.world.chef
    house.fund(10_000)
    await house.owe(CHEF, chef, -1000)

    assert (await house.run()).begun == 0
    await house.owe(CHEF, chef, 1601)
    await house.run(terms=house.terms(TOMORROW))

    assert house.transfers(chef) == [(601, 0)]


async def test_a_payout_waits_while_stripes_balance_is_short(house: CountingHouse) -> None:
    chef, admin = house.world.chef, house.world.admin
    await house.room.skip_to_a_new_day()
    await house.owe(CHEF, chef, 1601)
    progress = await house.run()
    assert outcomes(progress) == {Outcome.WAITING: 1}
    assert house.transfers(chef) == []

    await house.room.skip(2.5 * BALANCE_AGAIN)
    assert house.transfers(chef) == []
    house.fund(1601)
    await house.room.skip(1.5 * BALANCE_AGAIN)
    await _comes_to(house, S.IN_TRANSIT)
    await house.hear(chef)
    await _comes_to(house, S.PAID)

    assert house.transfers(chef) == [(1601, 0)]
    assert len([words for words in await house.told(admin) if "wait for money" in words]) == 1


async def test_a_payout_that_stripe_did_not_answer_goes_off_within_hours_and_alarms_nobody(
    house: CountingHouse,
) -> None:
    chef, admin = house.world.chef, house.world.admin
    house.fund(10_000)
    await house.owe(CHEF, chef, 1601)
    house.stripe.fault("POST /v1/transfers", "drop_before", times=1_000)
    assert outcomes(await house.run(time_passes=True)) == {Outcome.WAITING: 1}

    house.stripe.control("DELETE", "faults")
    await house.room.skip(1.5 * BALANCE_AGAIN)
    await _comes_to(house, S.IN_TRANSIT)

    assert house.transfers(chef) == [(1601, 0)]
    assert await house.told(admin) == []


async def test_a_payout_that_the_bank_refuses_is_owed_again_and_paid_the_next_day(
    house: CountingHouse,
) -> None:
    chef, admin = house.world.chef, house.world.admin
    house.fund(10_000)
    house.bank(chef, "failed")
    await house.owe(CHEF, chef, 1601)

    await house.run()
    await house.hear(chef)
    await _comes_to(house, S.FAILED)
    assert house.transfers(chef) == [(1601, 1601)]
    assert await house.owed(CHEF, chef) == 1601
    assert await house.balance(Account.PAYOUTS_IN_TRANSIT) == 0
    assert (await house.run()).begun == 1, "it is due, and was tried today"
    assert len(house.sent(chef)) == 1

    house.bank(chef, "paid")
    await house.run(terms=house.terms(TOMORROW))
    await house.hear(chef, TOMORROW)
    await _comes_to(house, S.PAID)

    assert [p.status for p in await house.payouts(chef)] == [S.FAILED, S.PAID]
    assert await house.owed(CHEF, chef) == 0
    assert any("did not take" in words for words in await house.told(chef))
    assert any("did not take" in words for words in await house.told(admin))


async def test_a_bank_may_send_back_what_it_had_taken(house: CountingHouse) -> None:
    chef = house.world.chef
    house.fund(10_000)
    await house.owe(CHEF, chef, 1601)
    await house.run()
    await house.hear(chef)
    await _comes_to(house, S.PAID)
    assert await house.owed(CHEF, chef) == 0

    [payout] = await house.payouts(chef)
    house.bank_decides(payout, "failed")
    await house.hear(chef)
    await _comes_to(house, S.FAILED)

    assert await house.owed(CHEF, chef) == 1601
    assert await house.balance(Account.PAYOUTS_IN_TRANSIT) == 0
    assert await house.balance(Account.STRIPE_CLEARING) == 0


async def test_news_that_never_comes_is_asked_for(house: CountingHouse) -> None:
    chef = house.world.chef
    house.fund(10_000)
    await house.owe(CHEF, chef, 1601)
    await house.begin(CHEF, chef)
    await _comes_to(house, S.IN_TRANSIT)

    await house.bank_has_decided(chef)
    await house.room.skip(1.1 * ASK_AGAIN)
    await _comes_to(house, S.PAID)


async def test_a_held_payee_is_not_paid_until_an_admin_lets_him(house: CountingHouse) -> None:
    chef = house.world.chef
    await house.owe(CHEF, chef, 1601)
    handle = await house.begin(CHEF, chef)
    view = await handle.execute_update(PayoutWorkflow.hold, house.hold(chef, held=True))
    assert view.held

    house.fund(10_000)
    await house.room.skip(2.1 * ASK_AGAIN)
    assert house.transfers(chef) == []
    await house.run(terms=house.terms(TOMORROW))
    assert house.transfers(chef) == []

    await handle.execute_update(PayoutWorkflow.hold, house.hold(chef, held=False))
    await _comes_to(house, S.IN_TRANSIT)
    assert house.transfers(chef) == [(1601, 0)]


async def test_a_payee_who_is_held_before_the_run_keeps_his_earnings(
    house: CountingHouse,
) -> None:
    chef = house.world.chef
    house.fund(10_000)
    await house.owe(CHEF, chef, 1601)
    handle = await house.begin(CHEF, chef, house.terms(minimum_cents=9999))
    await handle.result()
    again = await house.begin(CHEF, chef, house.terms(minimum_cents=9999))
    await again.execute_update(PayoutWorkflow.hold, house.hold(chef, held=True))

    progress = await house.run()

    assert outcomes(progress) == {Outcome.HELD: 1}
    assert await house.payouts(chef) == []


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "server_error", "rate_limit"])
@pytest.mark.parametrize("path", ["POST /v1/transfers", "POST /v1/payouts"])
async def test_a_call_that_goes_wrong_moves_the_money_once(
    house: CountingHouse, path: str, kind: str
) -> None:
    chef = house.world.chef
    house.fund(10_000)
    await house.owe(CHEF, chef, 1601)
    house.stripe.fault(path, kind, times=4)

    await house.run(time_passes=True)
    await _comes_to(house, S.IN_TRANSIT)

    assert house.transfers(chef) == [(1601, 0)]
    assert len(house.sent(chef)) == 1


@pytest.mark.parametrize("kind", ["drop_after", "server_error"])
async def test_a_transfer_is_fetched_back_once(house: CountingHouse, kind: str) -> None:
    chef = house.world.chef
    house.fund(10_000)
    house.bank(chef, "failed")
    await house.owe(CHEF, chef, 1601)
    house.stripe.fault("POST /v1/transfers/*/reversals", kind, times=4)

    await house.run(time_passes=True)
    await house.hear(chef)
    await _comes_to(house, S.FAILED)

    assert house.transfers(chef) == [(1601, 1601)]
    assert await house.owed(CHEF, chef) == 1601


async def test_what_a_terminated_payout_left_open_the_next_run_takes_up(
    house: CountingHouse,
) -> None:
    chef = house.world.chef
    house.fund(10_000)
    await house.owe(CHEF, chef, 1601)
    house.stripe.fault("POST /v1/transfers", "drop_before", times=1_000)
    handle = await house.begin(CHEF, chef)
    await _comes_to(house, S.CLAIMED)
    await handle.terminate("by hand")
    house.stripe.control("DELETE", "faults")

    await house.owe(CHEF, chef, 99)
    progress = await house.run(terms=house.terms(TOMORROW))
    await house.hear(chef)
    await _comes_to(house, S.PAID)

    assert outcomes(progress) == {Outcome.UNDER_WAY: 1}
    assert house.transfers(chef) == [(1601, 0)], "what had been claimed, and no more"
    assert await house.owed(CHEF, chef) == 99


async def test_what_a_terminated_payout_had_moved_is_found_when_stripe_has_forgotten_its_key(
    house: CountingHouse,
) -> None:
    chef = house.world.chef
    house.fund(10_000)
    await house.owe(CHEF, chef, 1601)
    house.stripe.fault("POST /v1/transfers", "drop_after", times=1_000)
    house.stripe.fault("GET /v1/transfers", "drop_before", times=1_000)
    handle = await house.begin(CHEF, chef)

    async def is_looked_for() -> bool:
        return house.stripe.control("GET", "faults")[-1]["times"] < 1_000

    await until(is_looked_for)
    await handle.terminate("by hand")
    house.stripe.control("DELETE", "faults")
    house.stripe.control("POST", "clock", {"advance_seconds": 3 * 24 * 3600})

    await house.run(terms=house.terms(TOMORROW))
    await house.hear(chef)
    await _comes_to(house, S.PAID)

    assert house.transfers(chef) == [(1601, 0)]


async def test_a_run_goes_on_beyond_one_history_and_a_few_at_a_time(
    settings: Settings, fresh: Api
) -> None:
    async with counting_house(settings, fresh, drivers=23) as house:
        house.fund(100_000)
        for number, driver in enumerate(house.world.drivers):
            await house.owe(DRIVER, driver, 500 + number)

        progress = await house.run(parallel=4, to_a_history=5)

        assert (progress.begun, progress.finished) == (23, True)
        assert outcomes(progress) == {Outcome.UNDER_WAY: 23}
        assert progress.cents == sum(range(500, 523))
        for number, driver in enumerate(house.world.drivers):
            assert house.transfers(driver) == [(500 + number, 0)]


async def test_one_payee_who_takes_long_does_not_hold_up_the_others(
    settings: Settings, fresh: Api
) -> None:
    async with counting_house(settings, fresh, drivers=5) as house:
        slow, *quick = house.world.drivers
        house.fund(100_000)
        for driver in house.world.drivers:
            await house.owe(DRIVER, driver, 500)
        async with house.database.write() as session:
            await session.execute(
                select(LedgerAccount)
                .where(col(LedgerAccount.code) == payable(DRIVER, slow.id))
                .with_for_update()
            )
            handle = await house.begin_run(parallel=2)
            for driver in quick:
                await _comes_to(house, S.IN_TRANSIT, driver)
            assert house.transfers(slow) == []

        progress = await handle.result()

        assert outcomes(progress) == {Outcome.UNDER_WAY: 5}
        assert house.transfers(slow) == [(500, 0)]
