"""The one door from the facade to Temporal."""

from datetime import timedelta

from activities.market_terms import MarketTerms
from api.engine.door import Door, EngineBusy, OrderClosed, Refused
from api.engine.letters import Letters
from api.engine.money import Money
from api.engine.orders import Orders
from api.engine.payees import Payees
from api.engine.people import People
from api.engine.suspensions import Suspensions
from api.engine.zones import Zones
from workflows.connection import connect

__all__ = ["Engine", "EngineBusy", "OrderClosed", "Refused"]


class Engine:
    """Starts workflows and passes messages to them, by what they are about."""

    def __init__(self, door: Door, terms: MarketTerms) -> None:
        self._door = door
        self.orders = Orders(door, terms)
        self.payees = Payees(door)
        self.money = Money(door)
        self.people = People(door)
        self.zones = Zones(door)
        self.letters = Letters(door)
        self.suspensions = Suspensions(door)

    @classmethod
    async def connected(cls, terms: MarketTerms, patience: timedelta) -> "Engine":
        """An engine at the Temporal that the environment names."""
        # Whoever only reads is served while Temporal is away.
        return cls(Door(await connect(lazy=True), patience), terms)

    async def ready(self) -> bool:
        """Whether Temporal answers."""
        try:
            async with self._door.answers():
                return await self._door.client.service_client.check_health()
        except EngineBusy:
            return False
