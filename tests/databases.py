"""Databases for tests."""

import asyncpg
from sqlalchemy import make_url

from schema.migrate import migrate


async def new_database(server: str, name: str) -> str:
    """A migrated database without a row, on the server that `server` is on."""
    connection = await asyncpg.connect(server)
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    await migrate(url)
    return url
