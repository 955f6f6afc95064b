"""Who listens to what in this process, and passing on to each what is his to hear.

Whoever publishes an event has said to whom it is, and nobody adds to that here: an order's events
are only kept from those who have not subscribed to it.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from api.live.forms import Spoken
from domain.live import AUDIENCE, OF_ORDER
from domain.permissions import Role
from providers.live import Live
from schema.messages.live import ADMINS, Missed, Told

Key = TypeVar("Key")

_log = structlog.get_logger()


class Listener(ABC):
    """A client's connection. It takes what it is given at once, or is hung up on."""

    __slots__ = ("orders", "role", "user_id")

    def __init__(self, user_id: UUID, role: Role) -> None:
        self.user_id = user_id
        self.role = role
        # What was told of an order while it is being looked up what was missed; None from then on.
        self.orders: dict[UUID, list[Told] | None] = {}

    @property
    @abstractmethod
    def issued_at(self) -> datetime:
        """When the token was given that it listens with."""

    @abstractmethod
    def take(self, spoken: Spoken) -> None:
        """Send an event on."""

    @abstractmethod
    def resync(self) -> None:
        """Say that something may have been missed."""

    @abstractmethod
    def hang_up(self, code: str) -> None:
        """End the connection, with a stable code."""

    def may_hear(self, told: Told) -> bool:
        """Whether an event is for this user, and for what he is."""
        to = told.event.to
        is_addressed = str(self.user_id) in to or (self.role is Role.ADMIN and ADMINS in to)
        return is_addressed and self.role in AUDIENCE[told.event.happening]


class Hub:
    """The listeners of one process."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._of_user: dict[UUID, set[Listener]] = defaultdict(set)
        self._admins: set[Listener] = set()
        self._of_order: dict[UUID, set[Listener]] = defaultdict(set)

    @property
    def listeners(self) -> set[Listener]:
        """Everybody who listens."""
        return {listener for those in self._of_user.values() for listener in those}

    @property
    def users(self) -> tuple[UUID, ...]:
        """Those who listen."""
        return tuple(self._of_user)

    def of_user(self, user_id: UUID) -> tuple[Listener, ...]:
        """Those who listen as a user."""
        return tuple(self._of_user.get(user_id, ()))

    def join(self, listener: Listener) -> None:
        """Somebody listens from now on."""
        self._of_user[listener.user_id].add(listener)
        if listener.role is Role.ADMIN:
            self._admins.add(listener)

    def leave(self, listener: Listener) -> None:
        """Somebody does not listen any more."""
        _drop(self._of_user, listener.user_id, listener)
        self._admins.discard(listener)
        for order_id in listener.orders:
            _drop(self._of_order, order_id, listener)
        listener.orders.clear()

    async def subscribe(self, listener: Listener, order_id: UUID, after: int | None) -> Missed:
        """Have a listener hear of an order from now on; what he has missed since a number, which is
        to be given to him before anything else is waited for.

        Whether the order is his to hear of, the caller has asked. Without Redis he is told to look
        at the order himself.
        """
        if listener not in self._of_user.get(listener.user_id, ()):
            # He has hung up while the caller asked.
            return Missed(told=[], sequence=after or 0, resync=True)
        meanwhile: list[Told] = []
        listener.orders[order_id] = meanwhile
        self._of_order[order_id].add(listener)
        try:
            missed = await self._live.missed(order_id, after)
        except RedisError as error:
            _log.warning("what was missed is not known", order_id=str(order_id), error=str(error))
            missed = Missed(told=[], sequence=after or 0, resync=True)
        # Who has hung up, or thought again, meanwhile.
        if listener.orders.get(order_id) is meanwhile:
            listener.orders[order_id] = None
        told = [one for one in missed.told if listener.may_hear(one)]
        told += [one for one in meanwhile if (one.sequence or 0) > missed.sequence]
        reached = max([missed.sequence, *(one.sequence or 0 for one in told)])
        return Missed(told=told, sequence=reached, resync=missed.resync)

    def unsubscribe(self, listener: Listener, order_id: UUID) -> None:
        """Have a listener hear no more of an order."""
        if listener.orders.pop(order_id, ()) != ():
            _drop(self._of_order, order_id, listener)

    def tell(self, told: Told) -> None:
        """Pass an event on to everybody in this process who is to hear it."""
        spoken = Spoken.of(told)
        event = told.event
        if event.happening in OF_ORDER and event.order_id is not None:
            for listener in tuple(self._of_order.get(event.order_id, ())):
                if listener.may_hear(told):
                    _give(listener, event.order_id, told, spoken)
            return
        for listener in self._addressed(event.to):
            if listener.may_hear(told):
                listener.take(spoken)

    def end_sessions(self, user_id: UUID, good_from: datetime) -> None:
        """Hang up on somebody whose tokens from before a moment are good no more."""
        for listener in self.of_user(user_id):
            if listener.issued_at < good_from:
                listener.hang_up("session_ended")

    def resync(self) -> None:
        """Tell everybody that something may have been missed."""
        for listener in self.listeners:
            listener.resync()

    def _addressed(self, to: tuple[str, ...]) -> set[Listener]:
        found: set[Listener] = set()
        for addressee in to:
            found |= self._admins if addressee == ADMINS else set(self.of_user(UUID(addressee)))
        return found


def _give(listener: Listener, order_id: UUID, told: Told, spoken: Spoken) -> None:
    meanwhile = listener.orders[order_id]
    if meanwhile is None:
        listener.take(spoken)
    else:
        meanwhile.append(told)


def _drop(of: dict[Key, set[Listener]], key: Key, listener: Listener) -> None:
    those = of.get(key)
    if those is not None:
        those.discard(listener)
        if not those:
            del of[key]
