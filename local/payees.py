"""Accounts at Stripe's stand-in for the chefs and drivers of the demo city, so that they earn."""

from uuid import UUID

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from stripe import StripeClient

from activities.onboarding import standing
from domain.payees import PayeeKind
from local import city
from schema.database import Database
from schema.messages.payees import PayeeRef
from schema.queries import payees
from schema.queries.payees import Payee
from schema.tables import Chef, Driver, User
from schema.tables.columns import now


def account_id(payee_id: UUID) -> str:
    """What the account of a chef or driver of ours is called, in the demo city and in tests."""
    return f"acct_{payee_id.hex}"


async def onboard(database_url: str, stripe_key: str, stripe_url: str) -> None:
    """Give everybody of the demo city a finished account; once, however often it is asked for."""
    stripe = StripeClient(stripe_key, base_addresses={"api": stripe_url})
    database = Database(database_url, pool_size=1)
    try:
        async with httpx.AsyncClient(base_url=stripe_url) as control:
            async with database.read() as session:
                everybody = await _everybody(session)
            for payee in everybody:
                name = payee.account_id or account_id(payee.ref.payee_id)
                made = await control.post(
                    "/_control/accounts",
                    json={"id": name, "email": payee.email, "metadata": payee.metadata},
                )
                made.raise_for_status()
                seen_at = now()
                stands = standing(stripe.v1.accounts.retrieve(name), seen_at)
                async with database.write() as session:
                    await payees.note_account(session, payee, stands)
    finally:
        await database.close()


async def _everybody(session: AsyncSession) -> list[Payee]:
    drivers = [city.driver_email(number) for number, _ in enumerate(city.DRIVERS, start=1)]
    emails = [*(kitchen.email for kitchen in city.KITCHENS), *drivers]
    found: list[Payee | None] = []
    for kind, table in ((PayeeKind.CHEF, Chef), (PayeeKind.DRIVER, Driver)):
        ids = await session.scalars(
            select(col(table.id))
            .join(User, col(User.id) == col(table.user_id))
            .where(col(User.email).in_(emails))
        )
        found += [
            await payees.payee(session, PayeeRef(kind=kind, payee_id=payee_id)) for payee_id in ids
        ]
    return [payee for payee in found if payee is not None]
