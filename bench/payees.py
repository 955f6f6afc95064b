"""Payees by the thousand, who have all earned something, with accounts at Stripe's stand-in."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel
from uuid_utils.compat import uuid7

from domain.ledger import Account, Event, payable
from domain.payees import PayeeKind
from local import world as worlds
from local.payees import account_id
from schema.database import Database
from schema.queries import orders
from schema.tables import (
    ConnectedAccount,
    Driver,
    LedgerAccount,
    LedgerMovement,
    LedgerPosting,
    Role,
    User,
    UserProfile,
    Verification,
)

# What one payee has earned, in cents: a few deliveries.
EARNINGS = (500, 650, 725, 500, 980)
OWED = sum(EARNINGS)

_AT_ONCE = 500
_CALLS_AT_ONCE = 20


@dataclass(frozen=True)
class Payee:
    """A driver, and what he is called at Stripe."""

    id: UUID
    user_id: UUID

    @property
    def account(self) -> str:
        return account_id(self.id)


async def prepare(
    database: Database, stripe_url: str, number: int, earned_at: datetime, tick: Callable[[], None]
) -> list[Payee]:
    """So many drivers, and enough money on the platform's account to pay them twice."""
    # All deliveries were of one order, since only whose market it was in matters here.
    placing = (await worlds.settle(database)).placing()
    async with database.write() as session:
        await orders.begin(session, placing)
        await _insert(
            session, LedgerAccount, [{"code": Account.SUSPENSE.value, "created_at": earned_at}]
        )
    made: list[Payee] = []
    async with httpx.AsyncClient(base_url=stripe_url, timeout=60) as control:
        funds = await control.post("/_control/balance", json={"amount": 2 * number * OWED})
        funds.raise_for_status()
        while len(made) < number:
            some = [Payee(uuid7(), uuid7()) for _ in range(min(_AT_ONCE, number - len(made)))]
            await _open_accounts(control, some)
            async with database.write() as session:
                await _settle(session, some, earned_at)
                await _earn(session, some, placing.order.id, earned_at)
            made += some
            for _ in some:
                tick()
    return made


async def _open_accounts(control: httpx.AsyncClient, payees: Sequence[Payee]) -> None:
    left = iter(payees)

    async def lane() -> None:
        for payee in left:
            made = await control.post("/_control/accounts", json={"id": payee.account})
            made.raise_for_status()

    await asyncio.gather(*(lane() for _ in range(_CALLS_AT_ONCE)))


async def _settle(session: AsyncSession, payees: Sequence[Payee], at: datetime) -> None:
    await _insert(
        session,
        User,
        [
            {
                "id": payee.user_id,
                "email": f"{payee.id}@example.com",
                "password_hash": worlds.PASSWORD_HASH,
                "role": Role.DRIVER,
                "is_verified": True,
                "is_active": True,
                "created_at": at,
            }
            for payee in payees
        ],
    )
    await _insert(
        session,
        UserProfile,
        [
            {
                "id": uuid7(),
                "user_id": payee.user_id,
                "first_name": "Driver",
                "last_name": "Bench",
            }
            for payee in payees
        ],
    )
    await _insert(
        session,
        ConnectedAccount,
        [
            {
                "id": payee.account,
                "payee_kind": PayeeKind.DRIVER,
                "payee_id": payee.id,
                "details_submitted": True,
                "payouts_enabled": True,
                "requirements_due": [],
                "onboarded_at": at,
                "created_at": at,
                "updated_at": at,
            }
            for payee in payees
        ],
    )
    await _insert(
        session,
        Driver,
        [
            {
                "id": payee.id,
                "user_id": payee.user_id,
                "vehicle_type": "car",
                "verification_status": Verification.APPROVED,
                "is_available": False,
                "rating": 4.5,
                "stripe_account_id": payee.account,
                "created_at": at,
            }
            for payee in payees
        ],
    )


async def _earn(
    session: AsyncSession, payees: Sequence[Payee], order_id: UUID, at: datetime
) -> None:
    movements, postings = [], []
    for payee in payees:
        for cents in EARNINGS:
            movement_id = uuid7()
            movements.append(
                {
                    "id": movement_id,
                    "key": f"bench:{movement_id}",
                    "event": Event.EARNED,
                    "order_id": order_id,
                    "booked_at": at,
                }
            )
            for account, amount in (
                (Account.SUSPENSE.value, cents),
                (payable(PayeeKind.DRIVER, payee.id), -cents),
            ):
                postings.append(
                    {
                        "id": uuid7(),
                        "movement_id": movement_id,
                        "account": account,
                        "currency": "usd",
                        "amount_cents": amount,
                    }
                )
    await _insert(
        session,
        LedgerAccount,
        [
            {
                "code": payable(PayeeKind.DRIVER, payee.id),
                "payee_kind": PayeeKind.DRIVER,
                "payee_id": payee.id,
                "created_at": at,
            }
            for payee in payees
        ],
    )
    await _insert(session, LedgerMovement, movements)
    await _insert(session, LedgerPosting, postings)


async def _insert(
    session: AsyncSession, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]
) -> None:
    await session.execute(insert(table), rows)
