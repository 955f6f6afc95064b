"""The database guards the books, whoever writes to them."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from uuid_utils.compat import uuid7

from domain import ledger as rules
from domain.ledger import Account, Event, Movement, Posting
from schema.database import Database
from schema.queries import ledger


def _movement(*postings: tuple[str, int]) -> Movement:
    return Movement(
        key=f"test:{uuid4()}",
        event=Event.ADJUSTMENT,
        currency="usd",
        postings=tuple(Posting(account, cents) for account, cents in postings),
    )


GOOD = ((Account.STRIPE_CLEARING, 100), (Account.SUSPENSE, -100))


async def _book(database: Database, movement: Movement) -> bool:
    async with database.write() as session:
        return await ledger.book(session, movement)


async def _booked(database: Database, movement: Movement) -> Movement | None:
    async with database.read() as session:
        return await ledger.booked(session, movement.key)


async def test_a_movement_is_booked_once_however_often_it_is_heard_of(database: Database) -> None:
    movement = _movement(*GOOD)

    assert await _book(database, movement)
    assert not await _book(database, movement)
    assert await _booked(database, movement) == movement


async def test_a_movement_that_does_not_sum_to_zero_is_refused(database: Database) -> None:
    crooked = _movement((Account.STRIPE_CLEARING, 100), (Account.SUSPENSE, -99))

    with pytest.raises(DBAPIError, match="is off by 1 usd cents"):
        await _book(database, crooked)
    assert await _booked(database, crooked) is None


async def _book_in_two_currencies(database: Database, movement: Movement) -> None:
    async with database.write() as session:
        await ledger.book(session, movement)
        for currency, cents in (("eur", 50), ("usd", -50)):
            await session.execute(
                text(
                    "INSERT INTO ledger_postings (id, movement_id, account, currency, amount_cents)"
                    " SELECT :id, id, 'suspense', :currency, :cents"
                    " FROM ledger_movements WHERE key = :key"
                ),
                {"id": uuid7(), "currency": currency, "cents": cents, "key": movement.key},
            )


async def test_a_movement_in_two_currencies_has_to_sum_to_zero_in_each(
    database: Database,
) -> None:
    movement = _movement(*GOOD)

    with pytest.raises(DBAPIError, match="is off by"):
        await _book_in_two_currencies(database, movement)
    assert await _booked(database, movement) is None


async def test_a_movement_without_postings_is_refused(database: Database) -> None:
    with pytest.raises(DBAPIError, match="has no postings"):
        async with database.write() as session:
            await session.execute(
                text(
                    "INSERT INTO ledger_movements (id, key, event, booked_at)"
                    " VALUES (:id, 'empty', 'adjustment', now())"
                ),
                {"id": uuid7()},
            )


async def test_nothing_is_added_to_a_movement_later(database: Database) -> None:
    movement = _movement(*GOOD)
    await _book(database, movement)

    with pytest.raises(DBAPIError, match="is booked already"):
        async with database.write() as session:
            await session.execute(
                text(
                    "INSERT INTO ledger_postings (id, movement_id, account, currency, amount_cents)"
                    " SELECT :id, id, 'suspense', 'usd', 5 FROM ledger_movements WHERE key = :key"
                ),
                {"id": uuid7(), "key": movement.key},
            )


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_postings SET amount_cents = 1",
        "UPDATE ledger_movements SET note = 'better'",
        "DELETE FROM ledger_postings",
        "DELETE FROM ledger_movements",
        "TRUNCATE ledger_postings CASCADE",
        "TRUNCATE ledger_movements CASCADE",
    ],
)
async def test_what_is_booked_is_never_changed(database: Database, change: str) -> None:
    movement = _movement(*GOOD)
    await _book(database, movement)

    with pytest.raises(DBAPIError, match="is never changed: book a reversing movement"):
        async with database.write() as session:
            await session.execute(text(change))
    assert await _booked(database, movement) == movement


async def test_a_movement_of_nothing_is_not_booked(database: Database) -> None:
    nothing = _movement()

    assert not await _book(database, nothing)
    assert await _booked(database, nothing) is None


async def test_a_payees_account_knows_whose_it_is(database: Database) -> None:
    payee, payout = uuid4(), uuid7()
    movement = rules.paid_out(payout, f"chef:{payee}", 100, "usd")
    await _book(database, movement)

    async with database.read() as session:
        row = (
            await session.execute(
                text("SELECT payee_kind, payee_id FROM ledger_accounts WHERE code = :code"),
                {"code": f"chef:{payee}"},
            )
        ).one()
    assert (row.payee_kind, UUID(str(row.payee_id))) == ("chef", payee)
