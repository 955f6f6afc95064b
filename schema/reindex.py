"""Make all that chefs are found by anew: `python -m schema.reindex`, with DATABASE_URL set."""

import asyncio
import os

from schema.database import Database
from schema.queries import search_words


async def reindex(database_url: str) -> None:
    """For what was loaded past the triggers (migration 0021), and to forget unused words."""
    database = Database(database_url, pool_size=1)
    try:
        async with database.write() as session:
            await search_words.index_all(session)
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(reindex(os.environ["DATABASE_URL"]))
