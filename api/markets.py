"""What is in force in a market: the environment's settings, and what operators changed since."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from activities.market_terms import deadlines
from domain.pricing import Rates
from domain.refunds import Rules
from schema.queries import market_settings
from schema.tables import MarketSetting
from settings import Market, Settings


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
        deadlines(settings, changes),
    )
