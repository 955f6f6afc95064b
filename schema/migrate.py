"""Bring a database to this code's schema: `python -m schema.migrate`, with DATABASE_URL set."""

import asyncio
import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from schema.database import asyncpg_url

# Any number will do, as long as nobody else takes it: two processes must not migrate at once.
_LOCK = 7_246_301


async def migrate(database_url: str, revision: str = "head") -> None:
    """Migrate forwards to `revision`. Safe to run from several processes at once."""
    engine = create_async_engine(asyncpg_url(database_url))
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_upgrade, revision)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


if __name__ == "__main__":
    asyncio.run(migrate(os.environ["DATABASE_URL"]))
