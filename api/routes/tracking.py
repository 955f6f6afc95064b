"""Following an order without a socket."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from sse_starlette import EventSourceResponse

from api.dependencies import ServicesDep, order_of
from api.errors import problems
from api.live.session import must_have_room
from api.live.track import OVER, Tracker, number_of
from api.permits import MayReadOrders

router = APIRouter(prefix="/orders", tags=["Orders"])

# A line by which proxies see that the connection lives.
_KEEP_ALIVE_SECONDS = 15

_EXAMPLE = (
    "id: 7\nevent: order:status_update\n"
    'data: {"status":"accepted","estimatedReadyAt":"2026-01-31T18:40:00Z",'
    '"orderId":"0198c0de-0000-7000-8000-0000000000c1","at":"2026-01-31T18:15:00Z","sequence":7}\n'
    "retry: 2000\n\n"
)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK.value: {
        "description": "Server-Sent Events (WHATWG HTML, section 9.2), as they happen",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    },
    HTTPStatus.NO_CONTENT.value: {"description": "the order is over, and the client knows it"},
    **problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
}

LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=40,
        description="The `id` of the last event that the client has seen: it gets what it missed.",
        examples=["7"],
    ),
]


@router.get("/{order_id}/track", response_class=EventSourceResponse, responses=_ANSWERS)
async def track_order(
    request: Request,
    held: ServicesDep,
    who: MayReadOrders,
    order_id: UUID,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow an order as it happens: `state` first, with the `order` as it stands, then each event
    by its name, with its number as `id`. `resync`, which `state` follows, says that something was
    missed. `end` is the last one: its `code` is `order_over`, or says that the token or the session
    has ended.
    """
    order = await order_of(held, order_id, who)
    if last_event_id == OVER:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    must_have_room(held, who)
    tracker = Tracker(held, who, order, request.scope)
    return EventSourceResponse(
        tracker.events(number_of(last_event_id)), ping=_KEEP_ALIVE_SECONDS, sep="\n"
    )
