"""Each step of an account's end: done once or twice, early or beside others, it ends the same."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy import select, text
from sqlmodel import SQLModel, col
from stripe import StripeError
from uuid_utils.compat import uuid7

from activities.erasure import ErasureActivities
from local import world as worlds
from local.world import Somebody, World
from providers.kitchen_pages import KitchenPages
from providers.live import Live
from providers.positions import Positions
from providers.shut_outs import ShutOuts
from providers.storage import Storage, StorageAway
from providers.stripe import Stripe
from schema.database import Database
from schema.messages.erasure import Begin, EndAt, UserRef
from schema.queries import orders, suspensions
from schema.tables import (
    AccountDeletion,
    Chef,
    Driver,
    Order,
    RefreshToken,
    SearchWord,
    User,
    Verification,
)
from schema.tables.columns import now
from settings import Settings

GRACE = timedelta(days=30)


@dataclass
class Desk:
    """People in a world, and the hand that forgets them."""

    world: World
    database: Database
    stripe: Stripe
    activities: ErasureActivities

    async def begins(self, who: Somebody) -> None:
        at = now()
        await self.activities.begin_erasure(Begin(user_id=who.user_id, at=at, erase_at=at + GRACE))

    async def closes(self, who: Somebody) -> bool:
        ending = await self.activities.close_account(EndAt(user_id=who.user_id, at=now()))
        return ending is not None and ending.closed_at is not None

    async def erases(self, who: Somebody) -> bool:
        return await self.activities.erase(EndAt(user_id=who.user_id, at=now()))

    async def calls(self, who: Somebody, name: str) -> None:
        """A chef's kitchen has another name."""
        async with self.database.write() as session:
            (await session.get_one(Chef, who.id)).business_name = name

    async def words(self, mark: str) -> set[str]:
        """The words that end with a mark."""
        async with self.database.read() as session:
            found = await session.scalars(
                select(col(SearchWord.word)).where(col(SearchWord.word).endswith(mark))
            )
            return {word.removesuffix(mark) for word in found}

    async def row(self, table: Any, key: UUID) -> Any:
        async with self.database.read() as session:
            return await session.get_one(table, key)

    async def everything(self) -> dict[str, str]:
        """A digest of every table."""
        async with self.database.read() as session:
            return {
                name: str(
                    await session.scalar(
                        text(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {name} t")  # noqa: S608
                    )
                )
                for name in SQLModel.metadata.tables
            }


@pytest.fixture
async def desk(settings: Settings, database: Database, redis: Redis) -> AsyncIterator[Desk]:
    stripe = Stripe(
        settings.stripe_api_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_seconds=5,
        max_network_retries=0,
    )
    storage = Storage(settings.storage_url, timeout_seconds=5)
    activities = ErasureActivities(
        database,
        stripe,
        storage,
        Positions(redis),
        pages=KitchenPages(redis),
        shut_outs=ShutOuts(redis, timedelta(minutes=15), Live(redis)),
    )
    yield Desk(await worlds.settle(database, drivers=1), database, stripe, activities)
    await stripe.aclose()


async def test_an_order_that_comes_in_the_last_moment_is_waited_for(desk: Desk) -> None:
    customer = desk.world.customer
    await desk.begins(customer)
    assert await desk.closes(customer)
    placing = desk.world.placing()
    async with desk.database.write() as session:
        await orders.begin(session, placing)
    before = await desk.everything()

    assert not await desk.erases(customer)

    assert await desk.everything() == before


async def test_an_order_that_comes_while_an_account_is_closed_is_before_or_after_it(
    desk: Desk,
) -> None:
    customer = desk.world.customer
    await desk.begins(customer)
    placing = desk.world.placing()

    async def place() -> None:
        async with desk.database.write() as session:
            await orders.begin(session, placing)

    closed, _ = await asyncio.gather(desk.closes(customer), place())

    # Closed before it came, it is not erased; come before that, it is not closed.
    assert not await desk.erases(customer)
    assert (await desk.row(User, customer.user_id)).is_active is not closed


async def test_what_is_erased_twice_is_as_erased_once(desk: Desk) -> None:
    for who in (desk.world.customer, desk.world.chef, desk.world.drivers[0]):
        await desk.begins(who)
        assert await desk.closes(who)
        assert await desk.erases(who)
        once = await desk.everything()

        assert await desk.erases(who)

        assert await desk.everything() == once


async def test_who_is_let_in_no_more_is_logged_out_everywhere(desk: Desk, redis: Redis) -> None:
    customer = desk.world.customer
    token = RefreshToken(
        user_id=customer.user_id,
        family_id=uuid7(),
        digest=uuid7().hex,
        expires_at=now() + timedelta(days=7),
    )
    async with desk.database.write() as session:
        session.add(token)
    await desk.begins(customer)
    shut_outs = ShutOuts(redis, timedelta(minutes=15), Live(redis))
    assert not await shut_outs.is_out(customer.user_id, now())

    assert await desk.closes(customer)

    assert (await desk.row(RefreshToken, token.id)).ended_at is not None
    assert await shut_outs.is_out(customer.user_id, now() - timedelta(minutes=1))


async def test_who_was_suspended_is_closed_and_not_to_be_let_in_again(desk: Desk) -> None:
    chef = desk.world.chef
    async with desk.database.write() as session:
        values = suspensions.suspended("a test", now(), Verification.APPROVED)
        await suspensions.change_user(session, chef.user_id, values)
    await desk.begins(chef)

    assert await desk.closes(chef)

    user = await desk.row(User, chef.user_id)
    assert (user.is_active, user.suspended_at, user.suspended_from) == (False, None, None)


async def test_words_that_a_chef_shares_with_others_are_known_when_he_is_gone(desk: Desk) -> None:
    chef, other = desk.world.chef, await worlds.settle(desk.database)
    mark = uuid7().hex[-8:]
    for cook, name in ((chef, "his"), (other.chef, "theirs")):
        await desk.calls(cook, f"{name}{mark} ours{mark}")
    # What he was called before is forgotten with the rest.
    await desk.calls(chef, f"later{mark} ours{mark}")
    assert await desk.words(mark) == {"his", "later", "ours", "theirs"}

    await desk.begins(chef)
    await desk.closes(chef)
    await desk.erases(chef)

    assert await desk.words(mark) == {"ours", "theirs"}


async def test_two_who_erase_the_same_come_to_the_same_end(desk: Desk) -> None:
    chef = desk.world.chef
    await desk.begins(chef)
    await desk.closes(chef)

    assert await asyncio.gather(*(desk.erases(chef) for _ in range(3))) == [True] * 3

    assert (await desk.row(AccountDeletion, chef.user_id)).erased_at is not None


async def test_having_it_back_and_closing_it_at_once_has_one_winner(desk: Desk) -> None:
    customer = desk.world.customer
    await desk.begins(customer)

    back, closed = await asyncio.gather(
        desk.activities.take_erasure_back(UserRef(user_id=customer.user_id)),
        desk.closes(customer),
    )

    assert back is not closed
    assert (await desk.row(User, customer.user_id)).is_active is back


async def test_others_are_left_as_they_are(desk: Desk) -> None:
    other = await worlds.settle(desk.database, drivers=1)
    placing = other.placing()
    async with desk.database.write() as session:
        await orders.begin(session, placing)

    for who in (desk.world.customer, desk.world.chef, desk.world.drivers[0]):
        await desk.begins(who)
        await desk.closes(who)
        await desk.erases(who)

    row = await desk.row(Order, placing.order.id)
    assert row.delivery_line1 == placing.address.line1
    assert row.delivery_latitude == placing.order.door.latitude
    for somebody in (other.customer, other.chef, *other.drivers):
        assert (await desk.row(User, somebody.user_id)).email == somebody.email
    assert (await desk.row(Driver, other.drivers[0].id)).is_available


async def test_a_customer_of_stripes_is_deleted_once_and_is_then_no_matter(desk: Desk) -> None:
    customer = desk.world.customer
    whose = UserRef(user_id=customer.user_id)
    await desk.activities.forget_at_stripe(whose)
    at_stripe = await desk.stripe.create_customer(customer.user_id, key=str(customer.user_id))
    async with desk.database.write() as session:
        row = await session.get_one(User, customer.user_id)
        row.stripe_customer_id = at_stripe

    for _ in range(2):
        await desk.activities.forget_at_stripe(whose)

    gone = await desk.stripe.client.v1.customers.retrieve_async(at_stripe)
    assert gone.deleted


async def test_a_stripe_that_is_away_is_not_taken_for_done() -> None:
    away = Stripe(
        "sk_test_x", api_base="http://127.0.0.1:1", timeout_seconds=1, max_network_retries=0
    )

    with pytest.raises(StripeError):
        await away.forget_customer("cus_1")

    await away.aclose()


async def test_a_storage_that_is_away_fails_the_step_and_nothing_else(
    desk: Desk, redis: Redis, tmp_path: Path
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("no folder")
    storage = Storage(f"file://{blocked}/inside", timeout_seconds=1)
    activities = ErasureActivities(
        desk.database,
        desk.stripe,
        storage,
        Positions(redis),
        pages=KitchenPages(redis),
        shut_outs=ShutOuts(redis, timedelta(minutes=15), Live(redis)),
    )
    before = await desk.everything()

    with pytest.raises(StorageAway):
        await activities.forget_files(UserRef(user_id=desk.world.chef.user_id))

    assert await desk.everything() == before
