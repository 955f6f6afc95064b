"""What an admin did stays written as it was, whoever would have it otherwise."""

from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from domain.payees import PayeeKind
from local import world as worlds
from schema.database import Database
from schema.messages.payouts import Hold
from schema.queries import admin, payouts
from schema.tables import AdminAction
from schema.tables.columns import now


async def written(database: Database, key: str, **said: object) -> bool:
    world = await worlds.settle(database)
    async with database.write() as session:
        return await admin.act(
            session,
            key=key,
            admin_id=world.admin.user_id,
            action="tried",
            target=("user", world.customer.user_id),
            details={"reason": "to see"},
            at=now(),
            **said,  # type: ignore[arg-type]
        )


async def row_of(database: Database, key: str) -> AdminAction:
    async with database.read() as session:
        return (
            await session.scalars(select(AdminAction).where(col(AdminAction.business_key) == key))
        ).one()


async def test_a_deed_is_written_once_with_what_was_changed_and_why(database: Database) -> None:
    key = str(uuid4())
    assert await written(database, key, before={"a": 1}, after={"a": 2}, reason="because")
    assert not await written(database, key, before={"a": 5}, reason="another")

    row = await row_of(database, key)

    assert (row.before, row.after, row.reason) == ({"a": 1}, {"a": 2}, "because")


async def test_who_stops_payouts_that_are_stopped_changes_nothing(database: Database) -> None:
    world = await worlds.settle(database)
    keys = [str(uuid4()) for _ in range(3)]
    for key, held in zip(keys, (True, True, False), strict=True):
        async with database.write() as session:
            await payouts.note_hold(
                session,
                Hold(
                    kind=PayeeKind.CHEF,
                    payee_id=world.chef.id,
                    admin_id=world.admin.user_id,
                    reason="to see",
                    held=held,
                    key=key,
                ),
            )

    rows = [await row_of(database, key) for key in keys]

    assert [(row.before, row.after) for row in rows] == [
        ({"held": False}, {"held": True}),
        ({"held": True}, {"held": True}),
        ({"held": True}, {"held": False}),
    ]


async def test_the_reason_is_that_of_the_details_where_it_is_not_said(database: Database) -> None:
    key = str(uuid4())
    await written(database, key)
    assert (await row_of(database, key)).reason == "to see"

    async with database.read() as session:
        is_null = await session.scalar(
            text(
                "SELECT before IS NULL AND after IS NULL FROM admin_actions"
                " WHERE business_key = :key"
            ),
            {"key": key},
        )
    assert is_null


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE admin_actions SET reason = 'better'",
        "UPDATE admin_actions SET details = '{}' WHERE false",
        "DELETE FROM admin_actions",
        "TRUNCATE admin_actions",
        "TRUNCATE users CASCADE",
        "UPDATE market_settings SET effective_from = now()",
        "DELETE FROM market_settings",
        "TRUNCATE market_settings",
    ],
)
async def test_nobody_alters_it(database: Database, change: str) -> None:
    key = str(uuid4())
    await written(database, key)
    before = await row_of(database, key)

    with pytest.raises(DBAPIError, match="is never changed"):
        async with database.write() as session:
            await session.execute(text(change))

    assert await row_of(database, key) == before
