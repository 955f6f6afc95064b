"""Clients of Server-Sent Events, who follow one order: for whoever has no socket.

Each event's `id` is its number, so that a browser that was cut off says by itself what it has seen
last. `state` is the order as GET /orders/{id} has it: it comes first, and whenever something was
missed. `end` is the last one; whoever comes again after it because the order is over has nothing
more to come for.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from sse_starlette import ServerSentEvent
from starlette.types import Scope

from api import views
from api.auth import Principal
from api.dependencies import Services, visible_to
from api.live.connections import sever
from api.live.following import follow
from api.live.forms import Spoken
from api.live.limits import SETTLING_SECONDS
from api.live.session import Session, still_good, written
from domain.live import FOLLOWED_UNTIL, OF_ORDER, Happening
from domain.order_status import OrderStatus
from domain.permissions import Role
from schema.messages.live import Told
from schema.queries import order_views
from schema.queries.order_views import Access

# What a browser is told to wait until it comes again, in milliseconds.
_AGAIN = 2000
# The `id` of the last event of an order that is over.
OVER = "over"

_RESYNC, _END = "resync", "end"
_NOTHING_MORE = {"code": "order_over", "detail": "there is nothing more to come of this order"}


class Tracker(Session):
    """A client that follows one order."""

    __slots__ = ("_cutting", "_order", "_scope", "_waiting")

    def __init__(self, held: Services, who: Principal, order: Access, scope: Scope) -> None:
        super().__init__(held, who)
        self._order = order
        self._scope = scope
        self._waiting: asyncio.Queue[Spoken] = asyncio.Queue(held.settings.live_backlog)
        self._cutting: asyncio.TimerHandle | None = None

    def take(self, spoken: Spoken) -> None:
        """Have it sent, unless too much waits already."""
        try:
            self._waiting.put_nowait(spoken)
        except asyncio.QueueFull:
            self.hang_up("too_slow")

    def close(self, ending: Spoken) -> None:
        """Say a last thing; who does not read it is cut off soon."""
        if self._waiting.full():
            sever(self._scope)
            return
        self._waiting.put_nowait(Spoken(_END, ending.payload))
        loop = asyncio.get_running_loop()
        self._cutting = loop.call_later(SETTLING_SECONDS, sever, self._scope)

    def may_hear(self, told: Told) -> bool:
        """Whether an event is about this order, and for this user."""
        return told.event.happening in OF_ORDER and super().may_hear(told)

    async def events(self, after: int | None) -> AsyncIterator[ServerSentEvent]:
        """All there is to send, from a number on if one is given, until it is over."""
        self.begin()
        try:
            if not await still_good(self):
                yield _sent(self._waiting.get_nowait())
                return
            missed = await follow(self, self._order, after)
            reached, is_over = missed.sequence, False
            for told in missed.told:
                yield _sent(Spoken.of(told))
                is_over = is_over or _ends(told)
            if missed.resync:
                yield _sent(Spoken(_RESYNC, {}))
            if after is None or missed.resync or self._order.status in FOLLOWED_UNTIL:
                state, is_over = await self._state(reached)
                yield state
            while not is_over:
                spoken = await self._waiting.get()
                yield _sent(spoken)
                if spoken.name == _END:
                    return
                if spoken.name == _RESYNC:
                    state, is_over = await self._state(reached)
                    yield state
                elif spoken.told is not None:
                    reached, is_over = spoken.told.sequence or reached, _ends(spoken.told)
            yield _sent(Spoken(_END, _NOTHING_MORE), OVER)
        finally:
            self.end()
            if self._cutting is not None:
                self._cutting.cancel()

    async def _state(self, sequence: int) -> tuple[ServerSentEvent, bool]:
        """The order as it is now, which is at least what was told until a number; and whether there
        is nothing more to come, as for a driver who does not have it any more.
        """
        async with self.held.database.read() as session:
            view = await order_views.one(session, self._order.order_id, visible_to(self.who))
        order = views.order(view, for_customer=self.role is Role.CUSTOMER) if view else None
        state = Spoken(
            "state",
            {
                "orderId": str(self._order.order_id),
                "sequence": sequence,
                "at": written(datetime.now(UTC)),
                "order": order and order.model_dump(mode="json", by_alias=True),
            },
        )
        is_over = order is None or order.status in FOLLOWED_UNTIL
        return _sent(state, str(sequence)), is_over


def number_of(last_event_id: str | None) -> int | None:
    """The number that a client has seen last, as far as what it says is one."""
    is_number = last_event_id is not None and last_event_id.isdecimal() and last_event_id.isascii()
    return int(last_event_id[:16]) if is_number and last_event_id else None


def _sent(spoken: Spoken, id_: str | None = None) -> ServerSentEvent:
    if id_ is None and spoken.told is not None:
        id_ = str(spoken.told.sequence)
    return ServerSentEvent(data=spoken.text, event=spoken.name, id=id_, retry=_AGAIN)


def _ends(told: Told) -> bool:
    """Whether there is nothing to follow an order for after this."""
    event = told.event
    status = event.data.get("status")
    return event.happening is Happening.STATUS and status in {
        OrderStatus(one).value for one in FOLLOWED_UNTIL
    }
