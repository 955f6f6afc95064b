"""What operators change by hand about an order's search for a driver."""

from temporalio import activity

from activities.searching import Zones
from schema.database import Database
from schema.messages.dispatch import ZoneOrder
from schema.messages.overrides import Overriding
from schema.queries import overrides, searches


class OverrideActivities:
    """Short, safe to repeat, run as a local activity."""

    def __init__(self, database: Database, zones: Zones) -> None:
        self._database = database
        self._zones = zones

    @activity.defn
    async def override_search(self, asked: Overriding) -> bool:
        """Hold, release, or prefer a driver, once by its key, and write down who did and why.

        An offer that this takes back is withdrawn, and the zones look at the order again. False
        when it looks for no driver.
        """
        async with self._database.write() as session:
            if not await overrides.override(session, asked):
                return False
            zones = await searches.zones_of(session, asked.order_id)
        for zone in zones:
            await self._zones.tell(zone, ZoneOrder(order_id=asked.order_id))
        return True
