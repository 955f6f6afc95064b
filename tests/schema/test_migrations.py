"""The migrations make exactly the schema that the models describe."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlmodel import SQLModel

import schema.tables  # noqa: F401 - makes the tables known to the metadata
from schema.database import Database
from tests.databases import new_database

_COLUMNS = """
    SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default,
           character_maximum_length
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1, 2
"""
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 't' ORDER BY 1, 2
"""
_INDEXES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' ORDER BY 1, 2
"""


async def test_migrations_make_the_schema_of_the_models(environment: Mapping[str, str]) -> None:
    url = await new_database(environment["DATABASE_URL"], "ridendine_schema")
    database = Database(url, pool_size=1)
    migrated = await _schema(database)

    async with database.write() as session:
        await session.execute(text("DROP SCHEMA public CASCADE"))
        await session.execute(text("CREATE SCHEMA public"))
        for extension in ("cube", "earthdistance", "pg_trgm", "unaccent"):
            await session.execute(text(f"CREATE EXTENSION {extension}"))
        connection = await session.connection()
        await connection.run_sync(SQLModel.metadata.create_all)

    assert migrated == await _schema(database)
    await database.close()
    assert any("one_live_offer_per_order" in row for row in migrated)


async def _schema(database: Database) -> list[tuple[object, ...]]:
    async with database.read() as session:
        return [
            tuple(row)
            for question in (_COLUMNS, _CONSTRAINTS, _INDEXES)
            for row in await session.execute(text(question))
            if row[0] != "alembic_version"
        ]
