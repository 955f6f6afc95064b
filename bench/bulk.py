"""Filling a database quickly, for benches that need many rows."""

import json
from collections.abc import Sequence

import asyncpg
from sqlalchemy import make_url
from sqlmodel import SQLModel

from schema.migrate import migrate


async def database(server: str, name: str) -> str:
    """A migrated database without a row, on the server that `server` is on."""
    connection = await asyncpg.connect(server)
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    await migrate(url)
    return url


async def copy(connection: asyncpg.Connection, rows: Sequence[SQLModel]) -> None:
    """Write rows of one table."""
    kept = [row.model_dump() for row in rows]
    await connection.copy_records_to_table(
        str(rows[0].__tablename__),
        columns=list(kept[0]),
        records=[
            tuple(json.dumps(value) if isinstance(value, dict) else value for value in row.values())
            for row in kept
        ],
    )
