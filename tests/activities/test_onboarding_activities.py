"""Payees' accounts through the official SDK against the stand-in, which misbehaves on request."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import stripe
from sqlalchemy import select
from sqlmodel import col
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from uuid_utils.compat import uuid7

from activities.onboarding import OnboardingActivities
from domain.payees import PayeeKind
from local import world as worlds
from local.world import Somebody, World
from providers.stripe import Stripe
from schema.database import Database
from schema.messages.payees import Account, FindAccount, Link, OpenLink, PayeeRef
from schema.queries import payees
from schema.queries.payees import Standing
from schema.tables import Chef, ConnectedAccount, Driver, Notification
from schema.tables.columns import now
from settings import Settings


@dataclass
class Desk:
    """A chef and a driver without accounts, and everything around them."""

    world: World
    database: Database
    url: str
    stripe: Stripe
    activities: OnboardingActivities
    client: stripe.StripeClient

    @property
    def chef(self) -> PayeeRef:
        return PayeeRef(kind=PayeeKind.CHEF, payee_id=self.world.chef.id)

    @property
    def driver(self) -> PayeeRef:
        return PayeeRef(kind=PayeeKind.DRIVER, payee_id=self.world.drivers[0].id)

    async def find(
        self, payee: PayeeRef | None = None, *, attempt: int = 1, refused_before: int = 0
    ) -> Account:
        asked = FindAccount(**dict(payee or self.chef), refused_before=refused_before)
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=attempt)
        found: Account = await environment.run(self.activities.find_account, asked)
        return found

    async def link(self, account_id: str) -> Link:
        return await self.activities.open_link(
            OpenLink(
                account_id=account_id,
                return_url="https://app.example.com/back",
                refresh_url="https://app.example.com/again",
            )
        )

    def accounts(self) -> list[str]:
        """The accounts of the chef that there are at Stripe."""
        return [
            account.id
            for account in self.client.v1.accounts.list({"limit": 100}).auto_paging_iter()
            if account.metadata and account.metadata["payee_id"] == str(self.world.chef.id)
        ]

    async def becomes(self, account_id: str, outcome: str) -> None:
        await self.control(f"accounts/{account_id}", {"outcome": outcome})

    async def fault(self, match: str, kind: str) -> None:
        await self.control("faults", {"match": match, "kind": kind})

    async def control(self, path: str, body: Mapping[str, Any]) -> None:
        async with httpx.AsyncClient(base_url=self.url) as http:
            (await http.post(f"/_control/{path}", json=body)).raise_for_status()

    async def row(self, payee_id: UUID) -> ConnectedAccount:
        async with self.database.read() as session:
            found = await payees.account_of(session, payee_id)
            assert found is not None
            return found

    async def told(self, who: Somebody) -> list[str]:
        """What somebody was told about the chef's payouts, the first message first."""
        async with self.database.read() as session:
            found = await session.scalars(
                select(col(Notification.message))
                .where(
                    col(Notification.user_id) == who.user_id,
                    col(Notification.business_key).startswith(str(self.world.chef.id)),
                )
                .order_by(col(Notification.id))
            )
            return list(found)


@pytest.fixture
async def desk(database: Database, settings: Settings) -> AsyncIterator[Desk]:
    key, url = settings.stripe_api_key.get_secret_value(), settings.stripe_api_base or ""
    provider = Stripe(key, api_base=url, timeout_seconds=5, max_network_retries=0)
    yield Desk(
        await worlds.settle(database, drivers=1, onboarded=False),
        database,
        url,
        provider,
        OnboardingActivities(database, provider, {"austin": "US"}),
        stripe.StripeClient(key, base_addresses={"api": url}),
    )
    async with httpx.AsyncClient(base_url=url) as http:
        await http.delete("/_control/faults")
    await provider.aclose()


async def test_an_account_says_whose_it_is_and_leaves_the_payouts_to_us(desk: Desk) -> None:
    found = await desk.find()

    account = await desk.stripe.account(found.id)
    assert account.metadata is not None
    assert dict(account.metadata.to_dict()) == {
        "payee_kind": "chef",
        "payee_id": str(desk.world.chef.id),
    }
    assert (account.country, account.email) == ("US", desk.world.chef.email)
    assert account.controller is not None
    assert account.controller.to_dict() == {
        "fees": {"payer": "application"},
        "is_controller": True,
        "losses": {"payments": "application"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "express"},
        "type": "application",
    }
    assert account.capabilities is not None
    assert set(account.capabilities.to_dict()) == {"transfers"}
    assert account.settings is not None
    assert account.settings.payouts is not None
    assert account.settings.payouts.schedule.interval == "manual"


async def test_what_stripe_still_needs_is_written_down(desk: Desk) -> None:
    found = await desk.find()

    row = await desk.row(desk.world.chef.id)
    assert (row.id, row.payee_kind) == (found.id, PayeeKind.CHEF)
    assert (row.details_submitted, row.payouts_enabled, row.onboarded_at) == (False, False, None)
    assert "external_account" in row.requirements_due
    async with desk.database.read() as session:
        chef = await session.get(Chef, desk.world.chef.id)
    assert chef is not None
    assert (chef.stripe_account_id, chef.stripe_onboarding_complete) == (found.id, False)
    assert await desk.told(desk.world.chef) == []


async def test_a_driver_has_an_account_too(desk: Desk) -> None:
    found = await desk.find(desk.driver)

    assert (await desk.row(desk.world.drivers[0].id)).payee_kind is PayeeKind.DRIVER
    async with desk.database.read() as session:
        driver = await session.get(Driver, desk.world.drivers[0].id)
    assert driver is not None
    assert driver.stripe_account_id == found.id


async def test_an_account_is_opened_once_however_often_it_is_asked_for(desk: Desk) -> None:
    found = [await desk.find(attempt=attempt) for attempt in (1, 2, 1)]

    assert {account.id for account in found} == set(desk.accounts())
    assert len(desk.accounts()) == 1


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "rate_limit"])
@pytest.mark.parametrize("attempt", [1, 2], ids=["another run", "another attempt"])
async def test_an_account_is_opened_once_though_the_first_answer_was_lost(
    desk: Desk, kind: str, attempt: int
) -> None:
    await desk.fault("POST /v1/accounts", kind)
    with pytest.raises(stripe.StripeError):
        await desk.find()

    found = await desk.find(attempt=attempt)

    assert desk.accounts() == [found.id]


async def test_an_account_that_was_opened_before_a_refusal_is_found(desk: Desk) -> None:
    await desk.fault("POST /v1/accounts", "drop_after")
    with pytest.raises(stripe.StripeError):
        await desk.find()

    # Another address, under a key that Stripe knows with the first one.
    found = await desk.find(refused_before=1)

    assert desk.accounts() == [found.id]


async def test_a_change_is_told_once_to_whom_it_concerns(desk: Desk) -> None:
    account = await desk.find()
    chef, admin = desk.world.chef, desk.world.admin
    for outcome in ("unfinished", "finished", "restricted", "finished"):
        await desk.becomes(account.id, outcome)
        for _ in range(3):
            await desk.find()

    assert await desk.told(chef) == [
        "Your payout details are complete: you can be paid.",
        "Stripe has stopped your payouts. Please look at what it needs from you.",
        "Your payouts are on again.",
    ]
    assert await desk.told(admin) == [
        "Stripe has stopped the payouts of Test Kitchen: under review.",
        "The payouts of Test Kitchen are on again.",
    ]


async def test_a_chef_stays_onboarded_when_he_is_restricted_and_cannot_be_paid(desk: Desk) -> None:
    account = await desk.find()
    await desk.becomes(account.id, "finished")
    first = await desk.find()
    await desk.becomes(account.id, "restricted")

    found = await desk.find()

    assert (found.can_be_paid, found.onboarded_at) == (False, first.onboarded_at)
    async with desk.database.read() as session:
        chef = await session.get(Chef, desk.world.chef.id)
        assert not await payees.can_be_paid(session, desk.world.chef.id)
    assert chef is not None
    assert chef.stripe_onboarding_complete


async def test_what_was_seen_earlier_does_not_overwrite_what_was_seen_later(desk: Desk) -> None:
    account = await desk.find()
    await desk.becomes(account.id, "finished")
    await desk.find()
    stale = Standing(
        account.id, False, False, ["external_account"], None, now() - timedelta(hours=1)
    )

    async with desk.database.write() as session:
        payee = await payees.payee(session, desk.chef)
        assert payee is not None
        await payees.note_account(session, payee, stale)

    assert (await desk.row(desk.world.chef.id)).payouts_enabled
    assert len(await desk.told(desk.world.chef)) == 1


async def test_each_link_is_another_page(desk: Desk) -> None:
    account = await desk.find()

    first, second = await desk.link(account.id), await desk.link(account.id)

    assert first.url != second.url
    assert first.expires_at > now()


async def test_nobody_can_be_paid_to_an_account_that_is_gone(desk: Desk) -> None:
    account = await desk.find()
    await desk.becomes(account.id, "finished")
    await desk.find()
    desk.client.v1.accounts.delete(account.id)

    found = await desk.find()

    assert (found.can_be_paid, found.disabled_reason) == (False, "account_invalid")
    assert not (await desk.row(desk.world.chef.id)).payouts_enabled
    assert await desk.told(desk.world.admin) == [
        "Stripe has stopped the payouts of Test Kitchen: account invalid."
    ]
    with pytest.raises(ApplicationError) as refused:
        await desk.link(account.id)
    assert (refused.value.type, refused.value.non_retryable) == ("StripeRefused", True)


async def test_nobody_has_no_account(desk: Desk) -> None:
    with pytest.raises(ApplicationError) as refused:
        await desk.find(PayeeRef(kind=PayeeKind.CHEF, payee_id=uuid7()))

    assert (refused.value.type, refused.value.non_retryable) == ("UnknownPayee", True)
