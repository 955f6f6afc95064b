"""Clients of Socket.IO: namespace `/realtime`, by WebSocket or, where that does not get through, by
long polling.

An event goes into the client's queue as the packet that all clients get: no task, no encoding and
no room of Socket.IO's own is needed for it. Which client hears what, the hub knows.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import socketio  # type: ignore[import-untyped]
import structlog
from engineio.async_socket import AsyncSocket  # type: ignore[import-untyped]
from socketio import packet
from socketio.exceptions import ConnectionRefusedError as Refused  # type: ignore[import-untyped]
from starlette.types import Message, Receive, Scope, Send

from api.auth import Principal
from api.dependencies import Services
from api.errors import unauthorised
from api.live.commands import answer, problem_of
from api.live.connections import sever
from api.live.forms import NAMESPACE, Spoken
from api.live.limits import MOST_MESSAGE_BYTES, SETTLING_SECONDS
from api.live.session import Session, admitted, still_good

PATH = "/socket.io"

# Where a request holds the id of the connection that it has begun.
_ID = "ridendine.engine_io"

_log = structlog.get_logger()


class Client(Session):
    """A client in the namespace."""

    __slots__ = ("_door", "_id", "_socket")

    def __init__(self, door: "Door", id_: str, socket: AsyncSocket, who: Principal) -> None:
        super().__init__(door.held, who)
        self._door = door
        self._id = id_
        self._socket = socket

    def take(self, spoken: Spoken) -> None:
        """Have it sent, unless too much waits already."""
        if self.has_ended:
            return
        if self._socket.queue.qsize() < self.held.settings.live_backlog:
            self._socket.queue.put_nowait(spoken.packet)
        else:
            self.hang_up("too_slow")

    def close(self, ending: Spoken) -> None:
        """Say a last thing, and leave the namespace; who stays connected is cut off soon."""
        if ending.payload["code"] == "too_slow":
            self._door.cut(self._id)
            return
        self._socket.queue.put_nowait(ending.packet)
        self._door.leave(self._id)


class Door(socketio.AsyncServer):  # type: ignore[misc]
    """The server of all clients. It is served as an ASGI application."""

    held: Services

    def __init__(self) -> None:
        # What goes wrong is told to clients, and to our own log where it is our fault.
        silent = logging.getLogger("api.live.engine_io")
        silent.setLevel(logging.CRITICAL)
        super().__init__(
            async_mode="asgi",
            namespaces=[NAMESPACE],
            # One after the other, so that they take effect in their order.
            async_handlers=False,
            logger=silent,
            engineio_logger=silent,
            # Who may call from a browser, and what is compressed, the facade says for all.
            cors_allowed_origins=[],
            http_compression=False,
            max_http_buffer_size=MOST_MESSAGE_BYTES,
        )
        self.on("connect", self._admit, namespace=NAMESPACE)
        # By the ids of their connections: those in the namespace, those who are let in just now,
        # what was asked to open the connection, and who has not said who he is.
        self._clients: dict[str, Client] = {}
        self._arriving: dict[str, Client] = {}
        self._requests: dict[str, Scope] = {}
        self._strangers: dict[str, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        upgraded = parse_qs(scope["query_string"].decode("latin-1")).get("sid", [""])[0]
        if scope["type"] == "websocket" and upgraded in self._requests:
            self._requests[upgraded] = scope
            scope[_ID] = upgraded

        async def heard() -> Message:
            message = await receive()
            self._bound(scope.get(_ID, upgraded))
            return message

        try:
            await self.handle_request(scope, heard, send)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            # What comes is no packet of Engine.IO's.
            _log.info("a live connection is not understood", error=repr(error))
            if _ID in scope:
                self.cut(scope[_ID])

    async def shutdown(self) -> None:
        """Serve no more."""
        for timer in self._strangers.values():
            timer.cancel()
        await super().shutdown()

    def leave(self, id_: str) -> None:
        """Have a client out of the namespace once it has been sent all that is to be."""
        self._clients.pop(id_, None)
        self._soon(self._left(id_))
        self._settle(id_)

    def cut(self, id_: str) -> None:
        """End a connection, whatever is still to be sent."""
        scope, socket = self._requests.get(id_), self.eio.sockets.get(id_)
        # By now a poller's connection may serve a request of somebody else's.
        if scope is not None and scope["type"] == "websocket":
            sever(scope)
        if socket is not None:
            self._soon(socket.close(wait=False, abort=True))

    async def _admit(self, sid: str, _: Mapping[str, Any], auth: object = None) -> None:
        """Look at the token that a client brings. Raises Refused, with the problem."""
        id_ = self.manager.eio_sid_from_sid(sid, NAMESPACE)
        try:
            self._arriving[id_] = await admitted(
                self.held,
                _token(auth),
                lambda who: Client(self, id_, self.eio.sockets[id_], who),
            )
        except Exception as error:
            problem = problem_of(error)
            _log.info("a live connection is refused", code=problem.code)
            data = {"code": problem.code, "detail": problem.detail}
            raise Refused(problem.detail, data) from error

    async def _handle_connect(self, eio_sid: str, namespace: str, data: object) -> None:
        """The greeting and all events come after the packet that says that one is connected."""
        await super()._handle_connect(eio_sid, namespace, data)
        client = self._arriving.pop(eio_sid, None)
        stranger = self._strangers.pop(eio_sid, None)
        if client is None or stranger is None:
            return
        stranger.cancel()
        self._clients[eio_sid] = client
        client.take(client.greeting)
        client.begin()
        await still_good(client)

    async def _handle_event_internal(
        self, _: object, __: str, eio_sid: str, data: list[Any], namespace: str, ack: int | None
    ) -> None:
        """Do what a client asks for: only what is a command, under whatever name it comes."""
        client = self._clients.get(eio_sid)
        if client is None:
            return
        name, *said = data
        said = said or [None]
        answered = await answer(client, str(name), said[0] if len(said) == 1 else said)
        if ack is not None and eio_sid in self._clients:
            await self._send_packet(
                eio_sid,
                self.packet_class(packet.ACK, namespace=namespace, id=ack, data=[dict(answered)]),
            )

    async def _handle_eio_connect(self, eio_sid: str, environ: Mapping[str, Any]) -> None:
        """Whoever comes has a few seconds to say who he is."""
        await super()._handle_eio_connect(eio_sid, environ)
        scope = environ["asgi.scope"]
        scope[_ID] = eio_sid
        self._requests[eio_sid] = scope
        self._settle(eio_sid)

    async def _handle_eio_message(self, eio_sid: str, data: object) -> None:
        """What is no packet of Socket.IO's ends the connection."""
        try:
            await super()._handle_eio_message(eio_sid, data)
        except Exception as error:  # noqa: BLE001 - whatever it was meant to be
            _log.info("a live client is not understood", error=repr(error))
            self.cut(eio_sid)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        client = self._clients.pop(eio_sid, None)
        if client is not None:
            client.end()
        await super()._handle_eio_disconnect(eio_sid, reason)
        self._arriving.pop(eio_sid, None)
        self._requests.pop(eio_sid, None)
        stranger = self._strangers.pop(eio_sid, None)
        if stranger is not None:
            stranger.cancel()
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None:
            # Whoever polls is not kept waiting.
            socket.queue.put_nowait(None)

    async def _handle_disconnect(
        self, eio_sid: str, namespace: str, reason: str | None = None
    ) -> None:
        client = self._clients.pop(eio_sid, None)
        if client is not None:
            client.end()
            # Its connection is nobody's now, and counts for nobody.
            self._settle(eio_sid)
        await super()._handle_disconnect(eio_sid, namespace, reason)

    def _bound(self, id_: str) -> None:
        """Cut off who sends on and on without reading what he is answered."""
        socket = self.eio.sockets.get(id_)
        if socket is not None and socket.queue.qsize() > self.held.settings.live_backlog:
            self.cut(id_)

    def _settle(self, eio_sid: str) -> None:
        loop = asyncio.get_running_loop()
        self._strangers[eio_sid] = loop.call_later(SETTLING_SECONDS, self.cut, eio_sid)

    def _soon(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _left(self, eio_sid: str) -> None:
        sid = self.manager.sid_from_eio_sid(eio_sid, NAMESPACE)
        if sid is not None:
            await self.disconnect(sid, NAMESPACE)


def _token(auth: object) -> str:
    token = auth.get("token") if isinstance(auth, Mapping) else None
    if not isinstance(token, str) or not token:
        raise unauthorised("an access token is needed: auth is {token}")
    return token
