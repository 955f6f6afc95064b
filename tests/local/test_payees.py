"""The demo city's chefs and drivers can be paid, at the stand-in as in our books."""

from collections.abc import AsyncIterator, Mapping

import pytest
from sqlalchemy import func, select
from sqlmodel import col
from stripe import StripeClient

from local import city
from local.payees import account_id, onboard
from schema.database import Database
from schema.tables import Chef, ConnectedAccount, Driver, Notification, User


@pytest.fixture
async def town(environment: Mapping[str, str]) -> AsyncIterator[Database]:
    """The database that `make up` has filled."""
    opened = Database(environment["DATABASE_URL"], pool_size=1)
    yield opened
    await opened.close()


async def inhabitants(town: Database) -> list[ConnectedAccount]:
    """The accounts of those who work in the demo city."""
    drivers = [city.driver_email(number) for number, _ in enumerate(city.DRIVERS, start=1)]
    emails = [*(kitchen.email for kitchen in city.KITCHENS), *drivers]
    found: list[ConnectedAccount] = []
    async with town.read() as session:
        for table in (Chef, Driver):
            found += await session.scalars(
                select(ConnectedAccount)
                .join(table, col(table.stripe_account_id) == col(ConnectedAccount.id))
                .join(User, col(User.id) == col(table.user_id))
                .where(col(User.email).in_(emails), col(table.id) == ConnectedAccount.payee_id)
            )
    return found


async def test_everybody_who_works_in_the_demo_city_can_be_paid(
    town: Database, environment: Mapping[str, str]
) -> None:
    stripe = StripeClient(
        environment["STRIPE_API_KEY"], base_addresses={"api": environment["STRIPE_API_BASE"]}
    )
    known = await inhabitants(town)

    assert len(known) == len(city.KITCHENS) + len(city.DRIVERS)
    for account in known:
        assert account.id == account_id(account.payee_id)
        assert account.onboarded_at is not None
        at_stripe = stripe.v1.accounts.retrieve(account.id)
        assert (at_stripe.details_submitted, at_stripe.payouts_enabled) == (True, True)
        assert at_stripe.metadata is not None
        assert at_stripe.metadata["payee_id"] == str(account.payee_id)


async def test_a_second_up_opens_no_second_accounts_and_tells_nobody_again(
    town: Database, environment: Mapping[str, str]
) -> None:
    async def messages() -> int | None:
        async with town.read() as session:
            return await session.scalar(
                select(func.count())
                .select_from(Notification)
                .where(
                    col(Notification.user_id).in_(
                        select(col(User.id)).where(col(User.email) == city.KITCHENS[0].email)
                    ),
                    col(Notification.related_order_id).is_(None),
                )
            )

    before, told = await inhabitants(town), await messages()

    await onboard(
        environment["DATABASE_URL"], environment["STRIPE_API_KEY"], environment["STRIPE_API_BASE"]
    )

    after = await inhabitants(town)
    assert sorted(account.id for account in after) == sorted(account.id for account in before)
    assert await messages() == told == 1
