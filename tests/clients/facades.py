"""More than one process of the facade, and what shares clients out among them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from local import prepare, processes
from local.people import until
from local.ports import HOST, any_free
from local.processes import Running
from local.servers import OURS
from local.stack import PROJECT


@asynccontextmanager
async def another_facade(
    environment: Mapping[str, str], home: Path
) -> AsyncIterator[tuple[Running, str]]:
    """A second process beside that of a stack, and where it is."""
    port = any_free()
    found = {**environment, "API_URL": f"http://{HOST}:{port}"}
    (server,) = [one for one in OURS if one.name == "api"]
    running = processes.start(
        "api",
        server.command(home, {"api": port}),
        home / "api.log",
        ports={"api": port},
        environment=found,
        directory=PROJECT,
    )
    try:
        await until(lambda: asyncio.to_thread(prepare.is_ready, running, found))
        yield running, found["API_URL"]
    finally:
        await asyncio.to_thread(processes.stop, running)


@asynccontextmanager
async def balanced(*urls: str) -> AsyncIterator[str]:
    """An address whose connections go to the first of these that takes them."""
    passing: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passing.add(asyncio.current_task())
        theirs = await _connected(urls)
        ways = [
            asyncio.create_task(_pass(reader, theirs[1])),
            asyncio.create_task(_pass(theirs[0], writer)),
        ]
        try:
            # Whoever of the two goes takes the other one with him.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in (writer, theirs[1]):
                end.transport.abort()
            await asyncio.gather(*ways)

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)
        await server.wait_closed()


async def _connected(
    urls: Sequence[str],
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for url in urls:
        with suppress(OSError):
            return await asyncio.open_connection(HOST, urlsplit(url).port)
    raise ConnectionError("nobody is there")


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
