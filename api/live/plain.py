"""Clients of a plain WebSocket, `/api/v1/ws`, who speak as seed 004, section 8.2, does: JSON with a
`type` and a `payload` (or its members beside the `type`); what they ask for may have an `id`, a
number or a text, which its ACK has too.

They say who they are with an Authorization header, or with a first message, `AUTH`: whatever is in
the address of a request ends up in logs.
"""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

import structlog
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.auth import Principal
from api.dependencies import Services
from api.errors import Problem, unauthorised
from api.live.commands import COMMANDS, answer, problem_of, refusal
from api.live.connections import sever
from api.live.forms import Spoken, framed, type_of
from api.live.limits import MOST_MESSAGE_BYTES, SETTLING_SECONDS
from api.live.session import Session, admitted, still_good, token_of

PATH = "/api/v1/ws"

# Of RFC 6455, section 7.4.2, for our own use: by the status that HTTP has for it.
_UNAUTHORISED, _IN_NO_TIME, _TOO_LARGE, _TOO_MANY = 4401, 4408, 4413, 4429
_CLOSING = {"too_many": _TOO_MANY, "too_many_connections": _TOO_MANY}

_COMMANDS = {type_of(name): name for name in COMMANDS}

_log = structlog.get_logger()


class _Closing(NamedTuple):
    code: int


class _Asked(NamedTuple):
    """What a client sends: `name` is None where it is nothing that can be read."""

    id: int | str | None
    name: str | None
    payload: object


class Client(Session):
    """A client of a plain WebSocket. Only while there is something to send, a task sends it."""

    __slots__ = ("_sending", "_waiting", "_websocket")

    def __init__(self, held: Services, who: Principal, websocket: WebSocket) -> None:
        super().__init__(held, who)
        self._websocket = websocket
        self._waiting: deque[str | _Closing] = deque()
        self._sending: asyncio.Task[None] | None = None

    def take(self, spoken: Spoken) -> None:
        """Have it sent, unless too much waits already."""
        self.say(spoken.frame)

    def say(self, frame: str) -> None:
        """Have something sent, unless too much waits already."""
        if self.has_ended:
            return
        if len(self._waiting) < self.held.settings.live_backlog:
            self._send(frame)
        else:
            self.hang_up("too_slow")

    def close(self, ending: Spoken) -> None:
        """Say a last thing, and close; who stays connected is cut off soon."""
        code = ending.payload["code"]
        if code == "too_slow":
            sever(self._websocket.scope)
            return
        self._send(ending.frame)
        self._send(_Closing(_CLOSING.get(code, _UNAUTHORISED)))
        loop = asyncio.get_running_loop()
        loop.call_later(SETTLING_SECONDS, sever, self._websocket.scope)

    def _send(self, what: "str | _Closing") -> None:
        self._waiting.append(what)
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send_all())

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                match self._waiting.popleft():
                    case _Closing(code):
                        await self._websocket.close(code)
                        self._waiting.clear()
                    case frame:
                        await self._websocket.send_text(frame)
        except (WebSocketDisconnect, RuntimeError):
            # He has gone, or was sent away.
            self._waiting.clear()
        finally:
            self._sending = None


async def serve(websocket: WebSocket) -> None:
    """Serve a client, until it goes."""
    held: Services = websocket.app.state.services
    try:
        client = await _arrived(websocket, held)
        if client is None:
            return
        client.take(client.greeting)
        client.begin()
        try:
            if await still_good(client):
                await _converse(client, websocket)
        finally:
            client.end()
    except WebSocketDisconnect:
        return


async def _converse(client: Client, websocket: WebSocket) -> None:
    """Answer whatever is asked for, one after the other. Raises WebSocketDisconnect in the end."""
    while True:
        asked = await _asked(websocket)
        if client.has_ended:
            continue
        answered = await answer(client, asked.name, asked.payload)
        client.say(framed("ACK", id=asked.id, **answered))


async def _arrived(websocket: WebSocket, held: Services) -> Client | None:
    """Who is there; None once somebody is sent away who does not say, or may not."""

    def listening(who: Principal) -> Client:
        return Client(held, who, websocket)

    authorization = websocket.headers.get("authorization")
    if authorization is not None:
        try:
            client = await admitted(held, token_of(authorization), listening)
        except Exception as error:  # noqa: BLE001 - whatever it is, he is told its code
            problem = _refused(error)
            await websocket.send_denial_response(problem.response())
            return None
        await websocket.accept()
        return client
    await websocket.accept()
    asked = _Asked(None, None, None)
    try:
        async with asyncio.timeout(SETTLING_SECONDS):
            asked = await _asked(websocket)
        return await admitted(held, _token(asked), listening)
    except WebSocketDisconnect:
        raise
    except TimeoutError:
        await websocket.close(_IN_NO_TIME)
    except Exception as error:  # noqa: BLE001 - as above
        problem = _refused(error)
        await websocket.send_text(framed("ACK", id=asked.id, **refusal(problem)))
        is_many = problem.status is HTTPStatus.TOO_MANY_REQUESTS
        await websocket.close(_TOO_MANY if is_many else _UNAUTHORISED)
    return None


async def _asked(websocket: WebSocket) -> _Asked:
    """The next message. Raises WebSocketDisconnect."""
    message: Message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text") or message.get("bytes") or ""
    if len(text) > MOST_MESSAGE_BYTES:
        await websocket.close(_TOO_LARGE)
        raise WebSocketDisconnect(_TOO_LARGE)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, Mapping) or not isinstance(said.get("type"), str):
        return _Asked(None, None, None)
    type_, id_ = said["type"], said.get("id")
    beside = {name: value for name, value in said.items() if name not in {"type", "id"}}
    return _Asked(
        id_ if isinstance(id_, int | str) else None,
        _COMMANDS.get(type_, type_),
        said.get("payload", beside),
    )


def _token(asked: _Asked) -> str:
    """The token of `{"type": "AUTH", "token": …}`; it may be in the `payload`, as of any other."""
    payload = asked.payload
    token = payload.get("token") if isinstance(payload, Mapping) else None
    if asked.name != "AUTH" or not isinstance(token, str):
        raise unauthorised('an access token is needed: {"type": "AUTH", "token": …}')
    return token


def _refused(error: Exception) -> Problem:
    problem = problem_of(error)
    _log.info("a live connection is refused", code=problem.code)
    return problem
