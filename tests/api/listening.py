"""A facade on a port of its own, with its own Redis, and clients that listen to it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import socketio
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.dependencies import Services
from domain.live import Happening
from local.people import Person, until
from local.ports import HOST
from schema.messages.live import LiveEvent
from settings import Settings

NAMESPACE = "/realtime"
PATIENCE = 20.0


@dataclass(frozen=True)
class Gateway:
    """A facade that runs, and what it holds."""

    app: FastAPI
    port: int

    @property
    def held(self) -> Services:
        """What the facade holds."""
        held: Services = self.app.state.services
        return held

    @property
    def http(self) -> str:
        """Where it is, for requests."""
        return f"http://{HOST}:{self.port}"

    @property
    def plain(self) -> str:
        """Where it is, for plain WebSockets."""
        return f"ws://{HOST}:{self.port}/api/v1/ws"

    async def tell(self, happening: Happening, order_id: object, *to: object, **data: Any) -> int:
        """Tell an event, to these users and others; its number."""
        event = LiveEvent(
            happening=happening,
            order_id=None if order_id is None else UUID(str(order_id)),
            key=uuid4().hex,
            to=tuple(map(str, to)),
            at=datetime.now(UTC),
            data=data,
        )
        return await self.held.live.tell(event, first=True) or 0


@asynccontextmanager
async def gateway(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, redis_url: str, **changes: str
) -> AsyncIterator[Gateway]:
    """A facade with some of its settings changed, served as `make up` serves it."""
    changed = {**environment, "REDIS_URL": redis_url, **changes}
    monkeypatch.setenv("TEMPORAL_ADDRESS", changed["TEMPORAL_ADDRESS"])
    app = create_app(Settings.of(changed))
    with socket.create_server((HOST, 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(
                app, log_config=None, ws="websockets-sansio", ws_per_message_deflate=False
            )
        )
        serving = asyncio.create_task(server.serve([listening]))

        async def has_started() -> bool:
            assert not serving.done()
            return server.started

        await until(has_started)
        try:
            yield Gateway(app, listening.getsockname()[1])
        finally:
            server.should_exit = True
            await serving


@dataclass
class Ear:
    """A client of Socket.IO, and what it has heard besides the greeting."""

    socket: socketio.AsyncClient
    greeting: dict[str, Any] = field(default_factory=dict)
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, command: str, **said: Any) -> dict[str, Any]:
        """The answer to a command."""
        answered: dict[str, Any] = await self.socket.call(
            command, said, namespace=NAMESPACE, timeout=PATIENCE
        )
        return answered

    async def follow(self, order: Mapping[str, Any], **said: Any) -> dict[str, Any]:
        """Subscribe to an order."""
        return await self.ask("subscribe:order", orderId=order["id"], **said)

    async def hears(self, name: str, *, times: int = 1) -> dict[str, Any]:
        """Wait until an event was heard so many times: the last of them."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [payload for heard, payload in self.heard if heard == name]
                if len(found) >= times:
                    return found[times - 1]
                self._news.clear()
                await self._news.wait()

    async def is_greeted(self) -> None:
        """Wait until the server has said who this is."""

        async def has_been() -> bool:
            return bool(self.greeting)

        await until(has_been, within=PATIENCE, pause=0.005)

    async def is_gone(self) -> None:
        """Wait until the server has hung up."""

        async def has_gone() -> bool:
            return not (self.socket.connected and NAMESPACE in self.socket.namespaces)

        await until(has_gone)

    @property
    def names(self) -> list[str]:
        """What was heard, by name."""
        return [name for name, _ in self.heard]

    def note(self, name: str, payload: dict[str, Any]) -> None:
        """An event came."""
        if name == "connected":
            self.greeting = payload
        else:
            self.heard.append((name, payload))
        self._news.set()


@asynccontextmanager
async def ear(at: Gateway, token: str) -> AsyncIterator[Ear]:
    """A client that connects with a token, if it is let in."""
    client = socketio.AsyncClient(reconnection=False)
    listening = Ear(client)
    client.on("*", listening.note, namespace=NAMESPACE)
    client.on("connect_error", listening.refused.append, namespace=NAMESPACE)
    try:
        await client.connect(
            at.http, auth={"token": token}, namespaces=[NAMESPACE], transports=["websocket"]
        )
        await listening.is_greeted()
        yield listening
    except socketio.exceptions.ConnectionError:
        yield listening
    finally:
        await client.disconnect()


def token_of(person: Person) -> str:
    """Somebody's access token."""
    return person.authorization.removeprefix("Bearer ")


def frame(type_: str, id_: int | None = None, **payload: Any) -> str:
    """A message of a plain client's."""
    return json.dumps({"type": type_, "payload": payload, "id": id_})
