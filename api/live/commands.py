"""What connected clients may ask for, whichever way they are connected, and what they are answered.

An answer has `ok`; where it is false, the `code` and `detail` (and further members) of the problem
that the same request would get by HTTP.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import Field, StringConstraints, ValidationError

from api import chat
from api.bodies import Body
from api.chat import MessageBody
from api.dependencies import known, order_of
from api.driver_positions import taken_in
from api.errors import Problem, as_problem, forbidden, invalid
from api.live.following import follow
from api.live.forms import Spoken
from api.live.session import Session, written
from api.permits import NeedsAccount
from api.rate_limits import positions_rule
from api.whereabouts import LocationBody
from domain.permissions import Permission

# Beyond it JavaScript does not count by ones.
_HIGHEST = 2**53 - 1

Answer = Mapping[str, Any]

_log = structlog.get_logger()


class SubscribeBody(Body):
    """An order to hear of, and the highest number that the client has seen of it, if any."""

    order_id: UUID
    sequence: int | None = Field(default=None, strict=True, ge=0, le=_HIGHEST)


class UnsubscribeBody(Body):
    """An order to hear no more of."""

    order_id: UUID


class TokenBody(Body):
    """A new access token of the same user's."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=8192)]


async def subscribe(session: Session, body: SubscribeBody) -> Answer:
    """Hear of an order from now on. What was missed since `sequence` comes first, as the events
    that it was, then this answer; with `resync` not all of it could be given.
    """
    order = await order_of(session.held, body.order_id, session.who)
    missed = await follow(session, order, body.sequence)
    for told in missed.told:
        session.take(Spoken.of(told))
    return {
        "orderId": str(body.order_id),
        "sequence": missed.sequence,
        "resync": missed.resync,
    }


async def unsubscribe(session: Session, body: UnsubscribeBody) -> Answer:
    """Hear no more of an order, whether or not one did."""
    session.held.hub.unsubscribe(session, body.order_id)
    return {"orderId": str(body.order_id)}


async def driver_location(session: Session, body: LocationBody) -> Answer:
    """Say where a driver is: as by POST /delivery/location, and counted with that."""
    held = session.held
    rule = positions_rule(held.settings, session.user_id)
    standing = await held.rate_limits.take(rule) if rule else None
    if standing is not None and not standing.is_admitted:
        raise standing.refusal
    taken = await taken_in(held, session.user_id, body)
    return taken.model_dump(mode="json", by_alias=True)


class MessageCommandBody(MessageBody):
    """Something to say about an order."""

    order_id: UUID


async def send_message(session: Session, body: MessageCommandBody) -> Answer:
    """Say something about an order: as by POST /orders/{id}/messages, and counted with that."""
    await NeedsAccount(Permission.WRITE_MESSAGES)(session.who, session.held)
    said = await chat.send(session.held, session.who, body.order_id, body)
    return said.model_dump(mode="json", by_alias=True)


async def renew(session: Session, body: TokenBody) -> Answer:
    """Stay connected beyond the end of the token that one came with."""
    session.renew(await known(session.held, body.token))
    return {"expiresAt": written(session.ends_at)}


class Command(NamedTuple):
    """What a command brings along, what does it, and the permission that it needs, if any."""

    body: type[Body]
    run: Callable[[Session, Any], Awaitable[Answer]]
    needs: Permission | None = None


COMMANDS: Mapping[str, Command] = {
    "subscribe:order": Command(SubscribeBody, subscribe, Permission.READ_ORDERS),
    "unsubscribe:order": Command(UnsubscribeBody, unsubscribe),
    "driver:location": Command(LocationBody, driver_location, Permission.WRITE_DELIVERIES),
    "message:send": Command(MessageCommandBody, send_message, Permission.WRITE_MESSAGES),
    "token:renew": Command(TokenBody, renew),
}


async def answer(session: Session, name: str | None, said: object) -> Answer:
    """Do what a client asks for, by name, or by none where it cannot be read; never raises."""
    try:
        return {"ok": True, **await _done(session, name, said)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the client is told its code
        return refusal(problem_of(error))


def problem_of(error: Exception) -> Problem:
    """What goes wrong, for the client; for the log, where it is our fault."""
    problem = as_problem(error)
    if problem.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("something live went wrong", exc_info=error)
    return problem


def refusal(problem: Problem) -> Answer:
    """A problem, as an answer."""
    return {**problem.extra, "ok": False, "code": problem.code, "detail": problem.detail}


async def _done(session: Session, name: str | None, said: object) -> Answer:
    if not session.admits():
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS, "too_many", "too many messages: this one is not read"
        )
    if name is None:
        raise invalid("body", "invalid_request", "a message is JSON with a type")
    command = COMMANDS.get(name)
    if command is None:
        known_ones = ", ".join(COMMANDS)
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "unknown_command",
            f"there is no such command; there are {known_ones}",
        )
    if command.needs is not None and session.role not in command.needs.roles:
        roles = " or ".join(sorted(command.needs.roles))
        raise forbidden(f"this is for the role {roles}")
    return await command.run(session, _read(command.body, said))


def _read(body: type[Body], said: object) -> Body:
    """What a client said, as it is to be. Raises RequestValidationError."""
    try:
        return body.model_validate(said)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(found) from error
