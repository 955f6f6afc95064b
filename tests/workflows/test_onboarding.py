"""The life of a payee's account: opened, completed, restricted, restored; and who hears of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from uuid_utils.compat import uuid7

from domain.payees import PayeeKind
from local import world as worlds
from local.people import until
from schema.database import Database
from schema.messages.payees import PayeeRef
from settings import Market, Settings
from tests.workflows.newcomer import Newcomer, newcomer_in
from tests.workflows.room import engine_room
from workflows.onboarding import OnboardingWorkflow
from workflows.options import PAYOUTS_QUEUE

REMINDER = "Please finish your payout details at Stripe, so that you can be paid."
OVERDUE = "Test Kitchen can still not be paid: the payout details are not complete."
COMPLETE = "Your payout details are complete: you can be paid."


@pytest.fixture(params=[1000, 0], ids=["cached", "uncached"])
async def newcomer(
    request: pytest.FixtureRequest, settings: Settings, database: Database
) -> AsyncIterator[Newcomer]:
    """A chef without an account, once with a workflow cache and once without."""
    world = await worlds.settle(database, drivers=1, onboarded=False)
    async with engine_room(settings, database, world, cached_workflows=request.param) as room:
        yield newcomer_in(room)


async def refusal(newcomer: Newcomer) -> ApplicationError:
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await newcomer.link()
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause


async def test_each_request_gets_another_link_to_one_account(newcomer: Newcomer) -> None:
    await newcomer.begin()

    links = [await newcomer.link() for _ in range(3)]

    assert len({link.url for link in links}) == 3
    assert newcomer.accounts() == [links[0].account.id]
    assert not links[0].account.can_be_paid


async def test_a_completed_account_can_be_paid_and_its_owner_is_told_once(
    newcomer: Newcomer,
) -> None:
    account_id = await newcomer.opened()

    await newcomer.becomes(account_id, "finished")
    for _ in range(5):
        await newcomer.hear()

    row = await newcomer.stands(can_be_paid=True)
    assert row.onboarded_at is not None
    await newcomer.has_looked()
    await newcomer.hears(newcomer.room.world.chef, COMPLETE)


async def test_word_of_an_account_that_comes_before_all_else_opens_it_once(
    newcomer: Newcomer,
) -> None:
    for _ in range(3):
        await newcomer.hear()

    link = await newcomer.link()

    assert newcomer.accounts() == [link.account.id]


async def test_who_does_not_finish_is_reminded_twice_and_then_ops_is_told(
    newcomer: Newcomer,
) -> None:
    chef, admin = newcomer.room.world.chef, newcomer.room.world.admin
    await newcomer.opened()

    await newcomer.room.skip(timedelta(hours=23))
    await newcomer.has_looked()
    assert await newcomer.told(chef) == []
    await newcomer.room.skip(timedelta(hours=2))
    await newcomer.hears(chef, REMINDER)
    await newcomer.room.skip(timedelta(days=5))
    await newcomer.has_looked()
    assert await newcomer.told(chef) == [REMINDER]
    await newcomer.room.skip(timedelta(days=1))
    await newcomer.hears(chef, REMINDER, REMINDER)
    assert await newcomer.told(admin) == []
    await newcomer.room.skip(timedelta(days=7))
    await newcomer.hears(admin, OVERDUE)
    await newcomer.room.skip(timedelta(days=10))
    await newcomer.has_looked()
    assert await newcomer.told(chef) == [REMINDER, REMINDER]
    assert await newcomer.told(admin) == [OVERDUE]


async def test_who_has_finished_is_not_reminded(newcomer: Newcomer) -> None:
    account_id = await newcomer.opened()
    await newcomer.becomes(account_id, "finished")
    await newcomer.stands(can_be_paid=True)

    await newcomer.room.skip(timedelta(days=20))

    await newcomer.has_looked()
    assert await newcomer.told(newcomer.room.world.chef) == [COMPLETE]
    assert await newcomer.told(newcomer.room.world.admin) == []


async def test_who_waits_for_stripe_is_not_reminded_but_ops_is_told_in_the_end(
    newcomer: Newcomer,
) -> None:
    account_id = await newcomer.opened()
    await newcomer.becomes(account_id, "restricted")

    await newcomer.room.skip(timedelta(days=15))

    await newcomer.hears(newcomer.room.world.admin, OVERDUE)
    assert await newcomer.told(newcomer.room.world.chef) == []


async def test_a_restriction_and_its_end_are_noted_and_told(newcomer: Newcomer) -> None:
    chef, admin = newcomer.room.world.chef, newcomer.room.world.admin
    account_id = await newcomer.opened()
    await newcomer.becomes(account_id, "finished")
    await newcomer.stands(can_be_paid=True)

    await newcomer.becomes(account_id, "restricted")
    row = await newcomer.stands(can_be_paid=False)
    assert row.disabled_reason == "under_review"
    await newcomer.becomes(account_id, "finished")
    row = await newcomer.stands(can_be_paid=True)
    assert row.disabled_reason is None

    assert await newcomer.told(chef) == [
        COMPLETE,
        "Stripe has stopped your payouts. Please look at what it needs from you.",
        "Your payouts are on again.",
    ]
    assert await newcomer.told(admin) == [
        "Stripe has stopped the payouts of Test Kitchen: under review.",
        "The payouts of Test Kitchen are on again.",
    ]


async def test_a_change_whose_word_was_lost_is_noticed_within_a_day(newcomer: Newcomer) -> None:
    account_id = await newcomer.opened()
    await newcomer.becomes(account_id, "finished", heard=False)

    await newcomer.room.skip(timedelta(days=1, minutes=1))

    await newcomer.stands(can_be_paid=True)
    assert await newcomer.told(newcomer.room.world.chef) == [COMPLETE]


async def test_a_terminated_run_is_started_again_by_the_next_word(newcomer: Newcomer) -> None:
    account_id = await newcomer.opened()
    await newcomer.room.skip(timedelta(days=1, hours=1))
    await newcomer.hears(newcomer.room.world.chef, REMINDER)
    await newcomer.handle.terminate()

    await newcomer.becomes(account_id, "finished")

    await newcomer.stands(can_be_paid=True)
    assert newcomer.accounts() == [account_id]
    await newcomer.hears(newcomer.room.world.chef, REMINDER, COMPLETE)


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "server_error", "rate_limit"])
async def test_an_account_is_opened_once_whatever_befalls_the_call(
    newcomer: Newcomer, kind: str
) -> None:
    async with newcomer.room.stripe_fault("POST /v1/accounts", kind, times=2):
        account_id = await newcomer.opened()

    assert newcomer.accounts() == [account_id]


async def test_what_stripe_refuses_is_told_to_ops_and_tried_again_when_asked_for(
    newcomer: Newcomer,
) -> None:
    async with newcomer.room.stripe_fault("POST /v1/accounts", "refused", times=1):
        await newcomer.begin()
        refused = await refusal(newcomer)
    assert refused.type == "OnboardingRefused"
    told = await newcomer.told(newcomer.room.world.admin)
    assert len(told) == 1
    assert told[0].startswith("Stripe refuses the account of Test Kitchen: ")

    link = await newcomer.link()

    assert newcomer.accounts() == [link.account.id]


async def test_a_country_that_stripe_does_not_serve_is_a_refusal_every_day_anew(
    settings: Settings, database: Database
) -> None:
    nowhere = settings.model_copy(update={"markets": {"austin": Market(country="XX")}})
    world = await worlds.settle(database, onboarded=False)
    async with engine_room(nowhere, database, world, cached_workflows=1000) as room:
        newcomer = newcomer_in(room)
        await newcomer.begin()
        assert (await refusal(newcomer)).type == "OnboardingRefused"
        assert (await refusal(newcomer)).type == "OnboardingRefused"
        assert len(await newcomer.told(world.admin)) == 1

        await room.skip(timedelta(days=1, minutes=1))

        async def told_again() -> bool:
            return len(await newcomer.told(world.admin)) == 2

        await until(told_again)
        assert newcomer.accounts() == []


async def test_nobody_is_no_payee(newcomer: Newcomer) -> None:
    handle = await newcomer.room.client.start_workflow(
        OnboardingWorkflow.run,
        PayeeRef(kind=PayeeKind.DRIVER, payee_id=uuid7()),
        id="onboarding-nobody",
        task_queue=PAYOUTS_QUEUE,
    )

    async def has_failed() -> Any:
        found = await handle.describe()
        return found.close_time

    await until(has_failed)


async def test_a_run_that_has_opened_many_links_goes_on_as_another(
    settings: Settings, database: Database
) -> None:
    world = await worlds.settle(database, onboarded=False)
    async with engine_room(settings, database, world, cached_workflows=1000) as room:
        newcomer = newcomer_in(room)
        account_id = await newcomer.opened()
        first = (await newcomer.handle.describe()).run_id

        async def another_run() -> bool:
            assert (await newcomer.link()).account.id == account_id
            return (await newcomer.handle.describe()).run_id != first

        await until(another_run, pause=0)
        assert newcomer.accounts() == [account_id]
