"""A server that takes connections and never answers, as a frozen process does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from local.ports import HOST


@asynccontextmanager
async def frozen_server() -> AsyncIterator[int]:
    """Its port."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Until whoever asked has given up.
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, HOST, 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        yield port
