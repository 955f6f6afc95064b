"""The yardstick of the gateway: a WebSocket server that does nothing but pass texts on.

Nobody is asked who he is, nothing is kept, nobody is told what he missed. A client's first text is
the name that he is known by; whatever then comes from the one called FEEDER, "name\\ntext", goes to
who has the name.
"""

import argparse
import asyncio

import uvloop
from websockets.asyncio.server import ServerConnection, serve

FEEDER = "feeder"

_clients: dict[str, ServerConnection] = {}


async def _attend(client: ServerConnection) -> None:
    name = str(await client.recv())
    if name != FEEDER:
        _clients[name] = client
        await client.wait_closed()
        return
    async for said in client:
        to, _, text = str(said).partition("\n")
        if to in _clients:
            await _clients[to].send(text)


async def _serve(port: int) -> None:
    # As the gateway: what is so short is not worth the memory of a compressor for each.
    async with serve(_attend, "127.0.0.1", port, compression=None, backlog=2048):
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(_serve(parser.parse_args().port))
