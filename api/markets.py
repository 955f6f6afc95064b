"""What is in force in a market: the environment's settings, and what operators changed since."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain.pricing import Rates
from domain.refunds import Rules
from schema.database import Database
from schema.messages.order import Terms
from schema.queries import market_settings
from schema.tables import MarketSetting
from settings import Market, Settings, terms

# The deadlines that may differ from market to market: those of an order's terms, and the window of
# complaints.
DEADLINES = (
    "payment_deadline_seconds",
    "chef_response_seconds",
    "scheduled_lead_seconds",
    "dispatch_alert_seconds",
    "dispatch_give_up_seconds",
    "pickup_overdue_seconds",
    "delivery_overdue_seconds",
    "refund_overdue_seconds",
    "complaint_window_seconds",
    "tip_window_seconds",
)


@dataclass(frozen=True)
class InForce:
    """A market's settings at a moment; deadlines in seconds of the city's clock."""

    market: Market
    deadlines: Mapping[str, int]

    @property
    def timezone(self) -> str:
        """The market's clock."""
        return self.market.timezone

    @property
    def rates(self) -> Rates:
        """What things cost."""
        return self.market.rates

    @property
    def refunds(self) -> Rules:
        """Which complaints need no person."""
        return self.market.refunds

    @property
    def most_service_radius_km(self) -> float:
        """How far kitchens deliver at most, whatever they say."""
        return self.market.most_service_radius_km

    @property
    def complaint_window(self) -> timedelta:
        """How long after its delivery an order may be complained about."""
        return timedelta(seconds=self.deadlines["complaint_window_seconds"])

    @property
    def values(self) -> dict[str, Any]:
        """All that may be changed, as it stands."""
        return {
            "rates": asdict(self.rates),
            "refunds": asdict(self.refunds),
            "most_service_radius_km": self.most_service_radius_km,
            **self.deadlines,
        }


async def in_force(session: AsyncSession, settings: Settings, market: str, at: datetime) -> InForce:
    """What is in force in a market at a moment. Raises KeyError where there is no such market."""
    return overlaid(settings, market, await market_settings.until(session, market, at))


def overlaid(settings: Settings, market: str, changes: Sequence[MarketSetting]) -> InForce:
    """The environment's settings, and over them each change; the last word counts."""
    held = settings.markets[market]
    rates: dict[str, Any] = {}
    refunds: dict[str, Any] = {}
    radius_km = held.most_service_radius_km
    for change in changes:
        rates |= change.values.get("rates", {})
        refunds |= change.values.get("refunds", {})
        radius_km = change.values.get("most_service_radius_km", radius_km)
    return InForce(
        held.model_copy(
            update={
                "rates": replace(held.rates, **rates),
                "refunds": replace(held.refunds, **refunds),
                "most_service_radius_km": radius_km,
            }
        ),
        _deadlines(settings, changes),
    )


def _deadlines(settings: Settings, changes: Iterable[MarketSetting]) -> dict[str, int]:
    stands = {name: getattr(settings, name) for name in DEADLINES}
    for change in changes:
        stands |= {name: said for name, said in change.values.items() if name in stands}
    return stands


class MarketTerms:
    """The rules that orders are placed under, by market and moment."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database

    async def at(self, market: str, at: datetime) -> Terms:
        """Those of an order that is placed in a market at a moment; also in one that the
        environment does not name any more.
        """
        async with self._database.read() as session:
            changes = await market_settings.until(session, market, at)
        return terms(self._settings.model_copy(update=_deadlines(self._settings, changes)))

    async def of(self, order_id: UUID) -> Terms:
        """Those that an order was placed under."""
        async with self._database.read() as session:
            placed = await market_settings.placed(session, order_id)
        return await self.at(*placed) if placed else terms(self._settings)
