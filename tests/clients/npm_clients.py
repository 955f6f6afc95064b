"""Official clients of Socket.IO, in one process of Node.js, that do as a test says."""

import asyncio
import itertools
import json
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.clients.npm import installed

HERE = Path(__file__).with_name("realtime")
REPOSITORY = HERE.parents[2]
FOLDER = REPOSITORY / ".local" / "realtime-client"
PATIENCE = 60.0

Said = dict[str, Any]


class Clients:
    """All of them, by name."""

    def __init__(self, node: Process) -> None:
        self._node = node
        self._ids = itertools.count()
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self.listening = asyncio.create_task(self._listen())

    async def connect(self, name: str, url: str, token: str | None) -> Said:
        """What `connected` tells a client, or `refused` why it is not let in."""
        return await self._do("connect", name=name, url=url, token=token)

    async def subscribe(self, name: str, order_id: str, sequence: int | None = None) -> Said:
        """The answer; from now on it says after every return what it has seen last."""
        body: Said = {"orderId": order_id}
        if sequence is not None:
            body["sequence"] = sequence
        return await self._do("subscribe", name=name, body=body)

    async def ask(self, name: str, command: str, **body: Any) -> Said:
        """The answer to a command."""
        return await self._do("ask", name=name, command=command, body=body)

    async def until(self, name: str, event: str, **match: Any) -> Said:
        """Wait until a client has heard an event with these fields; all of it."""
        _, data = await self._do("until", name=name, event=event, match=match)
        return data

    async def ended(self, name: str) -> str:
        """Wait until a client is hung up on; why, by its library's words."""
        return await self._do("ended", name=name)

    async def heard(self, name: str) -> list[tuple[str, Said]]:
        """All that a client has heard, in order."""
        return [(event, data) for event, data in await self._do("heard", name=name)]

    async def leave(self, name: str) -> None:
        """Have a client go."""
        await self._do("leave", name=name)

    async def _do(self, what: str, **how: Any) -> Any:
        id_ = next(self._ids)
        self._asked[id_] = asyncio.get_running_loop().create_future()
        self._node.stdin.write((json.dumps({"id": id_, "do": what, **how}) + "\n").encode())
        async with asyncio.timeout(PATIENCE):
            answer = await self._asked[id_]
        del self._asked[id_]
        return answer

    async def _listen(self) -> None:
        async for line in self._node.stdout:
            said = json.loads(line)
            self._asked[said["id"]].set_result(said["answer"])


@asynccontextmanager
async def npm_clients() -> AsyncIterator[Clients]:
    """Ready to be told what to do."""
    await asyncio.to_thread(installed, HERE, FOLDER)
    shutil.copy(HERE / "clients.mjs", FOLDER)
    node = await asyncio.create_subprocess_exec(
        "node", "clients.mjs", cwd=FOLDER, stdin=PIPE, stdout=PIPE, limit=2**20
    )
    clients = Clients(node)
    try:
        yield clients
    finally:
        node.stdin.close()
        await node.wait()
        await clients.listening
