"""What happens while the bench's clients look on: orders change state, drivers drive."""

import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from websockets.asyncio.client import ClientConnection

from activities.announce import Announcer
from activities.market_terms import MarketTerms
from activities.orders import OrderActivities
from bench.crowd import Courier, Crowd
from bench.listeners import AtGateway, Person, Station
from domain.live import Happening
from providers.kitchen_pages import KitchenPages
from providers.live import Live
from providers.redis import connect_redis
from schema.database import Database
from schema.messages.order import Transition
from settings import Settings

# A lap of the drivers, who are near no door: so many seconds, in each a step of so many degrees.
_LAP = 20
_STEP_DEGREES = 0.0001

_committing: ContextVar[list[float]] = ContextVar("_committing")


@dataclass
class Sent:
    """When what was sent (monotonic seconds), by the order and what tells it from others of its
    kind; and how much was not taken, by the reason.
    """

    changes: dict[tuple[str, str], float] = field(default_factory=dict)
    positions: dict[tuple[str, str], float] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)


class Market(Protocol):
    """Where it happens."""

    sent: Sent

    async def change(self, order_id: UUID, times: int) -> None:
        """An order that has changed so often changes once more."""

    async def position(self, courier: Courier) -> None:
        """A driver says where he is."""


class Clocked(Database):
    """Notes when a task commits."""

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """As everywhere."""
        async with super().write() as session:
            yield session
            _committing.get([]).append(time.monotonic())


class Engine:
    """Records steps as a worker does, and sends positions as drivers' phones do."""

    def __init__(self, there: Crowd, orders: OrderActivities, phones: Station) -> None:
        self.sent = Sent()
        self._there = there
        self._orders = orders
        self._phones = phones

    async def change(self, order_id: UUID, times: int) -> None:
        """Record the order's next step."""
        step = next(itertools.islice(self._there.steps(order_id), times, None))
        await self._record(step)

    async def position(self, courier: Courier) -> None:
        """Say a position, a few metres from the last one."""
        at, lap = _moment(), int(time.monotonic()) % _LAP
        kitchen = self._there.kitchen
        body = {
            "latitude": kitchen.latitude + _STEP_DEGREES * abs(lap - _LAP // 2),
            "longitude": kitchen.longitude,
            "speed": 8.0,
            "heading": 90.0,
            "recordedAt": at,
        }
        began = time.monotonic()
        said = await self._phones.ask(str(courier.order_id), "driver:location", body)
        if said.get("accepted") == 1:
            self.sent.positions[str(courier.order_id), at] = began
        else:
            self.sent.refused[said.get("code") or said["refused"][0]["code"]] += 1

    async def _record(self, step: Transition) -> None:
        commits: list[float] = []
        _committing.set(commits)
        await self._orders.record_step(step)
        self.sent.changes[str(step.order_id), step.to] = commits[0]


class PassedOn:
    """Has the bare server pass on texts as the gateway's."""

    def __init__(
        self, feeder: ClientConnection, there: Crowd, samples: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.sent = Sent()
        self._feeder = feeder
        self._there = there
        self._samples = samples
        self._numbers = itertools.count(1)

    async def change(self, order_id: UUID, times: int) -> None:
        """As if an order had changed."""
        step = next(itertools.islice(self._there.steps(order_id), times, None))
        self.sent.changes[str(order_id), step.to] = time.monotonic()
        await self._say(Happening.STATUS, order_id, status=step.to)

    async def position(self, courier: Courier) -> None:
        """As if a driver had said where he is."""
        at = _moment()
        self.sent.positions[str(courier.order_id), at] = time.monotonic()
        await self._say(Happening.POSITION, courier.order_id, recordedAt=at)

    async def _say(self, happening: Happening, order_id: UUID, **mark: str) -> None:
        about = {"orderId": str(order_id), "sequence": next(self._numbers)}
        told = {**self._samples.get(happening, {}), **about, **mark}
        await self._feeder.send(f"{order_id}\n{json.dumps([happening, told])}")


def _moment() -> str:
    """Now, in the form in which the API tells it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@asynccontextmanager
async def engine(environment: Mapping[str, str], there: Crowd, url: str) -> AsyncIterator[Engine]:
    """Ready to record, and drivers who are connected to a gateway."""
    redis = connect_redis(environment["REDIS_URL"])
    database = Clocked(environment["DATABASE_URL"], pool_size=5)
    settings = Settings.of(environment)
    announcer = Announcer(database, Live(redis), MarketTerms(settings, database))
    orders = OrderActivities(database, announcer, KitchenPages(redis))
    phones = Station(url, AtGateway)
    try:
        await phones.open([Person(str(one.order_id), one.token) for one in there.couriers])
        yield Engine(there, orders, phones)
    finally:
        phones.close()
        await redis.aclose()
        await database.close()
