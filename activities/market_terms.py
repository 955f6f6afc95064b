"""The rules that orders are placed under, for whoever begins a run or takes one up again."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from schema.database import Database
from schema.messages.order import Terms
from schema.queries import market_settings
from schema.tables import MarketSetting
from settings import Settings, terms

# The deadlines that may differ from market to market: those of an order's terms, and the window of
# complaints.
_DEADLINES = (
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


def deadlines(settings: Settings, changes: Iterable[MarketSetting]) -> dict[str, int]:
    """The environment's, in seconds of the city's clock, and over them each change."""
    stands = {name: getattr(settings, name) for name in _DEADLINES}
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
        return terms(self._settings.model_copy(update=deadlines(self._settings, changes)))

    async def of(self, order_id: UUID) -> Terms:
        """Those that an order was placed under."""
        async with self._database.read() as session:
            placed = await market_settings.placed(session, order_id)
        return await self.at(*placed) if placed else terms(self._settings)
