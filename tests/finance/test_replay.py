"""Whatever was done to a payout behind our back, the proof fails, and names payee and orders."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.payouts import PayoutStatus
from finance import evidence, replay
from finance.histories import FromTemporal
from finance.problems import DIFFERENT
from finance.sources import Live
from local.payees import account_id
from providers.stripe import Stripe
from providers.stripe_payouts import Payouts
from settings import Settings
from tests.finance.audited import all_come_to, by_hand, chef_account, of_chef, pay
from tests.finance.conftest import Answer, Ask
from tests.finance.hasty import HastyPayoutWorkflow
from tests.local.stripe.stripe_harness import Api
from tests.workflows.counting_house import CHEF, DRIVER, TODAY, CountingHouse, counting_house
from workflows.payout import PayoutWorkflow
from workflows.payout_run import PayoutRunWorkflow

S = PayoutStatus


def line(answer: Answer, account: str) -> str:
    """A payee's line in the table."""
    [found] = [words for words in answer.words.splitlines() if words.startswith(f"{account}  ")]
    return found


def assert_differs(answer: Answer, house: CountingHouse, numbers: list[str], words: str) -> None:
    """The chef's payout differs by what `words` say, and his orders are named; the driver's not."""
    assert answer.status == 1, answer
    assert words in line(answer, chef_account(house))
    assert line(answer, f"driver:{house.world.drivers[0].id}").endswith("  ok")
    assert "\n1 do not agree." in answer.words
    for number in numbers:
        assert f"    {number}  16.01 USD" in answer.words


async def test_a_day_that_went_well_agrees(
    house: CountingHouse, orders: list[str], ask: Ask
) -> None:
    await pay(house)

    answer = await ask("replay", "--date", TODAY)

    assert answer.status == 0, answer
    assert len(orders) == 2
    chef = line(answer, chef_account(house))
    assert chef.split()[-7:] == ["32.02", "USD", "32.02", "USD", "32.02", "USD", "ok"]
    assert line(answer, f"driver:{house.world.drivers[0].id}").endswith("10.00 USD  ok")
    total = next(words for words in answer.words.splitlines() if words.startswith("total"))
    assert total.split()[1:] == ["2", "payees", *(["42.02", "USD"] * 3)]
    assert "Payouts of 2026-11-21: " in answer.words
    assert "Everything agrees." in answer.words

    payout = await of_chef(house)
    alone = await ask("replay", "--payout", payout.id)
    assert alone.status == 0
    assert line(alone, chef_account(house)).split() == chef.split()


async def test_a_run_of_many_histories_agrees(
    settings: Settings, fresh: Api, ask_about: Callable[[CountingHouse], Ask]
) -> None:
    async with counting_house(settings, fresh, drivers=13) as house:
        house.fund(100_000)
        for number, driver in enumerate(house.world.drivers):
            await house.owe(DRIVER, driver, 500 + number)
        await house.run(parallel=4, to_a_history=5)

        answer = await ask_about(house)("replay", "--date", TODAY)

        assert answer.status == 0, answer
        assert answer.words.count("  under way\n") == 13
        # Five payees to a history of the run, and one of each payee.
        assert "16 histories replayed" in answer.words
        total = next(words for words in answer.words.splitlines() if words.startswith("total"))
        assert total.split()[1:5] == ["13", "payees", "65.78", "USD"]


@pytest.mark.usefixtures("orders")
async def test_what_comes_back_from_a_bank_and_is_paid_the_next_day_agrees_on_both(
    house: CountingHouse, ask: Ask
) -> None:
    for payee in (house.world.chef, house.world.drivers[0]):
        house.bank(payee, "failed")
    await house.run()
    under_way = await ask("replay", "--date", TODAY)
    assert under_way.status == 0, under_way
    assert line(under_way, chef_account(house)).endswith("32.02 USD  under way")
    for payee in (house.world.chef, house.world.drivers[0]):
        await house.hear(payee)
    await all_come_to(house, S.FAILED)
    tomorrow = TODAY + timedelta(days=1)
    await house.run(terms=house.terms(tomorrow))

    first, second = await ask("replay", "--date", TODAY), await ask("replay", "--date", tomorrow)

    assert first.status == 0, first
    returned = "32.02 USD  0.00 USD  0.00 USD  failed and returned"
    assert line(first, chef_account(house)).endswith(returned)
    assert second.status == 0, second
    assert line(second, chef_account(house)).endswith("32.02 USD  under way")


async def test_whoever_waits_for_money_or_is_held_is_no_difference(
    house: CountingHouse, ask: Ask
) -> None:
    await house.owe(CHEF, house.world.chef, 1601)
    await house.owe(DRIVER, house.world.drivers[0], 200_000)
    handle = await house.begin(CHEF, house.world.chef, house.terms(minimum_cents=9999))
    await handle.result()
    handle = await house.begin(CHEF, house.world.chef, house.terms(minimum_cents=9999))
    await handle.execute_update(PayoutWorkflow.hold, house.hold(house.world.chef, held=True))
    await house.run()

    answer = await ask("replay", "--date", TODAY)

    assert answer.status == 0, answer
    assert line(answer, chef_account(house)).endswith("held")
    assert line(answer, f"driver:{house.world.drivers[0].id}").endswith("  waiting")


async def test_a_transfer_that_somebody_made_again_by_hand_is_found(
    house: CountingHouse, orders: list[str], ask: Ask
) -> None:
    await pay(house)
    destination = account_id(house.world.chef.id)
    house.stripe.client().v1.transfers.create(
        {"amount": 3202, "currency": "usd", "destination": destination}
    )

    assert_differs(
        await ask("replay", "--date", TODAY), house, orders, "differs: Stripe moved 64.04 USD"
    )


async def test_a_transfer_that_was_reversed_in_the_dashboard_is_found(
    house: CountingHouse, orders: list[str], ask: Ask
) -> None:
    payout = await pay(house)
    assert payout.stripe_transfer_id is not None
    house.stripe.fund(5000, account_id(house.world.chef.id))
    house.stripe.client().v1.transfers.reversals.create(payout.stripe_transfer_id, {"amount": 500})

    assert_differs(
        await ask("replay", "--date", TODAY),
        house,
        orders,
        "differs: Stripe fetched 5.00 USD back",
    )


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE payouts SET total_paid_cents = 9999 WHERE id = :id",
            "differs: its history set 32.02 USD aside, its row says 99.99 USD",
        ),
        (
            "UPDATE payouts SET status = 'failed' WHERE id = :id",
            "differs: its history ended as paid, its row says failed",
        ),
        (
            "UPDATE payouts SET stripe_transfer_id = 'tr_1' WHERE id = :id",
            "differs: its history made tr_",
        ),
        (
            "UPDATE payouts SET stripe_payout_id = 'po_1' WHERE id = :id",
            "missing at Stripe: payout po_1",
        ),
        (
            """DELETE FROM payout_items WHERE payout_id = :id AND posting_id =
            (SELECT min(posting_id::text)::uuid FROM payout_items WHERE payout_id = :id)""",
            "differs: its postings come to 16.01 USD, not 32.02 USD",
        ),
        (
            "UPDATE payout_items SET released_at = now() WHERE payout_id = :id",
            "differs: some of its postings are released",
        ),
        (
            """DELETE FROM ledger_postings WHERE movement_id IN
            (SELECT id FROM ledger_movements WHERE payout_id = :id AND event = 'payout_paid')""",
            "differs: what is booked for it is not what a payout",
        ),
    ],
    ids=[
        "amount",
        "status",
        "transfer",
        "bank payout",
        "item removed",
        "item released",
        "booking removed",
    ],
)
async def test_rows_that_were_changed_by_hand_are_found(
    house: CountingHouse, orders: list[str], ask: Ask, statement: str, words: str
) -> None:
    payout = await pay(house)
    await by_hand(house, statement, id=payout.id)

    assert_differs(await ask("replay", "--date", TODAY), house, orders, words)


async def test_an_order_that_two_payouts_pay_is_found(
    house: CountingHouse, orders: list[str], ask: Ask
) -> None:
    first = await pay(house)
    tomorrow = TODAY + timedelta(days=1)
    await by_hand(
        house,
        "DROP INDEX one_live_payout_per_posting",
        "UPDATE payout_items SET released_at = now() WHERE payout_id = :id",
        id=first.id,
    )
    await house.run(terms=house.terms(tomorrow))
    await by_hand(
        house,
        "UPDATE payout_items SET released_at = NULL WHERE payout_id = :id",
        id=first.id,
    )

    answer = await ask("replay", "--date", tomorrow)

    assert answer.status == 1, answer
    assert "differs: owed 0.00 USD, paid 32.02 USD" in line(answer, chef_account(house))
    assert "differs: 2 of its postings are in another payout, too" in answer.words
    for number in orders:
        assert f"    {number}  16.01 USD  is in another payout, too" in answer.words
        assert f"    {number}  16.01 USD  is paid and was not owed" in answer.words


async def test_a_payout_whose_row_is_gone_is_found(
    house: CountingHouse, orders: list[str], ask: Ask
) -> None:
    await by_hand(house, "UPDATE ledger_movements SET booked_at = booked_at - interval '1 hour'")
    await house.run(terms=house.terms(minimum_cents=2000))
    await by_hand(house, "DELETE FROM payout_items", "DELETE FROM payouts")

    answer = await ask("replay", "--date", TODAY)

    assert answer.status == 1, answer
    assert "differs: its history set 32.02 USD aside, and there is no payout" in line(
        answer, chef_account(house)
    )
    assert f"driver:{house.world.drivers[0].id}" not in answer.words, "less than the minimum"
    for number in orders:
        assert f"    {number}  16.01 USD  was owed" in answer.words


async def test_a_payee_whom_the_run_did_not_begin_with_is_found(
    house: CountingHouse, ask: Ask
) -> None:
    driver = house.world.drivers[0]
    await house.owe(CHEF, house.world.chef, 1601)
    await house.run()
    await house.owe(DRIVER, driver, 700)
    await by_hand(
        house,
        """UPDATE ledger_movements SET booked_at = booked_at - interval '1 hour' WHERE id IN
        (SELECT movement_id FROM ledger_postings WHERE account = :account)""",
        account=f"driver:{driver.id}",
    )

    answer = await ask("replay", "--date", TODAY)

    assert answer.status == 1, answer
    words = "differs: owed 7.00 USD, and the run did not begin with him"
    assert line(answer, f"driver:{driver.id}").endswith(words)
    assert line(answer, chef_account(house)).endswith("under way")


async def test_a_payout_without_a_history_is_found(
    house: CountingHouse, orders: list[str], ask: Ask
) -> None:
    await pay(house)
    payout = await of_chef(house)
    await by_hand(house, "UPDATE payouts SET day = '2026-11-02' WHERE id = :id", id=payout.id)

    answer = await ask("replay", "--date", "2026-11-02")

    assert answer.status == 1, answer
    assert line(answer, chef_account(house)).endswith("missing history")
    assert "payout-run-2026-11-02-austin: missing history" in answer.words
    assert orders[0] in answer.words


@pytest.mark.usefixtures("orders")
async def test_a_history_that_todays_code_would_not_have_is_found(house: CountingHouse) -> None:
    await pay(house)
    stripe = Stripe(
        "sk_test_0123456789",
        api_base=house.stripe.url,
        timeout_seconds=10,
        max_network_retries=0,
    )
    source = Live(house.database, Payouts(stripe))
    kept = FromTemporal(house.room.client)
    matter = await evidence.of_day(kept, source, TODAY, None, ["austin"])

    report = await replay.replay(
        kept, source, matter, workflows=[HastyPayoutWorkflow, PayoutRunWorkflow]
    )

    await stripe.aclose()
    assert report.status == DIFFERENT
    assert [f.verdict.partition(": ")[0] for f in report.findings] == ["not deterministic"] * 2
    assert "not deterministic: " in replay.show(report)
    assert report.of_runs == [], "the run itself is as it was"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--date", "2025-01-01"], "no payouts were run for 2025-01-01"),
        (["--date", "2025-01-01", "--market", "atlantis"], "there is no market atlantis"),
        (["--payout", "00000000-0000-0000-0000-000000000001"], "there is no payout 00000000"),
        (["--histories", "/nowhere"], "holds no finished export"),
    ],
)
async def test_what_does_not_exist_is_said_plainly(
    ask: Ask, arguments: list[str], words: str
) -> None:
    answer = await ask("replay", *arguments)

    assert (answer.status, answer.words) == (2, "")
    assert words in answer.trouble
