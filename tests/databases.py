"""Databases for tests."""

import asyncpg
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncSession

from local.people import until
from schema.database import Database
from schema.migrate import migrate

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE :pid = ANY(pg_blocking_pids(pid))")


async def new_database(server: str, name: str) -> str:
    """A migrated database without a row, on the server that `server` is on."""
    connection = await asyncpg.connect(server)
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    await migrate(url)
    return url


async def waited_for(holding: AsyncSession, database: Database) -> None:
    """Return once somebody waits for what a transaction has to itself."""
    pid = await holding.scalar(text("SELECT pg_backend_pid()"))

    async def is_waited_for() -> bool:
        async with database.read() as looking:
            return bool(await looking.scalar(_WAITING, {"pid": pid}))

    await until(is_waited_for)
